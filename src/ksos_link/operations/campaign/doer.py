"""Doing steps with watches, by the operations that single commands are made of."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from firmware_protocol.events import DialsRead, UploadProgress, WatchInfo
from firmware_protocol.jobs import ReadDials
from ksos_link.errors import KsosError, NotFoundError, PreflightError
from ksos_link.operations.campaign.digest import check_unchanged
from ksos_link.operations.campaign.expectations import Known, unmet
from ksos_link.operations.campaign.steps import (
    StepEvent,
    StepJob,
    StepOutcome,
    StepProgress,
    StepRemark,
    StepWriting,
    failed,
)
from ksos_link.operations.campaign.wishes import open_dial, open_firmware
from ksos_link.operations.dial_push import push_dial
from ksos_link.operations.dial_wish import DialJudged, DialReport
from ksos_link.operations.dials import remove_dial
from ksos_link.operations.firmware_source import StoreNotes
from ksos_link.operations.firmware_state import verify_firmware
from ksos_link.operations.firmware_wish import FirmwareReport, FirmwareWish, Preflighted
from ksos_link.operations.firmware_write import resume_firmware, write_firmware
from ksos_link.operations.link_events import Connected, Reconnecting
from ksos_link.operations.meet import meet
from ksos_link.operations.open_watch import open_watch
from ksos_link.operations.pair import adopt
from ksos_link.operations.route import LinkOptions, open_route
from ksos_link.operations.sync import Remarked, SyncChoice, SyncReport, sync
from ksos_link.operations.target import Target, address_of, target_of
from ksos_link.operations.uploading import Counts
from ksos_link.store.campaigns import Measured
from ksos_link.store.database import Store

LINK_LOST: Final = "The link was lost; it is made again."
OpenStore = Callable[[], contextlib.AbstractContextManager[Store]]


@dataclass(slots=True)
class _Seen:
    """What was learned while a step ran."""

    measured: Measured = field(default_factory=Measured)
    known: Known = field(default_factory=Known)
    said: str = ""

    def met(self, info: WatchInfo) -> None:
        """A watch said who it is: the first time before the step, and each time after it."""
        battery_pct, version = info.battery_pct, info.firmware_version
        before_pct = self.measured.battery_before_pct
        self.measured = replace(
            self.measured,
            links=(self.measured.links or 0) + 1,
            battery_before_pct=battery_pct if before_pct is None else before_pct,
            battery_after_pct=battery_pct,
            firmware_version=version,
        )
        self.known = replace(self.known, battery_pct=battery_pct, firmware_version=version)

    def wrote(self, report: FirmwareReport) -> None:
        """What an update came to; the watch was met after it."""
        self.sent(report.counts)
        self.measured = replace(
            self.measured,
            battery_before_pct=report.battery_before_pct,
            battery_after_pct=report.battery_after_pct,
            firmware_version=report.version_after,
        )
        self.known = replace(
            self.known,
            battery_pct=report.battery_after_pct,
            firmware_version=report.version_after,
        )

    def sent(self, counts: Counts) -> None:
        """What a transfer took."""
        self.measured = replace(
            self.measured,
            links=(self.measured.links or 0) + counts.links,
            sent_bytes=counts.sent_bytes,
            repeated_bytes=counts.repeated_bytes,
            rate_bytes_per_s=counts.rate_bytes_per_s,
        )

    def heard(self, rssi_dbm: int) -> None:
        """How strongly the watch was received."""
        self.measured = replace(self.measured, rssi_dbm=rssi_dbm)


class WatchDoer:
    """Does steps with watches that are in reach of this machine.

    `open_store` gives the store for what is synced; it is opened only where a step needs it.
    `noting` keeps which watch has an update under way, so that `ksos firmware resume` knows it.
    """

    def __init__(
        self, open_store: OpenStore, options: LinkOptions, noting: Store | None = None
    ) -> None:
        self._open_store = open_store
        self._options = options
        self._noting = noting
        self._writers = 0

    async def do(self, job: StepJob) -> AsyncGenerator[StepEvent, None]:
        """See `StepDoer.do`."""
        seen = _Seen()
        options = replace(
            self._options, adapter=job.radio.adapter, found=seen.heard, others=job.others
        )
        try:
            check_unchanged(job.step.files)
            doing = _STEPS.get(job.step.do)
            if doing is None:
                await _verify(job, options, seen)
            else:
                async with contextlib.aclosing(doing(self, job, options, seen)) as events:
                    async for event in events:
                        yield event
            if job.step.expect.dial is not None and seen.known.dial is None:
                await _ask_dial(job, options, seen)
        except KsosError as error:
            yield failed(error, seen.measured)
            return
        faults = unmet(job.step.expect, seen.known)
        yield StepOutcome(not faults, " ".join(faults) or seen.said, seen.measured)

    async def _write(
        self, job: StepJob, options: LinkOptions, seen: _Seen
    ) -> AsyncGenerator[StepEvent, None]:
        """Write firmware; a watch that may be half-way is taken up where it is.

        A watch that an attempt before brought to its end, but whose end nobody noted, is no newer
        for what it runs now: the preflight objects, and the look at it says that all is well.
        """
        if job.step.firmware is None:
            raise LookupError("a step without its firmware")
        wish = open_firmware(job.step.firmware)
        try:
            async with contextlib.aclosing(self._writing_of(job, wish, options, seen)) as events:
                async for event in events:
                    yield event
        except PreflightError:
            if not job.half_way or not await _runs(job, wish, options, seen):
                raise
            seen.said = "The watch runs it already: the attempt before was cut after it wrote."

    async def _writing_of(
        self, job: StepJob, wish: FirmwareWish, options: LinkOptions, seen: _Seen
    ) -> AsyncGenerator[StepEvent, None]:
        target = _target(job)
        notes = None if self._noting is None else StoreNotes(self._noting, options.now())
        if job.half_way:
            running = resume_firmware(target, wish, options, address_of(target), notes)
        else:
            running = write_firmware(target, wish, options, notes)
        async with contextlib.aclosing(running) as events:
            async for event in events:
                match event:
                    case Connected(info):
                        seen.met(info)
                    case Preflighted():
                        yield StepWriting()
                    case UploadProgress(_, acknowledged_bytes, total_bytes):
                        yield StepProgress(acknowledged_bytes, total_bytes)
                    case Reconnecting():
                        yield StepRemark(LINK_LOST)
                    case FirmwareReport():
                        seen.wrote(event)
                    case _:
                        pass

    async def _push(
        self, job: StepJob, options: LinkOptions, seen: _Seen
    ) -> AsyncGenerator[StepEvent, None]:
        """Push a dial and show it; what an attempt before left there is replaced."""
        if job.step.dial is None:
            raise LookupError("a step without its dial")
        wish = open_dial(job.step.dial)
        wish = replace(wish, replace=wish.replace or job.half_way)
        async with contextlib.aclosing(push_dial(_target(job), wish, options)) as events:
            async for event in events:
                match event:
                    case Connected(info):
                        seen.met(info)
                    case DialJudged(standing=()):
                        yield StepWriting()
                    case UploadProgress(_, acknowledged_bytes, total_bytes):
                        yield StepProgress(acknowledged_bytes, total_bytes)
                    case Reconnecting():
                        yield StepRemark(LINK_LOST)
                    case DialReport():
                        seen.sent(event.counts)
                        seen.known = replace(seen.known, dial=event.name)
                    case _:
                        pass

    async def _remove(
        self, job: StepJob, options: LinkOptions, seen: _Seen
    ) -> AsyncGenerator[StepEvent, None]:
        """Remove a dial; one that an attempt before removed is removed."""
        if job.step.dial is None:
            raise LookupError("a step without its dial")
        async with open_watch(_target(job), options) as watch:
            seen.met(watch.info)
            yield StepWriting()
            try:
                await remove_dial(watch, job.step.dial.name)
            except NotFoundError:
                if not job.half_way:
                    raise
                seen.said = "The watch does not have it any more: the attempt before removed it."

    async def _sync(
        self, job: StepJob, options: LinkOptions, seen: _Seen
    ) -> AsyncGenerator[StepEvent, None]:
        """Everything new comes into the store of the machine that has the radio."""
        with self._writing() as store:
            device = adopt(store, job.watch.address, options.now())
            running = sync(store, device, _target(job), SyncChoice(), options)
            async with contextlib.aclosing(running) as events:
                async for event in events:
                    match event:
                        case Connected(info):
                            seen.met(info)
                        case Remarked(text):
                            yield StepRemark(text)
                        case Reconnecting():
                            yield StepRemark(LINK_LOST)
                        case SyncReport():
                            samples = event.samples.total()
                            seen.measured = replace(seen.measured, samples=samples)
                            seen.known = replace(seen.known, samples=samples)
                        case _:
                            pass  # what a record brought is nobody's business here

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Store]:
        """The store, for as long as a sync writes to it; then others may write again."""
        with self._open_store() as store:
            self._writers += 1
            try:
                yield store
            finally:
                self._writers -= 1
                if not self._writers:
                    store.release_writer()


def _target(job: StepJob) -> Target:
    return target_of(job.watch.address)


async def _verify(job: StepJob, options: LinkOptions, seen: _Seen) -> None:
    """The watch answers and says who it is; with a file, that it runs what is in the file."""
    if job.step.firmware is None:
        seen.met(await meet(_target(job), options))
        return
    wish = open_firmware(job.step.firmware)
    seen.met((await verify_firmware(_target(job), wish, options)).info)


async def _runs(job: StepJob, wish: FirmwareWish, options: LinkOptions, seen: _Seen) -> bool:
    """Whether the watch runs what was to be written."""
    try:
        seen.met((await verify_firmware(_target(job), wish, options)).info)
    except PreflightError:
        return False
    return True


async def _ask_dial(job: StepJob, options: LinkOptions, seen: _Seen) -> None:
    """Meet the watch again, and ask which dial it shows."""
    async with open_route(_target(job), options) as route:
        watch = await route.meet()
        try:
            seen.met(watch.info)
            dials = await watch.ask(ReadDials(), DialsRead)
            seen.known = replace(seen.known, dial=dials.shown)
        finally:
            await watch.close()


_Doing = Callable[[WatchDoer, StepJob, LinkOptions, _Seen], AsyncGenerator[StepEvent, None]]
_STEPS: Final[dict[str, _Doing]] = {  # beside `verify`, which tells nothing on the way
    "write_firmware": WatchDoer._write,  # noqa: SLF001 its own table
    "downgrade": WatchDoer._write,  # noqa: SLF001
    "push_dial": WatchDoer._push,  # noqa: SLF001
    "remove_dial": WatchDoer._remove,  # noqa: SLF001
    "sync": WatchDoer._sync,  # noqa: SLF001
}
