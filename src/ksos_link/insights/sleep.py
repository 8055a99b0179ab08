"""Sleep: its parts, how regular it is, and what is missing of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Final

from firmware_protocol.samples import SleepStage
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.heart import Span

MINUTE: Final = "min"
DAY_MIN: Final = 1440
ADULT_NEED_MIN: Final = (
    420  # 7 h: Watson et al., "Recommended amount of sleep for a healthy adult: a
)
# joint consensus statement of the AASM and SRS", Sleep 38(6), 2015
_SAME_SLEEP_S: Final = 3600
_REGULARITY_DAYS: Final = 5
_WHOLE_DAY_MIN: Final = 16 * 60
_NOTHING: Final = "no sleep was recorded"


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep: from falling asleep to waking, with seconds in each stage.

    `readings` counts the stages. What lies between stages and is told by none is in no stage.
    """

    start_utc_s: int
    end_utc_s: int
    stage_s: Mapping[int, int]
    readings: int
    asleep: tuple[Span, ...]

    @property
    def asleep_s(self) -> int:
        """Seconds in a stage other than awake."""
        return sum(end - start for start, end in self.asleep)

    def in_stage(self, stage: SleepStage) -> Figure:
        """Minutes in a stage."""
        return Figure(self.stage_s.get(stage, 0) / 60, MINUTE, self.readings)

    def asleep_figure(self) -> Figure:
        """Minutes asleep."""
        return Figure(self.asleep_s / 60, MINUTE, self.readings)

    def efficiency(self) -> Figure:
        """What part of the time from falling asleep to waking was slept, in percent.

        A watch does not know when somebody went to bed, so this is sleep time by sleep period, and
        higher than sleep by time in bed. Source: Reed, Sacco, "Measuring sleep efficiency: what
        should the denominator be?", J Clin Sleep Med 12(2), 2016.
        """
        value = 100 * self.asleep_s / (self.end_utc_s - self.start_utc_s)
        return Figure(value, "%", self.readings, method="sleep time by sleep period, Reed 2016")


def sleeps_of(
    start_utc_s: Sequence[int], duration_s: Sequence[int], stage: Sequence[int]
) -> list[Sleep]:
    """Join stages to sleeps: those less than an hour apart are one.

    Stages come in order of time. One that begins before the last one ended counts from there on;
    one of no length, or whose stage nobody knows, does not count.
    """
    known = frozenset(SleepStage)
    groups: list[list[tuple[int, int, int]]] = []
    last_end = 0
    for start, length, kind in zip(start_utc_s, duration_s, stage, strict=True):
        begin, end = max(start, last_end) if groups else start, start + length
        if end <= begin or kind not in known:
            continue
        if not groups or begin - last_end >= _SAME_SLEEP_S:
            groups.append([])
        groups[-1].append((begin, end, kind))
        last_end = end
    return [_sleep(stages) for stages in map(_trimmed, groups) if stages]


def midpoint_min(onset_min: float, wake_min: float) -> float:
    """The middle between falling asleep and waking, in local minutes as they are given.

    Source: Roenneberg, Wirz-Justice, Merrow, "Life between clocks", J Biol Rhythms 18(1), 2003.
    """
    return (onset_min + wake_min) / 2


def mean_time_of_day(minutes: Sequence[float]) -> Figure:
    """The mean of times of day, in minutes from midnight: of directions on the clock's face.

    Source: Mardia, "Statistics of directional data", J R Stat Soc B 37(3), 1975. Absent where they
    lie all round the clock.
    """
    if not minutes:
        return absent(MINUTE, _NOTHING)
    angles = [2 * pi * one / DAY_MIN for one in minutes]
    east, north = sum(map(sin, angles)), sum(map(cos, angles))
    if hypot(east, north) < 1e-9 * len(minutes):
        return absent(MINUTE, "the times lie all round the clock", len(minutes))
    return Figure(atan2(east, north) / (2 * pi) * DAY_MIN % DAY_MIN, MINUTE, len(minutes))


def regularity_index(asleep_local_s: Iterable[Span], known_local_s: Iterable[Span]) -> Figure:
    """How alike days are: 100 where one sleeps and wakes at the same times, 0 by chance.

    -100 + 200 x the part of minutes that are asleep or awake as 24 hours later. Spans are in
    seconds of local time. Minutes of which nobody knows do not count, nor do days of which fewer
    than 16 hours are known: nights alone would be alike for want of days. Five days are needed.
    Source: Phillips et al., "Irregular sleep/wake patterns are associated with poorer academic
    performance and delayed circadian and sleep/wake timing", Sci Rep 7, 2017; the 16 hours are
    those of Migueles et al., "GGIR", J Meas Phys Behav 2(3), 2019.
    """
    slept, known = list(asleep_local_s), list(known_local_s)
    origin = min((start for start, _ in (*slept, *known)), default=0) // 60 // DAY_MIN * DAY_MIN
    asleep = _minutes(slept, origin)
    known_bits, days = _whole_days(_minutes(known, origin) | asleep)
    both = known_bits & (known_bits >> DAY_MIN)
    pairs = both.bit_count()
    if days < _REGULARITY_DAYS or pairs < (_REGULARITY_DAYS - 1) * _WHOLE_DAY_MIN:
        reason = f"fewer than {_REGULARITY_DAYS} days in a row are known well enough"
        return absent("SRI", reason, len(slept))
    other = (asleep ^ (asleep >> DAY_MIN)) & both
    value = 100 - 200 * other.bit_count() / pairs
    return Figure(value, "SRI", len(slept), method="Phillips 2017")


def sleep_debt(asleep_min: Sequence[Figure], need_min: float) -> Figure:
    """What is missing of the sleep one needs, added up night by night, in minutes.

    A night over the need pays back, down to nothing; nobody sleeps ahead. Nights that were not
    recorded are left out. Source: the project's own rule; that a lack adds up is in Van Dongen et
    al., "The cumulative cost of additional wakefulness", Sleep 26(2), 2003.
    """
    nights = [night.value for night in asleep_min if night.value is not None]
    if not nights:
        return absent(MINUTE, _NOTHING)
    debt = 0.0
    for slept in nights:
        debt = max(0.0, debt + need_min - slept)
    left_out = len(asleep_min) - len(nights)
    method = f"need of {need_min:g} min a night"
    if left_out:
        method += f"; nights not recorded: {left_out}"
    return Figure(debt, MINUTE, len(nights), method=method)


def _trimmed(stages: Sequence[tuple[int, int, int]]) -> Sequence[tuple[int, int, int]]:
    """Without the time awake before falling asleep and after waking."""
    asleep = [place for place, (*_, kind) in enumerate(stages) if kind != SleepStage.AWAKE]
    return stages[asleep[0] : asleep[-1] + 1] if asleep else ()


def _sleep(stages: Sequence[tuple[int, int, int]]) -> Sleep:
    seconds: Counter[int] = Counter()
    asleep: list[Span] = []
    for start, end, kind in stages:
        seconds[kind] += end - start
        if kind == SleepStage.AWAKE:
            continue
        if asleep and asleep[-1][1] == start:
            asleep[-1] = (asleep[-1][0], end)
        else:
            asleep.append((start, end))
    return Sleep(stages[0][0], stages[-1][1], dict(seconds), len(stages), tuple(asleep))


def _minutes(spans: Iterable[Span], origin: int) -> int:
    """A bit for each whole minute that a span covers at its beginning."""
    bits = 0
    for start, end in spans:
        first, last = -(-start // 60) - origin, -(-end // 60) - origin
        bits |= ((1 << max(0, last - first)) - 1) << first
    return bits


def _whole_days(known: int) -> tuple[int, int]:
    """The minutes of those days of which enough is known, and how many days these are."""
    day = (1 << DAY_MIN) - 1
    kept = days = 0
    for first in range(0, known.bit_length(), DAY_MIN):
        minutes = (known >> first) & day
        if minutes.bit_count() >= _WHOLE_DAY_MIN:
            kept |= minutes << first
            days += 1
    return kept, days
