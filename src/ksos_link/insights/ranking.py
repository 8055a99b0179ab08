"""A wearer's place among people of the same sex and age: of a file, or of a published table."""

import csv
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Final

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.measures import MEASURES

PERCENTILE: Final = "percentile"
_SEXES: Final = ("female", "male")
_OLDEST: Final = 130
_FEWEST: Final = 5
_NOBODY: Final = "nobody said the wearer's sex and age"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a cohort: figures by the names of `MEASURES`; absent is not there."""

    sex: str
    age_years: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Norm:
    """A published table: values at percentiles, by sex and by the first and last year of age."""

    measure: str
    title: str
    source: str
    percentiles: tuple[float, ...]
    values: Mapping[tuple[str, int, int], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A place among others. `rank` 1 has the highest value; `of` counts the wearer too."""

    percentile: Figure
    rank: int | None
    of: int


def read_cohort(lines: Iterable[str]) -> list[Person]:
    """Read people from CSV: columns `sex`, `age_years`, and any measures; an empty cell is absent.

    Other columns are passed over, so that a file may name its people without it being kept.

    Raises:
        ValueError: a column is missing, or a cell is not what it should be.
    """
    reader = csv.DictReader(lines, strict=True)
    try:
        names = reader.fieldnames or ()
        if not {"sex", "age_years"} <= set(names):
            raise ValueError("the first line must name the columns sex and age_years")
        measures = [name for name in names if name in MEASURES]
        return [_person(row, measures, reader.line_num) for row in reader]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is no CSV: {error}") from error


def standing(
    measure: str, value: Figure, sex: str | None, age_years: int | None, cohort: Iterable[Person]
) -> Standing:
    """The wearer's place among people of a file, of the same sex and the same ten years of age.

    The percentile is the part of them below, and half of those who are level. Five people at least.
    Source: percentile rank by mid-ranks, Hazen, "Storage to be provided in impounding reservoirs",
    Trans ASCE 77, 1914.
    """
    if sex is None or age_years is None:
        return Standing(absent(PERCENTILE, _NOBODY), None, 0)
    if value.value is None:
        return Standing(absent(PERCENTILE, str(value.reason)), None, 0)
    others = sorted(
        person.values[measure]
        for person in cohort
        if person.sex == sex
        and person.age_years // 10 == age_years // 10
        and measure in person.values
    )
    if len(others) < _FEWEST:
        reason = f"the file has fewer than {_FEWEST} people of the same sex and age with a value"
        return Standing(absent(PERCENTILE, reason, len(others)), None, len(others) + 1)
    below = bisect_left(others, value.value)
    level = others.count(value.value)
    first = age_years // 10 * 10
    method = f"among {len(others)} of the file, {sex}, {first} to {first + 9} years"
    percentile = 100 * (below + level / 2) / len(others)
    above = len(others) - below - level
    return Standing(
        Figure(percentile, PERCENTILE, len(others), method=method), above + 1, len(others) + 1
    )


@cache
def norms() -> Mapping[str, Norm]:
    """The published tables that come with the program, by measure (see `norms.toml`)."""
    text = (files("ksos_link.insights") / "norms.toml").read_text("utf-8")
    found = {}
    for table in tomllib.loads(text)["norm"]:
        values = {
            (sex, *_ages(ages)): tuple(row) for sex in _SEXES for ages, row in table[sex].items()
        }
        found[table["measure"]] = Norm(
            table["measure"], table["title"], table["source"], tuple(table["percentiles"]), values
        )
    return found


def norm_percentile(norm: Norm, value: Figure, sex: str | None, age_years: int | None) -> Figure:
    """The percentile of a published table, between its own in proportion; outside it is absent."""
    if sex is None or age_years is None:
        return absent(PERCENTILE, _NOBODY)
    if value.value is None:
        return absent(PERCENTILE, str(value.reason))
    row = next(
        (
            row
            for (of_sex, first, last), row in norm.values.items()
            if of_sex == sex and first <= age_years <= last
        ),
        None,
    )
    if row is None:
        return absent(PERCENTILE, "the table has nobody of this age", value.readings)
    return _between(norm, row, value)


def _ages(text: str) -> tuple[int, int]:
    first, last = text.split("-")
    return int(first), int(last)


def _between(norm: Norm, row: Sequence[float], value: Figure) -> Figure:
    reached = value.value or 0.0
    if reached < row[0]:
        reason = f"under the lowest of the table, percentile {norm.percentiles[0]:g}"
        return absent(PERCENTILE, reason, value.readings)
    if reached > row[-1]:
        reason = f"over the highest of the table, percentile {norm.percentiles[-1]:g}"
        return absent(PERCENTILE, reason, value.readings)
    after = max(1, bisect_left(row, reached))
    low, high = row[after - 1], row[after]
    first, last = norm.percentiles[after - 1], norm.percentiles[after]
    percentile = first + (last - first) * (reached - low) / (high - low)
    return Figure(percentile, PERCENTILE, value.readings, method=norm.source)


def _person(row: Mapping[str, str | None], measures: Sequence[str], line: int) -> Person:
    sex = (row["sex"] or "").strip().lower()
    if sex not in _SEXES:
        raise ValueError(f"line {line}: sex must be female or male")
    age = _number(row["age_years"], "age_years", line)
    if age is None or not 0 <= age <= _OLDEST:
        raise ValueError(f"line {line}: age_years must be a number of years")
    cells = {name: _number(row[name], name, line) for name in measures}
    return Person(sex, int(age), {name: cell for name, cell in cells.items() if cell is not None})


def _number(cell: str | None, name: str, line: int) -> float | None:
    if not cell or not cell.strip():
        return None
    try:
        number = float(cell)
    except ValueError as error:
        raise ValueError(f"line {line}: {name} is not a number") from error
    if not isfinite(number):
        raise ValueError(f"line {line}: {name} is not a number")
    return number
