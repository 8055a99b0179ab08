"""Sizes and speed of the link (ido.md 4.2, 02 F0; 4.3, 03 35; C)."""

from typing import Final

from construct import Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.message_type import STATUS_CODE, get, put
from firmware_protocol.wire import Code, reserved

_SPEED: Final = Code(Int8ul, {1: "fast", 2: "slow"})

MESSAGES: Final = (
    *get(
        "link_sizes",
        0xF0,
        Struct(
            "state" / Code(Int8ul, {0: "valid", 1: "invalid"}),
            "write_bytes" / Int16ul,
            "notify_bytes" / Int16ul,
            "phy" / Code(Int16ul, {0: "unknown", 1000: "1m", 2000: "2m"}),
            "dle_bytes" / Int16ul,
        ),
    ),
    *put(
        "link_speed",
        0x35,
        # widths of the four numbers are open; every capture has eight zeros here
        Struct("speed" / _SPEED, "modify_connection" / Int8ul, reserved(8)),
        # the reply names the speed that was in force before (C; vendor text differs)
        Struct("speed_before" / _SPEED, "status" / STATUS_CODE),
    ),
)
