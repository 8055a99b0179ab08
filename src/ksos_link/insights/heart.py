"""Heart rate: the resting rate, the maximum, zones of effort and the time in them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Final

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.levels import Levels

BPM: Final = "bpm"
ZONE_NAMES: Final = ("very light", "light", "moderate", "hard", "maximum")
_ZONE_BEGINNINGS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
_SUSTAINED_S: Final = 1800
_SPANNED_S: Final = 1200  # readings at both ends of the half hour, not a handful in a minute
_READINGS: Final = 3
_NOBODY: Final = "nobody said when the wearer was born"
Span = tuple[int, int]  # UTC seconds, the end exclusive


def age_years(birth: date, on: date) -> int:
    """Full years of life on a day; a leap day's birthday is the first of March in other years."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def maximum_heart_rate(age: int | None) -> Figure:
    """The highest heart rate to expect: 208 - 0.7 x age, in beats per minute.

    Source: Tanaka, Monahan, Seals, "Age-predicted maximal heart rate revisited", J Am Coll Cardiol
    37(1), 2001. Its standard deviation is about 10 beats: a measured maximum is better.
    """
    if age is None:
        return absent(BPM, _NOBODY)
    return Figure(208 - 0.7 * age, BPM, method="maximum by age, Tanaka 2001")


def resting_heart_rate(utc_s: Sequence[int], bpm: Sequence[int], asleep: Sequence[Span]) -> Figure:
    """The lowest heart rate that a night sustained: the lowest mean of half an hour of sleep.

    `utc_s` rises. The half hour needs three readings that span twenty minutes. Source: the
    project's own rule; a single lowest reading is often a mistake of the sensor.
    """
    sums = [0, *accumulate(bpm)]
    used, best = 0, None
    for start, end in asleep:
        first, last = bisect_left(utc_s, start), bisect_left(utc_s, end)
        used += last - first
        for place in range(first, last):
            at = utc_s[place]
            while at - utc_s[first] > _SUSTAINED_S:
                first += 1
            count = place + 1 - first
            if count >= _READINGS and at - utc_s[first] >= _SPANNED_S:
                mean = (sums[place + 1] - sums[first]) / count
                best = mean if best is None or mean < best else best
    if best is None:
        return absent(BPM, "no half hour of sleep has readings enough of the heart rate", used)
    return Figure(best, BPM, used, method="lowest mean of half an hour of sleep")


def chosen_resting(of_watch: Sequence[int], of_night: Figure) -> Figure:
    """The resting heart rate: the watch's own where it gives one, else the night's."""
    if of_watch:
        return Figure(of_watch[-1], BPM, len(of_watch), method="the watch's own")
    return of_night


@dataclass(frozen=True, slots=True)
class Zones:
    """Five zones of effort: where each begins, and where the last ends, in beats per minute."""

    bounds_bpm: tuple[float, ...]
    method: str

    def minutes(self, levels: Levels) -> tuple[Figure, ...]:
        """For how long the heart rate was in each zone; what lies above the maximum is in the last.

        Each figure counts all readings, not only those in its zone: a zone of no minute was looked
        for.
        """
        ends = (*self.bounds_bpm[1:-1], float("inf"))
        return tuple(
            Figure(
                levels.seconds_within(low, high) / 60, "min", levels.readings, method=self.method
            )
            for low, high in zip(self.bounds_bpm, ends, strict=False)
        )


def zones(maximum: Figure, resting: Figure) -> Zones | None:
    """Five zones from 50 to 100 % in steps of ten; None where no maximum is known.

    Of the heart rate reserve where a resting rate is known: rest + part x (maximum - rest).
    Source: Karvonen, Kentala, Mustala, "The effects of training on heart rate", Ann Med Exp Biol
    Fenn 35, 1957. Else of the maximum alone: Edwards, "The Heart Rate Monitor Book", 1993.
    """
    if maximum.value is None:
        return None
    base, name = 0.0, "of the maximum, Edwards 1993"
    if resting.value is not None and resting.value < maximum.value:
        base, name = resting.value, "of the reserve, Karvonen 1957"
    reach = maximum.value - base
    bounds = tuple(base + part * reach for part in (*_ZONE_BEGINNINGS, 1.0))
    return Zones(bounds, "; ".join(filter(None, (f"zones {name}", maximum.method, resting.method))))


def zone_minutes(levels: Levels, maximum: Figure, resting: Figure) -> dict[str, Figure]:
    """The minutes in each zone as `zone_1_min` to `zone_5_min` (see `zones`)."""
    names = [f"zone_{place}_min" for place, _ in enumerate(ZONE_NAMES, 1)]
    found = zones(maximum, resting)
    if found is None or not levels.counts:
        reason = maximum.reason or "there is no reading of the heart rate"
        return dict.fromkeys(names, absent("min", reason, levels.readings))
    return dict(zip(names, found.minutes(levels), strict=True))
