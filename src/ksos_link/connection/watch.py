"""Watch and Loader: what an operation holds while a watch, or its loader, is connected."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self, TypeVar

from firmware_protocol.events import Event, Identified, JobFailed, WatchInfo
from firmware_protocol.family import Dialect, Family
from firmware_protocol.jobs import Identify, Job
from firmware_protocol.session import CompanionSession
from firmware_protocol.updates.transport import Entry, UpdateTransport
from ksos_link.connection.driver import Driver
from ksos_link.errors import (
    KsosError,
    MalformedError,
    PolicyError,
    RefusedError,
    UnsupportedError,
    UsageError,
)
from ksos_link.transports.base import Transport

EventType = TypeVar("EventType", bound=Event)


class Peer:
    """A connected device that speaks a dialect and has told who it is."""

    def __init__(self, dialect: Dialect, transport: Transport) -> None:
        self._driver = Driver(transport, CompanionSession(dialect))
        self._info: WatchInfo | None = None
        self.told_while_met: list[Event] = []  # what it said unasked before it was known
        self._transport = transport

    async def greet(self) -> Self:
        """Run the connect prelude on an open link.

        Raises:
            RefusedError: the device did not answer.
            LinkLostError: the link broke.
        """
        try:
            async with aclosing(self.run(Identify())) as events:
                async for event in events:
                    if isinstance(event, Identified):
                        self._info = event.info
                    else:
                        self.told_while_met.append(event)
        except BaseException:
            await self.close()
            raise
        return self

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


class Watch(Peer):
    """A connected watch. Open it with `Watch.meet`."""

    def __init__(self, family: Family, transport: Transport) -> None:
        super().__init__(family.open_dialect(transport.max_write_bytes), transport)
        self.family = family

    @classmethod
    async def meet(cls, family: Family, transport: Transport) -> "Watch":
        """Run the connect prelude on an open link; raises as `greet`."""
        return await cls(family, transport).greet()


class Loader(Peer):
    """What takes firmware on a connected watch. Open it with `Loader.meet`."""

    def __init__(self, way: UpdateTransport, transport: Transport) -> None:
        super().__init__(way.open_dialect(transport.max_write_bytes), transport)
        self.way = way

    @classmethod
    async def meet(cls, way: UpdateTransport, transport: Transport) -> "Loader":
        """Ask on an open link whether the loader is there; raises as `greet`."""
        return await cls(way, transport).greet()


class Doorway(Peer):
    """A service of an application that leads to its loader. Open it with `Doorway.meet`."""

    @classmethod
    async def meet(cls, entry: Entry, transport: Transport) -> "Doorway":
        """Greet it on an open link; raises as `greet`."""
        return await cls(entry.open_dialect(transport.max_write_bytes), transport).greet()


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
        return UnsupportedError(
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
