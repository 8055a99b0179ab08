"""What a firmware file is, neutral of any format: its parts, its facts, and what was checked.

A reader of a format fills an `ImageInfo`. What makes the file unreadable raises `DecodeError`;
what can be read and is wrong is a `Check` that failed, so that all objections come at once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

# Readers hand construct no more bytes than a head has: what it parsed keeps them until much later.
MAX_FILE_BYTES: Final = 256 * 1024 * 1024  # the whole file; a watch's flash is far smaller
MAX_PART_BYTES: Final = 64 * 1024 * 1024  # one part, inflated
MAX_PARTS: Final = 128


@unique
class Result(StrEnum):
    """How a check ended. Only `FAILED` objects to the file."""

    PASSED = "passed"
    FAILED = "failed"
    ADVICE = "advice"  # worth a look, or failed by a rule that the reference calls provisional
    SKIPPED = "skipped"  # could not be made, and the text says why


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `name` is stable; `part` is empty for the whole file."""

    name: str
    result: Result
    text: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """One image of a file, in the order in which they are sent.

    `data` is what goes to the watch; `head` goes before it where the transport wants one (an init
    packet). `digests` are in hex by the name of their algorithm. `facts` is what else the file
    says of the part, ready for JSON.
    """

    name: str
    kind: str
    data: bytes = field(repr=False)
    head: bytes = field(default=b"", repr=False)
    version: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """How long `data` is."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A firmware file, read. `refusal` says why no transport of ours takes it, else is empty."""

    format: str
    transport: str
    parts: tuple[ImagePart, ...]
    facts: Mapping[str, object] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    refusal: str = ""


def problems(info: ImageInfo) -> tuple[Check, ...]:
    """The objections to a file, each with its name; none where it is sound."""
    return tuple(check for check in info.checks if check.result is Result.FAILED)


def verdict(name: str, good: bool, text: str, objection: str, part: str = "") -> Check:
    """A check that passed with `text`, or failed with `objection`."""
    if good:
        return Check(name, Result.PASSED, text, part)
    return Check(name, Result.FAILED, objection, part)


def number_check(name: str, what: str, found: int, expected: int, part: str = "") -> Check:
    """Compare two sizes or sums: `what` is `found`, and should be `expected`."""
    return verdict(
        name, found == expected, f"{what} {found}", f"{what} {found}, not {expected}", part
    )


def sum_check(name: str, found: int, expected: int, part: str = "", digits: int = 8) -> Check:
    """Compare a check value of `digits` hex digits with that of the bytes."""
    return verdict(
        name,
        found == expected,
        f"{found:0{digits}X}",
        f"the file says {expected:0{digits}X}, its bytes give {found:0{digits}X}",
        part,
    )


def digest_check(
    algorithm: str, data: bytes | memoryview, expected: bytes, part: str = ""
) -> Check:
    """Compare a digest with that of `data`; `algorithm` is a name that hashlib knows."""
    found = hashlib.new(algorithm, data).digest()
    return verdict(
        "digest",
        found == expected,
        f"{algorithm} {found.hex()}",
        f"the file says {algorithm} {expected.hex()}, its bytes give {found.hex()}",
        part,
    )


def length_check(data: bytes, end: int, part: str = "") -> Check:
    """Whether `data` ends at `end`: not cut short, not sent twice, nothing behind it."""
    if len(data) < end:
        text = f"cut short: {len(data)} bytes of {end}"
        return Check("truncated", Result.FAILED, text, part)
    if len(data) == end:
        return Check("size", Result.PASSED, f"{end} bytes", part)
    if len(data) == 2 * end and memoryview(data)[end:] == memoryview(data)[:end]:
        return Check("doubled", Result.FAILED, "the file holds the same image twice", part)
    text = f"{len(data) - end} bytes behind the end of the image"
    return Check("trailing", Result.FAILED, text, part)


def unsigned_check(key: object | None, format_name: str, part: str = "") -> Check:
    """What to say of a signature where a format has none: an objection to who gave a key."""
    text = f"{format_name} carries no signature"
    if key is not None:
        return Check("unsigned", Result.FAILED, f"{text}: the key has nothing to verify", part)
    return Check("signature", Result.SKIPPED, text, part)


def field_text(field: bytes) -> str:
    """The text of a field up to its first zero; what is no UTF-8 shows as such."""
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def shown(name: str) -> str:
    """A name out of a file for an error text: short, and it moves no cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])


def hex_id(value: int, digits: int = 4) -> str:
    """An identifier of the wire as the reference writes it."""
    return f"{value:0{digits}X}"
