"""The upload engine: offer, send in acknowledged windows, verify, activate; the same for any wire.

A transport says how each step looks (`Upload`); the order of the steps, the count of bytes, the
limit of repeats and the rule that nothing unverified is activated stand here once.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from firmware_protocol.errors import RemoteProtocolError
from firmware_protocol.events import (
    UploadActivated,
    UploadProgress,
    UploadStarted,
    UploadVerified,
)
from firmware_protocol.family import Asking, Dialogue, JobError, Message, Report, Step

MAX_STALLS: Final = 3  # windows that bring nothing, until one brings something new


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How far the watch says it got, and the bytes of the file that were sent for it."""

    offset: int
    sent_bytes: int


class Upload(ABC):
    """One file on its way into a watch: what a transport must say at each step.

    Each step may raise `JobError`; the engine then calls `abort` and lets it pass.
    """

    file: str
    total_bytes: int

    @abstractmethod
    def offer(self) -> Asking[int]:
        """Announce the file; return the offset from which the watch wants it."""

    @abstractmethod
    def send(self, offset: int) -> Asking[Acknowledged]:
        """Send one window from `offset` and wait for its acknowledgement.

        An offset that is lower than before is followed: the watch wants those bytes again.
        """

    @abstractmethod
    def verify(self) -> Asking[None]:
        """Have the watch compare all that it got. Returns only where it said that all is well."""

    @abstractmethod
    def activate(self) -> Asking[None]:
        """Tell the watch to use the file."""

    def abort(self) -> Asking[None]:
        """Tell the watch that nothing more comes; many wires have no word for it."""
        yield from ()


def run_upload(work: Upload, *, activates: bool = True) -> Dialogue:
    """The dialogue of a whole upload. It ends with `UploadActivated`, or fails.

    Without `activates` it ends with `UploadVerified`: for wires that activate several files at
    once, after the last.
    """
    try:
        yield from _transfer(work)
        yield from work.verify()
    except (JobError, RemoteProtocolError):
        yield from work.abort()
        raise
    yield Report(UploadVerified(work.file))
    if activates:
        yield from work.activate()
        yield Report(UploadActivated(work.file))


def _transfer(work: Upload) -> Generator[Step, Message | None, None]:
    offset = held_bytes = yield from work.offer()
    if not 0 <= offset <= work.total_bytes:
        raise JobError("malformed", f"the watch wants to go on at {offset}")
    yield Report(UploadStarted(work.file, work.total_bytes, held_bytes))
    furthest, sent_bytes, stalls = offset, 0, 0
    while offset < work.total_bytes:
        told = yield from work.send(offset)
        if not 0 <= told.offset <= work.total_bytes:
            raise JobError("malformed", f"the watch acknowledged byte {told.offset}")
        sent_bytes += told.sent_bytes
        # on the way back to where it was already, each step forward is none
        stalls = 0 if told.offset > furthest else stalls + (told.offset <= offset)
        if stalls > MAX_STALLS:
            raise JobError("refused", f"the watch does not get past byte {furthest}")
        offset, furthest = told.offset, max(furthest, told.offset)
        repeated_bytes = max(0, sent_bytes - (furthest - held_bytes))
        yield Report(
            UploadProgress(work.file, offset, work.total_bytes, sent_bytes, repeated_bytes)
        )
