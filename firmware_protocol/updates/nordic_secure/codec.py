"""What is said at the control point of Nordic Secure DFU, and what its codes mean.

dfu.md 3.3 and 3.4, all of it V2. An answer is only read here; whether it answers what was asked is
for the one who waits for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final

from construct import Const, ConstructError, Int8ul, Int16ul, Int32ul, Struct, Terminated

from firmware_protocol.errors import DecodeError
from firmware_protocol.wire import Kind


@unique
class Op(IntEnum):
    """What a control point can be asked."""

    CREATE = 0x01
    SET_RECEIPTS = 0x02
    CHECKSUM = 0x03
    EXECUTE = 0x04
    SELECT = 0x06


@unique
class ObjectType(IntEnum):
    """The two kinds of objects: the init packet, and a piece of the image."""

    COMMAND = 1
    DATA = 2


SUCCESS: Final = 0x01
NOT_PERMITTED: Final = 0x08
_EXTENDED: Final = 0x0B
_RESULTS: Final[Mapping[int, str]] = {
    0x00: "invalid opcode",
    0x02: "not supported",
    0x03: "invalid parameter",
    0x04: "insufficient resources",
    0x05: "invalid object",
    0x06: "invalid signature",
    0x07: "unsupported type",
    0x08: "operation not permitted",
    0x0A: "operation failed",
    0x0B: "extended error",
}
_EXTENDED_ERRORS: Final[Mapping[int, str]] = {
    0x00: "none is given",
    0x01: "invalid error code",
    0x02: "wrong command format",
    0x03: "unknown command",
    0x04: "the init command is invalid",
    0x05: "the firmware version is too low",
    0x06: "the firmware is for another hardware version",
    0x07: "the firmware is for another SoftDevice",
    0x08: "the signature is missing",
    0x09: "the kind of hash is wrong",
    0x0A: "the hash does not fit the image",
    0x0B: "the kind of signature is wrong",
    0x0C: "the verification failed",
    0x0D: "there is not enough space",
    0x0E: "this firmware is there already",
}
# what a loader says of a SoftDevice or bootloader that it has already (3.7): the version must be
# higher, and the SoftDevice that it replaces is gone
ALREADY_THERE: Final = frozenset({0x05, 0x07, 0x0E})

_CREATE: Final = Struct("op" / Const(Op.CREATE, Int8ul), "type" / Int8ul, "size" / Int32ul)
_SET_RECEIPTS: Final = Struct("op" / Const(Op.SET_RECEIPTS, Int8ul), "packets" / Int16ul)
_SELECT: Final = Struct("op" / Const(Op.SELECT, Int8ul), "type" / Int8ul)
CHECKSUM: Final = bytes([Op.CHECKSUM])
EXECUTE: Final = bytes([Op.EXECUTE])
ENTER_LOADER: Final = b"\x01"  # at a buttonless characteristic (3.2)

_HEAD: Final = Struct("mark" / Const(b"\x60"), "op" / Int8ul, "result" / Int8ul)
_ENTERED: Final = Struct(
    "mark" / Const(b"\x20"), "op" / Const(ENTER_LOADER), "result" / Int8ul, Terminated
)
_NOTHING: Final = Struct(Terminated)
_CODE: Final = Struct("extended" / Int8ul, Terminated)
_STANDS: Final[Mapping[int, Struct]] = {
    Op.CHECKSUM: Struct("offset" / Int32ul, "crc" / Int32ul, Terminated),
    Op.SELECT: Struct("max_bytes" / Int32ul, "offset" / Int32ul, "crc" / Int32ul, Terminated),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a control point. Where the loader stands is zero in answers that do not say.

    `op` is what it answers; for a data object `offset` and `crc` are of the whole image so far.
    """

    op: int
    result: int
    offset: int = 0
    crc: int = 0
    max_bytes: int = 0
    extended: int = 0

    @property
    def name(self) -> str:
        """See `Message.name`."""
        known = {op.value: op.name.lower() for op in Op}
        return f"nordic-secure.{known.get(self.op, f'op_{self.op:02x}')}.reply"

    @property
    def succeeded(self) -> bool:
        """Whether the loader did what it was asked."""
        return self.result == SUCCESS

    @property
    def words(self) -> str:
        """What the result means."""
        if self.result == _EXTENDED:
            return _named(_EXTENDED_ERRORS, self.extended)
        return _named(_RESULTS, self.result)


@dataclass(frozen=True, slots=True)
class Entered:
    """An application's answer to the wish for its loader."""

    result: int

    @property
    def name(self) -> str:
        """See `Message.name`."""
        return "nordic-secure.enter.reply"

    @property
    def words(self) -> str:
        """What the result means."""
        return _named(_RESULTS, self.result)


def create(kind: ObjectType, size_bytes: int) -> bytes:
    """Ask for a new object (01)."""
    return _CREATE.build({"type": kind, "size": size_bytes})


def set_receipts(packets: int) -> bytes:
    """Ask for a receipt after every so many packets (02); 0 is for none."""
    return _SET_RECEIPTS.build({"packets": packets})


def select(kind: ObjectType) -> bytes:
    """Ask how far the loader got with a kind of object (06)."""
    return _SELECT.build({"type": kind})


def decode_answer(data: bytes) -> Answer:
    """Read a notification of the control point.

    Raises:
        DecodeError: it is no answer, or of another length than its op has.
    """
    head = _parsed(_HEAD, data)
    rest = data[_HEAD.sizeof() :]
    if head["result"] == SUCCESS:
        body = _parsed(_STANDS.get(head["op"], _NOTHING), rest)
    else:
        body = _parsed(_CODE if head["result"] == _EXTENDED else _NOTHING, rest)
    return Answer(**head, **body)


def decode_entered(data: bytes) -> Entered:
    """Read an indication of a buttonless characteristic (3.2, example 1).

    Raises:
        DecodeError: it answers nothing that we ask there.
    """
    return Entered(**_parsed(_ENTERED, data))


def _parsed(kind: Kind, data: bytes) -> dict[str, int]:
    try:
        found = kind.parse(data)
    except ConstructError:
        raise DecodeError(f"no answer of a Nordic loader: {len(data)} bytes") from None
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _named(names: Mapping[int, str], code: int) -> str:
    return names.get(code, f"code {code:02X}, which the reference does not have")
