"""Medals: rules as data, awarded once, and the same each time they are worked out again."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from ksos_link.insights.figure import Figure
from ksos_link.insights.measures import MEASURES

MedalKind = Literal["day", "total", "days", "streak"]
Day = tuple[date, Mapping[str, Figure]]  # the figures of a day, as `DaySummary.figures`
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Medal:
    """A rule (see `medals.toml`). `days` is 1 where the kind counts no days."""

    medal_id: str
    title: str
    group: str
    kind: MedalKind
    measure: str
    at_least: float
    days: int = 1


@dataclass(frozen=True, slots=True)
class Award:
    """A medal that was earned: on which day, and by what.

    `value` is the day's figure, the total, or the number of days, by the kind of the medal.
    """

    medal: Medal
    on: date
    value: float


@cache
def medals() -> tuple[Medal, ...]:
    """The medals that there are."""
    return read_medals((files("ksos_link.insights") / "medals.toml").read_text("utf-8"))


def read_medals(text: str) -> tuple[Medal, ...]:
    """Read rules in the form of `medals.toml`.

    Raises:
        ValueError: it is no TOML, or a rule is not one.
    """
    rules = tomllib.loads(text).get("medal", [])
    found = tuple(map(_medal, rules))
    if len({medal.medal_id for medal in found}) < len(found):
        raise ValueError("two medals have the same id")
    return found


def awards(days: Iterable[Day], rules: Iterable[Medal]) -> tuple[Award, ...]:
    """The medals that days have earned, in the order in which they were.

    The same days give the same awards, whatever their order; a day that is there twice is an error
    of the caller. A figure that is absent reaches nothing.
    """
    counts = [_Count(medal) for medal in rules]
    found: list[Award] = []
    for day, figures in sorted(days, key=lambda one: one[0]):
        earned = (count.take(day, figures[count.medal.measure].value) for count in counts)
        found += [award for award in earned if award is not None]
    return tuple(found)


@dataclass(slots=True)
class _Count:
    """How far a medal is."""

    medal: Medal
    total: float = 0.0
    days: int = 0
    last: date | None = None
    earned: bool = False

    def take(self, day: date, value: float | None) -> Award | None:
        """Count a day; the award on the day on which it is earned."""
        if self.earned or value is None:
            return None
        if self.medal.kind == "total":
            self.total += value
            return self._award(day, self.total, reached=self.total >= self.medal.at_least)
        if value < self.medal.at_least:
            return None
        if self.medal.kind == "streak" and self.last != day - _DAY:
            self.days = 0
        self.days, self.last = self.days + 1, day
        shown = value if self.medal.kind == "day" else self.days
        return self._award(day, shown, reached=self.days >= self.medal.days)

    def _award(self, day: date, value: float, *, reached: bool) -> Award | None:
        self.earned = reached
        return Award(self.medal, day, value) if reached else None


def _medal(rule: Any) -> Medal:  # whatever a TOML file holds
    try:
        medal = Medal(
            str(rule["id"]),
            str(rule["title"]),
            str(rule["group"]),
            rule["kind"],
            str(rule["measure"]),
            float(rule["at_least"]),
            int(rule.get("days", 1)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a medal lacks a field or has a wrong one: {error}") from error
    if medal.kind not in get_args(MedalKind):
        raise ValueError(f"{medal.medal_id}: there is no kind {medal.kind}")
    if medal.measure not in MEASURES:
        raise ValueError(f"{medal.medal_id}: there is no measure {medal.measure}")
    if medal.kind == "total" and not MEASURES[medal.measure].adds:
        raise ValueError(f"{medal.medal_id}: days of {medal.measure} do not add up")
    if medal.days < 1 or (medal.days > 1) != (medal.kind in ("days", "streak")):
        raise ValueError(f"{medal.medal_id}: days belong to streaks and counts of days")
    return medal
