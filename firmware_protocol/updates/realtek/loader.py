"""The watch's end of Realtek DFU (dfu.md 5): a virtual update service with two banks.

Packed and read by its own code. What the reference leaves open is made up here, and only here: the
CRC-16 of an image is CCITT-FALSE, it and the SHA-256 go over the payload, only Bee2 images have a
SHA-256, and the bank that runs is told by `bank` of `0D`.
"""

import binascii
import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from firmware_protocol.updates.loader import Flash, LoaderSession

_VENDOR: Final = "0000{}-3c17-d293-8e48-14fe2e4da212"
_SIG: Final = "0000{}-0000-1000-8000-00805f9b34fb"
_DATA: Final = _VENDOR.format("6387")
_CONTROL: Final = _VENDOR.format("6487")
_INFO: Final = _SIG.format("fff1")
_PROTOCOL: Final = _SIG.format("fff3")

_OK, _PARAMETER, _FAILED, _SIZE, _CRC, _LENGTH, _UNKNOWN = 1, 2, 3, 4, 5, 6, 0xFF  # 5.2
_IDLE_S: Final = 30.0  # 5.6
_HEAD_BYTES: Final = 12
_START_BYTES: Final = 16
_BLOCK_BYTES: Final = 16
_ATT_HEAD_BYTES: Final = 3
_BEE2_SHA256_AT: Final = 372  # 5.5, counted over the fields before it
_SHA256_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class LoaderTraits:
    """A chip and its firmware.

    `head_layout` gives chip, image id and payload size of a control header; `start_at` is where
    data begins behind START. With `keeps_progress` a lost link costs only what has no sum yet.
    """

    ic: int = 0x05
    protocol: int = 0x0000
    spec: int = 1
    head_layout: str = "<B3xH2xI"
    crc_at: int = 6
    sha256_at: int | None = _BEE2_SHA256_AT
    start_at: int = 12
    header_bytes: int = 1024
    control_header_offset: int = 0
    ids: frozenset[int] = frozenset(range(0x2790, 0x279A)) - {0x2791}
    application_id: int = 0x2793
    buffer_bytes: int = 2048
    packet_bytes: int = 244
    bank_bytes: int = 4 * 1024 * 1024
    buffer_check: bool = True
    multiple: bool = True
    key: bytes = field(default=b"", repr=False)
    every_block: bool = True
    check_offset: int | None = None  # in the report of the target; only newer firmware has it
    keeps_progress: bool = False


BEE2: Final = LoaderTraits()
RTL87X2G: Final = LoaderTraits(
    ic=0x0F,
    protocol=0x0015,
    spec=4,
    head_layout="<2xB3xHI",
    crc_at=0,
    sha256_at=None,
    start_at=0,
    header_bytes=1280,
    ids=frozenset(range(0x37A0, 0x37B5)),
    application_id=0x37A9,
    buffer_bytes=4096,
    check_offset=0,
)


@dataclass(slots=True)
class _Transfer:
    """An image on its way into the bank that does not run."""

    image_id: int
    head: bytes
    total_bytes: int
    programmed: bytearray
    receiving: bool = False
    is_first: bool = True  # whether no buffer was taken since `02`
    raw: bytearray = field(default_factory=bytearray)  # since the last good sum, as it came
    plain: bytearray = field(default_factory=bytearray)

    def forget_buffer(self) -> None:
        self.raw.clear()
        self.plain.clear()

    def program(self) -> None:
        self.programmed += self.plain
        self.is_first = False
        self.forget_buffer()


class RealtekLoader(LoaderSession):
    """See `LoaderSession`. It serves beside the application, so nobody ever stays in it."""

    def __init__(self, flash: Flash, traits: LoaderTraits = BEE2) -> None:
        self.flash = flash
        self._traits = traits
        self._transfer: _Transfer | None = None
        self._valid: dict[int, bytes] = {}
        self._bank = 0
        self._checks = False  # whether the buffer check was agreed on
        self._drops = False
        self._heard_s = 0.0
        self._due: list[tuple[str, bytes]] = []
        self._handlers: Mapping[int, Callable[[bytes], None]] = {
            0x01: self._start,
            0x02: self._receive,
            0x03: self._validate,
            0x04: self._activate,
            0x05: self._reset,
            0x06: self._report_target,
            0x09: self._check_buffers,
            0x0A: self._report_buffer,
            0x0B: self._tell_chip,
            0x0D: self._tell_versions,
        }

    def link_opened(self, now_s: float) -> None:
        """See `WatchSession.link_opened`."""
        self._heard_s = now_s

    def subscribed(self, uuid: str, now_s: float) -> None:
        """See `WatchSession.subscribed`; it says nothing unasked."""

    def link_lost(self, now_s: float) -> None:
        """The header of the other bank is erased (5.6), so the old firmware stays."""
        self._due.clear()
        self._drops = self._checks = False
        self._valid.clear()
        if self._transfer is not None and self._traits.keeps_progress:
            self._transfer.forget_buffer()
            self._transfer.receiving = False
        else:
            self._transfer = None

    @property
    def link_must_drop(self) -> bool:
        """See `WatchSession.link_must_drop`."""
        return self._drops

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """See `WatchSession.data_to_send`."""
        due, self._due = self._due, []
        return due

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """5.1, 5.4: what a companion reads before it begins."""
        if uuid == _INFO:
            return self._device_info()
        return struct.pack("<H", self._traits.protocol) if uuid == _PROTOCOL else b""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See `WatchSession.receive_write`."""
        if self._drops:
            return
        if self._transfer is not None and now_s - self._heard_s > _IDLE_S:
            self._drop()
            return
        self._heard_s = now_s
        if uuid == _DATA:
            self._take_data(data)
        elif uuid == _CONTROL and data:
            handler = self._handlers.get(data[0])
            if handler is None:
                self._answer(data[0], _UNKNOWN)
            else:
                handler(data[1:])

    def _answer(self, opcode: int, status: int, body: bytes = b"") -> None:
        self._due.append((_CONTROL, bytes((0x10, opcode, status)) + body))

    def _drop(self) -> None:
        self._drops = True
        if not self._traits.keeps_progress:
            self._transfer = None

    def _device_info(self) -> bytes:
        """5.4, with the modes of the spec."""
        traits = self._traits
        mode = traits.buffer_check | bool(traits.key) << 1
        mode |= (traits.every_block and bool(traits.key)) << 2
        if traits.ic == RTL87X2G.ic:
            mode |= traits.multiple << 3
            offset = traits.control_header_offset
            head = (traits.ic, traits.spec, mode, 0, 0, self._bank + 1, 1, 1, offset, 0)
            return struct.pack("<BBBBHBBBHB", *head)
        mode |= traits.multiple << 4
        indicator = 0x0F30 & ~(3 << 10) | (self._bank + 1) << 10  # the live one, but two banks
        return struct.pack(
            "<BBBBHBBI", traits.ic, traits.spec, 0, mode, traits.buffer_bytes, 0, 0, indicator
        )

    def _start(self, body: bytes) -> None:
        """`01` (5.5)."""
        traits = self._traits
        head = self._decrypted(body)[:_HEAD_BYTES]
        if len(body) != _START_BYTES:
            return self._answer(0x01, _PARAMETER)
        ic, image_id, payload_bytes = struct.unpack(traits.head_layout, head)
        if ic != traits.ic or image_id not in traits.ids:
            return self._answer(0x01, _PARAMETER)
        total_bytes = payload_bytes + traits.header_bytes
        if total_bytes > traits.bank_bytes:
            return self._answer(0x01, _SIZE)
        self._valid.pop(image_id, None)
        held = self._transfer
        if not traits.keeps_progress or held is None or held.head != head:
            begin = bytearray(head[: traits.start_at])
            self._transfer = _Transfer(image_id, head, total_bytes, begin)
        return self._answer(0x01, _OK)

    def _receive(self, body: bytes) -> None:
        """`02`, without an answer. A wrong offset is not seen here: it shifts the image."""
        transfer = self._transfer
        if transfer is not None and body[:2] == struct.pack("<H", transfer.image_id):
            transfer.receiving = transfer.is_first = True
            transfer.forget_buffer()

    def _take_data(self, data: bytes) -> None:
        transfer = self._transfer
        if transfer is None or not transfer.receiving:
            return
        room = self._traits.buffer_bytes
        if transfer.is_first:
            room -= self._traits.check_offset or 0
        transfer.raw += data
        transfer.plain += self._decrypted(data)
        if len(data) > self._traits.packet_bytes or (self._checks and len(transfer.raw) > room):
            self._drop()
        elif not self._checks:
            transfer.program()

    def _validate(self, body: bytes) -> None:
        """`03`: the length, the control header and the sum must be as announced."""
        transfer = self._transfer
        named = body[:2] == struct.pack("<H", transfer.image_id) if transfer else False
        if transfer is None or not named or len(body) != 3 - bool(self._traits.start_at):
            return self._answer(0x03, _PARAMETER)
        self._transfer = None  # the image is good, or its header is erased
        image = bytes(transfer.programmed)
        if len(image) != transfer.total_bytes:
            return self._answer(0x03, _LENGTH)
        if not self._is_whole(image, transfer.head):
            return self._answer(0x03, _CRC)
        self._valid[transfer.image_id] = image
        return self._answer(0x03, _OK)

    def _is_whole(self, image: bytes, head: bytes) -> bool:
        traits = self._traits
        begin = traits.control_header_offset
        if image[begin : begin + _HEAD_BYTES] != head:
            return False
        payload = image[traits.header_bytes :]
        (crc,) = struct.unpack_from("<H", head, traits.crc_at)
        if crc:
            return binascii.crc_hqx(payload, 0xFFFF) == int(crc)
        if traits.sha256_at is None:
            return False
        digest = image[traits.sha256_at : traits.sha256_at + _SHA256_BYTES]
        return hashlib.sha256(payload).digest() == digest

    def _activate(self, body: bytes) -> None:
        """`04`: without a good image it is no more than a restart."""
        for image_id, image in self._valid.items():
            if image_id == self._traits.application_id:
                self.flash.install(image)
            else:
                self.flash.log.append(f"installed {len(image)} bytes as {image_id:04X}")
        if self._valid:
            self._bank = 1 - self._bank
        self._reset(body)

    def _reset(self, body: bytes) -> None:
        """`05`."""
        del body
        self._transfer = None
        self._valid.clear()
        self._drops = True

    def _report_target(self, body: bytes) -> None:
        """`06`: 11 bytes of Bee2, 13 of newer firmware (5.3)."""
        transfer, traits = self._transfer, self._traits
        offset = 0
        if transfer is not None and body == struct.pack("<H", transfer.image_id):
            held = len(transfer.programmed)
            offset = held if traits.keeps_progress and held > traits.start_at else 0
        tail = b"" if traits.check_offset is None else struct.pack("<H", traits.check_offset)
        self._answer(0x06, _OK, struct.pack("<II", 0, offset) + tail)

    def _check_buffers(self, body: bytes) -> None:
        """`09`."""
        del body
        if not self._traits.buffer_check:
            return self._answer(0x09, _UNKNOWN)
        self._checks = True
        mtu = self._traits.packet_bytes + _ATT_HEAD_BYTES
        return self._answer(0x09, _OK, struct.pack("<HH", self._traits.buffer_bytes, mtu))

    def _report_buffer(self, body: bytes) -> None:
        """`0A`: the sum is of the bytes as they came, its high byte first."""
        transfer = self._transfer
        if transfer is None or not self._checks or len(body) != 4:
            return self._answer(0x0A, _FAILED)
        high = low = 0
        for even, byte in enumerate(transfer.raw):
            high, low = (high ^ byte, low) if even & 1 else (high, low ^ byte)
        status = _OK
        if struct.unpack("<H", body[:2]) != (len(transfer.raw),):
            status = _LENGTH
        elif body[2:] != bytes((high, low)):
            status = _CRC
        if status == _OK:
            transfer.program()
        transfer.forget_buffer()
        return self._answer(0x0A, status, struct.pack("<I", len(transfer.programmed)))

    def _tell_chip(self, body: bytes) -> None:
        """`0B`."""
        del body
        self._answer(0x0B, _OK, bytes((self._traits.ic,)))

    def _tell_versions(self, body: bytes) -> None:
        """`0D`."""
        if len(body) != 1 or body[0] > 1:
            return self._answer(0x0D, _PARAMETER)
        if body[0] != self._bank:
            return self._answer(0x0D, _OK, bytes((body[0], 0)))
        word = 1 | self.flash.firmware_version << 4  # 5.7
        entry = struct.pack("<HI", self._traits.application_id, word)
        return self._answer(0x0D, _OK, bytes((body[0], 1)) + entry)

    def _decrypted(self, data: bytes) -> bytes:
        """Whole blocks, or the first one only (5.6)."""
        key = self._traits.key
        if not key:
            return data
        end = len(data) // _BLOCK_BYTES * _BLOCK_BYTES
        if not self._traits.every_block:
            end = min(end, _BLOCK_BYTES)
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305  # dfu.md
        return decryptor.update(data[:end]) + data[end:]
