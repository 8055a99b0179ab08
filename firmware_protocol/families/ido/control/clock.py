"""The watch's wall clock (ido.md 4.2, 02 03, L; 4.3, 03 01, C)."""

from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.families.ido.codes import WEEKDAY
from firmware_protocol.families.ido.message_type import DATE_TIME, get, put
from firmware_protocol.wire import Code

_CLOCK: Final = Struct(
    "wall" / DATE_TIME,
    "weekday" / Code(Int8ul, WEEKDAY),
    "utc_s" / Int32ul,  # 0 = not used; on A200 the wall clock read as UTC
    "zone_raw" / Int16ul,  # the unit is open (P)
)

MESSAGES: Final = (*get("clock", 0x03, _CLOCK), *put("clock", 0x01, _CLOCK))
