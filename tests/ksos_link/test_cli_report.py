"""`ksos report`: the same figures in a terminal, as JSON, on a page; true, and safe to look at."""

import json
import re
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from tests.ksos_link.made_up_samples import utc_s
from tests.ksos_link.report_home import DAY_S, HOUR_S, ReportHome, figure, series
from tests.ksos_link.test_cli_help import HEAVY, MANUAL, loaded_by

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

parsed: Any = html.fromstring  # what xpath gives is known only to whoever wrote it

MONTH = "virtual:ido?scenario=month&now=2026-11-28T12:00"
KINDS = ("day", "week", "month", "year")
MONDAY = utc_s("2025-03-10T00:00+00:00")
HOSTILE = '</title><script>alert("1")</script><img src=x onerror=y>&\N{RIGHT-TO-LEFT OVERRIDE}'


@pytest.fixture
def month(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> "CommandLine":
    monkeypatch.setenv("TZ", "UTC")
    assert ksos("sync", "--device", MONTH).code == 0
    return ksos


@pytest.fixture
def home(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> ReportHome:
    monkeypatch.setenv("TZ", "UTC")
    return ReportHome(ksos)


def shown(ksos: "CommandLine", metric: str, first: str, last: str) -> list[dict[str, Any]]:
    said = ksos("show", metric, "--from", first, "--to", last, "--json")
    return [json.loads(line) for line in said.out.splitlines()]


def page(ksos: "CommandLine", kind: str, *options: str) -> str:
    said = ksos("report", kind, "--format", "html", "--out", "-", *options)
    assert (said.code, said.err) == (0, "")
    return said.out


def a_full_week(home: ReportHome, alias: str = "wrist") -> None:
    """Seven days with all that a report has a section for."""
    days = [MONDAY + day * DAY_S for day in range(7)]
    with home.store() as store:
        watch = home.watch(store, alias)
        hours = [day + hour * HOUR_S for day in days for hour in range(8, 20)]
        minutes = [day + step * 300 for day in days for step in range(288)]
        nights = [day - HOUR_S + part * 2 * HOUR_S for day in days for part in range(4)]
        runs = [day + 17 * HOUR_S for day in days[::2]]
        home.give(
            store,
            watch,
            MONDAY + 7 * DAY_S,
            series("steps", hours, duration_s=HOUR_S, steps=800),
            series("activity", hours, duration_s=HOUR_S, distance_m=600, active_min=9),
            series("heart_rate", minutes, bpm=[50 + place % 120 for place in range(len(minutes))]),
            series("spo2", hours, spo2_pct=96),
            series("stress", hours, stress_score=[10, 40, 60, 90] * 21),
            series("temperature", nights, temperature_c=34.5, site="wrist"),
            series("noise", hours, noise_db=61.5),
            series("weight", days, weight_kg=62.5),
            series("sleep", nights, duration_s=2 * HOUR_S, stage=[2, 3, 4, 1] * 7),
            series(
                "workout",
                runs,
                duration_s=1800,
                sport="outdoor_run",
                sport_code=48,
                distance_m=5000,
                energy_kcal=300,
                bpm_avg=150,
                bpm_max=170,
                training_effect=3.2,
            ),
            series("workout_split", [run + part * 360 for run in runs for part in range(5)],
                   duration_s=360, distance_m=1000),
        )  # fmt: skip


# ---- the figures


def test_a_day_says_what_show_says(month: "CommandLine") -> None:
    report = ReportHome(month).report("day", "2026-11-20")
    for name, metric, column in (
        ("steps", "steps", "steps"),
        ("distance_m", "activity", "distance_m"),
        ("active_energy_kcal", "activity", "active_energy_kcal"),
        ("workout_energy_kcal", "workout", "energy_kcal"),
    ):
        rows = shown(month, metric, "2026-11-20", "2026-11-20")
        known = [row[column] for row in rows if row.get(column) is not None]
        assert known
        assert figure(report, name)["value"] == sum(known)
        assert figure(report, name)["readings"] == len(known)
    beats = [row["bpm"] for row in shown(month, "heart_rate", "2026-11-20", "2026-11-20")]
    assert figure(report, "bpm_most")["value"] == max(beats)
    assert figure(report, "bpm_least")["value"] == min(beats)
    (chart,) = [one for one in report["sections"]["movement"]["charts"] if one["kind"] == "bars"]
    assert sum(value or 0 for value in chart["values"]) == figure(report, "steps")["value"]


def test_a_week_adds_its_days_up(month: "CommandLine") -> None:
    report = ReportHome(month).report("week", "2026-11-19")
    assert (report["first_day"], report["last_day"]) == ("2026-11-16", "2026-11-22")
    rows = shown(month, "steps", "2026-11-16", "2026-11-22")
    steps = figure(report, "steps")
    assert steps["total"]["value"] == sum(row["steps"] for row in rows)
    assert steps["value"] == pytest.approx(steps["total"]["value"] / 7)
    assert steps["days"] == 7
    before = shown(month, "steps", "2026-11-09", "2026-11-15")
    change = steps["value"] - sum(row["steps"] for row in before) / 7
    assert steps["change"]["difference"]["value"] == pytest.approx(change)
    workouts = shown(month, "workout", "2026-11-16", "2026-11-22")
    assert len(report["workouts"]) == len(workouts)
    assert figure(report, "workouts")["value"] == len(workouts)


def test_terminal_page_and_json_say_the_same(month: "CommandLine") -> None:
    report = ReportHome(month).report("week", "2026-11-19")
    steps = f"{figure(report, 'steps')['value']:,.0f}"
    total = f"{figure(report, 'steps')['total']['value']:,.0f}"
    text = month("report", "week", "--date", "2026-11-19").out
    assert re.search(rf"(?m)^  steps +{steps} +{total} ", text)
    row = parsed(page(month, "week", "--date", "2026-11-19")).xpath("//tr[th/span='steps']")[0]
    assert row.xpath("string(td[1])") == steps
    assert f"{total} in all" in row.xpath("string(th)")


def test_without_a_date_the_newest_day_with_readings(home: ReportHome) -> None:
    a_full_week(home)
    said = home.ksos("report", "day")
    assert said.out.startswith("Sunday 16 March 2025\n")
    assert home.ksos("report", "year").out.startswith("2025\n")


def test_a_day_that_is_not_over_is_not_compared(home: ReportHome) -> None:
    with home.store() as store:
        watch = home.watch(store)
        walks = [MONDAY + HOUR_S, MONDAY + DAY_S + HOUR_S]
        walked = series("steps", walks, duration_s=HOUR_S, steps=[1000, 300])
        home.give(store, watch, MONDAY + DAY_S + 12 * HOUR_S, walked)
    steps = figure(home.report("day", "2025-03-11"), "steps")
    assert steps["value"] == 300
    assert steps["change"]["difference"]["reason"] == "no day with it is over and read to its end"
    week = figure(home.report("week", "2025-03-11"), "steps")
    assert (week["value"], week["total"]["value"], week["days"]) == (1000, 1300, 1)


# ---- little, nothing, twice


def test_no_store_at_all(ksos: "CommandLine") -> None:
    said = ksos("report", "day")
    assert (said.code, said.out) == (3, "")
    assert not ksos.home.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_watch_that_gave_nothing(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert ksos("sync", "--device", "virtual:ido?scenario=empty").code == 0
    report = ReportHome(ksos).report(kind, "2026-11-28")
    lines = [line for one in report["sections"].values() for line in one["figures"].values()]
    assert all(line["value"] is None and line["reason"] for line in lines)
    said = ksos("report", kind, "--date", "2026-11-28")
    assert "no watch has ever given this" in " ".join(said.out.split())
    assert "Not a diagnosis" in said.out
    assert "Nothing was measured" in page(ksos, kind, "--date", "2026-11-28")


def test_a_month_with_two_readings(home: ReportHome) -> None:
    with home.store() as store:
        watch = home.watch(store)
        beats = series("heart_rate", [MONDAY, MONDAY + 9 * DAY_S], bpm=[60, 70])
        home.give(store, watch, MONDAY + 30 * DAY_S, beats)
    report = home.report("month", "2025-03-15")
    assert figure(report, "bpm_mean")["value"] == 65
    assert figure(report, "bpm_mean")["readings"] == 2
    assert figure(report, "steps")["reason"] == "no watch has ever given this"
    assert [(one["start_local"][:10], one["end_local"][:10]) for one in report["missing"]] == [
        ("2025-03-01", "2025-03-10"),
        ("2025-03-11", "2025-03-19"),
        ("2025-03-20", "2025-04-01"),
    ]
    assert "Tue 11 Mar 2025 to Tue 18 Mar 2025" in home.ksos("report", "month").out
    tree = parsed(page(home.ksos, "month"))
    curves = tree.xpath("//*[local-name()='circle'][@class='dot']")
    assert len(curves) == 2


def test_two_watches_at_once_are_one_wearer(home: ReportHome) -> None:
    hours = [MONDAY + hour * HOUR_S for hour in range(8, 12)]
    with home.store() as store:
        for alias, steps in (("left", 1000), ("right", 400)):
            walks = hours if alias == "left" else [*hours, hours[-1] + HOUR_S]
            walked = series("steps", walks, duration_s=HOUR_S, steps=steps)
            home.give(store, home.watch(store, alias), MONDAY + 2 * DAY_S, walked)
    report = home.report("day", "2025-03-10")
    assert report["devices"] == ["left", "right"]
    assert figure(report, "steps")["value"] == 5 * 400  # the one that was worn longer
    of_left = home.report("day", "2025-03-10", "--device", "left")
    assert of_left["devices"] == ["left"]
    assert figure(of_left, "steps")["value"] == 4 * 1000


# ---- time


def test_a_night_in_which_summer_time_ends(home: ReportHome) -> None:
    start = utc_s("2025-10-25T22:00+00:00")  # midnight in Berlin; 06:00 is seven hours later
    with home.store() as store:
        watch = home.watch(store)
        pieces = [start + hour * HOUR_S for hour in range(7)]
        slept = series("sleep", pieces, duration_s=HOUR_S, stage=[2, 3, 2, 3, 2, 4, 2])
        home.give(store, watch, start + 2 * DAY_S, slept, zone="Europe/Berlin")
    report = home.report("day", "2025-10-26")
    assert figure(report, "asleep_min")["value"] == 420
    assert figure(report, "onset_local_min")["value"] == 0
    assert figure(report, "wake_local_min")["value"] == 360
    (chart,) = report["sections"]["sleep"]["charts"]
    assert [piece["stage"] for piece in chart["pieces"]].count("deep") == 2
    assert chart["pieces"][-1]["end_min"] == 360
    text = home.ksos("report", "day", "--date", "2025-10-26").out
    assert re.search(r"fell asleep +00:00", text)
    assert re.search(r"woke up +06:00", text)


def test_a_journey_changes_the_calendar(home: ReportHome) -> None:
    """What was recorded before a flight stands on the calendar of the place where it was read."""
    evening = utc_s("2025-03-10T23:30+00:00")
    with home.store() as store:
        watch = home.watch(store)
        home.give(store, watch, evening + HOUR_S, zone="Asia/Tokyo")
        walked = series("steps", [evening, evening + DAY_S], duration_s=600, steps=[100, 200])
        home.give(store, watch, evening + 2 * DAY_S, walked, zone="UTC")
    assert figure(home.report("day", "2025-03-10"), "steps")["value"] is None
    report = home.report("day", "2025-03-11")
    assert figure(report, "steps")["value"] == 100 + 200  # 08:30 in Tokyo, 23:30 in UTC
    assert len(report["sections"]["movement"]["charts"][0]["values"]) == 24 + 9


# ---- the wearer


def wear(home: ReportHome, name: str, **values: Any) -> None:
    with home.store() as store:
        (watch,) = store.devices()
        store.remember_setting(watch.device_id, name, values, MONDAY)


def test_settings_that_cannot_be_read_are_as_never_sent(home: ReportHome) -> None:
    a_full_week(home)
    wear(home, "goal", steps="many")
    wear(home, "unit", distance="parsec")
    said = home.ksos("report", "day")
    assert said.code == 0
    assert "No goal is set" in said.out
    assert "7.20 km" in said.out


def test_changes_are_in_the_wearers_units(home: ReportHome) -> None:
    a_full_week(home)
    wear(home, "unit", temperature="fahrenheit")
    with home.store() as store:
        (watch,) = store.devices()
        warm = series(
            "temperature", [MONDAY + 2 * DAY_S + HOUR_S * 9], temperature_c=36.5, site="wrist"
        )
        home.give(store, watch, MONDAY + 7 * DAY_S, warm)  # four of 34.5 °C and this: 34.9
    text = home.ksos("report", "day", "--date", "2025-03-12").out
    assert re.search(r"(?m)^  temperature +94.8 °F +5 +\+0.7 °F$", text), text


def test_goals_are_rings(home: ReportHome) -> None:
    a_full_week(home)
    assert "No goal is set" in home.ksos("report", "week").out
    wear(home, "goal", steps=12_000, energy_kcal=0, distance_m=0, active_min=30, sleep_min=420)
    report = home.report("week", "2025-03-12")
    steps, active, sleep = report["goals"]
    assert (steps["share"]["value"], steps["reached_days"], steps["days"]) == (80, 0, 7)
    assert (active["share"]["value"], active["reached_days"]) == (360, 7)
    assert sleep["reached"]["value"] == 360
    text = home.ksos("report", "week").out
    assert re.search(r"steps +█+░+ +80 %  9,600 of 12,000 a day; 0 of 7 days", text)
    rings = parsed(page(home.ksos, "week")).xpath("//*[@class='ring']/@aria-label")
    assert rings == [
        "steps: 80 % of the goal",
        "active time: 360 % of the goal",
        "sleep: 86 % of the goal",
    ]


def test_units_are_those_of_the_watch(home: ReportHome) -> None:
    a_full_week(home)
    wear(
        home,
        "unit",
        distance="mile",
        weight="lb",
        temperature="fahrenheit",
        energy="kj",
        walk_and_run="mile",
        clock="12_h",
        week_start="sunday",
    )
    said = home.ksos("report", "week", "--date", "2025-03-12").out
    assert said.startswith("Week from Sun 9 Mar 2025 to Sat 15 Mar 2025\n")
    text = " ".join(said.split())
    for value in ("4.47 mi", "137.8 lb", "94.1 °F", "1,255 kJ", "11:00 pm", "9:39 /mi", "5:00 pm"):
        assert value in text
    report = home.report("week", "2025-03-12")
    assert figure(report, "weight_kg")["unit"] == "kg"


def test_zones_need_the_birth_date(home: ReportHome) -> None:
    a_full_week(home)
    reason = figure(home.report("week", "2025-03-12"), "zone_1_min")["reason"]
    assert reason == "nobody said when the wearer was born"
    assert home.ksos("wearer", "set", "--birth-date", "1985-03-04", "--no-push").code == 0
    report = home.report("week", "2025-03-12")
    assert figure(report, "zone_3_min")["value"] > 0
    assert "Tanaka" in figure(home.report("day", "2025-03-12"), "zone_3_min")["method"]
    bars = parsed(page(home.ksos, "day")).xpath("//rect[starts-with(@class, 'zone')]")
    assert len(bars) == 5
    assert "time in zones of effort" in {
        chart["title"] for chart in report["sections"]["heart"]["charts"]
    }


def test_the_cycle_is_there_with_consent_only(home: ReportHome) -> None:
    a_full_week(home)
    wear(home, "cycle", on=True, last_start="2025-02-20", cycle_days=28, period_days=5)
    assert home.report("week", "2025-03-12")["cycle"] is None
    assert home.ksos("privacy", "allow", "cycle").code == 0
    cycle = home.report("week", "2025-03-12")["cycle"]
    assert (cycle["period_start"], cycle["period_end"]) == ("2025-03-20", "2025-03-24")
    assert "contraception" in cycle["notice"]
    text = " ".join(home.ksos("report", "week").out.split())
    assert "next period: Thu 20 Mar 2025 to Mon 24 Mar 2025" in text
    assert "no means of contraception" in page(home.ksos, "week")


def test_medals_are_those_of_the_period(home: ReportHome) -> None:
    a_full_week(home)
    week = {one["medal"]: one["day"] for one in home.report("week", "2025-03-12")["medals"]}
    assert week["workout-first"] == "2025-03-10"
    assert week["steps-5k"] == "2025-03-10"
    assert {one["medal"] for one in home.report("year", "2025-03-12")["medals"]} == set(week)
    assert home.report("week", "2025-03-19")["medals"] == []
    assert home.report("day", "2025-03-10")["medals"] is None
    assert "the first workout (Mon 10 Mar 2025)" in home.ksos("report", "week").out


def test_a_medal_of_the_past_is_not_earned_again(home: ReportHome) -> None:
    a_full_week(home)
    with home.store() as store:
        (watch,) = store.devices()
        walk = series("steps", [MONDAY + 8 * DAY_S], duration_s=HOUR_S, steps=6000)
        home.give(store, watch, MONDAY + 10 * DAY_S, walk)
    assert "steps-5k" not in {one["medal"] for one in home.report("week", "2025-03-18")["medals"]}


# ---- the terminal


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [40, 71, 80, 200])
def test_no_line_is_wider_than_the_terminal(home: ReportHome, kind: str, columns: int) -> None:
    a_full_week(home)
    wear(home, "goal", steps=12_000, energy_kcal=0, distance_m=0, active_min=30, sleep_min=420)
    said = home.ksos("report", kind, COLUMNS=str(columns))
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= columns
    for title in ("Movement", "Sleep", "Heart", "Stress", "Sound", "Workouts", "Body"):
        assert f"\n{title}\n" in said.out


def test_the_day_is_drawn(home: ReportHome) -> None:
    a_full_week(home)
    out = home.ksos("report", "day").out
    assert re.search(r"(?m)^    awake ┤ *█*$", out) is None  # awake at the end is not the night
    assert re.search(r"(?m)^    REM   ┤ +█+$", out)
    assert re.search(r"(?m)^    light ┤ *█+ *$", out)
    assert "▁" in out
    assert "splits: 6:00 /km, 6:00 /km, 6:00 /km, 6:00 /km, 6:00 /km" in home.ksos(
        "report", "day", "--date", "2025-03-12"
    ).out.replace("\n      ", " ")


def test_the_week_has_a_map_of_its_hours(home: ReportHome) -> None:
    a_full_week(home)
    out = home.ksos("report", "week").out
    rows = re.findall(r"(?m)^    (Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([·░▒▓█ ]+)$", out)
    assert [name for name, _ in rows] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert {cells for _, cells in rows} == {"·" * 16 + "█" * 24 + "·" * 8}


@pytest.mark.parametrize(
    ("env", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals(
    home: ReportHome, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], *, colours: bool
) -> None:
    a_full_week(home)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    plain = home.ksos("report", "day").out
    assert "\x1b" not in plain
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    painted = home.ksos("report", "day", **env).out
    assert ("\x1b[" in painted) is colours
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain


def test_names_move_no_cursor(home: ReportHome) -> None:
    a_full_week(home, alias="\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}evil")
    out = home.ksos("report", "day").out
    assert "\x1b" not in out
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in out


# ---- the page


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_else(home: ReportHome, kind: str) -> None:
    a_full_week(home)
    text = page(home.ksos, kind)
    assert len(text.encode()) < 1_000_000
    for outside in (
        "http:",
        "https:",
        "//",
        "url(",
        "@import",
        "<script",
        "<link",
        "src=",
        "href=",
    ):
        assert outside not in text
    assert "Not a diagnosis" in text
    assert "Physical activity carries risk" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_for_everybody(home: ReportHome, kind: str) -> None:
    a_full_week(home)
    tree = parsed(page(home.ksos, kind))
    assert tree.xpath("/html/@lang") == ["en"]
    assert len(tree.xpath("//h1")) == len(tree.xpath("//main")) == 1
    levels = [int(one.tag[1]) for one in tree.xpath("//h1|//h2|//h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(tree.xpath("//@aria-labelledby")) <= set(ids)
    pictures = tree.xpath("//svg")
    assert pictures
    assert all(one.get("role") == "img" and one.get("aria-label") for one in pictures)
    assert all(
        one.xpath(".//table//th[@scope='row']") for one in tree.xpath("//figure[not(@class)]")
    )
    assert all(one.xpath("caption|ancestor::figure") for one in tree.xpath("//table"))


@pytest.mark.parametrize("eastward", [13.0, 179.998])
def test_a_route_is_drawn_to_scale(home: ReportHome, eastward: float) -> None:
    """Two kilometres north and one east, at 60 degrees, where a degree east is half as long."""
    side = [0.018 * step / 40 for step in range(40)]
    corners = [(60 + north, 0.0) for north in side] + [(60.018, east) for east in side]
    corners += [(60.018 - north, 0.018) for north in side] + [(60.0, 0.018)]
    corners = [(north, (eastward + east + 180) % 360 - 180) for north, east in corners]
    start = MONDAY + 9 * HOUR_S
    with home.store() as store:
        run = series("workout", [start], duration_s=3600, sport="outdoor_cycle", sport_code=50)
        times = [start + place * 10 for place in range(len(corners))]
        points = series(
            "workout_point",
            times,
            latitude_deg=[north for north, _ in corners],
            longitude_deg=[east for _, east in corners],
        )
        home.give(store, home.watch(store), MONDAY + DAY_S, run, points)
    text = page(home.ksos, "day")
    assert "60.0" not in text  # its shape, not its place
    tree = parsed(text)
    (line,) = tree.xpath("//figure[@class='route']//polyline/@points")
    xs, ys = zip(*(map(float, pair.split(",")) for pair in line.split()), strict=True)
    assert (max(ys) - min(ys)) / (max(xs) - min(xs)) == pytest.approx(2, rel=0.01)
    (bar,) = tree.xpath("//figure[@class='route']//line[@class='measure']")
    assert tree.xpath("string(//figure[@class='route']//text)") == "1.00\N{NO-BREAK SPACE}km"
    metre = (max(ys) - min(ys)) / (0.018 * 111_195)
    assert float(bar.get("x2")) - float(bar.get("x1")) == pytest.approx(1000 * metre, rel=0.01)


def test_a_page_escapes_whatever_names_say(home: ReportHome) -> None:
    a_full_week(home, alias=HOSTILE)
    with home.store() as store:
        (watch,) = store.devices()
        sport = series(
            "workout", [MONDAY + 9 * HOUR_S], duration_s=1800, sport=HOSTILE, sport_code=1
        )
        home.give(store, watch, MONDAY + 7 * DAY_S, sport)
    for kind in KINDS:
        tree = parsed(page(home.ksos, kind, "--date", "2025-03-10"))
        assert not tree.xpath("//script|//img")
        assert tree.xpath("//header//bdi/text()") == [HOSTILE]
        assert HOSTILE.replace("_", " ") in tree.xpath("string(//main)")
        assert set(tree.xpath("//@onerror")) == set()


def test_where_reports_go(
    home: ReportHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_full_week(home)
    monkeypatch.chdir(tmp_path)
    said = home.ksos("report", "day", "--format", "html")
    file = tmp_path / "ksos-day-2025-03-16.html"
    assert (said.code, said.out) == (0, "")
    assert file.name in said.err
    assert file.stat().st_mode & 0o77 == 0
    assert file.read_text("utf-8").startswith("<!doctype html>")
    named = tmp_path / "week.json"
    assert home.ksos("report", "week", "--format", "json", "--out", named, "--quiet").err == ""
    assert json.loads(named.read_text("utf-8"))["kind"] == "week"
    assert home.ksos("report", "month", "--out", tmp_path).code == 0
    assert (tmp_path / "ksos-month-2025-03-01.txt").read_text("utf-8").startswith("March 2025")
    assert home.ksos("report", "day", "--out", tmp_path / "no" / "x").code == 3
    assert home.ksos("report", "day", "--out", home.ksos.home / "store.db").code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "pdf"), "There is no format pdf of reports"),
        (("--date", "someday"), "--date someday is no day"),
        (("--date", "9999-12-31"), "That day is out of range"),
        (("--date", "0001-01-01"), "That day is out of range"),
        (("--device", "nobody"), "There is no watch of that name"),
    ],
)
def test_what_cannot_be_reported(home: ReportHome, options: tuple[str, str], said: str) -> None:
    a_full_week(home)
    for kind in KINDS:
        answer = home.ksos("report", kind, *options)
        assert answer.code in (2, 3)
        assert said in answer.err
        assert answer.out == ""


# ---- the document


def test_the_manual_names_every_field(home: ReportHome) -> None:
    a_full_week(home)
    assert home.ksos("privacy", "allow", "cycle").code == 0
    wear(home, "cycle", on=True, last_start="2025-02-20")
    wear(home, "goal", steps=12_000)
    part = (
        MANUAL.read_text("utf-8").partition("## ksos report day")[2].partition("## ksos export")[0]
    )
    report = home.report("week", "2025-03-12")
    fields = set(report) | set(report["goals"][0]) | set(report["workouts"][0])
    fields |= set(report["medals"][0]) | set(report["cycle"]) | set(report["missing"] or ())
    fields |= set(figure(report, "steps")) | set(report["sections"]["heart"])
    fields |= set(figure(report, "steps")["most"]) | set(report["workouts"][0]["splits"][0])
    assert {field for field in fields if f"`{field}`" not in part} == set()


def test_a_report_loads_no_radio(home: ReportHome) -> None:
    a_full_week(home)
    for form in ("terminal", "json"):
        loaded = loaded_by("report", "day", "--format", form)
        assert loaded.isdisjoint(set(HEAVY) - {"sqlcipher3", "cryptography"})


def test_dates_are_real(home: ReportHome) -> None:
    """A leap year has its day, and years that ISO weeks count otherwise begin on their first."""
    day = int(datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp())
    with home.store() as store:
        walk = series("steps", [day], duration_s=HOUR_S, steps=500)
        home.give(store, home.watch(store), day + DAY_S, walk)
    report = home.report("year", "2024-02-29")
    grid = next(one for one in report["sections"]["movement"]["charts"] if one["kind"] == "grid")
    assert [value for row in grid["values"] for value in row if value is not None] == [500]
    assert grid["values"][date(2024, 2, 29).weekday()][8] == 500
    assert home.report("month", "2024-02-29")["last_day"] == "2024-02-29"
