"""A file on its way into the watch (ido.md 4.10)."""

import struct
from dataclasses import dataclass, field


@dataclass(slots=True)
class Transfer:
    """What was announced, and what came. `packets` counts those since the last receipt."""

    name: str
    size_bytes: int
    interval: int = 0
    packets: int = 0
    sum: int = 0
    data: bytearray = field(default_factory=bytearray)

    def receipt(self, status: int) -> bytes:
        """`D1 02` with what came so far."""
        return b"\xd1\x02" + struct.pack("<BII", status, self.sum, len(self.data))
