"""IdoDialect: one connection's IDO wire, from bytes to messages and from jobs to writes."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from firmware_protocol.events import Event, FrameIgnored
from firmware_protocol.families.ido import actions, settings
from firmware_protocol.families.ido.control_dialogues import (
    bind,
    read_battery,
    read_clock,
    read_live,
    set_clock,
    unbind,
)
from firmware_protocol.families.ido.conversation import Conversation, message_from
from firmware_protocol.families.ido.dial_dialogues import read_dials, remove_dial, show_dial
from firmware_protocol.families.ido.framing import FrameAssembler
from firmware_protocol.families.ido.identify_dialogue import identify
from firmware_protocol.families.ido.loader_dialogue import enter_loader
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.sync_dialogue import sync
from firmware_protocol.families.ido.told import EVENT, echo_of, told_by
from firmware_protocol.families.ido.upload import send_file
from firmware_protocol.family import Dialect, Dialogue, JobError, Message, Output
from firmware_protocol.jobs import (
    Bind,
    Do,
    EnterLoader,
    Identify,
    Job,
    ReadBattery,
    ReadClock,
    ReadDials,
    ReadLive,
    ReadSetting,
    RemoveDial,
    SendFile,
    SetClock,
    ShowDial,
    Sync,
    Unbind,
    WriteSetting,
)

# each takes its own kind of job, which a mapping cannot say: hence `Any`
_DIALOGUES: Final[Mapping[type[Job], Callable[[Conversation, Any], Dialogue]]] = {
    Identify: identify,
    Bind: bind,
    Unbind: unbind,
    ReadClock: read_clock,
    SetClock: set_clock,
    ReadBattery: read_battery,
    ReadLive: read_live,
    Sync: sync,
    ReadSetting: settings.read,
    WriteSetting: settings.write,
    Do: actions.do,
    SendFile: send_file,
    ReadDials: read_dials,
    ShowDial: show_dial,
    RemoveDial: remove_dial,
    EnterLoader: enter_loader,
}
_NOTICES: Final = "ido.set.notice_switches.reply"  # pushed after every subscription (ido.md 2.5)


class IdoDialect(Dialect):
    """Reassembly per channel, sequence numbers, agreed sizes; one object per connection."""

    def __init__(self, max_write_bytes: int) -> None:
        self._assembler = FrameAssembler("RX")
        self._conversation = Conversation(link_write_bytes=max_write_bytes)

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification.

        Raises:
            RemoteProtocolError: the bytes are no frame; the next one is read afresh.
        """
        return [message_from(frame) for frame in self._assembler.receive(uuid, data)]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this wire has no such setting, action or job.
        """
        found = _DIALOGUES.get(type(job))
        if found is None:
            raise JobError("unsupported", "its application knows no such job")
        return found(self._conversation, job)

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """Report what the watch tells of itself; `07 40` is answered with its echo."""
        if not isinstance(message, IdoMessage):
            return [FrameIgnored("a record that was not asked for now", message.name)], []
        if message.name.startswith(EVENT):
            return [*told_by(message)], echo_of(message)
        if message.name == _NOTICES:
            return [], []  # said after every subscription: no news
        return [FrameIgnored("a message that was not asked for now", message.name)], []
