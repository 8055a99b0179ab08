"""Alarms (ido.md 4.3, 03 02, V; 6.5, 0E and 0F, C)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.codes import ALARM_TYPE
from firmware_protocol.families.ido.message_type import (
    REPEAT,
    STATUS_CODE,
    TIME,
    many,
    put,
    v3,
)
from firmware_protocol.wire import Code, FixedText, Maybe

_STATE: Final = Code(Int8ul, {0x55: "shown", 0xAA: "unused", 0x00: "never_set"})
_TYPE: Final = Code(Int8ul, ALARM_TYPE)

_ALARMS: Final = Struct(
    "version" / Int8ul,
    "count" / Int8ul,  # always 10: all slots are sent
    "alarms"
    / Maybe(
        many(
            Struct(
                "id" / Int8ul,
                "state" / _STATE,
                "type" / _TYPE,
                "time" / TIME,
                "repeat" / REPEAT,
                "snooze_min" / Int8ul,
                "delay_min" / Int8ul,
                "vibration" / Int8ul,
                "repetitions" / Int8ul,
                "name" / FixedText(24),
            )
        )
    ),
)

MESSAGES: Final = (
    *put(
        "alarm",
        0x02,
        Struct(
            "id" / Int8ul,
            "state" / _STATE,
            "type" / _TYPE,
            "time" / TIME,
            "repeat" / REPEAT,
            "snooze_min" / Int8ul,
        ),
    ),
    *v3("ido.set.alarms", 0x0E, _ALARMS, Struct("status" / Maybe(STATUS_CODE))),  # reply P
    *v3(
        "ido.get.alarms",
        0x0F,
        Struct("which" / Code(Int8ul, {0: "all", 1: "changed"})),
        _ALARMS,
    ),
)
