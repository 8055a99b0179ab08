"""Messages out of the bytes of FIT files: the one reader that knows fit-tool, which has no types.

fit-tool reads the wire (definitions, compressed times, checksums); numbers of fields are the
profile's. A field that is absent, a text, or an array is not among the numbers of a message.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from ksos_link.errors import MalformedError

UTC_OF_FIT: Final = 631_065_600  # 1989-12-31; FIT counts from there
TIMESTAMP: Final = 253
_TEXT: Final = 7
# base types by their number: size, code of struct, and what stands for "absent"
_BASE_TYPES: Final = {
    0: (1, "B", 0xFF),
    1: (1, "b", 0x7F),
    2: (1, "B", 0xFF),
    10: (1, "B", 0),
    131: (2, "h", 0x7FFF),
    132: (2, "H", 0xFFFF),
    139: (2, "H", 0),
    133: (4, "i", 0x7FFFFFFF),
    134: (4, "I", 0xFFFFFFFF),
    140: (4, "I", 0),
}


@dataclass(frozen=True, slots=True)
class FitMessage:
    """One message: its number in the profile, and its fields by theirs, unscaled."""

    number: int
    values: dict[int, int]
    texts: dict[int, str] = field(default_factory=dict)

    def scaled(self, number: int, scale: float, offset: float = 0.0) -> float | None:
        """A field as the profile scales it."""
        value = self.values.get(number)
        return None if value is None else value / scale - offset

    def utc_s(self, number: int = TIMESTAMP) -> int | None:
        """An instant; None also for one that counts from when a device was switched on."""
        value = self.values.get(number)
        return None if value is None or value < 0x1000_0000 else value + UTC_OF_FIT


def fit_messages(stream: BinaryIO, wanted: frozenset[int]) -> Iterator[FitMessage]:
    """The messages of some numbers, in order; of several files in one too.

    Raises:
        MalformedError: it is no FIT file, is not whole, or a checksum is wrong.
    """
    from fit_tool.exceptions import FitError
    from fit_tool.wire.decoder import WireDecoder

    rest = _Rest(stream)
    try:
        while not rest.is_at_end():
            plans = _Plans(wanted)
            for record in WireDecoder().iter_raw_records(rest):
                message = plans.read(record)
                if message is not None:
                    yield message
    except (FitError, struct.error, ValueError) as error:
        raise MalformedError(
            "The FIT file is damaged or not whole.", "Nothing of it was kept."
        ) from error


class _Plans:
    """How the fields of each definition are taken out of its messages."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self._wanted = wanted
        self._known: dict[int, tuple[Any, struct.Struct | None, list[tuple[int, int]]]] = {}

    def read(self, record: Any) -> FitMessage | None:
        """The message of a record of the wire, None for one that nobody wants."""
        definition = getattr(record, "definition", None)
        if definition is None or definition.global_id not in self._wanted:
            return None
        local = record.header.local_id
        known = self._known.get(local)
        if known is None or known[0] is not definition:
            known = self._known[local] = (definition, *_plan(definition))
        _, packing, fields = known
        found: tuple[Any, ...] = packing.unpack_from(record.payload) if packing else ()
        values: dict[int, int] = {}
        texts: dict[int, str] = {}
        for (number, absent), value in zip(fields, found, strict=True):
            if isinstance(value, bytes):
                texts[number] = value.partition(b"\0")[0].decode("utf-8", "replace")
            elif value != absent:
                values[number] = value
        if record.resolved_timestamp is not None:
            values[TIMESTAMP] = record.resolved_timestamp
        return FitMessage(definition.global_id, values, texts)


def _plan(definition: Any) -> tuple[struct.Struct, list[tuple[int, int]]]:
    """One unpacking for all fields that are one number or a text, each with its "absent"."""
    codes = ["<" if definition.architecture == 0 else ">"]
    fields: list[tuple[int, int]] = []
    for each in definition.field_definitions:
        size, code, absent = _BASE_TYPES.get(each.base_type, (0, "", 0))
        if each.base_type == _TEXT and each.size:
            codes.append(f"{each.size}s")
            fields.append((each.field_id, 0))
        elif each.size == size:
            codes.append(code)
            fields.append((each.field_id, absent))
        else:
            codes.append(f"{each.size}x")
    return struct.Struct("".join(codes)), fields


class _Rest:
    """A stream that can tell whether it has ended."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead = b""

    def is_at_end(self) -> bool:
        self._ahead = self._ahead or self._stream.read(1)
        return not self._ahead

    def read(self, size: int = -1) -> bytes:
        ahead, self._ahead = self._ahead[:size], b""
        return ahead + self._stream.read(size - len(ahead)) if size > len(ahead) else ahead
