"""Faults that neighbouring projects were seen to have, and watches that do not play along.

Each test names what went wrong elsewhere. Over bumble, on a clock that jumps, through the public
operations or the whole command line.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import (
    DayMemory,
    Reading,
    SleepMemory,
    WatchMemory,
    WatchSession,
)
from ksos_link.cli.run import run_command_line
from ksos_link.errors import NotFoundError, RefusedError
from ksos_link.operations.capture import record_to
from ksos_link.operations.discover import discover
from ksos_link.operations.meet import meet
from ksos_link.operations.pair import pair
from ksos_link.operations.sync import SyncReport
from ksos_link.operations.target import BluetoothTarget
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.central import Central
from ksos_link.virtual_watch.peripheral import VirtualPeripheral
from ksos_link.virtual_watch.radio import ShapedLink
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SyncBench, WornWatch

pytestmark = pytest.mark.gatt
ANOTHER_ADDRESS = "F9:24:12:00:00:02"
ONE_OPERATION_S = 60.0  # no operation waits longer for a watch that says nothing


def report_of(bench: "SyncBench", watch: "WornWatch", alias: str = "wrist") -> SyncReport:
    report = bench.sync(watch, alias=alias)[-1]
    assert isinstance(report, SyncReport)
    return report


# ---- the same minute on two watches; everything twice


def test_two_watches_of_one_person_keep_the_same_minute_apart(sync_bench: "SyncBench") -> None:
    """Peers' keys were the time stamp alone, so one ring's night overwrote the other's."""
    day = sync_bench.now().date()
    noon_s = int(datetime(day.year, day.month, day.day, 9, tzinfo=UTC).timestamp())
    watches = {}
    for alias, address, bpm in (("left", "F9:24:12:00:00:01", 61), ("right", ANOTHER_ADDRESS, 99)):
        memory = WatchMemory([DayMemory(day, heart_rate=(Reading(noon_s, bpm),))])
        watches[alias] = sync_bench.watch(memory=memory, address=address)
        sync_bench.pair(watches[alias], alias)
    for _ in range(2):
        for alias, watch in watches.items():
            report_of(sync_bench, watch, alias)
    rows = sync_bench.contents()["heart_rate"]
    assert [row[:3] for row in rows] == [("left", noon_s, 61), ("right", noon_s, 99)]


def test_two_nights_that_end_on_one_day_are_two(sync_bench: "SyncBench") -> None:
    """A peer took a date where it wanted a time, and a nap replaced the night."""
    memory = WatchMemory()
    phases = ((SleepStage.LIGHT, 30), (SleepStage.DEEP, 30))
    starts = ("2026-11-20T23:30", "2026-11-21T02:00", "2026-11-21T08:00")
    for text in starts:
        start = datetime.fromisoformat(text).replace(tzinfo=UTC)
        memory.nights.append(SleepMemory(int(start.timestamp()), phases, 80))
    watch = sync_bench.watch(memory=memory)
    sync_bench.pair(watch)
    report_of(sync_bench, watch)
    stored = sync_bench.contents()
    assert [row[1] for row in stored["sleep_summary"]] == [
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in starts
    ]
    assert len(stored["sleep"]) == 2 * len(starts)


# ---- watches that refuse, or belong to somebody else


def test_a_watch_that_refuses_is_told_and_leaves_no_trace(sync_bench: "SyncBench") -> None:
    with pytest.raises(RefusedError) as caught:
        sync_bench.pair(sync_bench.watch("refuse-bind"))
    assert caught.value.exit_code == 6
    with sync_bench.stores.open() as store:
        assert store.devices(forgotten=True) == []
    sync_bench.pair(sync_bench.watch())
    assert report_of(sync_bench, sync_bench.watch()).records == 7


def test_a_watch_that_was_reset_is_not_ours_any_more(sync_bench: "SyncBench") -> None:
    sync_bench.pair(sync_bench.watch())
    reset = sync_bench.watch(bound=False)
    with pytest.raises(RefusedError, match="bound to nobody") as caught:
        sync_bench.sync(reset)
    assert "ksos watch pair" in caught.value.hint
    assert "wrist" in caught.value.hint
    sync_bench.pair(reset)
    assert report_of(sync_bench, reset).records == 7


@dataclass(frozen=True)
class Stranger:
    """A heart-rate strap."""

    address: str = ANOTHER_ADDRESS
    name: str = "Strap"
    service_uuids: tuple[str, ...] = ("0000180d-0000-1000-8000-00805f9b34fb",)
    manufacturer_data: bytes = b""


def test_a_device_of_another_kind_is_not_connected_to(sync_bench: "SyncBench") -> None:
    watch = sync_bench.watch()

    async def job() -> list[str]:
        strap = replace(watch, identity=Stranger())  # type: ignore[arg-type]  # another shape
        async with sync_bench.on_air(strap):
            with pytest.raises(NotFoundError, match="no watch that ksos-link speaks to") as caught:
                await meet(BluetoothTarget(ANOTHER_ADDRESS), sync_bench.options)
            assert caught.value.exit_code == 3
            options = replace(sync_bench.options, timeout_s=2.0)
            assert [seen async for seen in discover(options)] == []
            return [str(seen.name) async for seen in discover(options, everything=True)]

    assert sync_bench.run(job()) == ["Strap"]
    assert watch.noted.links == 0


def test_an_empty_battery_is_no_error(sync_bench: "SyncBench") -> None:
    sync_bench.pair(sync_bench.watch())
    report_of(sync_bench, sync_bench.watch("low-battery"))
    with sync_bench.stores.open() as store:
        assert [row[2] for chunk in store.read("battery") for row in chunk] == [5]


# ---- watches that say nothing, or too much


def test_a_silent_watch_is_given_up_in_time(sync_bench: "SyncBench", tmp_path: Path) -> None:
    """A peer's battery request had no time limit at all."""
    sync_bench.pair(sync_bench.watch())
    silent = sync_bench.watch("silent")
    target, out = BluetoothTarget(silent.identity.address), tmp_path / "out.cap"

    async def paired() -> None:
        with sync_bench.stores.open() as store:
            await pair(store, silent.identity.address, "wrist", sync_bench.options)

    async def in_time(name: str) -> None:
        async with sync_bench.on_air(silent):
            match name:
                case "pair":
                    await paired()
                case "meet":
                    await meet(target, sync_bench.options)
                case "record":
                    await record_to(out, target, sync_bench.options)

    for name in ("pair", "meet", "record"):
        with pytest.raises(RefusedError, match="did not answer") as caught:
            sync_bench.run(in_time(name), limit_s=ONE_OPERATION_S)
        assert caught.value.exit_code == 6
        assert "Wake it" in caught.value.hint
    before_s = sync_bench.now_s()
    with pytest.raises(RefusedError, match="did not answer"):
        sync_bench.sync(silent)
    assert sync_bench.now_s() - before_s < ONE_OPERATION_S
    assert not out.exists()
    assert report_of(sync_bench, sync_bench.watch()).records == 7, "the next command works"


def test_a_watch_that_falls_silent_anywhere_is_given_up_in_time(sync_bench: "SyncBench") -> None:
    """At each of its answers: an error or a sync that says what is missing, never a wait."""
    sync_bench.pair(sync_bench.watch())
    report_of(sync_bench, sync_bench.watch())
    good = sync_bench.contents()
    for last in range(0, 39, 4):
        sync_bench.forget()
        watch = sync_bench.watch()
        watch.noted.falls_silent_after = last
        before_s = sync_bench.now_s()
        with contextlib.suppress(RefusedError):
            sync_bench.sync(watch)
        assert sync_bench.now_s() - before_s < 2 * ONE_OPERATION_S
        watch.noted.falls_silent_after = None
        report_of(sync_bench, watch)
        assert sync_bench.contents() == good


def test_noise_never_ends_a_session(sync_bench: "SyncBench") -> None:
    """A peer had an assertion in its notify callback: one odd packet, and the client hung."""
    sync_bench.pair(sync_bench.watch())
    report_of(sync_bench, sync_bench.watch())
    good = sync_bench.contents()
    sync_bench.forget()
    noisy = sync_bench.watch("noise")
    sync_bench.pair(noisy)
    report_of(sync_bench, noisy)
    assert sync_bench.contents() == good


class Babbling(WatchSession):
    """A watch that answers nothing and sends something whenever it is asked for it."""

    def __init__(self, watch: WatchSession) -> None:
        self._watch = watch

    def link_opened(self, now_s: float) -> None:
        self._watch.link_opened(now_s)

    def subscribed(self, uuid: str, now_s: float) -> None:
        self._watch.subscribed(uuid, now_s)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None: ...

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return b""

    def data_to_send(self) -> list[tuple[str, bytes]]:
        return [("00000af7-0000-1000-8000-00805f9b34fb", bytes.fromhex("070100"))]

    def release_delayed(self, now_s: float) -> None:
        """Makes the virtual watch ask for notifications every 50 ms."""

    def link_lost(self, now_s: float) -> None:
        self._watch.link_lost(now_s)


def test_a_babbling_watch_is_given_up_in_time(sync_bench: "SyncBench") -> None:
    sync_bench.pair(sync_bench.watch())
    watch = sync_bench.watch()
    babbling = replace(watch, session=Babbling(watch.session))  # type: ignore[arg-type]
    before_s = sync_bench.now_s()
    with pytest.raises(RefusedError, match="did not answer"):
        sync_bench.sync(babbling)
    assert sync_bench.now_s() - before_s < ONE_OPERATION_S


# ---- the time limit of a scan


@contextlib.asynccontextmanager
async def sleepy_air(watch: "WornWatch", every_s: float) -> AsyncIterator[None]:
    """A watch that advertises only so often, as an idle one does."""
    link = ShapedLink()
    peripheral = VirtualPeripheral(
        watch.session, watch.identity, link, advertising_interval_ms=every_s * 1000
    )
    await peripheral.start()
    radio = VirtualRadio(await Central.open_on(link), link, [peripheral])
    try:
        with install(radio.client_backend, radio.scanner_backend):
            await asyncio.sleep(0.5)  # its first word is said before anybody listens
            yield
    finally:
        await radio.close()


def test_a_sleepy_watch_is_found_with_the_default(sync_bench: "SyncBench") -> None:
    """A peer's time limit was not honoured; elsewhere eight seconds were too few."""
    watch = sync_bench.watch()

    async def job() -> tuple[str, float]:
        async with sleepy_air(watch, every_s=15.0):
            begin_s = asyncio.get_running_loop().time()
            found = await meet(BluetoothTarget(watch.identity.address), sync_bench.options)
            return found.product, asyncio.get_running_loop().time() - begin_s

    product, took_s = sync_bench.run(job())
    assert product == "Band 8"
    assert 10 < took_s < 60


@pytest.mark.parametrize("timeout_s", [0.5, 3.0, 20.0])
def test_a_watch_that_is_not_there_is_reported_in_time(
    sync_bench: "SyncBench", timeout_s: float
) -> None:
    async def job() -> float:
        async with sync_bench.on_air(sync_bench.watch()):
            begin_s = asyncio.get_running_loop().time()
            options = replace(sync_bench.options, timeout_s=timeout_s)
            with pytest.raises(NotFoundError, match=f"within {timeout_s:g} s") as caught:
                await meet(BluetoothTarget(ANOTHER_ADDRESS), options)
            assert "near, awake" in caught.value.hint
            return asyncio.get_running_loop().time() - begin_s

    assert sync_bench.run(job()) == pytest.approx(timeout_s, abs=0.1)


def test_a_scan_in_a_busy_room_ends_in_time(sync_bench: "SyncBench") -> None:
    crowd = [
        sync_bench.watch(address=f"F9:24:12:00:01:{number:02X}", memory=WatchMemory())
        for number in range(8)
    ]

    async def job() -> tuple[set[str], float]:
        async with sync_bench.on_air(*crowd):
            begin_s = asyncio.get_running_loop().time()
            options = replace(sync_bench.options, timeout_s=2.0)
            seen = {each.address async for each in discover(options)}
            return seen, asyncio.get_running_loop().time() - begin_s

    seen, took_s = sync_bench.run(job())
    assert len(seen) == len(crowd)
    assert took_s == pytest.approx(2.0, abs=0.1)


# ---- what the command line says


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Ksos = Callable[..., Ended]


@pytest.fixture
def ksos(
    tmp_path: Path,
    jumping_loops: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ksos:
    """Runs `ksos` in a home of its own, on a clock that jumps."""
    monkeypatch.setenv("KSOS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KSOS_KEY_FILE", str(tmp_path / "secret"))

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        return Ended(run_command_line(arguments), *capsys.readouterr())

    return run


BAD_LINK = ",".join(f"lose@{number}" for number in range(20))


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, "sync --device virtual:ido?fault=burn"),
        (2, "sync --device virtual:ido --metric pulse"),
        (3, "sync --device nobody"),
        (3, "sync --device F9:24:12:00:00:09"),
        (3, "sync --device virtual:mars"),
        (3, "sync --device replay:there-is-no-such-file"),
        (3, "show heart_rate"),
        (3, "decode there-is-no-such-file"),
        (4, f"sync --device virtual:ido?scenario=empty&fault={BAD_LINK}"),
        (6, "sync --device virtual:ido?scenario=empty&fault=silent"),
        (6, "sync --device virtual:ido?scenario=never-bound"),
        (6, "watch pair virtual:ido?scenario=empty&fault=refuse-bind --alias wrist"),
        (6, "watch pair virtual:ido?scenario=empty&fault=silent --alias wrist"),
    ],
)
def test_a_failure_is_never_an_exit_code_of_zero(ksos: Ksos, code: int, arguments: str) -> None:
    """Two peers printed their error and ended as if all were well."""
    ended = ksos(*arguments.split())
    assert ended.code == code, ended.err
    assert "error: " in ended.err
    assert "hint: " in ended.err
    assert "Traceback" not in ended.err
    after = ksos("sync", "--device", "virtual:ido?scenario=empty", "--json")
    assert after.code == 0, "the next command works"


def test_nothing_secret_lies_in_a_plain_file(
    ksos: Ksos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peers kept a password and a token in readable files."""
    passphrase, address = "correct-horse-7f3a", "F9:24:12:0A:0B:0C"
    monkeypatch.delenv("KSOS_KEY_FILE")
    monkeypatch.setenv("KSOS_PASSPHRASE", passphrase)
    virtual = f"virtual:ido?scenario=quiet-day&address={address}"
    for arguments in (
        ("watch", "pair", virtual, "--alias", "wrist"),
        ("sync", "--device", "wrist", "--verbose"),
        ("sync", "--device", f"{virtual}&fault=silent", "--verbose"),
    ):
        ksos(*arguments)
    home = tmp_path / "home"
    files = [path for path in home.rglob("*") if path.is_file()]
    assert home / "store.db" in files
    spellings = [address, address.lower(), address.replace(":", ""), address.replace(":", "-")]
    secrets = [passphrase.encode(), bytes.fromhex(address.replace(":", ""))]
    secrets += [spelling.encode() for spelling in spellings]
    found = [
        (path.name, secret) for path in files for secret in secrets if secret in path.read_bytes()
    ]
    assert found == []
