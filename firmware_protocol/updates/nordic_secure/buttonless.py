"""Leaving an application for its loader without a button (dfu.md 3.2, V2; example 1)."""

from typing import Final

from firmware_protocol.events import Event, FrameIgnored, Identified, WatchInfo
from firmware_protocol.family import (
    Dialect,
    Dialogue,
    Exchange,
    JobError,
    Message,
    Output,
    Report,
    Write,
)
from firmware_protocol.jobs import EnterLoader, Identify, Job
from firmware_protocol.updates.nordic_secure import codec

_TIMEOUT_S: Final = 20.0  # as at the control point (dfu.md 3.3)


class ButtonlessDialect(Dialect):
    """The two words of a buttonless characteristic, with or without a bond."""

    def __init__(self, uuid: str) -> None:
        self._uuid = uuid

    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one indication.

        Raises:
            RemoteProtocolError: it answers nothing that we ask.
        """
        return [codec.decode_entered(data)]

    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this service can do nothing but enter the loader.
        """
        if isinstance(job, Identify):
            return _identify()
        if isinstance(job, EnterLoader):
            return self._enter()
        raise JobError("unsupported", "this service only leads to the loader")

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """Nothing is told here unasked."""
        return [FrameIgnored("an answer that was not asked for now", message.name)], []

    def _enter(self) -> Dialogue:
        answer = yield Exchange(
            lambda: [Write(self._uuid, codec.ENTER_LOADER)],
            lambda message: isinstance(message, codec.Entered),
            _TIMEOUT_S,
        )
        if not isinstance(answer, codec.Entered):
            raise JobError("silent", "the watch did not answer when asked for its loader")
        if answer.result != codec.SUCCESS:
            raise JobError("refused", f"its loader was asked for: {answer.words}")


def _identify() -> Dialogue:
    """All there is to know is that it could be subscribed to: it takes no harmless question."""
    yield Report(Identified(WatchInfo(family="nordic-secure", product="application")))
