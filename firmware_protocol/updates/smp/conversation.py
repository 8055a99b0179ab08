"""Asking an SMP server: sequence numbers, the sizes of this link, and the steps of one question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.family import Asking, Exchange, JobError, Message, Output, Write
from firmware_protocol.updates.smp.codec import (
    HEADER_BYTES,
    EchoWriteRequest,
    EchoWriteResponse,
    ImageState,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
    Request,
    SmpReply,
)
from firmware_protocol.updates.smp.gatt import CHARACTERISTIC
from firmware_protocol.updates.smp.words import in_words

ATTEMPTS: Final = 3  # the vendor's client tries twice more (ido.md 11.1, platform 1)
ANSWER_TIMEOUT_S: Final = 5.0  # dfu.md 6.3 step 3: 5 to 10 s
GAP_S: Final = 2.0  # between the notifications of one answer; the reference gives none
_SEQUENCES: Final = 256
_LARGEST_BUFFER_BYTES: Final = HEADER_BYTES + 0xFFFF  # what a header's length can say
_ECHO_OVERHEAD_BYTES: Final = len(bytes(EchoWriteRequest(d="", sequence=0)))


@dataclass(frozen=True, slots=True)
class Buffers:
    """What `params` says (dfu.md 6.2)."""

    size_bytes: int
    count: int


class Conversation:
    """One link's state: how much a write takes, how much the server's buffers take."""

    def __init__(self, write_bytes: int) -> None:
        self.write_bytes = write_bytes
        self.buffers: Buffers | None = None  # the server did not say
        self.message_bytes: int | None = None  # the largest request, once it is known
        self._sequence = -1

    def next_sequence(self) -> int:
        """Return a number that the last 255 requests did not have."""
        self._sequence = (self._sequence + 1) % _SEQUENCES
        return self._sequence

    def writes(self, request: Request) -> list[Output]:
        """Cut a request into the writes that carry it."""
        message, size = bytes(request), self.write_bytes
        return [
            Write(CHARACTERISTIC, message[at : at + size], with_response=False)
            for at in range(0, len(message), size)
        ]

    def ask(
        self,
        question: str,
        request: Callable[[int], Request],
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
        attempts: int = ATTEMPTS,
    ) -> Asking[SmpReply]:
        """Send a request and return the answer to its last attempt, which may be a refusal.

        Raises:
            JobError: the watch stayed silent.
        """
        sent: list[Request] = []

        def outputs() -> Sequence[Output]:
            sent.append(request(self.next_sequence()))
            return self.writes(sent[-1])

        def accepts(message: Message) -> bool:
            return isinstance(message, SmpReply) and message.answers(sent[-1])

        reply = yield Exchange(outputs, accepts, timeout_s, attempts, GAP_S)
        if not isinstance(reply, SmpReply):
            raise JobError("silent", f"the watch did not answer when asked {question}")
        return reply

    def images(self) -> Asking[list[ImageState]]:
        """Ask which images are in the slots.

        Raises:
            JobError: the watch refused or stayed silent.
            DecodeError: two images are said to run in one place.
        """
        reply = yield from self.ask(
            "for its images", lambda number: ImageStatesReadRequest(sequence=number)
        )
        images = granted(reply).as_a(ImageStatesReadResponse).images
        running = [image.image or 0 for image in images if image.active]
        if len(running) > len(set(running)):
            raise DecodeError("two images are said to run")
        return images

    def learn_buffers(self) -> Asking[None]:
        """Ask for the server's buffers; an older one does not know them.

        Raises:
            JobError: the watch stayed silent.
        """
        reply = yield from self.ask(
            "for its buffers", lambda number: MCUMgrParametersReadRequest(sequence=number)
        )
        if reply.refusal is None:
            told = reply.as_a(MCUMgrParametersReadResponse)
            if told.buf_size > 0 and told.buf_count > 0:
                self.buffers = Buffers(min(told.buf_size, _LARGEST_BUFFER_BYTES), told.buf_count)

    def learn_message_size(self) -> Asking[int]:
        """Find out how large a request may be: one write, unless the server puts several together.

        `params` tells only the buffer's size, so an echo that needs two writes is tried: it does no
        harm, and comes back whole or not at all (dfu.md 6.1, 6.3 step 1).
        """
        if self.message_bytes is None:
            buffer_bytes = self.buffers.size_bytes if self.buffers else self.write_bytes
            self.message_bytes = min(buffer_bytes, self.write_bytes)
            # whole writes: a short last one would cost as much of the link as a long one
            several = buffer_bytes // self.write_bytes
            if several > 1 and (yield from self._echoes_in_two_writes()):
                self.message_bytes = several * self.write_bytes
        return self.message_bytes

    def _echoes_in_two_writes(self) -> Asking[bool]:
        text = "k" * (self.write_bytes - _ECHO_OVERHEAD_BYTES + 1)
        try:
            reply = yield from self.ask(
                "to echo", lambda number: EchoWriteRequest(d=text, sequence=number), attempts=1
            )
        except JobError:
            return False
        return isinstance(reply.body, EchoWriteResponse) and reply.body.r == text


def granted(reply: SmpReply) -> SmpReply:
    """Return an answer that is none of the watch's errors.

    Raises:
        JobError: it is one; in words.
    """
    if reply.refusal is not None:
        raise JobError("refused", in_words(reply.refusal))
    return reply
