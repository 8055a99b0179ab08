"""Type 06 swims: only the start is proposed, the rest is open (ido.md 7.7, P)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import construct as c

from firmware_protocol.families.ido.health.headed import HeadLayout
from firmware_protocol.families.ido.health.wall_time import moment_wall_s


class SwimHead(NamedTuple):
    """When the swim began; `version` is 1 on A200, also where nothing is stored (C)."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    version: int


_LAYOUT: Final = HeadLayout(
    SwimHead._make,
    "year" / c.Int16ul,
    "month" / c.Int8ul,
    "day" / c.Int8ul,
    "hour" / c.Int8ul,
    "minute" / c.Int8ul,
    "second" / c.Int8ul,
    "version" / c.Int8ul,
)


@dataclass(frozen=True, slots=True)
class SwimRecord:
    """A swim; head 34 bytes on A200, of which eight have a proposed meaning (P)."""

    head: SwimHead
    tail: bytes
    items: bytes

    @classmethod
    def decode(cls, header: bytes, items: bytes, item_count: int) -> Self:
        """Split what is known from what is not.

        Raises:
            DecodeError: the header is too short.
        """
        return cls(_LAYOUT.read(header), header[_LAYOUT.size_bytes :], items)

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Self:
        """Undo `fields`."""
        if "header_bytes" in fields:
            tail = bytes(int(str(fields["header_bytes"])) - _LAYOUT.size_bytes)
            return cls(SwimHead(0, 0, 0, 0, 0, 0, int(str(fields["version"]))), tail, b"")
        head, tail = _LAYOUT.from_fields(fields)
        return cls(head, tail, bytes.fromhex(str(fields["unknown_items"])))

    @property
    def is_stored(self) -> bool:
        """Tell whether there is more than the version in it."""
        return bool(self.items or any(self.head[:-1]) or any(self.tail))

    @property
    def unknown_bytes(self) -> int:
        """Bytes without a meaning."""
        return len(self.tail) + len(self.items) if self.is_stored else 0

    def encode(self) -> tuple[bytes, bytes]:
        """Return header and items as they came."""
        return _LAYOUT.write(self.head, self.tail), self.items

    def fields(self) -> dict[str, object]:
        """Return the start, and the rest as it is."""
        if not self.is_stored:
            size = _LAYOUT.size_bytes + len(self.tail)
            return {"header_bytes": size, "version": self.head.version}
        return _LAYOUT.fields(self.head, self.tail) | {"unknown_items": self.items.hex()}

    def adds_up(self) -> bool:
        """There is nothing to check."""
        return True

    def start_wall_s(self) -> int:
        """Return when it began.

        Raises:
            DecodeError: there is no such moment.
        """
        return moment_wall_s(*self.head[:-1])
