"""Heart rate, load, energy, uptake, variability: worked values of the papers, and invariants."""

import math
import statistics
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.sports import SPORT_NAMES
from ksos_link.insights import energy, fitness, goals, heart, load, sound, variability, wellbeing
from ksos_link.insights.energy import Body
from ksos_link.insights.figure import Figure, absent, first_reason, total
from ksos_link.insights.levels import Levels, held_seconds, levels_of, summed

NOT_KNOWN = absent("bpm", "nobody knows")
HOUR = 3600


def bpm(value: float, readings: int = 60) -> Figure:
    return Figure(value, "bpm", readings)


def steady(value: float, seconds: int, count: int = 1) -> Levels:
    return Levels({value: count}, {value: seconds})


# figures


def test_a_figure_has_a_value_or_a_reason() -> None:
    assert absent("m", "no track", 3) == Figure(None, "m", 3, "no track")
    with pytest.raises(ValueError, match="either"):
        Figure(None, "m", 1)
    with pytest.raises(ValueError, match="either"):
        Figure(1.0, "m", 1, "but why")
    assert Figure(1, "m", method="b").named("a").method == "a; b"
    assert Figure(1, "m").named("a").method == "a"


def test_sums_of_figures_pass_over_what_is_absent() -> None:
    some = [Figure(2, "m", 3), absent("m", "off"), Figure(5, "m", 1)]
    assert total(some, "m", "nothing") == Figure(7, "m", 4)
    assert total([absent("m", "off")], "m", "nothing") == absent("m", "nothing")
    assert first_reason(*some) == "off"
    assert first_reason(some[0]) is None


# levels


def test_readings_hold_until_the_next_one_but_not_for_ever() -> None:
    assert held_seconds([0, 10, 1000, 1010], 60) == [10, 60, 10, 10]
    assert held_seconds([7], 60) == [60]
    assert held_seconds([], 60) == []
    assert held_seconds([5, 5], 60) == [1, 1]


def test_a_mean_is_that_over_time() -> None:
    levels = levels_of([0, 10, 40], [60, 90, 60], 600)
    assert levels.seconds == {60: 40, 90: 30}
    assert levels.mean("bpm") == Figure((60 * 40 + 90 * 30) / 70, "bpm", 3, method="mean over time")
    assert (levels.least("bpm").value, levels.most("bpm").value) == (60, 90)
    assert levels.share_below_pct(90).value == pytest.approx(200 / 3)


def test_no_reading_gives_no_level() -> None:
    empty = levels_of([], [], 60)
    for figure in (empty.mean("x"), empty.least("x"), empty.most("x"), empty.share_below_pct(1)):
        assert (figure.value, figure.readings, figure.reason) == (None, 0, "there is no reading")


READINGS = st.lists(st.tuples(st.integers(1, 900), st.integers(30, 220)), min_size=1, max_size=60)


@given(READINGS)
def test_levels_stay_within_their_readings(pairs: list[tuple[int, int]]) -> None:
    times = [sum(gap for gap, _ in pairs[:place]) for place in range(len(pairs))]
    values = [value for _, value in pairs]
    levels = levels_of(times, values, 300)
    mean = levels.mean("bpm").value
    assert mean is not None
    assert min(values) <= mean <= max(values)
    assert levels.readings == len(values)
    assert levels.held_s <= 300 * len(values)
    cut = len(values) // 2
    parts = [levels_of(times[:cut], values[:cut], 300), levels_of(times[cut:], values[cut:], 300)]
    assert summed(parts).counts == levels.counts


# heart rate


@pytest.mark.parametrize(("age", "maximum"), [(20, 194.0), (40, 180.0), (60, 166.0)])
def test_tanaka(age: int, maximum: float) -> None:
    figure = heart.maximum_heart_rate(age)
    assert figure.value == pytest.approx(maximum)
    assert figure.method == "maximum by age, Tanaka 2001"


def test_without_a_birth_date_there_is_no_maximum() -> None:
    assert heart.maximum_heart_rate(None).reason == "nobody said when the wearer was born"


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        (date(1990, 5, 4), date(2026, 5, 3), 35),
        (date(1990, 5, 4), date(2026, 5, 4), 36),
        (date(2000, 2, 29), date(2001, 2, 28), 0),
        (date(2000, 2, 29), date(2001, 3, 1), 1),
    ],
)
def test_age(birth: date, on: date, years: int) -> None:
    assert heart.age_years(birth, on) == years


def test_karvonen_zones() -> None:
    """With rest 60 and maximum 180 the reserve is 120: half of it and the rest are 120."""
    zones = heart.zones(bpm(180), bpm(60))
    assert zones is not None
    assert zones.bounds_bpm == pytest.approx((120, 132, 144, 156, 168, 180))
    assert zones.method == "zones of the reserve, Karvonen 1957"


def test_zones_without_a_resting_rate_are_parts_of_the_maximum() -> None:
    for resting in (NOT_KNOWN, bpm(200)):
        zones = heart.zones(bpm(180), resting)
        assert zones is not None
        assert zones.bounds_bpm == pytest.approx((90, 108, 126, 144, 162, 180))
        assert zones.method == "zones of the maximum, Edwards 1993"
    assert heart.zones(NOT_KNOWN, bpm(60)) is None


def test_minutes_in_zones() -> None:
    levels = summed([steady(100, 60), steady(120, 120), steady(131, 60), steady(190, 300)])
    found = heart.zone_minutes(levels, bpm(180), bpm(60))
    assert [found[f"zone_{zone}_min"].value for zone in range(1, 6)] == [3, 0, 0, 0, 5]
    assert {figure.readings for figure in found.values()} == {4}
    nobody = heart.zone_minutes(levels, NOT_KNOWN, bpm(60))
    assert {figure.reason for figure in nobody.values()} == {"nobody knows"}
    nothing = heart.zone_minutes(Levels(), bpm(180), bpm(60))
    assert {figure.reason for figure in nothing.values()} == {
        "there is no reading of the heart rate"
    }


@given(READINGS, st.integers(40, 90), st.integers(150, 210))
def test_zones_never_last_longer_than_the_readings(
    pairs: list[tuple[int, int]], resting: int, maximum: int
) -> None:
    levels = levels_of(range(len(pairs)), [value for _, value in pairs], 60)
    found = heart.zone_minutes(levels, bpm(maximum), bpm(resting))
    assert sum(figure.value or 0 for figure in found.values()) * 60 <= levels.held_s + 1e-6


def test_resting_heart_rate_is_the_lowest_sustained() -> None:
    times = list(range(0, 2 * HOUR, 300))
    beats = [60] * 12 + [50] * 7 + [58] * 5
    beats[2] = 31  # a lone mistake of the sensor
    figure = heart.resting_heart_rate(times, beats, [(0, 2 * HOUR)])
    assert figure.value == 50
    assert figure.readings == 24


def test_resting_heart_rate_needs_sleep_and_readings() -> None:
    times, beats = [0, 60, 120, 180], [50, 50, 50, 50]  # four readings within three minutes
    assert heart.resting_heart_rate(times, beats, [(0, HOUR)]).readings == 4
    assert heart.resting_heart_rate(times, beats, [(0, HOUR)]).value is None
    assert heart.resting_heart_rate(times, beats, []).readings == 0
    thrice, slow = [0, 900, 1800], [61, 60, 59]
    assert heart.resting_heart_rate(thrice, slow, [(0, HOUR)]).value == 60
    assert heart.resting_heart_rate(thrice, slow, [(0, 1800)]).readings == 2  # awake at the last


def test_the_watch_s_own_resting_rate_comes_first() -> None:
    night = bpm(55)
    assert heart.chosen_resting([], night) is night
    assert heart.chosen_resting([58, 57], night) == Figure(57, "bpm", 2, method="the watch's own")


# load


def test_banister() -> None:
    """Half an hour at 130 with rest 40 and maximum 200 gives 32 (fellrnr's worked example)."""
    figure = load.banister_load(1800, bpm(130), bpm(40), bpm(200), "male")
    assert figure.value == pytest.approx(30 * 0.5625 * 0.64 * math.exp(1.92 * 0.5625))
    assert round(figure.value or 0) == 32
    assert figure.method == "Banister 1991"
    woman = load.banister_load(1800, bpm(130), bpm(40), bpm(200), "female")
    assert woman.value == pytest.approx(30 * 0.5625 * 0.86 * math.exp(1.67 * 0.5625))


def test_banister_is_absent_where_anything_is() -> None:
    rest, most = bpm(50), bpm(190)
    assert load.banister_load(60, NOT_KNOWN, rest, most, "male").reason == "nobody knows"
    assert load.banister_load(60, bpm(100), NOT_KNOWN, most, "male").reason == "nobody knows"
    assert load.banister_load(60, bpm(100), rest, NOT_KNOWN, "male").reason == "nobody knows"
    assert load.banister_load(60, bpm(100), most, rest, "male").value is None
    assert load.banister_load(60, bpm(40), rest, most, "male").value == 0


@given(st.integers(60, 190), st.integers(0, 30), st.sampled_from(["male", "female"]))
def test_more_effort_is_more_load(mean: int, more: int, sex: str) -> None:
    less = load.banister_load(600, bpm(mean), bpm(50), bpm(190), sex).value
    greater = load.banister_load(600, bpm(mean + more), bpm(50), bpm(190), sex).value
    assert less is not None
    assert greater is not None
    assert less <= greater


def test_edwards() -> None:
    """Ten minutes in each zone of a maximum of 200 are 10 x (1 + 2 + 3 + 4 + 5)."""
    levels = summed(steady(value, 600) for value in (90, 100, 120, 140, 160, 180))
    figure = load.edwards_load(levels, bpm(200))
    assert figure.value == pytest.approx(150)
    assert figure.readings == 6
    assert load.edwards_load(levels, NOT_KNOWN).reason == "nobody knows"
    assert load.edwards_load(Levels(), bpm(200)).value is None


# uptake


def test_uth() -> None:
    """15.3 x 190 / 57 (Uth 2004: the factor is 15.3 mL/kg/min)."""
    figure = fitness.uth_vo2max(bpm(190), bpm(57))
    assert figure.value == pytest.approx(51.0)
    assert figure.method == "Uth 2004"
    assert fitness.uth_vo2max(NOT_KNOWN, bpm(57)).reason == "nobody knows"
    assert fitness.uth_vo2max(bpm(190), NOT_KNOWN).reason == "nobody knows"
    assert fitness.uth_vo2max(bpm(190), bpm(0)).reason == "the resting heart rate is zero"


@pytest.mark.parametrize(
    ("m_per_min", "grade", "uptake"),
    [
        (160.8, 0.0, 35.66),  # running 6 mph on the level
        (160.8, 0.05, 42.896),
        (80.4, 0.0, 11.54),  # walking 3 mph
        (80.4, 0.10, 26.012),
    ],
)
def test_acsm(m_per_min: float, grade: float, uptake: float) -> None:
    assert fitness.acsm_uptake(m_per_min / 60, grade).value == pytest.approx(uptake)


def test_acsm_holds_for_no_speed_between_walk_and_run() -> None:
    for m_per_min in (0.0, 49, 101, 133):
        assert fitness.acsm_uptake(m_per_min / 60).value is None


def test_uptake_by_pace_extends_the_used_reserve() -> None:
    """6 mph at 70 % of the reserve: (35.66 - 3.5) / 0.7 + 3.5."""
    speed = Figure(160.8 / 60, "m/s", 1)
    mean = bpm(50 + 0.7 * 140, 300)
    figure = fitness.vo2max_by_pace(speed, mean, bpm(50), bpm(190), 1200)
    assert figure.value == pytest.approx(32.16 / 0.7 + 3.5)
    assert figure.readings == 300
    assert figure.method == "running, ACSM; Swain 1997"


def test_uptake_by_pace_says_why_it_is_absent() -> None:
    run, slow, mean = Figure(3.0, "m/s", 1), Figure(2.0, "m/s", 1), bpm(150)

    def reason(speed: Figure, mean: Figure, rest: Figure, most: Figure, seconds: float) -> str:
        return str(fitness.vo2max_by_pace(speed, mean, rest, most, seconds).reason)

    assert reason(run, NOT_KNOWN, bpm(50), bpm(190), 900) == "nobody knows"
    assert reason(run, mean, bpm(50), bpm(190), 170) == "it took less than three minutes"
    assert reason(slow, mean, bpm(50), bpm(190), 900).startswith("the speed is neither")
    effort = "the effort was not between moderate and vigorous"
    assert reason(run, bpm(80), bpm(50), bpm(190), 900) == effort
    assert reason(run, bpm(188), bpm(50), bpm(190), 900) == effort
    assert reason(run, mean, bpm(190), bpm(190), 900) == effort


# energy


MAN = Body("male", 35, 75.0)


def test_keytel_man() -> None:
    """150 bpm, 75 kg, 35 years for 30 minutes: 441 kcal."""
    figure = energy.energy_by_heart_rate(bpm(150), 1800, 1800, MAN, bpm(183.5))
    per_min = (-55.0969 + 0.6309 * 150 + 0.1988 * 75 + 0.2017 * 35) / 4.184
    assert figure.value == pytest.approx(30 * per_min)
    assert round(figure.value or 0) == 441
    assert figure.method == "Keytel 2005"


def test_keytel_woman() -> None:
    figure = energy.energy_by_heart_rate(bpm(140), 1800, 1800, Body("female", 30, 60.0), bpm(187))
    per_min = (-20.4022 + 0.4472 * 140 - 0.1263 * 60 + 0.074 * 30) / 4.184
    assert figure.value == pytest.approx(30 * per_min)


@pytest.mark.parametrize(
    ("mean", "held_s", "body", "maximum", "reason"),
    [
        (NOT_KNOWN, 1800, MAN, bpm(180), "nobody knows"),
        (bpm(150), 1800, MAN, NOT_KNOWN, "nobody knows"),
        (bpm(150), 1800, Body(None, None, None), bpm(180), "nobody said the wearer's sex"),
        (bpm(150), 1800, Body("male", 17, 70), bpm(180), "the formula was made with people of 18"),
        (bpm(150), 1800, Body("male", 46, 70), bpm(180), "the formula was made with people of 18"),
        (bpm(150), 1800, Body("male", 30, 121), bpm(180), "the formula was made with people of 47"),
        (bpm(150), 899, MAN, bpm(180), "the heart rate was read for less than half"),
        (bpm(100), 1800, MAN, bpm(180), "the mean heart rate is not between 57 and 90 %"),
        (bpm(163), 1800, MAN, bpm(180), "the mean heart rate is not between 57 and 90 %"),
    ],
)
def test_keytel_is_absent_outside_of_what_was_studied(
    mean: Figure, held_s: float, body: Body, maximum: Figure, reason: str
) -> None:
    figure = energy.energy_by_heart_rate(mean, held_s, 1800, body, maximum)
    assert str(figure.reason).startswith(reason)


def test_energy_by_met_is_the_compendium_s_example() -> None:
    """60 kg on a bicycle at 4 MET for 40 minutes: 160 kcal (Ainsworth 2000)."""
    met = Figure(4, "MET")
    assert energy.energy_by_met(met, 40 * 60, 60).value == pytest.approx(160)
    assert energy.energy_by_met(met, 60, None).reason == "nobody said what the wearer weighs"
    assert energy.energy_by_met(absent("MET", "no value"), 60, 60).reason == "no value"


def test_met_minutes_are_those_of_the_ipaq() -> None:
    """Walking 3.3, moderate 4, vigorous 8 MET, half an hour on five days: 2295 in all."""
    week = [energy.met_minutes(Figure(met, "MET"), 5 * 1800) for met in (3.3, 4.0, 8.0)]
    assert [one.value for one in week] == pytest.approx([495, 600, 1200])
    assert total(week, "MET min", "").value == pytest.approx(2295)
    assert energy.met_minutes(absent("MET", "no value"), 60).reason == "no value"


@pytest.mark.parametrize(
    ("sport", "kmh", "met", "code"),
    [
        ("outdoor_run", None, 8.0, "12150"),
        ("outdoor_run", 9.7, 9.8, "12050"),  # 6 mph
        ("outdoor_run", 4.0, 6.0, "12010"),
        ("outdoor_walk", 5.7, 4.3, "17200"),  # 3.5 mph
        ("outdoor_cycle", 21, 8.0, "01030"),
        ("table_tennis", 99, 4.0, "15660"),
    ],
)
def test_compendium(sport: str, kmh: float | None, met: float, code: str) -> None:
    figure = energy.met_of_sport(sport, None if kmh is None else kmh / 3.6)
    assert figure.value == met
    assert str(figure.method).startswith(f"Compendium 2011, {code} ")


def test_a_sport_that_the_compendium_lacks_has_no_value() -> None:
    assert energy.met_of_sport("sport_250").reason == "the Compendium has no value for this sport"
    assert energy.met_of_sport("other").value is None


def test_the_compendium_names_our_sports_and_gives_each_one_general_value() -> None:
    assert set(energy.compendium()) <= set(SPORT_NAMES)
    for lines in energy.compendium().values():
        assert sum(line.from_mph is None for line in lines) == 1
        rising = sorted((line.from_mph, line.met) for line in lines if line.from_mph is not None)
        assert [met for _, met in rising] == sorted(met for _, met in rising)


def test_the_watch_s_energy_comes_first_then_heart_rate_then_met() -> None:
    by_heart, by_met = Figure(400, "kcal", 9), Figure(300, "kcal", 1)
    none, nothing = absent("kcal", "no beats", 2), absent("kcal", "no weight")
    assert energy.energy(350, by_heart, by_met).value == 350
    assert energy.energy(None, by_heart, by_met) is by_heart
    assert energy.energy(None, none, by_met) is by_met
    assert energy.energy(None, none, nothing) == absent("kcal", "no beats, and no weight", 2)


# variability


def beats_of(lengths: Sequence[int]) -> variability.Beats:
    times, at = [], 0
    for length in lengths:
        at += length
        times.append(at // 1000)
    return variability.normal_beats(times, lengths)


def test_variability_by_hand() -> None:
    """Differences of +10 and -10 alone: RMSSD is 10. One in two differs by 60: pNN50 is half."""
    even = beats_of([1000, 1010] * 160)
    assert variability.rmssd_ms(even).value == pytest.approx(10)
    assert variability.sdnn_ms(even).value == pytest.approx(statistics.stdev([1000, 1010] * 160))
    assert variability.pnn50_pct(even).value == 0
    assert variability.rmssd_ms(even).readings == 320
    wide = beats_of([1000, 1060, 1060, 1000] * 80)
    assert variability.pnn50_pct(wide).value == pytest.approx(100 * 160 / 319)


def test_an_extra_beat_is_left_out_with_its_neighbours() -> None:
    beats = beats_of([1000] * 40 + [600, 1400] + [1000] * 40)
    assert beats.rejected == 3  # the early beat, the pause after it, and the return from it
    assert variability.rmssd_ms(beats).value == 0
    assert 300 not in beats_of([1000, 250, 2500, 1000]).normal_ms


def test_a_beat_that_was_lost_breaks_the_pair() -> None:
    beats = variability.normal_beats([0, 1, 60, 61], [1000, 1010, 990, 1000])
    assert beats.pairs == ((1000, 1010), (990, 1000))
    far = variability.normal_beats([0, 60], [1000, 1500])
    assert (far.normal_ms, far.pairs) == ((1000, 1500), ())


def test_of_a_fast_heart_one_beat_a_second_is_not_enough() -> None:
    """At 75 beats a minute every fifth is lost where a second holds one: then nothing is told."""
    at = [800 * beat // 1000 for beat in range(1000)]
    kept = [second for place, second in enumerate(at) if second != at[place - 1]]
    beats = variability.normal_beats(kept, [800] * len(kept))
    assert not beats.complete
    reason = "beats are missing between those that were recorded"
    assert variability.rmssd_ms(beats).reason == reason
    assert variability.pnn50_pct(beats).reason == reason
    assert variability.sdnn_ms(beats).value == 0  # the spread of those that are there


def test_variability_is_absent_rather_than_guessed() -> None:
    none, few = beats_of([]), beats_of([1000] * 20)
    assert variability.rmssd_ms(none).reason == "no times between beats were recorded"
    assert variability.pnn50_pct(none).value is None
    assert variability.rmssd_ms(few) == absent(
        "ms", "fewer than 30 pairs of neighbouring normal beats", 20
    )
    assert (
        variability.sdnn_ms(few).reason == "fewer than five minutes of normal beats were recorded"
    )
    assert variability.sdnn_ms(none).readings == 0


@given(st.lists(st.integers(0, 3000), max_size=400))
def test_variability_takes_any_lengths(lengths: list[int]) -> None:
    beats = beats_of(lengths)
    assert len(beats.normal_ms) + beats.rejected == len(lengths)
    assert all(300 <= length <= 2000 for length in beats.normal_ms)
    share = variability.pnn50_pct(beats).value
    assert share is None or 0 <= share <= 100
    spread = variability.rmssd_ms(beats).value
    assert spread is None or spread >= 0


# stress, oxygen, temperature


def test_low_oxygen_and_stress_shares() -> None:
    oxygen = Levels({89: 1, 90: 1, 97: 2}, {89: 60, 90: 60, 97: 120})
    assert wellbeing.low_oxygen_share(oxygen).value == 25
    stress = Levels({10: 1, 25: 1, 74: 1, 100: 1}, {10: 10, 25: 20, 74: 30, 100: 40})
    assert [one.value for one in wellbeing.stress_shares(stress)] == [10, 20, 30, 40]
    assert {one.value for one in wellbeing.stress_shares(Levels())} == {None}


def test_a_temperature_is_set_against_one_s_own_nights() -> None:
    nights = [Figure(value, "°C", 50) for value in (33.0, 33.2, 33.4, 33.6, 33.8, 34.0, 34.2)]
    tonight = Figure(34.6, "°C", 40)
    changed = wellbeing.temperature_change(tonight, [*nights, absent("°C", "off")])
    assert changed.value == pytest.approx(1.0)
    assert changed.readings == 40
    assert wellbeing.temperature_change(tonight, nights[1:]).value is None
    missing = absent("°C", "off")
    assert wellbeing.temperature_change(missing, nights) is missing


# sound


@pytest.mark.parametrize(("level", "hours"), [(85, 8), (88, 4), (91, 2), (94, 1), (100, 0.25)])
def test_niosh_table_of_allowed_times(level: float, hours: float) -> None:
    figure = sound.noise_dose(steady(level, round(hours * HOUR)))
    assert figure.value == pytest.approx(100)
    assert figure.method == "NIOSH 1998, 85 dB(A) for 8 h a day"


def test_noise_dose_adds_up_and_leaves_quiet_out() -> None:
    levels = summed([steady(85, 4 * HOUR), steady(91, HOUR), steady(79, 9 * HOUR)])
    assert sound.noise_dose(levels).value == pytest.approx(100)
    assert sound.noise_dose(steady(80, 40 * HOUR), sound.WHO_WEEK).value == pytest.approx(100)
    assert sound.noise_dose(Levels()).value is None


def test_equivalent_level_is_of_the_energy() -> None:
    """Twice the sound for half of the time is as much: 3.01 dB under the louder."""
    levels = summed([steady(80, 600), steady(20, 600)])
    assert sound.equivalent_level(levels).value == pytest.approx(80 - 10 * math.log10(2), abs=1e-4)
    assert sound.equivalent_level(Levels()).value is None


# goals


def test_goals() -> None:
    steps = Figure(7500, "steps", 40)
    assert goals.goal_share(steps, 10_000) == Figure(75, "%", 40, method="goal 10000")
    assert goals.goal_share(steps, None).reason == "no goal is set"
    assert goals.goal_share(steps, 0).reason == "no goal is set"
    assert goals.goal_share(absent("steps", "off"), 10_000).reason == "off"


def test_a_vigorous_minute_is_two() -> None:
    """75 vigorous minutes are what the WHO advises, as 150 moderate ones are."""
    none, all_of_it = Figure(0, "min", 9), Figure(75, "min", 9)
    active = goals.active_minutes(none, all_of_it)
    assert goals.advised_share(active).value == 100
    assert goals.advised_share(goals.active_minutes(Figure(75, "min", 1), none)).value == 50
    off = absent("min", "off")
    assert goals.active_minutes(none, off).reason == "off"
    assert goals.active_minutes(off, none).reason == "off"
