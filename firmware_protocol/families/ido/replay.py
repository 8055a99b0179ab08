"""A capture as a watch: each question gets what the captured watch answered to it.

Nothing is made up. What the capture lacks stays unanswered; only the sequence number of a V3 reply
becomes the asker's, and its CRC with it, where the captured reply had one.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_protocol.errors import DecodeError, RemoteProtocolError
from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.control.record import START
from firmware_protocol.families.ido.framing import (
    HEALTH_RECORD,
    V3_MARK,
    ClassicFrame,
    Frame,
    FrameAssembler,
    V3Frame,
    chunk,
    encode_v3,
)
from firmware_protocol.families.ido.health.decoding import StoredRecord
from firmware_protocol.family import CapturedPacket, Direction
from firmware_protocol.watch_session import WatchSession

_HEALTH_CHANNEL: Final = "0af2"
_LEGACY_GROUPS: Final = (0x08, 0x09)
_UNASKED_GROUPS: Final = (0x07, 0xD1)  # events; receipts of transfers, which follow many writes
_RECORD_KEY_BYTES: Final = 3  # operate, type, today; the offset may differ
_DEFAULT_CHUNK_BYTES: Final = 137

_Key = tuple[int | None, bytes]  # V3 command or None, and the bytes that tell questions apart


@dataclass(slots=True)
class _Question:
    """A captured question with its answer. `asked` is empty where only the answer was captured."""

    asked: bytes
    answer: Frame | None = None
    channel: str = "-"
    used: bool = False


def open_replay(packets: Sequence[CapturedPacket]) -> WatchSession:
    """Open the watch's end of a captured conversation."""
    return ReplaySession(packets)


class ReplaySession(WatchSession):
    """Plays a capture. A new link begins it anew."""

    def __init__(self, packets: Sequence[CapturedPacket]) -> None:
        self._questions = _questions_of(packets)
        self._due: list[tuple[str, bytes]] = []
        lengths = [len(p.data) for p in packets if p.direction == "RX" and p.data[:1] == b"\x33"]
        self._chunk_bytes = max(lengths, default=_DEFAULT_CHUNK_BYTES)
        self._begin_link()

    def link_opened(self, now_s: float) -> None:
        """A central connected."""
        self._begin_link()

    def subscribed(self, uuid: str, now_s: float) -> None:
        """The capture does not say what subscribing led to."""

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Answer as captured, or stay silent."""
        # a question that is no frame gets no answer from a watch either
        with contextlib.suppress(RemoteProtocolError):
            for frame in _frames(self._assembler, uuid, data):
                question = self._next_answer(frame)
                if question is not None and question.answer is not None:
                    self._notify(question.answer, question.channel, frame)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """Captures hold no reads."""
        return b""

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Take the notifications that are due."""
        due, self._due = self._due, []
        return due

    def link_lost(self, now_s: float) -> None:
        """The link is gone, and half a message with it."""
        self._begin_link()

    def _begin_link(self) -> None:
        self._assembler = FrameAssembler("TX")
        self._due.clear()
        for questions in self._questions.values():
            for question in questions:
                question.used = False

    def _next_answer(self, frame: Frame) -> _Question | None:
        """Take the next answer to this very question, else to one of its kind, else the last."""
        answered = [q for q in self._questions.get(_key(frame), ()) if q.answer is not None]
        content = _content(frame)
        fresh = [q for q in answered if not q.used]
        if fresh:
            question = next((q for q in fresh if q.asked == content), fresh[0])
            question.used = True
            return question
        if _is_record_start(frame):
            return next((q for q in answered if _is_empty_record(q.answer)), None)
        return answered[-1] if answered else None

    def _notify(self, answer: Frame, channel: str, asked: Frame) -> None:
        if isinstance(answer, ClassicFrame):
            health = channel == _HEALTH_CHANNEL or answer.data[0] in _LEGACY_GROUPS
            self._due.append((gatt.HEALTH_NOTIFY if health else gatt.COMMAND_NOTIFY, answer.data))
            return
        sequence = asked.sequence if isinstance(asked, V3Frame) else answer.sequence
        message = encode_v3(answer.command, sequence, answer.payload, with_crc=answer.has_crc)
        uuid = gatt.HEALTH_NOTIFY if channel == _HEALTH_CHANNEL else gatt.COMMAND_NOTIFY
        self._due += [(uuid, part) for part in chunk(message, self._chunk_bytes, "RX")]


def _questions_of(packets: Sequence[CapturedPacket]) -> dict[_Key, list[_Question]]:
    """Pair what was answered with what was asked, in the order of asking."""
    questions: dict[_Key, list[_Question]] = defaultdict(list)
    asked_v3: dict[tuple[int, int], _Question] = {}
    for direction, channel, frame in _captured_frames(packets):
        alike = questions[_key(frame)]
        if direction == "TX":
            alike.append(_Question(_content(frame)))
            if isinstance(frame, V3Frame):
                asked_v3[frame.command, frame.sequence] = alike[-1]
            continue
        if isinstance(frame, V3Frame):
            question = asked_v3.pop((frame.command, frame.sequence), None)
        else:
            question = next((asked for asked in alike if asked.answer is None), None)
            if frame.data[0] in _UNASKED_GROUPS or (alike and question is None):
                continue  # the watch's own word, or said once more
        if question is None:
            question = _Question(b"")
            alike.append(question)
        question.answer, question.channel = frame, channel
    return questions


def _captured_frames(
    packets: Sequence[CapturedPacket],
) -> Iterator[tuple[Direction, str, Frame]]:
    assemblers: dict[Direction, FrameAssembler] = {
        "TX": FrameAssembler("TX"),
        "RX": FrameAssembler("RX"),
    }
    for packet in packets:
        # captures hold broken and cut messages; the rest of them still counts
        with contextlib.suppress(RemoteProtocolError):
            for frame in _frames(assemblers[packet.direction], packet.channel, packet.data):
                yield packet.direction, packet.channel, frame


def _frames(assembler: FrameAssembler, channel: str, data: bytes) -> Sequence[Frame]:
    """Put V3 messages together; each write of the classic kind is a question of its own."""
    if data[:1] == bytes((V3_MARK,)):
        return assembler.receive(channel, data)
    return [ClassicFrame(data)] if len(data) > 1 else []


def _key(frame: Frame) -> _Key:
    if isinstance(frame, ClassicFrame):
        return None, frame.data[:2]
    if frame.command == HEALTH_RECORD:
        return frame.command, frame.payload[:_RECORD_KEY_BYTES]
    return frame.command, b""


def _content(frame: Frame) -> bytes:
    return frame.data if isinstance(frame, ClassicFrame) else frame.payload


def _is_record_start(frame: Frame) -> bool:
    return (
        isinstance(frame, V3Frame)
        and frame.command == HEALTH_RECORD
        and frame.payload[:1] == bytes((START,))
    )


def _is_empty_record(answer: Frame | None) -> bool:
    payload = answer.payload if isinstance(answer, V3Frame) else b""
    try:
        return StoredRecord.decode(payload).is_empty
    except DecodeError:
        return False
