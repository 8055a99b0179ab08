"""The log says what happened and nothing else (K091)."""

import logging
import re
import stat
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.watch_session import Reading, WatchMemory
from ksos_link.config import Home
from ksos_link.logbook import CHATTY, LOGGER, open_logbook, silence_libraries

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said, SyncBench

TODAY = date(2026, 11, 21)
WATCH = "virtual:ido?scenario=short"


def logged(home: Path) -> str:
    return "".join(path.read_text("utf-8") for path in sorted((home / "logs").glob("*")))


def home_at(folder: Path) -> Home:
    return Home(folder, folder / "settings.toml", folder / "logs")


# ---- nothing private, at any verbosity


def raised(readings: tuple[Reading, ...], more: int) -> tuple[Reading, ...]:
    return tuple(Reading(reading.wall_s, reading.value + more) for reading in readings)


class StoppedClock(datetime):
    """A machine whose clock stands: two links of one sync always fall into the same second."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "StoppedClock":
        return cls(2026, 11, 21, 20, 30, tzinfo=tz)


@pytest.fixture
def on_wrist(
    ksos: "CommandLine", sync_bench: "SyncBench", monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int, str], "list[Said]"]:
    """Pair and sync a watch on the air by its address, whose readings are all `more` higher."""

    def lived(more: int) -> WatchMemory:
        memory = sync_bench.watch().memory
        return WatchMemory(
            [replace(day, heart_rate=raised(day.heart_rate, more)) for day in memory.days],
            list(memory.nights),
            list(memory.workouts),
        )

    def life(address: str, more: int, passphrase: str) -> "list[Said]":
        watch = sync_bench.watch("lose@40", memory=lived(more), address=address, bound=False)

        def run(job: Coroutine[Any, Any, Any]) -> object:
            async def on_air() -> object:
                async with sync_bench.on_air(watch):
                    return await job

            return sync_bench.run(on_air())

        home = ksos.home.with_name(f"home-{more}")
        secret = {"KSOS_HOME": str(home), "KSOS_KEY_FILE": "", "KSOS_PASSPHRASE": passphrase}
        with monkeypatch.context() as patch:
            patch.setattr("asyncio.run", run)
            patch.setattr("ksos_link.operations.local_time.datetime", StoppedClock)
            said = [
                ksos("watch", "pair", address, "--alias", f"w{more}", "--verbose", **secret),
                ksos("sync", "--verbose", **secret),
                ksos("watch", "pair", "AA:BB:CC:DD:EE:FF", "--verbose", **secret),
            ]
        assert [one.code for one in said] == [0, 0, 3]
        return said

    return life


def test_a_log_does_not_depend_on_anything_private(
    on_wrist: Callable[[str, int, str], "list[Said]"], ksos: "CommandLine"
) -> None:
    lives = [("C0:FF:EE:57:58:59", 0, "my own secret"), ("D1:AB:CD:61:62:63", 13, "another word")]
    texts = []
    for address, more, passphrase in lives:
        said = on_wrist(address, more, passphrase)
        log = logged(ksos.home.with_name(f"home-{more}"))
        assert "sync: done" in log
        assert "link lost" in log
        assert "NotFoundError" in log
        told = "".join(one.err for one in said)
        for private in (address, address.lower(), address.replace(":", ""), passphrase):
            assert private not in log + told
        texts.append(re.sub(r"(?m)^\S+ ", "", log))
        texts.append(told.replace(f"w{more}", "alias"))
    assert texts[0] == texts[2]  # the same log for other readings, names and secrets
    assert texts[1] == texts[3]


def test_verbose_tells_on_stderr_what_the_log_says(ksos: "CommandLine") -> None:
    quiet = ksos("sync", "--device", WATCH)
    verbose = ksos("sync", "--device", WATCH, "--verbose")
    assert "log " not in quiet.err
    told = re.findall(r"(?m)^log {8}(.*)$", verbose.err)
    assert told[0].startswith("sync: begins, ksos ")
    assert "sync: connected" in told
    assert all(f"INFO {line}\n" in logged(ksos.home) for line in told)
    assert ksos("show", "steps", "--verbose").err == ksos("show", "steps").err


# ---- who writes, where, for how long


def test_commands_that_only_read_leave_no_trace(ksos: "CommandLine", tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    capture.write_text("0.000 TX 0af6 0201\n", "utf-8")
    ksos("--help")
    ksos("doctor", "--verbose")
    ksos("decode", capture)
    ksos("capture", "replay", capture)
    ksos("watch", "list")
    ksos("show", "steps")
    ksos("store", "info")
    ksos("export")
    ksos("virtual", "list")
    ksos("watch", "info", "--device", WATCH)
    assert not ksos.home.exists()


def test_a_log_belongs_to_its_owner_alone(ksos: "CommandLine") -> None:
    assert ksos("sync", "--device", WATCH).code == 0
    folder = ksos.home / "logs"
    (file,) = folder.iterdir()
    assert file.name == f"ksos-{datetime.now().astimezone():%Y-%m-%d}.log"
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_seven_days_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    names = [f"ksos-{TODAY - timedelta(days=age)}.log" for age in range(10)]
    others = ["ksos-2020-99-99.log", "notes.txt"]
    for name in (*names, *others):
        (folder / name).touch()
    with open_logbook(home_at(tmp_path), TODAY):
        pass
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names[:8], *others])


@pytest.mark.parametrize("obstacle", ["folder", "file"])
def test_a_log_that_cannot_be_written_fails_nothing(ksos: "CommandLine", obstacle: str) -> None:
    ksos.home.mkdir()
    if obstacle == "folder":
        (ksos.home / "logs").touch()
    else:
        (ksos.home / "logs" / f"ksos-{datetime.now().astimezone():%Y-%m-%d}.log").mkdir(
            parents=True
        )
    said = ksos("sync", "--device", WATCH, "--verbose")
    assert said.code == 0
    assert "log        sync: done" in said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_under_the_log_is_kept_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"ksos-{TODAY}.log").symlink_to("/dev/full")
    with open_logbook(home_at(tmp_path), TODAY):
        logging.getLogger(LOGGER).info("sync: done")
    assert capsys.readouterr().err == ""


def test_the_logbook_masks_and_leaves_the_root_logger_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    with open_logbook(home_at(tmp_path), TODAY):
        logging.getLogger("ksos_link.transports.ble").warning(
            "C0:FF:EE:00:00:01 sent 0102030405060708"
        )
        assert root.handlers == before
    text = logged(tmp_path)
    assert "**:**:**:**:**:01 sent <bytes>" in text
    assert not caplog.records
    logging.getLogger(LOGGER).info("after")
    assert logged(tmp_path) == text
    assert not logging.getLogger(LOGGER).handlers


def test_other_libraries_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    saved = {name: logging.getLogger(name).__dict__.copy() for name in CHATTY}
    try:
        silence_libraries()
        silence_libraries()
        for name in (*CHATTY, "bumble.host", "bleak.backends.bluezdbus.manager"):
            logging.getLogger(name).critical("C0:FF:EE:00:00:01")
        assert capfd.readouterr().err == ""
    finally:
        for name, state in saved.items():
            logging.getLogger(name).__dict__.update(state)
