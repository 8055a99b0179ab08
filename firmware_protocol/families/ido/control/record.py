"""Health records: their total size (V3 05) and their transfer (V3 04) (ido.md 6.5, 7.2; C)."""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from construct import Int8ul, Int16ul, Int32ul, NoneOf, Struct

from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido.framing import HEALTH_RECORD
from firmware_protocol.families.ido.health import RECORDS
from firmware_protocol.families.ido.health.record import RecordCodec, opaque_codec
from firmware_protocol.families.ido.message_type import Messages, MessageType, many, v3
from firmware_protocol.wire import Body, Code, Filler, Layout, Maybe, reserved

START: Final = 0
STOP: Final = 1
_TYPES: Final = range(0x01, 0x11)  # 7.2; 0B and 0D have no name
_TOTAL_BYTES: Final = 125
_HEAD: Final = struct.Struct("<BBBHHHIB")
_OPAQUE: Final = Layout(Struct())


class RecordReply(NamedTuple):
    """What the watch answers to START or STOP of command 04 (7.2), unread."""

    operate: int
    record_type: int
    today: int
    data_start: int
    item_count: int
    have_next: int
    header: bytes
    items: bytes

    @classmethod
    def decode(cls, payload: bytes) -> "RecordReply":
        """Split the payload of a reply.

        Raises:
            DecodeError: its sizes do not add up.
        """
        if len(payload) < _HEAD.size:
            raise DecodeError(f"a record reply of {len(payload)} bytes")
        operate, record_type, today, start, count, header_bytes, data_bytes, have_next = (
            _HEAD.unpack_from(payload)
        )
        items_at = _HEAD.size + header_bytes
        if len(payload) != (items_at + data_bytes if operate == START else _HEAD.size):
            raise DecodeError("the sizes of a record reply do not add up")
        header, items = payload[_HEAD.size : items_at], payload[items_at:]
        return cls(operate, record_type, today, start, count, have_next, header, items)


class RecordLayout:
    """The reply to START: seven numbers, then a record, which its metric's codec reads."""

    def __init__(self, codec: RecordCodec) -> None:
        self._codec = codec
        self._opaque = opaque_codec(codec.record_type, codec.metric)

    def decode(self, body: bytes, *, padded: bool = False) -> Body:
        """Name the numbers and the record; one that its codec refuses is an `opaque_record`.

        Where the sizes do not add up, all of it stays unknown.
        """
        try:
            reply = RecordReply.decode(bytes((START, self._codec.record_type)) + body)
        except DecodeError:
            return _OPAQUE.decode(body)
        content = (reply.header, reply.items, reply.item_count)
        try:
            place, record = "record", self._codec.decode(*content)
        except DecodeError:
            place, record = "opaque_record", self._opaque.decode(*content)
        fields: dict[str, object] = {
            "today": reply.today,
            "data_start": reply.data_start,
            "item_count": reply.item_count,
            "have_next": reply.have_next,
            place: record.fields(),
        }
        return Body(fields, unknown_bytes=record.unknown_bytes)

    def encode(self, fields: Mapping[str, object], *, short: bool = False) -> bytes:
        """Undo `decode`.

        Raises:
            LocalProtocolError: a field is missing or does not fit its place.
        """
        if not any(place in fields for place in ("record", "opaque_record")):
            return _OPAQUE.encode(fields)
        opaque = "opaque_record" in fields
        record = fields.get("opaque_record" if opaque else "record")
        if not isinstance(record, Mapping):
            raise LocalProtocolError("a record is missing")
        header, items = (self._opaque if opaque else self._codec).from_fields(record).encode()
        names = ("today", "data_start", "item_count")
        try:
            head = _HEAD.pack(
                START,
                self._codec.record_type,
                *(fields[name] for name in names),
                len(header),
                len(items),
                fields["have_next"],
            )
        except (KeyError, struct.error) as error:
            raise LocalProtocolError(f"a number of a record does not fit: {error}") from None
        return head[2:] + header + items


def _codec(record_type: int) -> RecordCodec:
    return RECORDS.get(record_type) or opaque_codec(record_type, f"type_{record_type:02x}")


def _transfer(record_type: int) -> Messages:
    codec = _codec(record_type)
    name = f"ido.health.{codec.metric}"
    start, stop = (bytes((operate, record_type)) for operate in (START, STOP))
    return (
        MessageType(f"{name}.start", "TX", HEALTH_RECORD, start, _REQUEST),
        MessageType(f"{name}.stop", "TX", HEALTH_RECORD, stop, _REQUEST),
        MessageType(f"{name}.start.reply", "RX", HEALTH_RECORD, start, RecordLayout(codec)),
        MessageType(f"{name}.stop.reply", "RX", HEALTH_RECORD, stop, _STOPPED),
    )


_REQUEST: Final = Layout(Struct("today" / Int8ul, "offset" / Int16ul))
_STOPPED: Final = Layout(
    Struct(
        "today" / Int8ul,
        "data_start" / Int16ul,
        "item_count" / Int16ul,
        "header_bytes" / Int16ul,
        "data_bytes" / Int32ul,
        "have_next" / Int8ul,
    )
)
_METRIC: Final = Code(NoneOf(Int8ul, [0]), {kind: _codec(kind).metric for kind in _TYPES})

MESSAGES: Final = (
    *v3(
        "ido.health.total",
        0x05,
        Struct(
            "held" / Maybe(many(Struct("metric" / _METRIC, "items" / Int32ul))),
            Filler(fill_to=_TOTAL_BYTES),
        ),
        Struct("total_bytes" / Int32ul, reserved(1)),
    ),
    *(message for record_type in _TYPES for message in _transfer(record_type)),
)
