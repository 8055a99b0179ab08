"""Records with a fixed header and items of one size.

construct declares each header. It is read with one `struct` call that is derived from that
declaration, because a construct parse of a header costs as much as some hundred items.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import construct as c

from firmware_protocol.errors import DecodeError

Head = TypeVar("Head", bound=tuple[Any, ...])
MAX_TAIL_BYTES = 0xFFFF  # a reply gives the size of its header in 16 bits


class HeadLayout(Generic[Head]):
    """The known front of a header; `make` is `_make` of the named tuple that holds it."""

    def __init__(self, make: Callable[[Iterable[Any]], Head], *fields: Any) -> None:
        # construct's fields are untyped; each is `name / kind` of a fixed size
        self.declared = c.Struct(*fields)
        self._make = make
        self._names = tuple(str(field.name) for field in fields)
        self._struct = struct.Struct("<" + "".join(_format_of(field.subcon) for field in fields))
        self.size_bytes = self._struct.size

    def read(self, header: bytes) -> Head:
        """Read the front of `header`; what follows is the record's tail.

        Raises:
            DecodeError: the header is shorter than the known front.
        """
        if len(header) < self.size_bytes:
            raise DecodeError(f"header of {len(header)} bytes, expected {self.size_bytes}")
        return self._make(self._struct.unpack_from(header))

    def write(self, head: Head, tail: bytes) -> bytes:
        """Undo `read`."""
        return self._struct.pack(*head) + tail

    def fields(self, head: Head, tail: bytes) -> dict[str, object]:
        """Name the header's values; unknown bytes as hex, where they are not the usual zeros."""
        values: dict[str, object] = {}
        for name, value in zip(self._names, head, strict=True):
            if not isinstance(value, bytes):
                values[name] = value
            elif any(value):
                values[name] = value.hex()
        if any(tail):
            values[f"unknown_{self.size_bytes}"] = tail.hex()
        elif tail:
            values[f"reserved_{self.size_bytes}"] = len(tail)
        return values

    def from_fields(self, fields: Mapping[str, object]) -> tuple[Head, bytes]:
        """Undo `fields`."""
        head = self._make(
            bytes.fromhex(str(fields.get(name, "")))
            if name.startswith("unknown_")
            else fields[name]
            for name in self._names
        )
        packed = self._struct.pack(*head)  # refuses what does not fit, fills up with zeros
        reserved = fields.get(f"reserved_{self.size_bytes}", 0)
        if not isinstance(reserved, int) or not 0 <= reserved <= MAX_TAIL_BYTES:
            raise TypeError("the reserved bytes are a count")
        tail = bytes.fromhex(str(fields.get(f"unknown_{self.size_bytes}", ""))) or bytes(reserved)
        return self.read(packed), tail

    def unknown_bytes(self, head: Head, tail: bytes) -> int:
        """Count the header's bytes without a meaning; zeros are what the reference expects."""
        unknown = [value for value in (*head, tail) if isinstance(value, bytes) and any(value)]
        return sum(map(len, unknown))


def _format_of(kind: Any) -> str:
    if isinstance(kind, c.FormatField):
        return str(kind.fmtstr[1:])
    return f"{kind.length}s"


@dataclass(frozen=True, slots=True)
class HeadedRecord(ABC, Generic[Head]):
    """A header with its unknown tail, and the item bytes as they came."""

    LAYOUT: ClassVar[HeadLayout[Any]]
    ITEM_BYTES: ClassVar[int] = 2

    head: Head
    tail: bytes
    items: bytes

    @classmethod
    def decode(cls, header: bytes, items: bytes, item_count: int) -> Self:
        """Split header and items; `item_count` is the one of the reply.

        Raises:
            DecodeError: the header is too short or the items do not come out even.
        """
        head = cls.LAYOUT.read(header)
        if len(items) != item_count * cls.ITEM_BYTES:
            raise DecodeError(f"{len(items)} bytes of items do not hold {item_count} items")
        return cls(head, header[cls.LAYOUT.size_bytes :], items)

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Self:
        """Undo `fields`."""
        return cls(*cls.LAYOUT.from_fields(fields), cls.items_from_fields(fields))

    @property
    def unknown_bytes(self) -> int:
        """Bytes without a meaning."""
        return self.LAYOUT.unknown_bytes(self.head, self.tail)

    @abstractmethod
    def adds_up(self) -> bool:
        """Tell whether the record's own sums agree."""

    def encode(self) -> tuple[bytes, bytes]:
        """Return header and items as they came."""
        return self.LAYOUT.write(self.head, self.tail), self.items

    def fields(self) -> dict[str, object]:
        """Return header values and columns of items by name."""
        return self.LAYOUT.fields(self.head, self.tail) | self.item_fields()

    @abstractmethod
    def item_fields(self) -> dict[str, object]:
        """Return the items as named columns."""

    @classmethod
    @abstractmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""


def column(fields: Mapping[str, object], name: str) -> list[int]:
    """Return a column of integers out of decoded fields.

    Raises:
        TypeError: the field is not a list of integers.
    """
    values = fields[name]
    if not isinstance(values, list) or not all(isinstance(value, int) for value in values):
        raise TypeError(f"{name} is not a list of integers")
    return values


def interleaved(first: list[int], second: list[int]) -> bytes:
    """Put two columns of bytes back into pairs.

    Raises:
        ValueError: the columns differ in length or hold more than a byte.
    """
    pairs = bytearray(2 * len(first))
    pairs[0::2] = bytes(first)
    pairs[1::2] = bytes(second)
    return bytes(pairs)
