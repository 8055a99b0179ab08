"""Who the watch is and what state it is in (ido.md 4.2)."""

from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Struct

from firmware_protocol.families.ido.control.battery import BATTERY_STATUS
from firmware_protocol.families.ido.message_type import get
from firmware_protocol.wire import Address, Code, Filler, Maybe

_MODE: Final = Code(Int8ul, {0: "idle", 1: "normal", 2: "update"})
_ALGORITHMS: Final = (
    "sdk",
    "heart_rate",
    "sleep",
    "steps",
    "gesture",
    "pcb",
    "wear",
    "spo2",
    "stress",
    "energy",
    "distance",
    "swim_3_axis",
    "swim_6_axis",
    "activity",
    "all_day_heart_rate",
    "gps",
)
_VERSION_PARTS: Final = (
    "firmware_1",
    "firmware_2",
    "firmware_3",
    "bt_flag",
    "bt_1",
    "bt_2",
    "bt_3",
    "bt_match_1",
    "bt_match_2",
    "bt_match_3",
)

MESSAGES: Final = (
    *get(
        "device_info",  # 02 01, C L
        0x01,
        Struct(
            "device_id" / Int16ul,
            "firmware_version" / Int8ul,
            "mode" / _MODE,
            "battery_status" / BATTERY_STATUS,
            "battery_pct" / Int8ul,
            "bound" / Int8ul,
            "restarted" / Int8ul,
            "has_algorithm_versions" / Int8ul,  # P
            "bind_confirm" / Int8ul,
            "platform" / Int8ul,
            "shape" / Code(Int8ul, {1: "round", 2: "square", 3: "oval"}),
            "device_type" / Code(Int8ul, {1: "band", 2: "watch"}),
            "dial_version" / Int8ul,
            "cloud_dial_version" / Int8ul,
            "shows_bind_choice" / Int8ul,
            "bootloader_version" / Int8ul,
            "gps_platform" / Int8ul,
        ),
    ),
    *get("address", 0x04, Struct("address" / Address(), "classic_address" / Maybe(Address()))),
    *get(
        "algorithm_versions",  # 02 11, L, order V
        0x11,
        Struct(*(name / Int8ul for name in _ALGORITHMS), "peripherals" / Maybe(Int8ul)),
    ),
    *get(
        "error_record",  # 02 40, V
        0x40,
        Struct(
            "operate" / Code(Int8ul, {0: "read", 1: "clear"}),
            "reset"
            / Code(
                Int8ul,
                dict(enumerate(("none", "hard_fault", "watchdog", "assert", "power", "other"))),
            ),
            "hardware"
            / Code(
                Int8ul, dict(enumerate(("none", "accelerometer", "heart_rate", "touch", "flash")))
            ),
        ),
        Struct("operate" / Code(Int8ul, {0: "read", 1: "clear"})),
    ),
    *get("hid", 0xA2, Struct("started" / Int8ul)),  # V
    *get(
        "resource",  # 02 A7, C
        0xA7,
        Struct(
            "state" / Code(Int8ul, {0: "ok", 1: "checksum_error", 2: "version_mismatch"}),
            "version" / Int8ul,
            "match_version" / Int8ul,
            "check_code" / Int32ul,
        ),
    ),
    *get("update_state", 0xB2, Struct("device_version" / Int8ul, "updating" / Int8ul)),  # L
    *get("watch_id", 0xB3, Struct("watch_id" / Int16ul)),  # L P
    *get("versions", 0xEB, Struct(*(name / Int8ul for name in _VERSION_PARTS))),  # L, order V
    *get(
        "limits",  # 02 F4, layout P: three numbers of 13 bytes are understood
        0xF4,
        Struct(
            Filler(bytes(4)),
            "notice_bytes_max" / Int16ul,
            Filler(bytes(4)),
            "reminder_max" / Int8ul,
            "contact_max" / Int8ul,
            Filler(bytes(1)),
        ),
    ),
    *get(
        "icon_transfer",  # 02 E9, V
        0xE9,
        Struct(
            "status" / Int8ul,
            "type" / Int8ul,
            "event_type" / Int16ul,
            "sport_type" / Int16ul,
            "icon_width_px" / Int16ul,
            "icon_height_px" / Int16ul,
            "format" / Int8ul,
            "block_bytes" / Int16ul,
            "big_sports" / Int8ul,
            "messages" / Int8ul,
            "small_sports_and_animations" / Int8ul,
            "medium_sports" / Int8ul,
        ),
        Struct("type" / Int8ul, "event_type" / Int16ul, "sport_type" / Int16ul),
    ),
)
