"""What the dialogues of all firmware transports share: replies, and asking for one."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import Event, FrameIgnored
from firmware_protocol.family import (
    Dialect,
    Exchange,
    JobError,
    Message,
    Output,
    Step,
)

Asking = Generator[Step, Message | None, "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer or notice of a bootloader. `numbers` are its fields by name."""

    name: str
    result: int = 0
    numbers: Mapping[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """A field without which the answer means nothing.

        Raises:
            DecodeError: the answer was too short to hold it.
        """
        if name not in self.numbers:
            raise DecodeError(f"{self.name} without {name}")
        return self.numbers[name]


class DfuDialect(Dialect):
    """A bootloader tells nothing unasked that wants an answer."""

    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """See `Dialect.unsolicited`."""
        return [FrameIgnored("an answer that was not awaited", message.name)], []


def ask(
    outputs: Sequence[Output],
    accepts: Callable[[Reply], bool],
    timeout_s: float,
    question: str,
    *,
    attempts: int = 1,
) -> Asking:
    """Send, and return the answer.

    Raises:
        JobError: the bootloader stayed silent.
    """
    message = yield Exchange(
        lambda: outputs,
        lambda reply: isinstance(reply, Reply) and accepts(reply),
        timeout_s,
        attempts,
    )
    if not isinstance(message, Reply):
        raise JobError("silent", f"the watch did not answer when asked {question}")
    return message
