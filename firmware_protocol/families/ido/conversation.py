"""Asking an IDO watch: what was agreed with it on this link, and the steps of one question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.control.record import START, RecordReply
from firmware_protocol.families.ido.framing import (
    HEALTH_RECORD,
    ClassicFrame,
    Frame,
    V3Frame,
    chunk,
)
from firmware_protocol.families.ido.health import RECORDS
from firmware_protocol.families.ido.messages import IdoMessage, decode_frame, encode_message
from firmware_protocol.family import Asking, Exchange, JobError, Message, Output, Write

CLASSIC_TIMEOUT_S: Final = 3.0  # the vendor's client sends again after this (ido.md 2.4)
CLASSIC_ATTEMPTS: Final = 3
V3_TIMEOUT_S: Final = 5.0  # per command (ido.md 2.4, C)
V3_GAP_S: Final = 1.5  # between chunks (ido.md 2.4, C)
V3_ATTEMPTS: Final = 3
SMALLEST_WRITE_BYTES: Final = 20  # without valid sizes (ido.md 2.4)
LARGEST_WRITE_BYTES: Final = 512  # no attribute is longer
_LEGACY_GROUPS: Final = (0x08, 0x09)
_WITHOUT_RESPONSE: Final = (0xD1, 0x13)  # file transfer and voice (ido.md 2.3, V)
_ACCEPTED: Final = (None, "ok")
_OUTCOMES: Final = ("status", "result")  # what acknowledgements call it
_LEGACY_DATA: Final = frozenset(bytes((0x08, key)) for key in (*range(0x03, 0x09), 0xEE))


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """A reply to START or STOP of command 04; its items stay bytes. `payload` is all of it."""

    name: str
    sequence: int
    reply: RecordReply
    payload: bytes


@dataclass(frozen=True, slots=True)
class LegacyMessage:
    """A packet of group 08, or the end of them; what it holds depends on what was asked."""

    name: str
    data: bytes


def message_from(frame: Frame) -> Message:
    """Decode a frame of the watch, health data only as far as it must be understood here.

    Raises:
        DecodeError: its sizes do not add up.
    """
    if isinstance(frame, V3Frame) and frame.command == HEALTH_RECORD:
        reply = RecordReply.decode(frame.payload)
        codec = RECORDS.get(reply.record_type)
        metric = codec.metric if codec else f"type_{reply.record_type:02x}"
        operation = "start" if reply.operate == START else "stop"
        name = f"ido.health.{metric}.{operation}.reply"
        return RecordMessage(name, frame.sequence, reply, frame.payload)
    if isinstance(frame, ClassicFrame) and frame.data[:2] in _LEGACY_DATA:
        return LegacyMessage(decode_frame(frame, "RX").name, frame.data)
    return decode_frame(frame, "RX")


@dataclass(slots=True)
class Conversation:
    """What one link agreed on. `capabilities` is None as long as the tables are unknown.

    The watch's word on sizes holds only as far as the link's own limit (ATT MTU minus 3).
    """

    link_write_bytes: int = LARGEST_WRITE_BYTES
    write_bytes: int = SMALLEST_WRITE_BYTES
    capabilities: frozenset[str] | None = None
    bind_confirm: int = 0
    platform: int | None = None  # of 02 01 (ido.md 11.1)
    device_id: int | None = None
    _sequence: int = field(default=0)

    def next_sequence(self) -> int:
        """Return a number that no request before it had (until it wraps)."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence

    def classic(
        self,
        name: str,
        fields: Mapping[str, object] | None = None,
        *,
        attempts: int = CLASSIC_ATTEMPTS,
        timeout_s: float = CLASSIC_TIMEOUT_S,
    ) -> Asking[IdoMessage | None]:
        """Send a classic message; return its reply, None where the watch stays silent."""
        outputs = self.writes(encode_message(name, fields or {}))
        reply_name = f"{name}.reply"
        message = yield Exchange(
            lambda: outputs, lambda reply: reply.name == reply_name, timeout_s, attempts
        )
        return message if isinstance(message, IdoMessage) else None

    def acknowledged(
        self,
        name: str,
        fields: Mapping[str, object] | None,
        asked: str,
        what: str,
        *,
        attempts: int = CLASSIC_ATTEMPTS,
    ) -> Asking[None]:
        """Send a classic message and take its acknowledgement.

        `asked` and `what` are for errors: what the watch was asked, and what it refuses.

        Raises:
            JobError: the watch refused, or stayed silent.
        """
        reply = answered((yield from self.classic(name, fields, attempts=attempts)), asked)
        accept(reply, what)

    def v3(
        self,
        name: str,
        fields: Mapping[str, object] | None = None,
        *,
        attempts: int = V3_ATTEMPTS,
        matches: Callable[[Message], bool] | None = None,
    ) -> Asking[Message | None]:
        """Send a V3 message; return the reply with its very sequence number, or None.

        Each attempt takes a new number (ido.md 6.2), so what answers an earlier one is not taken.
        """
        sequence = -1
        reply_name = f"{name}.reply"

        def outputs() -> Sequence[Output]:
            nonlocal sequence
            sequence = self.next_sequence()
            return self.writes(encode_message(name, fields or {}, sequence=sequence))

        def accepts(reply: Message) -> bool:
            return (
                isinstance(reply, IdoMessage | RecordMessage)
                and reply.name == reply_name
                and reply.sequence == sequence
                and (matches is None or matches(reply))
            )

        message = yield Exchange(outputs, accepts, V3_TIMEOUT_S, attempts, V3_GAP_S)
        return message

    def set_speed(self, speed: str) -> Asking[None]:
        """03 35; the app does not mind its errors either (ido.md 4.3, C)."""
        fields = {"speed": speed, "modify_connection": 0}
        yield from self.classic("ido.set.link_speed", fields, attempts=1)

    def writes(self, message: bytes) -> list[Output]:
        """Cut a message into the writes that carry it, to the channel of its first byte (2.3)."""
        uuid = gatt.HEALTH_WRITE if message[0] in _LEGACY_GROUPS else gatt.COMMAND_WRITE
        with_response = message[0] not in _WITHOUT_RESPONSE
        return [Write(uuid, part, with_response) for part in chunk(message, self.write_bytes)]

    def agree_on_sizes(self, reply: IdoMessage) -> None:
        """Take the largest write out of a reply to 02 F0."""
        write_bytes = whole(reply, "write_bytes")
        if reply.fields.get("state") == "valid" and write_bytes is not None:
            most = max(SMALLEST_WRITE_BYTES, min(self.link_write_bytes, LARGEST_WRITE_BYTES))
            self.write_bytes = min(max(write_bytes, SMALLEST_WRITE_BYTES), most)


def answered(message: Message | None, question: str) -> IdoMessage:
    """Return a reply that must be there.

    Raises:
        JobError: the watch stayed silent.
    """
    if not isinstance(message, IdoMessage):
        raise JobError("silent", f"the watch did not answer when asked {question}")
    return message


def accept(reply: IdoMessage, what: str) -> None:
    """Check the status of an acknowledgement, where it has one (ido.md 3.2, 10).

    Raises:
        JobError: the watch refused.
    """
    for outcome in _OUTCOMES:
        status = reply.fields.get(outcome)
        if status not in _ACCEPTED:
            reason = status.replace("_", " ") if isinstance(status, str) else f"status {status}"
            raise JobError("refused", f"the {what}: {reason}")


def whole(message: IdoMessage, name: str) -> int | None:
    """Return a number of a message, None where the watch did not send it."""
    value = message.fields.get(name)
    return value if isinstance(value, int) else None


def needed(message: IdoMessage, name: str) -> int:
    """Return a number without which a message means nothing.

    Raises:
        DecodeError: it is missing.
    """
    value = whole(message, name)
    if value is None:
        raise DecodeError(f"{message.name} without {name}")
    return value
