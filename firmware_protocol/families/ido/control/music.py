"""Music, camera and phone volume (ido.md 4.3, 03 2A, 03 E3; 4.6)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import SWITCH, exchange, put
from firmware_protocol.wire import Code, Maybe, reserved

MESSAGES: Final = (
    *put("music", 0x2A, Struct("switch" / SWITCH, "song_info" / SWITCH)),  # C
    *put(
        "phone_volume",  # 03 E3, C
        0xE3,
        Struct("total" / Int8ul, "current" / Int8ul),
        Struct("result" / Maybe(Code(Int8ul, {1: "ok"}))),
    ),
    *exchange(
        "ido.control.music",  # 06 01, C L
        "06 01",
        Struct("state" / Code(Int8ul, {0: "playing", 1: "stopped"}), reserved(3)),
    ),
    *exchange(
        "ido.control.camera", "06 02", Struct("state" / Code(Int8ul, {0: "start", 1: "stop"}))
    ),
)
