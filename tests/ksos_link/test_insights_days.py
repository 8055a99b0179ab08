"""Days, nights and workouts out of samples: what adds up, and what is missing and why."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS, Quality
from firmware_protocol.settings import Goal, Wearer
from ksos_link.insights.about import About, Absence, Gap, LocalDay, gaps, joined, local_days
from ksos_link.insights.columns import gather
from ksos_link.insights.day import DaySummary, day_summary
from ksos_link.insights.figure import Figure
from ksos_link.insights.measures import MEASURES
from tests.ksos_link.made_up_samples import UTC_CLOCK, MadeUp, clock_of, utc_s

HOUR = 3600
DAY = 86_400
MIDNIGHT = utc_s("2026-03-10T00:00+00:00")
TODAY = LocalDay(date(2026, 3, 10), MIDNIGHT, MIDNIGHT + DAY)
WEARER = Wearer(birth_date=date(1991, 3, 11), sex="male", weight_kg=75.0)  # 34 years
LONG_AFTER = MIDNIGHT + 30 * DAY


def about(made_up: MadeUp, **changed: Any) -> About:
    known: dict[str, Any] = {
        "utc_offset_s": UTC_CLOCK,
        "now_utc_s": LONG_AFTER,
        "wearer": WEARER,
        "goal": Goal(steps=8000, sleep_min=480),
        "read_until_utc_s": LONG_AFTER,
        "known": made_up.known,
    }
    return About(**{**known, **changed})


def summed_up(made_up: MadeUp, day: LocalDay = TODAY, **changed: Any) -> DaySummary:
    return day_summary(day, made_up, about(made_up, **changed))


def night_of(made_up: MadeUp, start: int, hours: int = 8) -> None:
    """Stages of an hour: light, but the second deep and the last REM; and readings meanwhile."""
    for hour in range(hours):
        stage = {1: 3, hours - 1: 4}.get(hour, 2)
        made_up.add("sleep", start + hour * HOUR, duration_s=HOUR, stage=stage)
    made_up.every("heart_rate", start, 300, "bpm", [52] * (hours * 12))


# what is read


def test_of_two_watches_one_counts_hour_by_hour() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", MIDNIGHT, 600, "bpm", [60] * 12)  # two hours, six each
    for place in range(30):
        made_up.add("heart_rate", MIDNIGHT + HOUR + 100 * place, device="other", bpm=90)
    made_up.add("heart_rate", MIDNIGHT + 9 * HOUR, device="other", bpm=70)
    columns = gather(made_up, "heart_rate", MIDNIGHT, MIDNIGHT + DAY)
    assert list(columns.integers("bpm")) == [60] * 6 + [90] * 30 + [70]
    assert list(columns.start_utc_s) == sorted(columns.start_utc_s)


def test_the_same_workout_on_two_watches_counts_once() -> None:
    """The wrist's are longer; of the file only what overlaps none of them is taken."""
    made_up = MadeUp()
    for hour in (1, 5, 9, 12, 15):
        made_up.workout(MIDNIGHT + hour * HOUR, 1800, "run")
    for start in (HOUR - 60, 3 * HOUR, 5 * HOUR + 1799, 9 * HOUR + 1800):
        made_up.add(
            "workout", MIDNIGHT + start, device="file", duration_s=600, sport="cycle", sport_code=2
        )
    columns = gather(made_up, "workout", MIDNIGHT, MIDNIGHT + DAY)
    found = zip(columns.start_utc_s, columns.columns["device"], strict=True)
    assert [((start - MIDNIGHT) / HOUR, device) for start, device in found] == [
        *((1, "wrist"), (3, "file"), (5, "wrist"), (9, "wrist"), (9.5, "file")),
        *((12, "wrist"), (15, "wrist")),
    ]


def test_no_reading_is_no_reading() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", MIDNIGHT, 60, "bpm", [0, 255, 19, 60, 250, 251])
    made_up.every("spo2", MIDNIGHT, 60, "spo2_pct", [0, 97, 255])
    assert list(gather(made_up, "heart_rate", 0, LONG_AFTER).integers("bpm")) == [60, 250]
    assert list(gather(made_up, "spo2", 0, LONG_AFTER).integers("spo2_pct")) == [97]
    made_up.add("activity", MIDNIGHT, duration_s=900, distance_m=-1)
    made_up.add("activity", MIDNIGHT + 900, duration_s=900, distance_m=0)
    assert list(gather(made_up, "activity", 0, LONG_AFTER).integers("distance_m")) == [0]


def test_what_a_reader_gives_beyond_the_stretch_is_left_out() -> None:
    made_up = MadeUp()
    made_up.every("weight", MIDNIGHT, DAY, "weight_kg", [70.0, 71.0])
    everything = list(made_up("weight", 0, LONG_AFTER))
    columns = gather(lambda *_: everything, "weight", MIDNIGHT, MIDNIGHT + DAY)
    assert columns.known("weight_kg") == [70.0]
    assert columns.quality is Quality.PROVEN


# the calendar


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)],
)
def test_days_of_summer_time(day: date, hours: int) -> None:
    (local,) = local_days(day, day, clock_of("Europe/Berlin"))
    assert (local.end_utc_s - local.start_utc_s) / HOUR == hours


def test_days_follow_each_other_through_a_journey() -> None:
    """Berlin until the tenth at noon, then Tokyo: that day has sixteen hours."""
    berlin, tokyo = clock_of("Europe/Berlin"), clock_of("Asia/Tokyo")
    noon = utc_s("2026-03-10T12:00+00:00")

    def travelling(at: int) -> int:
        return berlin(at) if at < noon else tokyo(at)

    days = list(local_days(date(2026, 3, 9), date(2026, 3, 11), travelling))
    assert [(day.end_utc_s - day.start_utc_s) / HOUR for day in days] == [24, 16, 24]
    assert [one.end_utc_s for one in days[:-1]] == [one.start_utc_s for one in days[1:]]


def test_clocks_in_1970_and_2099() -> None:
    for first in (date(1970, 1, 1), date(2099, 12, 30)):
        (day,) = local_days(first, first, clock_of("America/New_York"))
        assert day.end_utc_s - day.start_utc_s == DAY


# what is missing, and why


def test_reasons() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", MIDNIGHT, 600, "bpm", [60] * 144)
    made_up.add("spo2", MIDNIGHT - DAY, spo2_pct=97)
    made_up.add("workout", MIDNIGHT - DAY, duration_s=60, sport="run", sport_code=1)
    figures = summed_up(made_up).figures
    assert figures["noise_level_db"].reason == Absence.NEVER
    assert figures["spo2_mean_pct"].reason == Absence.NOT_MEASURED
    assert figures["workouts"].reason == Absence.NO_WORKOUT
    after = LocalDay(date(2026, 3, 11), MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    assert summed_up(made_up, after).figures["bpm_mean"].reason == Absence.NOT_WORN
    for read in (None, MIDNIGHT + DAY):
        unread = summed_up(made_up, after, read_until_utc_s=read)
        assert unread.figures["bpm_mean"].reason == Absence.NOT_READ
    early = summed_up(made_up, after, now_utc_s=MIDNIGHT + DAY)
    assert early.figures["bpm_mean"].reason == Absence.TO_COME
    assert {figure.reason for figure in early.figures.values()} == {Absence.TO_COME}


def test_an_empty_store() -> None:
    empty = summed_up(MadeUp(), wearer=None, goal=None, read_until_utc_s=None)
    assert {figure.reason for figure in empty.figures.values()} == {Absence.NEVER}
    assert empty.gaps == (Gap(MIDNIGHT, MIDNIGHT + DAY, Absence.NOT_READ),)
    assert (empty.recorded, empty.workouts, empty.night.sleep) == ((), (), None)
    assert not empty.complete
    assert empty.steps_by_hour == (None,) * 24


def test_gaps_by_their_reasons() -> None:
    made_up = MadeUp()
    until = MIDNIGHT + 15 * HOUR
    known = about(made_up, read_until_utc_s=until, now_utc_s=MIDNIGHT + 20 * HOUR)
    worn = joined([(MIDNIGHT + 2 * HOUR, MIDNIGHT + 10 * HOUR)], 0)
    assert gaps(TODAY, worn, known) == (
        Gap(MIDNIGHT, MIDNIGHT + 2 * HOUR, Absence.NOT_WORN),
        Gap(MIDNIGHT + 10 * HOUR, until, Absence.NOT_WORN),
        Gap(until, MIDNIGHT + 20 * HOUR, Absence.NOT_READ),
        Gap(MIDNIGHT + 20 * HOUR, MIDNIGHT + DAY, Absence.TO_COME),
    )


def test_spans_join() -> None:
    assert joined([(5, 9), (0, 3), (20, 20), (8, 8)], 2) == ((0, 9), (20, 20))


# days


def test_a_day_by_hand() -> None:
    made_up = MadeUp()
    made_up.add("steps", MIDNIGHT + 8 * HOUR, duration_s=900, steps=1500)
    made_up.add("steps", MIDNIGHT + 8 * HOUR + 900, duration_s=900, steps=500)
    made_up.add("steps", MIDNIGHT + 20 * HOUR, duration_s=900, steps=4000)
    slots: list[dict[str, int | None]] = [
        {"intensity": 2, "active_min": 10, "active_energy_kcal": 50, "energy_kcal": 70},
        {"intensity": 3, "active_min": None, "active_energy_kcal": 100, "energy_kcal": 120},
        {"intensity": None, "active_min": None, "active_energy_kcal": None, "energy_kcal": None},
    ]
    for place, slot in enumerate(slots):
        made_up.add(
            "activity", MIDNIGHT + 8 * HOUR + 900 * place, duration_s=900, distance_m=400, **slot
        )
    day = summed_up(made_up)
    values = {name: figure.value for name, figure in day.figures.items()}
    assert values["steps"] == 6000
    assert day.figures["steps"].readings == 3
    assert values["steps_goal_pct"] == 75
    assert (values["distance_m"], day.figures["distance_m"].readings) == (1200, 3)
    assert (values["active_energy_kcal"], values["energy_kcal"]) == (150, 190)
    assert day.figures["energy_kcal"].readings == 2
    assert (values["moderate_min"], values["vigorous_min"]) == (10, 15)
    assert values["active_min"] == 10
    assert day.steps_by_hour[8] == 2000
    assert day.steps_by_hour[20] == 4000
    assert day.steps_by_hour[9] is None
    assert day.complete
    assert day.quality == {"steps": Quality.PROVEN, "activity": Quality.PROVEN}


def test_what_the_watch_left_out_of_its_activity() -> None:
    made_up = MadeUp()
    made_up.add("activity", MIDNIGHT, duration_s=900, distance_m=10)
    figures = summed_up(made_up, goal=None).figures
    assert figures["active_energy_kcal"].reason == "the watch did not say"
    assert figures["moderate_min"].reason == "the watch told no intensity"
    assert figures["distance_goal_pct"].reason == "no goal is set"


def test_levels_of_a_day() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", MIDNIGHT + 9 * HOUR, 300, "bpm", [60, 120, 180])
    made_up.add("resting_heart_rate", MIDNIGHT, bpm=60)
    made_up.every("stress", MIDNIGHT + 9 * HOUR, 300, "stress_score", [0, 30, 80, 90])
    made_up.every("spo2", MIDNIGHT + 9 * HOUR, 300, "spo2_pct", [88, 96])
    made_up.every("temperature", MIDNIGHT, 300, "temperature_c", [33.0, 34.0])
    made_up.every("noise", MIDNIGHT, 600, "noise_db", [88.0] * 24)
    made_up.every("weight", MIDNIGHT, 600, "weight_kg", [70.5, 70.1])
    day = summed_up(made_up)
    values = {name: figure.value for name, figure in day.figures.items()}
    assert (values["bpm_mean"], values["bpm_least"], values["bpm_most"]) == (120, 60, 180)
    assert day.figures["resting_bpm"].method == "the watch's own"
    assert values["zone_5_min"] == 5
    assert (values["stress_mean_score"], values["stress_most_score"]) == (50, 90)
    assert [values[f"stress_{low}_pct"] for low in (0, 25, 50, 75)] == [25, 25, 0, 50]
    assert (values["spo2_least_pct"], values["spo2_low_pct"]) == (88, 50)
    assert values["temperature_mean_c"] == 33.5
    assert values["noise_dose_pct"] == pytest.approx(100)
    assert values["noise_level_db"] == pytest.approx(88)
    assert values["weight_kg"] == 70.1


def test_a_scale_alone_is_no_watch_worn() -> None:
    made_up = MadeUp()
    made_up.add("weight", MIDNIGHT + HOUR, weight_kg=70.0)
    made_up.add("steps", MIDNIGHT - DAY, duration_s=900, steps=4)
    day = summed_up(made_up)
    assert day.figures["weight_kg"].value == 70
    assert day.figures["steps"].reason == Absence.NOT_WORN
    assert day.recorded == ()


def test_variability_only_from_beats() -> None:
    made_up = MadeUp()
    made_up.every("rr_interval", MIDNIGHT, 1, "rr_ms", [1000, 1040] * 200)
    made_up.add("heart_rate_variability", MIDNIGHT, rmssd_ms=77.0)
    figures = summed_up(made_up).figures
    assert figures["rmssd_ms"].value == pytest.approx(40)
    assert figures["pnn50_pct"].value == 0
    assert figures["sdnn_ms"].value == pytest.approx(20.025, abs=0.01)


def test_nobody_said_who_wears_it() -> None:
    made_up = MadeUp()
    made_up.every("heart_rate", MIDNIGHT, 300, "bpm", [60] * 10)
    figures = summed_up(made_up, wearer=None).figures
    assert figures["zone_1_min"] == Figure(None, "min", 10, "nobody said when the wearer was born")
    assert figures["bpm_mean"].value == 60


def test_a_day_in_progress_is_not_complete() -> None:
    made_up = MadeUp()
    made_up.add("steps", MIDNIGHT, duration_s=900, steps=4)
    assert not summed_up(made_up, read_until_utc_s=MIDNIGHT + DAY - 1).complete
    assert not summed_up(made_up, now_utc_s=MIDNIGHT + HOUR).complete


def test_hours_of_a_long_day() -> None:
    made_up = MadeUp()
    (day,) = local_days(date(2026, 10, 25), date(2026, 10, 25), clock_of("Europe/Berlin"))
    made_up.add("steps", day.end_utc_s - 900, duration_s=900, steps=7)
    hours = summed_up(made_up, day).steps_by_hour
    assert len(hours) == 25
    assert hours[-1] == 7


# nights


def test_a_night_over_midnight_belongs_to_the_day_of_waking() -> None:
    made_up = MadeUp()
    night_of(made_up, MIDNIGHT - 2 * HOUR)
    made_up.add("sleep_summary", MIDNIGHT - 2 * HOUR, duration_s=8 * HOUR, awake_min=0,
                light_min=1, deep_min=1, sleep_score=83)  # fmt: skip
    made_up.every("spo2", MIDNIGHT, HOUR, "spo2_pct", [95, 97])
    made_up.every("temperature", MIDNIGHT, HOUR, "temperature_c", [33.0])
    day = summed_up(made_up)
    values = {name: figure.value for name, figure in day.figures.items()}
    assert (values["asleep_min"], values["deep_min"], values["rem_min"]) == (480, 60, 60)
    assert values["efficiency_pct"] == 100
    assert (values["onset_local_min"], values["wake_local_min"]) == (-120, 360)
    assert values["midpoint_local_min"] == 120
    assert values["sleep_goal_pct"] == 100
    assert values["sleep_score"] == 83
    assert (values["night_bpm_mean"], values["night_bpm_least"]) == (52, 52)
    assert (values["night_spo2_mean_pct"], values["night_spo2_least_pct"]) == (96, 95)
    assert values["night_temperature_c"] == 33
    assert values["resting_bpm"] == 52
    assert values["vo2max_at_rest_ml_kg_min"] == pytest.approx(15.3 * (208 - 0.7 * 34) / 52)
    assert day.figures["resting_bpm"].method == "lowest mean of half an hour of sleep"
    assert values["nap_min"] == 0
    before = LocalDay(date(2026, 3, 9), MIDNIGHT - DAY, MIDNIGHT)
    assert summed_up(made_up, before).night.sleep is None


def test_naps_beside_a_night_and_without_one() -> None:
    made_up = MadeUp()
    night_of(made_up, MIDNIGHT - HOUR)
    made_up.add("sleep", MIDNIGHT + 14 * HOUR, duration_s=1800, stage=2)
    day = summed_up(made_up)
    assert (day.figures["asleep_min"].value, day.figures["nap_min"].value) == (480, 30)
    assert day.figures["night_spo2_mean_pct"].reason == Absence.NEVER
    made_up.rows["sleep"] = made_up.rows["sleep"][-1:]
    day = summed_up(made_up)
    reason = "no sleep of three hours or more was recorded"
    assert day.figures["asleep_min"].reason == reason
    assert day.figures["efficiency_pct"] == Figure(None, "%", 1, reason)
    assert day.figures["nap_min"].value == 30
    assert day.figures["sleep_goal_pct"].reason == reason


def test_a_watch_that_knows_no_rem_sleep() -> None:
    made_up = MadeUp()
    made_up.add("sleep", MIDNIGHT, duration_s=4 * HOUR, stage=2)
    assert summed_up(made_up).figures["rem_min"].reason == "the watch told no REM sleep"


def test_a_watch_that_only_sums_up() -> None:
    made_up = MadeUp()
    for start, length in ((MIDNIGHT - HOUR, 7 * HOUR), (MIDNIGHT + 9 * HOUR, 4 * HOUR)):
        made_up.add("sleep_summary", start, duration_s=length, awake_min=20, light_min=200,
                    deep_min=100)  # fmt: skip
    figures = summed_up(made_up).figures
    assert (figures["asleep_min"].value, figures["awake_min"].value) == (300, 20)
    assert figures["asleep_min"].method == "the watch's own sum"
    assert figures["wake_local_min"].value == 360
    assert figures["rem_min"].value is None
    assert figures["sleep_score"].value is None


def test_a_night_in_which_clocks_go_forward() -> None:
    """From 23:00 to 07:00 on the wall are seven hours; the wall clock is what is told."""
    made_up = MadeUp()
    night_of(made_up, utc_s("2026-03-28T23:00+01:00"), 7)
    clock = clock_of("Europe/Berlin")
    (day,) = local_days(date(2026, 3, 29), date(2026, 3, 29), clock)
    figures = summed_up(made_up, day, utc_offset_s=clock).figures
    assert figures["asleep_min"].value == 420
    assert figures["onset_local_min"].value == -60
    assert figures["wake_local_min"].value == 7 * 60


def test_a_night_across_a_zone_change() -> None:
    """Asleep at 23:00 in Berlin, awake at 16:00 in Tokyo: nine hours, by the wall seventeen."""
    berlin, tokyo = clock_of("Europe/Berlin"), clock_of("Asia/Tokyo")
    landed = utc_s("2026-03-10T03:00+01:00")

    def clock(at: int) -> int:
        return berlin(at) if at < landed else tokyo(at)

    made_up = MadeUp()
    night_of(made_up, utc_s("2026-03-09T23:00+01:00"), 9)
    (day,) = local_days(date(2026, 3, 10), date(2026, 3, 10), clock)
    figures = summed_up(made_up, day, utc_offset_s=clock).figures
    assert figures["asleep_min"].value == 540
    assert figures["onset_local_min"].value == -60
    assert figures["wake_local_min"].value == 16 * 60


def test_a_night_on_two_watches_counts_once() -> None:
    made_up = MadeUp()
    night_of(made_up, MIDNIGHT - HOUR)
    for half in range(14):
        made_up.add(
            "sleep", MIDNIGHT + half * 1800, device="other", duration_s=1800, stage=2 + half % 2
        )
    figures = summed_up(made_up).figures
    assert (figures["asleep_min"].value, figures["deep_min"].value) == (480, 60)


# workouts


def test_a_run_with_points_and_beats() -> None:
    made_up = MadeUp()
    start = MIDNIGHT + 8 * HOUR
    made_up.workout(start, 1800, "outdoor_run")
    made_up.every("workout_heart_rate", start, 5, "bpm", [150] * 360)
    made_up.add("resting_heart_rate", MIDNIGHT, bpm=50)
    for second in range(0, 1801, 10):  # 3 m/s to the north, climbing a metre a minute
        made_up.add("workout_point", start + second, latitude_deg=48 + second * 3 / 111_200,
                    longitude_deg=11.5, elevation_m=500 + second / 60)  # fmt: skip
    day = summed_up(made_up)
    (run,) = day.workouts
    figures = run.figures
    assert figures["distance_m"].value == pytest.approx(5400, rel=2e-3)
    assert figures["distance_m"].method == "Vincenty 1975"
    assert figures["pace_s_per_km"].value == pytest.approx(333, abs=1)
    assert figures["climb_m"].value == pytest.approx(30)
    assert figures["bpm_mean"].value == 150
    assert figures["zone_3_min"].value == 30
    assert str(figures["energy_kcal"].method).startswith("Keytel 2005")
    assert figures["met_min"].value == pytest.approx(9.8 * 30)
    assert figures["load_trimp"].value is not None
    assert figures["load_edwards_trimp"].value == pytest.approx(30 * 4)
    assert str(figures["vo2max_ml_kg_min"].method).startswith("running, ACSM; Swain 1997")
    assert [round(split.distance_m) for split in run.splits[:5]] == [1000] * 5
    assert run.track.points == 181
    values = {name: figure.value for name, figure in day.figures.items()}
    assert values["workouts"] == 1
    assert values["workout_min"] == 30
    assert values["longest_run_m"] == figures["distance_m"].value
    assert values["longest_ride_m"] is None
    assert values["vo2max_ml_kg_min"] == figures["vo2max_ml_kg_min"].value


def test_a_workout_of_which_only_the_sums_are_known() -> None:
    made_up = MadeUp()
    made_up.workout(MIDNIGHT, 3600, "outdoor_cycle", distance_m=25_000, energy_kcal=600,
                    bpm_avg=130, bpm_max=160, training_effect=3.1,
                    vo2max_ml_kg_min=44)  # fmt: skip
    made_up.workout(MIDNIGHT + 3 * HOUR, 600, "chess")
    for place, length in enumerate((170, 180)):
        made_up.add("workout_split", MIDNIGHT + 200 * place, duration_s=length, distance_m=1000)
    day = summed_up(made_up)
    ride, chess = day.workouts
    assert ride.figures["energy_kcal"] == Figure(600, "kcal", 1, method="the watch's own")
    assert (ride.figures["bpm_mean"].value, ride.figures["bpm_most"].value) == (130, 160)
    assert ride.figures["training_effect"].value == 3.1
    assert [split.pace.value for split in ride.splits] == [170, 180]
    assert ride.figures["zone_1_min"].reason == "there is no reading of the heart rate"
    assert chess.figures["distance_m"].reason == "there are no two points to measure between"
    assert chess.figures["bpm_mean"].reason == "the watch did not say"
    assert str(chess.figures["energy_kcal"].reason).startswith(
        "the watch did not say, and the Comp"
    )
    assert day.figures["workout_energy_kcal"].value == 600
    assert day.figures["longest_ride_m"].value == 25_000
    assert day.figures["vo2max_ml_kg_min"].value == 44
    del made_up.rows["workout"][0]
    assert summed_up(made_up).figures["vo2max_ml_kg_min"].reason == "the watch did not say"


def test_a_workout_over_midnight_is_of_the_day_it_began() -> None:
    made_up = MadeUp()
    made_up.workout(MIDNIGHT + DAY - 600, 1800, "run", distance_m=5000)
    made_up.every("workout_heart_rate", MIDNIGHT + DAY - 600, 60, "bpm", [150] * 30)
    day = summed_up(made_up)
    assert day.figures["workout_distance_m"].value == 5000
    assert day.workouts[0].figures["bpm_mean"].readings == 30
    assert day.recorded[-1][1] == MIDNIGHT + DAY


# any samples


def samples(metric: str) -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.integers(-2, 300) | st.integers(0, 2**31)
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for column in METRICS[metric].columns:
        kind: st.SearchStrategy[Any] = {
            "integer": numbers,
            "real": st.floats(-200, 9000),
            "text": st.sampled_from(["run", "outdoor_cycle", "sport_9", "pool_swim"]),
        }[column.kind]
        fields[column.name] = kind | st.none() if column.nullable else kind
    if METRICS[metric].interval:
        fields["duration_s"] = st.integers(0, 40_000)
    fields["device"] = st.sampled_from(["wrist", "other"])
    fields["start_utc_s"] = st.integers(MIDNIGHT - DAY, MIDNIGHT + DAY)
    return st.fixed_dictionaries(fields)


READ = sorted(set(METRICS) - {"battery", "swim", "heart_rate_variability", "workout_minute"})
ANY = st.lists(
    st.sampled_from(READ).flatmap(lambda name: st.tuples(st.just(name), samples(name))),
    max_size=30,
)


@given(ANY)
def test_any_samples_give_every_figure_a_value_or_a_reason(
    rows: list[tuple[str, dict[str, Any]]],
) -> None:
    made_up = MadeUp()
    for metric, values in rows:
        made_up.add(metric, values.pop("start_utc_s"), **values)
    day = summed_up(made_up)
    assert list(day.figures) == list(MEASURES)
    for name, figure in day.figures.items():
        assert figure.unit == MEASURES[name].unit
        assert (figure.value is None) != (figure.reason is None)
        if name not in ("weight_kg", "temperature_mean_c") and name.endswith(("_min", "_pct")):
            assert figure.value is None or figure.value >= 0 or "local" in name
    again = summed_up(made_up)
    assert again == day
