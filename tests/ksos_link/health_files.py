"""What the tests of health documents share: a source with everything, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from firmware_protocol.samples import METRICS, Value
from firmware_protocol.settings import Wearer
from ksos_link.export.source import ExportDevice, Row, Workout
from tests.ksos_link.command_results import objects
from tests.ksos_link.made_up_source import MadeUpSource, made_up_workout, split

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = ExportDevice("wrist", "KS Watch", "ido", uid="an-identity")
SUMMER_ENDS = 1_792_890_000  # 2026-10-25T01:00:00Z: Berlin goes from +02:00 to +01:00
NIGHT = SUMMER_ENDS - 7200
WEARER = Wearer(height_cm=170, weight_kg=61.5, birth_date=date(1988, 2, 29), sex="female")


def row(metric: str, utc_s: int, *values: Value, device: str = "wrist", quality: int = 0) -> Row:
    made = (device, utc_s, *values, quality)
    assert len(made) == len(METRICS[metric].row_names)
    return made


@dataclass
class BerlinSource(MadeUpSource):
    """Lives through the end of summer time."""

    devices: Sequence[ExportDevice] = (WATCH,)
    all_rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        return 7200 if utc_s < SUMMER_ENDS else 3600


def workouts_and_rows(*workouts: Workout) -> dict[str, Sequence[Row]]:
    """The rows that go with workouts, so that their metric counts as chosen."""
    names = METRICS["workout"].column_names
    return {
        "workout": [
            row("workout", one.start_utc_s, *(one.values[name] for name in names))
            for one in workouts
        ]
    }


def everything() -> BerlinSource:
    """A night over the end of summer time, and one of each thing that no virtual watch has."""
    run = made_up_workout(
        duration_s=600,
        start_utc_s=SUMMER_ENDS + 36_000,
        utc_offset_s=3600,
        values={
            "distance_m": 2000,
            "energy_kcal": 150,
            "steps": 1700,
            "bpm_avg": 150,
            "bpm_max": 171,
            "bpm_min": 255,
            "speed_avg_mps": 3.3,
        },
        splits=[split(SUMMER_ENDS + 36_000, 300), split(SUMMER_ENDS + 36_300, 290)],
        points=[
            row("workout_point", SUMMER_ENDS + 36_000, 52.5, 13.4, 34.5, 0.0, 3.1, 160),
            row("workout_point", SUMMER_ENDS + 36_005, 52.5001, 13.4, None, 16.0, 3.2, None),
        ],
    )
    rows: dict[str, Sequence[Row]] = {
        "heart_rate": [
            row("heart_rate", NIGHT, 58),
            row("heart_rate", NIGHT + 300, 0),
            row("heart_rate", NIGHT + 600, 255),
            row("heart_rate", NIGHT + 907, 59, quality=1),
        ],
        "resting_heart_rate": [row("resting_heart_rate", SUMMER_ENDS - 10_800, 52)],
        "spo2": [row("spo2", NIGHT, 97), row("spo2", NIGHT + 60, 0)],
        "stress": [row("stress", NIGHT, 0)],
        "steps": [row("steps", SUMMER_ENDS - 900, 1800, 1200)],
        "activity": [
            row("activity", NIGHT, 900, 0, 0, 3, 20, 0),
            row("activity", NIGHT + 900, 900, None, None, None, None, 15),
        ],
        "sleep": [
            row("sleep", NIGHT, 3600, 2),
            row("sleep", NIGHT + 3600, 3600, 3),
            row("sleep", NIGHT + 7200, 1800, 4),
            row("sleep", NIGHT + 9000, 600, 1, quality=1),
            row("sleep", NIGHT + 40_000, 1200, 2),
        ],
        "sleep_summary": [row("sleep_summary", NIGHT, 9600, 10, 60, None, 60, 81)],
        "swim": [row("swim", NIGHT + 50_000, 1500, 750, 30, None)],
        "rr_interval": [row("rr_interval", NIGHT, 812), row("rr_interval", NIGHT + 1, 823)],
        "heart_rate_variability": [
            row("heart_rate_variability", NIGHT, 45.5, 38.25),
            row("heart_rate_variability", NIGHT + 300, None, 41.0),
        ],
        "temperature": [
            row("temperature", NIGHT, 34.5, "wrist"),
            row("temperature", NIGHT + 7, 36.75, "body"),
        ],
        "noise": [row("noise", NIGHT, 61.5)],
        "weight": [row("weight", NIGHT, 61.25)],
        **workouts_and_rows(run),
    }
    return BerlinSource([run], wearer=WEARER, all_rows=rows)


Stored = dict[tuple[str, str, int], dict[str, Any]]


def stored(ksos: "CommandLine") -> Stored:
    """Every stored sample by metric, device and UTC second."""
    found: Stored = {}
    for sample in objects(ksos("export", "--format", "jsonl", "--out", "-")):
        found[sample["metric"], sample["device"], seconds(sample["start_utc"])] = sample
    return found


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def of_metrics(samples: Stored, *without: str) -> set[tuple[str, str, int]]:
    return {key for key in samples if key[0] not in without}
