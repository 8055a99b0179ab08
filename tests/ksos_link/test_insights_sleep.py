"""Sleep: joined from stages, regular or not, and what is missing of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import SleepStage
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.sleep import (
    DAY_MIN,
    Sleep,
    mean_time_of_day,
    midpoint_min,
    regularity_index,
    sleep_debt,
    sleeps_of,
)

AWAKE, LIGHT, DEEP, REM = SleepStage
HOUR = 3600
DAY = 24 * HOUR


def sleeps(*stages: tuple[int, int, int]) -> list[Sleep]:
    starts, lengths, kinds = zip(*stages, strict=True) if stages else ((), (), ())
    return sleeps_of(starts, lengths, kinds)


def test_a_night_by_its_parts() -> None:
    """Seven hours asleep out of eight are 87.5 %."""
    (night,) = sleeps(
        (0, 3 * HOUR, LIGHT),
        (3 * HOUR, HOUR, AWAKE),
        (4 * HOUR, 2 * HOUR, DEEP),
        (6 * HOUR, 2 * HOUR, REM),
    )
    assert night.asleep_figure() == Figure(420, "min", 4)
    assert night.in_stage(DEEP).value == 120
    assert night.in_stage(AWAKE).value == 60
    assert night.efficiency().value == 87.5
    assert night.asleep == ((0, 3 * HOUR), (4 * HOUR, 8 * HOUR))


def test_awake_before_and_after_is_no_part_of_a_sleep() -> None:
    (night,) = sleeps((0, 600, AWAKE), (600, HOUR, LIGHT), (4200, 600, AWAKE))
    assert (night.start_utc_s, night.end_utc_s) == (600, 4200)
    assert (night.in_stage(AWAKE).value, night.efficiency().value) == (0, 100)


def test_stages_an_hour_apart_are_two_sleeps() -> None:
    found = sleeps((0, HOUR, LIGHT), (2 * HOUR - 1, HOUR, LIGHT), (4 * HOUR, HOUR, DEEP))
    assert [(one.start_utc_s, one.end_utc_s) for one in found] == [
        (0, 3 * HOUR - 1),
        (4 * HOUR, 5 * HOUR),
    ]


def test_stages_that_make_no_sense() -> None:
    """Overlaps count once; no length, no known stage, or nothing but awake count nothing."""
    (night,) = sleeps((0, 600, LIGHT), (300, 600, DEEP), (500, 100, REM), (900, 0, REM))
    assert (night.asleep_s, night.stage_s) == (900, {LIGHT: 600, DEEP: 300})
    assert sleeps((0, 600, 9)) == []
    assert sleeps((0, 600, AWAKE)) == []
    assert sleeps() == []


STAGES = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(-60, 5000), st.integers(0, 6)), max_size=30
)


@given(STAGES)
def test_any_stages_give_sleeps_in_order(gaps: list[tuple[int, int, int]]) -> None:
    at, stages = 0, []
    for gap, length, kind in gaps:
        at += gap
        stages.append((at, length, kind))
    end = 0
    for one in sleeps(*stages):
        assert one.start_utc_s >= end
        assert 0 < one.asleep_s <= one.end_utc_s - one.start_utc_s
        assert 0 < (one.efficiency().value or 0) <= 100
        end = one.end_utc_s


def test_times_of_day_are_directions() -> None:
    assert midpoint_min(-60, 420) == 180
    assert mean_time_of_day([23 * 60 + 50, 10]).value == pytest.approx(0, abs=1e-6)
    assert mean_time_of_day([-90, -30]).value == pytest.approx(DAY_MIN - 60)
    assert mean_time_of_day([0, 720]).reason == "the times lie all round the clock"
    assert mean_time_of_day([]).reason == "no sleep was recorded"


def nights(count: int, *, start_h: float = 23, hours: float = 8, shift_h: float = 0) -> Any:
    return [
        (
            round(day * DAY + (start_h + shift_h * (day % 2)) * HOUR),
            round(day * DAY + (start_h + hours + shift_h * (day % 2)) * HOUR),
        )
        for day in range(count)
    ]


def test_regularity_of_the_same_nights_is_100() -> None:
    figure = regularity_index([(0, 7 * HOUR), *nights(8)], [(0, 8 * DAY)])
    assert figure.value == 100
    assert figure.method == "Phillips 2017"


def test_regularity_of_turned_days_is_minus_100() -> None:
    """Twelve hours asleep, the other half of the day each time: never as a day later."""
    turned = [
        (day * DAY + (day % 2) * DAY // 2, day * DAY + (day % 2 + 1) * DAY // 2) for day in range(8)
    ]
    assert regularity_index(turned, [(0, 8 * DAY)]).value == -100


def test_regularity_by_hand() -> None:
    """Every other night three hours later: 6 of 24 hours differ, 100 - 200 x 6 / 24 is 50."""
    shifted = nights(30, shift_h=3)
    figure = regularity_index(shifted, [(DAY, 29 * DAY)])
    assert figure.value == pytest.approx(50, abs=1)


def test_regularity_needs_five_known_days() -> None:
    assert regularity_index(nights(3), [(0, 4 * DAY)]).value is None
    reason = "fewer than 5 days in a row are known well enough"
    assert regularity_index([], []).reason == reason
    assert regularity_index(nights(30), nights(30)).reason == reason  # worn by night alone


def test_unknown_days_do_not_count_for_or_against() -> None:
    known = [(DAY, 6 * DAY), (9 * DAY, 15 * DAY)]
    slept = [night for night in nights(15) if night[0] < 6 * DAY or night[1] > 9 * DAY]
    assert regularity_index(slept, known).value == 100


@given(st.lists(st.tuples(st.integers(0, 10 * DAY), st.integers(0, 12 * HOUR)), max_size=20))
def test_regularity_stays_in_its_range(pairs: list[tuple[int, int]]) -> None:
    spans = [(start, start + length) for start, length in pairs]
    value = regularity_index(spans, [(0, 10 * DAY)]).value
    assert value is not None
    assert -100 <= value <= 100
    assert (
        regularity_index([(a + DAY, b + DAY) for a, b in spans], [(DAY, 11 * DAY)]).value == value
    )


def test_debt_adds_up_and_is_paid_back() -> None:
    """Needs 480: an hour short twice, two hours over, one short: 60, 120, 0, 60."""
    slept = [Figure(value, "min", 1) for value in (420, 420, 600, 420)]
    assert sleep_debt(slept[:2], 480).value == 120
    assert sleep_debt(slept[:3], 480).value == 0
    assert sleep_debt(slept, 480) == Figure(60, "min", 4, method="need of 480 min a night")
    gap = [slept[0], absent("min", "off"), slept[1]]
    debt = sleep_debt(gap, 480)
    assert (debt.value, debt.readings) == (120, 2)
    assert debt.method == "need of 480 min a night; nights not recorded: 1"
    assert sleep_debt([absent("min", "off")], 480).reason == "no sleep was recorded"


@given(st.lists(st.integers(0, 900), min_size=1), st.integers(300, 600))
def test_debt_is_never_in_credit(slept: list[int], need: int) -> None:
    figures = [Figure(value, "min", 1) for value in slept]
    debt = sleep_debt(figures, need).value
    assert debt is not None
    assert max(0, need - slept[-1]) <= debt <= need * len(slept)
