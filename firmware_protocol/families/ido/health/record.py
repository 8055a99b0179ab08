"""What every health record is: a header, item bytes, and names for both.

A record is faithful to the wire: encoding it gives the bytes it was decoded from. What the
reference leaves open stays under `unknown_<offset>`, the offset counted from the header's start.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from firmware_protocol.errors import LocalProtocolError


class Record(Protocol):
    """One decoded record."""

    @property
    def unknown_bytes(self) -> int:
        """How many of its bytes have no meaning for us."""

    def adds_up(self) -> bool:
        """Tell whether the record's own sums agree; replies may lack a CRC (ido.md 6.1)."""

    def encode(self) -> tuple[bytes, bytes]:
        """Return the header and the items as they were on the wire."""

    def fields(self) -> dict[str, object]:
        """Return everything by name, ready for JSON; unknown bytes as hex."""


@dataclass(frozen=True, slots=True)
class RecordCodec:
    """How one health type is read. `metric` names it in messages and in `RawRecord.kind`."""

    record_type: int
    metric: str
    decode_stored: Callable[[bytes, bytes, int], Record]
    stored_from_fields: Callable[[Mapping[str, object]], Record]

    def decode(self, header: bytes, items: bytes, item_count: int) -> Record:
        """Decode a record of any header size.

        Raises:
            DecodeError: header or items are not what the reference says.
        """
        if not items and not any(header):
            return EmptyRecord(len(header))
        return self.decode_stored(header, items, item_count)

    def from_fields(self, fields: Mapping[str, object]) -> Record:
        """Undo `Record.fields`.

        Raises:
            LocalProtocolError: a field is missing or does not fit its place.
        """
        try:
            if fields.get("stored") is False:
                return EmptyRecord.from_fields(fields)
            return self.stored_from_fields(fields)
        except (KeyError, TypeError, ValueError, struct.error) as error:
            raise LocalProtocolError(f"these are not fields of {self.metric}: {error}") from None


@dataclass(frozen=True, slots=True)
class EmptyRecord:
    """Nothing stored: no items and a zeroed header of the type's size (ido.md 7.2, C)."""

    header_bytes: int
    unknown_bytes: ClassVar[int] = 0

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Self:
        """Undo `fields`."""
        return cls(int(str(fields["header_bytes"])))

    def adds_up(self) -> bool:
        """Nothing does."""
        return True

    def encode(self) -> tuple[bytes, bytes]:
        """Return the zeroed header."""
        return bytes(self.header_bytes), b""

    def fields(self) -> dict[str, object]:
        """Return the size of the header."""
        return {"stored": False, "header_bytes": self.header_bytes}


@dataclass(frozen=True, slots=True)
class OpaqueRecord:
    """A record without a known layout, kept whole."""

    header: bytes
    items: bytes

    @classmethod
    def decode(cls, header: bytes, items: bytes, item_count: int) -> Self:
        """Keep both parts."""
        return cls(header, items)

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Self:
        """Undo `fields`."""
        header = bytes.fromhex(str(fields.get("unknown_0", "")))
        rest = fields[f"unknown_{len(header)}" if header else "unknown_items"]
        return cls(header, bytes.fromhex(str(rest)))

    @property
    def unknown_bytes(self) -> int:
        """All of them."""
        return len(self.header) + len(self.items)

    def adds_up(self) -> bool:
        """There is nothing that could be checked."""
        return True

    def encode(self) -> tuple[bytes, bytes]:
        """Return both parts."""
        return self.header, self.items

    def fields(self) -> dict[str, object]:
        """Name both parts by their offsets."""
        if not self.header:
            return {"unknown_items": self.items.hex()}
        return {"unknown_0": self.header.hex(), f"unknown_{len(self.header)}": self.items.hex()}


def opaque_codec(record_type: int, metric: str) -> RecordCodec:
    """Return the codec of a type whose layout the reference does not have."""
    return RecordCodec(record_type, metric, OpaqueRecord.decode, OpaqueRecord.from_fields)
