"""Every metric the project knows, with units, on one page.

A family decodes its records into `Series`: columns of equal length, never an object per sample.
Store and export know only this page. Times are integer seconds since 1970 UTC. A value that
the watch did not give is absent (`None` in a nullable column, or no row), never zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import Final, Literal

Value = int | float | str | None
ColumnKind = Literal["integer", "real", "text"]


@unique
class Quality(IntEnum):
    """How sure we are of what a series means."""

    PROVEN = 0  # layout seen on a real watch
    PROVISIONAL = 1  # layout inferred; the reference marks it P
    UNCERTAIN_CLOCK = 2  # the watch's clock was changed by somebody else since the last sync
    UNVERIFIED = 3  # the record's own sums do not add up, twice in a row


@unique
class SleepStage(IntEnum):
    """Value of column `stage` in metric `sleep`."""

    AWAKE = 1
    LIGHT = 2
    DEEP = 3
    REM = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One value column; the unit is in the name (models.md 3)."""

    name: str
    kind: ColumnKind
    meaning: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """One table of samples. `interval` metrics have a `duration_s` beside `start_utc_s`."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    interval: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Stored names in order, without `start_utc_s`."""
        return (*(("duration_s",) if self.interval else ()), *(c.name for c in self.columns))

    @property
    def row_names(self) -> tuple[str, ...]:
        """Fields of a sample as the store reads it and exports take it, in order."""
        return ("device", "start_utc_s", *self.column_names, "quality")


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one metric in columns of one length.

    `columns` holds every name of `Metric.column_names`, each as long as `start_utc_s`.
    Start times need not be sorted; within one series they are unique.
    """

    metric: str
    start_utc_s: Sequence[int]
    columns: Mapping[str, Sequence[Value]]
    quality: Quality = Quality.PROVEN

    def __len__(self) -> int:
        return len(self.start_utc_s)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one raw record means: series, and plain remarks on what could not be used."""

    series: tuple[Series, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def _integer(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, "integer", meaning, nullable)


def _real(name: str, meaning: str, *, nullable: bool = True) -> Column:
    return Column(name, "real", meaning, nullable)


_BPM: Final = _integer("bpm", "heart beats per minute")
_ZONES: Final = ("warm_up", "fat_burn", "aerobic", "anaerobic", "extreme")

_ALL: Final = (
    Metric("heart_rate", "heart rate through the day", (_BPM,)),
    Metric("resting_heart_rate", "the watch's resting heart rate of a local day", (_BPM,)),
    Metric("spo2", "oxygen saturation, an estimate", (_integer("spo2_pct", "percent"),)),
    Metric("stress", "the vendor's stress index, 0 to 100", (_integer("stress_score", "index"),)),
    Metric("steps", "steps in an interval", (_integer("steps", "count"),), interval=True),
    Metric(
        "activity",
        "movement in an interval",
        (
            _integer("intensity", "0 still, 1 light, 2 moderate, 3 intense", nullable=True),
            _integer("active_min", "minutes of activity in the interval", nullable=True),
            _integer("active_energy_kcal", "energy above rest", nullable=True),
            _integer("energy_kcal", "energy with rest", nullable=True),
            _integer("distance_m", "distance"),
        ),
        interval=True,
    ),
    Metric(
        "sleep",
        "stages of sleep",
        (_integer("stage", "1 awake, 2 light, 3 deep, 4 REM"),),
        interval=True,
    ),
    Metric(
        "sleep_summary",
        "one night or nap as the watch sums it up",
        (
            _integer("awake_min", "minutes"),
            _integer("light_min", "minutes"),
            _integer("rem_min", "minutes", nullable=True),
            _integer("deep_min", "minutes"),
            _integer("sleep_score", "the vendor's index", nullable=True),
        ),
        interval=True,
    ),
    Metric(
        "workout",
        "one workout",
        (
            Column("sport", "text", "name of the sport; `sport_<code>` where it has none"),
            _integer("sport_code", "the family's code"),
            _integer("steps", "count", nullable=True),
            _integer("energy_kcal", "energy", nullable=True),
            _integer("distance_m", "distance", nullable=True),
            _integer("bpm_avg", "heart rate", nullable=True),
            _integer("bpm_max", "heart rate", nullable=True),
            _integer("bpm_min", "heart rate", nullable=True),
            _integer("cadence_avg_spm", "steps per minute", nullable=True),
            _integer("cadence_max_spm", "steps per minute", nullable=True),
            _real("speed_avg_mps", "metres per second"),
            _real("speed_max_mps", "metres per second"),
            *(_integer(f"{zone}_s", "seconds in the zone", nullable=True) for zone in _ZONES),
            _real("training_effect", "the vendor's index, 0 to 5"),
            _integer("vo2max_ml_kg_min", "estimate", nullable=True),
        ),
        interval=True,
    ),
    Metric("workout_heart_rate", "heart rate in a workout", (_BPM,)),
    Metric(
        "workout_minute",
        "movement in a minute of a workout",
        (
            _integer("steps", "count"),
            _integer("energy_kcal", "energy"),
            _integer("distance_m", "distance"),
        ),
        interval=True,
    ),
    Metric(
        "workout_split",
        "one kilometre of a workout",
        (_integer("distance_m", "length of the split"),),
        interval=True,
    ),
    Metric(
        "swim",
        "one swim; what the reference leaves open is absent",
        (
            _integer("distance_m", "distance", nullable=True),
            _integer("laps", "count", nullable=True),
            _integer("energy_kcal", "energy", nullable=True),
        ),
        interval=True,
    ),
    Metric(
        "workout_point",
        "where a workout was at an instant, and how fast",
        (
            _real("latitude_deg", "degrees north, WGS 84", nullable=False),
            _real("longitude_deg", "degrees east, WGS 84", nullable=False),
            _real("elevation_m", "above sea level"),
            _real("distance_m", "since the start of the workout"),
            _real("speed_mps", "metres per second"),
            _integer("cadence_spm", "steps or turns per minute", nullable=True),
        ),
    ),
    Metric("rr_interval", "time between two heart beats", (_integer("rr_ms", "milliseconds"),)),
    Metric(
        "heart_rate_variability",
        "variability of the heart rate as its source sums it up",
        (
            _real("sdnn_ms", "standard deviation of beat intervals"),
            _real("rmssd_ms", "root mean square of their successive differences"),
        ),
    ),
    Metric(
        "temperature",
        "temperature of the body",
        (
            _real("temperature_c", "degrees Celsius", nullable=False),
            Column("site", "text", "where it was taken: `wrist`, or `body` where nobody says"),
        ),
    ),
    Metric("noise", "sound around the wearer", (_real("noise_db", "dB(A)", nullable=False),)),
    Metric("weight", "weight of the wearer", (_real("weight_kg", "kilograms", nullable=False),)),
    Metric(
        "battery",
        "the watch's battery at a sync",
        (
            _integer("battery_pct", "percent"),
            _integer("voltage_mv", "millivolts", nullable=True),
            _integer("charging", "1 while charging", nullable=True),
        ),
    ),
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _ALL}
