"""Battery (ido.md 4.2, 02 05, C L)."""

from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.families.ido.message_type import get
from firmware_protocol.wire import Code

BATTERY_STATUS: Final = Code(Int8ul, {0: "normal", 1: "charging", 2: "full", 3: "low"})

MESSAGES: Final = get(
    "battery",
    0x05,
    Struct(
        "type" / Code(Int8ul, {0: "lithium", 1: "button_cell"}),
        "voltage_mv" / Int16ul,
        "status" / BATTERY_STATUS,
        "battery_pct" / Int8ul,
        "use_time_raw" / Int32ul,  # V; newer watches put the last charge here (P)
        "total_use_time_raw" / Int32ul,
    ),
)
