"""TCX: the rules of its schema as a check of our own, and tcxreader as the other reader."""

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from tcxreader.tcxreader import TCXReader

from ksos_link.errors import StoreError
from ksos_link.export.source import Workout
from ksos_link.export.tcx import write_tcx
from tests.ksos_link.made_up_source import (
    START,
    MadeUpSource,
    made_up_workout,
    minute,
    point,
    split,
)
from tests.ksos_link.stored_samples import stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

TCX = "{http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2}"
MORE = "{http://www.garmin.com/xmlschemas/ActivityExtension/v2}"
DOUBLE = r"-?\d+(\.\d+)?"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@dataclass(frozen=True)
class Rule:
    """What an element may hold: children in this order, or a text; `+` many, `?` may be absent."""

    children: str = ""
    text: str = ""
    least: float = -1e9
    most: float = 1e9


BPM = Rule("Value")
RULES = {
    f"{TCX}TrainingCenterDatabase": Rule("Folders? Activities?"),
    f"{TCX}Activities": Rule("Activity+"),
    f"{TCX}Activity": Rule("Id Lap+ Notes? Training? Creator? Extensions?"),
    f"{TCX}Id": Rule(text=TIME),
    f"{TCX}Notes": Rule(text=r"(?s).*"),
    f"{TCX}Lap": Rule(
        "TotalTimeSeconds DistanceMeters MaximumSpeed? Calories AverageHeartRateBpm?"
        " MaximumHeartRateBpm? Intensity Cadence? TriggerMethod Track+? Notes? Extensions?"
    ),
    f"{TCX}TotalTimeSeconds": Rule(text=DOUBLE, least=0),
    f"{TCX}DistanceMeters": Rule(text=DOUBLE),
    f"{TCX}Calories": Rule(text=r"\d+", least=0, most=65535),
    f"{TCX}AverageHeartRateBpm": BPM,
    f"{TCX}MaximumHeartRateBpm": BPM,
    f"{TCX}HeartRateBpm": BPM,
    f"{TCX}Value": Rule(text=r"\d+", least=1, most=255),
    f"{TCX}Intensity": Rule(text="Active|Resting"),
    f"{TCX}TriggerMethod": Rule(text="Manual|Distance|Location|Time|HeartRate"),
    f"{TCX}Track": Rule("Trackpoint+"),
    f"{TCX}Trackpoint": Rule(
        "Time Position? AltitudeMeters? DistanceMeters? HeartRateBpm? Cadence? SensorState?"
        " Extensions?"
    ),
    f"{TCX}Time": Rule(text=TIME),
    f"{TCX}Position": Rule("LatitudeDegrees LongitudeDegrees"),
    f"{TCX}LatitudeDegrees": Rule(text=DOUBLE, least=-90, most=90),
    f"{TCX}LongitudeDegrees": Rule(text=DOUBLE, least=-180, most=180),
    f"{TCX}AltitudeMeters": Rule(text=DOUBLE),
    f"{TCX}Cadence": Rule(text=r"\d+", least=0, most=254),
    f"{TCX}Extensions": Rule(f"{MORE}TPX"),
    f"{MORE}TPX": Rule(f"{MORE}Speed? {MORE}RunCadence? {MORE}Watts?"),
    f"{MORE}Speed": Rule(text=DOUBLE),
    f"{MORE}RunCadence": Rule(text=r"\d+", least=0, most=254),
}


def check(element: etree._Element) -> None:
    """Raise AssertionError where an element breaks the rules."""
    rule = RULES.get(str(element.tag))
    assert rule is not None, f"unknown element {element.tag}"
    if rule.children:
        names = [
            f"(?:{re.escape(name if name.startswith('{') else TCX + name)};)"
            for name in (each.rstrip("?+") for each in rule.children.split())
        ]
        marks = [
            {"": "", "?": "?", "+": "+", "+?": "*"}[each[len(each.rstrip("?+")) :]]
            for each in rule.children.split()
        ]
        pattern = "".join(name + mark for name, mark in zip(names, marks, strict=True))
        found = "".join(f"{child.tag};" for child in element)
        assert re.fullmatch(pattern, found), f"{element.tag} holds {found}"
        assert not (element.text or "").strip()
        for child in element:
            check(child)
        return
    assert len(element) == 0
    text = element.text or ""
    assert re.fullmatch(rule.text, text), f"{element.tag}: {text}"
    if rule.text in {DOUBLE, r"\d+"}:
        assert rule.least <= float(text) <= rule.most


def document(workout: Workout) -> bytes:
    text = io.TextIOWrapper(io.BytesIO(), "utf-8")
    write_tcx(MadeUpSource([workout]), workout, text)
    text.flush()
    text.seek(0)
    return text.buffer.read()


def checked(data: bytes) -> etree._Element:
    root = etree.fromstring(data)
    assert root.tag == f"{TCX}TrainingCenterDatabase"
    check(root)
    activity = root[0][0]
    assert activity.get("Sport") in {"Running", "Biking", "Other"}
    for lap in activity.iter(f"{TCX}Lap"):
        assert re.fullmatch(TIME, lap.get("StartTime", ""))
    return activity


def texts(element: etree._Element, path: str) -> list[str]:
    return [str(each.text) for each in element.findall(path.replace("/", f"/{TCX}"))]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'Sport="Running"', b'Sport="Walking"'),
        (b"<HeartRateBpm><Value>120</Value></HeartRateBpm>", b"<HeartRateBpm>120</HeartRateBpm>"),
        (b"<Value>120</Value>", b"<Value>0</Value>"),
        (b"<Calories>0</Calories>", b""),
        (b"<Intensity>Active</Intensity>", b""),
        (b"<DistanceMeters>0.0</DistanceMeters><Cal", b"<Cal"),
    ],
)
def test_our_check_refuses_what_the_schema_refuses(old: bytes, new: bytes) -> None:
    good = document(made_up_workout(heart_rate=[(START, 120)]))
    checked(good)
    assert old in good
    with pytest.raises(AssertionError):
        checked(good.replace(old, new))


def test_every_value_of_every_workout_is_a_stored_sample(
    ksos: "CommandLine", tmp_path: Path
) -> None:
    assert ksos("sync", "--device", "virtual:ido?scenario=runner").code == 0
    out = tmp_path / "tcx"
    out.mkdir()
    said = ksos("export", "--format", "tcx", "--out", out)
    assert said.code == 0, said.err
    workouts = {each["start_utc_s"]: each for each in stored(ksos, "workout")}
    beats = {each["start_utc_s"]: each["bpm"] for each in stored(ksos, "workout_heart_rate")}
    files = list(out.glob("*.tcx"))
    assert len(files) == len(workouts) > 3
    for file in files:
        activity = checked(file.read_bytes())
        workout = workouts[seconds(texts(activity, "./Id")[0])]
        kcal, metres, lasted = (
            sum(map(float, texts(activity, f"./Lap/{name}")))
            for name in ("Calories", "DistanceMeters", "TotalTimeSeconds")
        )
        assert (kcal, metres) == (workout["energy_kcal"] or 0, workout["distance_m"] or 0)
        assert lasted == workout["duration_s"]
        read = TCXReader().read(str(file), only_gps=False)
        assert read.calories == kcal
        hearts = [
            (each.time.replace(tzinfo=UTC).timestamp(), each.hr_value)
            for each in read.trackpoints
            if each.hr_value
        ]
        assert hearts
        assert all(beats[at] == bpm for at, bpm in hearts)


def test_a_route_and_its_laps_are_read_by_the_other_program(tmp_path: Path) -> None:
    points = [
        point(
            START + at, 47.3 + at / 1e5, 8.5, elevation_m=400.5, distance_m=3.5 * at, speed_mps=3.5
        )
        for at in range(600)
    ]
    workout = made_up_workout(
        values={"distance_m": 2100, "energy_kcal": 150, "bpm_avg": 140},
        points=points,
        splits=[split(START, 280), split(START + 280, 290)],
        minutes=[minute(START + 60 * at, 170, 15, 213) for at in range(10)],
        heart_rate=[(START + at, 140) for at in range(600)],
    )
    file = tmp_path / "run.tcx"
    write_tcx(MadeUpSource([workout]), workout, file)
    activity = checked(file.read_bytes())
    assert texts(activity, "./Lap/DistanceMeters") == ["1000.0", "1000.0", "100.0"]
    assert texts(activity, "./Lap/Calories") == ["75", "75", "0"]
    assert [len(lap.findall(f".//{TCX}Trackpoint")) for lap in activity.iter(f"{TCX}Lap")] == [
        *(280, 290, 30)
    ]
    read = TCXReader().read(str(file))
    assert read.activity_type == "Running"
    assert len(read.laps) == 3
    assert [
        (each.latitude, each.longitude, each.elevation, each.distance, each.hr_value)
        for each in read.trackpoints
    ] == [(row[2], row[3], row[4], row[5], 140) for row in points]
    assert {each.tpx_ext["Speed"] for each in read.trackpoints} == {3.5}


@pytest.mark.parametrize(
    ("sport", "word", "cadence"),
    [("outdoor_run", "Running", 85), ("outdoor_cycle", "Biking", 171), ("hike", "Other", 85)],
)
def test_steps_are_counted_by_twos_and_turns_by_ones(sport: str, word: str, cadence: int) -> None:
    activity = checked(
        document(made_up_workout(sport, points=[point(START, 1.0, 2.0, cadence_spm=171)]))
    )
    assert activity.get("Sport") == word
    runs = [str(each.text) for each in activity.iter(f"{MORE}RunCadence")]
    turns = [str(each.text) for each in activity.iter(f"{TCX}Cadence")]
    assert runs + turns == [str(cadence)]
    assert bool(turns) == (sport == "outdoor_cycle")


@pytest.mark.parametrize("bpm", [0, 255, 300, -3])
def test_a_reading_that_is_none_is_absent(bpm: int) -> None:
    odd = made_up_workout(
        values={"bpm_avg": bpm, "bpm_max": bpm, "energy_kcal": 10**6}, heart_rate=[(START, bpm)]
    )
    activity = checked(document(odd))
    assert not list(activity.iter(f"{TCX}Value"))
    assert texts(activity, "./Lap/Calories") == ["65535"]


def test_a_workout_of_nothing_and_odd_texts_and_years() -> None:
    for year in (1970, 2099):
        start = int(datetime(year, 12, 31, 23, 59, 30, tzinfo=UTC).timestamp())
        activity = checked(document(made_up_workout("<x>&\x07", start_utc_s=start, duration_s=0)))
        assert texts(activity, "./Id") == [f"{year}-12-31T23:59:30Z"]
        assert texts(activity, "./Notes") == ["<x>&"]
        assert not list(activity.iter(f"{TCX}Track"))


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    workout = made_up_workout(heart_rate=[(START + at, 99) for at in range(2000)])
    with file_size_limit(10_000), pytest.raises(StoreError, match="full"):
        write_tcx(MadeUpSource([workout]), workout, tmp_path / "run.tcx")
    assert list(tmp_path.iterdir()) == []
