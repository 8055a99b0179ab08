"""Record what passes between us and a watch, and play a recording into a throw-away store."""

import contextlib
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_protocol.events import RecordReceived
from firmware_protocol.jobs import Sync
from ksos_link.config import open_home
from ksos_link.connection.watch import Watch
from ksos_link.errors import RefusedError
from ksos_link.operations.link_events import Connected
from ksos_link.operations.pair import adopt
from ksos_link.operations.recording import Recording, check_target
from ksos_link.operations.route import LinkOptions, open_route
from ksos_link.operations.sync import (
    Remarked,
    Stored,
    SyncChoice,
    SyncEvent,
    SyncReport,
    sync,
)
from ksos_link.operations.target import ReplayTarget, Target
from ksos_link.store.database import Store, open_store
from ksos_link.store.devices import Device
from ksos_link.store.keys import SecretSource


@dataclass(frozen=True, slots=True)
class Recorded:
    """How much a recording holds."""

    packets: int
    records: int


async def record_to(
    out: Path, target: Target, options: LinkOptions, *, with_private: bool = False
) -> Recorded:
    """Meet the watch, read without letting it forget anything, and write a capture.

    A watch that hands out its records one by one gives the first of each kind only, because it
    goes on when it may forget. Addresses, names and birth dates are masked unless `with_private`;
    readings are what a capture is for and stay. The file is there whole or not at all.

    Raises:
        NotFoundError: there is no such folder.
        BluetoothError, RefusedError: as a sync.
    """
    check_target(out)  # before the watch is bothered
    recording = Recording()
    async with open_route(target, replace(options, tap=recording.note)) as route:
        watch = await route.meet()
        try:
            records = await _read_all(watch, options)
        finally:
            await watch.close()
    recording.write(out, None if with_private else watch.family.redact)
    return Recorded(len(recording.packets), records)


async def _read_all(watch: Watch, options: LinkOptions) -> int:
    records = 0
    job = Sync(today=options.now().date(), keep=True)
    async with contextlib.aclosing(watch.run(job)) as events:
        async for event in events:
            if isinstance(event, RecordReceived):
                records += 1
                watch.commit()
    return records


async def sync_capture(
    store: Store, device: Device, target: ReplayTarget, choice: SyncChoice, options: LinkOptions
) -> AsyncGenerator[SyncEvent, None]:
    """Sync from a capture as from its watch; ends with the report, and says why it holds no more.

    A capture cannot be woken, moved closer or asked again, so what it leaves unanswered is no
    failure but a remark.

    Raises:
        NotFoundError, MalformedError: no capture, or a broken one.
    """
    report = SyncReport(device.alias)
    events = sync(store, device, target, choice, options)
    async with contextlib.aclosing(events):
        try:
            async for event in events:
                if isinstance(event, Stored):
                    report.records += 1
                    report.samples.update(event.samples)
                elif isinstance(event, Remarked):
                    report.remarks.append(event.text)
                elif isinstance(event, SyncReport) and not event.records:
                    event.remarks.append("The capture holds no record of its watch.")
                    yield Remarked(event.remarks[-1])
                report.links += isinstance(event, Connected)
                yield event
        except RefusedError as error:
            remark = f"The capture holds no more than that: {error}"
            report.remarks.append(remark)
            yield Remarked(remark)
            yield report


async def replay(file: Path, options: LinkOptions) -> AsyncGenerator[SyncEvent, None]:
    """Sync a capture into a store that is thrown away. Events and errors as `sync_capture`."""
    with tempfile.TemporaryDirectory(prefix="ksos-replay-") as folder:
        home = open_home({}, Path(folder) / "home")
        secrets = SecretSource({"KSOS_KEY_FILE": str(Path(folder) / "secret")})
        with open_store(home, secrets) as store:
            device = adopt(store, f"replay:{file}", options.now())
            events = sync_capture(store, device, ReplayTarget(file), SyncChoice(), options)
            async with contextlib.aclosing(events):
                async for event in events:
                    yield event
