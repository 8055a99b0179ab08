"""FIT messages as bytes: the one place that knows fit-tool, which has no types.

fit-tool gives the profile (numbers, types, scales of fields), definitions, header and checksum. Its
own encoding builds a hundred objects a message and takes half a millisecond for each; here
many messages of one shape share a definition and are packed in one call each.

A value outside what its field can hold is written as absent, never wrapped; a field that the
profile does not know is an error of ours.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

FitValue = int | float | str | None
UTC_OF_FIT: Final = 631_065_600  # 1989-12-31; FIT counts from there
_DEFINITION: Final = 0x40  # in the header of a message, beside the local number
_MOST_TEXT: Final = 60


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field of the profile is packed; `absent` is its type's own word for no value."""

    number: int
    base_type: Any
    scale: float
    offset: float
    least: int
    most: int
    absent: int

    def raw(self, value: FitValue) -> int | bytes:
        """What stands in the file; absent where the field cannot hold the value."""
        if value is None:
            return self.absent
        if isinstance(value, str):
            return _text(value)
        raw = round((value + self.offset) * self.scale)
        return raw if self.least <= raw <= self.most else self.absent


class FitFile:
    """A FIT file that grows message by message."""

    def __init__(self) -> None:
        self._records = bytearray()
        self._local_numbers: dict[str, int] = {}

    def add(self, kind: str, **values: FitValue) -> None:
        """Add one message; times are milliseconds since 1970, all else as the profile says."""
        self.add_many(kind, list(values), [list(values.values())])

    def add_many(self, kind: str, names: Sequence[str], rows: Iterable[Sequence[FitValue]]) -> None:
        """Add messages of one shape: the values of each row as `names` says.

        A text must be as long in each row as in the first.
        """
        fields = [_field(kind, name) for name in names]
        head: bytes | None = None
        packing = struct.Struct("<B")
        local = self._local_numbers.setdefault(kind, len(self._local_numbers))
        for row in rows:
            values = [field.raw(value) for field, value in zip(fields, row, strict=True)]
            if head is None:
                head = _definition(kind, local, fields, values)
                packing = struct.Struct("<B" + "".join(map(_code, fields, values)))
                self._records += head
            self._records += packing.pack(local, *values)

    def to_bytes(self) -> bytes:
        """Header, messages, checksum."""
        from fit_tool.fit_file_header import FitFileHeader
        from fit_tool.utils.crc import crc16

        header: bytes = FitFileHeader(records_size=len(self._records), gen_crc=True).to_bytes()
        checksum: int = crc16(self._records, crc16(header))
        return header + bytes(self._records) + struct.pack("<H", checksum)


def _definition(
    kind: str, local: int, fields: Sequence[_Field], values: Sequence[int | bytes]
) -> bytes:
    from fit_tool.definition_message import DefinitionMessage
    from fit_tool.field_definition import FieldDefinition

    definitions = [
        FieldDefinition(
            field.number,
            len(value) if isinstance(value, bytes) else field.base_type.size,
            field.base_type,
        )
        for field, value in zip(fields, values, strict=True)
    ]
    message = DefinitionMessage(
        local_id=local, global_id=_message(kind).global_id, field_definitions=definitions
    )
    return bytes((_DEFINITION | local,)) + bytes(message.to_bytes())


def _code(field: _Field, value: int | bytes) -> str:
    return f"{len(value)}s" if isinstance(value, bytes) else str(field.base_type.struct_format)


def _text(text: str) -> bytes:
    """A text that ends in a zero byte, cut between letters."""
    plain = "".join(c for c in text if c.isprintable())
    return plain.encode()[:_MOST_TEXT].decode(errors="ignore").encode() + b"\0"


@lru_cache(maxsize=16)
def _message(kind: str) -> Any:  # fit-tool has no types
    name = "".join(word.capitalize() for word in kind.split("_"))
    module = import_module(f"fit_tool.profile.messages.{kind}_message")
    return getattr(module, f"{name}Message")()


@lru_cache(maxsize=128)
def _field(kind: str, name: str) -> _Field:
    """Raises ValueError for a name that the profile does not know."""
    found = _message(kind).get_field_by_name(name)
    if found is None:
        raise ValueError(f"FIT knows no field {name} in {kind}")
    base_type = found.base_type
    return _Field(
        found.field_id,
        base_type,
        float(found.scale or 1),
        float(found.offset or 0),
        base_type.min or 0,
        base_type.max or 0,
        base_type.invalid_raw_value(),
    )


def fit_ms(utc_s: int) -> int:
    """An instant as fit-tool's profile counts it."""
    return 1000 * utc_s
