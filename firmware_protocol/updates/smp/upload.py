"""An image on its way into an SMP server: requests in flight, its offset rules (dfu.md 6.3).

The first chunk carries no more than the image's header. It announces the image, so that it waits
for the erase anyway, and where the watch has a part already nothing is sent twice but these bytes.
"""

from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.family import Asking, Exchange, JobError, Message
from firmware_protocol.images import ImagePart, mcuboot
from firmware_protocol.transfer import Acknowledged, Upload
from firmware_protocol.updates.smp.codec import (
    ImageEraseRequest,
    ImageState,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageUploadWriteRequest,
    ImageUploadWriteResponse,
    ResetWriteRequest,
    SmpReply,
)
from firmware_protocol.updates.smp.conversation import ATTEMPTS, GAP_S, Conversation, granted
from firmware_protocol.updates.smp.words import BUSY, NO_MEMORY, in_words

ERASE_TIMEOUT_S: Final = 40.0  # dfu.md 6.3 step 3: the first chunk erases
CHUNK_TIMEOUT_S: Final = 10.0  # the same: later 5 to 10 s
UNTOLD_WINDOW: Final = 4  # ido.md 11.1, platform 1: four packets in flight
MOST_IN_FLIGHT: Final = 64  # of 256 sequence numbers: an answer must not fit two requests
_IMAGE: Final = 0  # watches have one


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A request that has no answer yet."""

    request: ImageUploadWriteRequest
    offset: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.offset


class SmpUpload(Upload):
    """See `Upload`. `last`: the watch is restarted, and tries the image."""

    def __init__(self, talk: Conversation, part: ImagePart, *, last: bool) -> None:
        """Take the image of a part.

        Raises:
            JobError: it is no whole image of MCUboot, or carries a slot's trailer.
        """
        self.file = part.name
        self.total_bytes = len(part.data)
        self._data = part.data
        self._file_sha256 = sha256(part.data).digest()  # it names the upload (6.3 step 3)
        self._digest = digest_of(part)
        self._talk = talk
        self._last = last
        self._in_flight: deque[_Chunk] = deque()
        self._early: Acknowledged | None = None  # what `offer` got acknowledged beside its answer
        self._window = UNTOLD_WINDOW
        self._silences = 0
        self._spoilt = False
        self._listed: ImageState | None = None  # what `verify` found

    def offer(self) -> Asking[int]:
        """Announce the image, unless the watch lists it already: then nothing is left to send."""
        listed = self._among((yield from self._talk.images()))
        # its digest may stand in flash before the image's last bytes do
        if listed and (listed.active or listed.pending or (yield from self._goes_on_at()) == 0):
            return self.total_bytes
        message_bytes = yield from self._talk.learn_message_size()
        if buffers := self._talk.buffers:
            # one buffer is left for the answer: with none the server says that memory is short
            self._window = min(max(1, buffers.count - 1), MOST_IN_FLIGHT)
        first = self._chunk(0, 0)
        if len(bytes(first.request)) > message_bytes:
            raise JobError("unsupported", f"its requests take {message_bytes} bytes: too few")
        reply = yield from self._talk.ask(
            "to take the image",
            lambda number: self._chunk(0, number).request,
            timeout_s=ERASE_TIMEOUT_S,
        )
        offset = _offset_in(granted(reply))
        if offset > first.end:
            return offset  # what it had kept; the chunk's own bytes count as nothing sent
        self._early = Acknowledged(offset, first.end)
        return 0

    def send(self, offset: int) -> Asking[Acknowledged]:
        """Fill the window, and wait for the first answer to what is in it."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        new = self._fill_window(offset)
        reply = yield self._exchange(new)
        if not isinstance(reply, SmpReply):
            return (yield from self._silence(offset))
        self._silences = 0
        answered, sent_bytes = self._land(reply)
        if reply.refusal is not None:
            if reply.refusal == NO_MEMORY:
                self._window = max(1, self._window // 2)
                return (yield from self._drain(answered.offset, sent_bytes))
            self._spoilt = reply.refusal != BUSY  # the same again would be refused again
            raise JobError("refused", in_words(reply.refusal))
        self._look_at_match(reply)
        told = _offset_in(reply)
        if told == answered.end:
            return Acknowledged(told, sent_bytes)
        return (yield from self._drain(told, sent_bytes))

    def verify(self) -> Asking[None]:
        """Look whether the watch lists the image by its own digest (6.3 step 6)."""
        self._listed = self._among((yield from self._talk.images()))
        if self._listed is None:
            raise JobError("refused", "the watch does not list the image that it got")

    def activate(self) -> Asking[None]:
        """Have the image tried at the next start, and start the watch anew (6.3 step 7).

        An image that runs already is left alone: a restart would end its trial.
        """
        if self._listed is None:
            raise LocalProtocolError("nothing is activated that was not verified")
        if self._listed.active:
            return
        # also where it waits already: no bit of a list alone decides what is restarted
        reply = yield from self._talk.ask(
            "to try the image",
            lambda number: ImageStatesWriteRequest(
                hash=self._digest, confirm=False, sequence=number
            ),
            timeout_s=CHUNK_TIMEOUT_S,
        )
        image = self._among(granted(reply).as_a(ImageStatesReadResponse).images)
        if image is None or not image.pending:
            raise JobError("refused", "the watch does not mean to try the image")
        if self._last:
            reply = yield from self._talk.ask(
                "to restart", lambda number: ResetWriteRequest(sequence=number)
            )
            granted(reply)

    def abort(self) -> Asking[None]:
        """Erase what cannot become the image; what is only incomplete goes on later."""
        if self._spoilt:
            yield from self._talk.ask(
                "to erase the image",
                lambda number: ImageEraseRequest(slot=1, sequence=number),
                timeout_s=ERASE_TIMEOUT_S,
                attempts=1,
            )

    def _among(self, images: list[ImageState]) -> ImageState | None:
        return next((image for image in images if image.hash == self._digest), None)

    def _fill_window(self, offset: int) -> list[_Chunk]:
        """Make the requests for which there is room. `offset` begins one where none is in flight.

        What follows the first chunk waits for its answer: the watch erases.
        """
        new: list[_Chunk] = []
        at = self._in_flight[-1].end if self._in_flight else offset
        while at < self.total_bytes and len(self._in_flight) < self._window:
            chunk = self._chunk(at, self._talk.next_sequence())
            new.append(chunk)
            self._in_flight.append(chunk)
            at = chunk.end
            if not chunk.offset:
                break
        return new

    def _exchange(self, new: list[_Chunk]) -> Exchange:
        """Send chunks, and wait for the answer to any that is in flight."""
        outputs = [write for chunk in new for write in self._talk.writes(chunk.request)]

        def accepts(message: Message) -> bool:
            return isinstance(message, SmpReply) and any(
                message.answers(chunk.request) for chunk in self._in_flight
            )

        erases = not self._in_flight[0].offset
        return Exchange(
            lambda: outputs, accepts, ERASE_TIMEOUT_S if erases else CHUNK_TIMEOUT_S, gap_s=GAP_S
        )

    def _land(self, reply: SmpReply) -> tuple[_Chunk, int]:
        """Take what a reply answers out of the window, and all before it: they come in order."""
        sent_bytes = 0
        while True:
            chunk = self._in_flight.popleft()
            sent_bytes += chunk.size_bytes
            if reply.answers(chunk.request):
                return chunk, sent_bytes

    def _drain(self, offset: int, sent_bytes: int) -> Asking[Acknowledged]:
        """The watch wants other bytes: let it answer what is in flight, follow its last word."""
        while self._in_flight:
            reply = yield self._exchange([])
            if not isinstance(reply, SmpReply):
                break
            _, landed_bytes = self._land(reply)
            sent_bytes += landed_bytes
            if reply.refusal is None:
                offset = _offset_in(reply)
        sent_bytes += self._give_up()
        return Acknowledged(offset, sent_bytes)

    def _silence(self, offset: int) -> Asking[Acknowledged]:
        """Nothing came back: send less at once, from where the watch says that it is."""
        all_sent = self._in_flight[-1].end == self.total_bytes
        sent_bytes = self._give_up()
        self._silences += 1
        if self._silences == ATTEMPTS:
            raise JobError("silent", f"the watch did not answer behind byte {offset}")
        self._window = max(1, self._window // 2)
        told = yield from self._goes_on_at()
        if told == 0 and all_sent and self._among((yield from self._talk.images())):
            return Acknowledged(self.total_bytes, sent_bytes)  # only the answer was lost
        return Acknowledged(offset if told is None else told, sent_bytes)

    def _goes_on_at(self) -> Asking[int | None]:
        """Ask with an empty chunk behind the end, which no watch takes, what it wants next.

        Returns 0 where no upload is under way, None where the watch does not say.
        """
        reply = yield from self._talk.ask(
            "how far it got",
            lambda number: ImageUploadWriteRequest(off=self.total_bytes, data=b"", sequence=number),
        )
        return _offset_in(reply) if reply.refusal is None else None

    def _give_up(self) -> int:
        """Expect no answer to what is in flight any more; return how much that was."""
        given_up_bytes = sum(chunk.size_bytes for chunk in self._in_flight)
        self._in_flight.clear()
        return given_up_bytes

    def _look_at_match(self, reply: SmpReply) -> None:
        if reply.as_a(ImageUploadWriteResponse).match is False:
            self._spoilt = True
            raise JobError("refused", "what the watch got has another SHA-256 than the file")

    def _chunk(self, offset: int, sequence: int) -> _Chunk:
        """The largest request from an offset that fits; the first one announces the image."""
        if not offset:
            end = mcuboot.HEADER_BYTES
            request = ImageUploadWriteRequest(
                off=0,
                data=self._data[:end],
                image=_IMAGE,
                len=self.total_bytes,
                sha=self._file_sha256,
                sequence=sequence,
            )
            return _Chunk(request, offset, end)
        empty = ImageUploadWriteRequest(off=offset, data=b"", sequence=sequence)
        limit_bytes = self._talk.message_bytes or self._talk.write_bytes
        end = min(self.total_bytes, offset + _room(limit_bytes, len(bytes(empty))))
        data = self._data[offset:end]
        return _Chunk(
            ImageUploadWriteRequest(off=offset, data=data, sequence=sequence), offset, end
        )


def digest_of(part: ImagePart) -> bytes:
    """The digest by which a server lists an image: that of its TLVs, not of the file (6.3 step 6).

    Raises:
        JobError: it is no whole image of MCUboot, has no digest, or carries a slot's trailer, which
            could make the watch keep it without a trial.
    """
    try:
        image = mcuboot.decode(part.data)
    except DecodeError as error:
        raise JobError("invalid", f"{part.name} is no image of MCUboot: {error}") from None
    digests = mcuboot.part_of(image, part.data, part.name).digests
    if image.cut or image.end != len(part.data) or not digests:
        raise JobError("invalid", f"{part.name} is no whole image of MCUboot with a digest")
    return bytes.fromhex(next(iter(digests.values())))


def _offset_in(reply: SmpReply) -> int:
    """Where the watch wants to go on.

    Raises:
        DecodeError: it does not say.
    """
    offset = reply.as_a(ImageUploadWriteResponse).off
    if offset is None:
        raise DecodeError("the watch took a part of the image and does not say how far it got")
    return offset


def _room(limit_bytes: int, empty_bytes: int) -> int:
    """How much data fits beside the rest of a request: its length takes up to 2 bytes more."""
    room = limit_bytes - empty_bytes
    return max(min(room, 23), min(room - 1, 0xFF), min(room - 2, 0xFFFF), 1)
