"""Doing steps with watches, by the operations that single commands are made of."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from firmware_protocol.events import DialsRead, WatchInfo
from firmware_protocol.jobs import ReadDials
from ksos_link.operations.campaign.expectations import Known, unmet
from ksos_link.operations.campaign.steps import StepEvent, StepJob, StepOutcome, StepRemark
from ksos_link.operations.link_events import Connected, Reconnecting
from ksos_link.operations.pair import adopt
from ksos_link.operations.route import LinkOptions, open_route
from ksos_link.operations.sync import Remarked, SyncChoice, SyncReport, sync
from ksos_link.operations.target import Target, target_of
from ksos_link.store.campaigns import Measured
from ksos_link.store.database import Store

OpenStore = Callable[[], contextlib.AbstractContextManager[Store]]


@dataclass(slots=True)
class _Seen:
    """What was learned while a step ran."""

    measured: Measured = field(default_factory=Measured)
    known: Known = field(default_factory=Known)

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

    def heard(self, rssi_dbm: int) -> None:
        """How strongly the watch was received."""
        self.measured = replace(self.measured, rssi_dbm=rssi_dbm)


class WatchDoer:
    """Does steps with watches that are in reach of this machine.

    `open_store` gives the store for what is synced; it is opened only where a step needs it.
    """

    def __init__(self, open_store: OpenStore, options: LinkOptions) -> None:
        self._open_store = open_store
        self._options = options
        self._writers = 0

    async def do(self, job: StepJob) -> AsyncGenerator[StepEvent, None]:
        """See `StepDoer.do`."""
        seen = _Seen()
        options = replace(self._options, adapter=job.radio.adapter, found=seen.heard)
        doing = _STEPS.get(job.step.do)
        if doing is not None:
            async with contextlib.aclosing(doing(self, job, options, seen)) as events:
                async for event in events:
                    yield event
        if doing is None or job.step.expect.dial is not None:  # to verify is to look, and no more
            await _look(job, options, seen)
        faults = unmet(job.step.expect, seen.known)
        yield StepOutcome(not faults, " ".join(faults), seen.measured)

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
                            yield StepRemark("The link was lost; it is made again.")
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


async def _look(job: StepJob, options: LinkOptions, seen: _Seen) -> None:
    """Meet the watch, and ask what it is asked for."""
    async with open_route(_target(job), options) as route:
        watch = await route.meet()
        try:
            seen.met(watch.info)
            if job.step.expect.dial is not None:
                dials = await watch.ask(ReadDials(), DialsRead)
                seen.known = replace(seen.known, dial=dials.shown)
        finally:
            await watch.close()


_Doing = Callable[[WatchDoer, StepJob, LinkOptions, _Seen], AsyncGenerator[StepEvent, None]]
_STEPS: Final[dict[str, _Doing]] = {
    "sync": WatchDoer._sync,  # noqa: SLF001 its own table
}
