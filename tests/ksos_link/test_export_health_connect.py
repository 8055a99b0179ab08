"""Health Connect: each record by the rules that its constructors enforce, and the way back."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from firmware_protocol.health_sports import foreign_sport
from ksos_link.export.health_connect import write_health_connect
from ksos_link.export.source import ExportDevice
from tests.ksos_link.health_files import (
    NIGHT,
    SUMMER_ENDS,
    BerlinSource,
    Stored,
    everything,
    of_metrics,
    row,
    seconds,
    stored,
    workouts_and_rows,
)
from tests.ksos_link.made_up_source import made_up_workout, split

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

Record = dict[str, Any]
# what no record holds, or what a record of another metric holds already
NO_PLACE = ("stress", "battery", "workout_minute")

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
OFFSET = {"type": "string", "pattern": r"^[+-](0\d|1[0-8]):[0-5]\d$"}


def closed(required: Record, optional: Record | None = None) -> Record:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def number(least: float, most: float, kind: str = "number") -> Record:
    return {"type": kind, "minimum": least, "maximum": most}


def listed(**members: Record) -> Record:
    return {"type": "array", "items": closed(members)}


METADATA = closed(
    {
        "recordingMethod": {"enum": [0, 1, 2, 3]},
        "clientRecordId": {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]"},
        "clientRecordVersion": number(1, 2**63 - 1, "integer"),
        "device": closed({"type": number(0, 8, "integer"), "model": {"type": "string"}}),
    }
)
ENERGY = {"energy": closed({"inKilocalories": number(0, 1_000_000)})}
BPM = number(1, 300, "integer")
# fields and bounds as androidx.health.connect.client.records 1.1 checks them
INSTANTS: dict[str, Record] = {
    "RestingHeartRateRecord": {"beatsPerMinute": BPM},
    "OxygenSaturationRecord": {"percentage": closed({"value": number(0, 100)})},
    "HeartRateVariabilityRmssdRecord": {"heartRateVariabilityMillis": number(1, 200)},
    "BodyTemperatureRecord": {
        "temperature": closed({"inCelsius": number(0, 100)}),
        "measurementLocation": number(0, 10, "integer"),
    },
    "WeightRecord": {"weight": closed({"inKilograms": number(0, 1000)})},
}
INTERVALS: dict[str, Record] = {
    "StepsRecord": {"count": number(1, 1_000_000, "integer")},
    "DistanceRecord": {"distance": closed({"inMeters": number(0, 1_000_000)})},
    "ActiveCaloriesBurnedRecord": ENERGY,
    "TotalCaloriesBurnedRecord": ENERGY,
    "HeartRateRecord": {"samples": listed(time=TIME, beatsPerMinute=BPM)},
    "SleepSessionRecord": {
        "stages": listed(startTime=TIME, endTime=TIME, stage=number(0, 7, "integer"))
    },
    "ExerciseSessionRecord": {
        "exerciseType": number(0, 83, "integer"),
        "title": {"type": "string"},
        "segments": {"type": "array", "maxItems": 0},
        "laps": listed(
            startTime=TIME, endTime=TIME, length=closed({"inMeters": number(0, 1_000_000)})
        ),
    },
}
POINT = closed(
    {"time": TIME, "latitude": number(-90, 90), "longitude": number(-180, 180)},
    {"altitude": closed({"inMeters": {"type": "number"}})},
)
OPTIONAL: dict[str, Record] = {
    "SleepSessionRecord": {"notes": {"type": "string"}},
    "ExerciseSessionRecord": {
        "notes": {"type": "string"},
        "exerciseRoute": closed({"route": {"type": "array", "items": POINT, "minItems": 1}}),
    },
}


@cache
def validator_of(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(kind))


def schema_of(kind: str) -> Record:
    head = {"recordType": {"const": kind}, "metadata": METADATA}
    if kind in INSTANTS:
        return closed(head | {"time": TIME, "zoneOffset": OFFSET} | INSTANTS[kind])
    span = {"startTime": TIME, "startZoneOffset": OFFSET, "endTime": TIME, "endZoneOffset": OFFSET}
    return closed(head | span | INTERVALS[kind], OPTIONAL.get(kind))


def checked(document: Record) -> list[Record]:
    assert (document["format"], document["version"]) == ("health-connect-records", 1)
    records: list[Record] = document["records"]
    for record in records:
        validator_of(record["recordType"]).validate(record)
        if record["recordType"] in INTERVALS:
            begin, end = seconds(record["startTime"]), seconds(record["endTime"])
            assert begin < end
            check_parts(record, begin, end)
    ids = [record["metadata"]["clientRecordId"] for record in records]
    assert len(set(ids)) == len(ids)
    return records


def check_parts(record: Record, begin: int, end: int) -> None:
    """Parts lie in their record, in order, and do not overlap."""
    for stretches in (record.get("stages", []), record.get("laps", [])):
        free_from = begin
        for part in stretches:
            assert free_from <= seconds(part["startTime"]) < seconds(part["endTime"]) <= end
            free_from = seconds(part["endTime"])
    instants = [*record.get("samples", ()), *record.get("exerciseRoute", {}).get("route", ())]
    times = [seconds(one["time"]) for one in instants]
    assert times == sorted(set(times))
    assert all(begin <= time < end for time in times)


def records_of(source: BerlinSource, version: float = 1_800_000_000) -> list[Record]:
    text = io.StringIO()
    write_health_connect(source, text, now=lambda: version)
    return checked(json.loads(text.getvalue()))


def of_type(records: list[Record], kind: str) -> list[Record]:
    return [record for record in records if record["recordType"] == kind]


SIMPLE = {
    "RestingHeartRateRecord": ("resting_heart_rate", "bpm", ("beatsPerMinute",)),
    "OxygenSaturationRecord": ("spo2", "spo2_pct", ("percentage", "value")),
    "StepsRecord": ("steps", "steps", ("count",)),
    "DistanceRecord": ("activity", "distance_m", ("distance", "inMeters")),
    "ActiveCaloriesBurnedRecord": ("activity", "active_energy_kcal", ("energy", "inKilocalories")),
    "TotalCaloriesBurnedRecord": ("activity", "energy_kcal", ("energy", "inKilocalories")),
}


@pytest.mark.parametrize("scenario", ["full-day", "runner", "month"])
def test_each_value_is_a_stored_one(ksos: "CommandLine", scenario: str, tmp_path: Path) -> None:
    assert ksos("watch", "pair", f"virtual:ido?scenario={scenario}", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    samples = stored(ksos)
    assert ksos("export", "--format", "health-connect", "--out", tmp_path).code == 0
    records = checked(json.loads((tmp_path / "ksos.health-connect.json").read_text()))
    found = {key for record in records for key in traced(record, samples)}
    assert found == of_metrics(samples, *NO_PLACE)


def traced(record: Record, samples: Stored) -> Iterator[tuple[str, str, int]]:
    """The stored samples that a record is made of; each of its values is one of theirs."""
    kind = record["recordType"]
    start = seconds(record.get("time") or record["startTime"])
    if kind in SIMPLE:
        metric, column, path = SIMPLE[kind]
        value: Any = record
        for name in path:
            value = value[name]
        sample = samples[metric, "wrist", start]
        assert value == sample[column]
        if "endTime" in record:
            assert seconds(record["endTime"]) - start == sample["duration_s"]
        yield metric, "wrist", start
    else:
        yield from TRACES[kind](record, start, samples)


def traced_beats(record: Record, _: int, samples: Stored) -> Iterator[tuple[str, str, int]]:
    for one in record["samples"]:
        at = seconds(one["time"])
        keys = [(name, "wrist", at) for name in ("heart_rate", "workout_heart_rate")]
        known = [key for key in keys if key in samples]
        assert one["beatsPerMinute"] == samples[known[0]]["bpm"]
        yield from known


def traced_night(record: Record, start: int, samples: Stored) -> Iterator[tuple[str, str, int]]:
    yield "sleep_summary", "wrist", start
    names = {1: "awake", 4: "light", 5: "deep", 6: "rem"}
    for stage in record["stages"]:
        key = ("sleep", "wrist", seconds(stage["startTime"]))
        assert names[stage["stage"]] == samples[key]["stage"]
        yield key


def traced_workout(record: Record, start: int, samples: Stored) -> Iterator[tuple[str, str, int]]:
    sample = samples["workout", "wrist", start]
    assert record["exerciseType"] == foreign_sport(sample["sport"])[1]
    yield "workout", "wrist", start
    for lap in record["laps"]:
        key = ("workout_split", "wrist", seconds(lap["startTime"]))
        assert lap["length"]["inMeters"] == samples[key]["distance_m"]
        yield key


TRACES = {
    "HeartRateRecord": traced_beats,
    "SleepSessionRecord": traced_night,
    "ExerciseSessionRecord": traced_workout,
}


def test_a_workout_with_its_route_and_laps() -> None:
    (swim, run) = of_type(records_of(everything()), "ExerciseSessionRecord")
    assert (swim["exerciseType"], swim["metadata"]["recordingMethod"]) == (74, 2)
    assert (run["exerciseType"], run["title"]) == (56, "Outdoor Run")
    assert run["metadata"]["recordingMethod"] == 1
    assert [lap["length"]["inMeters"] for lap in run["laps"]] == [1000, 1000]
    first, second = run["exerciseRoute"]["route"]
    assert (first["latitude"], first["altitude"]) == (52.5, {"inMeters": 34.5})
    assert "altitude" not in second


def test_what_has_no_value_has_no_record() -> None:
    records = records_of(everything())
    (rates,) = of_type(records, "HeartRateRecord")[:1]
    assert [one["beatsPerMinute"] for one in rates["samples"]] == [58]
    kinds = Counter(record["recordType"] for record in records)
    assert kinds["OxygenSaturationRecord"] == 1
    assert kinds["DistanceRecord"] == 2
    assert kinds["TotalCaloriesBurnedRecord"] == kinds["ActiveCaloriesBurnedRecord"] == 1
    assert [
        one["heartRateVariabilityMillis"]
        for one in of_type(records, "HeartRateVariabilityRmssdRecord")
    ] == [38.25, 41.0]
    wrist, body = of_type(records, "BodyTemperatureRecord")
    assert (wrist["measurementLocation"], body["measurementLocation"]) == (9, 0)
    no_steps = BerlinSource(all_rows={"steps": [row("steps", NIGHT, 900, 0)]})
    assert records_of(no_steps) == []


def test_local_time_is_that_of_the_day() -> None:
    (steps,) = of_type(records_of(everything()), "StepsRecord")
    assert (steps["startZoneOffset"], steps["endZoneOffset"]) == ("+02:00", "+01:00")
    (night, nap) = of_type(records_of(everything()), "SleepSessionRecord")
    assert (night["startZoneOffset"], night["endZoneOffset"]) == ("+02:00", "+01:00")
    assert night["notes"] == "quality: provisional"
    assert seconds(nap["startTime"]) == NIGHT + 40_000


def test_stages_that_overlap_are_cut_and_laps_beyond_the_end_left_out() -> None:
    rows = {
        "sleep_summary": [row("sleep_summary", NIGHT, 3000, 0, 50, None, 0, None)],
        "sleep": [
            row("sleep", NIGHT, 1800, 2),
            row("sleep", NIGHT + 1200, 600, 3),
            row("sleep", NIGHT + 1500, 900, 9),
        ],
    }
    (night,) = records_of(BerlinSource(all_rows=rows))
    assert [stage["stage"] for stage in night["stages"]] == [4, 0]
    splits = [split(SUMMER_ENDS, 300), split(SUMMER_ENDS + 200, 300), split(SUMMER_ENDS + 500, 300)]
    run = made_up_workout(start_utc_s=SUMMER_ENDS, duration_s=600, splits=splits)
    (record,) = records_of(BerlinSource([run], all_rows=workouts_and_rows(run)))
    assert len(record["laps"]) == 1


def test_inserting_again_is_an_update() -> None:
    """Heart rates are cut at quarters: another stretch of days has the same records."""
    beats = [row("heart_rate", NIGHT + 60 * minute, 60) for minute in range(40)]
    first = records_of(BerlinSource(all_rows={"heart_rate": beats}), 1_800_000_000)
    later = records_of(BerlinSource(all_rows={"heart_rate": beats[15:]}), 1_800_000_060)
    assert len(first) == 3
    assert [one["metadata"]["clientRecordId"] for one in later] == [
        one["metadata"]["clientRecordId"] for one in first[1:]
    ]
    assert {one["metadata"]["clientRecordVersion"] for one in later} == {1_800_000_060}


def test_a_heart_rate_of_day_and_workout_is_one() -> None:
    rows = {
        "heart_rate": [row("heart_rate", NIGHT, 90)],
        "workout_heart_rate": [
            row("workout_heart_rate", NIGHT, 90),
            row("workout_heart_rate", NIGHT + 5, 91),
        ],
    }
    (record,) = records_of(BerlinSource(all_rows=rows))
    assert [one["beatsPerMinute"] for one in record["samples"]] == [90, 91]


def test_what_was_imported_was_recorded_by_nobody_knows_what() -> None:
    device = ExportDevice("imported-gpx", "GPX", "import")
    rows = {"weight": [row("weight", NIGHT, 70.0, device=device.alias)]}
    (record,) = records_of(BerlinSource(devices=(device,), all_rows=rows))
    assert record["metadata"]["recordingMethod"] == 0
    assert record["metadata"]["device"]["type"] == 0
