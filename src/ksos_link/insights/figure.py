"""A number worked out of readings, or the reason why there is none."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its unit, and how many readings it was worked out of.

    Either `value` is there, or `reason` says in plain words why it is not. `method` names the
    formula, and what stood in for a measurement (`maximum by age, Tanaka 2001`).
    """

    value: float | None
    unit: str
    readings: int = 0
    reason: str | None = None
    method: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a figure has either a value or the reason why there is none")

    def named(self, method: str) -> "Figure":
        """The same figure, with the name of its formula; what it had comes after it."""
        return replace(self, method="; ".join(filter(None, (method, self.method))))


def absent(unit: str, reason: str, readings: int = 0) -> Figure:
    """A figure that the readings do not carry."""
    return Figure(None, unit, readings, reason)


def first_reason(*needed: Figure) -> str | None:
    """Why a figure that needs all of these cannot be worked out; None where it can."""
    return next((figure.reason for figure in needed if figure.reason is not None), None)


def total(figures: Iterable[Figure], unit: str, reason: str) -> Figure:
    """The sum of those that have a value; absent with `reason` where none has."""
    known = [figure for figure in figures if figure.value is not None]
    if not known:
        return absent(unit, reason)
    value = sum(figure.value or 0 for figure in known)
    return Figure(value, unit, sum(figure.readings for figure in known))
