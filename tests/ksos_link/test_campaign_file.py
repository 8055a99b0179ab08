"""A campaign file: read strictly, all faults at once; repeats; the window; rules over scans."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.family import Recognised
from ksos_link.errors import MalformedError, NotFoundError, PreflightError, UsageError
from ksos_link.operations.campaign.digest import check_unchanged
from ksos_link.operations.campaign.file import MAX_FILE_BYTES, read_campaign_file
from ksos_link.operations.campaign.model import (
    MOST_STEPS,
    CampaignFile,
    Expect,
    Radio,
    ScanRule,
    Window,
)
from ksos_link.operations.campaign.plan import matches
from ksos_link.operations.discover import WatchSeen
from ksos_link.virtual_watch.sample_images import sample_image

NIGHT = """
title = "Night"
[[radio]]
name = "left"
adapter = "hci1"
[[radio]]
name = "right"
adapter = "virtual:tcp:127.0.0.1:4000"
[[watch]]
address = "wrist"
radio = "left"
[[watch]]
address = "F9:24:12:00:00:01"
name = "bench 2"
[expect]
battery_pct_at_least = 20
firmware_version = "17"
[[step]]
do = "verify"
pause_s = 2.5
expect = { firmware_version = "18" }
[[step]]
do = "repeat"
times = 2
[[step.step]]
do = "sync"
repeat = 2
[[step.step]]
do = "verify"
[limits]
attempts = 3
pause_s = 0
parallel = 1
stop_after_failures = 4
step_timeout_s = 90
continue_after_failure = true
[limits.window]
from = "22:00"
until = "06:00"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "night.toml"
    path.write_text(text, "utf-8")
    return path


def read(folder: Path, text: str) -> CampaignFile:
    return read_campaign_file(written(folder, text))


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    return str(caught.value).partition(": ")[2].rstrip(".").split("; ")


def test_all_that_a_file_can_say(tmp_path: Path) -> None:
    file = read(tmp_path, NIGHT)
    assert file.title == "Night"
    assert file.path == tmp_path / "night.toml"
    assert file.radios == (Radio("left", "hci1"), Radio("right", "virtual:tcp:127.0.0.1:4000"))
    assert [(watch.address, watch.name, watch.radio) for watch in file.watches] == [
        ("wrist", "", "left"),
        ("F9:24:12:00:00:01", "bench 2", ""),
    ]
    once = ["sync (1 of 2)", "sync (2 of 2)", "verify"]
    twice = [f"{label} ({nth} of 2)" for nth in (1, 2) for label in once]
    assert [step.label for step in file.steps] == ["verify", *twice]
    assert file.steps[0].pause_s == 2.5
    assert file.steps[0].expect == Expect(firmware_version="18", battery_pct_at_least=20)
    assert file.steps[1].expect == Expect(firmware_version="17", battery_pct_at_least=20)
    limits = file.limits
    assert (limits.attempts, limits.pause_s, limits.parallel) == (3, 0.0, 1)
    assert (limits.stop_after_failures, limits.step_timeout_s) == (4, 90.0)
    assert limits.continue_after_failure
    assert limits.window == Window(time(22), time(6))


def test_what_a_file_leaves_out(tmp_path: Path) -> None:
    file = read(tmp_path, 'title = "x"\n[scan]\n[[step]]\ndo = "sync"\n')
    assert file.radios == (Radio("default"),)
    assert file.scan == ScanRule()
    assert (file.limits.attempts, file.limits.window, file.limits.parallel) == (1, None, None)


def test_every_fault_of_a_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = """
titel = "Night"
[[radio]]
name = "left"
adapter = "usb0"
[[radio]]
name = "left"
adapter = "hci0"
[[watch]]
address = "no such form!"
[[watch]]
address = "replay:x.txt"
[[watch]]
address = "wrist"
radio = "right"
[[watch]]
address = "WRIST"
colour = "red"
[[step]]
do = "fly"
[[step]]
do = "verify"
repeat = 0
expect = { battery_pct_at_least = 101, mood = 1 }
[[step]]
do = "repeat"
[[step]]
do = "write_firmware"
file = "gone.zip"
allow = [1]
[limits]
attempts = true
pause_s = -1
[limits.window]
from = "22:00"
until = "25:00"
"""
    said = faults(tmp_path, text)
    assert [each.partition(":")[0] for each in said] == [
        "radio[1].adapter",
        "radio[2].name",
        "title",
        "watch[1].address",
        "watch[2].address",
        "watch[3].radio",
        "watch[4].colour",
        "watch[4].address",
        "step[1].do",
        "step[2].expect.battery_pct_at_least",
        "step[2].expect.mood",
        "step[2].repeat",
        "step[3].times",
        "step[3].step",
        "step[4].allow",
        "step[4].file",
        "limits.pause_s",
        "limits.attempts",
        "limits.window.until",
        "titel",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('title = "x"\n', "step"),
        ('title = "x"\n[[step]]\ndo = "sync"\n', "watch"),
        ('title = "x"\nwatch = [1]\n[[step]]\ndo = "sync"\n', "watch[1]"),
        ('title = "x"\n[scan]\n[[step]]\n', "step[1].do"),
        (
            'title = "x"\n[scan]\n[[step]]\ndo = "verify"\nexpect = { samples_at_least = 1 }\n',
            "step[1].expect.samples_at_least",
        ),
        ('title = "x"\n[scan]\nfor_s = "long"\n[[step]]\ndo = "sync"\n', "scan.for_s"),
        ('title = "x"\n[scan]\nfor_s = true\n[[step]]\ndo = "sync"\n', "scan.for_s"),
        (
            'title = "x"\n[scan]\n[[step]]\ndo = "sync"\n[limits]\n[limits.window]\n'
            'from = "22:00"\nuntil = "22:00"\n',
            "limits.window.until",
        ),
    ],
)
def test_a_fault_alone(tmp_path: Path, text: str, place: str) -> None:
    assert faults(tmp_path, text)[0].partition(":")[0] == place


def test_repeats_of_repeats_do_not_eat_memory(tmp_path: Path) -> None:
    text = f'title = "x"\n[scan]\n[[step]]\ndo = "repeat"\ntimes = {MOST_STEPS}\n[[step.step]]\n'
    said = faults(tmp_path, f'{text}do = "sync"\nrepeat = 2\n')
    assert said == [f"step[1].do: makes more than {MOST_STEPS} steps, repeats counted"]


@pytest.mark.parametrize("data", [b"title = ", b"\xff\xfe", b"x = [" * 5000])
def test_what_is_no_toml(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "night.toml"
    path.write_bytes(data)
    with pytest.raises(MalformedError, match="is no TOML"):
        read_campaign_file(path)


def test_what_is_no_file_or_too_large(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("\0")):
        with pytest.raises(NotFoundError):
            read_campaign_file(path)
    large = written(tmp_path, "#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(MalformedError, match="larger than 1 MiB"):
        read_campaign_file(large)


def test_the_files_that_are_sent_are_pinned(tmp_path: Path) -> None:
    image = tmp_path / "app.zip"
    image.write_bytes(sample_image("nordic-secure", 18, 4000))
    steps = '[[step]]\ndo = "downgrade"\nfile = "app.zip"\nunsigned = true\nallow = ["battery"]\n'
    file = read(tmp_path, f'title = "x"\n[scan]\n{steps}')
    (step,) = file.steps
    assert step.firmware is not None
    assert step.firmware.allow == {"battery", "version_order"}
    assert list(file.files) == [str(image)]
    check_unchanged(file.files)
    image.write_bytes(sample_image("nordic-secure", 19, 4000))
    with pytest.raises(PreflightError, match=r"app\.zip"):
        check_unchanged(file.files)
    image.unlink()
    with pytest.raises(PreflightError, match="or gone"):
        check_unchanged(file.files)


@given(
    begins=st.times(),
    until=st.times(),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 zone below
)
def test_a_window_opens_when_it_says(begins: time, until: time, now: datetime) -> None:
    """Against a search by minutes, of whole minutes."""
    begins, until = (each.replace(second=0, microsecond=0) for each in (begins, until))
    now = now.replace(second=0, microsecond=0, tzinfo=UTC)

    def is_open(at: datetime) -> bool:
        of_day = at.time()
        if begins <= until:
            return begins <= of_day < until
        return of_day >= begins or of_day < until

    waits_s = Window(begins, until).wait_s(now)
    if begins == until:
        return  # refused in a file
    later = (minute for minute in range(24 * 60) if is_open(now + timedelta(minutes=minute)))
    assert waits_s == 60 * next(later)


def test_a_rule_over_what_is_in_range() -> None:
    found = Recognised("ido", "IDO 7890", 7890)
    seen = WatchSeen("F9:24:12:00:00:01", "Band 8", -60, found)
    assert matches(ScanRule(), seen)
    assert matches(ScanRule("ido 7890", 7890, "Band*", -60), seen)
    for rule in (
        ScanRule(product="IDO 1"),
        ScanRule(model_code=1),
        ScanRule(name="Ring*"),
        ScanRule(rssi_dbm_at_least=-59),
    ):
        assert not matches(rule, seen)
    assert not matches(ScanRule(), WatchSeen("F9:24:12:00:00:01", None, -60, None))
