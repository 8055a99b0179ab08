"""One image on its way into a legacy loader: the steps of dfu.md 4.3 (V2).

There is no resume on this wire: whatever happens, an upload begins at the first byte, so the rule
that a lost link costs at most one window cannot hold here.
"""

from collections.abc import Sequence
from typing import Final

from firmware_protocol.family import Asking, Exchange, JobError, Message, Output, Write
from firmware_protocol.images import ImagePart
from firmware_protocol.transfer import Acknowledged, Upload
from firmware_protocol.updates.nordic_legacy import gatt
from firmware_protocol.updates.nordic_legacy.messages import (
    ACTIVATE,
    COUNT,
    INIT_BEGINS,
    INIT_ENDS,
    KINDS,
    OP_INIT,
    OP_RECEIVE,
    OP_START,
    OP_VALIDATE,
    RECEIPT_REQUEST,
    RECEIVE,
    RESET,
    SIZES,
    START,
    SUCCESS,
    VALIDATE,
    Receipt,
    Response,
)

PACKET_BYTES: Final = 20  # 4.3: no loader is known for certain to take larger ones
RECEIPT_PACKETS: Final = 10  # 4.3, step 4
WINDOW_BYTES: Final = RECEIPT_PACKETS * PACKET_BYTES
ERASE_S: Final = 60.0  # 4.3, step 2: up to tens of seconds
ANSWER_S: Final = 10.0  # 4.3: about 10 s
ASKING_S: Final = 3.0  # after so long without a receipt its question is put, well before that


class LegacyUpload(Upload):
    """An image with its init packet."""

    def __init__(self, part: ImagePart) -> None:
        """Take a part of a package.

        Raises:
            JobError: this wire, or what is known of it, has no way for such a part.
        """
        if part.kind not in KINDS:
            raise JobError("unsupported", f"legacy DFU is not known to carry a {part.kind}")
        if not part.head or not part.data:
            raise JobError("invalid", "legacy DFU needs an image and its init packet")
        self.file = part.name
        self.total_bytes = part.size_bytes
        self._part = part

    def offer(self) -> Asking[int]:
        """Steps 2 to 4; the loader erases its flash before it answers."""
        bit, field = KINDS[self._part.kind]
        sizes = dict.fromkeys((name for _, name in KINDS.values()), 0) | {field: self.total_bytes}
        start = [_control(START.build({"kind": bit})), _packet(SIZES.build(sizes))]
        yield from _asked(start, OP_START, ERASE_S, "the start of the update")
        init = [_control(INIT_BEGINS), *_packets(self._part.head), _control(INIT_ENDS)]
        yield from _asked(init, OP_INIT, ANSWER_S, "the init packet")
        yield _said(
            _control(RECEIPT_REQUEST.build({"packets": RECEIPT_PACKETS})), _control(RECEIVE)
        )
        return 0

    def send(self, offset: int) -> Asking[Acknowledged]:
        """Step 5; after the last byte comes a response in place of a receipt.

        A receipt may be lost where the bytes are not; starting again would cost all of them, so
        the loader is asked for its count (`07`) before the upload is given up.
        """
        window = self._part.data[offset : offset + WINDOW_BYTES]
        end = offset + len(window)

        def counts(message: Message) -> bool:
            return isinstance(message, Receipt) and message.received_bytes > offset

        def accepts(message: Message) -> bool:  # an old receipt, said twice, acknowledges nothing
            return _is_of(OP_RECEIVE, message) or (end < self.total_bytes and counts(message))

        told = yield Exchange(lambda: _packets(window), accepts, ASKING_S)
        if told is None:
            told = yield Exchange(
                lambda: [_control(COUNT)],
                lambda message: accepts(message) or counts(message),
                ANSWER_S - ASKING_S,
            )
        if told is None:
            raise JobError("silent", f"the watch did not answer to the bytes up to {end}")
        if isinstance(told, Response):
            _check(told, "the bytes")
        received = told.received_bytes if isinstance(told, Receipt) else self.total_bytes
        if received != end:
            raise JobError("malformed", f"the loader counts {received} bytes, {end} were sent")
        return Acknowledged(end, len(window))

    def verify(self) -> Asking[None]:
        """Step 6, the first half: the loader compares the image with its init packet."""
        yield from _asked([_control(VALIDATE)], OP_VALIDATE, ANSWER_S, "the check of the image")

    def activate(self) -> Asking[None]:
        """Step 6, the second half: the loader resets, and the link is lost by it."""
        yield _said(_control(ACTIVATE))

    def abort(self) -> Asking[None]:
        """4.3, rules: reset the loader. Where an old application survived it starts."""
        yield _said(_control(RESET))


def _control(data: bytes) -> Write:
    return Write(gatt.CONTROL, data)


def _packet(data: bytes) -> Write:
    return Write(gatt.PACKET, data, with_response=False)


def _packets(data: bytes) -> list[Output]:
    return [_packet(data[at : at + PACKET_BYTES]) for at in range(0, len(data), PACKET_BYTES)]


def _said(*outputs: Output) -> Exchange:
    """What has no answer."""
    return Exchange(lambda: outputs, lambda _: False, 0.0)


def _asked(outputs: Sequence[Output], op: int, timeout_s: float, what: str) -> Asking[None]:
    """Write, and wait for the response to `op`, which must be success."""
    told = yield Exchange(lambda: outputs, lambda message: _is_of(op, message), timeout_s)
    if not isinstance(told, Response):
        raise JobError("silent", f"the watch did not answer to {what}")
    _check(told, what)


def _is_of(op: int, message: Message) -> bool:
    return isinstance(message, Response) and message.op == op


def _check(told: Response, what: str) -> None:
    if told.result != SUCCESS:
        raise JobError("refused", f"the loader took {what} not: {told.words}")
