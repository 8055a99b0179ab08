"""Brightness, raise to wake, orientation (ido.md 4.3, 03 28, 03 2B, 03 32; readbacks 4.2)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import SWITCH, TIME, get, put
from firmware_protocol.wire import Code

_RAISE_TO_WAKE: Final = Struct(  # C
    "switch" / SWITCH, "show_s" / Int8ul, "has_range" / Int8ul, "start" / TIME, "end" / TIME
)
_BRIGHTNESS: Final = Struct(  # C
    "level_pct" / Int8ul,
    "set_by" / Code(Int8ul, {0: "resync", 1: "wearer"}),
    "mode" / Code(Int8ul, {0: "level", 1: "light_sensor", 2: "ignore_level"}),
    "night" / Code(Int8ul, {0: "default", 1: "off", 2: "automatic", 3: "window"}),
    "start" / TIME,
    "end" / TIME,
    "night_level_pct" / Int8ul,
    "screen_on_s" / Int8ul,
)
_ORIENTATION: Final = Code(Int8ul, {0: "default", 1: "landscape", 2: "portrait", 3: "upside_down"})

MESSAGES: Final = (
    *get("brightness", 0xB0, _BRIGHTNESS),
    *get("raise_to_wake", 0xB1, _RAISE_TO_WAKE),
    *put("brightness", 0x32, _BRIGHTNESS),
    *put("raise_to_wake", 0x28, _RAISE_TO_WAKE),
    *put("orientation", 0x2B, Struct("orientation" / _ORIENTATION)),  # V
)
