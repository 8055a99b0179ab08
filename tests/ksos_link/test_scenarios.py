"""Scenarios and the days they make: like a person's, the same each time, and fit for the wire."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import DayMemory, SleepMemory, WatchMemory, WorkoutMemory
from ksos_link.errors import KsosError, NotFoundError, UsageError
from ksos_link.virtual_watch.faults import FaultySession
from ksos_link.virtual_watch.scenarios import (
    load_scenario,
    open_virtual_watch,
    parse_scenario,
    scenario_names,
)
from ksos_link.virtual_watch.sensors import memory_for

COMMAND_WRITE = "00000af6-0000-1000-8000-00805f9b34fb"
COMMAND_NOTIFY = "00000af7-0000-1000-8000-00805f9b34fb"
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 15, 30, 5, tzinfo=timezone(timedelta(hours=2)))
SMALL = 'title = "t"\nbound = true\ndays = 1\n'
WORKOUT = """
[[workouts]]
sport_code = 0x30
start = "07:00"
duration_min = 30
steps_per_min = 160
metres_per_min = 170
bpm = 150
"""

dates = st.dates(date(2020, 1, 1), date(2035, 12, 31))
names = st.sampled_from(scenario_names())
seeds = st.integers(0, 10**6)


def memory(name: str, *, today: date = TODAY, seed: int = 1) -> WatchMemory:
    return memory_for(load_scenario(name), today=today, seed=seed)


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def minutes_in(night: SleepMemory, *stages: SleepStage) -> int:
    return sum(minutes for stage, minutes in night.phases if stage in stages)


def night_end(night: SleepMemory) -> int:
    return night.start_wall_s + 60 * minutes_in(night, *SleepStage)


# ---- the files ----


def test_the_scenarios_that_the_commands_promise() -> None:
    promised = {"quiet-day", "full-day", "month", "runner", "empty", "never-bound", "short"}
    assert promised <= set(scenario_names())
    assert all(load_scenario(name).title for name in scenario_names())
    assert [name for name in scenario_names() if not load_scenario(name).bound] == ["never-bound"]


def test_an_unknown_scenario_names_the_choices() -> None:
    with pytest.raises(NotFoundError) as caught:
        load_scenario("../full-day")
    assert "quiet-day" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("days =", "TOML"),
        (SMALL + "moon = 1", "moon"),
        (SMALL.replace("days = 1", "days = -1"), "days"),
        (SMALL.replace("days = 1", "days = true"), "days"),
        (SMALL.replace("days = 1", ""), "days"),
        (SMALL.replace("true", '"yes"'), "bound"),
        (SMALL.replace('"t"', "7"), "title"),
        (SMALL + 'bedtime = "25:00"', "bedtime"),
        (SMALL + 'bedtime = "9:00"', "bedtime"),
        (SMALL + "bedtime = 9", "bedtime"),
        (SMALL + "workouts = 3", "workouts"),
        (SMALL + "workouts = [3]", "workouts"),
        (SMALL + WORKOUT + "phase = 1", "phase"),
        (SMALL + WORKOUT.replace("07:00", "23:25"), "midnight"),
        (SMALL + WORKOUT + "bpm_max = 1", "workout 1"),
        (SMALL + WORKOUT.replace("0x30", "0x130"), "sport_code"),
    ],
)
def test_a_wrong_file_is_told_plainly(text: str, blamed: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_scenario("mine", text)
    assert blamed in str(caught.value)
    assert "mine" in str(caught.value)


def test_what_a_file_leaves_out_is_common() -> None:
    scenario = parse_scenario("mine", SMALL + WORKOUT)
    assert (scenario.resting_bpm, scenario.recorded_until_min) == (60, 24 * 60)
    assert scenario.workouts[0].every_days == 1


# ---- the days ----


@settings(deadline=None, max_examples=25)
@given(names, dates, seeds)
def test_a_day_hangs_together(name: str, today: date, seed: int) -> None:
    kept = memory(name, today=today, seed=seed)
    scenario = load_scenario(name)
    first_day = today - timedelta(days=scenario.days - 1)
    assert [day.day for day in kept.days] == [
        first_day + timedelta(days=ahead) for ahead in range(scenario.days)
    ]
    for day in kept.days:
        check_readings(day)
        check_movement(day, kept.workouts)
    for night in kept.nights:
        check_night(night)
    for workout in kept.workouts:
        check_workout(workout)
    for before, after in pairwise(kept.workouts):
        assert before.start_wall_s + before.duration_s <= after.start_wall_s
    for one, next_one in pairwise(kept.nights):
        assert night_end(one) < next_one.start_wall_s


def check_readings(day: DayMemory) -> None:
    begin_s, end_s = midnight(day.day), midnight(day.day) + 86_400
    for readings, low, high in (
        (day.heart_rate, 40, 205),
        (day.spo2, 90, 100),
        (day.stress, 1, 99),
    ):
        times = [reading.wall_s for reading in readings]
        assert times == sorted(set(times))
        assert all(begin_s <= wall_s < end_s for wall_s in times)
        assert all(low <= reading.value <= high for reading in readings)
    assert all(reading.wall_s % 60 == 0 for reading in day.spo2 + day.stress)
    assert day.resting_bpm is not None
    assert 40 <= day.resting_bpm <= 70


def check_movement(day: DayMemory, workouts: list[WorkoutMemory]) -> None:
    begin_s = midnight(day.day)
    starts = [begin_s + 900 * index for index in range(len(day.movement))]
    assert [slot.wall_s for slot in day.movement] == starts
    for slot in day.movement:
        assert slot.minutes == 15
        assert 0 <= slot.active_min <= 15
        assert 0 <= slot.active_energy_kcal < slot.energy_kcal <= 400
        assert slot.steps <= 15 * 240
        assert (slot.intensity == 0) == (slot.steps == 0 and slot.active_min == 0)
        assert slot.steps > 0 or slot.distance_m == 0
    for workout in workouts:
        if begin_s <= workout.start_wall_s < begin_s + 86_400:
            touched = [
                slot
                for slot in day.movement
                if slot.wall_s + 900 > workout.start_wall_s
                and slot.wall_s < workout.start_wall_s + workout.duration_s
            ]
            assert sum(slot.steps for slot in touched) >= sum(m.steps for m in workout.minutes)
            assert all(slot.intensity == 3 for slot in touched)
            beats = [bpm for bpm in workout.bpm if bpm]
            inside = [
                reading.value
                for reading in day.heart_rate
                if 0 <= reading.wall_s - workout.start_wall_s < workout.duration_s
            ]
            assert inside[: len(beats)] == beats


def check_night(night: SleepMemory) -> None:
    assert night.start_wall_s % 60 == 0
    assert all(minutes > 0 for _, minutes in night.phases)
    assert all(one != other for (one, _), (other, _) in pairwise(night.phases))
    assert all(minutes <= 255 for _, minutes in night.phases)
    assert 0 <= night.sleep_score <= 100
    if minutes_in(night, *SleepStage) > 300:
        half = minutes_in(night, *SleepStage) // 2
        minutes = [stage for stage, length in night.phases for _ in range(length)]
        early, late = minutes[:half], minutes[half:]
        assert early.count(SleepStage.DEEP) > late.count(SleepStage.DEEP)
        assert early.count(SleepStage.REM) < late.count(SleepStage.REM)
        assert minutes_in(night, SleepStage.AWAKE) < 60


def check_workout(workout: WorkoutMemory) -> None:
    assert len(workout.minutes) == -(-workout.duration_s // 60)
    assert len(workout.bpm) == -(-workout.duration_s // workout.bpm_interval_s)
    assert all(bpm == 0 or 60 <= bpm <= 205 for bpm in workout.bpm)
    distance_m = sum(minute.distance_m for minute in workout.minutes)
    assert len(workout.split_s) == distance_m // 1000
    assert sum(workout.split_s) <= workout.duration_s
    assert all(200 < seconds < 900 for seconds in workout.split_s)


@settings(deadline=None, max_examples=10)
@given(names, dates, seeds)
def test_a_date_reads_the_same_from_every_day(name: str, today: date, seed: int) -> None:
    kept = memory(name, today=today, seed=seed)
    later = memory(name, today=today + timedelta(days=1), seed=seed)
    assert kept == memory(name, today=today, seed=seed)
    assert kept.days[1:] == later.days[:-1]
    assert kept.nights[1:] == later.nights[:-1]
    if kept.days:
        assert memory(name, today=today, seed=seed + 1).days != kept.days


def test_heart_rate_is_low_at_night_and_high_in_a_workout() -> None:
    kept = memory("full-day")
    night, day = kept.nights[1], kept.days[1]
    asleep = [
        reading.value
        for reading in day.heart_rate
        if night.start_wall_s <= reading.wall_s < night_end(night)
    ]
    awake = [r.value for r in day.heart_rate if r.wall_s >= night_end(night)]
    assert 53 <= sum(asleep) / len(asleep) <= 62
    assert sum(awake) / len(awake) > sum(asleep) / len(asleep) + 12
    assert max(awake) > 110


def test_a_common_day_adds_up_to_a_common_total() -> None:
    for day in memory("month").days:
        steps = sum(slot.steps for slot in day.movement)
        assert 4500 < steps < 15_500
        assert 0.6 < sum(slot.distance_m for slot in day.movement) / steps < 0.9
        assert 1700 < sum(slot.energy_kcal for slot in day.movement) < 2600


def test_what_each_scenario_is_for() -> None:
    assert memory("empty") == WatchMemory()
    quiet = memory("quiet-day")
    assert (len(quiet.days), quiet.workouts) == (1, [])
    assert sum(slot.steps for slot in quiet.days[0].movement) < 3000
    assert len(memory("month").days) == len(memory("month").nights) == 30
    runs = [workout for workout in memory("runner").workouts if workout.sport_code == 0x30]
    assert len(runs) >= 3
    assert all(len(run.split_s) >= 5 for run in runs)
    assert memory("never-bound") == memory("full-day")
    short = memory("short").days[0]
    assert (len(short.movement), len(short.heart_rate), len(short.stress)) == (4, 4, 1)
    assert sum(slot.steps for slot in short.movement) > 0
    assert len(memory("short").nights) == 1


def test_measurements_can_be_switched_off() -> None:
    text = SMALL + 'heart_rate_interval_s = 0\nsteps_per_day = 0\nrecorded_until = "06:00"'
    kept = memory_for(parse_scenario("mine", text), today=TODAY, seed=1)
    assert kept.days[0].heart_rate == kept.days[0].spo2 == kept.days[0].stress == ()
    assert [slot.steps for slot in kept.days[0].movement] == [0] * 24


# ---- opening ----


def opened(**query: str) -> FaultySession:
    return open_virtual_watch("ido", query, now=NOW)[0]


def connect(session: FaultySession, now_s: float = 50.0) -> None:
    session.link_opened(now_s)
    session.subscribed(COMMAND_NOTIFY, now_s)
    session.data_to_send()


def ask(session: FaultySession, data: str, now_s: float = 50.0) -> bytes:
    session.receive_write(COMMAND_WRITE, bytes.fromhex(data), now_s)
    [(uuid, reply)] = session.data_to_send()
    assert uuid == COMMAND_NOTIFY
    return reply


def test_a_watch_shows_itself_as_captured() -> None:
    _, identity = open_virtual_watch("ido", {}, now=NOW)
    assert (identity.address, identity.name) == ("F9:24:12:00:00:01", "Band 8")
    assert identity.service_uuids == ("00000af0-0000-1000-8000-00805f9b34fb",)
    assert identity.manufacturer_data.hex() == "1402f92412000001020211000100"
    _, other = open_virtual_watch("ido", {"address": "f9:24:12:00:00:0a"}, now=NOW)
    assert other.address == "F9:24:12:00:00:0A"
    assert other.manufacturer_data[2:8].hex() == "f9241200000a"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, "ea070b140f1e05"),
        ({"now": "2026-12-24T08:00"}, "ea070c18080000"),
        ({"now": "2026-12-24T08:00:01+05:00"}, "ea070c18080001"),
        ({"today": "2026-12-24"}, "ea070c180f1e05"),
    ],
)
def test_the_wall_clock(query: Mapping[str, str], shown: str) -> None:
    session = opened(**query)
    connect(session)
    assert ask(session, "0203")[2:9].hex() == shown
    assert ask(session, "0203", 110.0)[7] == (int(shown[10:12], 16) + 1)


def test_the_clock_runs_on_the_callers_time() -> None:
    session, _ = open_virtual_watch("ido", {}, now=NOW, now_s=20.0)
    connect(session, 80.0)
    assert ask(session, "0203", 80.0)[7] == 31


def test_switches_reach_the_watch() -> None:
    session = opened(battery="12", bound="no", option="three_part_version", fault="drop@2")
    connect(session)
    identity = ask(session, "0201")
    assert (identity[7], identity[8]) == (12, 0)
    session.receive_write(COMMAND_WRITE, bytes.fromhex("02eb"), 50.0)
    assert session.data_to_send() == []
    assert ask(session, "02eb").hex() == "02eb01002400010001010001"
    for query, bound in (({}, 1), ({"scenario": "never-bound"}, 0)):
        session = opened(**query)
        connect(session)
        assert ask(session, "0201")[8] == bound


def test_a_restart_in_the_middle_shows_its_flag() -> None:
    session = opened(fault="reboot@1")
    connect(session)
    session.receive_write(COMMAND_WRITE, bytes.fromhex("0201"), 50.0)
    assert (session.data_to_send(), session.link_must_drop) == ([], True)
    session.link_lost(51.0)
    connect(session, 52.0)
    assert ask(session, "0201", 52.0)[9] == 1


def test_another_sequence_number_is_the_watchs_own_doing() -> None:
    session = opened(fault="wrong-sequence@1")
    connect(session)
    request = "33daaddaad010b001a0002005ff9"
    assert ask(session, request)[10:12] == b"\x02\x01"
    assert ask(session, request)[10:12] == b"\x02\x00"


def test_the_seed_and_the_scenario_make_the_readings() -> None:
    totals = []
    for query in ({}, {"seed": "2"}, {"scenario": "quiet-day"}, {"scenario": "empty"}, {}):
        session = opened(**query)
        connect(session)
        totals.append(ask(session, "02a0"))
    assert totals[0] == totals[4]
    assert len(set(totals)) == 4
    assert totals[3][2:18] == bytes(16)


@pytest.mark.parametrize(
    "query",
    [
        {"scenario": "nowhere"},
        {"colour": "red"},
        {"seed": "x"},
        {"fault": "burn"},
        {"option": "turbo"},
        {"now": "yesterday"},
        {"today": "2026-13-01"},
        {"today": "0001-01-01"},
        {"today": "9999-12-31"},
        {"now": "1969-06-01T10:00"},
        {"now": "2026-12-24T08:00", "today": "2026-12-24"},
        {"bound": "maybe"},
        {"battery": "101"},
        {"battery": "full"},
        {"address": "F9:24"},
    ],
)
def test_a_wrong_address_is_told_plainly(query: Mapping[str, str]) -> None:
    with pytest.raises(KsosError) as caught:
        open_virtual_watch("ido", query, now=NOW)
    assert caught.value.exit_code in (2, 3)


def test_an_unknown_family_names_the_choices() -> None:
    with pytest.raises(NotFoundError) as caught:
        open_virtual_watch("sundial", {}, now=NOW)
    assert "ido" in caught.value.hint
