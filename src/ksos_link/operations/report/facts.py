"""What is said in words in every form of a report: workouts, the cycle, what is missing."""

from datetime import timedelta
from typing import Final

from ksos_link.insights.calendar import Kind
from ksos_link.operations.report.model import Missing, Report, WorkoutLine
from ksos_link.operations.report.words import Words, day_text, days_text

# figure of a workout, and what stands before and behind its value
_OF_WORKOUT: Final = (
    ("distance_m", "", ""),
    ("pace_s_per_km", "", ""),
    ("climb_m", "climb ", ""),
    ("bpm_mean", "heart rate ", ""),
    ("bpm_most", "up to ", ""),
    ("energy_kcal", "", ""),
    ("load_trimp", "load ", ""),
    ("training_effect", "training effect ", " of 5"),
    ("vo2max_ml_kg_min", "oxygen uptake ", ""),
)


def workout_facts(one: WorkoutLine, words: Words) -> list[str]:
    """The figures of a workout that there are."""
    figures = one.summary.figures
    return [
        f"{before}{words.figure(figures[name])}{behind}"
        for name, before, behind in _OF_WORKOUT
        if figures[name].value
    ]


def by_sport(of: Report) -> list[tuple[str, int, float, float]]:
    """Sports by the time spent: title, how often, minutes, metres."""
    found: dict[str, tuple[int, float, float]] = {}
    for one in of.workouts:
        count, minutes, metres = found.get(one.title, (0, 0.0, 0.0))
        way = one.summary.figures["distance_m"].value or 0
        found[one.title] = (count + 1, minutes + one.summary.duration_s / 60, metres + way)
    rows = [(title, *sums) for title, sums in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def cycle_facts(of: Report) -> list[tuple[str, str]]:
    """The next days of the menstrual cycle after the report's first one: what, and when."""
    days = of.cycle
    if days is None:
        return []
    return [
        ("next period", _from_to(day_text(days.period_start), day_text(days.period_end))),
        ("fertile days", _from_to(day_text(days.fertile_start), day_text(days.fertile_end))),
        ("ovulation", day_text(days.ovulation)),
    ]


def missing_text(one: Missing, of: Report, words: Words) -> str:
    """When there are no readings."""
    if of.period.kind is not Kind.DAY:
        return days_text(one.start, one.end)
    end = one.end - timedelta(seconds=1)
    is_midnight = (
        one.end.time().hour == one.end.time().minute == 0 and end.date() == one.start.date()
    )
    return f"{words.time(one.start)} to {'midnight' if is_midnight else words.time(one.end)}"


def not_measured(of: Report) -> dict[str, list[str]]:
    """The titles of sections that have no value at all, by the reason that comes first in each."""
    found: dict[str, list[str]] = {}
    for section in of.sections:
        if section.lines and all(line.figure.value is None for line in section.lines):
            reason = section.lines[0].figure.reason or ""
            found.setdefault(str(reason), []).append(section.title)
    return found


def _from_to(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
