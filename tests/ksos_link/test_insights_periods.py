"""Weeks, months and years: means of days, what changed, what is missing."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.settings import Goal
from ksos_link.insights.about import About, Absence, local_days
from ksos_link.insights.calendar import Kind, Period, period_of
from ksos_link.insights.day import DaySummary, day_summary
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.measures import MEASURES
from ksos_link.insights.period import MissingDays, PeriodSummary, compared, period_summary
from ksos_link.insights.week import week_summary
from tests.ksos_link.made_up_samples import UTC_CLOCK, MadeUp, utc_s

HOUR = 3600
DAY = 86_400
MONDAY = date(2026, 3, 9)
START = utc_s("2026-03-09T00:00+00:00")
WEEK = period_of(Kind.WEEK, MONDAY)


def about(made_up: MadeUp, until_utc_s: int, goal: Goal | None = None) -> About:
    return About(UTC_CLOCK, until_utc_s, None, goal, until_utc_s, made_up.known)


def days_of(period: Period, made_up: MadeUp, known: About) -> list[DaySummary]:
    days = local_days(period.first, period.last, known.utc_offset_s)
    return [day_summary(day, made_up, known) for day in days]


def summary(made_up: MadeUp, until_utc_s: int, period: Period = WEEK) -> PeriodSummary:
    known = about(made_up, until_utc_s)
    days, before = (days_of(each, made_up, known) for each in (period, period.before()))
    return period_summary(period, days, before, known)


def walked(made_up: MadeUp, first_day: int, counts: Sequence[int | None]) -> None:
    for place, count in enumerate(counts, first_day):
        if count is not None:
            made_up.add("steps", START + place * DAY + 9 * HOUR, duration_s=900, steps=count)


# the calendar


@pytest.mark.parametrize(
    ("kind", "day", "start", "first", "last"),
    [
        (Kind.DAY, "2026-03-11", "monday", "2026-03-11", "2026-03-11"),
        (Kind.WEEK, "2026-03-11", "monday", "2026-03-09", "2026-03-15"),
        (Kind.WEEK, "2026-03-11", "sunday", "2026-03-08", "2026-03-14"),
        (Kind.WEEK, "2026-03-06", "saturday", "2026-02-28", "2026-03-06"),
        (Kind.MONTH, "2028-02-17", "monday", "2028-02-01", "2028-02-29"),
        (Kind.MONTH, "2026-12-31", "monday", "2026-12-01", "2026-12-31"),
        (Kind.YEAR, "2028-02-29", "monday", "2028-01-01", "2028-12-31"),
    ],
)
def test_periods(kind: Kind, day: str, start: str, first: str, last: str) -> None:
    period = period_of(kind, date.fromisoformat(day), start)
    assert (str(period.first), str(period.last)) == (first, last)
    assert len(list(period)) == len(period)


@given(st.sampled_from(Kind), st.dates(date(1971, 1, 1), date(2098, 12, 31)))
def test_the_period_before_ends_the_day_before(kind: Kind, day: date) -> None:
    period = period_of(kind, day)
    assert period.first <= day <= period.last
    assert period.before().last == period.first - timedelta(days=1)
    assert period.before().kind is kind
    assert len(period) in {1, 7, *range(28, 32), 365, 366}


def test_a_leap_year() -> None:
    assert len(period_of(Kind.YEAR, date(2028, 5, 5))) == 366
    assert len(period_of(Kind.YEAR, date(2028, 5, 5)).before()) == 365


# comparison


def test_means_are_of_days_that_are_known() -> None:
    made_up = MadeUp()
    walked(made_up, -7, [1000, None, 3000, None, None, None, None])
    walked(made_up, 0, [2000, 4000, None, None, 6000, None, None])
    steps = summary(made_up, START + 20 * DAY).measures["steps"]
    assert (steps.days, steps.total.value, steps.mean.value) == (3, 12_000, 4000)
    assert (steps.least.value, steps.least_on) == (2000, MONDAY)
    assert (steps.most.value, steps.most_on) == (6000, MONDAY + timedelta(days=4))
    assert steps.change.difference.value == 2000
    assert steps.change.percent.value == 100
    assert steps.mean.readings == 3


def test_a_day_in_progress_counts_in_the_total_alone() -> None:
    made_up = MadeUp()
    walked(made_up, 0, [2000, 4000, 100])
    steps = summary(made_up, START + 2 * DAY + 12 * HOUR).measures["steps"]
    assert (steps.total.value, steps.mean.value, steps.days) == (6100, 3000, 2)
    today = period_of(Kind.DAY, MONDAY + timedelta(days=2))
    alone = summary(made_up, START + 2 * DAY + 12 * HOUR, today).measures["steps"]
    assert alone.total.value == 100
    assert alone.mean.reason == "no day with it is over and read to its end"
    assert alone.change.difference.value is None


def test_what_does_not_add_up_has_no_total() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", START, HOUR, "bpm", [60] * 24)
    heart = summary(made_up, START + 20 * DAY).measures["bpm_mean"]
    assert heart.total.reason == "days of it do not add up to anything"
    assert heart.mean.value == 60
    assert heart.change.difference.reason == (f"nothing to compare with: {Absence.NOT_WORN}")


def test_changes() -> None:
    steps, bedtime = MEASURES["steps"], MEASURES["onset_local_min"]

    def figure(value: float) -> Figure:
        return Figure(value, "min", 1)

    late = compared(bedtime, figure(10), figure(1430))
    assert late.difference.value == 20
    assert late.percent.reason == "a time of day has no parts"
    assert compared(steps, figure(5), figure(0)).percent.reason == "it was nothing before"
    off = absent("steps", "off")
    assert compared(steps, off, figure(5)).percent.reason == "off"
    assert compared(steps, figure(5), None).difference.reason == (
        "nothing to compare with: there is no period before"
    )


def test_bedtimes_around_midnight_have_a_mean() -> None:
    made_up = MadeUp()
    for day, start in enumerate((-600, 600)):
        made_up.add("sleep", START + day * DAY + start, duration_s=8 * HOUR, stage=2)
    onset = summary(made_up, START + 20 * DAY).measures["onset_local_min"]
    assert onset.mean.value == pytest.approx(0, abs=1e-6)


# what is missing


def test_missing_days_come_together_with_their_reason() -> None:
    made_up = MadeUp()
    walked(made_up, 0, [100, None, None, 100])
    found = summary(made_up, START + 4 * DAY + 12 * HOUR)

    def days(first: int, last: int) -> tuple[date, date]:
        return MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)

    assert found.missing == (
        MissingDays(*days(1, 2), Absence.NOT_WORN),
        MissingDays(*days(4, 4), Absence.NOT_WORN),
        MissingDays(*days(5, 6), Absence.TO_COME),
    )
    assert found.figures["days_recorded"] == Figure(2, "days", 7)


def test_a_period_without_days_and_one_with_two_readings() -> None:
    empty = period_summary(WEEK, [], [], about(MadeUp(), START))
    assert {one.mean.reason for one in empty.measures.values()} == {"there are no days"}
    made_up = MadeUp()
    made_up.every("heart_rate", START, DAY, "bpm", [60, 62])
    month = summary(made_up, START + 60 * DAY, period_of(Kind.MONTH, MONDAY))
    assert month.measures["bpm_mean"].mean == Figure(61, "bpm", 2, method="mean of days")
    assert len(month.days) == 31
    assert month.figures["regularity_sri"].value is None


# weeks


def lived(made_up: MadeUp, days: int) -> None:
    """The same day again and again: asleep from 23:00 to 07:00, half an hour of vigour."""
    for day in range(days):
        start = START + day * DAY
        made_up.add("sleep", start - HOUR, duration_s=8 * HOUR, stage=2)
        made_up.every("heart_rate", start, 1800, "bpm", [60] * 48)
        made_up.add("activity", start + 10 * HOUR, duration_s=1800, intensity=3, distance_m=1)
        made_up.every("noise", start, 300, "noise_db", [80.0] * 24)
    walked(made_up, 0, [900] * days)


def test_a_regular_week() -> None:
    made_up = MadeUp()
    lived(made_up, 8)
    known = about(made_up, START + 30 * DAY, Goal(sleep_min=540))
    days = days_of(WEEK, made_up, known)
    week = week_summary(WEEK, days, [], known)
    assert week.figures["active_who_min"].value == 7 * 60
    assert week.figures["active_who_pct"].value == 280
    assert week.figures["noise_dose_who_pct"].value == pytest.approx(100 * 14 / 40)
    assert [row[9] for row in week.steps_by_hour] == [900] * 7
    assert week.summary.figures["regularity_sri"].value == pytest.approx(100, abs=2)
    assert week.summary.figures["sleep_debt_min"].value == 7 * 60
    assert week_summary(WEEK, [], [], known).figures["active_who_min"].reason == "there are no days"


def test_the_last_night_s_temperature_against_those_before() -> None:
    made_up = MadeUp()
    for day in range(-7, 5):
        start = START + day * DAY
        made_up.add("sleep", start - HOUR, duration_s=8 * HOUR, stage=2)
        made_up.add("temperature", start, temperature_c=34.0 if day < 4 else 34.5)
    change = summary(made_up, START + 30 * DAY).figures["night_temperature_change_c"]
    assert change.value == pytest.approx(0.5)
    assert change.method == "against the median of 11 nights"
    cold = summary(MadeUp(), START + 30 * DAY).figures["night_temperature_change_c"]
    assert cold.reason == Absence.NEVER


def test_without_a_goal_the_need_is_that_of_adults() -> None:
    made_up = MadeUp()
    lived(made_up, 7)
    debt = summary(made_up, START + 30 * DAY).figures["sleep_debt_min"]
    assert debt.value == 0
    assert debt.method == "need of 420 min a night"
