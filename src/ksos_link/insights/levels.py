"""Readings of a level - heart rate, sound, temperature - and how long each value held."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub

from ksos_link.insights.figure import Figure, absent

NO_READING = "there is no reading"


@dataclass(frozen=True, slots=True)
class Levels:
    """How often each value was read, and for how many seconds it held.

    Two of them add up, so a database may count what it has by value and day, and sums of sums are
    true: `Levels(counts, seconds)`.
    """

    counts: Mapping[float, int] = field(default_factory=dict)
    seconds: Mapping[float, int] = field(default_factory=dict)

    @property
    def readings(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def held_s(self) -> int:
        """How long all of them held."""
        return sum(self.seconds.values())

    def __add__(self, other: "Levels") -> "Levels":
        counts, seconds = Counter(dict(self.counts)), Counter(dict(self.seconds))
        counts.update(other.counts)
        seconds.update(other.seconds)
        return Levels(counts, seconds)

    def mean(self, unit: str) -> Figure:
        """The mean over time: a value counts as long as it held."""
        if not self.counts:
            return absent(unit, NO_READING)
        value = sum(value * held_s for value, held_s in self.seconds.items()) / self.held_s
        # a mean lies among its values, whatever floating point makes of the last digit
        value = min(max(value, min(self.counts)), max(self.counts))
        return Figure(value, unit, self.readings, method="mean over time")

    def least(self, unit: str) -> Figure:
        """The least reading."""
        return self._end(min(self.counts, default=None), unit)

    def most(self, unit: str) -> Figure:
        """The highest reading."""
        return self._end(max(self.counts, default=None), unit)

    def seconds_within(self, low: float, high: float) -> int:
        """For how long the level was at least `low` and under `high`."""
        return sum(held_s for value, held_s in self.seconds.items() if low <= value < high)

    def share_below_pct(self, limit: float) -> Figure:
        """What part of the readings lies under a limit."""
        if not self.counts:
            return absent("%", NO_READING)
        below = sum(count for value, count in self.counts.items() if value < limit)
        return Figure(100 * below / self.readings, "%", self.readings)

    def _end(self, value: float | None, unit: str) -> Figure:
        if value is None:
            return absent(unit, NO_READING)
        return Figure(value, unit, self.readings)


def levels_of(utc_s: Sequence[int], values: Sequence[float], hold_s: int) -> Levels:
    """Count readings in order of time; each holds until the next, for `hold_s` at the longest.

    The last holds as long as one between usually does, so that it counts like the others.
    """
    if not values:
        return Levels()
    seconds: Counter[float] = Counter()
    together = Counter(zip(values, held_seconds(utc_s, hold_s), strict=True))
    for (value, held_s), count in together.items():
        seconds[value] += held_s * count
    return Levels(Counter(values), seconds)


def held_seconds(utc_s: Sequence[int], hold_s: int) -> list[int]:
    """For how long each reading stood: until the next one, for `hold_s` at the longest.

    Of the last nobody knows: it gets the median of the others, and a lone one `hold_s`. At least a
    second each.
    """
    gaps = map(sub, utc_s[1:], utc_s)
    held = [hold_s if gap > hold_s else gap if gap > 1 else 1 for gap in gaps]
    if utc_s:
        held.append(sorted(held)[len(held) // 2] if held else hold_s)
    return held


def summed(levels: Iterable[Levels]) -> Levels:
    """All of them as one."""
    return sum(levels, Levels())
