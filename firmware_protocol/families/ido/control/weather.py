"""Weather (ido.md 4.3, 03 2D; 4.8)."""

from typing import Final

from construct import GreedyBytes, Int8ul, Prefixed, Struct

from firmware_protocol.families.ido.codes import WEATHER
from firmware_protocol.families.ido.message_type import (
    SWITCH,
    TIME,
    exchange,
    many,
    names_only,
    put,
)
from firmware_protocol.wire import Code, Filler, Maybe, Text, reserved

_TYPE: Final = Code(Int8ul, WEATHER)
_CITY_BODY_BYTES: Final = 18  # the frame has 20

MESSAGES: Final = (
    *put("weather", 0x2D, Struct("switch" / SWITCH, reserved(3))),  # C
    *exchange(
        "ido.weather.today",  # 0A 01, C; temperatures in the unit of 03 11, their sign is open
        "0A 01",
        Struct(
            "type" / _TYPE,
            "temperature_raw" / Int8ul,
            "maximum_raw" / Int8ul,
            "minimum_raw" / Int8ul,
            "humidity_pct" / Int8ul,
            "uv" / Int8ul,
            "air_quality" / Int8ul,
            "next_days"
            / Maybe(many(Struct("type" / _TYPE, "maximum_raw" / Int8ul, "minimum_raw" / Int8ul))),
        ),
    ),
    *exchange(
        "ido.weather.city",  # 0A 02, C
        "0A 02",
        Struct("city" / Prefixed(Int8ul, Text(GreedyBytes)), Filler(fill_to=_CITY_BODY_BYTES)),
    ),
    *names_only(
        "weather", 0x0A, {0x03: "hours_0_to_8", 0x04: "hours_9_to_16", 0x05: "hours_17_to_24"}
    ),
    *exchange(  # V; which number of its reply says ok is open
        "ido.weather.sun",
        "0A 06",
        Struct("sunrise" / TIME, "sunset" / TIME),
        Struct("ok" / Maybe(Int8ul)),
    ),
)
