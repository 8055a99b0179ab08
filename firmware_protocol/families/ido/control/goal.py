"""Goals of steps, sleep and the rings (ido.md 4.3, 03 03, 03 04, 03 43)."""

from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.families.ido.message_type import put
from firmware_protocol.wire import Code, reserved

MESSAGES: Final = (
    *put(
        "daily_goal",  # 03 03, C
        0x03,
        Struct(
            "type" / Code(Int8ul, {0: "steps", 1: "energy_kcal", 2: "distance_m"}),
            "value" / Int32ul,
            "sleep_hours" / Int8ul,
            "sleep_min" / Int8ul,
            "hourly_steps" / Int16ul,
            "target" / Code(Int8ul, {0: "invalid", 1: "daily", 2: "weekly"}),
            reserved(5),
        ),
    ),
    *put("sleep_goal", 0x04, Struct("hours" / Int8ul, "minutes" / Int8ul)),  # V
    *put(
        "ring_goals",  # 03 43, C; the first three are sure, the others P
        0x43,
        Struct(
            "active_kcal" / Int32ul,
            "distance_m" / Int32ul,
            "activity_s" / Int16ul,
            "walk_time_raw" / Int16ul,
            "kcal_minimum" / Int16ul,
            "kcal_maximum" / Int16ul,
            "hours" / Int8ul,
            "period" / Code(Int8ul, {0: "none", 1: "day", 2: "week"}),
        ),
    ),
)
