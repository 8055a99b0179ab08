"""What exchange formats call our sports, and what theirs mean to us."""

import pytest

from firmware_protocol.activity_types import (
    _NUMBERED,
    ANY_SPORT,
    FitSport,
    counts_steps,
    fit_sport,
    sport_of_fit,
    sport_of_word,
    sport_word,
)
from firmware_protocol.sports import SPORT_NAMES


def test_every_name_is_one_of_ours_and_has_one_number() -> None:
    names = " ".join(_NUMBERED.values()).split()
    assert len(names) == len(set(names))
    assert set(names) <= set(SPORT_NAMES)


@pytest.mark.parametrize("number", [FitSport(*number) for number in _NUMBERED])
def test_a_number_that_comes_in_goes_out_again(number: FitSport) -> None:
    assert fit_sport(sport_of_fit(number)) == number


def test_a_sport_of_no_number_is_any_sport_and_a_number_of_no_sport_keeps_its_code() -> None:
    assert fit_sport("chess") == fit_sport("sport_213") == ANY_SPORT
    assert sport_of_fit(FitSport(1, 99)) == "run"
    assert sport_of_fit(FitSport(199)) == "sport_199"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *(("running", "run"), ("Trail Run", "trail_run"), ("trail-run", "trail_run")),
        *(("Biking", "cycle"), ("ride", "cycle"), ("pelota", "other"), ("", "other")),
    ],
)
def test_words_of_other_programs(word: str, name: str) -> None:
    assert sport_of_word(word) == name


def test_words_that_go_out() -> None:
    assert sport_word("outdoor_run") == "running"
    assert sport_word("chess") is None
    assert sport_of_word(str(sport_word("hike"))) == "hike"


def test_steps_are_counted_on_foot_only() -> None:
    assert counts_steps("outdoor_run")
    assert counts_steps("hike")
    assert not counts_steps("cycle")
    assert not counts_steps("swim")
