"""A week: what every period has, and what is advised by the week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ksos_link.insights.about import About
from ksos_link.insights.calendar import Period
from ksos_link.insights.day import DaySummary
from ksos_link.insights.figure import Figure, total
from ksos_link.insights.goals import active_minutes, advised_share
from ksos_link.insights.levels import summed
from ksos_link.insights.period import PeriodSummary, period_summary
from ksos_link.insights.sound import WHO_WEEK, noise_dose


@dataclass(frozen=True, slots=True)
class WeekSummary:
    """A week. `figures` has `active_who_min`, `active_who_pct` and `noise_dose_who_pct`.

    `steps_by_hour` is a row a day, as long as the day (see `DaySummary`).
    """

    summary: PeriodSummary
    figures: Mapping[str, Figure]
    steps_by_hour: tuple[tuple[int | None, ...], ...]


def week_summary(
    period: Period, days: Sequence[DaySummary], before: Sequence[DaySummary], about: About
) -> WeekSummary:
    """Sum up seven days, in their order."""
    active = active_minutes(_sum(days, "moderate_min"), _sum(days, "vigorous_min"))
    figures = {
        "active_who_min": active,
        "active_who_pct": advised_share(active),
        "noise_dose_who_pct": noise_dose(summed(day.noise for day in days), WHO_WEEK),
    }
    rows = tuple(day.steps_by_hour for day in days)
    return WeekSummary(period_summary(period, days, before, about), figures, rows)


def _sum(days: Sequence[DaySummary], name: str) -> Figure:
    figures = [day.figures[name] for day in days]
    reason = next((figure.reason for figure in figures if figure.reason), "there are no days")
    return total(figures, "min", reason)
