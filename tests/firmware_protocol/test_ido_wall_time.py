"""Dates of records as wall seconds."""

import pytest

from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.wall_time import day_wall_s


def test_a_day_begins_at_its_midnight() -> None:
    assert day_wall_s(1970, 1, 2) == 86_400
    assert day_wall_s(2026, 6, 22) == 1_782_086_400


@pytest.mark.parametrize("day", [(1969, 12, 31), (2106, 1, 1), (2026, 2, 30), (0, 0, 0)])
def test_days_that_no_watch_lives_are_refused(day: tuple[int, int, int]) -> None:
    with pytest.raises(DecodeError):
        day_wall_s(*day)
