"""SmpDialect: one connection's SMP, from notifications to answers and from jobs to writes."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from firmware_protocol.events import Event, FrameIgnored
from firmware_protocol.family import Dialect, Dialogue, JobError, Message, Output
from firmware_protocol.jobs import ConfirmImage, Identify, InstallImage, Job, ReadImages
from firmware_protocol.updates.smp.assembly import Assembler
from firmware_protocol.updates.smp.conversation import Conversation
from firmware_protocol.updates.smp.dialogues import confirm, identify, install, read_images

# each takes its own kind of job, which a mapping cannot say: hence `Any`
_DIALOGUES: Final[Mapping[type[Job], Callable[[Conversation, Any], Dialogue]]] = {
    Identify: identify,
    ReadImages: read_images,
    InstallImage: install,
    ConfirmImage: confirm,
}


class SmpDialect(Dialect):
    """An SMP server speaks beside the watch's application, on a service of its own."""

    def __init__(self, max_write_bytes: int) -> None:
        self._assembler = Assembler()
        self._talk = Conversation(max_write_bytes)

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification.

        Raises:
            RemoteProtocolError: it is no part of an answer; the next one is read afresh.
        """
        reply = self._assembler.receive(data)
        return [] if reply is None else [reply]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: SMP has no word for it, or its image is none of MCUboot.
        """
        if type(job) not in _DIALOGUES:
            raise JobError("unsupported", "its firmware service only takes firmware")
        return _DIALOGUES[type(job)](self._talk, job)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """A server says nothing of itself: it is an answer that comes late, or twice."""
        return [FrameIgnored("an answer that nobody waits for", message.name)], []
