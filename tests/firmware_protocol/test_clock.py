"""WatchClock: wall time to UTC; a set clock, a journey, a wrong clock lose and double nothing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.errors import LocalProtocolError

NOW_S = 1_780_000_000


def wall(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def berlin_offset_s(wall_s: int) -> int:
    there = datetime.fromtimestamp(wall_s, UTC).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    offset = there.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def test_a_clock_needs_a_stretch() -> None:
    with pytest.raises(LocalProtocolError):
        WatchClock((), NOW_S)


def test_a_clock_that_stood() -> None:
    clock = WatchClock((ClockStretch(0, 3600),), NOW_S)
    assert clock.utc_s(7200) == 3600
    assert clock.all_utc_s([]) == []
    assert clock.all_utc_s([3600, 7200]) == [0, 3600]
    assert clock.steady_offset_s(3600, 7200) == 3600


def test_before_the_first_stretch_the_zone_counts() -> None:
    clock = WatchClock(
        (ClockStretch(wall("2026-04-01T00:00"), 7200),), NOW_S, zone_offset_s=berlin_offset_s
    )
    assert clock.utc_s(wall("2026-03-28T12:00")) == wall("2026-03-28T11:00")
    assert clock.utc_s(wall("2026-03-30T12:00")) == wall("2026-03-30T10:00")
    assert clock.utc_s(wall("2026-04-02T12:00")) == wall("2026-04-02T10:00")
    times = [wall("2026-03-28T12:00"), wall("2026-03-30T12:00")]
    assert clock.steady_offset_s(*times) is None
    assert clock.all_utc_s(times) == [wall("2026-03-28T11:00"), wall("2026-03-30T10:00")]


def test_a_zone_that_changed_and_changed_back_within_a_long_span() -> None:
    """Ramadan in Morocco: one offset before and after, another one in between."""
    days = [wall(f"2026-02-{day:02}T12:00") for day in range(1, 29)]

    def zone_offset_s(wall_s: int) -> int:
        return 0 if days[9] <= wall_s < days[19] else 3600

    clock = WatchClock((ClockStretch(NOW_S, 3600),), NOW_S + 100, zone_offset_s)
    assert clock.all_utc_s(days) == [day - zone_offset_s(day) for day in days]
    assert clock.steady_offset_s(days[0], days[-1]) is None
    assert clock.steady_offset_s(days[0], days[2]) == 3600


def test_without_a_zone_the_first_stretch_reaches_back() -> None:
    clock = WatchClock((ClockStretch(NOW_S - 100, 7200),), NOW_S)
    assert clock.offset_s(0) == 7200


def test_an_autumn_night_when_the_clock_was_set_back() -> None:
    """Berlin, 25 October 2026, 01:00 UTC: the wall hour from 02:00 was lived twice."""
    change = wall("2026-10-25T01:00")
    clock = WatchClock((ClockStretch(0, 7200), ClockStretch(change, 3600)), change + 86_400)
    assert clock.utc_s(wall("2026-10-25T01:59")) == wall("2026-10-24T23:59")
    assert clock.utc_s(wall("2026-10-25T02:30")) == wall("2026-10-25T01:30")  # the latest
    assert clock.utc_s(wall("2026-10-25T03:00")) == wall("2026-10-25T02:00")


def test_read_before_the_clock_is_set_the_hour_is_the_first_one() -> None:
    """What is read at 02:40, before the sync sets the clock, cannot be of an hour to come."""
    clock = WatchClock((ClockStretch(0, 7200),), wall("2026-10-25T00:40"))
    assert clock.utc_s(wall("2026-10-25T02:30")) == wall("2026-10-25T00:30")


def test_a_spring_night_when_the_clock_was_set_forward() -> None:
    change = wall("2026-03-29T01:00")
    clock = WatchClock((ClockStretch(0, 3600), ClockStretch(change, 7200)), change + 86_400)
    assert clock.utc_s(wall("2026-03-29T01:59")) == wall("2026-03-29T00:59")
    assert clock.utc_s(wall("2026-03-29T03:00")) == change
    # a wall time that nobody lived stays in the latest stretch, and is no error
    assert clock.utc_s(wall("2026-03-29T02:30")) == wall("2026-03-29T00:30")


def test_times_ahead_of_now_stay_in_the_latest_stretch() -> None:
    clock = WatchClock((ClockStretch(0, 0), ClockStretch(NOW_S - 1000, 3600)), NOW_S)
    assert clock.offset_s(NOW_S + 10_000) == 3600


def test_a_wall_time_that_fits_nowhere_belongs_to_what_is_nearest() -> None:
    """A fast clock was five hours behind: its last minute lies past the moment of the setting."""
    clock = WatchClock((ClockStretch(0, -14_400), ClockStretch(NOW_S - 1000, 3600)), NOW_S)
    assert clock.offset_s(NOW_S - 1000 + 60 - 14_400) == -14_400
    assert clock.offset_s(NOW_S - 1000 - 60 + 3600) == 3600


def test_an_unsure_stretch_leaves_the_one_before_until_now() -> None:
    """Somebody set the clock back at some moment since the last sync."""
    last_sync = NOW_S - 50_000
    clock = WatchClock((ClockStretch(0, 7200), ClockStretch(last_sync, 0, sure=False)), NOW_S)
    assert clock.offset_s(NOW_S - 100) == 0
    assert clock.offset_s(NOW_S + 7000) == 7200  # beyond the new clock, so lived by the old one
    sure = WatchClock((ClockStretch(0, 7200), ClockStretch(last_sync, 0)), NOW_S)
    assert sure.offset_s(NOW_S + 7000) == 0


def test_a_day_that_comes_whole_again_was_lived_the_first_time() -> None:
    """The clock was set back at 10:00 of its own: what it shows from 09:00 on came before."""
    change = wall("2026-10-25T08:00")
    latest = WatchClock((ClockStretch(0, 7200), ClockStretch(change, 3600)), change + 86_400)
    first = latest.preferring_first()
    for text, by_latest, by_first in (
        ("2026-10-25T08:59", "2026-10-25T06:59", "2026-10-25T06:59"),
        ("2026-10-25T09:00", "2026-10-25T08:00", "2026-10-25T07:00"),
        ("2026-10-25T09:59", "2026-10-25T08:59", "2026-10-25T07:59"),
        ("2026-10-25T10:00", "2026-10-25T09:00", "2026-10-25T09:00"),
    ):
        assert latest.utc_s(wall(text)) == wall(by_latest)
        assert first.utc_s(wall(text)) == wall(by_first)
    day = [wall(f"2026-10-25T{hour:02}:30") for hour in range(24)]
    assert first.all_utc_s(day) == sorted(map(first.utc_s, day))


def test_a_change_at_an_unknown_moment_tells_no_first_time() -> None:
    last_sync = NOW_S - 50_000
    clock = WatchClock((ClockStretch(0, 7200), ClockStretch(last_sync, 0, sure=False)), NOW_S)
    assert clock.preferring_first().offset_s(NOW_S - 100) == clock.offset_s(NOW_S - 100) == 0
    set_again = WatchClock((*clock.stretches, ClockStretch(NOW_S - 10, 7200)), NOW_S)
    assert set_again.preferring_first().offset_s(NOW_S - 100) == 0


OFFSETS = st.sampled_from([-18_000, -3600, 0, 3600, 7200, 19_800, 50_000])
STRETCHES = st.lists(
    st.tuples(st.integers(0, 1_000_000), OFFSETS, st.booleans()), min_size=1, max_size=5
).map(
    lambda found: tuple(
        ClockStretch(start, offset, sure)
        for start, offset, sure in sorted(found, key=lambda stretch: stretch[0])
    )
)


@given(
    stretches=STRETCHES,
    walls=st.lists(st.integers(-100_000, 1_200_000), max_size=30).map(sorted),
    zoned=st.booleans(),
    first=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_many_at_once_equal_one_at_a_time(
    stretches: tuple[ClockStretch, ...], walls: list[int], zoned: bool, first: bool
) -> None:
    def zone_offset_s(wall_s: int) -> int:
        return 3600 if wall_s < 200_000 else 7200

    clock = WatchClock(stretches, 1_100_000, zone_offset_s if zoned else None, first)
    assert clock.all_utc_s(walls) == [clock.utc_s(wall_s) for wall_s in walls]
    if walls and (steady := clock.steady_offset_s(walls[0], walls[-1])) is not None:
        assert {clock.offset_s(wall_s) for wall_s in walls} == {steady}


@given(
    starts=st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True).map(sorted),
    offsets=st.lists(OFFSETS, min_size=4, max_size=4),
    lived_s=st.integers(0, 5_000_000),
)
@settings(max_examples=200, deadline=None)
def test_what_was_lived_once_comes_back(
    starts: list[int], offsets: list[int], lived_s: int
) -> None:
    """A wall time that only one stretch can have shown is turned back into that very instant."""
    pairs = zip(starts, offsets, strict=False)
    stretches = tuple(
        ClockStretch(start * 100_000 if index else 0, offset)
        for index, (start, offset) in enumerate(pairs)
    )
    clock = WatchClock(stretches, 5_000_000)
    current = [stretch for stretch in stretches if stretch.from_utc_s <= lived_s][-1]
    wall_s = lived_s + current.utc_offset_s
    bounds = [*(stretch.from_utc_s for stretch in stretches[1:]), 5_000_001]
    fitting = [
        wall_s - stretch.utc_offset_s
        for stretch, until in zip(stretches, bounds, strict=True)
        if stretch.from_utc_s <= wall_s - stretch.utc_offset_s < until
    ]
    assert clock.utc_s(wall_s) == fitting[-1]
    if len(set(fitting)) == 1:
        assert clock.utc_s(wall_s) == lived_s
