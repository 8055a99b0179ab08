"""What the texts of an Apple Health export mean: instants, values by their units, workouts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import product
from math import isfinite
from typing import Final

from firmware_protocol.health_sports import apple_sport
from firmware_protocol.samples import SleepStage, Value
from firmware_protocol.sports import SPORT_NAMES
from ksos_link.imports.gather import LAST_UTC_S
from ksos_link.imports.track import bounded, heart_rate, whole_number

Attributes = Mapping[str, str]
Parts = tuple[tuple[str, Attributes], ...]  # elements in a workout, by their names
At = tuple[int, int, str]  # UTC second, what local time was ahead, month
_Meaning = Callable[[float, str], float | None]

_QUANTITY: Final = "HKQuantityTypeIdentifier"
_SLEEP: Final = "HKCategoryTypeIdentifierSleepAnalysis"
_ACTIVITY: Final = "HKWorkoutActivityType"
SPORT_KEY: Final = "ksos_sport"  # as our own export notes it
INDOOR_KEY: Final = "HKIndoorWorkout"
_DAY_S: Final = 86400
_MOST_DAYS: Final = 100_000
_METRES: Final = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "yd": 0.9144}
_KCAL: Final = {"kcal": 1.0, "Cal": 1.0, "kJ": 1 / 4.184}
_KILOGRAMS: Final = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "st": 6.35029318}
_STAGES: Final = {
    "HKCategoryValueSleepAnalysisAwake": SleepStage.AWAKE,
    "HKCategoryValueSleepAnalysisAsleepCore": SleepStage.LIGHT,
    "HKCategoryValueSleepAnalysisAsleepDeep": SleepStage.DEEP,
    "HKCategoryValueSleepAnalysisAsleepREM": SleepStage.REM,
}
_INDOORS: Final = {"run": "indoor_run", "walk": "indoor_walk", "cycle": "indoor_cycle"}
_NO_PLACE: Final = "Records of kinds that have no place here"
_NO_STAGE: Final = "Times in bed or asleep without a stage, left out"
NO_READING: Final = "Records that hold nothing that can be, left out"


class Instants:
    """Instants of texts as `2026-11-22 08:05:00 +0100`; each day is worked out once."""

    def __init__(self) -> None:
        self._days: dict[str, tuple[int, int, str]] = {}
        pairs = [f"{number:02}" for number in range(60)]
        times = product(pairs[:24], pairs, pairs)
        self._seconds = {f" {':'.join(time)} ": second for second, time in enumerate(times)}

    def of(self, text: str) -> At | None:
        """The instant, None where it is none or out of range."""
        day = self._days.get(text[:10] + text[20:]) or self._day(text)
        second = self._seconds.get(text[10:20])
        if day is None or second is None:
            return None
        return day[0] + second, day[1], day[2]

    def together(self, texts: Sequence[str]) -> tuple[list[int], int, str] | None:
        """UTC seconds of many, with the offset and month that all have; None where they differ."""
        days = {text[:10] + text[20:]: text for text in texts}
        alike = {None if at is None else at[1:] for at in map(self.of, days.values())}
        if len(alike) != 1 or None in alike:
            return None
        begin_of, second_of = self._days, self._seconds
        try:
            utc_s = [begin_of[text[:10] + text[20:]][0] + second_of[text[10:20]] for text in texts]
        except KeyError:  # one of them is no time
            return None
        ((offset_s, month),) = (each for each in alike if each is not None)
        return utc_s, offset_s, month

    def _day(self, text: str) -> At | None:
        """When the day of a text begins by its offset."""
        try:
            at = datetime.strptime(text[:10] + text[20:], "%Y-%m-%d%z")
            utc_s = int(at.timestamp())
        except (ValueError, OverflowError):
            return None
        offset = at.utcoffset()
        if offset is None or not 0 <= utc_s < LAST_UTC_S - 2 * _DAY_S:
            return None
        if len(self._days) >= _MOST_DAYS:
            self._days.clear()
        day = self._days[text[:10] + text[20:]] = (
            utc_s,
            int(offset.total_seconds()),
            f"{at:%Y-%m}",
        )
        return day


def meaning(kind: str, unit: str, text: str) -> tuple[str, float | None]:
    """The metric of a record and its value; without a value, why it has none."""
    if kind == _SLEEP:
        stage = _STAGES.get(text)
        return ("sleep", int(stage)) if stage is not None else (_NO_STAGE, None)
    known = _KINDS.get(kind)
    if known is None:
        return _NO_PLACE, None
    number = _number(text)
    value = None if number is None else known[1](number, unit)
    return (NO_READING if value is None else known[0]), value


def sport_of(workout: Attributes, notes: Attributes) -> str:
    """Our name of a workout's sport: as our own export noted it, else by Apple's."""
    if notes.get(SPORT_KEY) in SPORT_NAMES:
        return notes[SPORT_KEY]
    sport = apple_sport(workout.get("workoutActivityType", "").removeprefix(_ACTIVITY))
    return _INDOORS.get(sport, sport) if notes.get(INDOOR_KEY) == "1" else sport


def sums_of(workout: Attributes, parts: Parts) -> Mapping[str, Value]:
    """What Apple summed up: in statistics since iOS 16, before that in attributes."""
    statistics: dict[str, Attributes] = {}
    for name, given in parts:
        if name == "WorkoutStatistics":
            statistics.setdefault(given.get("type", "").removeprefix(_QUANTITY), given)
    beats = statistics.get("HeartRate", {})
    found: dict[str, Value] = {
        "steps": whole_number(_number(statistics.get("StepCount", {}).get("sum"))),
        "distance_m": whole_number(_distance_m(workout, statistics)),
        "energy_kcal": whole_number(_energy_kcal(workout, statistics)),
    }
    for column, name in (("bpm_avg", "average"), ("bpm_min", "minimum"), ("bpm_max", "maximum")):
        found[column] = heart_rate(_number(beats.get(name)))
    return found


def _distance_m(workout: Attributes, statistics: Mapping[str, Attributes]) -> float | None:
    told = _scaled(workout.get("totalDistance"), workout.get("totalDistanceUnit"), _METRES)
    for name, given in statistics.items():
        if told is None and name.startswith("Distance"):
            told = _scaled(given.get("sum"), given.get("unit"), _METRES)
    return told


def _energy_kcal(workout: Attributes, statistics: Mapping[str, Attributes]) -> float | None:
    """The total as it is told, else energy above rest and at rest."""
    unit = workout.get("totalEnergyBurnedUnit")
    told = _scaled(workout.get("totalEnergyBurned"), unit, _KCAL)
    if told is not None:
        return told
    given = [statistics.get(f"{name}EnergyBurned", {}) for name in ("Active", "Basal")]
    parts = [_scaled(each.get("sum"), each.get("unit"), _KCAL) for each in given]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _scaled(text: str | None, unit: str | None, scale: Mapping[str, float]) -> float | None:
    number, factor = _number(text), scale.get(unit or "")
    return None if number is None or factor is None else number * factor


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _bpm(value: float, unit: str) -> int | None:
    return heart_rate(value) if unit == "count/min" else None


def _oxygen(value: float, unit: str) -> int | None:
    """Apple's unit says %, its value is a part of 1; some programs write percents."""
    percent = bounded(value * 100 if value <= 1 else value, 1, 100)
    return None if percent is None or unit != "%" else round(percent)


def _count(value: float, unit: str) -> int | None:
    return whole_number(value) if unit == "count" else None


def _by(scale: Mapping[str, float], most: float) -> _Meaning:
    def scaled(value: float, unit: str) -> float | None:
        factor = scale.get(unit)
        return None if factor is None else bounded(value * factor, 0, most)

    return scaled


def _celsius(value: float, unit: str) -> float | None:
    if unit == "degF":
        return bounded((value - 32) * 5 / 9, 0, 60)
    return bounded(value, 0, 60) if unit == "degC" else None


ACTIVE: Final = f"{_QUANTITY}ActiveEnergyBurned"
BASAL: Final = f"{_QUANTITY}BasalEnergyBurned"
MOVEMENT: Final = frozenset((f"{_QUANTITY}DistanceWalkingRunning", ACTIVE, BASAL))
WRIST: Final = f"{_QUANTITY}AppleSleepingWristTemperature"
_KINDS: Final[Mapping[str, tuple[str, _Meaning]]] = {
    f"{_QUANTITY}{name}": known
    for name, known in {
        "HeartRate": ("heart_rate", _bpm),
        "RestingHeartRate": ("resting_heart_rate", _bpm),
        "OxygenSaturation": ("spo2", _oxygen),
        "StepCount": ("steps", _count),
        "DistanceWalkingRunning": ("activity", _by(_METRES, 1e7)),
        "ActiveEnergyBurned": ("activity", _by(_KCAL, 1e5)),
        "BasalEnergyBurned": ("activity", _by(_KCAL, 1e5)),
        "HeartRateVariabilitySDNN": ("heart_rate_variability", _by({"ms": 1.0}, 1e4)),
        "EnvironmentalAudioExposure": ("noise", _by({"dBASPL": 1.0}, 200)),
        "BodyTemperature": ("temperature", _celsius),
        "AppleSleepingWristTemperature": ("temperature", _celsius),
        "BodyMass": ("weight", _by(_KILOGRAMS, 700)),
    }.items()
}
# of whole numbers, so that few texts say all of them
COLUMN_KINDS: Final[Mapping[str, str]] = {
    kind: metric
    for kind, (metric, _) in _KINDS.items()
    if metric in ("heart_rate", "resting_heart_rate", "spo2", "steps")
}
