"""Notices: which are shown, and the calls and messages themselves (ido.md 4.3, 03 30; 4.5)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from construct import Bytes, Int8ul, Struct

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.families.ido.capabilities import NOTICE_BITS
from firmware_protocol.families.ido.codes import NOTICE_TYPE
from firmware_protocol.families.ido.framing import PIECE_BYTES
from firmware_protocol.families.ido.message_type import (
    REVERSED_SWITCH,
    STATUS_CODE,
    MessageType,
    classic,
    exchange,
    get,
    names_only,
    put,
)
from firmware_protocol.wire import Body, Code, Filler, Flags, Layout, Text, Zeros

_MAIN: Final = Code(Int8ul, {0x55: "on", 0xAA: "off", 0x88: "by_switch"})
_SWITCHES: Final = (  # C; the order of items 3 and 4 is P
    "main" / _MAIN,
    "item_1" / Flags(Int8ul, NOTICE_BITS[0]),
    "item_2" / Flags(Int8ul, NOTICE_BITS[1]),
    "calls" / REVERSED_SWITCH,
    "call_delay_s" / Int8ul,
    "item_3" / Flags(Int8ul, NOTICE_BITS[2]),
    "item_4" / Flags(Int8ul, NOTICE_BITS[3]),
)
_SWITCHES_BYTES: Final = 18
_SHOWN: Final = Code(Int8ul, {0: "unknown", 1: "ok", 2: "cancelled", 3: "pairing_timeout"})
_PIECE_REPLY: Final = Struct("total" / Int8ul, "serial" / Int8ul, "status" / STATUS_CODE)


class TextsLayout:
    """Lengths of some texts, then the texts, then zeros to whole pieces (4.5).

    `sizes` and `texts` name the same texts in the order of their lengths and of themselves. Each
    field of `head` is one byte.
    """

    def __init__(self, sizes: Sequence[str], texts: Sequence[str], *head: Any) -> None:
        self._sizes = sizes
        self._texts = texts
        self._head = head  # fields as construct declares them, untyped

    def decode(self, body: bytes, *, padded: bool = False) -> Body:
        """Name the texts; a block that is shorter than its lengths say stays unknown."""
        at = len(self._head)
        sizes = dict(zip(self._sizes, body[at:], strict=False))
        if at + len(self._sizes) + sum(sizes.values()) > len(body):
            return Layout(Struct()).decode(body)
        return self._layout(sizes).decode(body, padded=padded)

    def encode(self, fields: Mapping[str, object], *, short: bool = False) -> bytes:
        """Undo `decode`.

        Raises:
            LocalProtocolError: a text is missing or longer than 255 bytes.
        """
        if not any(name in fields for name in self._texts):
            return Layout(Struct()).encode(fields)
        sizes = {name: _text_bytes(fields.get(name)) for name in self._sizes}
        if max(sizes.values()) > 0xFF:
            raise LocalProtocolError("a text of a notice is longer than 255 bytes")
        return self._layout(sizes).encode(fields, short=short)

    def _layout(self, sizes: Mapping[str, int]) -> Layout:
        return Layout(
            Struct(
                *self._head,
                Filler(bytes(sizes.values())),
                *(name / Text(Bytes(sizes[name])) for name in self._texts),
                Filler(multiple_of=PIECE_BYTES),
            )
        )


def _text_bytes(text: object) -> int:
    if not isinstance(text, str):
        raise LocalProtocolError("a text of a notice is missing")
    return len(text.encode("utf-8", "surrogateescape"))


def _written(noun: str, key: int, layout: TextsLayout) -> tuple[MessageType, MessageType]:
    name = f"ido.notice.{noun}"
    return (
        MessageType(name, "TX", None, bytes((0x05, key)), layout),
        classic(f"{name}.reply", "RX", f"05 {key:02x}", _PIECE_REPLY),
    )


MESSAGES: Final = (
    *get("notice_switches", 0x10, Struct(*_SWITCHES, Zeros())),
    *put(
        "notice_switches",  # 03 30, C; the watch also sends the reply after every subscription
        0x30,
        Struct(*_SWITCHES, Filler(fill_to=_SWITCHES_BYTES)),
        Struct("main" / _MAIN, "result" / _SHOWN, "error" / Int8ul),
    ),
    *_written("call", 0x01, TextsLayout(("phone", "name"), ("phone", "name"))),  # V S9
    *_written(
        "message",  # C L
        0x03,
        TextsLayout(
            ("text", "phone", "title"),
            ("phone", "title", "text"),
            "type" / Code(Int8ul, NOTICE_TYPE),
        ),
    ),
    *exchange(
        "ido.notice.call_state",  # L V
        "05 02",
        Struct("state" / Code(Int8ul, {1: "ended", 2: "missed"})),
    ),
    *exchange("ido.notice.unread", "05 04", Struct("type" / Int8ul, "count" / Int8ul)),  # V
    *names_only("notice", 0x05, {0x05: "call_duration", 0x06: "quick_reply_switch"}),
)
