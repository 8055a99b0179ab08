"""A legacy DFU service (dfu.md 4), in a bootloader of its own: one bank, or two.

With one bank the old image is erased by START: a power cut before ACTIVATE leaves no application,
and the watch stays in its bootloader until a whole image came.
"""

import struct
from collections.abc import Callable
from typing import Final

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.dfu.bootloader.base import Bootloader
from firmware_protocol.dfu.bootloader.flash import Flash

_CONTROL_POINT: Final = "00001531-1212-efde-1523-785feabcd123"
_PACKET: Final = "00001532-1212-efde-1523-785feabcd123"
_REVISION: Final = "00001534-1212-efde-1523-785feabcd123"
_OK, _INVALID_STATE, _NOT_SUPPORTED, _TOO_LARGE, _BAD_CRC, _FAILED = 1, 2, 3, 4, 5, 6
_PACKET_BYTES: Final = 20
_ANY: Final = 0xFFFF


class NordicLegacyBootloader(Bootloader):
    """Takes one application. Any order that comes at the wrong time is an invalid state."""

    def __init__(self, flash: Flash, *, banks: int = 2) -> None:
        super().__init__()
        self.flash = flash
        self._banks = banks
        self._orders: dict[int, Callable[[bytes], int | None]] = {
            0x01: self._start,
            0x02: self._take_init,
            0x03: self._receive,
            0x04: self._validate,
            0x05: self._activate,
            0x06: self._discard,
            0x08: self._set_interval,
        }
        self._begin_anew()

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """The revision."""
        return bytes((8, 0)) if uuid == _REVISION else b""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take an order or a packet."""
        if uuid == _PACKET:
            self._take_packet(data)
        elif uuid == _CONTROL_POINT and data:
            result = self._obey(data[0], data[1:])
            if result is not None:
                self.notify(_CONTROL_POINT, bytes((0x10, data[0], result)))

    def link_lost(self, now_s: float) -> None:
        """No resume: everything begins anew (4.3)."""
        super().link_lost(now_s)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._state = "idle"
        self._size_bytes = 0
        self._init = bytearray()
        self._crc: int | None = None
        self._interval = self._packets = 0
        self.flash.received.clear()

    def _obey(self, operation: int, body: bytes) -> int | None:
        """The result to notify; None where nothing is answered (now)."""
        obey = self._orders.get(operation)
        return _NOT_SUPPORTED if obey is None else obey(body)

    def _receive(self, _body: bytes) -> int | None:
        if self._state != "initialised":
            return _INVALID_STATE
        self._state = "receiving"
        return None

    def _discard(self, _body: bytes) -> int | None:
        self._begin_anew()
        self.reset()
        return None

    def _set_interval(self, body: bytes) -> int | None:
        self._interval = body[0] if body else 0  # one firmware reads a single byte (4.2)
        return None

    def _start(self, body: bytes) -> int | None:
        if self._state != "idle":
            return _INVALID_STATE
        if body[:1] != b"\x04":
            return _NOT_SUPPORTED
        self._state = "sizes"
        return None

    def _take_packet(self, data: bytes) -> None:
        if self._state == "sizes":
            self._take_sizes(data)
        elif self._state == "init":
            self._init += data
        elif self._state == "receiving":
            self._take_image(data)

    def _take_sizes(self, data: bytes) -> None:
        result = _OK
        if len(data) != 12:
            result = _NOT_SUPPORTED
        else:
            softdevice, bootloader, self._size_bytes = struct.unpack("<III", data)
            if softdevice or bootloader:
                result = _NOT_SUPPORTED
            elif not 0 < self._size_bytes <= self.flash.space_bytes:
                result = _TOO_LARGE
        self._state = "started" if result == _OK else "idle"
        if result == _OK and self._banks == 1:
            self.flash.boots = False  # the erase takes the old image
        self.notify(_CONTROL_POINT, bytes((0x10, 0x01, result)))

    def _take_init(self, body: bytes) -> int | None:
        if body == b"\x00" and self._state == "started":
            self._state = "init"
            return None
        if body != b"\x01" or self._state != "init":
            return _INVALID_STATE
        self._state = "started"
        if len(self._init) < 12:
            return _FAILED
        device, _, _, count = struct.unpack_from("<HHIH", self._init)
        if len(self._init) != 12 + 2 * count or device not in (self.flash.hardware, _ANY):
            return _FAILED
        self._crc = int.from_bytes(self._init[-2:], "little")
        self._state = "initialised"
        return _OK

    def _take_image(self, data: bytes) -> None:
        if len(data) > _PACKET_BYTES or len(self.flash.received) + len(data) > self._size_bytes:
            self._state = "idle"
            self.notify(_CONTROL_POINT, bytes((0x10, 0x03, _TOO_LARGE)))
            return
        self.flash.received += data
        self._packets += 1
        if len(self.flash.received) == self._size_bytes:
            self._state = "received"
            self.notify(_CONTROL_POINT, bytes((0x10, 0x03, _OK)))
        elif self._interval and self._packets % self._interval == 0:
            count = len(self.flash.received)
            self.notify(_CONTROL_POINT, b"\x11" + count.to_bytes(4, "little"))

    def _validate(self, _body: bytes) -> int:
        if self._state != "received":
            return _INVALID_STATE
        if crc16_ccitt_false(bytes(self.flash.received)) != self._crc:
            self._state = "idle"
            return _BAD_CRC
        self._state = "valid"
        return _OK

    def _activate(self, _body: bytes) -> int | None:
        if self._state != "valid":
            return _INVALID_STATE
        version = int.from_bytes(self._init[4:8], "little")
        self.flash.activate(bytes(self.flash.received), version)
        self._begin_anew()
        self.reset()
        return None
