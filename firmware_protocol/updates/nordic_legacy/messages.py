"""What goes over the control point and the packet characteristic (dfu.md 4.1, 4.2; V2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from construct import Const, ConstructError, Int8ul, Int16ul, Int32ul, Struct, Terminated

from firmware_protocol.errors import DecodeError

OP_START: Final = 0x01
OP_INIT: Final = 0x02
OP_RECEIVE: Final = 0x03
OP_VALIDATE: Final = 0x04
SUCCESS: Final = 0x01
INVALID_STATE: Final = 0x02
RESULTS: Final[Mapping[int, str]] = {
    INVALID_STATE: "it is in the middle of something else",
    0x03: "it does not support this",
    0x04: "the image is larger than its room",
    0x05: "what it got does not fit the checksum of the init packet",
    0x06: "the operation failed",
}
# by the kind of a part: its bit, and the field of the size packet
KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "softdevice": (0x01, "softdevice_bytes"),
    "bootloader": (0x02, "bootloader_bytes"),
    "application": (0x04, "application_bytes"),
}

START: Final = Struct("op" / Const(OP_START, Int8ul), "kind" / Int8ul)
SIZES: Final = Struct(
    "softdevice_bytes" / Int32ul, "bootloader_bytes" / Int32ul, "application_bytes" / Int32ul
)
INIT_BEGINS: Final = bytes((OP_INIT, 0x00))
INIT_ENDS: Final = bytes((OP_INIT, 0x01))
RECEIVE: Final = bytes((OP_RECEIVE,))
VALIDATE: Final = bytes((OP_VALIDATE,))
ACTIVATE: Final = b"\x05"
RESET: Final = b"\x06"
COUNT: Final = b"\x07"
RECEIPT_REQUEST: Final = Struct("op" / Const(0x08, Int8ul), "packets" / Int16ul)

_RESPONSE: Final = Struct(Const(0x10, Int8ul), "op" / Int8ul, "result" / Int8ul, Terminated)
_RECEIPT: Final = Struct(Const(0x11, Int8ul), "received_bytes" / Int32ul, Terminated)
_COUNTED: Final = Struct(Const(b"\x10\x07\x01"), "received_bytes" / Int32ul, Terminated)
_REVISION: Final = Struct("revision" / Int16ul, Terminated)


@dataclass(frozen=True, slots=True)
class Response:
    """`10 op result`: how an operation ended."""

    op: int
    result: int
    name: str = "nordic_legacy.response"

    @property
    def words(self) -> str:
        """The result in words; an unknown one is a failure, too (dfu.md 10, rule 7)."""
        return RESULTS.get(self.result, f"it ended with the unknown code {self.result:02X}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """How much of the image arrived: `11 bytes`, or `10 07 01 bytes` where it was asked for."""

    received_bytes: int
    name: str = "nordic_legacy.receipt"


@dataclass(frozen=True, slots=True)
class Revision:
    """The value of 1534; None where the loader does not have it, as the oldest do not."""

    revision: int | None
    name: str = "nordic_legacy.revision"


def decode_control(data: bytes) -> Response | Receipt:
    """Read a notification of the control point.

    Raises:
        DecodeError: it is neither a response nor a receipt.
    """
    try:
        if data[:1] == b"\x11":
            return Receipt(_RECEIPT.parse(data).received_bytes)
        if data[:3] == b"\x10\x07\x01":
            return Receipt(_COUNTED.parse(data).received_bytes)
        found = _RESPONSE.parse(data)
    except ConstructError:
        raise DecodeError("no response and no receipt of legacy DFU") from None
    return Response(found.op, found.result)


def decode_revision(data: bytes) -> Revision:
    """Read the value of 1534.

    Raises:
        DecodeError: it has not two bytes.
    """
    if not data:
        return Revision(None)
    try:
        return Revision(_REVISION.parse(data).revision)
    except ConstructError:
        raise DecodeError("a revision of legacy DFU has two bytes") from None
