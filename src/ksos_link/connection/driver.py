"""The pump between a transport and a session: moves bytes and time, decides nothing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import Event
from firmware_protocol.family import Read
from firmware_protocol.jobs import Job
from firmware_protocol.session import CompanionSession, SessionState
from ksos_link.errors import KsosError, LinkLostError, RefusedError
from ksos_link.transports.base import Transport

_AT_WORK = (SessionState.ASKING, SessionState.DELIVERING)
_LONGEST_WAIT_S = 3600.0  # of one call of the transport; listening itself may last for ever


class Driver:
    """Runs jobs on one link, one at a time."""

    def __init__(self, transport: Transport, session: CompanionSession) -> None:
        self._transport = transport
        self._session = session
        self._pending: list[Event] = []
        session.link_opened()

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Yield the job's events; the last one is `JobDone` or `JobFailed`.

        After a `RecordReceived` the caller must `commit()` before it takes the next event.

        Raises:
            LinkLostError: the link broke, now or before.
            KsosError: the transport failed otherwise; the session is closed in either case.
        """
        if self._session.state is SessionState.CLOSED:
            raise LinkLostError("The link to the watch is closed.", "Try again.")
        self._pending += self._session.start(job, self._now_s())
        while True:
            while self._pending:
                yield self._pending.pop(0)
            if self._session.state not in _AT_WORK:
                await self._flush()  # what answers a last unsolicited message
                return
            if self._session.state is SessionState.DELIVERING:
                raise LocalProtocolError("a delivered record was not committed")
            await self._turn()

    async def listen(self, for_s: float | None = None) -> AsyncGenerator[Event, None]:
        """Yield what the watch tells unasked, for a while or for ever; answer what wants an answer.

        Raises:
            LinkLostError: the link broke, now or before.
            LocalProtocolError: a job is under way.
        """
        if self._session.state is SessionState.CLOSED:
            raise LinkLostError("The link to the watch is closed.", "Try again.")
        if self._session.state in _AT_WORK:
            raise LocalProtocolError("a job is under way; its events come with it")
        until_s = None if for_s is None else self._now_s() + for_s
        while True:
            while self._pending:
                yield self._pending.pop(0)
            left_s = _LONGEST_WAIT_S if until_s is None else until_s - self._now_s()
            if left_s <= 0:
                return
            with self._closed_by_failure():
                received = await self._transport.receive(min(left_s, _LONGEST_WAIT_S))
            if received is not None:
                self._pending += self._session.receive_data(*received, self._now_s())
                await self._flush()

    def commit(self) -> None:
        """The record that was just yielded is safe."""
        self._pending += self._session.commit(self._now_s())

    async def close(self) -> None:
        """Let the link go; closing twice is nothing."""
        self._link_lost()
        await self._transport.close()

    async def _turn(self) -> None:
        """Send what is due, then wait for one notification or for the session's deadline."""
        await self._flush()
        deadline_s = self._session.deadline_s()
        if deadline_s is None:
            return
        if self._session.awaits_nothing:  # the link may be gone already, and may
            self._pending += self._session.timed_out(max(deadline_s, self._now_s()))
            return
        with self._closed_by_failure():
            received = await self._transport.receive(max(0.0, deadline_s - self._now_s()))
        if received is None:
            self._pending += self._session.timed_out(max(deadline_s, self._now_s()))
            return
        self._pending += self._session.receive_data(*received, self._now_s())
        # a watch that never stops talking must not hold up the deadline
        self._pending += self._session.timed_out(self._now_s())

    async def _flush(self) -> None:
        while outputs := self._session.data_to_send():  # a value read may lead to more at once
            for output in outputs:
                if isinstance(output, Read):
                    value = await self._read(output)
                    self._pending += self._session.receive_data(output.uuid, value, self._now_s())
                    continue
                with self._closed_by_failure():
                    await self._transport.write(
                        output.uuid, output.data, with_response=output.with_response
                    )

    async def _read(self, wanted: Read) -> bytes:
        with self._closed_by_failure():
            try:
                return await self._transport.read_value(wanted.uuid)
            except RefusedError:
                if not wanted.optional:
                    raise
                return b""

    @contextlib.contextmanager
    def _closed_by_failure(self) -> Iterator[None]:
        """End the session with the link: half a message would confuse whatever came next."""
        try:
            yield
        except KsosError:
            self._link_lost()
            raise

    def _link_lost(self) -> None:
        if self._session.state is not SessionState.CLOSED:
            self._session.link_lost()

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
