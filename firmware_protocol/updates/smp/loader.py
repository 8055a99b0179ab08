"""The virtual watch's SMP server, with a virtual MCUboot behind it (dfu.md 6). Its own packing.

Beside the application: it answers while that runs, and changes what runs only at a restart.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cbor2

from firmware_protocol.updates.loader import Flash, LoaderSession
from firmware_protocol.updates.smp.bootloader import (
    DEFAULT_SLOT_BYTES,
    Mcuboot,
    PowerCutError,
    as_image,
    sound_image_in,
)
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC
from firmware_protocol.updates.smp.image_group import (
    HASH_NOT_FOUND,
    IMAGE_GROUP,
    INVALID,
    NO_FREE_SLOT,
    NO_HASH,
    NO_LENGTH,
    NO_MAGIC,
    NO_OFFSET,
    RUNNING_IS_NEWER,
    TOO_SHORT,
    Fields,
    ImageGroup,
    RefusedError,
)

_HEADER: Final = struct.Struct(">BBHHBB")
_READ, _WRITE = 0, 2
_OS_GROUP: Final = 0
_PARAMS: Final = (_READ, _OS_GROUP, 6)
_NO_MEMORY, _TOO_LARGE, _NOT_SUPPORTED, _CORRUPT, _UNKNOWN = 2, 7, 8, 9, 1
# what an older server says for an error of the image group; provisional, no reference has a table
_OLDER_CODES: Final[Mapping[int, int]] = {
    HASH_NOT_FOUND: 5,
    **dict.fromkeys((NO_FREE_SLOT, RUNNING_IS_NEWER), 6),
    **dict.fromkeys((NO_OFFSET, NO_LENGTH, TOO_SHORT, NO_MAGIC, NO_HASH), INVALID),
}


@dataclass(frozen=True, slots=True)
class ServerTraits:
    """How a server is built.

    The buffers are those that Nordic's samples for fast updates have; no watch's are known
    (provisional). `notify_bytes` cuts answers, as the ATT MTU would.
    """

    buffer_bytes: int = 2475
    buffers: int = 4
    reassembles: bool = True
    older: bool = False  # headers and errors of version 1, and no `params`
    checks_whole: bool = True  # says `match` at the end of an upload
    overwrite: bool = False
    slot_bytes: int = DEFAULT_SLOT_BYTES
    notify_bytes: int = 128


class SmpLoader(LoaderSession):
    """See `LoaderSession`. `boot` is its MCUboot, whose power a test may cut."""

    def __init__(self, flash: Flash, traits: ServerTraits | None = None) -> None:
        """Serve the flash; an application that is no image of MCUboot is wrapped into one."""
        self.flash = flash
        self._traits = traits or ServerTraits()
        image = flash.application or b""
        if image and sound_image_in(image) is None:
            image = as_image(image, flash.firmware_version)
        self._at_first = (image, flash.application, flash.firmware_version)
        self.boot = Mcuboot(
            image, slot_bytes=self._traits.slot_bytes, overwrite=self._traits.overwrite
        )
        self._running = self.boot.running()
        self._images = ImageGroup(self.boot, checks_whole=self._traits.checks_whole)
        self._handlers: Mapping[tuple[int, int, int], Callable[[Fields], Fields]] = {
            (_WRITE, _OS_GROUP, 0): self._echo,
            (_WRITE, _OS_GROUP, 5): self._reset,
            _PARAMS: self._params,
            (_READ, IMAGE_GROUP, 0): self._images.state,
            (_WRITE, IMAGE_GROUP, 0): self._images.set_state,
            (_WRITE, IMAGE_GROUP, 1): self._images.upload,
            (_WRITE, IMAGE_GROUP, 5): self._images.erase,
        }
        self._request = b""
        self._answers: list[bytes] = []
        self._drops = False
        self._is_off = False

    def link_opened(self, now_s: float) -> None:
        """Nothing is said unasked."""

    def subscribed(self, uuid: str, now_s: float) -> None:
        """Nothing is said unasked."""

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """Nothing can be read."""
        return b""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Collect a request, and do it once it is whole."""
        if uuid != CHARACTERISTIC or self._drops:
            return
        request, self._request = self._request + data, b""
        if len(request) < _HEADER.size:
            return
        length = _HEADER.size + int.from_bytes(request[2:4])
        fits = length <= self._traits.buffer_bytes
        if len(request) < length and fits and self._traits.reassembles:
            self._request = request
            return
        try:
            self._take(request, length)
        except PowerCutError:
            self._power_off()

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Take the answers, each cut into notifications."""
        size = self._traits.notify_bytes
        due = [
            (CHARACTERISTIC, answer[at : at + size])
            for answer in self._answers
            for at in range(0, len(answer), size)
        ]
        self._answers.clear()
        return due

    @property
    def link_must_drop(self) -> bool:
        """After a restart, wanted or not."""
        return self._drops

    def link_lost(self, now_s: float) -> None:
        """Keep an upload that is under way; after a power cut the power comes back."""
        self._request = b""
        self._answers.clear()
        self._drops = False
        if self._is_off:
            self._is_off = False
            self._start()

    def restart(self, now_s: float) -> None:
        """A power cut: all that is not in flash is forgotten, and MCUboot looks what to start."""
        self._power_off()
        self.link_lost(now_s)

    def _power_off(self) -> None:
        self._images.forget()
        self._answers.clear()
        self._drops = self._is_off = True

    def _start(self) -> None:
        """Let MCUboot work, however often the power is cut meanwhile; see what runs then."""
        while True:
            try:
                self.boot.boot()
                break
            except PowerCutError:
                self.flash.log.append("power cut in a swap")
        running = self.boot.running()
        if running == self._running:
            return
        self._running = running
        image, application, version = self._at_first
        if running is None:
            self.flash.erase()
            return
        self.flash.install(running)
        if running == image:  # what it came with need not carry a mark
            self.flash.application, self.flash.firmware_version = application, version

    def _take(self, request: bytes, length: int) -> None:
        first, _, _, group, sequence, command = _HEADER.unpack_from(request)
        operation, version = first & 0x07, first >> 3 & 0x03
        free = self._traits.buffers - len(self._answers)
        if operation not in (_READ, _WRITE) or not free:
            return  # the rest of a request that was too long, noise, or nowhere to put it
        try:
            self._look_at_buffers(request, length, free)
            body = self._do((operation, group, command), request[_HEADER.size :])
        except RefusedError as refused:
            body = self._error(refused)
        content = cbor2.dumps(body)
        kind = operation + 1 | (0 if self._traits.older else version << 3)
        self._answers.append(
            _HEADER.pack(kind, 0, len(content), group, sequence, command) + content
        )

    def _look_at_buffers(self, request: bytes, length: int, free: int) -> None:
        if free == 1:
            raise RefusedError(_NO_MEMORY, None)  # none is left for the answer
        if length > self._traits.buffer_bytes:
            raise RefusedError(_TOO_LARGE, None)
        if len(request) != length:
            raise RefusedError(_CORRUPT, None)

    def _do(self, key: tuple[int, int, int], content: bytes) -> Fields:
        if key not in self._handlers or (self._traits.older and key == _PARAMS):
            raise RefusedError(_NOT_SUPPORTED, None)
        try:
            fields = cbor2.loads(content)
        except cbor2.CBORError:
            fields = None
        if not isinstance(fields, dict):
            raise RefusedError(INVALID, None)
        return self._handlers[key](fields)

    def _error(self, refused: RefusedError) -> Fields:
        if refused.group is None:
            return {"rc": refused.code}
        if self._traits.older:
            return {"rc": _OLDER_CODES.get(refused.code, _UNKNOWN)}
        return {"err": {"group": refused.group, "rc": refused.code}}

    def _echo(self, fields: Fields) -> Fields:
        return {"r": str(fields.get("d", ""))}

    def _params(self, _: Fields) -> Fields:
        return {"buf_size": self._traits.buffer_bytes, "buf_count": self._traits.buffers}

    def _reset(self, _: Fields) -> Fields:
        self._images.forget()
        self._drops = True
        self._start()
        return {}
