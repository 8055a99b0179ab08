"""Dials, which the vendor calls watch faces (ido.md 6.5, V3 06 to 08; C L)."""

from typing import Final

from construct import GreedyBytes, Int8ul, Int16ul, Int32ul, Prefixed, Struct

from firmware_protocol.families.ido.message_type import STATUS_CODE, many, v3
from firmware_protocol.wire import Code, FixedText, Maybe, Text

_OPERATE: Final = Code(Int8ul, {0: "query", 1: "show", 2: "remove", 3: "reserve"})
_COLOUR: Final = Code(  # 9.3
    Int8ul,
    {1: "rgb111", 2: "rgb222", 5: "rgb565", 8: "rgb888", 0x85: "rgb565_alpha", 0xFF: "automatic"},
)

MESSAGES: Final = (
    *v3(
        "ido.dial.list",
        0x06,
        reply=Struct(
            "version" / Int8ul,
            "count" / Int16ul,
            "free" / Int16ul,
            "largest_kb" / Int16ul,
            "dials"
            / Maybe(many(Struct("tag" / Int8ul, "name" / Prefixed(Int32ul, Text(GreedyBytes))))),
        ),
    ),
    *v3(
        "ido.dial.screen",
        0x07,
        reply=Struct(
            "name" / FixedText(10),
            "width_px" / Int16ul,
            "height_px" / Int16ul,
            "colour" / _COLOUR,
            "size_percent" / Int16ul,
            "block_bytes" / Int16ul,
        ),
    ),
    *v3(
        "ido.dial.manage",
        0x08,
        Struct(
            "operate" / _OPERATE,
            "name" / FixedText(30),
            "size_bytes" / Maybe(Int32ul),  # P: with function bit v3_watch_dial_set_add_size
        ),
        Struct("status" / STATUS_CODE, "operate" / _OPERATE, "name" / FixedText(30)),
    ),
)
