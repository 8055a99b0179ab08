"""Declaring wire layouts: construct kinds whose values have names, and layouts that lose nothing.

A `Layout` reads the fields of a construct `Struct` one by one, so that a message may end early
(older firmware sends less) or late (newer firmware sends more) and still encodes to exactly the
bytes it came from. Values are ready for JSON: numbers, strings, lists and dicts.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from construct import (
    Adapter,
    Bytes,
    BytesInteger,
    Construct,
    ConstructError,
    GreedyBytes,
    Renamed,
    Struct,
    Subconstruct,
)

from firmware_protocol.errors import LocalProtocolError

# construct is generic for type checkers only, and parses whatever it was told to: hence `Any`
if TYPE_CHECKING:
    Kind = Construct[Any, Any]
    Nothing = Construct[None, None]
    ValueAdapter = Adapter[Any, Any, Any, Any]
    AnySubconstruct = Subconstruct[Any, Any, Any, Any]
else:
    Kind = Nothing = Construct
    ValueAdapter = Adapter
    AnySubconstruct = Subconstruct
_BuildError: Final = (ConstructError, ValueError, TypeError, KeyError, AttributeError, IndexError)


class Code(ValueAdapter):
    """A number with names. Codes without a name of their own stay numbers, and survive."""

    def __init__(self, subcon: Kind, names: Mapping[int, str]) -> None:
        super().__init__(subcon)
        self._codes: dict[str, int] = {}
        for code, name in names.items():
            self._codes.setdefault(name, code)
        self._names = {code: name for name, code in self._codes.items()}

    def _decode(self, obj: int, context: object, path: object) -> str | int:
        return self._names.get(obj, obj)

    def _encode(self, obj: str | int, context: object, path: object) -> int:
        return self._codes[obj] if isinstance(obj, str) else obj


class Flags(ValueAdapter):
    """A number as the list of its set bits, lowest first; bits without a name are `bit_N`."""

    def __init__(self, subcon: Kind, names: Sequence[str]) -> None:
        super().__init__(subcon)
        self._names = names

    def _decode(self, obj: int, context: object, path: object) -> list[str]:
        return [self._name(bit) for bit in range(obj.bit_length()) if obj >> bit & 1]

    def _encode(self, obj: Sequence[str], context: object, path: object) -> int:
        bits = {self._name(bit): bit for bit in range(8 * self.subcon.sizeof())}
        return sum(1 << bits[name] for name in set(obj))

    def _name(self, bit: int) -> str:
        return self._names[bit] if bit < len(self._names) and self._names[bit] else f"bit_{bit}"


class Text(ValueAdapter):
    """UTF-8. Bytes that are none (a name cut inside a character) become lone surrogates."""

    def _decode(self, obj: bytes, context: object, path: object) -> str:
        return obj.decode("utf-8", "surrogateescape")

    def _encode(self, obj: str, context: object, path: object) -> bytes:
        return obj.encode("utf-8", "surrogateescape")


TEXT_TO_END: Final = Text(GreedyBytes)


class FixedText(Text):
    """UTF-8 in a fixed number of bytes, filled with zeros."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(Bytes(size_bytes))

    def _decode(self, obj: bytes, context: object, path: object) -> str:
        return super()._decode(obj.rstrip(b"\0"), context, path)

    def _encode(self, obj: str, context: object, path: object) -> bytes:
        return super()._encode(obj, context, path).ljust(self.subcon.sizeof(), b"\0")


class Hex(ValueAdapter):
    """Bytes that are opaque by nature (a challenge, a file's content) as a hex string."""

    def __init__(self, size_bytes: int | None = None) -> None:
        super().__init__(GreedyBytes if size_bytes is None else Bytes(size_bytes))

    def _decode(self, obj: bytes, context: object, path: object) -> str:
        return obj.hex()

    def _encode(self, obj: str, context: object, path: object) -> bytes:
        return bytes.fromhex(obj)


class Address(ValueAdapter):
    """A Bluetooth address in display order, most significant byte first."""

    def __init__(self) -> None:
        super().__init__(Bytes(6))

    def _decode(self, obj: bytes, context: object, path: object) -> str:
        return obj.hex(":").upper()

    def _encode(self, obj: str, context: object, path: object) -> bytes:
        return bytes.fromhex(obj.replace(":", ""))


class Written(ValueAdapter):
    """Numbers written as one string: `Written("{:02d}:{:02d}", Int8ul, Int8ul)` is `09:30`.

    Any numbers come back as they were; that they are a time or a date is for the reader to check.
    """

    def __init__(self, pattern: str, *kinds: Kind) -> None:
        super().__init__(Struct(*(str(place) / kind for place, kind in enumerate(kinds))))
        self._pattern = pattern
        self._marks = str.maketrans(dict.fromkeys("-:T", " "))
        self._count = len(kinds)

    def _decode(self, obj: Mapping[str, int], context: object, path: object) -> str:
        return self._pattern.format(*(obj[str(place)] for place in range(self._count)))

    def _encode(self, obj: str, context: object, path: object) -> dict[str, int]:
        numbers = [int(part) for part in obj.translate(self._marks).split()]
        if len(numbers) != self._count:
            raise ValueError(f"not of the form {self._pattern}")
        return {str(place): number for place, number in enumerate(numbers)}


class Packed(ValueAdapter):
    """Numbers of odd widths packed into little-endian bytes from the lowest bit up."""

    def __init__(self, size_bytes: int, **widths_bits: int) -> None:
        super().__init__(BytesInteger(size_bytes, swapped=True))
        self._widths_bits = widths_bits

    def _decode(self, obj: int, context: object, path: object) -> dict[str, int]:
        values: dict[str, int] = {}
        for name, width in self._widths_bits.items():
            values[name] = obj & ((1 << width) - 1)
            obj >>= width
        return values

    def _encode(self, obj: Mapping[str, int], context: object, path: object) -> int:
        packed = shift = 0
        for name, width in self._widths_bits.items():
            if obj[name] >> width:
                raise ValueError(f"{name} needs more than {width} bits")
            packed |= obj[name] << shift
            shift += width
        return packed


class Maybe(AnySubconstruct):
    """A last field that not every sender sends; it and all after it may be absent."""


class Filler(Nothing):
    """Bytes whose values are known beforehand: `size(offset)` of them, zeros unless given.

    They show in the decoded fields only where they are not as expected: fewer of them as
    `reserved_<offset>` (how many there are), others as `unknown_<offset>`.
    """

    def __init__(self, content: bytes = b"", *, fill_to: int = 0, multiple_of: int = 1) -> None:
        super().__init__()
        self._content = content
        self._fill_to = fill_to
        self._multiple_of = multiple_of

    def expected(self, offset: int) -> bytes:
        """Return what belongs at this offset of the body."""
        end = max(self._fill_to, -(-offset // self._multiple_of) * self._multiple_of)
        return self._content or bytes(max(0, end - offset))


class Zeros(Filler):
    """Any number of zeros to the end of the body; `reserved_<offset>` says how many there are."""


def reserved(size_bytes: int) -> Filler:
    """Zeros that the reference calls reserved, or that every capture shows."""
    return Filler(bytes(size_bytes))


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body. `padding` counts the zeros at its end that a log added."""

    fields: dict[str, object]
    padding: int = 0
    unknown_bytes: int = 0


class BodyLayout(Protocol):
    """What a message type needs of its layout."""

    def decode(self, body: bytes, *, padded: bool = False) -> Body:
        """Name every byte of `body`."""

    def encode(self, fields: Mapping[str, object], *, short: bool = False) -> bytes:
        """Undo `decode`."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: Kind
    optional: bool


class Layout:
    """The fields of a construct `Struct`, decoded as far as the bytes go."""

    def __init__(self, struct: Struct) -> None:
        self._parts = [_part(subcon) for subcon in struct.subcons]

    def decode(self, body: bytes, *, padded: bool = False) -> Body:
        """Name every byte of `body`.

        What lies beyond the layout, or does not fit its field, is `unknown_<offset>` in hex. With
        `padded` the body may end in zeros that were not sent.
        """
        fields: dict[str, object] = {}
        offset = 0
        for part in self._parts:
            rest = body[offset:]
            if isinstance(part, Filler):
                offset += _take_filling(part, offset, rest, fields, padded=padded)
                continue
            if padded and part.optional and not any(rest):
                break
            stream = io.BytesIO(rest)
            try:
                fields[part.name] = _plain(part.kind.parse_stream(stream))
            except ConstructError:
                break
            offset += stream.tell()
        tail = body[offset:]
        real = tail.rstrip(b"\0") if padded else tail
        if real:
            fields[f"unknown_{offset}"] = real.hex()
        return Body(fields, len(tail) - len(real), unknown_bytes_in(fields))

    def encode(self, fields: Mapping[str, object], *, short: bool = False) -> bytes:
        """Undo `decode`. Only with `short` may fields be missing that are not optional.

        Raises:
            LocalProtocolError: a field is missing, is not known, or does not fit its place.
        """
        body = b""
        left = dict(fields)
        for part in self._parts:
            if isinstance(part, Filler):
                body += _filling(part, len(body), left)
            elif part.name in left:
                try:
                    body += part.kind.build(left.pop(part.name))
                except _BuildError as error:
                    raise LocalProtocolError(f"{part.name} does not fit: {error}") from None
            elif short or part.optional:
                break
            else:
                raise LocalProtocolError(f"{part.name} is missing")
        body += _unknown(len(body), left)
        if left:
            raise LocalProtocolError(f"no place for {', '.join(sorted(left))}")
        return body


def _part(subcon: Any) -> _Field | Filler:
    """Read one declared field. construct types them all as `Construct`; Renamed has the name."""
    if isinstance(subcon, Filler):
        return subcon
    if not isinstance(subcon, Renamed) or subcon.name is None:
        raise TypeError("a field of a layout needs a name")
    return _Field(subcon.name, subcon.subcon, isinstance(subcon.subcon, Maybe))


def unknown_bytes_in(value: object) -> int:
    """Count the bytes that decoded fields keep as `unknown_...`, at any depth."""
    if isinstance(value, Mapping):
        return sum(
            len(part) // 2
            if name.startswith("unknown_") and isinstance(part, str)
            else unknown_bytes_in(part)
            for name, part in value.items()
        )
    return sum(map(unknown_bytes_in, value)) if isinstance(value, list) else 0


def _take_filling(
    filler: Filler, offset: int, rest: bytes, fields: dict[str, object], *, padded: bool
) -> int:
    """Note in `fields` how the filling differs from what is expected; return its size."""
    if isinstance(filler, Zeros):
        if padded or not rest or any(rest):
            return 0
        fields[f"reserved_{offset}"] = len(rest)
        return len(rest)
    expected = filler.expected(offset)
    taken = rest[: len(expected)]
    if not expected.startswith(taken):
        fields[f"unknown_{offset}"] = taken.hex()
    elif len(taken) < len(expected):
        fields[f"reserved_{offset}"] = len(taken)
    return len(taken)


def _filling(filler: Filler, offset: int, left: dict[str, object]) -> bytes:
    expected = filler.expected(offset)
    if expected and f"unknown_{offset}" in left:
        return _unknown(offset, left)
    count = left.pop(f"reserved_{offset}", len(expected))
    if not isinstance(count, int) or count < 0:
        raise LocalProtocolError(f"reserved_{offset} is not a count")
    return bytes(count) if isinstance(filler, Zeros) else expected[:count]


def _unknown(offset: int, left: dict[str, object]) -> bytes:
    try:
        return bytes.fromhex(str(left.pop(f"unknown_{offset}", "")))
    except ValueError:
        raise LocalProtocolError(f"unknown_{offset} is not hex") from None


def _plain(value: object) -> object:
    """Drop what construct adds to its containers."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
