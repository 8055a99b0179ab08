"""One upload over as many links as it takes: the part that dials and firmware share.

The job itself asks the watch how far it got, so a lost link costs what that wire cannot resume. An
upload that brings the watch further has patience anew; one that does not is given up.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from firmware_protocol.events import (
    Event,
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.jobs import InstallImage, SendFile
from ksos_link.connection.retry import MAX_ATTEMPTS, wait_before_s
from ksos_link.connection.watch import Peer
from ksos_link.errors import LinkLostError, NotFoundError
from ksos_link.operations.link_events import Reconnecting

UploadEvent = UploadStarted | UploadProgress | UploadVerified | UploadActivated | Reconnecting
_SHOWN = (UploadStarted, UploadProgress, UploadVerified, UploadActivated)


@dataclass(slots=True)
class Counts:
    """What the uploads of an operation took. Bytes are those of files, without any frame."""

    links: int = 0
    sent_bytes: int = 0
    repeated_bytes: int = 0
    took_s: float = 0.0

    @property
    def rate_bytes_per_s(self) -> float:
        """Bytes that arrived, by the time from the first offer to the last acknowledgement."""
        return (self.sent_bytes - self.repeated_bytes) / self.took_s if self.took_s else 0.0


async def upload(
    meet: Callable[[], Awaitable[Peer]],
    jobs: Sequence[SendFile | InstallImage],
    counts: Counts,
    peer: Peer | None = None,
    *,
    pause_s: float = 0.0,
    keeps_link: bool = False,
) -> AsyncGenerator[UploadEvent, None]:
    """Yield what happens until the watch was told to use all files; `peer` is a link that is open.

    After a file that is activated the watch restarts: the next one gets a new link, `pause_s`
    later. Files that are activated together stay on one link, and begin again where it is lost.
    All links are closed at the end, but with `keeps_link` the last one, where all went well.

    Raises:
        LinkLostError, NotFoundError: the link was lost too often, or the watch did not come back.
        RefusedError, MalformedError, PolicyError: see `Peer.run`; nothing was activated.
    """
    run = _Run(meet, tuple(jobs), counts, keeps_link)
    attempt = 0
    while run.begun < len(run.jobs):
        attempt += 1
        try:
            async with contextlib.aclosing(run.events(peer)) as events:
                async for event in events:
                    yield event
        except (LinkLostError, NotFoundError):
            if not run.activated:
                attempt = 1 if run.got_on else attempt
                if attempt >= MAX_ATTEMPTS:
                    raise
                yield Reconnecting(attempt, wait_before_s(attempt - 1))
                await asyncio.sleep(wait_before_s(attempt - 1))
        peer = None
        if run.activated and run.begun < len(run.jobs):
            attempt = 0
            await asyncio.sleep(pause_s)


@dataclass(slots=True)
class _Run:
    """The progress of uploads over their links. `got_on` and `activated` are about the last link.

    `begun` is the first job whose file is not activated yet.
    """

    meet: Callable[[], Awaitable[Peer]]
    jobs: tuple[SendFile | InstallImage, ...]
    counts: Counts
    keeps_link: bool
    begun: int = 0
    furthest_bytes: dict[int, int] = field(default_factory=dict)
    got_on: bool = False
    activated: bool = False

    async def events(self, peer: Peer | None) -> AsyncGenerator[UploadEvent, None]:
        """One link's share; what counts is kept even where the link is lost."""
        self.got_on = self.activated = False
        if peer is None:
            peer = await self.meet()
            self.counts.links += 1
        try:
            for index in range(self.begun, len(self.jobs)):
                async with contextlib.aclosing(self._send(peer, index)) as events:
                    async for event in events:
                        yield event
                if self.activated:
                    return
            self.begun = len(self.jobs)  # all verified: the last one was to be activated
        finally:
            if not (self.keeps_link and self.activated and self.begun == len(self.jobs)):
                await peer.close()

    async def _send(self, peer: Peer, index: int) -> AsyncGenerator[UploadEvent, None]:
        loop = asyncio.get_running_loop()
        began_s, had_bytes, sent_bytes = loop.time(), self.furthest_bytes.get(index, 0), 0
        try:
            async with contextlib.aclosing(peer.run(self.jobs[index])) as events:
                async for event in events:
                    if isinstance(event, UploadProgress):
                        sent_bytes = event.sent_bytes
                    self._note(event, index)
                    if isinstance(event, UploadStarted):  # what it has then was not sent now
                        had_bytes = max(had_bytes, event.held_bytes)
                    if isinstance(event, _SHOWN):
                        yield event
        finally:
            new_bytes = self.furthest_bytes.get(index, 0) - had_bytes
            self.counts.sent_bytes += sent_bytes
            self.counts.repeated_bytes += max(0, sent_bytes - new_bytes)
            self.counts.took_s += loop.time() - began_s

    def _note(self, event: Event, index: int) -> None:
        match event:
            case UploadStarted(held_bytes=reached) | UploadProgress(acknowledged_bytes=reached):
                if reached > self.furthest_bytes.get(index, 0):
                    self.furthest_bytes[index], self.got_on = reached, True
            case UploadActivated():
                self.activated, self.begun = True, index + 1
            case _:
                pass
