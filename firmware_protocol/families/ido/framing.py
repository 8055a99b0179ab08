"""Frames of the IDO wire: classic frames and V3 messages, whole and in chunks (ido.md 2.6, 4.5, 6).

A classic frame is one ATT value. A V3 message begins with `33 DA AD DA AD` and may go on in further
ATT values that begin with 33. Notices (05 01, 05 03) are written in pieces of 16 bytes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.errors import ChecksumError, FrameError, LocalProtocolError
from firmware_protocol.family import Direction

V3_MARK: Final = 0x33
V3_MAGIC: Final = b"\x33\xda\xad\xda\xad"
V3_START: Final = V3_MAGIC + b"\x01"  # with the frame version (6.1)
V3_HEADER_BYTES: Final = 12
V3_UNCOUNTED_BYTES: Final = 1  # the length field counts from byte 1 on
CRC_BYTES: Final = 2
MAX_V3_BYTES: Final = 0xFFFF + V3_UNCOUNTED_BYTES + CRC_BYTES  # all that a u16 can announce
HEALTH_RECORD: Final = 0x04  # the command whose replies may lack the CRC (6.1)
NOTICE_KEYS: Final = (b"\x05\x01", b"\x05\x03")
PIECE_BYTES: Final = 16
_PIECE_HEAD_BYTES: Final = 4  # command, key, total, serial


@dataclass(frozen=True, slots=True)
class ClassicFrame:
    """Command, key and payload; of a notice all pieces joined: command, key and block."""

    data: bytes


@dataclass(frozen=True, slots=True)
class V3Frame:
    """One whole V3 message (6.1)."""

    command: int
    sequence: int
    payload: bytes
    has_crc: bool


Frame = ClassicFrame | V3Frame


def encode_v3(command: int, sequence: int, payload: bytes, *, with_crc: bool = True) -> bytes:
    """Return a whole V3 message, before chunking (6.1, C).

    Raises:
        LocalProtocolError: a number is out of range or the payload too long for one message.
    """
    length = V3_HEADER_BYTES - V3_UNCOUNTED_BYTES + len(payload)
    if length > 0xFFFF or not 0 <= command <= 0xFFFF or not 0 <= sequence <= 0xFFFF:
        raise LocalProtocolError("command, sequence or payload do not fit a V3 message")
    numbers = b"".join(number.to_bytes(2, "little") for number in (length, command, sequence))
    message = V3_START + numbers + payload
    return message + (_crc(message) if with_crc else b"")


def chunk(message: bytes, chunk_bytes: int, direction: Direction = "TX") -> list[bytes]:
    """Cut a whole message into ATT values: V3 by 6.3, what we write of notices by 4.5.

    All else is one value.

    Raises:
        LocalProtocolError: the values are too small for a V3 header or for a classic frame.
    """
    if direction == "TX" and message[:2] in NOTICE_KEYS:
        return _notice_pieces(message)
    if not message.startswith(V3_START):
        if len(message) > chunk_bytes:
            raise LocalProtocolError(f"a classic frame of {len(message)} bytes cannot be cut")
        return [message]
    if chunk_bytes < V3_HEADER_BYTES:
        raise LocalProtocolError(f"chunks of {chunk_bytes} bytes cannot hold a V3 header")
    step = chunk_bytes - 1
    rest = range(chunk_bytes, len(message), step)
    return [message[:chunk_bytes], *(b"\x33" + message[at : at + step] for at in rest)]


def is_piece(direction: Direction, data: bytes) -> bool:
    """Tell whether a value is a piece of a notice (4.5); one that holds no text is none."""
    return direction == "TX" and data[:2] in NOTICE_KEYS and len(data) > _PIECE_HEAD_BYTES


def joined_pieces(pieces: Sequence[bytes]) -> bytes:
    """Return the notice that was written in these pieces."""
    return pieces[0][:2] + b"".join(piece[_PIECE_HEAD_BYTES:] for piece in pieces)


def _notice_pieces(message: bytes) -> list[bytes]:
    block = message[2:]
    starts = range(0, len(block), PIECE_BYTES)
    if not 1 <= len(starts) <= 0xFF:
        raise LocalProtocolError(f"a notice of {len(block)} bytes does not fit its pieces")
    return [
        message[:2] + bytes((len(starts), serial)) + block[at : at + PIECE_BYTES]
        for serial, at in enumerate(starts, 1)
    ]


def _crc(message: bytes) -> bytes:
    """Return the check bytes of a message: from byte 1 to the end of the payload (6.1)."""
    return crc16_ccitt_false(message[1:]).to_bytes(CRC_BYTES, "little")


@dataclass(slots=True)
class _Channel:
    """What is under way on one characteristic."""

    v3: bytearray | None = None
    late_crc: bytes | None = None  # what may still follow a health record that came without it
    notice: list[bytes] = field(default_factory=list)
    last_piece: bytes = b""


class FrameAssembler:
    """Puts ATT values of one direction together to frames; one buffer per channel.

    A frame that never completes is dropped when the next one begins on its channel; the last few
    dropped ones are told in `dropped`, because the frame that replaced them is delivered.
    """

    def __init__(self, direction: Direction) -> None:
        self.dropped: deque[FrameError] = deque(maxlen=8)
        self._direction = direction
        self._channels: dict[str, _Channel] = {}

    def receive(self, channel: str, data: bytes) -> list[Frame]:
        """Take one ATT value; return the frames that it completes (none or one).

        What begins neither a V3 message nor a notice is a classic frame, known or not. A record
        reply (RX 04) is complete without a CRC. If a CRC follows in the same or the next value it
        is checked; nothing waits for it. A piece of a notice may be written again.

        Raises:
            FrameError: these bytes are no frame, or not the next part of one.
            ChecksumError: the message that ended here has a wrong CRC.
        """
        if not data:
            raise FrameError("an empty value")
        state = self._channels.setdefault(channel, _Channel())
        if data[0] == V3_MARK:
            return self._receive_v3(state, data)
        if is_piece(self._direction, data):
            return self._receive_piece(state, data)
        return [ClassicFrame(data)]

    def is_open(self, channel: str) -> bool:
        """Tell whether a message on this channel waits for its rest."""
        state = self._channels.get(channel)
        return state is not None and (state.v3 is not None or bool(state.notice))

    def _receive_v3(self, state: _Channel, data: bytes) -> list[Frame]:
        if data.startswith(V3_START) and len(data) >= V3_HEADER_BYTES:
            if state.v3 is not None:
                self.dropped.append(FrameError("a V3 message was never finished"))
            state.v3, state.late_crc = bytearray(data), None
        elif state.v3 is not None:
            state.v3 += data[1:]
        elif state.late_crc is not None:
            return _check_late_crc(state, data[1:])
        else:
            raise FrameError("a chunk without the beginning of its message")
        return self._finish_v3(state, state.v3)

    def _finish_v3(self, state: _Channel, buffer: bytearray) -> list[Frame]:
        length = int.from_bytes(buffer[6:8], "little")
        end = length + V3_UNCOUNTED_BYTES
        crc_is_optional = (
            self._direction == "RX" and int.from_bytes(buffer[8:10], "little") == HEALTH_RECORD
        )
        if end < V3_HEADER_BYTES or len(buffer) > end + CRC_BYTES:
            state.v3 = None
            raise FrameError(f"a V3 message of {len(buffer)} bytes that announced {end}")
        if len(buffer) < end or (len(buffer) < end + CRC_BYTES and not crc_is_optional):
            return []
        message, check = bytes(buffer[:end]), bytes(buffer[end:])
        state.v3 = None
        if len(check) == CRC_BYTES and check != _crc(message):
            raise ChecksumError("the CRC of a V3 message is wrong")
        if len(check) < CRC_BYTES:
            state.late_crc = _crc(message)
            if check and check != state.late_crc[:1]:
                state.late_crc = None
                raise ChecksumError("half a CRC follows a record, and it is wrong")
            state.late_crc = state.late_crc[len(check) :]
        command, sequence = (int.from_bytes(message[at : at + 2], "little") for at in (8, 10))
        payload = message[V3_HEADER_BYTES:]
        return [V3Frame(command, sequence, payload, has_crc=len(check) == CRC_BYTES)]

    def _receive_piece(self, state: _Channel, data: bytes) -> list[Frame]:
        total, serial = data[2], data[3]
        if data == state.last_piece and (state.notice or serial > 1):
            return []  # said once more
        state.last_piece = data
        if serial == 1 and state.notice:
            self.dropped.append(FrameError("a notice was never finished"))
            state.notice = []
        first = state.notice[0] if state.notice else data
        if serial != len(state.notice) + 1 or serial > total or data[:3] != first[:3]:
            state.notice = []
            raise FrameError("a piece of a notice out of order")
        state.notice.append(data)
        if serial < total:
            return []
        block = joined_pieces(state.notice)
        state.notice = []
        return [ClassicFrame(block)]


def _check_late_crc(state: _Channel, check: bytes) -> list[Frame]:
    expected, state.late_crc = state.late_crc, None
    if check != expected:
        raise ChecksumError("the CRC that followed a record is wrong")
    return []
