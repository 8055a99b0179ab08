"""SecureDialect: one connection to a Nordic Secure DFU loader, from jobs to writes (dfu.md 3)."""

from typing import Final

from firmware_protocol.events import Event, FrameIgnored, Identified, Remarked, WatchInfo
from firmware_protocol.family import Dialect, Dialogue, JobError, Message, Output, Report
from firmware_protocol.jobs import Identify, InstallImage, Job
from firmware_protocol.transfer import run_upload
from firmware_protocol.updates.nordic_secure import codec
from firmware_protocol.updates.nordic_secure.codec import ObjectType
from firmware_protocol.updates.nordic_secure.upload import LoaderRefusedError, SecureUpload, demand

NAME: Final = "nordic-secure"
_LEAST_PACKET_BYTES: Final = 20
_MOST_PACKET_BYTES: Final = 512  # no attribute is longer
_PACKET_MULTIPLE: Final = 4  # some bootloaders need it (3.3, provisional); none minds


class SecureDialect(Dialect):
    """What a loader is asked; it keeps nothing, each upload asks anew how far the loader got."""

    def __init__(self, max_write_bytes: int) -> None:
        most = min(max(max_write_bytes, _LEAST_PACKET_BYTES), _MOST_PACKET_BYTES)
        self._packet_bytes = most - most % _PACKET_MULTIPLE

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification of the control point.

        Raises:
            RemoteProtocolError: the bytes are no answer.
        """
        return [codec.decode_answer(data)]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this loader cannot do it, or not with this image.
        """
        if isinstance(job, Identify):
            return _identify()
        if isinstance(job, InstallImage):
            if not job.part.data or not job.part.head:
                text = "an image and its init packet are needed, and one of them is empty"
                raise JobError("invalid", text)
            return _install(job, SecureUpload(job.part, self._packet_bytes))
        raise JobError("unsupported", "a Nordic loader only takes images")

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """A loader tells nothing unasked: this is late, or came twice."""
        return [FrameIgnored("an answer that was not asked for now", message.name)], []


def _install(job: InstallImage, upload: SecureUpload) -> Dialogue:
    """Pass by a part before the last that is there: a package that was begun must be finished (9).

    Nothing is risked by it: the loader itself judges whether what follows fits.
    """
    try:
        yield from run_upload(upload)
    except LoaderRefusedError as refused:
        if job.last or refused.answer.extended not in codec.ALREADY_THERE:
            raise
        yield Report(Remarked("The loader has this part already, or a newer one."))


def _identify() -> Dialogue:
    """Selecting the init packet changes nothing, and only a loader can do it."""
    told = yield from demand(codec.select(ObjectType.COMMAND), "whether it is a loader")
    facts: dict[str, int | str] = {
        "init_packet_max_bytes": told.max_bytes,
        "init_packet_held_bytes": told.offset,
    }
    yield Report(Identified(WatchInfo(family=NAME, product="bootloader", facts=facts)))
