"""A virtual Nordic Secure DFU bootloader, sans-IO: its rules, objects and flash.

dfu.md 3.3 to 3.6, V2. *Provisional:* the results of misuse that the reference does not tell apart,
and that a new init packet discards what is there of an image.
"""

import hashlib
import zlib
from typing import Final

from firmware_protocol.updates.loader import Flash, LoaderSession
from firmware_protocol.updates.nordic_secure import gatt
from firmware_protocol.updates.nordic_secure.loader_init import (
    APPLICATION,
    BOOTLOADER,
    SOFTDEVICE,
    InitRefusedError,
    Order,
    SecureTraits,
    read_order,
)

DATA_BYTES: Final = 4096  # of one object: a flash page (3.3)
_COMMAND: Final = 1
_DATA: Final = 2
_IDLE_S: Final = 120.0  # minutes (3.6); then the bootloader resets

_OK: Final = b"\x01"
_NOT_SUPPORTED: Final = b"\x02"
_INVALID_PARAMETER: Final = b"\x03"
_NO_RESOURCES: Final = b"\x04"
_UNSUPPORTED_TYPE: Final = b"\x07"
_NOT_PERMITTED: Final = b"\x08"
_HASH_FAILED: Final = b"\x0b\x0a"


class NordicSecureLoader(LoaderSession):
    """A bootloader that was called, or that has nothing to start.

    Executed objects are in flash and survive a power cut; the object at work does not.
    """

    def __init__(self, flash: Flash, traits: SecureTraits | None = None) -> None:
        self.flash = flash
        self._traits = traits or SecureTraits()
        self._bootloader_version = self._traits.bootloader_version
        self._kept_init = b""  # in flash, as the next
        self._kept_image = bytearray()
        self._order: Order | None = None  # by an init packet that was executed since the reset
        self._init = bytearray()
        self._init_bytes = 0  # how long it was announced
        self._object = bytearray()
        self._object_bytes = 0
        self._type = _COMMAND  # what packets, checksum and execute are about
        self._receipt_packets = 0
        self._packets = 0
        self._is_called = True
        self._resets = False
        self._subscribed = False
        self._heard_s = 0.0
        self._due: list[tuple[str, bytes]] = []

    @property
    def stays(self) -> bool:
        """See `LoaderSession.stays`: until an application is there, or the power went."""
        return self._is_called or not self.flash.boots

    @property
    def link_must_drop(self) -> bool:
        """True once a whole image is in: the bootloader resets (3.5)."""
        return self._resets

    def link_opened(self, now_s: float) -> None:
        """Somebody connected; after a long silence the bootloader had reset meanwhile."""
        if now_s - self._heard_s > _IDLE_S:
            self._forget()
        self._heard_s = now_s
        self._is_called = True
        self._receipt_packets = 0
        self._subscribed = False

    def subscribed(self, uuid: str, now_s: float) -> None:
        """See `WatchSession.subscribed`."""
        self._subscribed |= uuid == gatt.CONTROL_POINT

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a request or a packet; a bootloader that is about to reset takes nothing."""
        self._heard_s = now_s
        if self._resets or not data:
            return
        if uuid == gatt.CONTROL_POINT:
            self._answer(data[0], self._obey(data))
        elif uuid == gatt.PACKET:
            self._take_packet(data)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """Nothing can be read here."""
        return b""

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """See `WatchSession.data_to_send`."""
        due, self._due = self._due, []
        return due

    def link_lost(self, now_s: float) -> None:
        """The object at work stays in memory, unless the bootloader resets."""
        self._due.clear()
        if self._resets:
            self._forget()
        self._resets = False

    def restart(self, now_s: float) -> None:
        """A power cut: nobody called this bootloader, and what is not in flash is gone."""
        self.link_lost(now_s)
        self._forget()
        self._is_called = False

    def _forget(self) -> None:
        """What a reset does: progress goes back to the last executed object (3.6)."""
        self._order = None
        self._init = bytearray(self._kept_init)
        self._init_bytes = len(self._kept_init)
        self._object.clear()
        self._object_bytes = 0
        self._type = _COMMAND

    def _answer(self, op: int, result: bytes) -> None:
        if self._subscribed:
            self._due.append((gatt.CONTROL_POINT, bytes([0x60, op]) + result))

    def _obey(self, data: bytes) -> bytes:
        match data[0]:
            case 0x01:
                return self._create(data)
            case 0x02:
                return self._set_receipts(data)
            case 0x03:
                return self._checksum(data)
            case 0x04:
                return self._execute(data)
            case 0x06:
                return self._select(data)
            case _:
                return _NOT_SUPPORTED

    def _create(self, data: bytes) -> bytes:
        if len(data) != 6:
            return _INVALID_PARAMETER
        kind, size_bytes = data[1], int.from_bytes(data[2:], "little")
        if kind not in (_COMMAND, _DATA):
            return _UNSUPPORTED_TYPE
        self._packets = 0
        self._type = kind
        return self._new_init(size_bytes) if kind == _COMMAND else self._new_object(size_bytes)

    def _new_init(self, size_bytes: int) -> bytes:
        if not size_bytes:
            return _INVALID_PARAMETER
        if size_bytes > self._traits.command_bytes:
            return _NO_RESOURCES
        self._kept_init = b""
        self._kept_image.clear()
        self._forget()
        self._init_bytes = size_bytes
        return _OK

    def _new_object(self, size_bytes: int) -> bytes:
        if self._order is None:
            return _NOT_PERMITTED
        end = len(self._kept_image) + size_bytes
        if not size_bytes or (size_bytes % DATA_BYTES and end != self._order.size_bytes):
            return _INVALID_PARAMETER
        if size_bytes > DATA_BYTES:
            return _NO_RESOURCES
        if end > self._order.size_bytes:
            return _NOT_PERMITTED
        if self.flash.boots and not self._traits.dual_bank:
            self.flash.erase()
        self._object.clear()
        self._object_bytes = size_bytes
        return _OK

    def _set_receipts(self, data: bytes) -> bytes:
        if len(data) != 3:
            return _INVALID_PARAMETER
        self._receipt_packets = int.from_bytes(data[1:], "little")
        self._packets = 0
        return _OK

    def _checksum(self, data: bytes) -> bytes:
        return _OK + self._stand() if len(data) == 1 else _INVALID_PARAMETER

    def _select(self, data: bytes) -> bytes:
        if len(data) != 2:
            return _INVALID_PARAMETER
        if data[1] not in (_COMMAND, _DATA):
            return _UNSUPPORTED_TYPE
        self._type = data[1]
        most = self._traits.command_bytes if self._type == _COMMAND else DATA_BYTES
        return _OK + most.to_bytes(4, "little") + self._stand()

    def _stand(self) -> bytes:
        """Offset and CRC-32; for data of the whole image so far (3.3)."""
        held = self._init if self._type == _COMMAND else self._kept_image + self._object
        return len(held).to_bytes(4, "little") + zlib.crc32(held).to_bytes(4, "little")

    def _take_packet(self, data: bytes) -> None:
        """Store a packet where an object is open and has room for all of it."""
        if self._type == _COMMAND:
            target, room_bytes = self._init, self._init_bytes - len(self._init)
        else:
            target, room_bytes = self._object, self._object_bytes - len(self._object)
        if len(data) > room_bytes:
            return
        target += data
        self._packets += 1
        if self._receipt_packets and self._packets % self._receipt_packets == 0:
            self._answer(0x03, _OK + self._stand())

    def _execute(self, data: bytes) -> bytes:
        if len(data) != 1:
            return _INVALID_PARAMETER
        return self._execute_init() if self._type == _COMMAND else self._execute_object()

    def _execute_init(self) -> bytes:
        if not self._init or len(self._init) != self._init_bytes:
            return _NOT_PERMITTED
        version = self.flash.firmware_version
        try:
            self._order = read_order(
                bytes(self._init), self._traits, version, self._bootloader_version
            )
        except InitRefusedError as refused:
            return refused.code
        self._kept_init = bytes(self._init)
        return _OK

    def _execute_object(self) -> bytes:
        if self._order is None or not self._object:
            return _NOT_PERMITTED
        if len(self._object) != self._object_bytes:
            return _NOT_PERMITTED
        self._kept_image += self._object
        self._object.clear()
        self._object_bytes = 0
        return _OK if len(self._kept_image) < self._order.size_bytes else self._finish(self._order)

    def _finish(self, order: Order) -> bytes:
        """The image is whole: it counts if it has the announced SHA-256."""
        image = bytes(self._kept_image)
        self._kept_image.clear()
        if hashlib.sha256(image).digest() != order.digest:
            return _HASH_FAILED
        self._kept_init = b""
        self._resets = True
        if order.kind == APPLICATION:
            self._is_called = False
            self.flash.install(image)
            return _OK
        self.flash.log.append(f"installed {len(image)} bytes of kind {order.kind}")
        if order.kind != SOFTDEVICE:
            self._bootloader_version = order.version
        if order.kind != BOOTLOADER and self.flash.boots:
            self.flash.erase()  # it was made for another SoftDevice
        return _OK
