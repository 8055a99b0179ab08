"""What a look at two clocks teaches, as plain functions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.clock import ClockStretch
from ksos_link.operations.watch_clock import (
    FROM_EVER_UTC_S,
    SAME_CLOCK_S,
    ClockReading,
    clock_from,
    new_stretch,
    reading_from,
    stretch_after_setting,
    wall_seconds,
)

HOUR_S = 3600
CET = timezone(timedelta(hours=1))
NOON = datetime(2026, 11, 20, 12, tzinfo=CET)
NOON_UTC_S = int(NOON.timestamp())
LAST_SYNC_S = NOON_UTC_S - 10 * HOUR_S


def reading(drift_s: int | None) -> ClockReading:
    wall_s = None if drift_s is None else NOON_UTC_S + HOUR_S + drift_s
    return ClockReading(NOON_UTC_S, wall_s, HOUR_S)


# ---- reading


def test_a_reading_knows_both_clocks() -> None:
    found = reading_from(NOON, datetime(2026, 11, 20, 12, 0, 7))  # noqa: DTZ001 a watch's
    assert found == ClockReading(NOON_UTC_S, NOON_UTC_S + HOUR_S + 7, HOUR_S)
    assert found.drift_s == 7


def test_a_watch_that_tells_no_time_has_no_drift() -> None:
    assert reading_from(NOON, None).drift_s is None


def test_the_hosts_time_must_be_aware() -> None:
    with pytest.raises(ValueError, match="aware"):
        reading_from(datetime(2026, 11, 20), None)  # noqa: DTZ001 the point of the test


def test_wall_seconds_know_no_zone() -> None:
    assert wall_seconds(datetime(1970, 1, 2)) == 86_400  # noqa: DTZ001 a watch's


# ---- what it adds


@pytest.mark.parametrize("drift_s", [None, 0, SAME_CLOCK_S, -SAME_CLOCK_S])
def test_a_first_meeting_with_a_clock_that_is_right(drift_s: int | None) -> None:
    """Zone rules hold for what came before; the drift of seconds is not kept."""
    assert new_stretch((), reading(drift_s), 0) == ClockStretch(NOON_UTC_S, HOUR_S)


@pytest.mark.parametrize("drift_s", [SAME_CLOCK_S + 1, -5 * HOUR_S, -56 * 365 * 86_400])
def test_a_first_meeting_with_a_clock_that_was_always_wrong(drift_s: int) -> None:
    assert new_stretch((), reading(drift_s), 0) == ClockStretch(FROM_EVER_UTC_S, HOUR_S + drift_s)


KNOWN = (ClockStretch(LAST_SYNC_S - 100, HOUR_S),)


@pytest.mark.parametrize("drift_s", [None, 0, SAME_CLOCK_S, -SAME_CLOCK_S])
def test_a_clock_that_kept_its_time_adds_nothing(drift_s: int | None) -> None:
    assert new_stretch(KNOWN, reading(drift_s), LAST_SYNC_S) is None


@pytest.mark.parametrize("drift_s", [SAME_CLOCK_S + 1, -HOUR_S, 9 * HOUR_S])
def test_a_clock_that_somebody_set_is_unsure_since_the_last_sync(drift_s: int) -> None:
    found = new_stretch(KNOWN, reading(drift_s), LAST_SYNC_S)
    assert found == ClockStretch(LAST_SYNC_S, HOUR_S + drift_s, sure=False)


def test_a_change_before_the_first_sync_is_one_since_the_clock_was_set() -> None:
    found = new_stretch(KNOWN, reading(HOUR_S), 0)
    assert found == ClockStretch(KNOWN[0].from_utc_s, 2 * HOUR_S, sure=False)


def test_a_traveller_who_took_the_watch_along_changes_nothing() -> None:
    """The host is an hour further east; the watch still shows what it was set to."""
    moved = ClockReading(NOON_UTC_S, NOON_UTC_S + HOUR_S, 2 * HOUR_S)
    assert moved.drift_s == -HOUR_S
    assert new_stretch(KNOWN, moved, LAST_SYNC_S) is None


def test_setting_begins_a_stretch_only_where_the_offset_changes() -> None:
    assert stretch_after_setting(KNOWN, NOON_UTC_S, HOUR_S) is None
    assert stretch_after_setting(KNOWN, NOON_UTC_S, 2 * HOUR_S) == ClockStretch(
        NOON_UTC_S, 2 * HOUR_S
    )
    assert stretch_after_setting((), NOON_UTC_S, HOUR_S) == ClockStretch(NOON_UTC_S, HOUR_S)


# ---- the clock that records are read by


def test_before_the_first_stretch_the_zone_decides() -> None:
    clock = clock_from((ClockStretch(NOON_UTC_S, HOUR_S),), NOON_UTC_S, "Europe/Berlin")
    july = wall_seconds(datetime(2026, 7, 1, 12))  # noqa: DTZ001 a watch's
    assert clock.utc_s(july) == int(datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("zone", [None, "Nowhere/Atlantis", "../../etc/passwd", ""])
def test_a_zone_that_is_not_known_leaves_the_first_stretch(zone: str | None) -> None:
    clock = clock_from((ClockStretch(NOON_UTC_S, HOUR_S),), NOON_UTC_S, zone)
    july = wall_seconds(datetime(2026, 7, 1, 12))  # noqa: DTZ001 a watch's
    assert clock.utc_s(july) == july - HOUR_S


@given(
    offset_h=st.integers(-12, 14),
    moves=st.lists(st.tuples(st.integers(3, 90), st.integers(0, 12)), min_size=1, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_read_before_the_clock_is_set_lands_where_it_was_lived(
    offset_h: int, moves: list[tuple[int, int]]
) -> None:
    """Eastward journeys of any number, a sync after each: every hour keeps its instant."""
    offset_s = offset_h * HOUR_S
    stretches: tuple[ClockStretch, ...] = (ClockStretch(NOON_UTC_S, offset_s),)
    now_s, lived = NOON_UTC_S, list[tuple[int, int]]()
    for hours, moved_h in moves:
        lived += [(at, at + offset_s) for at in range(now_s + 60, now_s + hours * HOUR_S, 1800)]
        now_s += hours * HOUR_S
        host_offset_s = offset_s + moved_h * HOUR_S
        look = ClockReading(now_s, now_s + offset_s, host_offset_s)
        assert new_stretch(stretches, look, now_s - hours * HOUR_S) is None
        clock = clock_from(stretches, now_s, None)
        assert [clock.utc_s(wall_s) for _, wall_s in lived] == [at for at, _ in lived]
        added = stretch_after_setting(stretches, now_s, host_offset_s)
        stretches = (*stretches, added) if added else stretches
        offset_s = host_offset_s
