"""Control commands of the Realtek loader and what it answers (dfu.md 5.2, 5.3; V).

*Provisional:* the layout of the busy notification beyond its one byte, and the bank numbers of the
image versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from construct import Bytes, Int8ul, Int16ul, Int32ul, Padding, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.wire import Kind

START: Final = 0x01
RECEIVE: Final = 0x02
VALIDATE: Final = 0x03
ACTIVATE: Final = 0x04
RESET: Final = 0x05
REPORT_TARGET: Final = 0x06
BUSY: Final = 0x08
BUFFER_CHECK: Final = 0x09
REPORT_BUFFER: Final = 0x0A
IMAGE_VERSIONS: Final = 0x0D
_ANSWER: Final = 0x10

SUCCESS: Final = 0x01
INVALID_PARAMETER: Final = 0x02
CRC_ERROR: Final = 0x05
LENGTH_ERROR: Final = 0x06
PROGRAM_ERROR: Final = 0x07
STATUSES: Final[Mapping[int, str]] = {
    SUCCESS: "success",
    INVALID_PARAMETER: "invalid parameter",
    0x03: "operation failed",
    0x04: "the image is too large",
    CRC_ERROR: "checksum error",
    LENGTH_ERROR: "length error",
    PROGRAM_ERROR: "the flash could not be written",
    0x08: "the flash could not be erased",
    0x09: "the version does not fit the system's",
    0xFF: "unknown command",  # Bee2
}
_NAMES: Final[Mapping[int, str]] = {
    START: "start",
    RECEIVE: "receive",
    VALIDATE: "validate",
    ACTIVATE: "activate",
    RESET: "reset",
    REPORT_TARGET: "target",
    BUFFER_CHECK: "buffer_check",
    REPORT_BUFFER: "buffer",
    IMAGE_VERSIONS: "versions",
}

_TARGET: Final = Struct("image_id" / Int16ul, "offset" / Int32ul)
_BUFFER: Final = Struct("size_bytes" / Int16ul, "sum" / Bytes(2))
# 5.3, by the length of what follows the status
_TARGET_ANSWERS: Final = {
    6: Struct("version" / Int16ul, "offset" / Int32ul),
    8: Struct("version" / Int32ul, "offset" / Int32ul),
    10: Struct(Padding(4), "offset" / Int32ul, "check_offset" / Int16ul),
}
_BUFFER_CHECK_ANSWER: Final = Struct("buffer_bytes" / Int16ul, "mtu" / Int16ul)
_BUFFER_ANSWER: Final = Struct("offset" / Int32ul)
_VERSIONS_HEAD: Final = Struct("bank" / Int8ul, "count" / Int8ul)
_VERSION_BYTES: Final = (4, 8)


@dataclass(frozen=True, slots=True)
class Answer:
    """`10 op status data`; `fields` are empty where the status carries none."""

    name: str
    opcode: int
    status: int
    fields: Mapping[str, int] = field(default_factory=dict)
    versions: tuple[tuple[int, int, int], ...] = ()  # image id, version, and its bytes

    @property
    def verdict(self) -> str:
        """The status in words; an unknown one by its number."""
        return STATUSES.get(self.status, f"status {self.status:02X}")


@dataclass(frozen=True, slots=True)
class Busy:
    """The watch has to do something else first, or is done with it."""

    name: str
    is_busy: bool


@dataclass(frozen=True, slots=True)
class Value:
    """What was read from a characteristic."""

    name: str
    uuid: str
    data: bytes


def xor16(data: bytes) -> bytes:
    """The sum of a buffer (dfu.md 11): XOR of its little-endian words, high byte first."""
    high = low = 0
    for byte in data[1::2]:
        high ^= byte
    for byte in data[0::2]:
        low ^= byte
    return bytes((high, low))


def start(payload: bytes) -> bytes:
    """`01`, with the 16 bytes of 5.5."""
    return bytes((START,)) + payload


def receive(image_id: int, offset: int) -> bytes:
    """`02`: data follows from this byte on. It has no answer."""
    return bytes((RECEIVE,)) + _built(_TARGET, image_id=image_id, offset=offset)


def validate(image_id: int, *, is_last: bool | None) -> bytes:
    """`03`; newer chips want to know whether it is the last image, Bee2 does not (None)."""
    tail = b"" if is_last is None else bytes((is_last,))
    return bytes((VALIDATE,)) + image_id.to_bytes(2, "little") + tail


def activate(*, is_new: bool) -> bytes:
    """`04`; newer chips want a byte that tells them not to stay in the update mode."""
    return bytes((ACTIVATE, 0)) if is_new else bytes((ACTIVATE,))


def report_target(image_id: int) -> bytes:
    """`06`: how far is this image?"""
    return bytes((REPORT_TARGET,)) + image_id.to_bytes(2, "little")


def report_buffer(sent: bytes) -> bytes:
    """`0A`: the size and the sum of what was sent since the last one."""
    return bytes((REPORT_BUFFER,)) + _built(_BUFFER, size_bytes=len(sent), sum=xor16(sent))


def image_versions(bank: int) -> bytes:
    """`0D`: which images does a bank hold?"""
    return bytes((IMAGE_VERSIONS, bank))


def decode_control(data: bytes) -> Answer | Busy:
    """Read a notification of the control characteristic.

    Raises:
        DecodeError: it is none that the reference has, or its length is wrong.
    """
    if len(data) == 2 and data[0] == BUSY:
        return Busy("realtek.busy", data[1] == 1)
    if len(data) < 3 or data[0] != _ANSWER or data[1] not in _NAMES:
        raise DecodeError(f"no answer of a Realtek loader: {data[:3].hex()}")
    opcode, status, rest = data[1], data[2], data[3:]
    name = f"realtek.{_NAMES[opcode]}.reply"
    if opcode == REPORT_BUFFER and rest:  # with an error, too: from there it wants them again
        return Answer(name, opcode, status, _fields(_BUFFER_ANSWER, rest))
    if status != SUCCESS:
        return Answer(name, opcode, status)
    if opcode == IMAGE_VERSIONS:
        bank, versions = _versions(rest)
        return Answer(name, opcode, status, {"bank": bank}, versions)
    layout = _BUFFER_CHECK_ANSWER if opcode == BUFFER_CHECK else None
    if opcode == REPORT_TARGET:
        layout = _TARGET_ANSWERS.get(len(rest), _TARGET_ANSWERS[8])
    return Answer(name, opcode, status, _fields(layout, rest) if layout else {})


def _versions(data: bytes) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """A bank and its images; newer firmware has versions of eight bytes."""
    head_bytes = _VERSIONS_HEAD.sizeof()
    head = _fields(_VERSIONS_HEAD, data[:head_bytes])
    body = data[head_bytes:]
    count = head["count"]
    if not count and not body:
        return head["bank"], ()
    size, rest = divmod(len(body), count) if count else (0, 1)
    if rest or size - 2 not in _VERSION_BYTES:
        raise DecodeError(f"versions of {count} images in {len(body)} bytes")
    entries = (body[at : at + size] for at in range(0, len(body), size))
    return head["bank"], tuple(
        (int.from_bytes(each[:2], "little"), int.from_bytes(each[2:], "little"), size - 2)
        for each in entries
    )


def _fields(layout: Kind, data: bytes) -> dict[str, int]:
    if len(data) != layout.sizeof():
        raise DecodeError(f"{len(data)} bytes where a Realtek loader sends {layout.sizeof()}")
    parsed = layout.parse(data)
    return {name: value for name, value in parsed.items() if not name.startswith("_")}


def _built(layout: Kind, **fields: int | bytes) -> bytes:
    return bytes(layout.build(fields))
