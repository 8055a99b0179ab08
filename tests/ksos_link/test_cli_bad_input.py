"""What people get wrong, and what fails around them: one message, a hint, a code, nothing lost."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.errors import KsosError

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said, SizeLimit

WATCH = "virtual:ido?scenario=short"
BOUND = f"{WATCH}&bound=yes"
PACKET = "0.000 TX 0af6 0201"


def assert_told(said: "Said", code: int, message: str) -> None:
    """One plain error line that says so, one hint, no traceback."""
    lines = [line for line in said.err.splitlines() if re.match("error: |hint: ", line)]
    assert (said.code, len(lines)) == (code, 2), said.err
    assert re.match(f"error: .*{message}", lines[0]), said.err
    assert re.match("hint: .{10}", lines[1]), said.err
    assert "Traceback" not in said.err


@pytest.fixture
def synced(ksos: "CommandLine") -> "CommandLine":
    """A store with a watch named `wrist` that was synced."""
    assert ksos("watch", "pair", WATCH, "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    return ksos


def contents(ksos: "CommandLine") -> str:
    """All that the store gives back."""
    said = ksos("export", "--format", "jsonl", "--out", "-")
    assert said.code == 0
    return said.out


# ---- every exit code once, through the front (architecture.md, Command line)


def test_0_done(ksos: "CommandLine") -> None:
    assert ksos("watch", "list").code == 0


def test_1_our_bug_is_told_and_how_to_report_it(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    private = "bpm 57 of C0:FF:EE:00:00:01 is b'123'"

    def broken() -> None:
        raise ValueError(private)

    monkeypatch.setattr("ksos_link.operations.virtual.scenario_lines", broken)
    assert_told(ksos("virtual", "list"), 1, r"ksos itself is wrong \(ValueError\)")
    said = ksos("virtual", "list", "--verbose")
    assert said.code == 1
    assert "Traceback" in said.err
    assert "in broken" in said.err
    assert not re.search("57|C0:FF|b'123'", said.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shwo", "steps"], "no command shwo"),
        (["pair", "virtual:ido"], "no command pair"),
        (["watch", "fly"], "No such command 'fly'"),
        (["sync", "--bogus"], "No such option: --bogus"),
        (["sync", "--device"], "--device needs a value"),
        (["show"], "Missing argument 'METRIC'"),
        (["show", "steps", "twice"], "unexpected extra argument"),
        (["show", "pulse"], "no metric named pulse"),
        (["export", "--metric", "pulse"], "no metric named pulse"),
        (["sync", "--metric", "pulse"], "no metric named pulse"),
        (["show", "steps", "--day", "31.12.2025"], "--day 31.12.2025 is no day"),
        (["show", "steps", "--from", "2026-02-30"], "--from 2026-02-30 is no day"),
        (["sync", "--since", "soon"], "--since soon is no day"),
        (["show", "steps", "--from", "2026-02-02", "--to", "2026-02-01"], "first day comes after"),
        (["show", "steps", "--day", "today", "--to", "2026-02-01"], "--day excludes"),
        (["export", "--format", "xml"], "no export format named xml"),
        (["sync", "--timeout-s", "soon"], "number from 0.1 to 3600"),
        (["sync", "--timeout-s", "0"], "number from 0.1 to 3600"),
        (["watch", "pair", "AA:BB:CC"], "no address of a watch"),
        (["watch", "pair", "virtual:"], "no address of a watch"),
        (["watch", "pair", WATCH, "--alias", "my watch"], "name cannot be used"),
        (["watch", "pair", "virtual:ido?fault=spill"], "no fault 'spill'"),
        (["watch", "scan", "--device", "replay:x.txt"], "capture cannot be scanned"),
        (["virtual", "run", "AA:BB:CC:DD:EE:FF"], "no virtual watch"),
        (["virtual", "run", "--listen", "9000"], "no address of a virtual radio"),
    ],
)
def test_2_wrong_usage(ksos: "CommandLine", arguments: list[str], message: str) -> None:
    assert_told(ksos(*arguments), 2, message)


def test_2_settings_of_the_environment_are_checked_too(ksos: "CommandLine") -> None:
    assert_told(ksos("watch", "list", KSOS_TIMEOUT_S="abc"), 2, "KSOS_TIMEOUT_S")
    assert_told(ksos("watch", "list", KSOS_QUIET="perhaps"), 2, "KSOS_QUIET")
    assert ksos("watch", "list", KSOS_QUIET="1").err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["decode", "no-such-file"], "cannot be read: No such file"),
        (["decode", "."], "cannot be read: Is a directory"),
        (["sync", "--device", "replay:no-such-file"], "cannot be read: No such file"),
        (["sync", "--device", "wrist"], "no store yet"),
        (["show", "steps"], "no store yet"),
        (["store", "info"], "no store yet"),
        (["store", "restore", "no-such-file"], "no such backup"),
        (["capture", "record", "no/such/folder", "--device", WATCH], "cannot be written"),
        (["watch", "pair", "virtual:ido?scenario=holiday"], "no scenario 'holiday'"),
        (["watch", "pair", "virtual:sundial"], "no virtual watch of a family 'sundial'"),
    ],
)
def test_3_no_such_thing(ksos: "CommandLine", arguments: list[str], message: str) -> None:
    assert_told(ksos(*arguments), 3, message)


def test_3_in_a_store(synced: "CommandLine", tmp_path: Path) -> None:
    assert_told(synced("sync", "--device", "ankle"), 3, "no watch of that name")
    assert "wrist" in synced("sync", "--device", "ankle").err  # the hint names who is there
    assert_told(synced("show", "swim"), 3, "no samples of swim yet")
    assert_told(synced("show", "steps", "--day", "2020-01-01"), 3, "no samples .* in that time")
    missing = tmp_path / "missing"
    assert_told(synced("export", "--out", missing), 3, f"no folder {missing}")
    one = synced("export", "--metric", "steps", "--out", missing / "steps.csv")
    assert_told(one, 3, "folder .* does not exist")
    assert not missing.exists()


def test_4_no_bluetooth(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/such/bus")
    if not sys.platform.startswith("linux"):
        pytest.skip("this machine may have an adapter")
    assert_told(ksos("watch", "scan"), 4, "Bluetooth is not available")
    assert_told(ksos("watch", "pair", "AA:BB:CC:DD:EE:FF"), 4, "Bluetooth is not available")
    assert_told(
        ksos("device", "info", "--device", "virtual:tcp:127.0.0.1:1"), 4, "No virtual radio"
    )


def test_4_a_link_that_is_always_lost(ksos: "CommandLine") -> None:
    said = ksos("sync", "--device", f"{BOUND}&fault=lose@0,lose@1,lose@2,lose@3,lose@4,lose@5")
    assert_told(said, 4, "link to the watch was lost")


def test_5_malformed(ksos: "CommandLine", tmp_path: Path) -> None:
    broken, binary = tmp_path / "broken.txt", tmp_path / "binary"
    broken.write_text(f"hello\n{PACKET}\n0.1 TX 0af6 020\n", "utf-8")
    binary.write_bytes(b"\x7fELF\x02\xff\xfe")
    said = ksos("decode", broken)
    assert_told(said, 5, "2 lines of the capture are no packets: 1, 3")
    assert "ido.get.device_info" in said.out  # the good line is decoded all the same
    assert_told(ksos("decode", binary), 5, "not a capture: it is no text")
    assert_told(ksos("sync", "--device", f"replay:{broken}"), 5, "Line 1 .* is no packet")
    assert_told(ksos("capture", "replay", binary), 5, "not a capture")
    assert_told(ksos("store", "restore", binary), 5, "no backup of ksos")


def test_6_a_watch_of_another_phone(ksos: "CommandLine") -> None:
    said = ksos("watch", "pair", f"{WATCH}&fault=refuse-bind")
    assert_told(said, 6, "belongs to another phone")
    assert "unbind it there" in said.err
    assert ksos("watch", "list", "--json").out == ""  # only a bound watch gets a record (K028)


def test_6_a_watch_that_answers_nothing(ksos: "CommandLine") -> None:
    assert_told(ksos("device", "info", "--device", f"{WATCH}&fault=silent"), 6, "did not answer")


def test_6_a_watch_that_was_reset(ksos: "CommandLine") -> None:
    said = ksos("sync", "--device", "virtual:ido?scenario=never-bound")
    assert_told(said, 6, "bound to nobody")


def test_8_wrong_passphrase(ksos: "CommandLine") -> None:
    secret = {"KSOS_KEY_FILE": "", "KSOS_PASSPHRASE": "right"}
    assert ksos("watch", "pair", WATCH, **secret).code == 0
    before = (ksos.home / "store.db").read_bytes()
    assert_told(ksos("watch", "list", **secret | {"KSOS_PASSPHRASE": "left"}), 8, "does not open")
    assert_told(ksos("watch", "list", KSOS_KEY_FILE=""), 8, "no passphrase")  # and asks nobody
    assert (ksos.home / "store.db").read_bytes() == before
    assert ksos("watch", "list", **secret).code == 0


def test_9_what_nobody_agreed_to(synced: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    kept = contents(synced)
    assert_told(synced("watch", "forget"), 2, "This erases data")  # no terminal, no question
    monkeypatch.setattr("ksos_link.cli.watch_command.can_ask", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert_told(synced("watch", "forget"), 9, "Nothing was changed")
    monkeypatch.setattr("ksos_link.cli.store_command.can_ask", lambda: True)
    assert synced("store", "backup", synced.home.parent).code == 0
    backup = synced.home.parent / "ksos.ksosbackup"
    assert_told(synced("store", "restore", backup), 9, "Nothing was changed")
    assert synced("store", "restore", backup, "--yes").code == 0
    assert contents(synced) == kept
    assert synced("watch", "forget", "--yes").code == 0
    assert_told(synced("show", "steps"), 3, "no samples of steps yet")


def test_130_interrupted(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ksos_link.operations.virtual.scenario_lines", interrupted)
    said = ksos("virtual", "list")
    assert said.code == 130
    assert "safe to run this again" in said.err
    assert "Traceback" not in said.err


# ---- a store in trouble


def test_a_damaged_database(synced: "CommandLine") -> None:
    database = synced.home / "store.db"
    good = database.read_bytes()
    bad = good[:4096] + bytes(4096) + good[8192:]
    database.write_bytes(bad)
    assert_told(synced("show", "steps"), 8, "damaged")
    assert_told(synced("sync"), 8, "damaged")
    assert database.read_bytes() == bad
    database.write_bytes(good)
    assert synced("store", "check").code == 0


def test_a_foreign_database(synced: "CommandLine") -> None:
    database = synced.home / "store.db"
    database.write_bytes(b"SQLite format 3\x00" + bytes(4080))
    before = database.read_bytes()
    assert_told(synced("sync"), 8, "plain SQLite database")
    assert database.read_bytes() == before


def test_a_newer_schema(synced: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ksos_link.store.database.SCHEMA_VERSION", 0)
        patch.setattr("ksos_link.store.migrations.SCHEMA_VERSION", 0)
        assert_told(synced("sync"), 8, "newer ksos")
    assert synced("show", "steps").code == 0


def test_a_full_disk(synced: "CommandLine", file_size_limit: "SizeLimit") -> None:
    kept = contents(synced)
    with file_size_limit((synced.home / "store.db").stat().st_size):
        said = synced("sync", "--device", "virtual:ido?scenario=full-day&seed=3")
    assert_told(said, 8, "full")
    assert set(kept.splitlines()) <= set(contents(synced).splitlines())
    assert synced("sync", "--device", "virtual:ido?scenario=full-day&seed=3").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the rights of POSIX")
def test_a_home_that_cannot_be_made_or_written(ksos: "CommandLine", tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    said = ksos("sync", "--device", WATCH, "--home", in_the_way / "home")
    assert_told(said, 8, "cannot be made")
    if os.geteuid() == 0:
        return  # root may write anywhere
    ksos.home.mkdir(mode=0o500)
    assert_told(ksos("sync", "--device", WATCH), 8, "cannot be written")


class FastTime:
    """A clock for those who wait for a lock."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def monotonic(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        self._now_s += seconds


def test_two_at_once(synced: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; from pathlib import Path; from ksos_link.config import open_home;"
        "from ksos_link.store.locks import FileLock;"
        "lock = FileLock(open_home({}, Path(sys.argv[1])).writer_lock);"
        "lock.take('', wait_s=0); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(synced.home)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with monkeypatch.context() as patch:
            patch.setattr("ksos_link.store.locks.time", FastTime())
            assert_told(synced("sync"), 8, "Another ksos")
        assert synced("show", "steps").code == 0  # readers need not wait
        other.communicate("")
    assert synced("sync").code == 0


# ---- the ends of the pipe


def started(*arguments: str) -> "subprocess.Popen[str]":
    """`ksos` as a process of its own, in the home that the environment names."""
    command = [sys.executable, "-m", "ksos_link", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, text=True)


def test_a_reader_that_leaves(synced: "CommandLine") -> None:
    assert synced("sync", "--device", "virtual:ido?scenario=full-day").code == 0
    with started("export", "--metric", "heart_rate", "--out", "-") as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline().startswith("device,start_utc")
        program.stdout.close()
        assert program.stderr.read() == ""
        assert program.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_is_full(ksos: "CommandLine", unbuffered: str) -> None:
    ends = {("virtual", "list"): 8, ("doctor",): None}
    for arguments, code in ends.items():
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "ksos_link", *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            )
        assert done.returncode == code if code else done.returncode in range(2, 10)
        assert done.stderr.startswith("error: ")
        assert code is None or f"The system refused: {os.strerror(errno.ENOSPC)}" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for others")
def test_ctrl_c_ends_a_running_command(ksos: "CommandLine", request: pytest.FixtureRequest) -> None:
    # a suite run in the background ignores the signal, and hands that on to its children
    held = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, held))
    with started("virtual", "run") as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline().startswith("virtual:tcp:127.0.0.1:")
        program.send_signal(signal.SIGINT)
        err = program.stderr.read()
        assert program.wait() == 130
    assert "Interrupted" in err
    assert "Traceback" not in err


def test_a_closed_output_is_no_failure(ksos: "CommandLine") -> None:
    closed = "import sys; sys.stdout = None; from ksos_link.__main__ import main; "
    for arguments in (["--version"], ["virtual", "list"]):
        code = f"{closed}sys.exit(main({arguments!r}))"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_every_error_has_a_code_of_the_table() -> None:
    def kinds(kind: type[KsosError]) -> list[type[KsosError]]:
        return [kind, *(sub for child in kind.__subclasses__() for sub in kinds(child))]

    assert {kind.exit_code for kind in kinds(KsosError)} == set(range(1, 10))


def test_the_store_is_not_left_open(synced: "CommandLine", check_open: Callable[[], int]) -> None:
    before = check_open()
    synced("show", "steps")
    synced("show", "steps", "--json")
    assert check_open() == before


@pytest.fixture
def check_open() -> Callable[[], int]:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("Linux only")
    return lambda: len(list(descriptors.iterdir()))
