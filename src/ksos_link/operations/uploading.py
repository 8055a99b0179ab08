"""One upload over as many links as it takes: the part that dials and firmware share.

The job itself asks the watch how far it got, so a lost link costs what that wire cannot resume. An
upload that brings the watch further has patience anew; one that does not is given up.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

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
    job: SendFile | InstallImage,
    counts: Counts,
    peer: Peer | None = None,
) -> AsyncGenerator[UploadEvent, None]:
    """Yield what happens until the watch was told to use the file; `peer` is a link that is open.

    All links are closed at the end, but for those that the watch itself drops.

    Raises:
        LinkLostError, NotFoundError: the link was lost too often, or the watch did not come back.
        RefusedError, MalformedError, PolicyError: see `Peer.run`; nothing was activated.
    """
    run = _Run(meet, job, counts)
    attempt = 0
    while True:
        attempt += 1
        try:
            async with contextlib.aclosing(run.events(peer)) as events:
                async for event in events:
                    yield event
        except (LinkLostError, NotFoundError):
            if run.activated:
                return
            attempt = 1 if run.got_on else attempt
            if attempt >= MAX_ATTEMPTS:
                raise
            yield Reconnecting(attempt, wait_before_s(attempt - 1))
            await asyncio.sleep(wait_before_s(attempt - 1))
            peer = None
        else:
            return


@dataclass(slots=True)
class _Run:
    """One upload's progress over its links; `got_on` is about the last of them."""

    meet: Callable[[], Awaitable[Peer]]
    job: SendFile | InstallImage
    counts: Counts
    furthest_bytes: int = 0
    got_on: bool = False
    activated: bool = False

    async def events(self, peer: Peer | None) -> AsyncGenerator[UploadEvent, None]:
        """One link's share; what counts is kept even where the link is lost."""
        self.got_on = False
        if peer is None:
            peer = await self.meet()
            self.counts.links += 1
        loop = asyncio.get_running_loop()
        began_s, had_bytes, sent_bytes = loop.time(), self.furthest_bytes, 0
        try:
            async with contextlib.aclosing(peer.run(self.job)) as events:
                async for event in events:
                    if isinstance(event, UploadProgress):
                        sent_bytes = event.sent_bytes
                    self._note(event)
                    if isinstance(event, _SHOWN):
                        yield event
        finally:
            await peer.close()
            self.counts.sent_bytes += sent_bytes
            self.counts.repeated_bytes += max(0, sent_bytes - (self.furthest_bytes - had_bytes))
            self.counts.took_s += loop.time() - began_s

    def _note(self, event: Event) -> None:
        if isinstance(event, UploadProgress | UploadStarted):
            reached = (
                event.held_bytes if isinstance(event, UploadStarted) else event.acknowledged_bytes
            )
            if reached > self.furthest_bytes:
                self.furthest_bytes, self.got_on = reached, True
        self.activated |= isinstance(event, UploadActivated)
