"""The sending half that all uploads share: packets of a stretch, and the count of repetitions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_protocol.family import Output, Report
from firmware_protocol.uploads import UploadProgressed, UploadStarted


@dataclass(slots=True)
class Sender:
    """Cuts stretches of a file into packets. `packet` makes the write of some bytes."""

    data: bytes
    packet: Callable[[bytes], Output]
    packet_bytes: int
    repeated_bytes: int = 0
    _furthest: int = 0

    def begins_at(self, resumed_bytes: int) -> Report:
        """Say where the watch is; what it has was sent on another link."""
        self._furthest = max(self._furthest, resumed_bytes)
        return Report(UploadStarted(len(self.data), resumed_bytes))

    def packets(self, start: int, end: int) -> Sequence[Output]:
        """The packets of bytes `start` to `end`."""
        self.repeated_bytes += max(0, min(self._furthest, end) - start)
        self._furthest = max(self._furthest, end)
        return [
            self.packet(self.data[at : min(at + self.packet_bytes, end)])
            for at in range(start, end, self.packet_bytes)
        ]

    def acknowledged(self, done_bytes: int) -> Report:
        """Say how far the watch is."""
        return Report(UploadProgressed(done_bytes, len(self.data), self.repeated_bytes))
