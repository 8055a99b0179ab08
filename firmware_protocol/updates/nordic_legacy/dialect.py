"""LegacyDialect: one link to a legacy loader, or to an application that leaves for it."""

from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import Event, FrameIgnored, Identified, WatchInfo
from firmware_protocol.family import (
    Dialect,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Read,
    Report,
    Write,
)
from firmware_protocol.jobs import EnterLoader, Identify, InstallImage, Job
from firmware_protocol.transfer import run_upload
from firmware_protocol.updates.nordic_legacy import gatt
from firmware_protocol.updates.nordic_legacy.messages import (
    KINDS,
    START,
    Revision,
    decode_control,
    decode_revision,
)
from firmware_protocol.updates.nordic_legacy.upload import ANSWER_S, LegacyUpload

NAME: Final = "nordic-legacy"
IN_APPLICATION: Final = 0x0001  # dfu.md 4.1
OLDEST_KNOWN, NEWEST_KNOWN = 0x0005, 0x0008  # 4.1


class LegacyDialect(Dialect):
    """It has no sequence numbers: each operation is under way once, and answered by its number."""

    def __init__(self, max_write_bytes: int) -> None:
        """Packets have 20 bytes whatever the link takes (dfu.md 4.3)."""
        del max_write_bytes
        self._revision: int | None = None

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification, or the value of 1534.

        Raises:
            RemoteProtocolError: the bytes mean nothing on this wire.
        """
        if uuid == gatt.REVISION:
            return [decode_revision(data)]
        if uuid == gatt.CONTROL:
            return [decode_control(data)]
        raise DecodeError("legacy DFU says nothing on this characteristic")

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this wire has no word for it, or this loader must not be trusted with it.
        """
        match job:
            case Identify():
                return self._identify()
            case EnterLoader():
                return self._enter_loader()
            case InstallImage():
                self._check_loader(experimental=job.experimental)
                return run_upload(LegacyUpload(job.part))
            case _:
                raise JobError("unsupported", "legacy DFU has no word for this")

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """Repeated and late answers mean nothing."""
        return [FrameIgnored("a message that was not asked for now", message.name)], []

    def _identify(self) -> Dialogue:
        """Read the revision (4.1): what is harmless, and answered by all but the oldest."""
        wanted = Read(gatt.REVISION, optional=True)
        told = yield Exchange(
            lambda: [wanted], lambda message: isinstance(message, Revision), ANSWER_S
        )
        if not isinstance(told, Revision):
            raise JobError("silent", "the watch did not answer to who it is")
        self._revision = told.revision
        where = "application" if told.revision == IN_APPLICATION else "bootloader"
        facts = {} if told.revision is None else {"dfu_revision": told.revision}
        yield Report(Identified(WatchInfo(family=NAME, product=where, facts=facts)))

    def _enter_loader(self) -> Dialogue:
        """4.3, step 1; where the application takes images itself there is no loader (4.5)."""
        if self._revision != IN_APPLICATION:
            raise JobError("unsupported", "it takes an image as it is, there is nowhere to go")
        leave = Write(gatt.CONTROL, START.build({"kind": KINDS["application"][0]}))
        yield Exchange(lambda: [leave], lambda _: False, 0.0)

    def _check_loader(self, *, experimental: bool) -> None:
        """Of loaders before revision 5 the reference has only hints (4.3): they are left alone."""
        revision = self._revision
        if revision == IN_APPLICATION:
            raise JobError("unsupported", "it is not in its loader")
        if revision is None or revision < OLDEST_KNOWN:
            shown = "none" if revision is None else f"{revision:04X}"
            raise JobError("unsupported", f"its loader is too old (revision {shown})")
        if revision > NEWEST_KNOWN and not experimental:
            raise JobError("unproven", f"nobody saw a loader of revision {revision:04X}")
