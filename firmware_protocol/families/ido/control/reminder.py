"""Reminders: sitting, walking, drinking, cycle (ido.md 4.3)."""

from typing import Final

from construct import Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.codes import WEEKDAYS
from firmware_protocol.families.ido.message_type import (
    BINARY_SWITCH,
    DATE,
    NOTIFY_FLAG,
    REPEAT,
    SWITCH,
    TIME,
    put,
)
from firmware_protocol.wire import Flags

_WALK: Final = Struct(
    "switch" / BINARY_SWITCH,
    "goal_steps" / Int16ul,
    "start" / TIME,
    "end" / TIME,
    "repeat" / REPEAT,
    "goal_time_raw" / Int8ul,
    "notify" / NOTIFY_FLAG,
    "quiet" / BINARY_SWITCH,  # the app leaves this byte and the last one uninitialised
    "quiet_start" / TIME,
    "quiet_end" / TIME,
)

MESSAGES: Final = (
    *put(
        "sedentary",  # 03 20, V
        0x20,
        Struct(
            "start" / TIME,
            "end" / TIME,
            "interval_min" / Int16ul,
            "repeat" / Flags(Int16ul, ("switch", *WEEKDAYS)),
        ),
    ),
    *put(
        "menstruation",  # 03 41, C
        0x41,
        Struct(
            "switch" / SWITCH,
            "period_days" / Int8ul,
            "cycle_days" / Int8ul,
            "last_start" / DATE,
            "ovulation_interval_days" / Int8ul,
            "fertile_days_before" / Int8ul,
            "fertile_days_after" / Int8ul,
            "notify" / NOTIFY_FLAG,
            "reminder" / SWITCH,
        ),
    ),
    *put(
        "menstruation_reminder",  # 03 42, C; days of advance notice
        0x42,
        Struct(
            "period_start_days" / Int8ul,
            "ovulation_days" / Int8ul,
            "time" / TIME,
            "fertile_start_days" / Int8ul,
            "fertile_end_days" / Int8ul,
            "period_end_days" / Int8ul,
        ),
    ),
    *put("walk_reminder", 0x47, _WALK),  # 03 47, C
    *put(
        "drink_reminder",  # 03 60, C
        0x60,
        Struct(
            "switch" / BINARY_SWITCH,
            "start" / TIME,
            "end" / TIME,
            "repeat" / REPEAT,
            "interval_min" / Int16ul,
            "notify" / NOTIFY_FLAG,
            "quiet" / BINARY_SWITCH,
            "quiet_start" / TIME,
            "quiet_end" / TIME,
        ),
    ),
)
