"""A Secure DFU bootloader (dfu.md 3): objects, running checks, versions, and a hash at the end.

The init packet is read with a few lines of our own: which fields it has stands in 3.7.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from firmware_protocol.dfu.bootloader.base import Bootloader
from firmware_protocol.dfu.bootloader.flash import Flash

_CONTROL_POINT: Final = "8ec90001-f315-4f60-9fb8-838830daea50"
_PACKET: Final = "8ec90002-f315-4f60-9fb8-838830daea50"
_COMMAND, _DATA = 1, 2
_COMMAND_BYTES, _DATA_BYTES = 512, 4096
_OK, _BAD_OPCODE, _BAD_PARAMETER, _NO_ROOM, _BAD_OBJECT = 0x01, 0x00, 0x03, 0x04, 0x05
_BAD_TYPE, _NOT_PERMITTED, _FAILED = 0x07, 0x08, 0x0A
_EXTENDED: Final = 0x0B
_VERSION_TOO_LOW, _OTHER_HARDWARE, _HASH_FAILED, _INIT_INVALID = 0x05, 0x06, 0x0A, 0x04
_VARINT, _BYTES = 0, 2


@dataclass(slots=True)
class _Init:
    """What an init packet asks for."""

    version: int = 0
    hardware: int = 0
    size_bytes: int = 0
    sha256: bytes = b""


class NordicSecureBootloader(Bootloader):
    """Takes one application image. What was executed survives resets, what was not does not."""

    def __init__(self, flash: Flash) -> None:
        super().__init__()
        self.flash = flash
        self._object = 0  # type of the object under way
        self._announced = 0  # its size
        self._command = bytearray()
        self._init: _Init | None = None
        self._executed = 0  # bytes of the image that are safe
        self._open = False  # a data object is being received
        self._prn = self._since_receipt = 0

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take an order or a packet."""
        if uuid == _PACKET:
            self._take_packet(data)
        elif uuid == _CONTROL_POINT and data:
            result, body = self._obey(data[0], data[1:])
            self.notify(_CONTROL_POINT, bytes((0x60, data[0], result)) + body)

    def link_lost(self, now_s: float) -> None:
        """A bootloader keeps its objects while it is powered."""
        super().link_lost(now_s)

    def restart(self, now_s: float) -> None:
        """Power cut: what was not executed is gone (3.6)."""
        super().restart(now_s)
        del self.flash.received[self._executed :]
        self._open = False
        if self._init is None:
            self._command.clear()

    def _obey(self, operation: int, body: bytes) -> tuple[int, bytes]:
        match operation:
            case 0x01 if len(body) == 5:
                return self._create(body[0], int.from_bytes(body[1:], "little")), b""
            case 0x02 if len(body) == 2:
                self._prn, self._since_receipt = int.from_bytes(body, "little"), 0
                return _OK, b""
            case 0x03:
                return _OK, self._progress(self._object)
            case 0x04:
                return self._execute()
            case 0x06 if len(body) == 1 and body[0] in (_COMMAND, _DATA):
                self._object = body[0]
                limit = _COMMAND_BYTES if body[0] == _COMMAND else _DATA_BYTES
                return _OK, struct.pack("<I", limit) + self._progress(body[0])
            case 0x01 | 0x02 | 0x06:
                return _BAD_PARAMETER, b""
        return _BAD_OPCODE, b""

    def _progress(self, kind: int) -> bytes:
        data = bytes(self._command if kind == _COMMAND else self.flash.received)
        return struct.pack("<II", len(data), zlib.crc32(data))

    def _create(self, kind: int, size_bytes: int) -> int:
        if kind == _COMMAND:
            if not 0 < size_bytes <= _COMMAND_BYTES:
                return _NO_ROOM
            self._command.clear()
            self._init = None
        elif kind == _DATA:
            if self._init is None:
                return _NOT_PERMITTED
            left = self._init.size_bytes - self._executed
            if not 0 < size_bytes <= min(_DATA_BYTES, left):
                return _NO_ROOM
            del self.flash.received[self._executed :]
            self._open = True
        else:
            return _BAD_TYPE
        self._object, self._announced = kind, size_bytes
        return _OK

    def _take_packet(self, data: bytes) -> None:
        """Packets beyond what was announced are dropped, as the checksum will show."""
        target = self._command if self._object == _COMMAND else self.flash.received
        begin = 0 if self._object == _COMMAND else self._executed
        if self._object == _DATA and not self._open:
            return
        target += data[: max(0, begin + self._announced - len(target))]
        self._since_receipt += 1
        if self._prn and self._since_receipt >= self._prn:
            self._since_receipt = 0
            body = bytes((0x60, 0x03, _OK)) + self._progress(self._object)
            self.notify(_CONTROL_POINT, body)

    def _execute(self) -> tuple[int, bytes]:
        if self._object == _COMMAND:
            return self._execute_init()
        if not self._open:
            return _NOT_PERMITTED, b""
        if len(self.flash.received) != self._executed + self._announced:
            return _BAD_OBJECT, b""
        init = self._init or _Init()
        self._executed, self._open = len(self.flash.received), False
        if self._executed < init.size_bytes:
            return _OK, b""
        image = bytes(self.flash.received)
        self._init, self._executed = None, 0
        self._command.clear()
        if hashlib.sha256(image).digest() != init.sha256:
            self.flash.received.clear()
            return _EXTENDED, bytes((_HASH_FAILED,))
        self.flash.activate(image, init.version)
        self.reset()
        return _OK, b""

    def _execute_init(self) -> tuple[int, bytes]:
        if not self._command or len(self._command) != self._announced:
            return _BAD_OBJECT, b""
        init = _read_init(bytes(self._command))
        if init is None:
            return _EXTENDED, bytes((_INIT_INVALID,))
        if init.hardware != self.flash.hardware:
            return _EXTENDED, bytes((_OTHER_HARDWARE,))
        if init.version < self.flash.version:
            return _EXTENDED, bytes((_VERSION_TOO_LOW,))
        if init.size_bytes > self.flash.space_bytes:
            return _EXTENDED, bytes((0x0D,))
        if self._init != init:
            self._executed = 0
            self.flash.received.clear()
        self._init = init
        return _OK, b""


def _read_init(data: bytes) -> _Init | None:
    """Walk Packet -> SignedCommand -> Command -> InitCommand (3.7)."""
    try:
        packet = _fields(data)
        command = packet.get(1) or _fields(bytes(packet[2]))[1]
        wanted = _fields(bytes(_fields(bytes(command))[2]))
        digest = _fields(bytes(wanted[8]))
        return _Init(
            int(wanted[1]),
            int(wanted[2]),
            int(wanted[7]),
            bytes(digest[2])[::-1],
        )
    except (KeyError, IndexError, ValueError, TypeError):
        return None


def _fields(data: bytes) -> dict[int, int | bytes]:
    """The fields of one protobuf message, the last of each number."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == _BYTES:
            if at + value > len(data):
                raise ValueError("a field that is cut short")
            found[key >> 3] = data[at : at + value]
            at += value
        elif key & 7 == _VARINT:
            found[key >> 3] = value
        else:
            raise ValueError("a field of another kind")
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number that does not end")
