"""Everything of a watch that can be set, one frozen dataclass per noun, neutral of any wire.

`SETTINGS` is the table of contents: it gives TOML files their tables and commands their options.
A family says in `Family.settings` which of them its wire carries, and which read back.
"""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.settings.alerts import (
    Alarm,
    Alarms,
    Dnd,
    DrinkReminder,
    FindPhone,
    Notices,
    SittingReminder,
    SleepTime,
    WalkReminder,
)
from firmware_protocol.settings.measuring import (
    HeartRateAlarm,
    HeartRateMeasuring,
    HeartRateZones,
    Spo2Measuring,
    SportDetection,
    SportOrder,
    StressMeasuring,
)
from firmware_protocol.settings.person import Cycle, Goal, Language, Units, Wearer
from firmware_protocol.settings.screen import (
    Brightness,
    MusicControl,
    Orientation,
    PhoneVolume,
    RaiseToWake,
    Shortcut,
    Sos,
    WeatherDisplay,
    Wrist,
)
from firmware_protocol.settings.setting import Setting, SettingValueError, setting_fields

_ALL: Final[tuple[type[Setting], ...]] = (
    Wearer,
    Goal,
    Units,
    Language,
    Alarms,
    Dnd,
    SleepTime,
    Notices,
    FindPhone,
    SittingReminder,
    WalkReminder,
    DrinkReminder,
    Cycle,
    HeartRateMeasuring,
    HeartRateZones,
    HeartRateAlarm,
    Spo2Measuring,
    StressMeasuring,
    SportDetection,
    SportOrder,
    Brightness,
    RaiseToWake,
    Orientation,
    Wrist,
    Shortcut,
    MusicControl,
    WeatherDisplay,
    Sos,
    PhoneVolume,
)
SETTINGS: Final[Mapping[str, type[Setting]]] = {kind.NAME: kind for kind in _ALL}
__all__ = [
    "SETTINGS",
    "Alarm",
    "Alarms",
    "Brightness",
    "Cycle",
    "Dnd",
    "DrinkReminder",
    "FindPhone",
    "Goal",
    "HeartRateAlarm",
    "HeartRateMeasuring",
    "HeartRateZones",
    "Language",
    "MusicControl",
    "Notices",
    "Orientation",
    "PhoneVolume",
    "RaiseToWake",
    "Setting",
    "SettingValueError",
    "Shortcut",
    "SittingReminder",
    "SleepTime",
    "Sos",
    "Spo2Measuring",
    "SportDetection",
    "SportOrder",
    "StressMeasuring",
    "Units",
    "WalkReminder",
    "Wearer",
    "WeatherDisplay",
    "Wrist",
    "setting_fields",
]
