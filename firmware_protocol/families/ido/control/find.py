"""Finding the phone and the watch, losing them, SOS (ido.md 4.3, 4.6)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import SWITCH, exchange, put
from firmware_protocol.wire import Code, reserved

MESSAGES: Final = (
    *put("find_phone", 0x26, Struct("switch" / SWITCH, "timeout_s" / Int8ul, reserved(2))),  # C
    *put("sos", 0x2C, Struct("switch" / SWITCH, "phone_type" / Int8ul)),  # V
    *put("anti_lost", 0x21, Struct("mode" / Int8ul)),  # V
    *exchange(
        "ido.control.find_watch",  # 06 04, L
        "06 04",
        Struct("state" / Code(Int8ul, {0: "start", 1: "stop"})),
    ),
    *exchange("ido.control.find_phone_end", "06 07"),  # V
)
