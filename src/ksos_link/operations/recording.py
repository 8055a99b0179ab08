"""What passes on a link, noted packet by packet and written as a capture."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from firmware_protocol.family import CapturedPacket, Direction
from ksos_link.errors import NotFoundError
from ksos_link.export.target import open_target
from ksos_link.transports.capture_file import format_packet

Redact = Callable[[Direction, bytes], bytes]


@dataclass(slots=True)
class Recording:
    """Packets in the order in which they passed; `note` is a `Tap`."""

    packets: list[CapturedPacket] = field(default_factory=list)
    _started_s: float | None = None

    def note(self, direction: Direction, uuid: str, data: bytes) -> None:
        """Take one packet; seconds count from the first."""
        now_s = asyncio.get_running_loop().time()
        if self._started_s is None:
            self._started_s = now_s
        line, at_s = len(self.packets) + 1, now_s - self._started_s
        self.packets.append(CapturedPacket(line, direction, _short(uuid), data, at_s))

    def write(self, out: Path, redact: Redact | None) -> None:
        """Write the capture, whole or not at all; each packet goes through `redact`.

        Raises:
            NotFoundError: there is no such folder.
            UsageError, StoreError: the file cannot be written.
        """
        with open_target(out) as file:
            for packet in self.packets:
                data = packet.data if redact is None else redact(packet.direction, packet.data)
                file.write(f"{format_packet(replace(packet, data=data))}\n")


def check_target(out: Path) -> None:
    """See that a capture can be written, before the watch is bothered.

    Raises:
        NotFoundError: there is no such folder, or a folder of that name.
    """
    if out.is_dir() or not out.parent.is_dir():
        raise NotFoundError(
            f"The file {out} cannot be written.", "Name a file in a folder that is there."
        )


def _short(uuid: str) -> str:
    """The 16-bit form of a UUID on the Bluetooth base, else the UUID."""
    if uuid.startswith("0000") and uuid.endswith("-0000-1000-8000-00805f9b34fb"):
        return uuid[4:8]
    return uuid
