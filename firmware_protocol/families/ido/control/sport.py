"""Recognising sports and the list of them (ido.md 4.3, 03 49, C; 6.5, V3 0C, C)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import BINARY_SWITCH, many, put, v3
from firmware_protocol.families.ido.sports import SPORTS
from firmware_protocol.wire import Code, Maybe

_RECOGNISED: Final = (
    "walk",
    "run",
    "cycle",
    "auto_pause",
    "auto_end_reminder",
    "elliptical",
    "rower",
    "swim",
    "smart_rope",
)

MESSAGES: Final = (
    *put("activity_recognition", 0x49, Struct(*(name / BINARY_SWITCH for name in _RECOGNISED))),
    *v3(
        "ido.set.sport_order",
        0x0C,
        Struct(
            "count" / Int8ul,
            "sports" / Maybe(many(Struct("position" / Int8ul, "sport" / Code(Int8ul, SPORTS)))),
        ),
    ),
)
