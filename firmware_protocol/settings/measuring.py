"""Settings about what the watch measures by itself, and when it warns."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar

from firmware_protocol.settings.kinds import (
    EVERY_DAY,
    Choice,
    Days,
    Names,
    Number,
    Switch,
    TimeOfDay,
    described,
)
from firmware_protocol.settings.setting import Setting
from firmware_protocol.sports import SPORT_NAMES

_LAST_MINUTE = time(23, 59)
HEART_RATE_MODES = ("off", "automatic", "continuous", "manual", "interval", "default")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateMeasuring(Setting):
    """When the watch measures the heart rate by itself."""

    NAME: ClassVar = "heart-rate"
    MEANING: ClassVar = "how often the watch measures the heart rate"

    mode: str = described(
        Choice(HEART_RATE_MODES, open_ended=True),
        "manual",
        "interval, continuous, automatic, or manual (only when asked)",
    )
    interval_s: int = described(
        Number(0, 65_535), 0, "seconds between readings; 255 is smart, 0 leaves it to the watch"
    )
    all_day: bool = described(Switch(), True, "not only from start to end")
    start: time = described(TimeOfDay(), time(0), "from")
    end: time = described(TimeOfDay(), _LAST_MINUTE, "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateZones(Setting):
    """Where the zones of effort begin."""

    NAME: ClassVar = "heart-rate-zones"
    MEANING: ClassVar = "zones of effort, and warnings beyond the limits"

    maximum_bpm: int = described(Number(100, 240), 200, "highest heart rate")
    minimum_bpm: int = described(Number(0, 100), 20, "lowest heart rate")
    warm_up_bpm: int = described(Number(30, 240), 100, "where warming up begins")
    fat_burn_bpm: int = described(Number(30, 240), 120, "where fat burning begins")
    aerobic_bpm: int = described(Number(30, 240), 140, "where the aerobic zone begins")
    anaerobic_bpm: int = described(Number(30, 240), 160, "where the anaerobic zone begins")
    extreme_bpm: int = described(Number(30, 240), 180, "where the extreme zone begins")
    high_alert: bool = described(Switch(), False, "warn above the maximum")
    low_alert: bool = described(Switch(), False, "warn below the minimum")
    start: time = described(TimeOfDay(), time(0), "warnings from")
    end: time = described(TimeOfDay(), _LAST_MINUTE, "to")

    def check_together(self) -> None:
        """Zones rise from the minimum to the maximum."""
        zones = (self.warm_up_bpm, self.fat_burn_bpm, self.aerobic_bpm, self.anaerobic_bpm)
        bounds = (self.minimum_bpm, *zones, self.extreme_bpm, self.maximum_bpm)
        if list(bounds) != sorted(bounds):
            raise self.refuse("zones must rise from minimum_bpm to maximum_bpm")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateAlarm(Setting):
    """Warnings at rest, where the watch knows them apart from the zones."""

    NAME: ClassVar = "heart-rate-alarm"
    MEANING: ClassVar = "warnings of a high or low heart rate"

    on: bool = described(Switch(), False, "whether it warns")
    high: bool = described(Switch(), False, "warn above high_bpm")
    high_bpm: int = described(Number(60, 240), 120, "too high from here")
    low: bool = described(Switch(), False, "warn below low_bpm")
    low_bpm: int = described(Number(20, 100), 50, "too low from here")
    start: time = described(TimeOfDay(), time(0), "from")
    end: time = described(TimeOfDay(), _LAST_MINUTE, "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spo2Measuring(Setting):
    """When the watch measures oxygen saturation by itself."""

    NAME: ClassVar = "spo2"
    MEANING: ClassVar = "whether and when the watch measures oxygen saturation"

    on: bool = described(Switch(), False, "whether it measures")
    start: time = described(TimeOfDay(), time(0), "from")
    end: time = described(TimeOfDay(), _LAST_MINUTE, "to")
    low_alert: bool = described(Switch(), False, "warn below low_pct")
    low_pct: int = described(Number(0, 100), 90, "too low from here")


@dataclass(frozen=True, slots=True, kw_only=True)
class StressMeasuring(Setting):
    """When the watch measures stress by itself."""

    NAME: ClassVar = "stress"
    MEANING: ClassVar = "whether and when the watch measures stress"

    on: bool = described(Switch(), False, "whether it measures")
    start: time = described(TimeOfDay(), time(9), "from")
    end: time = described(TimeOfDay(), time(18), "to")
    days: tuple[str, ...] = described(Days(), EVERY_DAY, "on which days")
    interval_min: int = described(Number(0, 255), 30, "minutes between readings")
    alert: bool = described(Switch(), False, "warn above high_score")
    high_score: int = described(Number(0, 100), 80, "too high from here")
    alert_interval_min: int = described(Number(0, 255), 60, "minutes between warnings")


@dataclass(frozen=True, slots=True, kw_only=True)
class SportDetection(Setting):
    """Which sports the watch finds out by itself."""

    NAME: ClassVar = "sport-detection"
    MEANING: ClassVar = "sports that the watch recognises by itself"

    walk: bool = described(Switch(), False, "walking")
    run: bool = described(Switch(), False, "running")
    cycle: bool = described(Switch(), False, "cycling")
    elliptical: bool = described(Switch(), False, "the elliptical trainer")
    rower: bool = described(Switch(), False, "rowing")
    swim: bool = described(Switch(), False, "swimming")
    rope: bool = described(Switch(), False, "a smart rope")
    auto_pause: bool = described(Switch(), False, "pause a workout at rest")
    end_reminder: bool = described(Switch(), False, "remind to end a workout")


@dataclass(frozen=True, slots=True, kw_only=True)
class SportOrder(Setting):
    """Which sports the watch lists, and in which order."""

    NAME: ClassVar = "sport-order"
    MEANING: ClassVar = "the sports in the watch's list, first to last"

    sports: tuple[str, ...] = described(
        Names(SPORT_NAMES, ordered=True, open_ended=True),
        ("outdoor_run", "outdoor_walk", "outdoor_cycle"),
        "names of `ksos sport list`",
    )
