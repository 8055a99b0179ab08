"""A source of exports with what no virtual watch has: a route, beats, names that are a nuisance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from firmware_protocol.samples import METRICS, Metric, Quality, Value
from firmware_protocol.settings import Wearer
from ksos_link.export.source import ExportDevice, Row, Workout

START = 1_793_000_000  # an afternoon of October 2026


def workout_row(metric: str, device: str, utc_s: int, **values: Value) -> Row:
    fields = dict.fromkeys(METRICS[metric].row_names)
    return tuple(
        (fields | {"device": device, "start_utc_s": utc_s, "quality": 0} | values).values()
    )


def point(utc_s: int, latitude: float, longitude: float, **values: Value) -> Row:
    place = {"latitude_deg": latitude, "longitude_deg": longitude}
    return workout_row("workout_point", "wrist", utc_s, **place, **values)


def minute(utc_s: int, steps: int, kcal: int, metres: int, duration_s: int = 60) -> Row:
    values = {"duration_s": duration_s, "steps": steps, "energy_kcal": kcal, "distance_m": metres}
    return workout_row("workout_minute", "wrist", utc_s, **values)


def split(utc_s: int, duration_s: int, metres: int = 1000) -> Row:
    return workout_row("workout_split", "wrist", utc_s, duration_s=duration_s, distance_m=metres)


def made_up_workout(
    sport: str = "outdoor_run",
    duration_s: int = 600,
    start_utc_s: int = START,
    utc_offset_s: int = 7200,
    values: Mapping[str, Value] | None = None,
    **recorded: Sequence[tuple[Value, ...]],
) -> Workout:
    """What a watch might record; `recorded` are the lists of `Workout`."""
    columns: dict[str, Value] = dict.fromkeys(METRICS["workout"].column_names)
    columns |= {"duration_s": duration_s, "sport": sport, "sport_code": 1}
    columns |= values or {}
    return Workout(
        "wrist",
        start_utc_s,
        utc_offset_s,
        columns,
        Quality.PROVEN,
        **recorded,  # type: ignore[arg-type]
    )


@dataclass
class MadeUpSource:
    """See `export.source.Source`."""

    all_workouts: Sequence[Workout] = ()
    devices: Sequence[ExportDevice] = (ExportDevice("wrist", "KS Watch", "ido"),)
    wearer: Wearer | None = None
    all_rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    @property
    def metrics(self) -> Sequence[Metric]:
        return [metric for name, metric in METRICS.items() if self.all_rows.get(name)]

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        if self.all_rows.get(metric):
            yield self.all_rows[metric]

    def workouts(self) -> Iterator[Workout]:
        yield from self.all_workouts

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        return 7200
