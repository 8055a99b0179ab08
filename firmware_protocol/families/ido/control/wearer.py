"""The wearer (ido.md 4.3, 03 10, C; 03 22, V)."""

from typing import Final

from construct import Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.message_type import DATE, put
from firmware_protocol.wire import Code

MESSAGES: Final = (
    *put(
        "wearer",
        0x10,
        Struct(
            "height_cm" / Int8ul,
            "weight_10_g" / Int16ul,
            "gender" / Code(Int8ul, {0: "male", 1: "female"}),
            "birth" / DATE,
        ),
    ),
    *put("wear_hand", 0x22, Struct("hand" / Code(Int8ul, {0: "left", 1: "right"}))),
)
