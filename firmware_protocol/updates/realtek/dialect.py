"""RealtekDialect: one connection to the update service of a Realtek watch (dfu.md 5)."""

from collections.abc import Callable
from typing import Final

from firmware_protocol.events import (
    Event,
    FrameIgnored,
    HeldImage,
    Identified,
    ImagesRead,
    WatchInfo,
)
from firmware_protocol.family import (
    Asking,
    Dialect,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Read,
    Report,
)
from firmware_protocol.images.image import hex_id
from firmware_protocol.images.realtek import (
    BEE2_IDS,
    RTL87X2G_IDS,
    TRANSPORT,
    version_text,
)
from firmware_protocol.jobs import Identify, InstallImage, Job, ReadImages
from firmware_protocol.transfer import run_upload
from firmware_protocol.updates.realtek.conversation import ANSWER_TIMEOUT_S, ask, control
from firmware_protocol.updates.realtek.device_info import DeviceInfo, parse_device_info
from firmware_protocol.updates.realtek.gatt import CONTROL, DEVICE_INFO, PROTOCOL_TYPE
from firmware_protocol.updates.realtek.messages import (
    IMAGE_VERSIONS,
    SUCCESS,
    Answer,
    Value,
    decode_control,
    image_versions,
)
from firmware_protocol.updates.realtek.upload import RealtekUpload

UNPROVEN: Final = (
    "no whole transfer to a Realtek watch was ever published, so its layouts are not proven"
)
_BANKS: Final = (0, 1)
_VERSION_WORD_BYTES: Final = 4  # longer versions have no known layout
_KINDS: Final = {**BEE2_IDS, **RTL87X2G_IDS}


class RealtekDialect(Dialect):
    """What one link found out about the watch; one object per connection."""

    def __init__(self, max_write_bytes: int) -> None:
        self._link_write_bytes = max_write_bytes
        self._device: DeviceInfo | None = None

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take a notification of the control characteristic, or a value that was read.

        Raises:
            DecodeError: a notification is of no known layout.
        """
        if uuid == CONTROL:
            return [decode_control(data)]
        return [Value("realtek.value", uuid, data)]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this loader cannot do it, or it is not proven and nobody insists.
        """
        if isinstance(job, Identify):
            return self._identify()
        if isinstance(job, ReadImages):
            return _read_images()
        if not isinstance(job, InstallImage):
            raise JobError("unsupported", "it is the update service of a Realtek watch")
        if not job.experimental:
            raise JobError("unproven", UNPROVEN)
        return self._install(job)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """Nothing that comes unasked needs an answer."""
        return [FrameIgnored("a message that was not asked for now", message.name)], []

    def _identify(self) -> Dialogue:
        """Reading harms nothing, and only a chip of this maker has these values."""
        info = yield from _value(DEVICE_INFO)
        protocol_type = yield from _value(PROTOCOL_TYPE)
        if not info:
            raise JobError("unsupported", "it does not tell which Realtek chip it has")
        self._device = parse_device_info(info, protocol_type)
        yield Report(
            Identified(WatchInfo(TRANSPORT, product="bootloader", facts=self._device.facts))
        )

    def _install(self, job: InstallImage) -> Dialogue:
        if self._device is None:
            raise JobError("invalid", "which chip it has was not read before")
        upload = RealtekUpload(
            job.part,
            self._device,
            link_write_bytes=self._link_write_bytes,
            is_last=job.last,
            key=job.loader_key,
        )
        at_once = "multiple" in self._device.modes  # else the watch restarts after each image
        yield from run_upload(upload, activates=job.last or not at_once)


def _value(uuid: str) -> Asking[bytes]:
    """Read a characteristic; nothing where it is not there."""
    message = yield Exchange(
        lambda: (Read(uuid, optional=True),),
        lambda message: isinstance(message, Value) and message.uuid == uuid,
        ANSWER_TIMEOUT_S,
    )
    return message.data if isinstance(message, Value) else b""


def _read_images() -> Dialogue:
    """5.2, `0D`. What a bank does not tell is left out."""
    images: list[HeldImage] = []
    for bank in _BANKS:
        answer = yield from ask(
            [control(image_versions(bank))], IMAGE_VERSIONS, accepts=_of_bank(bank)
        )
        if answer is None:
            raise JobError("silent", "the watch did not answer when asked for its images")
        if answer.status != SUCCESS:
            continue
        for image_id, version, version_bytes in answer.versions:
            kind = _KINDS.get(image_id, hex_id(image_id))
            known = version_bytes == _VERSION_WORD_BYTES
            text = version_text(version) if known else f"{version:0{2 * version_bytes}X}"
            images.append(HeldImage(f"bank_{bank}:{kind}", text, None))
    yield Report(ImagesRead(tuple(images)))


def _of_bank(bank: int) -> Callable[[Answer], bool]:
    return lambda told: told.fields.get("bank", bank) == bank
