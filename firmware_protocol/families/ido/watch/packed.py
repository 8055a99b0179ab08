"""What the health types have in common on the watch's side (ido.md 7.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

EMPTY_HEADS: Final = {  # captured from an A200: nothing stored (ido.md 7.2, C)
    0x01: bytes(13),
    0x02: bytes(13),
    0x03: bytes(29),
    0x04: bytes(76),
    0x06: bytes(7) + b"\x01" + bytes(26),
    0x07: bytes(40),
    0x08: bytes(36),
}


@dataclass(frozen=True, slots=True)
class PackedRecord:
    """A record as it goes into a reply; `first_item` is the reply's data_start."""

    head: bytes
    items: bytes = b""
    item_count: int = 0
    first_item: int = 0

    @property
    def size_bytes(self) -> int:
        """What the record adds to the total of command 05."""
        return len(self.head) + len(self.items)


def nothing_stored(record_type: int) -> PackedRecord:
    """The empty reply of a type."""
    return PackedRecord(EMPTY_HEADS[record_type])


@dataclass(frozen=True, slots=True)
class OffsetItems:
    """Items {offset u8, value u8}: each offset counts from the item before (ido.md 7.4, 7.5).

    `base_times[n]` is the running time before item n, so that a reply can start at any item.
    """

    pairs: tuple[tuple[int, int], ...]
    base_times: tuple[int, ...]

    def packed_from(self, first: int) -> bytes:
        """The items from `first` on."""
        return bytes(byte for pair in self.pairs[first:] for byte in pair)


def offset_items(times: Sequence[int], values: Sequence[int]) -> OffsetItems:
    """Lay out ascending times; a gap of more than 255 is bridged by fillers FF 00."""
    pairs: list[tuple[int, int]] = []
    base_times: list[int] = []
    running = times[0] if times else 0
    for at, value in zip(times, values, strict=True):
        while at - running > 0xFF:
            pairs.append((0xFF, 0))
            base_times.append(running)
            running += 0xFF
        pairs.append((at - running, value))
        base_times.append(running)
        running = at
    return OffsetItems(tuple(pairs), tuple(base_times))
