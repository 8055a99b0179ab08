"""Units and language (ido.md 4.3, 03 11, C)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.codes import LANGUAGE
from firmware_protocol.families.ido.message_type import put
from firmware_protocol.wire import Code


def _unit(*names: str) -> Code:
    return Code(Int8ul, dict(enumerate(("invalid", *names))))


MESSAGES: Final = put(
    "units",
    0x11,
    Struct(
        "distance" / _unit("km", "mile"),
        "weight" / _unit("kg", "lb"),  # 3 st in some clients (P)
        "temperature" / _unit("celsius", "fahrenheit"),
        "walk_stride_cm" / Int8ul,
        "language" / Code(Int8ul, LANGUAGE),
        "clock" / _unit("24_h", "12_h"),
        "run_stride_cm" / Int8ul,
        "stride_by_gps" / _unit("on", "off"),
        "week_start" / Code(Int8ul, {0: "monday", 1: "sunday", 3: "saturday"}),
        "energy" / _unit("kcal", "cal", "kj"),
        "pool" / _unit("m", "yard"),
        "cycling" / _unit("km", "mile"),
        "walk_and_run" / _unit("km", "mile"),
        "stride" / _unit("cm", "inch"),
        "height" / _unit("cm", "inch"),
    ),
)
