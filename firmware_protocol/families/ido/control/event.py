"""What the watch tells unasked (ido.md 4.7)."""

from typing import Final

from construct import Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.codes import CHANGE
from firmware_protocol.families.ido.message_type import classic, event
from firmware_protocol.wire import Code, Filler, Flags, Maybe, Zeros

_KEYS: Final = {
    1: "play",
    2: "pause",
    3: "stop",
    4: "previous",
    5: "next",
    6: "photo",
    7: "photo_burst",
    8: "volume_up",
    9: "volume_down",
    10: "camera_opened",
    11: "camera_closed",
    12: "call_answered",
    13: "call_rejected",
    14: "mute",  # P
    15: "set_volume",
    17: "preview_start",
    18: "preview_pause",
    19: "preview_stop",
}
_START: Final = Code(Int8ul, {0: "start", 1: "stop"})
_CHANGED: Final = (
    "change" / Code(Int16ul, CHANGE),
    "read_again"
    / Flags(
        Int8ul,
        ("alarm", "overheating", "brightness", "raise_to_wake", "dnd", "phone_volume"),
    ),
)
_ECHO_BODY_BYTES: Final = 16

MESSAGES: Final = (
    *event("music", 0x01, Struct("key" / Code(Int8ul, _KEYS), "volume_pct" / Maybe(Int8ul))),
    *event("find_phone", 0x02, Struct("state" / _START, "timeout_s" / Maybe(Int8ul))),  # P
    *event("sos", 0x03, Struct("state" / _START, "timeout_s" / Int8ul)),
    *event("anti_lost", 0x04, Struct("state" / Int8ul)),
    *event("sensor", 0x10, Struct("type" / Int8ul)),
    *event(
        "key",
        0x11,
        Struct(
            "press" / Code(Int8ul, {1: "short", 2: "long", 3: "tap", 4: "double_tap"}),
            "timeout_raw" / Int16ul,
        ),
    ),
    *event(
        "camera",
        0x12,
        Struct("state" / Code(Int8ul, {0: "open", 1: "shoot", 2: "done", 3: "pairing"})),
    ),
    # 07 40, C; what follows (message id, notice, error index) is open and zero in every capture
    *event("changed", 0x40, Struct(*_CHANGED, Zeros())),
    classic(
        "ido.event.changed.reply",
        "TX",
        "07 40",
        Struct(*_CHANGED, Filler(fill_to=_ECHO_BODY_BYTES)),
    ),
    *event("quick_reply", 0x60),
    *event("speaker_volume", 0x61, Struct("value" / Int8ul)),
    *event("update_check_wanted", 0xA0),
    classic("ido.event.update_check_wanted.reply", "TX", "07 A0", Struct("flag" / Int8ul)),
    *event("update_wanted", 0xA1),
    classic("ido.event.update_wanted.reply", "TX", "07 A1", Struct("flag" / Int8ul)),
)
