"""What the tables of Gadgetbridge hold, as far as its public sources say it for sure.

Names and types are those of its schema (GBDaoGenerator, versions 92 and 101: a table of samples has
`TIMESTAMP` and `DEVICE_ID`), sports those of `ActivityKind`, keys and units of a workout's sums
those of `ActivitySummaryEntries`. `*_ACTIVITY_SAMPLE` count time in seconds, the others in
milliseconds.

Left out for they do not say enough: heart rate variability (which statistic it is depends on the
device), steps of rows that stand for no fixed time (or for all steps of the day, as Garmin's do),
stages of sleep that end with the next one, or that Gadgetbridge guesses from thresholds.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from firmware_protocol.samples import SleepStage, Value
from ksos_link.imports.track import bounded

Found = tuple[str, tuple[Value, ...]]  # a metric and its values; without a name what cannot be
Meaning = Callable[[Sequence[Any]], Iterable[Found]]
_ODD: Final[Found] = ("", ())
_NO_READING: Final = (None, 0, -1, 255)
_MINUTE_S: Final = 60
_MOST_STAGE_MIN: Final = 1440
_SKIN: Final = 2  # TemperatureSample.TYPE_SKIN
_WRIST: Final = 9  # TemperatureSample.LOCATION_WRIST


@dataclass(frozen=True, slots=True)
class Table:
    """A table of samples; `meaning` takes the values of `columns`."""

    name: str
    columns: tuple[str, ...]
    meaning: Meaning
    in_seconds: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """A column as values of one metric, in whole numbers, within what can be."""

    column: str
    metric: str
    least: int
    most: int
    duration_s: int | None = None
    nothing: tuple[int | None, ...] = _NO_READING

    def found(self, value: Any) -> Found | None:
        if value in self.nothing:
            return None
        if type(value) is not int or not self.least <= value <= self.most:
            return _ODD
        span = () if self.duration_s is None else (self.duration_s,)
        return self.metric, (*span, value)


def _table(name: str, *readings: _Reading, in_seconds: bool = False) -> Table:
    def meaning(values: Sequence[Any]) -> Iterable[Found]:
        for reading, value in zip(readings, values, strict=True):
            found = reading.found(value)
            if found is not None:
                yield found

    return Table(name, tuple(each.column for each in readings), meaning, in_seconds)


def _wrist_temperature(values: Sequence[Any]) -> Iterable[Found]:
    """Skin at the wrist; other places and the air have none here."""
    temperature, kind, location = values
    if temperature == 0:
        return
    if (kind, location) != (_SKIN, _WRIST) or not _is_within(temperature, 10, 50):
        yield _ODD
        return
    yield "temperature", (float(temperature), "wrist")


def _weight(values: Sequence[Any]) -> Iterable[Found]:
    (kilograms,) = values
    yield ("weight", (float(kilograms),)) if _is_within(kilograms, 1, 700) else _ODD


def _is_within(value: Any, least: float, most: float) -> bool:
    """Whether it is a number that can be; a whole number may be larger than any fraction."""
    return type(value) in (int, float) and least <= value <= most


def stages(known: Mapping[int, SleepStage]) -> Meaning:
    """What rows of a duration in minutes and a stage mean by the numbers of one vendor."""

    def meaning(values: Sequence[Any]) -> Iterable[Found]:
        minutes, number = values
        stage = known.get(number) if type(number) is int else None
        if stage is None or type(minutes) is not int or not 0 < minutes <= _MOST_STAGE_MIN:
            yield _ODD
        else:
            yield "sleep", (_MINUTE_S * minutes, int(stage))

    return meaning


# HeartRateUtils: what is a heart rate
_BPM: Final = _Reading("HEART_RATE", "heart_rate", 10, 250)
_RESTING: Final = _Reading("HEART_RATE", "resting_heart_rate", 10, 250)
_SPO2: Final = _Reading("SPO2", "spo2", 1, 100)
_STRESS: Final = _Reading("STRESS", "stress", 1, 100)
_STEPS: Final = _Reading("STEPS", "steps", 1, 1000, _MINUTE_S)  # of one byte
_WIDE_STEPS: Final = _Reading("STEPS", "steps", 1, 1000, _MINUTE_S, (None, 0, -1))

_STAGE_COLUMNS: Final = ("DURATION", "STAGE")
_COLMI_STAGES: Final = {
    2: SleepStage.LIGHT,
    3: SleepStage.DEEP,
    4: SleepStage.REM,
    5: SleepStage.AWAKE,
}
TABLES: Final = (
    # a row a minute, which the operations that fetch it count out
    *(
        _table(name, _STEPS, _BPM, in_seconds=True)
        for name in (
            "MI_BAND_ACTIVITY_SAMPLE",
            "HUAMI_EXTENDED_ACTIVITY_SAMPLE",
            "PEBBLE_HEALTH_ACTIVITY_SAMPLE",
        )
    ),
    _table("XIAOMI_ACTIVITY_SAMPLE", _WIDE_STEPS, _BPM, _SPO2, _STRESS, in_seconds=True),
    _table("GARMIN_ACTIVITY_SAMPLE", _BPM, in_seconds=True),
    *(
        _table(f"{vendor}_SAMPLE", reading)
        for reading, vendors in (
            (_BPM, "GENERIC_HEART_RATE COLMI_HEART_RATE CMF_HEART_RATE HUAMI_HEART_RATE_MANUAL"),
            (_RESTING, "HUAMI_HEART_RATE_RESTING GARMIN_HEART_RATE_RESTING"),
            (_SPO2, "GENERIC_SPO2 HUAMI_SPO2 COLMI_SPO2 CMF_SPO2 GARMIN_SPO2"),
            (_STRESS, "GENERIC_STRESS HUAMI_STRESS COLMI_STRESS CMF_STRESS GARMIN_STRESS"),
        )
        for vendor in vendors.split()
    ),
    Table("MI_SCALE_WEIGHT_SAMPLE", ("WEIGHT_KG",), _weight),
    Table("GENERIC_WEIGHT_SAMPLE", ("WEIGHT_KG",), _weight),
    Table(
        "GENERIC_TEMPERATURE_SAMPLE",
        ("TEMPERATURE", "TEMPERATURE_TYPE", "TEMPERATURE_LOCATION"),
        _wrist_temperature,
    ),
    Table("COLMI_SLEEP_STAGE_SAMPLE", _STAGE_COLUMNS, stages(_COLMI_STAGES)),
)
GENERIC_STAGES: Final = Table("GENERIC_SLEEP_STAGE_SAMPLE", _STAGE_COLUMNS, stages({}))
# the numbers of the generic stages are the vendor's own: a device is of the vendor in whose table
# it has rows (YcbtActivitySampleProvider, VeryFitConstants)
STAGES_BY_MARK: Final[Mapping[str, Mapping[int, SleepStage]]] = {
    "VERY_FIT_STEPS_SAMPLE": {
        1: SleepStage.AWAKE,
        2: SleepStage.LIGHT,
        3: SleepStage.DEEP,
        4: SleepStage.REM,
    },
    "YCBT_ACTIVITY_SAMPLE": {
        1: SleepStage.DEEP,
        2: SleepStage.LIGHT,
        3: SleepStage.AWAKE,
        4: SleepStage.REM,
    },
}

# of 2^26 on ActivityKind counts, before that each has a bit
_COUNTED: Final = 0x04000000
_SPORTS: Final[Mapping[int, str]] = {
    0x10: "run",
    0x20: "walk",
    0x40: "swim",
    0x80: "cycle",
    0x100: "treadmill",
    0x200: "workout",
    0x400: "open_water",
    0x800: "indoor_cycle",
    0x1000: "elliptical",
    0x2000: "rope_skipping",
    0x4000: "yoga",
    0x8000: "football",
    0x10000: "rower",
    0x20000: "cricket",
    0x40000: "basketball",
    0x80000: "table_tennis",
    0x100000: "badminton",
    0x200000: "strength",
    0x400000: "hike",
    **{
        _COUNTED + number: name
        for number, name in {
            0x02: "handcycling",
            0x08: "stepper",
            0x09: "pilates",
            0x0A: "pool_swim",
            0x0B: "tennis",
            0x0D: "table_tennis",
            0x0E: "american_football",
            0x12: "indoor_walk",
            0x14: "ski",
            0x15: "snowboard",
            0x16: "rowing",
            0x17: "climb",
            0x20: "golf",
            0x23: "hunting",
            0x24: "fishing",
            0x26: "rock_climbing",
            0x2C: "ice_skating",
            0x31: "surfing",
            0x34: "kayaking",
            0x3A: "boxing",
            0x3C: "baseball",
            0x3D: "softball",
            0x45: "hiit",
            0x48: "pickleball",
            0x4A: "squash",
            0x55: "rugby",
            0x58: "volleyball",
            0x5C: "dance",
            0x5E: "free_training",
            0x60: "kickboxing",
            0x62: "cross_fit",
            0x63: "functional_strength",
            0x6A: "core",
            0x87: "roller_skating",
            0x88: "martial_arts",
            0x89: "tai_chi",
            0x99: "handball",
            0xA2: "sailing",
            0xA5: "ice_hockey",
            0xA6: "curling",
            0xA8: "cross_country_ski",
            0xAC: "skateboard",
            0xB0: "indoor_run",
            0xB1: "outdoor_run",
            0xB2: "outdoor_walk",
            0xB3: "outdoor_cycle",
            0xD5: "race_walking",
            0xD9: "spinning",
            0xDD: "stretching",
            0xEA: "canoeing",
            0xF2: "trail_run",
        }.items()
    },
}


@dataclass(frozen=True, slots=True)
class _Sum:
    """An entry of a workout's sums as a column of metric `workout`; units by their factors."""

    key: str
    units: Mapping[str, float]
    most: float
    least: float = 0
    is_real: bool = False


_HEART: Final = {"bpm": 1.0}
_SPEED: Final = {"meters_second": 1.0, "km_h": 1 / 3.6}
_SECONDS: Final = {"seconds": 1.0}
_SUMS: Final[Mapping[str, _Sum]] = {
    "steps": _Sum("steps", {"steps_unit": 1.0}, 1e6),
    "energy_kcal": _Sum("caloriesBurnt", {"calories_unit": 1.0}, 1e5),
    "distance_m": _Sum("distanceMeters", {"meters": 1.0, "km": 1000.0}, 1e7),
    "bpm_avg": _Sum("averageHR", _HEART, 250, 10),
    "bpm_max": _Sum("maxHR", _HEART, 250, 10),
    "bpm_min": _Sum("minHR", _HEART, 250, 10),
    "speed_avg_mps": _Sum("averageSpeed", _SPEED, 2000, is_real=True),
    "speed_max_mps": _Sum("maxSpeed", _SPEED, 2000, is_real=True),
    "warm_up_s": _Sum("hrZoneWarmUp", _SECONDS, 1e6),
    "fat_burn_s": _Sum("hrZoneFatBurn", _SECONDS, 1e6),
    "aerobic_s": _Sum("hrZoneAerobic", _SECONDS, 1e6),
    "anaerobic_s": _Sum("hrZoneAnaerobic", _SECONDS, 1e6),
    "extreme_s": _Sum("hrZoneExtreme", _SECONDS, 1e6),
    "vo2max_ml_kg_min": _Sum("maximumOxygenUptake", {"ml/kg/min": 1.0}, 100, 1),
}


def sport_of(kind: Any) -> str:
    """Our name of an `ActivityKind`."""
    return _SPORTS.get(kind, "other") if type(kind) is int else "other"


def sums_of(text: Any) -> Mapping[str, Value]:
    """The sums of a workout by our columns; what is missing, or of another unit, is absent."""
    try:
        entries = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        return {}
    return {column: _sum(entries.get(wanted.key), wanted) for column, wanted in _SUMS.items()}


def _sum(entry: Any, wanted: _Sum) -> Value:
    if not isinstance(entry, dict) or type(entry.get("unit")) is not str:
        return None
    value: Any = entry.get("value")
    factor = wanted.units.get(entry["unit"])
    if factor is None or not _is_within(value, -1e12, 1e12):
        return None
    kept = bounded(value * factor, wanted.least, wanted.most)
    if kept is None or wanted.is_real:
        return kept
    return round(kept)
