"""Sums of whole local days: steps, energy, the highest heart rate.

The first and the last day of each series are left out: nobody can tell that they are whole.
"""

from collections.abc import Callable, Iterator
from itertools import chain, groupby
from typing import Any, Final

from firmware_protocol.samples import METRICS
from ksos_link.export.clinical_codes import DAY_ENERGY, DAY_MOST_BPM, DAY_STEPS, Category, Coded
from ksos_link.export.instants import day_bounds, local_day
from ksos_link.export.readings import readings
from ksos_link.export.source import Row, Source

_FIGURES: Final[tuple[tuple[str, str, Coded, Category, Callable[[list[Any]], Any]], ...]] = (
    ("steps", "steps", DAY_STEPS, "activity", sum),
    ("activity", "energy_kcal", DAY_ENERGY, "activity", sum),
    ("heart_rate", "bpm", DAY_MOST_BPM, "vital-signs", max),
)


def day_figures(source: Source) -> Iterator[tuple[Coded, Category, Row]]:
    """Each figure with its row: device, first and last UTC second, value, quality.

    A day that misses the value of one interval has no sum.
    """
    for metric, column, code, category, figure in _FIGURES:
        place = METRICS[metric].row_names.index(column)
        rows = chain.from_iterable(readings(source, metric))
        for alias, own in groupby(rows, key=lambda row: str(row[0])):
            for day, values, quality in _whole_days(source, alias, own, place):
                if None not in values:
                    bounds = day_bounds(source, alias, day)
                    yield code, category, (alias, *bounds, figure(values), quality)


def _whole_days(
    source: Source, alias: str, rows: Iterator[Row], place: int
) -> Iterator[tuple[int, list[Any], int]]:
    """The days between the first and the last, each with its values and the least sure quality."""
    days = groupby(rows, key=lambda row: local_day(source, alias, int(row[1] or 0)))
    before: tuple[int, list[Any], int] | None = None
    for number, (day, own) in enumerate(days):
        if before is not None:
            yield before
        listed = list(own)
        quality = max(int(row[-1] or 0) for row in listed)
        before = None if number == 0 else (day, [row[place] for row in listed], quality)
