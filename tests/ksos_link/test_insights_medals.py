"""Medals are earned once and the same again; a place among others, and what a file may hold."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.measures import MEASURES
from ksos_link.insights.medals import Award, Day, awards, medals, read_medals
from ksos_link.insights.ranking import (
    Person,
    norm_percentile,
    norms,
    read_cohort,
    standing,
)

FIRST = date(2026, 1, 1)
RULE = """
[[medal]]
id = "one"
title = "one"
group = "training"
kind = "{kind}"
measure = "{measure}"
at_least = 10
"""


def days_of(measure: str, values: Sequence[float | None]) -> list[Day]:
    off = {name: absent(one.unit, "off") for name, one in MEASURES.items()}
    return [
        (
            FIRST + timedelta(days=place),
            off if value is None else {**off, measure: Figure(value, "steps", 1)},
        )
        for place, value in enumerate(values)
    ]


def earned(kind: str, values: Sequence[float | None], days: int | None = None) -> list[Award]:
    text = RULE.format(kind=kind, measure="steps")
    if days is not None:
        text += f"days = {days}\n"
    return list(awards(days_of("steps", values), read_medals(text)))


@pytest.mark.parametrize(
    ("kind", "days", "values", "place", "value"),
    [
        ("day", None, [9, 10, 11], 1, 10),
        ("total", None, [4, None, 5, 2, 7], 3, 11),
        ("days", 2, [10, 9, None, 12, 15], 3, 2),
        ("streak", 3, [10, 10, None, 10, 10, 10, 10], 5, 3),
        ("streak", 2, [10, 9, 10, 10], 3, 2),
    ],
)
def test_a_medal_is_earned_once(
    kind: str, days: int | None, values: list[float | None], place: int, value: float
) -> None:
    (award,) = earned(kind, values, days)
    assert award.on == FIRST + timedelta(days=place)
    assert award.value == value


@pytest.mark.parametrize(
    ("kind", "days", "values"),
    [
        ("day", None, [9.9, None]),
        ("total", None, [4, 5]),
        ("streak", 3, [10, 10, 9, 10, 10]),
        ("days", 3, [10, 10]),
    ],
)
def test_a_medal_that_is_not_earned(
    kind: str, days: int | None, values: list[float | None]
) -> None:
    assert earned(kind, values, days) == []


STEPS = st.lists(st.none() | st.integers(0, 40_000), max_size=60)


@given(STEPS, st.randoms())
def test_the_same_days_give_the_same_awards(values: list[int | None], random: Random) -> None:
    days = days_of("steps", values)
    found = awards(days, medals())
    assert len({award.medal.medal_id for award in found}) == len(found)
    assert list(found) == sorted(found, key=lambda award: award.on)
    random.shuffle(days)
    assert set(awards(days, medals())) == set(found)
    for place in range(len(values)):  # what was earned stays earned, on the day that it was
        sooner = awards(days_of("steps", values[:place]), medals())
        assert set(sooner) <= set(found)


def test_the_medals_that_come_with_the_program() -> None:
    ids = [medal.medal_id for medal in medals()]
    assert len(ids) == len(set(ids)) > 15
    assert {medal.group for medal in medals()} == {"training", "health"}
    week = days_of("steps_goal_pct", [100.0] * 7)
    assert [award.medal.medal_id for award in awards(week, medals())] == ["steps-goal-week"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[medal]]\nid = 1\n", "lacks a field"),
        ("medal = [1]", "lacks a field"),
        (RULE.format(kind="often", measure="steps"), "there is no kind often"),
        (RULE.format(kind="day", measure="luck"), "there is no measure luck"),
        (RULE.format(kind="total", measure="bpm_mean"), "do not add up"),
        (RULE.format(kind="streak", measure="steps"), "days belong to"),
        (RULE.format(kind="day", measure="steps") + "days = 3", "days belong to"),
        (RULE.format(kind="days", measure="steps") + "days = 0", "days belong to"),
        (RULE.format(kind="day", measure="steps") * 2, "the same id"),
        ("[[medal", "TOML|Expected|line"),
    ],
)
def test_rules_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_medals(text)


# cohorts


COHORT = """\
name,sex,age_years,steps,vo2max_ml_kg_min
Ann,female,31,4000,
Bea,Female,35,6000,33
Cat,female,39,8000,
Dee,female,30,10000,
Eve,female,33,12000,41
Fay,female,41,99999,
Gil,male,33,99999,50
Hal,male,33,,50
"""


def steps(value: float) -> Figure:
    return Figure(value, "steps", 30)


def test_a_place_among_people_of_the_same_sex_and_age() -> None:
    """Two of five below and one level: (2 + 0.5) / 5 is the median."""
    cohort = read_cohort(COHORT.splitlines())
    found = standing("steps", steps(8000), "female", 34, cohort)
    assert found.percentile.value == 50
    assert found.percentile.readings == 5
    assert found.percentile.method == "among 5 of the file, female, 30 to 39 years"
    assert (found.rank, found.of) == (3, 6)
    assert standing("steps", steps(1), "female", 34, cohort).rank == 6
    assert standing("steps", steps(1e6), "female", 34, cohort).percentile.value == 100


def test_names_of_a_cohort_are_not_kept() -> None:
    assert read_cohort(COHORT.splitlines())[0] == Person("female", 31, {"steps": 4000})


def test_no_place_and_why() -> None:
    cohort = read_cohort(COHORT.splitlines())
    few = standing("vo2max_ml_kg_min", Figure(40, "x"), "female", 34, cohort)
    assert few.percentile == absent(
        "percentile", "the file has fewer than 5 people of the same sex and age with a value", 2
    )
    assert few.of == 3
    assert standing("steps", absent("steps", "off"), "male", 3, cohort).percentile.reason == "off"
    for sex, age in ((None, 30), ("male", None)):
        nobody = standing("steps", steps(1), sex, age, cohort)
        assert nobody.percentile.reason == "nobody said the wearer's sex and age"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the first line must name"),
        ("sex,steps\n", "the first line must name"),
        ("sex,age_years\nx,30\n", "line 2: sex must be"),
        ("sex,age_years\nmale\n", "line 2: age_years must be"),
        ("sex,age_years\nmale,200\n", "line 2: age_years must be"),
        ("sex,age_years,steps\nmale,30,many\n", "line 2: steps is not a number"),
        ("sex,age_years,steps\nmale,30,nan\n", "line 2: steps is not a number"),
        ('sex,age_years\n"male,30\n', "is no CSV"),
    ],
)
def test_files_that_are_no_cohort(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_cohort(text.splitlines(keepends=True))


VALUES = st.lists(st.integers(0, 50), min_size=5, max_size=40)


@given(VALUES, st.integers(0, 50), st.integers(0, 50))
def test_more_is_never_a_lower_place(values: list[int], one: int, other: int) -> None:
    cohort = [Person("male", 30, {"steps": float(value)}) for value in values]
    low, high = sorted((one, other))
    lower, higher = (standing("steps", steps(each), "male", 35, cohort) for each in (low, high))
    assert 0 <= (lower.percentile.value or 0) <= (higher.percentile.value or 0) <= 100
    assert (lower.rank or 0) >= (higher.rank or 0) >= 1


# norms


@pytest.mark.parametrize(
    ("value", "sex", "age", "percentile"),
    [
        (48.0, "male", 25, 50),  # the medians of 20 to 29 and of 70 to 79 years, as in the abstract
        (37.6, "female", 29, 50),
        (24.4, "male", 79, 50),
        (18.3, "female", 70, 50),
        (51.6, "male", 20, 62.5),
        (29.0, "male", 20, 5),
        (66.3, "male", 20, 95),
    ],
)
def test_oxygen_uptake_among_the_published(
    value: float, sex: str, age: int, percentile: float
) -> None:
    norm = norms()["vo2max_ml_kg_min"]
    found = norm_percentile(norm, Figure(value, "mL/kg/min", 3), sex, age)
    assert found.value == pytest.approx(percentile)
    assert found.method == norm.source
    assert found.readings == 3


def test_outside_of_the_published_there_is_no_percentile() -> None:
    norm = norms()["vo2max_ml_kg_min"]

    def reason(value: float, sex: str | None = "male", age: int | None = 25) -> str:
        return str(norm_percentile(norm, Figure(value, "x", 1), sex, age).reason)

    assert reason(28.9) == "under the lowest of the table, percentile 5"
    assert reason(66.4) == "over the highest of the table, percentile 95"
    assert reason(40, age=19) == reason(40, age=80) == "the table has nobody of this age"
    assert reason(40, sex=None) == reason(40, age=None) == "nobody said the wearer's sex and age"
    assert norm_percentile(norm, absent("x", "off"), "male", 25).reason == "off"


def test_norms_rise() -> None:
    for norm in norms().values():
        assert norm.measure in MEASURES
        for row in norm.values.values():
            assert len(row) == len(norm.percentiles)
            assert list(row) == sorted(set(row))
