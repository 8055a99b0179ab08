"""Totals of today and the last heart rate (ido.md 4.2, 02 A0, L)."""

from typing import Final

from construct import Int8ul, Int32ul, Struct

from firmware_protocol.families.ido.message_type import get

MESSAGES: Final = get(
    "live",
    0xA0,
    Struct(
        "steps" / Int32ul,
        "total_kcal" / Int32ul,  # resting and active
        "distance_m" / Int32ul,
        "active_min" / Int32ul,  # minutes on ID208; older documentation says seconds
        "bpm" / Int8ul,  # F0 and above: none
    ),
)
