"""What the watch measures by itself, and when it warns (ido.md 4.3; 6.5, V3 09)."""

from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.families.ido.message_type import (
    NOTIFY_FLAG,
    REPEAT,
    REVERSED_SWITCH,
    SWITCH,
    TIME,
    put,
    v3,
)
from firmware_protocol.wire import Code, Flags, Hex, Maybe, reserved

_MODES: Final = {
    0x55: "off",
    0x88: "automatic",
    0x99: "continuous",
    0xAA: "manual",
    0xBB: "default",  # P
    0xCC: "interval",
    0x00: "query",
}
_HEART_RATE: Final = (
    "update_utc_s" / Int32ul,  # 0 = now, or a question
    "mode" / Code(Int8ul, _MODES),
    "has_range" / Int8ul,
    "start" / TIME,
    "end" / TIME,
    "interval_s" / Int16ul,
)
_MINUTES: Final = ("1_min", "3_min", "5_min", "10_min", "30_min", "smart", "15_min")

MESSAGES: Final = (
    *put(
        "heart_rate_zones",  # 03 24, C; the last number repeats the maximum (P)
        0x24,
        Struct(
            "fat_burn_bpm" / Int8ul,
            "aerobic_bpm" / Int8ul,
            "limit_bpm" / Int8ul,
            "maximum_bpm" / Int8ul,
            "zone_1_bpm" / Int8ul,
            "zone_2_bpm" / Int8ul,
            "zone_3_bpm" / Int8ul,
            "zone_4_bpm" / Int8ul,
            "zone_5_bpm" / Int8ul,
            "minimum_bpm" / Int8ul,
            "high_alert" / Int8ul,
            "low_alert" / Int8ul,
            "start" / TIME,
            "end" / TIME,
            "maximum_again_bpm" / Int16ul,
        ),
    ),
    *put(
        "heart_rate_mode_old",  # 03 25, V
        0x25,
        Struct("mode" / Code(Int8ul, {0x55: "off", 0x88: "automatic", 0xAA: "manual"})),
    ),
    *put(
        "spo2_schedule",  # 03 44, V, layout P
        0x44,
        Struct(
            "switch" / SWITCH,
            "start" / TIME,
            "end" / TIME,
            "low_alert" / Int8ul,
            "low_threshold_pct" / Int8ul,
            "notify" / NOTIFY_FLAG,
        ),
    ),
    *put(
        "stress_schedule",  # 03 45, C; the last number P
        0x45,
        Struct(
            "switch" / SWITCH,
            "start" / TIME,
            "end" / TIME,
            "alert" / SWITCH,
            "repeat" / REPEAT,
            "alert_interval_min" / Int8ul,
            "high_threshold" / Int8ul,
            "calibration_threshold" / Int8ul,
            reserved(1),
            "notify" / NOTIFY_FLAG,
            reserved(1),
            "interval_min" / Int8ul,
        ),
    ),
    *put(
        "heart_rate_alert",  # 03 63, L; the meaning of the last four bytes is open
        0x63,
        Struct(
            "switch" / REVERSED_SWITCH,
            "notify" / NOTIFY_FLAG,
            "high_alert" / REVERSED_SWITCH,
            "low_alert" / REVERSED_SWITCH,
            "high_bpm" / Int8ul,
            "low_bpm" / Int8ul,
            "start" / TIME,
            "end" / TIME,
            "open" / Hex(4),
        ),
    ),
    *v3(
        "ido.set.heart_rate_mode",  # V3 09, C L
        0x09,
        Struct(*_HEART_RATE),
        Struct(
            *_HEART_RATE,
            "second_modes" / Maybe(Flags(Int32ul, ("5_s",))),
            "minute_modes" / Maybe(Flags(Int32ul, _MINUTES)),
        ),
    ),
)
