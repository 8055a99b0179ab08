"""How values, times and dates of a report are written: in the wearer's units, never guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from firmware_protocol.settings import Units
from ksos_link.insights.calendar import Kind, Period
from ksos_link.insights.figure import Figure
from ksos_link.insights.medals import Award
from ksos_link.operations.report.model import Line

_HOUR_MIN: Final = 60
_DAY_MIN: Final = 1440
_MILE_M: Final = 1609.344
_POUND_KG: Final = 0.45359237
_KJ: Final = 4.184
_DECIMALS: Final[Mapping[str, int]] = {"°C": 1, "kg": 1, "mL/kg/min": 1, "SRI": 0}
_SAID_BY_TITLE: Final = frozenset({"steps", "workouts"})
NBSP: Final = "\N{NO-BREAK SPACE}"  # a number and its unit stay together
SAME: Final = "same"
MINUS: Final = "\N{MINUS SIGN}"
BEFORE: Final = {
    Kind.DAY: "day before",
    Kind.WEEK: "week before",
    Kind.MONTH: "month before",
    Kind.YEAR: "year before",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Writes in the units that the wearer chose for the watch; metric where nobody chose."""

    units: Units

    def value(self, value: float, unit: str) -> str:
        """A value with its unit; minutes of an hour or more as hours."""
        write: Callable[[float], str] | None = {
            "min": _duration,
            "m": self._distance,
            "kcal": self._energy,
            "°C": self._temperature,
            "kg": self._weight,
            "s/km": self._pace,
        }.get(unit)
        if write is not None:
            return write(value)
        number = _number(value, _DECIMALS.get(unit, 0))
        if unit == "index" or unit in _SAID_BY_TITLE:
            return number
        return f"{number}{NBSP}{unit}"

    def axis(self, value: float, unit: str) -> str:
        """A number of an axis, short; its unit where it is not the title's."""
        if unit == "min":
            hours, minutes = divmod(round(value), _HOUR_MIN)
            whole = f"{hours}{NBSP}h" if value and not minutes else f"{minutes}{NBSP}min"
            return whole if not (hours and minutes) else f"{hours}:{minutes:02d}{NBSP}h"
        if unit == "steps":
            return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
        text = self.value(value, unit)
        return text.partition(NBSP)[0] if unit != "%" else text

    def figure(self, figure: Figure, *, clock: bool = False) -> str:
        """The value of a figure; an en dash where there is none."""
        if figure.value is None:
            return "–"
        return self.clock(figure.value) if clock else self.value(figure.value, figure.unit)

    def change(self, line: Line) -> str:
        """How a line differs from the period before; empty where nothing can be compared.

        In percent where days add up to something but time, else in its own unit.
        """
        if line.change is None or line.change.difference.value is None:
            return ""
        percent, difference = line.change.percent.value, line.change.difference.value
        if line.adds and percent is not None and line.figure.unit != "min":
            return _signed(percent, _number(abs(percent), 0) + f"{NBSP}%")
        return _signed(difference, self._step(abs(difference), line.figure.unit))

    def _step(self, step: float, unit: str) -> str:
        if unit == "°C" and self.units.temperature == "fahrenheit":
            return f"{_number(step * 1.8, 1)}{NBSP}°F"
        return f"{_number(step, 0)}{NBSP}points" if unit == "%" else self.value(step, unit)

    def clock(self, minutes: float) -> str:
        """Minutes of local time, of whichever day, as the clock shows them."""
        whole = round(minutes) % _DAY_MIN
        return self.time(time(whole // _HOUR_MIN, whole % _HOUR_MIN))

    def time(self, at: time | datetime) -> str:
        """A time of day, in 24 or 12 hours."""
        if self.units.clock == "12_h":
            return f"{at.hour % 12 or 12}:{at.minute:02d}{NBSP}{'am' if at.hour < 12 else 'pm'}"
        return f"{at.hour:02d}:{at.minute:02d}"

    def _distance(self, metres: float) -> str:
        if self.units.distance == "mile":
            return f"{_number(metres / _MILE_M, 2)}{NBSP}mi"
        return (
            f"{_number(metres / 1000, 2)}{NBSP}km"
            if metres >= 1000
            else f"{_number(metres, 0)}{NBSP}m"
        )

    def _energy(self, kcal: float) -> str:
        if self.units.energy == "kj":
            return f"{_number(kcal * _KJ, 0)}{NBSP}kJ"
        return f"{_number(kcal, 0)}{NBSP}{'Cal' if self.units.energy == 'cal' else 'kcal'}"

    def _temperature(self, celsius: float) -> str:
        if self.units.temperature == "fahrenheit":
            return f"{_number(celsius * 1.8 + 32, 1)}{NBSP}°F"
        return f"{_number(celsius, 1)}{NBSP}°C"

    def _weight(self, kg: float) -> str:
        if self.units.weight == "lb":
            return f"{_number(kg / _POUND_KG, 1)}{NBSP}lb"
        return f"{_number(kg, 1)}{NBSP}kg"

    def _pace(self, s_per_km: float) -> str:
        is_mile = self.units.walk_and_run == "mile"
        whole = round(s_per_km * (_MILE_M / 1000 if is_mile else 1))
        return f"{whole // 60}:{whole % 60:02d}{NBSP}/{'mi' if is_mile else 'km'}"


def day_text(day: date, *, weekday: bool = True) -> str:
    """A date that no country reads otherwise: `Sat 28 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}" if weekday else f"{day.day} {day:%b %Y}"


def period_title(period: Period) -> str:
    """What a report is of, in words."""
    if period.kind is Kind.DAY:
        return f"{period.first:%A} {period.first.day} {period.first:%B %Y}"
    if period.kind is Kind.WEEK:
        return f"Week from {day_text(period.first)} to {day_text(period.last)}"
    return f"{period.first:%B %Y}" if period.kind is Kind.MONTH else f"{period.first.year}"


def days_text(first: datetime, end: datetime) -> str:
    """Whole days, the end exclusive."""
    last = (end - timedelta(days=1)).date()
    if first.date() == last:
        return day_text(last)
    return f"{day_text(first.date())} to {day_text(last)}"


def award_text(award: Award) -> str:
    """A medal and when it was earned."""
    return f"{award.medal.title} ({day_text(award.on)})"


def counted(count: int, noun: str) -> str:
    """A number with its noun: `1 reading`, `2,880 readings`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _duration(minutes: float) -> str:
    whole = round(minutes)
    if whole < _HOUR_MIN:
        return f"{whole}{NBSP}min"
    return f"{whole // _HOUR_MIN:,}{NBSP}h{NBSP}{whole % _HOUR_MIN:02d}{NBSP}min"


def _number(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")  # what rounds to nothing has no sign
    return text.replace("-", MINUS)


def _signed(value: float, text: str) -> str:
    if not any(letter in "123456789" for letter in text):
        return SAME
    return f"{MINUS if value < 0 else '+'}{text}"
