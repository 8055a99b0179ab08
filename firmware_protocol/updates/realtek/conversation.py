"""Asking a Realtek loader: one question, its answer, and the waits while it is busy."""

from collections.abc import Callable, Sequence
from typing import Final

from firmware_protocol.family import Asking, Exchange, JobError, Message, Output, Write
from firmware_protocol.updates.realtek.gatt import CONTROL
from firmware_protocol.updates.realtek.messages import SUCCESS, Answer, Busy

ANSWER_TIMEOUT_S: Final = 10.0  # 5.6 step 8 for validate; no other is named, but for step 3
NOTHING_AWAITED_S: Final = 0.0
MOST_BUSY: Final = 20  # notifications of one wait

Accepts = Callable[[Answer], bool]


def control(command: bytes) -> Write:
    """A command on its way."""
    return Write(CONTROL, command)


def tell(command: bytes) -> Asking[None]:
    """Send a command that has no answer."""
    yield Exchange(lambda: [control(command)], lambda _: False, NOTHING_AWAITED_S)


def pace(packet: Output, pause_s: float) -> Asking[None]:
    """Send a packet that nobody acknowledges, and let time pass; more where the watch is busy.

    Raises:
        JobError: it does not stop being busy.
    """
    message = yield Exchange(lambda: [packet], _is_busy, pause_s)
    if isinstance(message, Busy):
        yield from _until_idle()


def ask(
    outputs: Sequence[Output],
    opcode: int,
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
    accepts: Accepts | None = None,
) -> Asking[Answer | None]:
    """Send, and return the answer to this opcode; None where the watch stays silent.

    Each word that it is busy begins the wait anew, so often as `MOST_BUSY` allows.

    Raises:
        JobError: it does not stop being busy.
    """

    def fits(message: Message) -> bool:
        if isinstance(message, Answer) and message.opcode == opcode:
            return accepts is None or accepts(message)
        return isinstance(message, Busy)

    step = Exchange(lambda: outputs, fits, timeout_s)
    for _ in range(MOST_BUSY):
        message = yield step
        if not isinstance(message, Busy):
            return message if isinstance(message, Answer) else None
        step = Exchange(_nothing, fits, timeout_s)
    raise JobError("refused", "the watch stays busy")


def answered(answer: Answer | None, question: str) -> Answer:
    """Return an answer that must be there and say yes.

    Raises:
        JobError: the watch stayed silent, or refused.
    """
    if answer is None:
        raise JobError("silent", f"the watch did not answer when asked {question}")
    if answer.status != SUCCESS:
        raise JobError("refused", f"asked {question}, the watch says: {answer.verdict}")
    return answer


def _nothing() -> Sequence[Output]:
    return ()


def _is_busy(message: Message) -> bool:
    return isinstance(message, Busy) and message.is_busy


def _until_idle() -> Asking[None]:
    idle = yield Exchange(
        _nothing,
        lambda message: isinstance(message, Busy) and not message.is_busy,
        ANSWER_TIMEOUT_S,
    )
    if idle is None:
        raise JobError("refused", "the watch stays busy")
