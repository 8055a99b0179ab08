"""A throw-away home with a store in it; the secret is a file, because passphrases are slow."""

import asyncio
import contextlib
import functools
import itertools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import pytest
from keyring.backends import fail

from firmware_protocol import registry
from firmware_protocol.clock import ClockStretch
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import METRICS, Decoded, Series
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits
from ksos_link.config import Home, open_home
from ksos_link.operations.pair import Paired, pair
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.sync import SyncChoice, SyncEvent, sync
from ksos_link.operations.target import parse_target
from ksos_link.store.database import Store, open_store
from ksos_link.store.devices import Device
from ksos_link.store.keys import SecretSource
from ksos_link.virtual_watch.bleak_backend import install
from ksos_link.virtual_watch.faults import FaultySession, parse_faults, traits_with
from ksos_link.virtual_watch.scenarios import (
    DEFAULT_ADDRESS,
    VirtualIdentity,
    open_virtual_watch,
    parse_scenario,
)
from ksos_link.virtual_watch.sensors import memory_for
from ksos_link.virtual_watch.virtual_radio import VirtualRadio
from tests.ksos_link.jumping_loop import JumpingLoop, hush_bumble
from tests.ksos_link.lasting_watch import WATCH, let_watches_last

Result = TypeVar("Result")
SizeLimit = Callable[[int], contextlib.AbstractContextManager[None]]


@dataclass
class StoreBench:
    """Opens the store of one home and puts made-up heart rates into it."""

    home: Home
    secret_file: Path
    _addresses: Iterator[int] = field(default_factory=itertools.count)

    def secrets(self) -> SecretSource:
        return SecretSource({"KSOS_KEY_FILE": str(self.secret_file)}, keyring=lambda: None)

    def open(self, *, busy_wait_s: float = 5.0) -> Store:
        return open_store(self.home, self.secrets(), busy_wait_s=busy_wait_s)

    def add_watch(self, store: Store, alias: str | None = None) -> Device:
        number = next(self._addresses)
        return store.add_device(
            alias=alias or f"watch-{number}",
            address=f"C0:FF:EE:00:{number >> 8:02X}:{number & 0xFF:02X}",
            family="ido",
            product="IDO 7890",
            bound_utc_s=1_700_000_000,
        )

    def clock(self, store: Store, device: Device, now_utc_s: int = 1_700_000_000) -> int:
        return store.add_clock(
            device.device_id, (ClockStretch(0, 3600),), now_utc_s, "Europe/Berlin"
        )

    def commit(
        self, store: Store, device: Device, key: str, beats: dict[int, int], position: str = "1"
    ) -> dict[str, int]:
        """Commit one record whose body says `beats`, instants to bpm."""
        record = heart_rate_record(key, beats)
        return store.commit_record(
            device.device_id,
            record,
            decode_heart_rate(record),
            (Watermark(record.kind, position),),
            self.clock(store, device),
            1_700_000_000,
        )

    def rows(self, store: Store, metric: str = "heart_rate") -> list[tuple[object, ...]]:
        return [row for chunk in store.read(metric) for row in chunk]


def heart_rate_record(key: str, beats: dict[int, int]) -> RawRecord:
    body = ",".join(f"{start}:{bpm}" for start, bpm in beats.items()).encode()
    return RawRecord("ido", "health.heart_rate", key, body, 1)


def decode_heart_rate(record: RawRecord, *_: object) -> Decoded:
    pairs = [pair.split(":") for pair in record.body.decode().split(",") if pair]
    starts = [int(start) for start, _ in pairs]
    return Decoded((Series("heart_rate", starts, {"bpm": [int(bpm) for _, bpm in pairs]}),))


@pytest.fixture
def bench(tmp_path: Path) -> StoreBench:
    return StoreBench(open_home({"KSOS_HOME": str(tmp_path / "home")}), tmp_path / "secret")


@pytest.fixture
def decode() -> Callable[..., Decoded]:
    return decode_heart_rate


@pytest.fixture
def file_size_limit() -> SizeLimit:
    """A disk that is full: no file may grow beyond so many bytes."""
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limited(size_bytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


# ---- a whole watch on the air, and a clock that does not wait

SHORT_DAYS = """
title = "two short days: a workout in chunks, two nights, steps and heart rates of both days"
bound = true
days = 2
resting_bpm = 57
bedtime = "22:00"
sleep_min = 60
steps_per_day = 160
heart_rate_interval_s = 900
recorded_until = "00:45"

[[workouts]]
sport_code = 0x30
start = "00:10"
duration_min = 3
every_days = 2
steps_per_min = 160
metres_per_min = 170
bpm = 150
"""
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class NotedSession(WatchSession):
    """A watch session that notes what passed below all faults of the link.

    `loses_link_at` chooses writes at which the watch drops the link, every time. Beyond
    `falls_silent_after` notifications it says nothing. `on_packet` is called after each packet with
    their number.
    """

    def __init__(self, session: WatchSession) -> None:
        self._session = session
        self.notified: list[bytes] = []
        self.written: list[bytes] = []
        self.links = 0
        self.loses_link_at: Callable[[bytes], bool] | None = None
        self.falls_silent_after: int | None = None
        self.on_packet: Callable[[int], None] = lambda _: None
        self._lost = False

    def link_opened(self, now_s: float) -> None:
        self.links += 1
        self._session.link_opened(now_s)

    def subscribed(self, uuid: str, now_s: float) -> None:
        self._session.subscribed(uuid, now_s)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self.written.append(data)
        self._lost |= self.loses_link_at is not None and self.loses_link_at(data)
        if not self._lost:
            self._session.receive_write(uuid, data, now_s)
        self.on_packet(len(self.notified) + len(self.written))

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return self._session.read_value(uuid, now_s)

    def settings_held(self) -> dict[str, bytes]:
        return self._session.settings_held()

    def take_shown(self) -> list[str]:
        return self._session.take_shown()

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due = self._session.data_to_send()
        for _, data in due:
            self.notified.append(data)
            self.on_packet(len(self.notified) + len(self.written))
        if self.falls_silent_after is not None:
            before = len(self.notified) - len(due)
            return due[: max(0, self.falls_silent_after - before)]
        return due

    def link_lost(self, now_s: float) -> None:
        self._lost = False
        self._session.link_lost(now_s)

    @property
    def link_must_drop(self) -> bool:
        return self._lost or self._session.link_must_drop

    def restart(self, now_s: float) -> None:
        self._session.restart(now_s)


@dataclass
class WornWatch:
    """A virtual watch that outlives links, radios and syncs, as a real one does."""

    memory: WatchMemory
    noted: NotedSession
    session: FaultySession
    identity: VirtualIdentity


def short_days(today: date, days: int = 2) -> WatchMemory:
    """What a watch holds at the end of some short days; the caller's own."""
    memory = _short_days(today, days)
    return WatchMemory(list(memory.days), list(memory.nights), list(memory.workouts))


@functools.cache
def _short_days(today: date, days: int) -> WatchMemory:
    scenario = replace(parse_scenario("short days", SHORT_DAYS), days=days)
    return memory_for(scenario, today=today, seed=1)


@functools.cache
def identity_of(address: str) -> VirtualIdentity:
    return open_virtual_watch("ido", {"address": address, "scenario": "empty"}, now=NOON)[1]


@dataclass
class SyncBench:
    """A person's home, their watch, and a clock; all through the public API, over bumble.

    The watch is reached as on a machine's own adapter: the virtual radio is what bleak finds.
    """

    stores: StoreBench
    runner: asyncio.Runner
    start: datetime = NOON
    zone: tzinfo = UTC
    options: LinkOptions = field(default_factory=LinkOptions)

    def __post_init__(self) -> None:
        self.options = LinkOptions(now=self.now)

    def run(self, job: Coroutine[Any, Any, Result], limit_s: float = 900.0) -> Result:
        """Run to the end; more than `limit_s` by the bench's own clock is a failure."""

        async def limited() -> Result:
            async with asyncio.timeout(limit_s):
                return await job

        return self.runner.run(limited())

    def now_s(self) -> float:
        return self.runner.get_loop().time()

    def now(self) -> datetime:
        return (self.start + timedelta(seconds=self.now_s())).astimezone(self.zone)

    def pass_time(self, **length: float) -> None:
        self.run(asyncio.sleep(timedelta(**length).total_seconds()), limit_s=1e9)

    def watch(
        self,
        fault: str = "",
        *,
        memory: WatchMemory | None = None,
        days: int = 2,
        shows: datetime | None = None,
        address: str = DEFAULT_ADDRESS,
        options: Iterable[str] = (),
        bound: bool = True,
    ) -> WornWatch:
        """A watch whose clock `shows` a wall time, without more the wearer's."""
        wall = (shows or self.now()).replace(tzinfo=UTC)
        memory = short_days(wall.date(), days) if memory is None else memory
        faults = parse_faults(fault)
        traits = WatchTraits(
            address=address,
            wall_offset_s=int(wall.timestamp()),
            bound=bound,
            options=frozenset(options),
        )
        noted = NotedSession(registry.FAMILIES[0].open_watch(memory, traits_with(faults, traits)))
        session = FaultySession(noted, faults, started_s=self.now_s())
        return WornWatch(memory, noted, session, identity_of(address))

    @contextlib.asynccontextmanager
    async def on_air(self, *watches: WornWatch) -> AsyncIterator[VirtualRadio]:
        pairs = [(watch.session, watch.identity) for watch in watches]
        radio = await VirtualRadio.open_in_process(pairs)
        try:
            with install(radio.client_backend, radio.scanner_backend):
                yield radio
        finally:
            await radio.close()

    def pair(self, watch: WornWatch, alias: str = "wrist") -> Paired:
        async def job() -> Paired:
            async with self.on_air(watch):
                with self.stores.open() as store:
                    return await pair(store, watch.identity.address, alias, self.options)

        return self.run(job())

    def sync(
        self,
        watch: WornWatch,
        choice: SyncChoice | None = None,
        *,
        alias: str = "wrist",
        options: LinkOptions | None = None,
    ) -> list[SyncEvent]:
        """One `ksos sync`: a store opened, a watch synced, all that was told."""
        return self.run(self.syncing(watch, choice, alias=alias, options=options))

    async def syncing(
        self,
        watch: WornWatch,
        choice: SyncChoice | None = None,
        *,
        alias: str = "wrist",
        options: LinkOptions | None = None,
    ) -> list[SyncEvent]:
        async with self.on_air(watch):
            with self.stores.open(busy_wait_s=0.0) as store:
                device = store.device(alias)
                target = parse_target(device.address)
                wanted = choice or SyncChoice()
                return [
                    event
                    async for event in sync(store, device, target, wanted, options or self.options)
                ]

    def forget(self) -> None:
        """Drop all that was stored, but not the watches."""
        with self.stores.open() as store:
            devices = store.devices()
            for device in devices:
                store.forget_device(device.device_id, keep_data=False)
            for device in devices:
                store.add_device(
                    alias=device.alias,
                    address=device.address,
                    family=device.family,
                    product=device.product,
                    bound_utc_s=device.bound_utc_s,
                )

    def contents(self) -> dict[str, Any]:
        """Samples, raw records and watermarks; the battery is another one at each sync."""
        with self.stores.open() as store:
            found: dict[str, Any] = {
                name: [row for chunk in store.read(name) for row in chunk]
                for name in METRICS
                if name != "battery"
            }
            found["raw"] = store.database.rows(
                "SELECT device_id, kind, key, body, verified FROM raw_record"
                " WHERE kind != 'battery' ORDER BY device_id, kind, key"
            )
            found["watermarks"] = [store.watermarks(each.device_id) for each in store.devices()]
            return found


@pytest.fixture
def quiet_bumble(monkeypatch: pytest.MonkeyPatch) -> None:
    hush_bumble(monkeypatch)


@pytest.fixture
def jumping_loops(quiet_bumble: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event loop that a program opens jumps."""
    monkeypatch.setattr("asyncio.events.new_event_loop", JumpingLoop)


@pytest.fixture
def runner(quiet_bumble: None) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        yield runner


@pytest.fixture
def sync_bench(bench: StoreBench, runner: asyncio.Runner) -> SyncBench:
    return SyncBench(bench, runner)


@pytest.fixture
def another_bench(quiet_bumble: None, tmp_path: Path) -> Iterator[SyncBench]:
    """A second home with a clock of its own, to compare with."""
    home = open_home({"KSOS_HOME": str(tmp_path / "another")})
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        yield SyncBench(StoreBench(home, tmp_path / "secret"), runner)


# ---- the command line


@dataclass(frozen=True)
class Said:
    """What one call of `ksos` came to."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """`ksos`, called in this process with a home of its own, nobody at the terminal."""

    home: Path
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str | Path, **env: str) -> Said:
        from ksos_link.__main__ import main

        self.capsys.readouterr()
        with self.patch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            code = main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return Said(code, out, err)


@pytest.fixture
def ksos(
    tmp_path: Path,
    jumping_loops: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> CommandLine:
    """No waiting, no keyring, no setting of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("KSOS_")]:
        if name not in ("KSOS_CAPTURES", "KSOS_TEST_WHEEL"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    home = tmp_path / "home"
    monkeypatch.setenv("KSOS_HOME", str(home))
    monkeypatch.setenv("KSOS_KEY_FILE", str(tmp_path / "secret"))
    return CommandLine(home, capsys, monkeypatch)


@pytest.fixture
def wrist(ksos: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A home with one watch that stays the same from command to command."""
    let_watches_last(monkeypatch)
    assert ksos("watch", "pair", WATCH, "--alias", "wrist").code == 0
    return ksos
