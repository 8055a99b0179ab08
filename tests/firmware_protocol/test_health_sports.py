"""Sports by the names of Apple Health and the numbers of Health Connect."""

import pytest

from firmware_protocol.health_sports import (
    FOREIGN_SPORTS,
    apple_sport,
    foreign_sport,
    sport_title,
)
from firmware_protocol.sports import SPORT_NAMES

# numbers of ExerciseSessionRecord that name nothing
HOLES = {1, 3, 6, 7, 12, 15, *range(17, 25), 30, *range(40, 44), 45, 49, 67, 77}


def test_sports_have_words_there_or_are_other() -> None:
    assert set(FOREIGN_SPORTS) <= set(SPORT_NAMES)
    assert foreign_sport("sport_999") == ("Other", 0)
    assert foreign_sport("skydiving") == ("Other", 0)
    assert foreign_sport("kayak") == ("PaddleSports", 46)
    assert foreign_sport("outdoor_run") == ("Running", 56)
    assert not {number for _, number in FOREIGN_SPORTS.values()} & HOLES


@pytest.mark.parametrize(
    ("apple", "ours"),
    [
        ("Running", "run"),
        ("Walking", "walk"),
        ("Cycling", "cycle"),
        ("Swimming", "swim"),
        ("Hiking", "hike"),
        ("Other", "other"),
        ("UnderwaterBasketWeaving", "other"),
    ],
)
def test_a_name_of_apple_s_means_the_general_sport(apple: str, ours: str) -> None:
    assert apple_sport(apple) == ours


def test_every_name_of_apple_s_that_is_written_is_read() -> None:
    for apple, _ in FOREIGN_SPORTS.values():
        if apple != "Other":
            assert foreign_sport(apple_sport(apple))[0] == apple


def test_a_title_is_ks_os_s_or_the_name() -> None:
    assert sport_title("outdoor_run") == "Outdoor Run"
    assert sport_title("sport_7") == "sport_7"
