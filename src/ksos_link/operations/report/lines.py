"""Which measures stand in which section of a report, and what is said of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from firmware_protocol.settings import Goal
from ksos_link.insights.day import DaySummary
from ksos_link.insights.figure import Figure, total
from ksos_link.insights.heart import ZONE_NAMES
from ksos_link.insights.measures import MEASURES, Measure
from ksos_link.insights.period import Change, PeriodSummary, compared
from ksos_link.operations.report.model import Line, Ring

MOVEMENT, HEART, SLEEP = "movement", "heart", "sleep"
OXYGEN, STRESS, TEMPERATURE, SOUND = "oxygen", "stress", "temperature", "sound"
WORKOUTS, BODY = "workouts", "body"
SECTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    MOVEMENT: (
        "Movement",
        (
            *("steps", "distance_m", "active_energy_kcal", "energy_kcal"),
            *("active_min", "moderate_min", "vigorous_min", "active_who_min", "active_who_pct"),
        ),
    ),
    SLEEP: (
        "Sleep",
        (
            *("asleep_min", "deep_min", "light_min", "rem_min", "awake_min", "nap_min"),
            *("onset_local_min", "wake_local_min", "midpoint_local_min", "efficiency_pct"),
            *("sleep_score", "sleep_debt_min", "regularity_sri", "night_bpm_mean"),
            *("night_bpm_least", "night_spo2_mean_pct", "night_spo2_least_pct"),
        ),
    ),
    HEART: (
        "Heart",
        (
            *("resting_bpm", "bpm_mean", "bpm_least", "bpm_most"),
            *(f"zone_{zone}_min" for zone in range(1, 6)),
            *("vo2max_at_rest_ml_kg_min", "rmssd_ms", "sdnn_ms", "pnn50_pct"),
        ),
    ),
    OXYGEN: ("Oxygen saturation", ("spo2_mean_pct", "spo2_least_pct", "spo2_low_pct")),
    STRESS: (
        "Stress",
        (
            *("stress_mean_score", "stress_most_score"),
            *("stress_0_pct", "stress_25_pct", "stress_50_pct", "stress_75_pct"),
        ),
    ),
    TEMPERATURE: (
        "Temperature",
        ("temperature_mean_c", "night_temperature_c", "night_temperature_change_c"),
    ),
    SOUND: (
        "Sound",
        ("noise_level_db", "noise_most_db", "noise_dose_pct", "noise_dose_who_pct"),
    ),
    WORKOUTS: (
        "Workouts",
        (
            *("workouts", "workout_min", "workout_distance_m", "workout_energy_kcal"),
            *("load_trimp", "met_min", "longest_run_m", "longest_ride_m", "longest_swim_m"),
            "vo2max_ml_kg_min",
        ),
    ),
    BODY: ("Body", ("weight_kg",)),
}
# figures of a whole period that no single day has
_OF_PERIOD: Final = {
    "active_who_min": "activity as the WHO counts it",
    "active_who_pct": "of what the WHO advises",
    "noise_dose_who_pct": "of a week's dose of sound, WHO",
    "sleep_debt_min": "sleep missing, last 14 nights",
    "regularity_sri": "regularity of sleep",
    "night_temperature_change_c": "last night against the usual",
}
_RINGS: Final = {
    "steps": ("steps", "steps", "steps_goal_pct"),
    "energy": ("active energy", "active_energy_kcal", "energy_goal_pct"),
    "active": ("active time", "active_min", "active_goal_pct"),
    "distance": ("distance", "distance_m", "distance_goal_pct"),
    "sleep": ("sleep", "asleep_min", "sleep_goal_pct"),
}


def section_lines(
    name: str, of: PeriodSummary, before: Sequence[DaySummary], whole: Mapping[str, Figure]
) -> tuple[Line, ...]:
    """The lines of a section; `whole` are figures of the whole period, by name."""
    found = []
    for measure in SECTIONS[name][1]:
        if measure in _OF_PERIOD:
            if measure in whole:
                found.append(Line(measure, _OF_PERIOD[measure], whole[measure], whole=True))
        else:
            found.append(_line(measure, of, before))
    return tuple(found)


def rings(of: PeriodSummary, goal: Goal | None) -> tuple[Ring, ...]:
    """The goals that are set; none where nobody ever set any."""
    if goal is None:
        return ()
    wanted = {
        "steps": goal.steps,
        "energy": goal.energy_kcal,
        "active": goal.active_min,
        "distance": goal.distance_m,
        "sleep": goal.sleep_min,
    }
    return tuple(_ring(name, aim, of) for name, aim in wanted.items() if aim)


def _ring(name: str, aim: float, of: PeriodSummary) -> Ring:
    title, measure, share = _RINGS[name]
    shares = [value for day in of.days if (value := day.figures[share].value) is not None]
    reached, part = _line(measure, of, ()).figure, _line(share, of, ()).figure
    return Ring(name, title, reached, aim, part, sum(one >= 100 for one in shares), len(shares))


def _line(name: str, of: PeriodSummary, before: Sequence[DaySummary]) -> Line:
    measure, over = MEASURES[name], of.measures[name]
    title = measure.title
    if name.startswith("zone_"):
        title = f"{title} ({ZONE_NAMES[int(name[5]) - 1]})"
    line = Line(name, title, over.mean, over.change, adds=measure.adds, clock=measure.clock)
    if len(of.days) == 1:
        return replace(line, figure=of.days[0].figures[name])
    if measure.metric == "workout" and measure.adds:  # most days have none: no mean of days
        return replace(line, figure=over.total, change=_of_sums(measure, of, before), whole=True)
    return replace(
        line,
        total=over.total if measure.adds else None,
        least=over.least,
        most=over.most,
        least_on=over.least_on,
        most_on=over.most_on,
        days=over.days,
    )


def _of_sums(measure: Measure, of: PeriodSummary, before: Sequence[DaySummary]) -> Change | None:
    """A sum against that of the period before; only where both are over."""
    if not (before and of.days[-1].complete):
        return None
    figures = [day.figures[measure.name] for day in before]
    earlier = total(figures, measure.unit, str(figures[-1].reason))
    return compared(measure, of.measures[measure.name].total, earlier)
