"""Samples of a stretch of time as columns, of one watch at a time, and only what can be true."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import itemgetter, sub
from typing import Final, Protocol, cast, runtime_checkable

from firmware_protocol.samples import METRICS, Quality, Value
from ksos_link.insights.about import Chunks, Reader, Row, joined
from ksos_link.insights.heart import Span
from ksos_link.insights.levels import Levels, levels_of

HOUR_S: Final = 3600
_DEVICE, _START, _DURATION = 0, 1, 2
_device: Final = itemgetter(_DEVICE)
# what a column can hold: 0 and 255 are how watches and files say that there was no reading
_TRUE: Final[Mapping[str, tuple[str, float, float]]] = {
    "heart_rate": ("bpm", 20, 250),
    "resting_heart_rate": ("bpm", 20, 250),
    "workout_heart_rate": ("bpm", 20, 250),
    "spo2": ("spo2_pct", 1, 100),
    "stress": ("stress_score", 0, 100),
    "temperature": ("temperature_c", 15, 45),
    "noise": ("noise_db", 1, 194),
    "weight": ("weight_kg", 1, 500),
    "steps": ("steps", 0, 100_000),
}


@runtime_checkable
class ColumnarReader(Protocol):
    """A reader that has columns at hand: of the thousands of readings of a day no row is made."""

    def __call__(self, metric: str, start_utc_s: int, end_utc_s: int, /) -> Chunks:
        """See `about.Reader`."""
        ...

    def columns(
        self, metric: str, start_utc_s: int, end_utc_s: int
    ) -> Mapping[str, Sequence[Value]] | None:
        """What starts in [start, end) in order of time, by name; None where watches overlap."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Samples in order of time: a column for each name of `Metric.row_names`."""

    metric: str
    columns: Mapping[str, Sequence[Value]]

    def __len__(self) -> int:
        return len(self.columns["start_utc_s"])

    @property
    def start_utc_s(self) -> Sequence[int]:
        """When each sample begins."""
        return cast("Sequence[int]", self.columns["start_utc_s"])

    def integers(self, name: str) -> Sequence[int]:
        """A column that is never absent and whole."""
        return cast("Sequence[int]", self.columns[name])

    def known(self, name: str) -> list[float]:
        """The values of a column that are there."""
        return [cast("float", value) for value in self.columns[name] if value is not None]

    def levels(self, name: str, hold_s: int) -> Levels:
        """A column that is never absent as levels; each reading holds `hold_s` at the longest."""
        return levels_of(self.start_utc_s, cast("Sequence[float]", self.columns[name]), hold_s)

    def spans(self) -> list[Span]:
        """From when to when each sample lasts; only for intervals."""
        lengths = self.integers("duration_s")
        return [
            (start, start + length) for start, length in zip(self.start_utc_s, lengths, strict=True)
        ]

    def stretches(self, apart_s: int) -> list[Span]:
        """From when to when there are samples, none of which is farther than that from the next."""
        if "duration_s" in self.columns:
            return list(joined(self.spans(), apart_s))
        times = self.start_utc_s
        gaps = map(sub, times[1:], times)
        breaks = [place for place, gap in enumerate(gaps, 1) if gap > apart_s]
        bounds = pairwise([0, *breaks, len(times)])
        return [(times[first], times[last - 1]) for first, last in bounds if last > first]

    @property
    def quality(self) -> Quality:
        """The least sure of them."""
        return Quality(max(self.integers("quality"), default=0))


def gather(read: Reader, metric: str, start_utc_s: int, end_utc_s: int) -> Columns:
    """The samples that start in [start, end).

    Where several watches recorded at once, one counts: of readings, hour by hour, the watch with
    the most; of intervals, those of the watch that covers the longest time, and of the others what
    overlaps none of them.
    """
    names = METRICS[metric].row_names
    if metric in _TRUE and not METRICS[metric].interval and isinstance(read, ColumnarReader):
        whole = read.columns(metric, start_utc_s, end_utc_s)
        if whole is not None and _all_within(whole[_TRUE[metric][0]], *_TRUE[metric][1:]):
            return Columns(metric, whole)
    rows = list(chain.from_iterable(read(metric, start_utc_s, end_utc_s)))
    rows = _within(rows, _START, start_utc_s, end_utc_s - 1)
    if metric in _TRUE:
        name, least, most = _TRUE[metric]
        rows = _within(rows, names.index(name), least, most)
    if METRICS[metric].interval:  # how long, how far, how many: none of it is ever below nothing
        rows = [row for row in rows if not any(map(_negative, row[_DURATION:]))]
    if len(set(map(_device, rows))) > 1:
        rows = _not_overlapping(rows) if METRICS[metric].interval else _best_of_each_hour(rows)
    rows.sort(key=itemgetter(_START))
    columns: Iterable[Sequence[Value]] = zip(*rows, strict=True) if rows else ((),) * len(names)
    return Columns(metric, dict(zip(names, columns, strict=True)))


def _all_within(values: Sequence[Value], least: float, most: float) -> bool:
    known = cast("Sequence[float]", values)
    return not known or (min(known) >= least and max(known) <= most)


def _within(rows: list[Row], place: int, least: float, most: float) -> list[Row]:
    """The rows whose field lies in a range; those of a day nearly always all do."""
    values = cast("list[float]", list(map(itemgetter(place), rows)))
    if not rows or (min(values) >= least and max(values) <= most):
        return rows
    return [row for row, value in zip(rows, values, strict=True) if least <= value <= most]


def _negative(value: Value) -> bool:
    return not isinstance(value, str) and value is not None and value < 0


def _best_of_each_hour(rows: Sequence[Row]) -> list[Row]:
    counted = Counter((_hour(row), str(row[_DEVICE])) for row in rows)
    best: dict[int, str] = {}
    for (hour, device), count in sorted(counted.items()):
        if hour not in best or count > counted[hour, best[hour]]:
            best[hour] = device
    return [row for row in rows if row[_DEVICE] == best[_hour(row)]]


def _not_overlapping(rows: Sequence[Row]) -> list[Row]:
    covered_s: Counter[str] = Counter()
    for row in rows:
        covered_s[str(row[_DEVICE])] += cast("int", row[_DURATION])
    kept: list[Row] = []
    for device in sorted(covered_s, key=lambda one: (-covered_s[one], one)):
        taken = sorted(map(_span, kept))
        starts = [start for start, _ in taken]
        longest = max((end - start for start, end in taken), default=0)
        for row in (each for each in rows if each[_DEVICE] == device):
            start, end = _span(row)
            first = bisect_left(starts, start - longest)
            last = bisect_left(starts, end)
            if not any(until > start for _, until in taken[first:last]):
                kept.append(row)
    return kept


def _hour(row: Row) -> int:
    return cast("int", row[_START]) // HOUR_S


def _span(row: Row) -> Span:
    start = cast("int", row[_START])
    return start, start + cast("int", row[_DURATION])
