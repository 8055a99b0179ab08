"""What an export reads from: samples of a stretch of time, and what is known around them.

`operations.read_out` fills it from the store; tests may fill it from anything. All of it streams:
rows come in lists, workouts one by one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from firmware_protocol.samples import METRICS, Metric, Quality, Value
from firmware_protocol.settings import Wearer

_NUMBER_CHARS: Final = 24  # an integer of 64 bits with what stands around it
Row = tuple[Value, ...]  # fields as `Metric.row_names` says


@dataclass(frozen=True, slots=True)
class ExportDevice:
    """A watch, or a file that was imported, as exports name it.

    `uid` stays the same when the alias changes and tells nothing of the device; where it is empty
    the alias stands for it. `address` is for the one format whose records name their watch by it.
    """

    alias: str
    product: str
    family: str
    uid: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Workout:
    """One workout with all that was recorded meanwhile, each list in order of time.

    `values` holds the columns of metric `workout` (None where the watch did not say). `splits`,
    `minutes` and `points` are rows of `workout_split`, `workout_minute` and `workout_point`;
    `heart_rate` is (UTC second, bpm).
    """

    alias: str
    start_utc_s: int
    utc_offset_s: int
    values: Mapping[str, Value]
    quality: Quality
    heart_rate: Sequence[tuple[int, int]] = ()
    minutes: Sequence[Row] = ()
    splits: Sequence[Row] = ()
    points: Sequence[Row] = ()

    @property
    def duration_s(self) -> int:
        """How long it took, pauses included."""
        return int(self.values["duration_s"] or 0)

    @property
    def end_utc_s(self) -> int:
        """When it ended."""
        return self.start_utc_s + self.duration_s

    @property
    def sport(self) -> str:
        """The name of the sport, `sport_N` where its code has none."""
        return str(self.values["sport"])


class Source(Protocol):
    """The chosen samples of one person."""

    @property
    def devices(self) -> Sequence[ExportDevice]:
        """All that samples may come from."""

    @property
    def wearer(self) -> Wearer | None:
        """Who wears the watches; None where nobody said."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """The metrics that were chosen and have samples at all, in the order of `METRICS`."""

    def rows(self, metric: str) -> Iterator[Sequence[Row]]:
        """The samples of a metric, device by device and in order of time."""

    def workouts(self) -> Iterator[Workout]:
        """The workouts that begin in the stretch of time, in the order of `rows`."""

    def utc_offset_s(self, alias: str, utc_s: int) -> int:
        """What the wearer's local time was ahead of UTC at that instant."""


@dataclass(frozen=True, slots=True)
class ColumnPage:
    """Some thousand samples of one device in order of time, column by column; at least one.

    `texts` has the columns of `Metric.row_names` without `device`, each as a JSON array: a database
    writes that faster than rows become objects, and a columnar library parses it by itself.
    """

    alias: str
    texts: Mapping[str, str]

    @property
    def samples(self) -> int:
        """How many there are."""
        return self.texts["start_utc_s"].count(",") + 1

    @property
    def first_utc_s(self) -> int:
        """The earliest start."""
        return int(self.texts["start_utc_s"][:_NUMBER_CHARS].strip("[]").partition(",")[0])

    @property
    def last_utc_s(self) -> int:
        """The latest start."""
        return int(self.texts["start_utc_s"][-_NUMBER_CHARS:].strip("[]").rpartition(",")[2])

    def values(self, name: str) -> list[Value]:
        """One column as Python has it."""
        values: list[Value] = json.loads(self.texts[name])
        return values

    def starts_utc_s(self) -> list[int]:
        """The column `start_utc_s`."""
        starts: list[int] = json.loads(self.texts["start_utc_s"])
        return starts


class ColumnSource(Source, Protocol):
    """A source that also gives columns: for tables, which may have millions of samples."""

    def pages(self, metric: str) -> Iterator[ColumnPage]:
        """The samples of a metric, device by device and in order of time."""

    def utc_offset_until(self, alias: str, utc_s: int) -> tuple[int, int]:
        """As `utc_offset_s`, and the UTC second before which it surely stays so."""


def named(metric: str, row: Row) -> dict[str, Value]:
    """The fields of a row by their names."""
    return dict(zip(METRICS[metric].row_names, row, strict=True))
