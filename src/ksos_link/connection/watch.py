"""Watch: what an operation holds while a watch is connected."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from firmware_protocol.events import Event, Identified, JobFailed, WatchInfo
from firmware_protocol.family import Family
from firmware_protocol.jobs import Identify, Job
from firmware_protocol.session import CompanionSession
from ksos_link.connection.driver import Driver
from ksos_link.errors import KsosError, MalformedError, PolicyError, RefusedError, UsageError
from ksos_link.transports.base import Transport

EventType = TypeVar("EventType", bound=Event)


class Watch:
    """A connected watch that has told who it is. Open it with `Watch.meet`."""

    def __init__(self, family: Family, transport: Transport) -> None:
        self.family = family
        self._driver = Driver(
            transport, CompanionSession(family.open_dialect(transport.max_write_bytes))
        )
        self._info: WatchInfo | None = None
        self.told_while_met: list[Event] = []  # what it said unasked before it was known
        self._transport = transport

    @classmethod
    async def meet(cls, family: Family, transport: Transport) -> "Watch":
        """Run the connect prelude on an open link.

        Raises:
            RefusedError: the watch did not answer.
            LinkLostError: the link broke.
        """
        watch = cls(family, transport)
        try:
            async with aclosing(watch.run(Identify())) as events:
                async for event in events:
                    if isinstance(event, Identified):
                        watch._info = event.info
                    else:
                        watch.told_while_met.append(event)
        except BaseException:
            await watch.close()
            raise
        return watch

    @property
    def info(self) -> WatchInfo:
        """Who the watch said it is."""
        if self._info is None:
            raise RuntimeError("the watch was not met")
        return self._info

    @property
    def address(self) -> str:
        """The link's address."""
        return self._transport.address

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Yield a job's events but for its end; see `Driver.run` for the commit rule.

        Raises:
            RefusedError: the watch refused, cannot do it, or stayed silent.
            MalformedError: the watch sent something that makes no sense.
            LinkLostError: the link broke.
        """
        async with aclosing(self._driver.run(job)) as events:
            async for event in events:
                if isinstance(event, JobFailed):
                    raise _failure(event)
                yield event

    async def ask(self, job: Job, answer: type[EventType]) -> EventType:
        """Run a job and return its one answer of that type. Raises as `run`."""
        found: EventType | None = None
        async with aclosing(self.run(job)) as events:
            async for event in events:
                if isinstance(event, answer):
                    found = event
        if found is None:
            raise MalformedError("The watch ended the job without an answer.")
        return found

    async def listen(self, for_s: float | None = None) -> AsyncGenerator[Event, None]:
        """Yield what the watch tells unasked; see `Driver.listen`."""
        async with aclosing(self._driver.listen(for_s)) as events:
            async for event in events:
                yield event

    def commit(self) -> None:
        """The record that `run` just yielded is safe; the watch may forget it."""
        self._driver.commit()

    async def close(self) -> None:
        """Let the watch go."""
        await self._driver.close()


def _failure(event: JobFailed) -> KsosError:
    if event.kind == "malformed":
        return MalformedError(f"The watch sent something malformed: {event.reason}.")
    if event.kind == "invalid":
        return UsageError(f"That cannot be told to this watch: {event.reason}.")
    if event.kind == "unproven":
        return PolicyError(
            f"Not done: {event.reason}.",
            "Nobody has shown that it works. If you accept the risk, say --experimental.",
        )
    if event.kind == "unsupported":
        return RefusedError(
            f"This watch cannot do that: {event.reason}.",
            "`ksos device info` lists what it can do.",
        )
    if event.kind == "silent":
        said = event.reason.removeprefix("the watch did not answer ")
        return RefusedError(
            f"The watch did not answer{'' if said != event.reason else ':'} {said}.",
            "Is it bound to a phone, or asleep? Wake it and try again.",
        )
    return RefusedError(f"The watch refused: {event.reason}.")
