"""An image on its way into a Nordic Secure DFU loader (dfu.md 3.5, 3.6; V2).

The init packet goes first, then the image in objects of one flash page. Receipts are off: one
checksum for each object is the fewest words that this wire allows.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from firmware_protocol.family import Asking, Exchange, JobError, Message, Output, Write
from firmware_protocol.images import ImagePart
from firmware_protocol.transfer import Acknowledged, Upload
from firmware_protocol.updates.nordic_secure import codec, gatt
from firmware_protocol.updates.nordic_secure.codec import Answer, ObjectType, Op

ANSWER_TIMEOUT_S: Final = 20.0  # for each answer of the control point (3.3)
ATTEMPTS: Final = 3  # of each object (3.3, 3.6), and of each question that changes nothing
_SLOWEST_LINK_BYTES_PER_S: Final = 1024  # how long a window itself may take to go out
_NO_RECEIPTS: Final = 0


def ask(
    request: bytes, *, before: Sequence[Output] = (), attempts: int = 1, extra_s: float = 0.0
) -> Asking[Answer | None]:
    """Ask the control point, after what goes `before`; None where no answer to this op comes."""
    outputs = [*before, Write(gatt.CONTROL_POINT, request)]

    def accepts(message: Message) -> bool:
        return isinstance(message, Answer) and message.op == request[0]

    answer = yield Exchange(lambda: outputs, accepts, ANSWER_TIMEOUT_S + extra_s, attempts)
    return answer if isinstance(answer, Answer) else None


def demand(request: bytes, question: str) -> Asking[Answer]:
    """Ask what may be asked again, and have it done.

    Raises:
        JobError: the loader stays silent or refuses.
    """
    answer = yield from ask(request, attempts=ATTEMPTS)
    return _done(answer, question)


class LoaderRefusedError(JobError):
    """The loader would not; `answer` says why."""

    def __init__(self, question: str, answer: Answer) -> None:
        super().__init__("refused", f"asked {question}, the loader says: {answer.words}")
        self.answer = answer


class SecureUpload(Upload):
    """One part of a package; see `Upload` for its steps."""

    def __init__(self, part: ImagePart, packet_bytes: int) -> None:
        self.file = part.name
        self.total_bytes = len(part.data)
        self._image = memoryview(part.data)
        self._init = part.head
        self._packet_bytes = packet_bytes
        self._object_bytes = 0  # as large as this loader's objects are
        self._is_open = False  # the object at the offset goes on; else it is created
        self._is_verified = False
        self._failures: Counter[int] = Counter()  # by the object's first byte

    def offer(self) -> Asking[int]:
        """Have the init packet executed; ask how much of its image the loader holds (3.6)."""
        yield from demand(codec.set_receipts(_NO_RECEIPTS), "to be quiet")
        yield from self._send_init(anew=False)
        offset = yield from self._stand()
        if offset < self.total_bytes:
            return offset
        answer = yield from ask(codec.EXECUTE)
        if answer is None or answer.result != codec.NOT_PERMITTED:
            _done(answer, "to take the image that it holds")
            self._is_verified = True
            return offset
        # 3.6 tolerates an object that was executed before; of the last one this says nothing about
        # the image, so only a new start can tell
        yield from self._send_init(anew=True)
        return (yield from self._stand())

    def send(self, offset: int) -> Asking[Acknowledged]:
        """Send one object, or the rest of one; a failed attempt leads to where the loader stands.

        Raises:
            JobError: the loader refuses it, or the third attempt failed (3.6).
        """
        start = offset - offset % self._object_bytes
        end = min(start + self._object_bytes, self.total_bytes)
        sent_bytes = 0
        new = codec.create(ObjectType.DATA, end - start)
        if self._is_open or (yield from _heeded(new, "to take more of the image")):
            sent_bytes = end - offset
            if (yield from self._delivered(self._image[:end], offset)) and (
                end == self.total_bytes
                or (yield from _heeded(codec.EXECUTE, "to keep a part of the image"))
            ):
                self._is_open = False
                return Acknowledged(end, sent_bytes)
        self._failures[start] += 1
        if self._failures[start] == ATTEMPTS:
            text = f"the object at byte {start} did not arrive whole in {ATTEMPTS} attempts"
            raise JobError("refused", text)
        return Acknowledged((yield from self._stand()), sent_bytes)

    def verify(self) -> Asking[None]:
        """Execute the last object: the loader answers what it found of the whole image (3.5).

        Raises:
            JobError: it is not good, or the loader does not say.
        """
        if not self._is_verified:
            _done((yield from ask(codec.EXECUTE)), "whether the image is good")

    def activate(self) -> Asking[None]:
        """Nothing is said for it: the loader resets by itself (3.5)."""
        yield from ()

    def _send_init(self, *, anew: bool) -> Asking[None]:
        """3.5: go on where what the loader holds is the same; check, and have it validated."""
        for _ in range(ATTEMPTS):
            told = yield from demand(codec.select(ObjectType.COMMAND), "for its init packet")
            if len(self._init) > told.max_bytes:
                sizes = f"{len(self._init)} bytes, the loader takes {told.max_bytes}"
                raise JobError("invalid", f"the init packet has {sizes}")
            held = self._init[: told.offset]
            same = 0 < told.offset <= len(self._init) and told.crc == zlib.crc32(held)
            offset = told.offset if same and not anew else 0
            if not offset:
                size_bytes = len(self._init)
                question = "to take an init packet"
                yield from demand(codec.create(ObjectType.COMMAND, size_bytes), question)
            anew = False
            whole = offset == len(self._init) or (yield from self._delivered(self._init, offset))
            if whole and (yield from _heeded(codec.EXECUTE, "to take this firmware")):
                return
        raise JobError("refused", f"the init packet did not arrive in {ATTEMPTS} attempts")

    def _stand(self) -> Asking[int]:
        """Ask how much of the image the loader holds, and where to go on (3.6).

        Raises:
            JobError: it says what cannot be.
        """
        told = yield from demand(codec.select(ObjectType.DATA), "how far it got")
        offset, size_bytes = told.offset, told.max_bytes
        if not size_bytes or offset > self.total_bytes:
            raise JobError("malformed", f"objects of {size_bytes} bytes, {offset} bytes held")
        self._object_bytes, self._is_open = size_bytes, False
        if told.crc != zlib.crc32(self._image[:offset]):
            return max(0, offset - (offset % size_bytes or size_bytes))
        if offset and offset < self.total_bytes:
            self._is_open = offset % size_bytes != 0
            if not self._is_open:  # whole, but perhaps not yet executed
                answer = yield from ask(codec.EXECUTE, attempts=ATTEMPTS)
                if answer is None or answer.result != codec.NOT_PERMITTED:
                    _done(answer, "to keep what it holds")
        return offset

    def _delivered(self, content: bytes | memoryview, offset: int) -> Asking[bool]:
        """Send `content` from `offset` on; whether the loader then holds just this content."""
        places = range(offset, len(content), self._packet_bytes)
        packets = [
            Write(gatt.PACKET, bytes(content[at : at + self._packet_bytes]), with_response=False)
            for at in places
        ]
        extra_s = (len(content) - offset) / _SLOWEST_LINK_BYTES_PER_S
        answer = yield from ask(codec.CHECKSUM, before=packets, extra_s=extra_s)
        expected = Answer(Op.CHECKSUM, codec.SUCCESS, len(content), zlib.crc32(content))
        return answer == expected


def _heeded(request: bytes, question: str) -> Asking[bool]:
    """Ask once what changes the loader's state; False where no answer comes, so that nobody knows.

    Raises:
        JobError: the loader refuses.
    """
    answer = yield from ask(request)
    if answer is not None:
        _done(answer, question)
    return answer is not None


def _done(answer: Answer | None, question: str) -> Answer:
    """Return an answer that must be there and good."""
    if answer is None:
        raise JobError("silent", f"the watch did not answer when asked {question}")
    if not answer.succeeded:
        raise LoaderRefusedError(question, answer)
    return answer
