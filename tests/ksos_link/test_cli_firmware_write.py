"""`ksos firmware write`, `resume`, `show` and `verify` on virtual watches of each kind."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.store.uploads import BegunUpload
from tests.ksos_link.updatable import KINDS, LIFTED, Kind, Watches

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, StoreBench

pytestmark = pytest.mark.gatt


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> Watches:
    return Watches(monkeypatch)


def address_of(kind: Kind, more: str = "") -> str:
    return f"virtual:ido?scenario=empty&{kind.query}{more}"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_firmware_gets_in_by_each_way(
    ksos: "CommandLine", watches: Watches, tmp_path: Path, kind: Kind
) -> None:
    address, file = address_of(kind), kind.write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED, *kind.options)
    assert said.code == 0, said.err
    assert said.out.startswith("Firmware written: 17 before, 18 now.\n")
    watch = watches.of(address)
    assert watch.flash.firmware_version == 18
    assert watch.flash.boots
    shown = json.loads(ksos("--device", address, "firmware", "show", "--json").out)
    assert shown["firmware_version"] == "18"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_dry_run_sends_nothing(
    ksos: "CommandLine", watches: Watches, tmp_path: Path, kind: Kind
) -> None:
    address, file = address_of(kind), kind.write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED, "--dry-run")
    assert (said.code, said.out) == (0, "Nothing stands against it; nothing was written.\n")
    watch = watches.of(address)
    assert watch.flash.log == []
    assert watch.flash.firmware_version == 17


def test_all_objections_come_at_once_and_nothing_is_sent(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    address = address_of(KINDS["secure"], "&battery=20")
    file = KINDS["legacy"].write(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    damaged = ksos("--device", address, "firmware", "write", file, "--yes")
    assert damaged.code == 5
    file = KINDS["smp"].write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, "--yes")
    assert said.code == 7
    for name in ("unsigned", "transport", "unknown_product", "battery"):
        assert name in said.err
    assert watches.of(address).flash.log == []


def test_firmware_is_written_only_where_somebody_says_so(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    file = KINDS["d1"].write(tmp_path)
    said = ksos("--device", address_of(KINDS["d1"]), "firmware", "write", file, "--unsigned")
    assert said.code == 9
    assert "--yes" in said.err


def test_what_is_unproven_wants_to_be_asked_for(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["realtek"]
    file, address = kind.write(tmp_path), address_of(kind)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 9
    assert "--experimental" in said.err
    assert watches.of(address).flash.log == []


def test_a_reader_of_json_lines_hears_of_all_of_it(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["secure"]
    address, file = address_of(kind), kind.write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED, "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    kinds = list(dict.fromkeys(event["event"] for event in events))
    assert kinds == [
        *("connected", "preflight", "loader", "started", "progress", "verified", "activated"),
        *("restarting", "done"),
    ]
    assert events[1] == {
        "event": "preflight",
        "lifted": ["unsigned", "unknown_product", "unknown_version"],
    }
    done = events[-1]
    assert (done["version_before"], done["version_after"]) == ("17", "18")
    assert done["sent_bytes"] == kind.size_bytes
    assert done["repeated_bytes"] == 0
    assert done["rssi_dbm"] == -50
    said = ksos("--device", address, "firmware", "write", file, "--yes", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[-1]["event"] == "failed"
    assert events[-1]["exit_code"] == said.code == 7


def release(folder: Path, kind: Kind, version: int, **more: str) -> Path:
    """A manifest of an image, as a maker writes it."""
    file = kind.write(folder, version)
    data = file.read_bytes()
    lines = {"status": "active", "channel": "formal", **more}
    manifest = folder / "release.toml"
    text = "\n".join(f'{name} = "{value}"' for name, value in lines.items())
    manifest.write_text(
        f'product = "Band 8"\nmodel_code = 532\nkind = "firmware"\nversion = "{version}"\n{text}\n'
        f'[[files]]\nname = "{file.name}"\nsize_bytes = {len(data)}\n'
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    )
    return manifest


@pytest.mark.parametrize("kind", [KINDS["d1"], KINDS["secure"], KINDS["smp"]], ids=str)
def test_a_signed_release_needs_no_permission_and_is_confirmed(
    ksos: "CommandLine", watches: Watches, tmp_path: Path, kind: Kind
) -> None:
    address, manifest = address_of(kind), release(tmp_path / "r", kind, 18)
    key = tmp_path / "release.pem"
    assert ksos("release", "key", key).code == 0
    assert ksos("release", "sign", manifest, "--key", key).code == 0
    trusted = ("--public-key", Path(f"{key}.pub"))
    said = ksos("--device", address, "firmware", "write", manifest, *trusted, "--yes", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out.splitlines()[-1])["confirmed"] is True
    assert ksos("--device", address, "firmware", "verify", manifest, *trusted).code == 0
    said = ksos("--device", address, "firmware", "write", manifest, *trusted, "--yes")
    assert said.code == 7
    assert "version_order" in said.err
    other = release(tmp_path / "other", kind, 19)
    said = ksos("--device", address, "firmware", "verify", other)
    assert said.code == 7
    key_of_others = tmp_path / "others.pem"
    assert ksos("release", "key", key_of_others).code == 0
    wrong = ("--public-key", Path(f"{key_of_others}.pub"))
    said = ksos("--device", address, "firmware", "write", manifest, *wrong, "--yes")
    assert said.code == 7
    assert "signature" in said.err


def test_a_watch_without_an_update_mode_is_entered_by_its_service(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["secure"]
    address, file = address_of(kind, "&option=no_update_mode"), kind.write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 0, said.err
    assert watches.of(address).flash.firmware_version == 18


def test_a_watch_without_any_way_into_its_loader_is_refused(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["legacy"]  # its virtual watch has only the service of the other loader
    address, file = address_of(kind, "&option=no_update_mode"), kind.write(tmp_path)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 6
    assert "no way into its loader" in said.err
    assert watches.of(address).flash.log == []


FAULTS = ("lose", "reboot", "drop", "corrupt", "duplicate", "reorder", "lose-write", "cut-power")
STRIDE = 7


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_fault_anywhere_leaves_a_true_verdict_and_a_watch_that_can_be_finished(
    ksos: "CommandLine", watches: Watches, tmp_path: Path, kind: Kind, fault: str
) -> None:
    file = kind.write(tmp_path)
    clean = address_of(kind)
    assert ksos("--device", clean, "firmware", "write", file, *LIFTED, *kind.options).code == 0
    notified, written = watches.packets(clean)
    count = written if fault in ("lose-write", "cut-power") else notified
    first = hash_of(kind.image, fault) % STRIDE
    for index in range(first, count, STRIDE):
        address = address_of(kind, f"&fault={fault}@{index}")
        check_one(ksos, watches, address, file, kind)


def hash_of(*words: str) -> int:
    """A number that is the same in each run."""
    return hashlib.sha256(" ".join(words).encode()).digest()[0]


def check_one(ksos: "CommandLine", watches: Watches, address: str, file: Path, kind: Kind) -> None:
    arguments = ("--device", address, "--timeout-s", "2", "firmware")
    options = (*LIFTED, *kind.options)
    said = ksos(*arguments, "write", file, *options)
    flash = watches.of(address).flash
    assert said.code in (0, 3, 4, 5, 6, 7), (address, said.err)
    if said.code == 0:
        assert (flash.firmware_version, flash.boots) == (18, True), (address, said.err)
        return
    assert "hint:" in said.err, address
    for _ in range(3):  # the fault is over; a watch that forgot what it knew may need one more
        said = ksos(*arguments, "resume", file, *options, "--allow", "version_order")
        if said.code == 0:
            break
    assert said.code == 0, (address, said.err)
    assert (flash.firmware_version, flash.boots) == (18, True), address


def test_a_resume_that_fails_in_the_loader_does_not_say_that_nothing_was_written(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["legacy"]
    file, options = kind.write(tmp_path), (*LIFTED, *kind.options)
    first = address_of(kind, "&fault=drop@8")  # the answer to the start of the update
    said = ksos("--device", first, "firmware", "write", file, *options)
    assert said.code == 6
    assert "The watch may be in its loader" in said.err
    second_begins = watches.packets(first)[0]
    address = address_of(kind, f"&fault=drop@8,drop@{second_begins}")
    ksos("--device", address, "firmware", "write", file, *options)
    said = ksos("--device", address, "firmware", "resume", file, *options)
    assert said.code == 6
    assert not watches.of(address).flash.boots
    assert "Nothing was written" not in said.err
    assert f"ksos firmware resume {file.name}" in said.err


def test_a_link_lost_while_a_trial_is_confirmed_is_taken_up_again(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["smp"]
    file, clean = kind.write(tmp_path), address_of(kind)
    assert ksos("--device", clean, "firmware", "write", file, *LIFTED).code == 0
    confirmation = watches.packets(clean)[0] - 1
    address = address_of(kind, f"&fault=lose@{confirmation}")
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 0, said.err
    watch = watches.of(address)
    watch.restart(0.0)
    assert watch.flash.firmware_version == 18


def test_a_trial_that_ends_before_it_is_confirmed_can_be_resumed(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    """The store still knows of it, so that resume needs no file."""
    kind = KINDS["smp"]
    file, clean = kind.write(tmp_path), address_of(kind)
    assert ksos("watch", "pair", "virtual:ido?scenario=empty", "--alias", "other").code == 0
    assert ksos("--device", clean, "firmware", "write", file, *LIFTED).code == 0
    before_confirmation = watches.packets(clean)[0] - 4  # two answers, of two notifications each
    address = address_of(kind, f"&fault=reboot@{before_confirmation}")
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 6
    assert "was started on trial" in said.err
    assert watches.of(address).flash.firmware_version == 17
    said = ksos("--device", address, "firmware", "resume", *LIFTED)
    assert said.code == 0, said.err
    assert watches.of(address).flash.firmware_version == 18


def test_a_trial_that_goes_on_is_confirmed_by_resume(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    """The command that the failure names does it, with no more allowed than before."""
    kind = KINDS["smp"]
    file, clean = kind.write(tmp_path), address_of(kind)
    assert ksos("--device", clean, "firmware", "write", file, *LIFTED).code == 0
    before_confirmation = watches.packets(clean)[0] - 4  # two answers, of two notifications each
    losses = ",".join(f"lose@{before_confirmation + each}" for each in range(60))
    address = address_of(kind, f"&fault={losses}")
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 4, said.err
    assert "was started on trial" in said.err
    watch = watches.of(address)
    assert watch.flash.firmware_version == 18
    watches.heal(address)
    said = ksos("--device", address, "firmware", "verify", file)
    assert said.code == 7
    assert "on trial" in said.err
    said = ksos("--device", address, "firmware", "resume", file, "--yes")
    assert said.code == 7
    assert "unsigned" in said.err
    said = ksos("--device", address, "firmware", "resume", file, *LIFTED)
    assert said.code == 0, said.err
    assert ksos("--device", address, "firmware", "verify", file).code == 0
    watch.restart(0.0)
    assert watch.flash.firmware_version == 18


@pytest.fixture
def cut(ksos: "CommandLine", watches: Watches, tmp_path: Path) -> tuple[str, Path]:
    """A paired watch that was left in its loader, and the file that it was getting."""
    kind = KINDS["secure"]
    address, file = address_of(kind), kind.write(tmp_path, size_bytes=20_000)
    said = ksos("watch", "pair", address, "--alias", "wrist")
    assert said.code == 0, said.err
    watches.lose_links(address, after=28, count=7)  # in the second object of 4 KiB
    said = ksos("--device", "wrist", "--timeout-s", "2", "firmware", "write", file, *LIFTED)
    assert said.code == 4, said.err
    assert "runs no application until an update is finished" in said.err
    assert "ksos firmware resume" in said.err
    return address, file


def test_the_store_knows_what_was_being_written(
    ksos: "CommandLine", watches: Watches, cut: tuple[str, Path]
) -> None:
    address, _ = cut
    assert not watches.of(address).flash.boots
    resumed = ("--device", "wrist", "--timeout-s", "2", "firmware", "resume", *LIFTED)
    for _ in range(6):
        said = ksos(*resumed, "--json")
        if said.code == 0:
            break
    assert said.code == 0, said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    started = next(event for event in events if event["event"] == "started")
    assert started["held_bytes"] > 0
    assert watches.of(address).flash.firmware_version == 18
    said = ksos(*resumed)
    assert said.code == 3
    assert "ksos firmware resume FILE" in said.err


def test_another_file_is_not_taken_for_what_was_being_written(
    ksos: "CommandLine", cut: tuple[str, Path]
) -> None:
    _, file = cut
    file.write_bytes(file.read_bytes() + b"\x00")
    resumed = ("--device", "wrist", "firmware", "resume", *LIFTED)
    said = ksos(*resumed)
    assert said.code == 7
    assert "was changed" in said.err
    file.unlink()
    assert ksos(*resumed).code == 3


def test_a_watch_that_waits_in_its_loader_is_named(
    ksos: "CommandLine", cut: tuple[str, Path]
) -> None:
    said = ksos("--device", "wrist", "--timeout-s", "2", "firmware", "show")
    assert said.code == 3
    _, file = cut
    said = ksos("--device", "wrist", "--timeout-s", "2", "firmware", "write", file, *LIFTED)
    assert said.code == 3
    assert "If an update of it was cut: ksos firmware resume" in said.err


def test_a_forgotten_watch_takes_its_begun_update_along(bench: "StoreBench") -> None:
    with bench.open() as store:
        kept, gone = bench.add_watch(store), bench.add_watch(store)
        for watch in (kept, gone):
            store.begin_upload(BegunUpload(watch.address, "/app.zip", "00", 1))
        store.forget_device(gone.device_id, keep_data=False)
        assert [each.address for each in store.begun_uploads()] == [kept.address]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--allow", "nothing"), 2, "no objection"),
        (("--allow", "digest"), 2, "cannot be lifted"),
        (("--channel", "secret"), 2, "no such channel"),
        (("--region", "XX"), 2, "country"),
        (("--public-key", "missing.pem"), 3, "missing.pem"),
        (("--loader-key", "missing.key"), 3, "missing.key"),
    ],
)
def test_wrong_options_are_told_before_anybody_connects(
    ksos: "CommandLine",
    watches: Watches,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    file = KINDS["d1"].write(tmp_path)
    said = ksos("--device", address_of(KINDS["d1"]), "firmware", "write", file, "--yes", *arguments)
    assert said.code == code
    assert told in said.err
    assert "connected" not in said.err


def test_a_key_that_is_none_and_files_that_are_none(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    file = KINDS["realtek"].write(tmp_path)
    key = tmp_path / "loader.key"
    key.write_text("not hex")
    address = ("--device", address_of(KINDS["realtek"]))
    said = ksos(*address, "firmware", "write", file, "--yes", "--loader-key", key)
    assert (said.code, "holds no key" in said.err) == (2, True)
    key.write_text("00" * 32)
    said = ksos(*address, "firmware", "write", file, *LIFTED, "--experimental", "--loader-key", key)
    assert said.code in (0, 6)
    assert ksos(*address, "firmware", "write", tmp_path / "none.zip", "--yes").code == 3
    (tmp_path / "bad.toml").write_text("nothing = 1")
    assert ksos(*address, "firmware", "write", tmp_path / "bad.toml", "--yes").code == 5


@pytest.mark.parametrize("platform", ["98", "60", "20", "97", "70", "77"])
def test_platforms_that_are_not_spoken_are_refused_with_the_reason(
    ksos: "CommandLine", watches: Watches, tmp_path: Path, platform: str
) -> None:
    file = KINDS["d1"].write(tmp_path)
    address = f"virtual:ido?scenario=empty&platform={platform}"
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 6
    assert f"platform {platform}" in said.err
    said = ksos("--device", address, "firmware", "show", "--json")
    assert json.loads(said.out)["refusal"]


def test_a_watch_has_one_job_at_a_time(
    ksos: "CommandLine", bench: "StoreBench", tmp_path: Path
) -> None:
    file = KINDS["d1"].write(tmp_path)
    with bench.open() as store:
        watch = bench.add_watch(store, "wrist")
        for words in (
            ("firmware", "write", file, "--yes"),
            ("firmware", "resume", file, "--yes"),
            ("sync",),
            ("dial", "list"),
        ):
            with store.watch_to_oneself(watch.address):
                said = ksos("--device", "wrist", *words)
            assert said.code == 8, words
            assert "Another ksos has a job with this watch." in said.err
            assert watch.address not in said.err


@pytest.mark.parametrize("end", ["ctrl-c", "nobody reads on"])
def test_who_ends_it_is_told_that_the_watch_may_be_half_way(tmp_path: Path, end: str) -> None:
    kind = KINDS["secure"]
    file = kind.write(tmp_path, size_bytes=4_000_000)
    arguments = ("firmware", "write", str(file), *LIFTED, "--json", "--device", address_of(kind))
    env = os.environ | {"KSOS_HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        (sys.executable, "-m", "ksos_link", *arguments),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        while b'"progress"' not in running.stdout.readline():
            assert running.poll() is None
        if end == "ctrl-c":
            running.send_signal(signal.SIGINT)
            running.stdout.read()
        else:
            running.stdout.close()
        told = running.stderr.read().decode()
        assert running.wait() == 130
    assert f"ksos firmware resume {file}" in told
    assert "safe to run this again" not in told


def test_the_loader_of_another_watch_is_left_alone(
    ksos: "CommandLine", bench: "StoreBench", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["secure"]
    address, file = address_of(kind), kind.write(tmp_path)
    with bench.open() as store:  # the one whose loader would be where that of this one is
        store.add_device(
            alias="other", address="F9:24:12:00:00:02", family="ido", product="x", bound_utc_s=1
        )
    said = ksos("--device", address, "--timeout-s", "2", "firmware", "write", file, *LIFTED)
    assert said.code == 3, said.err
    assert "may be in its loader" in said.err
    assert watches.of(address).flash.log == []


def test_a_battery_that_falls_midway_ends_it(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["d1"]
    address, file = address_of(kind), kind.write(tmp_path, size_bytes=20_000)
    assert ksos("--device", address, "firmware", "show").code == 0
    watches.lose_links(address, after=20, count=1)
    watches.run_down_with_next_link(address)
    said = ksos("--device", address, "firmware", "write", file, *LIFTED)
    assert said.code == 7, said.err
    assert "The battery fell below 30 %" in said.err
    assert watches.of(address).flash.log == []


def test_whoever_resumes_what_the_watch_runs_already_is_done(
    ksos: "CommandLine", watches: Watches, tmp_path: Path
) -> None:
    kind = KINDS["d1"]
    address, manifest = address_of(kind), release(tmp_path / "r", kind, 18)
    wish = (manifest, "--unsigned", "--channel", "formal", "--yes")
    assert ksos("--device", address, "firmware", "write", *wish).code == 0
    said = ksos("--device", address, "firmware", "resume", *wish)
    assert (said.code, said.out) == (0, "The watch runs it already; nothing was written.\n")
