"""The virtual legacy loader: the rules of dfu.md 4, enforced. It packs with its own code."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.updates.loader import Flash, LoaderSession
from firmware_protocol.updates.nordic_legacy import gatt
from firmware_protocol.watch_session import RequestRefused

PATIENCE_S: Final = 10.0  # 4.3: without data for so long, the transfer is over
LARGEST_PACKET_BYTES: Final = 20  # 4.3
NOT_AUTHORISED: Final = 0x08  # the ATT error of 4.5
_APPLICATION: Final = 0x04
_IN_APPLICATION: Final = 0x0001
_ANY_REVISION, _ANY_SOFTDEVICE = 0xFFFF, 0xFFFE  # example 9, 4.4
_OK, _INVALID_STATE, _NOT_SUPPORTED, _TOO_LARGE, _CRC, _FAILED = range(1, 7)  # 4.2


@dataclass(frozen=True, slots=True)
class LegacyTraits:
    """What kind of loader it is.

    With `dual_bank` an image is collected beside the old application, which survives until the new
    one is activated; else the start erases it. `in_application` is a watch that must first be told
    to leave for the loader. `switched_off` is the setting of 4.5.
    """

    revision: int = 0x0008
    device_type: int = 0x0001
    device_revision: int = 0x0001
    softdevice: int = 0x0064
    room_bytes: int = 2 * 1024 * 1024
    dual_bank: bool = False
    in_application: bool = False
    switched_off: bool = False


class _State(Enum):
    IDLE = auto()
    SIZES = auto()  # started, the size packet is to come
    ERASED = auto()
    INIT = auto()  # the init packet is coming
    READY = auto()
    DATA = auto()
    RECEIVED = auto()
    VALID = auto()


@dataclass(frozen=True, slots=True)
class _Init:
    """What an init packet promises of the image."""

    crc16: int | None
    image_bytes: int | None = None
    sha256: bytes = b""


@dataclass(slots=True)
class _Transfer:
    """How far an upload got."""

    state: _State = _State.IDLE
    image_bytes: int = 0
    init_packet: bytearray = field(default_factory=bytearray)
    promised: _Init | None = None
    image: bytearray = field(default_factory=bytearray)
    packets: int = 0
    receipt_packets: int = 0


class LegacyLoader(LoaderSession):
    """A bootloader that takes one application at a time."""

    def __init__(self, flash: Flash, traits: LegacyTraits | None = None) -> None:
        self.flash = flash
        self.traits = traits or LegacyTraits()
        self._in_application = self.traits.in_application
        self._out: list[tuple[str, bytes]] = []
        self._waits = True
        self._drops = False
        self._operations: dict[int, Callable[[bytes], None]] = {
            0x01: self._start,
            0x02: self._init,
            0x03: self._receive,
            0x04: self._validate,
            0x05: self._activate,
            0x06: self._reset,
            0x07: self._report,
            0x08: self._set_receipts,
        }
        self._heard_s = 0.0
        self._transfer = _Transfer()

    def link_opened(self, now_s: float) -> None:
        """See `WatchSession.link_opened`."""
        self._waits, self._heard_s = True, now_s

    def subscribed(self, uuid: str, now_s: float) -> None:
        """See `WatchSession.subscribed`; nothing is said for it."""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See `WatchSession.receive_write`.

        Raises:
            RequestRefused: updates are switched off.
        """
        if self.traits.switched_off:
            raise RequestRefused(NOT_AUTHORISED)
        if self._drops:
            return  # it is resetting
        if self._transfer.state is _State.DATA and now_s - self._heard_s > PATIENCE_S:
            self._forget()
        self._heard_s = now_s
        if uuid == gatt.PACKET:
            self._take_packet(data)
        elif uuid == gatt.CONTROL and data:
            operation = self._operations.get(data[0])
            if self._in_application:
                self._leave(data)
            elif operation is None:
                self._answer(data[0], _NOT_SUPPORTED)
            else:
                operation(data)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """See `WatchSession.read_value`."""
        if uuid != gatt.REVISION:
            return b""
        return struct.pack("<H", _IN_APPLICATION if self._in_application else self.traits.revision)

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """See `WatchSession.data_to_send`."""
        out, self._out = self._out, []
        return out

    def link_lost(self, now_s: float) -> None:
        """See `WatchSession.link_lost`: a new link begins with the start packet (4.3)."""
        self._in_application = self._in_application and not self._drops
        self._drops = False
        self._out.clear()
        self._forget()

    def restart(self, now_s: float) -> None:
        """See `WatchSession.restart`."""
        self._drops = False
        self.link_lost(now_s)
        self._waits = False

    @property
    def link_must_drop(self) -> bool:
        """See `WatchSession.link_must_drop`."""
        return self._drops

    @property
    def stays(self) -> bool:
        """See `LoaderSession.stays`."""
        return self._waits

    # ---- operations: 4.2

    def _leave(self, data: bytes) -> None:
        """Step 1 of 4.3; an application knows nothing else."""
        self._drops = data == bytes((0x01, _APPLICATION))

    def _start(self, data: bytes) -> None:
        if self._transfer.state is not _State.IDLE:
            self._fail(0x01, _INVALID_STATE)
        elif data[1:] != bytes((_APPLICATION,)):
            self._fail(0x01, _NOT_SUPPORTED)
        else:
            self._transfer.state = _State.SIZES

    def _init(self, data: bytes) -> None:
        if data[1:] == b"\x00" and self._transfer.state is _State.ERASED:
            self._transfer.state = _State.INIT
        elif data[1:] == b"\x01" and self._transfer.state is _State.INIT:
            self._check_init()
        else:
            self._fail(0x02, _INVALID_STATE)

    def _receive(self, data: bytes) -> None:
        if data[1:] or self._transfer.state is not _State.READY:
            self._fail(0x03, _INVALID_STATE)
        else:
            self._transfer.state = _State.DATA

    def _validate(self, data: bytes) -> None:
        if (
            data[1:]
            or self._transfer.state is not _State.RECEIVED
            or self._transfer.promised is None
        ):
            self._fail(0x04, _INVALID_STATE)
        elif not _keeps(self._transfer.promised, bytes(self._transfer.image)):
            self._fail(0x04, _CRC)
        else:
            self._transfer.state = _State.VALID
            self._answer(0x04, _OK)

    def _activate(self, data: bytes) -> None:
        if data[1:] or self._transfer.state is not _State.VALID:
            self._fail(0x05, _INVALID_STATE)
        else:
            self.flash.install(bytes(self._transfer.image))
            self._go()

    def _reset(self, data: bytes) -> None:
        del data
        self._go()

    def _report(self, data: bytes) -> None:
        del data
        self._answer(0x07, _OK, struct.pack("<I", len(self._transfer.image)))

    def _set_receipts(self, data: bytes) -> None:
        if len(data) == 3:
            (self._transfer.receipt_packets,) = struct.unpack("<H", data[1:])
        else:
            self._answer(0x08, _FAILED)

    # ---- packets

    def _take_packet(self, data: bytes) -> None:
        fits = len(data) <= LARGEST_PACKET_BYTES
        if self._transfer.state is _State.SIZES:
            self._erase(data)
        elif self._transfer.state is _State.INIT and fits:
            self._transfer.init_packet += data
        elif self._transfer.state is _State.DATA and fits:
            self._take_data(data)
        else:
            self._fail(0x03, _INVALID_STATE if fits else _TOO_LARGE)

    def _erase(self, data: bytes) -> None:
        if len(data) != 12:
            self._fail(0x01, _FAILED)
            return
        softdevice, bootloader, application = struct.unpack("<III", data)
        if softdevice or bootloader or not application:
            self._fail(0x01, _NOT_SUPPORTED)
        elif application > self.traits.room_bytes:
            self._fail(0x01, _TOO_LARGE)
        else:
            if not self.traits.dual_bank:
                self.flash.erase()
            self._transfer.image_bytes = application
            self._transfer.state = _State.ERASED
            self._answer(0x01, _OK)

    def _check_init(self) -> None:
        promised = _promised_by(bytes(self._transfer.init_packet), self.traits)
        if promised is None or promised.image_bytes not in (None, self._transfer.image_bytes):
            self._fail(0x02, _FAILED)
            return
        self._transfer.promised = promised
        self._transfer.state = _State.READY
        self._answer(0x02, _OK)

    def _take_data(self, data: bytes) -> None:
        self._transfer.image += data
        self._transfer.packets += 1
        if len(self._transfer.image) > self._transfer.image_bytes:
            self._fail(0x03, _TOO_LARGE)
        elif len(self._transfer.image) == self._transfer.image_bytes:
            self._transfer.state = _State.RECEIVED
            self._answer(0x03, _OK)
        elif (
            self._transfer.receipt_packets
            and self._transfer.packets % self._transfer.receipt_packets == 0
        ):
            self._out.append((gatt.CONTROL, struct.pack("<BI", 0x11, len(self._transfer.image))))

    # ---- the rest

    def _go(self) -> None:
        """Reset: an application that is there starts."""
        self._drops, self._waits = True, False

    def _fail(self, op: int, result: int) -> None:
        self._forget()
        self._answer(op, result)

    def _answer(self, op: int, result: int, rest: bytes = b"") -> None:
        self._out.append((gatt.CONTROL, bytes((0x10, op, result)) + rest))

    def _forget(self) -> None:
        """Forget a transfer. What was erased for it stays erased."""
        self._transfer = _Transfer()


def _promised_by(packet: bytes, traits: LegacyTraits) -> _Init | None:
    """What an init packet says (4.4); None where it is none, or for another watch."""
    if len(packet) < 10:
        return None
    device_type, revision, _version, count = struct.unpack("<HHIH", packet[:10])
    softdevices, tail = packet[10 : 10 + 2 * count], packet[10 + 2 * count :]
    if len(softdevices) != 2 * count:
        return None
    allowed = struct.unpack(f"<{count}H", softdevices)
    if (
        device_type != traits.device_type
        or revision not in (_ANY_REVISION, traits.device_revision)
        or not {_ANY_SOFTDEVICE, traits.softdevice} & set(allowed)
    ):
        return None
    if len(tail) == 2:
        return _Init(int.from_bytes(tail, "little"))
    return _extended(tail)


def _extended(tail: bytes) -> _Init | None:
    """The extended forms; whose signature it is the reference does not say, so none is verified."""
    packet_id = int.from_bytes(tail[:4], "little")
    if (packet_id, len(tail)) == (0, 6):
        return _Init(int.from_bytes(tail[4:], "little"))
    if (packet_id, len(tail)) not in ((1, 40), (2, 106)):
        return None
    image_bytes, sha256 = struct.unpack("<I32s", tail[4:40])
    crc16 = int.from_bytes(tail[40:42], "little") if packet_id == 2 else None
    return _Init(crc16, image_bytes, sha256)


def _keeps(promised: _Init, image: bytes) -> bool:
    return promised.crc16 in (None, crc16_ccitt_false(image)) and (
        promised.sha256 in (b"", hashlib.sha256(image).digest())
    )
