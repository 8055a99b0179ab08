"""Fetch what the watch has stored, keep it, then let the watch forget it.

Raw record, samples and watermark are one transaction, and the watch hears of it only afterwards.
A lost link is met again and goes on from the watermarks; storing twice changes nothing.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from firmware_protocol.events import (
    BatteryRead,
    ClockWasSet,
    RecordReceived,
    SyncFinished,
    SyncPlanned,
)
from firmware_protocol.jobs import ReadBattery, SetClock, Sync
from firmware_protocol.samples import METRICS
from ksos_link.connection.retry import backoff_s
from ksos_link.connection.watch import Watch
from ksos_link.errors import LinkLostError, RefusedError, UsageError
from ksos_link.operations.link_events import Connected, Reconnecting
from ksos_link.operations.meaning import samples_of
from ksos_link.operations.route import LinkOptions, Route, open_route
from ksos_link.operations.target import Target
from ksos_link.operations.time_keeping import ClockLook, look_at_clock, remember_clock_set
from ksos_link.operations.wearer import push_wearer
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


@dataclass(frozen=True, slots=True)
class SyncChoice:
    """What to fetch. `metrics` empty means all; `since` leaves older days on the watch."""

    metrics: frozenset[str] = frozenset()
    since: date | None = None
    full: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted(self.metrics - METRICS.keys()):
            raise UsageError(
                f"There is no metric named {unknown[0]}.", f"Choose from: {', '.join(METRICS)}."
            )


@dataclass(frozen=True, slots=True)
class Planned:
    """The watch says how much it holds; None where it does not say."""

    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One record is safe. `samples` counts the samples that it put into the store."""

    kind: str
    key: str
    samples: Mapping[str, int]
    received_bytes: int


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something about the data that its owner should know."""

    text: str


@dataclass(slots=True)
class SyncReport:
    """The end of a sync. `skipped` names kinds that this watch does not keep."""

    device: str
    records: int = 0
    samples: Counter[str] = field(default_factory=Counter)
    links: int = 0
    drift_s: int | None = None
    skipped: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


SyncEvent = Connected | Planned | Stored | Remarked | Reconnecting | SyncReport


async def sync(
    store: Store, device: Device, target: Target, choice: SyncChoice, options: LinkOptions
) -> AsyncGenerator[SyncEvent, None]:
    """Sync one watch; the last event is the `SyncReport`.

    Raises:
        RefusedError: the watch is not bound (any more), or stayed silent.
        BluetoothError: the link was lost more often than the policy allows.
        StoreError: the store cannot take the data; the watch keeps it.
    """
    async with (
        open_route(target, options) as route,
        contextlib.aclosing(sync_over(store, device, route, choice, options)) as events,
    ):
        async for event in events:
            yield event


async def sync_over(
    store: Store, device: Device, route: Route, choice: SyncChoice, options: LinkOptions
) -> AsyncGenerator[SyncEvent, None]:
    """Sync over a route that is open already; otherwise as `sync`."""
    store.claim_writer()  # a second sync fails here, before it talks to the watch
    if choice.full:
        store.clear_watermarks(device.device_id)
    report = SyncReport(device.alias)
    attempt = 0
    while True:
        attempt += 1
        run = _SyncRun(store, device, choice, options, report)
        try:
            watch = await route.meet()
            report.links += 1
            async with contextlib.aclosing(run.events(watch)) as events:
                async for event in events:
                    yield event
            break
        except LinkLostError as error:
            if run.got_on:
                attempt = 1  # the patience starts again
            wait_s = backoff_s(error, attempt)
            if wait_s is None:
                raise
            yield Reconnecting(attempt, wait_s)
            await asyncio.sleep(wait_s)
    store.note_sync(device.device_id, int(options.now().timestamp()))
    yield report


@dataclass(slots=True)
class _SyncRun:
    """One link's share of a sync.

    `got_on` tells that the watch has less to tell than before. Today's records do not count: they
    come again on every link, and a link that is always lost at one place must be given up.
    """

    store: Store
    device: Device
    choice: SyncChoice
    options: LinkOptions
    report: SyncReport
    got_on: bool = False

    async def events(self, watch: Watch) -> AsyncGenerator[SyncEvent, None]:
        """Everything between a met watch and a closed link."""
        try:
            yield Connected(watch.info)
            if watch.info.bound is False:
                raise RefusedError(
                    "The watch is bound to nobody: it was reset or never paired.",
                    f"Pair it again: ksos watch pair ADDRESS --alias {self.device.alias}",
                )
            look = await look_at_clock(watch, self.store, self.device, self.options.now)
            self.report.drift_s = look.drift_s
            if self._wants("battery"):
                yield await self._battery(watch, look)
            async with contextlib.aclosing(self._records(watch, look)) as events:
                async for event in events:
                    yield event
            await self._set_clock(watch)
            now_utc_s = int(self.options.now().timestamp())
            remark = await push_wearer(watch, self.store, self.device, now_utc_s)
            if remark:
                yield Remarked(remark)
        finally:
            await watch.close()

    async def _records(self, watch: Watch, look: ClockLook) -> AsyncGenerator[SyncEvent, None]:
        job = Sync(
            today=look.today,
            watermarks=self.store.watermarks(self.device.device_id),
            metrics=self.choice.metrics,
            since=self.choice.since,
        )
        async with contextlib.aclosing(watch.run(job)) as events:
            async for event in events:
                match event:
                    case SyncPlanned(total_bytes):
                        yield Planned(total_bytes)
                    case RecordReceived():
                        for told in self._store(watch, look, event):
                            yield told
                        watch.commit()
                    case SyncFinished():
                        self.report.skipped = event.skipped
                    case _:
                        pass  # what the watch says besides is for `ksos listen`

    def _store(self, watch: Watch, look: ClockLook, event: RecordReceived) -> list[SyncEvent]:
        decoded = samples_of(watch.family, event.record, look.clock, verified=event.verified)
        stored = self.store.commit_record(
            self.device.device_id,
            event.record,
            decoded,
            event.watermarks,
            look.clock_id,
            look.clock.now_utc_s,
            verified=event.verified,
        )
        self.got_on |= bool(stored) and not event.watermarks
        self.report.records += 1
        self.report.samples.update(stored)
        told: list[SyncEvent] = [Remarked(text) for text in decoded.remarks]
        self.report.remarks += decoded.remarks
        told.append(Stored(event.record.kind, event.record.key, stored, event.received_bytes))
        return told

    async def _battery(self, watch: Watch, look: ClockLook) -> SyncEvent:
        """The level now, kept under the instant it was read."""
        try:
            read = await watch.ask(ReadBattery(), BatteryRead)
        except RefusedError:
            return Remarked("The watch does not tell its battery.")
        record = replace(read.record, key=str(look.clock.now_utc_s))
        stored = self.store.commit_record(
            self.device.device_id,
            record,
            samples_of(watch.family, record, look.clock),
            (),
            look.clock_id,
            look.clock.now_utc_s,
        )
        self.report.samples.update(stored)
        return Stored(record.kind, record.key, stored, 0)

    async def _set_clock(self, watch: Watch) -> None:
        """After the records were read by the old time, never before."""
        now = self.options.now()
        with contextlib.suppress(RefusedError):  # the data is safe; the clock can wait
            await watch.ask(SetClock(now), ClockWasSet)
            remember_clock_set(self.store, self.device, now, now)

    def _wants(self, metric: str) -> bool:
        return not self.choice.metrics or metric in self.choice.metrics
