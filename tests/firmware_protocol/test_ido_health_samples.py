"""What records mean: series in UTC, and plain remarks on what makes no sense."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import METRICS, Decoded, Quality, Series

UTC_CLOCK = WatchClock((ClockStretch(0, 0),), now_utc_s=2_000_000_000)
JUNE_22_S = 1_782_086_400  # 2026-06-22T00:00:00Z
BERLIN_SPRING = WatchClock(  # the watch's clock was set forward at 01:00 UTC of 29 March 2026
    (ClockStretch(0, 3600), ClockStretch(1_774_746_000, 7200)), now_utc_s=1_780_000_000
)
MARCH_29_S = 1_774_742_400  # 2026-03-29T00:00:00Z, as wall seconds
DATE = struct.pack("<HBB", 2026, 6, 22)


def reply(record_type: int, header: bytes, items: bytes = b"", count: int = 0) -> bytes:
    return (
        struct.pack("<BBBHHHIB", 0, record_type, 1, 0, count, len(header), len(items), 0)
        + header
        + items
    )


def samples_of(kind: str, body: bytes, clock: WatchClock = UTC_CLOCK, key: str = "") -> Decoded:
    return FAMILY.samples(RawRecord("ido", kind, key, body, 1), clock)


def only(decoded: Decoded, metric: str) -> Series:
    (found,) = (series for series in decoded.series if series.metric == metric)
    assert set(found.columns) == set(METRICS[metric].column_names)
    assert all(len(column) == len(found) for column in found.columns.values())
    assert len(set(found.start_utc_s)) == len(found)
    return found


def pairs(*items: int) -> bytes:
    return bytes(items)


def stress_day(start: int, items: bytes, date: bytes = DATE) -> bytes:
    header = date + struct.pack("<IBI", start, 1, len(items))
    return reply(2, header, items, len(items) // 2)


def heart_rate_day(start_s: int, items: bytes, resting_bpm: int = 0, date: bytes = DATE) -> bytes:
    header = date + struct.pack("<iBB15xI", start_s, 1, resting_bpm, len(items))
    return reply(3, header, items, len(items) // 2)


def step_day(
    *slots: tuple[int, ...], minutes: int = 15, start_min: int = 0, date: bytes = DATE
) -> bytes:
    items = b"".join(struct.pack("<BHBHHH", *slot) for slot in slots)
    header = b"\x00" + date + struct.pack("<HB", start_min, minutes) + bytes(28)
    return reply(8, header, items, len(slots))


# --- type 02 and 01 ---


def test_the_captured_stress_sample() -> None:
    body = reply(2, bytes.fromhex("EA070616A9030000000200 0000"), b"\x0a\x10", 1)
    series = only(samples_of("health.stress", body), "stress")
    assert list(series.start_utc_s) == [JUNE_22_S + (15 * 60 + 47) * 60]
    assert list(series.columns["stress_score"]) == [16]
    assert series.quality is Quality.PROVEN


def test_the_unit_of_spo2_is_in_the_kind() -> None:
    header = DATE + struct.pack("<IBI", 60, 1, 4)
    body = reply(1, header, pairs(0, 97, 10, 98), 2)
    by_minute = only(samples_of("health.spo2", body), "spo2")
    by_second = only(samples_of("health.spo2_by_second", body), "spo2")
    assert list(by_minute.start_utc_s) == [JUNE_22_S + 3600, JUNE_22_S + 4200]
    assert list(by_second.start_utc_s) == [JUNE_22_S + 60, JUNE_22_S + 70]
    assert by_minute.quality is Quality.PROVISIONAL


def test_no_reading_is_no_sample() -> None:
    decoded = samples_of("health.stress", stress_day(0, pairs(5, 0, 5, 0xFF, 0xFF, 0, 5, 30)))
    series = only(decoded, "stress")
    assert list(series.start_utc_s) == [JUNE_22_S + 60 * 270]
    assert decoded.remarks == ()


def test_values_out_of_range_are_told() -> None:
    decoded = samples_of("health.stress", stress_day(0, pairs(5, 101, 5, 30)))
    assert list(only(decoded, "stress").columns["stress_score"]) == [30]
    assert len(decoded.remarks) == 1


def test_a_day_of_nothing_but_fillers() -> None:
    assert samples_of("health.stress", stress_day(0, pairs(5, 0, 0xFF, 0))) == Decoded()


# --- type 03 ---


def test_heart_rate_and_the_resting_one() -> None:
    items = pairs(0, 65, 0xFF, 0, 0x58, 63, 0x21, 71, 0x1B, 65)
    decoded = samples_of("health.heart_rate", heart_rate_day(62218, items, resting_bpm=65))
    series = only(decoded, "heart_rate")
    assert list(series.start_utc_s) == [
        JUNE_22_S + 62218 + passed for passed in (0, 0xFF + 0x58, 0xFF + 0x79, 0xFF + 0x94)
    ]
    assert list(series.columns["bpm"]) == [65, 63, 71, 65]
    resting = only(decoded, "resting_heart_rate")
    assert (list(resting.start_utc_s), list(resting.columns["bpm"])) == ([JUNE_22_S], [65])


def test_impossible_heart_rates_are_left_out() -> None:
    decoded = samples_of(
        "health.heart_rate", heart_rate_day(0, pairs(1, 29, 1, 30, 1, 220, 1, 221))
    )
    assert list(only(decoded, "heart_rate").columns["bpm"]) == [30, 220]
    assert len(decoded.remarks) == 1


def test_of_two_values_at_one_time_the_last_counts() -> None:
    decoded = samples_of("health.heart_rate", heart_rate_day(10, pairs(0, 60, 0, 61, 5, 62)))
    series = only(decoded, "heart_rate")
    assert list(series.start_utc_s) == [JUNE_22_S + 10, JUNE_22_S + 15]
    assert list(series.columns["bpm"]) == [61, 62]


def test_times_past_the_day_are_cut_off() -> None:
    items = pairs(0xFF, 0) * 700 + pairs(1, 60)
    decoded = samples_of("health.heart_rate", heart_rate_day(0, pairs(1, 60) + items))
    assert list(only(decoded, "heart_rate").start_utc_s) == [JUNE_22_S + 1]
    assert "past the day" in decoded.remarks[0]


@pytest.mark.parametrize("start_s", [-1, 86_401])
def test_a_record_that_starts_outside_its_day(start_s: int) -> None:
    decoded = samples_of("health.heart_rate", heart_rate_day(start_s, pairs(0, 60)))
    assert decoded.series == ()
    assert len(decoded.remarks) == 1


def test_a_date_of_a_clock_that_had_lost_its_time() -> None:
    body = heart_rate_day(600, pairs(0, 61), 55, date=struct.pack("<HBB", 1970, 1, 1))
    wrong = WatchClock((ClockStretch(0, -JUNE_22_S),), now_utc_s=JUNE_22_S + 86_400)
    assert list(only(samples_of("health.heart_rate", body, wrong), "heart_rate").start_utc_s) == [
        JUNE_22_S + 600
    ]
    right = samples_of("health.heart_rate", body)
    assert (right.series, "first of these watches" in right.remarks[0]) == ((), True)


def test_a_day_in_which_the_clock_was_set() -> None:
    """Summer time: the wall hour that never was holds nothing, and nothing comes twice."""
    date = struct.pack("<HBB", 2026, 3, 29)
    items = pairs(0, 60) + pairs(240, 61) * 60
    series = only(
        samples_of("health.heart_rate", heart_rate_day(0, items, date=date), BERLIN_SPRING),
        "heart_rate",
    )
    before = [time for time in series.start_utc_s if time < 1_774_746_000]
    assert before[0] == MARCH_29_S - 3600
    assert series.start_utc_s[-1] == MARCH_29_S + 240 * 60 - 7200


# --- type 08 ---


def test_steps_and_movement() -> None:
    day = step_day((1, 70, 3, 10, 40, 45), (0, 0, 0, 0, 0, 0), (9, 0, 0, 0, 0, 27))
    decoded = samples_of("health.steps", day)
    steps = only(decoded, "steps")
    assert list(steps.start_utc_s) == [JUNE_22_S]
    assert list(steps.columns["steps"]) == [70]
    assert list(steps.columns["duration_s"]) == [900]
    activity = only(decoded, "activity")
    assert list(activity.start_utc_s) == [JUNE_22_S, JUNE_22_S + 1800]
    assert list(activity.columns["intensity"]) == [1, None]
    assert list(activity.columns["active_min"]) == [3, 0]
    assert list(activity.columns["active_energy_kcal"]) == [10, 0]
    assert list(activity.columns["energy_kcal"]) == [45, 27]
    assert list(activity.columns["distance_m"]) == [40, 0]


def test_a_day_of_steps_without_a_gap() -> None:
    decoded = samples_of("health.steps", step_day(*[(1, 5, 1, 1, 4, 2)] * 96))
    assert list(only(decoded, "steps").start_utc_s) == list(
        range(JUNE_22_S, JUNE_22_S + 86_400, 900)
    )
    assert len(only(decoded, "activity")) == 96


def test_rest_without_steps() -> None:
    decoded = samples_of("health.steps", step_day((0, 0, 0, 0, 0, 27)))
    assert [series.metric for series in decoded.series] == ["activity"]


@pytest.mark.parametrize("day", [step_day(), step_day((0, 0, 0, 0, 0, 0))])
def test_a_day_without_movement(day: bytes) -> None:
    assert samples_of("health.steps", day) == Decoded()


def test_slots_without_a_length() -> None:
    assert samples_of("health.steps", step_day((1, 5, 1, 1, 4, 2), minutes=0)).series == ()


def test_slots_past_the_day_are_left_out() -> None:
    decoded = samples_of("health.steps", step_day(*[(1, 5, 1, 1, 4, 2)] * 13, minutes=240))
    assert len(only(decoded, "steps")) == 12
    assert "1 slots" in decoded.remarks[0]
    late = samples_of("health.steps", step_day((1, 5, 1, 1, 4, 2), start_min=60_000))
    assert late.series == ()


def test_steps_of_a_day_in_which_the_clock_was_set() -> None:
    date = struct.pack("<HBB", 2026, 3, 29)
    day = step_day(*[(1, 5, 1, 1, 4, 2)] * 8, minutes=60, date=date)
    steps = only(samples_of("health.steps", day, BERLIN_SPRING), "steps")
    assert list(steps.start_utc_s)[:2] == [MARCH_29_S - 3600, MARCH_29_S]
    assert steps.start_utc_s[-1] == MARCH_29_S + 7 * 3600 - 7200


# --- type 07 ---

NIGHT = bytes.fromhex(
    "0201 EA07091C1729 EA07091D0706 BD01 1500 D700 8800 4900 040C0902 64 4C 1B00 0000 000000000000"
)
NIGHT_START_S = 1_790_638_860  # 2026-09-28T23:41:00Z


def night(items: bytes, count: int, **changes: int) -> bytes:
    header = bytearray(NIGHT)
    header[30:32] = struct.pack("<H", count)
    for place, value in changes.items():
        header[int(place[1:])] = value
    return reply(7, bytes(header), items, count)


def test_a_night_across_midnight() -> None:
    phases = [(2, 215), (4, 136), (3, 73), (1, 21)]
    items = bytes(byte for phase in phases for byte in phase)
    decoded = samples_of("health.sleep", night(items, 4))
    stages = only(decoded, "sleep")
    assert list(stages.start_utc_s) == [
        NIGHT_START_S + 60 * passed for passed in (0, 215, 351, 424)
    ]
    assert list(stages.columns["stage"]) == [2, 4, 3, 1]
    assert list(stages.columns["duration_s"]) == [12_900, 8_160, 4_380, 1_260]
    assert stages.quality is Quality.PROVISIONAL
    summary = only(decoded, "sleep_summary")
    assert {name: column[0] for name, column in summary.columns.items()} == {
        "duration_s": 445 * 60,
        "awake_min": 21,
        "light_min": 215,
        "rem_min": 136,
        "deep_min": 73,
        "sleep_score": 76,
    }
    assert summary.quality is Quality.PROVEN


@pytest.mark.parametrize("items", [b"", b"\x02\xd7", bytes(54), bytes(108)])
def test_phases_that_do_not_fill_the_night(items: bytes) -> None:
    decoded = samples_of("health.sleep", night(items, 27))
    assert [series.metric for series in decoded.series] == ["sleep_summary"]
    assert len(decoded.remarks) == 1


def test_a_stage_without_a_name_is_left_out() -> None:
    decoded = samples_of("health.sleep", night(bytes((2, 215, 9, 136, 3, 73, 1, 21)), 4))
    assert list(only(decoded, "sleep").columns["stage"]) == [2, 3, 1]
    assert len(decoded.remarks) == 1
    unknown = samples_of("health.sleep", night(bytes((9, 255, 9, 190)), 2))
    assert [series.metric for series in unknown.series] == ["sleep_summary"]


def test_a_plain_night_knows_no_rem_and_no_score() -> None:
    decoded = samples_of("health.sleep", night(b"", 0, _1=4, _29=0))
    summary = only(decoded, "sleep_summary")
    assert (summary.columns["rem_min"][0], summary.columns["sleep_score"][0]) == (None, None)


def test_a_night_of_no_minutes() -> None:
    decoded = samples_of("health.sleep", night(b"", 0, _14=0, _15=0))
    assert (decoded.series, len(decoded.remarks)) == ((), 1)


# --- type 04 and 06 ---


def workout(
    bpm: bytes = b"",
    minutes: tuple[tuple[int, int, int], ...] = (),
    splits: tuple[int, ...] = (),
    *,
    interval_s: int = 5,
    duration_s: int = 130,
    distance_m: int = 2500,
    hour: int = 18,
) -> bytes:
    header = struct.pack(
        "<BHBBBBBHBBBIIIIBBBBBBBHHHHHHIIIIIBBBHBBBBBHHHHHHHHHBBBB",
        *(16, 2026, 6, 22, hour, 0, 0, interval_s, 0, 2, 0x30, 300, duration_s, 40, distance_m),
        *(119, 123, 0, 147, 0, 90, 0, 1210, 0, 300, 236, 0, 0, 1, 2, 3, 4, 0, 37, 45, 0),
        *(2026, 6, 22, 18, 2, 10, len(minutes), len(splits), 0, 0, 0, len(bpm), 0, 0, 0),
        *(6, 22, 18, 2),
    )
    items = bpm + b"".join(struct.pack("<HHH", *minute) for minute in minutes)
    items += struct.pack(f"<{len(splits)}H", *splits)
    return reply(4, header, items, len(minutes))


WORKOUT_START_S = JUNE_22_S + 18 * 3600


def test_a_workout() -> None:
    decoded = samples_of(
        "health.workout",
        workout(bytes((0, 118, 250)), ((147, 5, 206), (150, 6, 210), (15, 0, 16)), (300, 310, 320)),
    )
    summary = only(decoded, "workout")
    row = {name: column[0] for name, column in summary.columns.items()}
    assert list(summary.start_utc_s) == [WORKOUT_START_S]
    assert (row["sport"], row["sport_code"], row["duration_s"]) == ("outdoor_run", 0x30, 130)
    assert (row["bpm_avg"], row["bpm_min"]) == (119, None)
    assert row["speed_avg_mps"] == pytest.approx(12.10 / 3.6)
    assert row["speed_max_mps"] is None
    assert (row["training_effect"], row["vo2max_ml_kg_min"]) == (3.7, 45)
    assert (row["warm_up_s"], row["extreme_s"]) == (1, 0)
    beats = only(decoded, "workout_heart_rate")
    assert (list(beats.start_utc_s), list(beats.columns["bpm"])) == ([WORKOUT_START_S + 5], [118])
    minutes = only(decoded, "workout_minute")
    assert list(minutes.columns["duration_s"]) == [60, 60, 10]
    assert list(minutes.columns["distance_m"]) == [206, 210, 16]
    splits = only(decoded, "workout_split")
    assert list(splits.start_utc_s) == [WORKOUT_START_S, WORKOUT_START_S + 300]
    assert list(splits.columns["duration_s"]) == [300, 310]


def test_a_workout_without_parts() -> None:
    decoded = samples_of("health.workout", workout())
    assert [series.metric for series in decoded.series] == ["workout"]


def test_minutes_longer_than_the_workout_says() -> None:
    decoded = samples_of("health.workout", workout(minutes=((1, 1, 1),) * 2, duration_s=30))
    assert list(only(decoded, "workout_minute").columns["duration_s"]) == [60, 60]


def test_beats_without_an_interval() -> None:
    decoded = samples_of("health.workout", workout(bytes((100, 101)), interval_s=0))
    assert list(only(decoded, "workout_heart_rate").columns["bpm"]) == [100]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("health.workout", workout(hour=25)),
        ("health.workout", reply(4, b"\x14" + bytes(120), b"\x01")),
        ("health.workout", stress_day(0, pairs(5, 30))),
        ("health.swim", reply(6, bytes.fromhex("EA0706160A0A0A01") + bytes(25) + b"\x01")),
        ("health.swim", reply(6, bytes.fromhex("EA070D160A0A0A01") + bytes(26))),
        ("health.noise", reply(9, b"\x01")),
        ("health.heart_rate", reply(3, b"\x01")),
        ("health.heart_rate", reply(0x77, b"\x01")),
        ("health.heart_rate", b"\x00"),
        ("health.stress", stress_day(0, pairs(5, 30), date=struct.pack("<HBB", 2026, 13, 1))),
        ("health.stress", stress_day(0, pairs(5, 30), date=bytes(3) + b"\x01")),
        ("health.stress", stress_day(0, pairs(5, 30), date=struct.pack("<HBB", 1970, 1, 1))),
        ("legacy.steps", b"\x08"),
        ("moon.phase", b""),
    ],
)
def test_odd_content_becomes_a_remark(kind: str, body: bytes) -> None:
    decoded = samples_of(kind, body)
    assert decoded.series == ()
    assert len(decoded.remarks) == 1
    assert kind in decoded.remarks[0]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("health.workout", reply(4, bytes(76))),
        ("health.swim", reply(6, bytes(7) + b"\x01" + bytes(26))),
        ("health.sleep", reply(7, bytes(40))),
    ],
)
def test_nothing_stored_says_nothing(kind: str, body: bytes) -> None:
    assert samples_of(kind, body) == Decoded()


# --- battery ---

BATTERY = bytes.fromhex("0205008A0F0140 0000000000000000".replace(" ", ""))


def test_a_battery_reading_is_of_the_second_in_its_key() -> None:
    series = only(samples_of("battery", BATTERY, key="1782000000"), "battery")
    assert list(series.start_utc_s) == [1_782_000_000]
    assert {name: column[0] for name, column in series.columns.items()} == {
        "battery_pct": 64,
        "voltage_mv": 3978,
        "charging": 1,
    }


def test_a_battery_reading_without_a_key_is_of_now() -> None:
    clock = replace(UTC_CLOCK, now_utc_s=5)
    series = only(samples_of("battery", BATTERY[:2] + bytes(4) + b"\x09", clock), "battery")
    assert list(series.start_utc_s) == [5]
    assert series.columns["voltage_mv"][0] is None


@pytest.mark.parametrize("body", [b"", b"\x02", b"\x02\x05", BATTERY[:6] + b"\xff"])
def test_a_battery_reading_without_a_level(body: bytes) -> None:
    assert samples_of("battery", body).series == ()


@given(
    kind=st.sampled_from(
        [
            "battery",
            "health.spo2",
            "health.spo2_by_second",
            "health.stress",
            "health.heart_rate",
            "health.workout",
            "health.swim",
            "health.sleep",
            "health.steps",
            "legacy.steps",
            "legacy.sleep",
            "legacy.heart_rate",
        ]
    ),
    record_type=st.integers(1, 8),
    header=st.binary(max_size=100),
    items=st.binary(max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_noise_never_raises(kind: str, record_type: int, header: bytes, items: bytes) -> None:
    for body in (reply(record_type, header, items, len(items) // 2), header + items):
        for series in samples_of(kind, body).series:
            only(Decoded((series,)), series.metric)


@given(
    start_s=st.integers(0, 86_400),
    items=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=300),
    change_s=st.integers(-200_000, 200_000),
    offset_s=st.sampled_from([-3600, 0, 3600]),
)
@settings(max_examples=100, deadline=None)
def test_bulk_times_equal_single_ones(
    start_s: int, items: list[tuple[int, int]], change_s: int, offset_s: int
) -> None:
    """The fast way of a clock that stood gives what each item alone would give."""
    clock = WatchClock(
        (ClockStretch(0, 3600), ClockStretch(JUNE_22_S + change_s, 3600 + offset_s)),
        now_utc_s=2_000_000_000,
    )
    body = heart_rate_day(start_s, bytes(byte for item in items for byte in item))
    wall_s, expected = JUNE_22_S + start_s, {}
    for offset, bpm in items:
        wall_s += offset
        if 30 <= bpm <= 220 and wall_s <= JUNE_22_S + 2 * 86_400:
            expected[clock.preferring_first().utc_s(wall_s)] = bpm
    decoded = samples_of("health.heart_rate", body, clock)
    found = {
        time: bpm
        for series in decoded.series
        for time, bpm in zip(series.start_utc_s, series.columns["bpm"], strict=True)
    }
    assert found == expected
