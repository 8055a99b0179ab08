"""Collecting an SMP answer from notifications (dfu.md 6.1): there is no framing but its length."""

import contextlib

from firmware_protocol.errors import FrameError, RemoteProtocolError
from firmware_protocol.updates.smp.codec import HEADER_BYTES, SmpReply, decode, header_of


class Assembler:
    """Puts one channel's notifications together; what is no part of an answer is dropped."""

    def __init__(self) -> None:
        self._begun = b""

    def receive(self, data: bytes) -> SmpReply | None:
        """Take one notification; return the answer that it completes.

        Raises:
            RemoteProtocolError: it belongs to no answer; the next one is read afresh.
        """
        begun, self._begun = self._begun, b""
        if begun and not _is_whole(data):  # else the rest of the one before was lost
            with contextlib.suppress(RemoteProtocolError):
                return self._take(begun + data)
        return self._take(data)

    def _take(self, data: bytes) -> SmpReply | None:
        header = header_of(data)
        end = HEADER_BYTES + header.length
        if len(data) < end:
            self._begun = data
            return None
        if len(data) > end:
            raise FrameError(f"{len(data) - end} bytes behind the end of an SMP answer")
        return decode(header, data)


def _is_whole(data: bytes) -> bool:
    """Whether it looks like an answer by itself; no middle of an answer does."""
    try:
        return len(data) == HEADER_BYTES + header_of(data).length
    except FrameError:
        return False
