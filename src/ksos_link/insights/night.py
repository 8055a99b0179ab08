"""The night before a day: the longest sleep that ended on it, and the naps beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from firmware_protocol.samples import SleepStage
from ksos_link.insights.about import DAY_S, About, LocalDay, Reader
from ksos_link.insights.columns import Columns, gather
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.heart import resting_heart_rate
from ksos_link.insights.sleep import MINUTE, Sleep, midpoint_min, sleeps_of

_NIGHT_S: Final = 3 * 3600  # what is shorter is a nap
_HOLD_S: Final = 600
_STAGES: Final = {
    "awake_min": SleepStage.AWAKE,
    "light_min": SleepStage.LIGHT,
    "deep_min": SleepStage.DEEP,
    "rem_min": SleepStage.REM,
}
_OF_A_NIGHT: Final = (
    *("asleep_min", *_STAGES),
    *("onset_local_min", "wake_local_min", "midpoint_local_min"),
)
_OWN: Final = "the watch's own sum"
# what was read asleep: metric, column, and the figures of its mean and its least
_ASLEEP: Final = (
    ("heart_rate", "bpm", "bpm", "night_bpm_mean", "night_bpm_least"),
    ("spo2", "spo2_pct", "%", "night_spo2_mean_pct", "night_spo2_least_pct"),
    ("temperature", "temperature_c", "°C", "night_temperature_c", None),
)


@dataclass(frozen=True, slots=True)
class NightSummary:
    """A night by its figures, named as in `MEASURES`.

    `sleep` is None where no stages were recorded; `resting_bpm` is the lowest heart rate that it
    sustained.
    """

    day: LocalDay
    sleep: Sleep | None
    naps: tuple[Sleep, ...]
    figures: Mapping[str, Figure]
    resting_bpm: Figure


def night_summary(day: LocalDay, read: Reader, about: About, *, worn: bool) -> NightSummary:
    """Sum up the sleep that ended on a day; a night belongs to the day on which one wakes."""
    sleeps = _sleeps(day, read)
    nights = [one for one in sleeps if one.asleep_s >= _NIGHT_S]
    night = max(nights, key=lambda one: one.asleep_s, default=None)
    naps = tuple(one for one in sleeps if one is not night)
    sums = gather(read, "sleep_summary", day.start_utc_s - DAY_S, day.end_utc_s)
    figures: dict[str, Figure] = {}
    if night is not None:
        figures |= _parts(night) | _times(
            night.start_utc_s, night.end_utc_s, night.readings, day, about
        )
        measured, beats = _read_asleep(night, read, day, about)
        figures |= measured
        resting = resting_heart_rate(beats.start_utc_s, beats.integers("bpm"), night.asleep)
    else:
        figures |= _watch_sums(sums, day, about)
        resting = absent("bpm", "no stages of sleep were recorded")
    figures["nap_min"] = Figure(
        sum(nap.asleep_s for nap in naps) / 60, MINUTE, sum(nap.readings for nap in naps)
    )
    if naps and not figures.get("asleep_min"):
        reason = absent(MINUTE, "no sleep of three hours or more was recorded", len(naps))
        figures |= dict.fromkeys(_OF_A_NIGHT, reason) | {
            "efficiency_pct": replace(reason, unit="%")
        }
    if not sleeps:
        figures["nap_min"] = day.no_readings(MINUTE, "sleep", about, worn=worn)
    figures["sleep_score"] = _score(sums, day, about, worn=worn)
    return NightSummary(day, night, naps, figures, resting)


def _sleeps(day: LocalDay, read: Reader) -> list[Sleep]:
    stages = gather(read, "sleep", day.start_utc_s - DAY_S, day.end_utc_s + DAY_S // 2)
    sleeps = sleeps_of(stages.start_utc_s, stages.integers("duration_s"), stages.integers("stage"))
    return [one for one in sleeps if day.start_utc_s < one.end_utc_s <= day.end_utc_s]


def _parts(night: Sleep) -> dict[str, Figure]:
    figures = {name: night.in_stage(stage) for name, stage in _STAGES.items()}
    if SleepStage.REM not in night.stage_s:
        # many watches know no REM sleep: none told is not none slept
        figures["rem_min"] = absent(MINUTE, "the watch told no REM sleep", night.readings)
    return figures | {"asleep_min": night.asleep_figure(), "efficiency_pct": night.efficiency()}


def _times(
    start_utc_s: int, end_utc_s: int, readings: int, day: LocalDay, about: About
) -> dict[str, Figure]:
    onset, wake = day.minute_of(start_utc_s, about), day.minute_of(end_utc_s, about)
    values = {
        "onset_local_min": onset,
        "wake_local_min": wake,
        "midpoint_local_min": midpoint_min(onset, wake),
    }
    return {name: Figure(value, MINUTE, readings) for name, value in values.items()}


def _read_asleep(
    night: Sleep, read: Reader, day: LocalDay, about: About
) -> tuple[dict[str, Figure], Columns]:
    """What was measured between falling asleep and waking; and the heart rate by itself."""
    figures: dict[str, Figure] = {}
    read_in = {
        metric: gather(read, metric, night.start_utc_s, night.end_utc_s) for metric, *_ in _ASLEEP
    }
    for metric, column, unit, mean, least in _ASLEEP:
        levels = read_in[metric].levels(column, _HOLD_S)
        missing = day.no_readings(unit, metric, about, worn=True)
        figures[mean] = levels.mean(unit) if levels.counts else missing
        if least is not None:
            figures[least] = levels.least(unit) if levels.counts else missing
    return figures, read_in["heart_rate"]


def _watch_sums(sums: Columns, day: LocalDay, about: About) -> dict[str, Figure]:
    """The night as the watch sums it up, where it tells no stages."""
    spans = sums.spans()
    places = [
        place
        for place, (start, end) in enumerate(spans)
        if day.start_utc_s < end <= day.end_utc_s and end - start >= _NIGHT_S
    ]
    if not places:
        return {}
    place = max(places, key=lambda one: spans[one][1] - spans[one][0])
    figures = _times(*spans[place], 1, day, about)
    slept: list[float] = []
    for name in _STAGES:
        value = sums.columns[name][place]
        if isinstance(value, int):
            figures[name] = Figure(value, MINUTE, 1, method=_OWN)
            slept += [value] if name != "awake_min" else []
    return figures | {"asleep_min": Figure(sum(slept), MINUTE, 1, method=_OWN)}


def _score(sums: Columns, day: LocalDay, about: About, *, worn: bool) -> Figure:
    scores: Sequence[float] = [
        value
        for value, (_, end) in zip(sums.columns["sleep_score"], sums.spans(), strict=True)
        if isinstance(value, int) and day.start_utc_s < end <= day.end_utc_s
    ]
    if not scores:
        return day.no_readings("index", "sleep_summary", about, worn=worn)
    return Figure(scores[-1], "index", len(scores), method="the watch's own")
