"""What a watch can do, from its function tables (ido.md 8.1; the base and extended order is C).

A table is a row of bytes; a byte is a number or eight named bits. A capability is the name of a
bit, with the word of its group in front where several groups share names: `notice_sms`,
`sport_walk`, `language_english`, `alarm_wake`. Bits that the reference does not name are
`base_3_7`: table, byte, bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TableByte:
    """One byte of a table. `bits` is None for a number; `group` goes before the names of bits."""

    name: str
    bits: tuple[str, ...] | None = None
    group: str = ""


def _bits(name: str, names: str, group: str = "") -> TableByte:
    return TableByte(name, tuple(names.split()), group)


BASE_TABLE: Final = (
    _bits(
        "main",
        "steps sleep single_sport live_data device_update heart_rate ancs timeline",
    ),
    TableByte("alarm_count"),
    _bits("alarm_types", "wake sleep sport medicine date party meeting custom", "alarm"),
    _bits(
        "control",
        "photo music hid_photo five_heart_rate_zones bind_auth fast_sync extended_table bind_code",
    ),
    _bits(
        "call",
        "calls caller_name caller_number health_size_by_offset fahrenheit v3_function_table"
        " screen_on_time challenge_resend",
    ),
    _bits("notices_1", "sms email qq wechat weibo facebook twitter", "notice"),
    _bits(
        "other",
        "sedentary anti_lost one_touch_call find_phone find_device default_settings raise_to_wake"
        " weather",
    ),
    _bits(
        "sms",
        "sms_contact sms_number sms_content weather_city v3_heart_rate_interval temperature_data"
        " agps_online agps_offline",
    ),
    _bits(
        "notices_2",
        "whatsapp messenger instagram linkedin calendar skype alarm_clock other",
        "notice",
    ),
    _bits(
        "other_2",
        "static_heart_rate dnd display_mode heart_rate_monitor two_way_anti_lost all_app_notices"
        " flip_screen hide_heart_rate_zones",
    ),
    _bits("sports_0", "walk run cycle hike swim climb badminton other", "sport"),
    _bits(
        "sports_1",
        "fitness spinning elliptical treadmill sit_ups push_ups dumbbell weights",
        "sport",
    ),
    _bits(
        "sports_2",
        "gymnastics yoga rope table_tennis basketball football volleyball tennis",
        "sport",
    ),
    _bits(
        "sports_3",
        "golf baseball skiing roller_skating dance strength core relax",
        "sport",
    ),
    _bits(
        "main_1",
        "log_in hid_photo_1 dial shortcut units blood_pressure wechat_sport fine_time_control",
    ),
    _bits(
        "notices_3",
        "vk line viber kakaotalk gmail outlook snapchat telegram",
        "notice",
    ),
    TableByte("sports_shown"),
    _bits("languages", "chinese english french german italian spanish japanese czech", "language"),
)
EXTENDED_TABLE: Final = (
    _bits(
        "languages_1",
        "romanian lithuanian dutch slovenian hungarian polish russian ukrainian",
        "language",
    ),
    _bits(
        "main_2",
        "gps sleep_period brightness id107_dial dh_notice notice_128_bytes time_sync v3_log",
    ),
    _bits(
        "languages_2",
        "slovak danish croatian indonesian korean hindi portuguese turkish",
        "language",
    ),
    _bits(
        "main_3",
        "menstruation kcal_goal distance_goal v3_spo2 v3_stress read_dnd sport_order"
        " notice_250_bytes",
    ),
    _bits(
        "notices_4",
        "chatwork slack yahoo_mail tumblr youtube pinterest keep stepper",
        "notice",
    ),
    _bits(
        "main_4",
        "auto_pair no_disconnect_pair v3_heart_rate v3_swim v3_activity v3_gps drink_reminder",
    ),
    _bits(
        "main_5",
        "five_level_heart_rate walk_reminder breathing five_level_brightness activity_switch"
        " dnd_range_repeat night_brightness long_mtu",
    ),
    _bits(
        "sports_4",
        "outdoor_run indoor_run outdoor_cycle indoor_cycle outdoor_walk indoor_walk pool_swim"
        " open_water",
        "sport",
    ),
    _bits(
        "sports_5",
        "elliptical_machine rower hiit cricket pilates outdoor_play other_5 zumba",
        "sport",
    ),
    _bits(
        "main_6",
        "factory_reset wrist_backlight activity_without_app multi_dial active_duration"
        " default_sports language_download flash_log",
    ),
    _bits(
        "languages_3",
        "thai vietnamese burmese filipino traditional_chinese greek arabic swedish",
        "language",
    ),
    _bits(
        "main_7",
        "charging_time menu_list photo_wallpaper voice utc_zone four_of_two_choice"
        " heart_rate_interval v3_sport_types",
    ),
    _bits(
        "main_8",
        "v3_alarms ublox v3_activity_custom heat_log spo2_offset_minutes three_level_brightness"
        " encrypted_auth v3_sleep",
    ),
    _bits(
        "main_9",
        "restore_factory read_brightness read_raise_to_wake is_watch quick_replies update_state"
        " v3_sports v3_sport_exchange",
    ),
    _bits(
        "main_10",
        "v3_language_library phone_volume v3_notices watch_id hand_washing clear_cache alexa"
        " device_name",
    ),
    _bits(
        "notices_5",
        "tiktok redbus dailyhunt hotstar inshorts paytm amazon flipkart",
        "notice",
    ),
    _bits("notices_6", "prime netflix gpay phonepe swiggy zomato makemytrip jiotv", "notice"),
    _bits(
        "main_11",
        "medicine aes cloud_dial gps_exchange stress_high_alert no_heart_rate_alarm"
        " alarms_without_label",
    ),
)
# 8.1.3: the order of table_3 to table_7 and the places from table_13 on are P
V3_TABLE: Final = (
    _bits(
        "table_1",
        "scientific_sleep battery_log transfer_resume new_dial_list alexa_time read_menu_list"
        " automatic_v3_sync log_state",
    ),
    TableByte("alexa", ()),
    _bits(
        "table_3",
        "vibration_grade no_wallpaper kcal_unit swim_unit sport_order_fields alexa_language"
        " wear_flag wallpaper",
    ),
    _bits(
        "table_4",
        "activity_goal walk_goal_time exchange_pace pair_each_connect voice_to_watch spo2_all_day"
        " smart_heart_rate workout_v16",
    ),
    TableByte("table_5", ()),
    _bits(
        "table_6",
        "noise temperature hundred_sports twenty_sport_parameters main_screen schedule"
        " more_recognition read_goals",
    ),
    TableByte("notices_7", ()),
    _bits(
        "table_7",
        "read_walk_reminder music_name recovery_vo2max spo2_low_alert alexa_seconds read_goal"
        " read_walk_reminder_7 long_city",
    ),
    _bits(
        "table_8",
        "icon_adaptive sleep_switch stress_notify_flag spo2_notify_flag menstruation_notify_flag"
        " drink_notify_flag health_switches temperature_switch",
    ),
    _bits(
        "table_9",
        "walk_notify_flag fitness_guidance contacts sun_times v3_weather world_clock app_name"
        " music_on_watch",
    ),
    TableByte("alarm_types_v2", ()),
    TableByte("ble_to_app", ()),
    _bits(
        "table_12",
        "dial_size read_activity_recognition singer_name pregnancy menstruation_history versions"
        " sport_control unread_dot",
    ),
    _bits(
        "table_13",
        "stress_calibration stress_threshold dial_capacity photo_move workout_heart_rate_alerts"
        " missed_call call_time swim_data",
    ),
    _bits(
        "table_14",
        "dial_order strength one_minute_steps heart_rate_time schedule_2 ios_ping"
        " new_transfer_errors v3_blood_pressure",
    ),
    TableByte("table_15", ()),
    TableByte("table_16", ()),
    _bits(
        "table_17",
        "heart_rate_mode_custom transfer_original_size end_find_phone permission_lost night_level"
        " competitor menstruation_switch voice_assistant",
    ),
)
V3_TABLE_OFFSET: Final = 2  # version and a byte of open meaning come first

NOTICE_BITS: Final[tuple[tuple[str, ...], ...]] = (
    # items of 02 10 and 03 30: item 1 begins at bit 1 and swaps two names of the table (4.3)
    ("", "sms", "email", "wechat", "qq", "weibo", "facebook", "twitter"),
    BASE_TABLE[8].bits or (),
    BASE_TABLE[15].bits or (),
    EXTENDED_TABLE[4].bits or (),
)


def capabilities_from_tables(
    base: bytes, extended: bytes | None = None, v3: bytes | None = None
) -> frozenset[str]:
    """Return the names of all set bits.

    `base` and `extended` are the payloads of 02 02 and 02 07 after command and key, `v3` that of
    V3 1A. Bytes that a watch does not send count as zero (8.1.3). A table is a guide, not proof.
    """
    tables = (
        ("base", BASE_TABLE, base),
        ("extended", EXTENDED_TABLE, extended or b""),
        ("v3", (*(TableByte("") for _ in range(V3_TABLE_OFFSET)), *V3_TABLE), v3 or b""),
    )
    return frozenset(
        name for table, layout, data in tables for name in _set_bits(table, layout, data)
    )


def _set_bits(table: str, layout: Sequence[TableByte], data: bytes) -> Iterator[str]:
    for place, value in enumerate(data):
        byte = layout[place] if place < len(layout) else TableByte("", ())
        for bit in range(8 if byte.bits is not None else 0):
            if value >> bit & 1:
                yield _bit_name(byte, bit) or f"{table}_{place}_{bit}"


def _bit_name(byte: TableByte, bit: int) -> str | None:
    if byte.bits is None or bit >= len(byte.bits):
        return None
    return f"{byte.group}_{byte.bits[bit]}" if byte.group else byte.bits[bit]
