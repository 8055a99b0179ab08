"""Code tables of the IDO wire as names (ido.md 8.3-8.7, 10; V unless a table says otherwise)."""

from collections.abc import Mapping
from typing import Final


def _numbered(first: int, names: str) -> dict[int, str]:
    """Number the words of a table that has no gaps."""
    return dict(enumerate(names.split(), first))


WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAY: Final[Mapping[int, str]] = dict(enumerate(WEEKDAYS))  # 4.3, 03 01 (C)

# 10: shared by D1, V3 and most settings
STATUS: Final[Mapping[int, str]] = _numbered(
    0,
    "ok internal_svc internal_stack internal_error no_memory not_found not_supported"
    " invalid_parameter invalid_state invalid_length invalid_flags invalid_data data_size timeout"
    " null forbidden bad_address busy too_many_connections no_resources classic_update_failed"
    " no_space battery_low bad_file_name fragmented reorganising power_saving in_workout in_call"
    " charging",
)

# 8.3 (02 captured)
LANGUAGE: Final[Mapping[int, str]] = _numbered(
    0,
    "invalid chinese english french german italian spanish japanese polish czech romanian"
    " lithuanian dutch slovenian hungarian russian ukrainian slovak danish croatian indonesian"
    " korean hindi portuguese turkish thai vietnamese burmese filipino traditional_chinese greek"
    " arabic swedish finnish persian norwegian malay brazilian_portuguese bengali khmer",
)

# 8.4 (05 03; 01, 08 live on A200)
NOTICE_TYPE: Final[Mapping[int, str]] = {
    **_numbered(
        0x01,
        "sms email wechat qq weibo facebook twitter whatsapp messenger instagram linkedin calendar"
        " skype alarm_clock",
    ),
    **_numbered(0x10, "vk line viber kakaotalk gmail outlook snapchat telegram other"),
    **_numbered(
        0x20,
        "chatwork slack yahoo_mail tumblr youtube pinterest tiktok redbus dailyhunt hotstar"
        " inshorts paytm amazon flipkart prime netflix gpay phonepe swiggy zomato makemytrip"
        " jiotv keep microsoft whatsapp_business noisefit missed_call",
    ),
    **_numbered(
        0x3C,
        "yt_music uber ola reminder google_meet mormaii technos magalu americanas enjoei"
        " aliexpress shopee teams 99taxi uber_eats ifood rappi mercado_livre yahoo veryfit"
        " general alibaba_mail google_calendar fastrack hama taobao dingtalk alipay toutiao"
        " tmall jd pinduoduo baidu meituan eleme douyin weibo_china",
    ),
}

# 8.5 (02 captured)
WEATHER: Final[Mapping[int, str]] = {
    **_numbered(
        0x00,
        "other sunny cloudy overcast rain heavy_rain thunderstorm snow sleet typhoon sandstorm"
        " clear_night cloudy_night hot cold breeze strong_wind haze shower cloudy_to_sunny",
    ),
    **_numbered(0x30, "thunder hail dust tornado"),
}

# 8.6
ALARM_TYPE: Final[Mapping[int, str]] = _numbered(
    0,
    "wake_up sleep sport medicine date party meeting custom meal brush_teeth rest class bath study"
    " play",
)

# 8.7
CHANGE: Final[Mapping[int, str]] = {
    1: "unbound",
    2: "heart_rate_mode",
    3: "spo2",
    4: "stress",
    6: "factory_reset",
    8: "sos",
    9: "alarm",
    10: "schedule_entry_deleted",
    11: "dial_style",
    14: "weather_wanted",
    15: "steps_grew",
    16: "sleep_ended",
    17: "goals",
    18: "fully_charged",
    19: "workout_or_measurement_done",
    20: "notice_flags",
    21: "stress_ready",
    22: "stress_failed",
    24: "classic_bluetooth_up",
    25: "classic_bluetooth_down",
    26: "call_started",
    27: "call_ended",
    28: "keep_alive",
    29: "workout_started",
    30: "workout_ended",
    31: "restarted",
    33: "space_reorganised",
    34: "stop_find_watch",
    35: "power_saving_on",
    36: "power_saving_off",
    39: "blood_pressure_calibration",
    41: "health_type_done",
    **{code: f"gps_file_result_{code}" for code in range(42, 47)},
    47: "gps_fault",
    49: "disconnect_wanted",
    50: "pairing_done",
    51: "sport_order",
    52: "step_goal",
    53: "blood_pressure_calibration",  # a second code for it: stays a number in messages
    54: "activity_recognition",
}
