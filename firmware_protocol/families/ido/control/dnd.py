"""Do not disturb (ido.md 4.3, 03 29, C; readback 4.2, 02 30, C)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import REPEAT, SWITCH, TIME, get, put
from firmware_protocol.wire import Code, Maybe

_DND: Final = Struct(
    "night" / SWITCH,
    "start" / TIME,
    "end" / TIME,
    "range" / Code(Int8ul, {0: "invalid", 1: "none", 2: "used"}),
    "repeat" / REPEAT,
    "noon" / SWITCH,
    "noon_start" / TIME,
    "noon_end" / TIME,
    "all_day" / Maybe(SWITCH),  # A200 reads back 12 bytes, without these two
    "smart" / Maybe(SWITCH),
)

MESSAGES: Final = (*get("dnd", 0x30, _DND), *put("dnd", 0x29, _DND))
