"""One image on its way into a Realtek watch (dfu.md 5.5, 5.6; V).

*Provisional* in all: no log of a whole transfer was ever published. The watch tells a resume offset
or 0; whatever goes wrong, it keeps the bank that it runs from.
"""

from dataclasses import dataclass
from typing import Final

from firmware_protocol.family import Asking, JobError, Write
from firmware_protocol.images import ImagePart
from firmware_protocol.images.image import hex_id
from firmware_protocol.images.realtek import HEAD_BYTES, UNSAFE_IDS, RealtekImage, find
from firmware_protocol.transfer import Acknowledged, Upload
from firmware_protocol.updates.realtek import messages
from firmware_protocol.updates.realtek.cipher import BLOCK_BYTES, KEY_BYTES, PacketCipher
from firmware_protocol.updates.realtek.conversation import (
    ANSWER_TIMEOUT_S,
    answered,
    ask,
    control,
    pace,
    tell,
)
from firmware_protocol.updates.realtek.device_info import Chips, DeviceInfo
from firmware_protocol.updates.realtek.gatt import DATA
from firmware_protocol.updates.realtek.messages import Answer

BUFFER_CHECK_TIMEOUT_S: Final = 1.6  # 5.6 step 3
PLAIN_PACKET_BYTES: Final = 20  # 5.6 steps 1 and 7
PLAIN_WINDOW_BYTES: Final = 2040  # 2048 - 2048 mod 20
PLAIN_PAUSE_S: Final = 0.006
_ATT_HEAD_BYTES: Final = 3
_LEAST_MTU: Final = 23
_START_BYTES: Final = 16
_MIB: Final = 1024 * 1024
_LARGE_BYTES: Final = 2 * _MIB  # from here on validate takes longer (5.6 step 8)
_SEND_AGAIN: Final = (messages.CRC_ERROR, messages.LENGTH_ERROR, messages.PROGRAM_ERROR)
_KEY_MAY_BE_WRONG: Final = (messages.INVALID_PARAMETER, messages.CRC_ERROR)


@dataclass(frozen=True, slots=True)
class Target:
    """An image that fits this watch: its id, and the 16 bytes that START carries (5.5)."""

    image_id: int
    start_payload: bytes


def target_of(part: ImagePart, device: DeviceInfo) -> Target:
    """Look whether an image is one for this watch, and safe to lose a link over.

    Raises:
        JobError: it is of another chip, has the wrong length, or must not be sent.
    """
    if device.chips not in (Chips.BEE2, Chips.RTL87X2G):
        raise JobError("unsupported", f"updates of {device.chips} chips are not known well enough")
    image = find(part.data)
    if image is None:
        raise JobError("invalid", "the file has no header of a Realtek image")
    if objection := _objection(image, part, device):
        name = f"{image.kind} ({hex_id(image.image_id)})"
        raise JobError("invalid", f"{name} {objection}")
    begin = device.control_header_offset
    head = part.data[begin : begin + HEAD_BYTES]
    return Target(image.image_id, head.ljust(_START_BYTES, b"\0"))


def _objection(image: RealtekImage, part: ImagePart, device: DeviceInfo) -> str | None:
    """What speaks against an image, the worst first."""
    if image.image_id in UNSAFE_IDS:
        return "is written in place or cannot be undone"
    chip = f"{device.ic:02X}"
    if image.family != device.chips or image.facts.get("ic_type") != chip:
        return f"is for another chip than {chip}"
    if image.facts.get("control_header_offset", 0) != device.control_header_offset:
        return f"does not have its control header at byte {device.control_header_offset}"
    if len(part.data) != image.expected_bytes:
        return f"has {len(part.data)} bytes, its header says {image.expected_bytes}"
    if not image.facts["payload_bytes"]:
        return "is empty"
    bank = part.facts.get("bank")
    if bank is not None and bank == device.bank_of(image.image_id):
        return f"is for bank {bank}, from which the watch runs now"
    return None


class RealtekUpload(Upload):
    """See `Upload`. With the buffer check each window is acknowledged by its sum.

    Without it nobody acknowledges anything before validate, and progress says what was sent.
    """

    def __init__(
        self,
        part: ImagePart,
        device: DeviceInfo,
        *,
        link_write_bytes: int,
        is_last: bool,
        key: bytes = b"",
    ) -> None:
        """Prepare an upload.

        Raises:
            JobError: the image does not fit, or the watch wants a key that was not given.
        """
        self._target = target_of(part, device)
        self._ciphers = _ciphers(device, key)
        self._data = part.data
        self._device = device
        self._is_last = is_last
        self._packet_bytes = _whole_blocks(link_write_bytes)
        self._buffer_bytes = 0  # without the buffer check
        self._check_offset = 0
        self._begin = 0
        self._cipher: PacketCipher | None = None
        self._started = False
        self.file = part.name
        self.total_bytes = len(part.data)

    def offer(self) -> Asking[int]:
        """5.6 steps 3 to 6."""
        if "buffer_check" in self._device.modes:
            yield from self._agree_on_buffer()
        image_id = self._target.image_id
        answer = yield from ask([control(messages.report_target(image_id))], messages.REPORT_TARGET)
        fields = answered(answer, "how far the image got").fields
        self._begin = self._device.start_offset(fields["offset"])
        self._check_offset = fields.get("check_offset", 0)
        if self._buffer_bytes and self._check_offset >= self._buffer_bytes:
            raise JobError("malformed", f"a check offset of {self._check_offset}")
        yield from self._start()
        yield from tell(messages.receive(image_id, self._begin))
        return self._begin

    def send(self, offset: int) -> Asking[Acknowledged]:
        """5.6 step 7."""
        if self._buffer_bytes:
            return (yield from self._send_buffer(offset))
        window = self._data[offset : offset + PLAIN_WINDOW_BYTES]
        for packet in self._packets(window, PLAIN_PACKET_BYTES):
            yield from pace(Write(DATA, packet, with_response=False), PLAIN_PAUSE_S)
        return Acknowledged(offset + len(window), len(window))

    def verify(self) -> Asking[None]:
        """5.6 step 8."""
        is_last = self._is_last if self._device.has_new_commands else None
        command = messages.validate(self._target.image_id, is_last=is_last)
        answer = yield from ask(
            [control(command)],
            messages.VALIDATE,
            timeout_s=validate_timeout_s(self.total_bytes, self._device.chips),
        )
        answered(answer, "whether the image is whole")

    def activate(self) -> Asking[None]:
        """5.6 step 9: the watch answers by leaving."""
        yield from tell(messages.activate(is_new=self._device.has_new_commands))

    def abort(self) -> Asking[None]:
        """5.6 step 9. It resets the watch, so not before anything was begun."""
        if self._started:
            yield from tell(bytes((messages.RESET,)))

    def _agree_on_buffer(self) -> Asking[None]:
        """Step 3: a refusal or silence means that the watch takes packets without sums."""
        answer = yield from ask(
            [control(bytes((messages.BUFFER_CHECK,)))],
            messages.BUFFER_CHECK,
            timeout_s=BUFFER_CHECK_TIMEOUT_S,
        )
        if answer is None or answer.status != messages.SUCCESS:
            return
        self._buffer_bytes = answer.fields["buffer_bytes"]
        mtu = answer.fields["mtu"]
        if not self._device.has_new_commands and mtu >= _LEAST_MTU:  # reserved on newer chips
            self._packet_bytes = min(self._packet_bytes, _whole_blocks(mtu - _ATT_HEAD_BYTES))

    def _start(self) -> Asking[None]:
        """Step 5. It is also what proves a key: with a wrong one START makes no sense."""
        answer: Answer | None = None
        self._started = True
        for cipher in self._ciphers:
            payload = self._target.start_payload
            sent = cipher.encrypt(payload) if cipher else payload
            answer = yield from ask([control(messages.start(sent))], messages.START)
            self._cipher = cipher
            if answer is None or answer.status not in _KEY_MAY_BE_WRONG:
                break
        answered(answer, "to begin")

    def _send_buffer(self, offset: int) -> Asking[Acknowledged]:
        size = self._buffer_bytes - (self._check_offset if offset == self._begin else 0)
        window = self._data[offset : offset + size]
        packets = self._packets(window, self._packet_bytes)
        end = offset + len(window)

        def accepts(told: Answer) -> bool:
            """A yes to other bytes than these, such as to an earlier window, is none."""
            if told.status == messages.SUCCESS:
                return told.fields.get("offset") == end
            return not told.fields or self._begin <= told.fields["offset"] < end

        answer = yield from ask(
            [
                *(Write(DATA, packet, with_response=False) for packet in packets),
                control(messages.report_buffer(b"".join(packets))),
            ],
            messages.REPORT_BUFFER,
            timeout_s=ANSWER_TIMEOUT_S,
            accepts=accepts,
        )
        if answer is not None and answer.status in _SEND_AGAIN and answer.fields:
            return Acknowledged(answer.fields["offset"], len(window))
        answered(answer, f"for the sum of the bytes up to {end}")
        return Acknowledged(end, len(window))

    def _packets(self, window: bytes, packet_bytes: int) -> list[bytes]:
        encrypt = self._cipher.encrypt if self._cipher else bytes
        return [
            encrypt(window[at : at + packet_bytes]) for at in range(0, len(window), packet_bytes)
        ]


def validate_timeout_s(size_bytes: int, chips: Chips) -> float:
    """How long validate may take (5.6 step 8)."""
    if chips is not Chips.BEE2 or size_bytes <= _LARGE_BYTES:
        return ANSWER_TIMEOUT_S
    return max(ANSWER_TIMEOUT_S, (size_bytes // _MIB + 1) * 4.0)


def _whole_blocks(size_bytes: int) -> int:
    """5.6 step 1: packets are whole blocks of the cipher, encrypted or not."""
    return max(BLOCK_BYTES, size_bytes - size_bytes % BLOCK_BYTES)


def _ciphers(device: DeviceInfo, key: bytes) -> tuple[PacketCipher | None, ...]:
    """What START is tried with: some chips load the key from its end (5.6; P)."""
    if "aes" not in device.modes:
        return (None,)
    if not key:
        text = "it takes only what is encrypted, and the key for that was not given"
        raise JobError("unsupported", text)
    if len(key) != KEY_BYTES:
        raise JobError("invalid", f"the key has {len(key)} bytes, not {KEY_BYTES}")
    every = "aes_every_block" in device.modes
    return tuple(PacketCipher(each, every_block=every) for each in (key, key[::-1]))
