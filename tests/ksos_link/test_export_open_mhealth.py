"""Open mHealth and IEEE 1752.1: each data point against its published schema, and the way back."""

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from omh_shim import _validate

from firmware_protocol.samples import SleepStage
from ksos_link.errors import StoreError
from ksos_link.export.open_mhealth import write_open_mhealth
from tests.ksos_link.health_files import (
    NIGHT,
    SUMMER_ENDS,
    BerlinSource,
    everything,
    of_metrics,
    row,
    seconds,
    stored,
)

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

Point = dict[str, Any]
NO_SCHEMA = ("stress", "battery", "workout_minute", "workout_split", "workout_point", "noise")
DATES = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"|"uuid":"[-0-9a-f]{36}"')
STATES = {"Awake": "awake", "Light_sleep": "light", "Deep_sleep": "deep", "REM_sleep": "rem"}


def points_of(source: BerlinSource) -> list[Point]:
    text = io.StringIO()
    write_open_mhealth(source, text)
    return checked(text.getvalue())


def checked(text: str) -> list[Point]:
    """The data points, each valid by its schema and with a valid header.

    A schema takes milliseconds: what differs in its instants and name only is looked at once.
    """
    points: list[Point] = [json.loads(line) for line in text.splitlines()]
    alike = {
        DATES.sub("", line): point for line, point in zip(text.splitlines(), points, strict=True)
    }
    for point in alike.values():
        _validate.validate_output(point["header"], "ieee:header:1.0")
        schema = point["header"]["schema_id"]
        name = f"{schema['namespace']}:{schema['name']}:{schema['version']}"
        _validate.validate_output(point["body"], name)
    return points


def start_of(point: Point) -> int:
    frame = point["body"]["effective_time_frame"]
    return seconds(frame.get("date_time") or frame["time_interval"]["start_date_time"])


def of_schema(points: list[Point], name: str) -> list[Point]:
    return [point for point in points if point["header"]["schema_id"]["name"] == name]


def metric_of(point: Point) -> str:
    body, schema = point["body"], point["header"]["schema_id"]["name"]
    if schema == "heart-rate":
        moment = body.get("temporal_relationship_to_physical_activity")
        names = {"at rest": "resting_heart_rate", "during exercise": "workout_heart_rate"}
        return str(names.get(moment, "heart_rate"))
    if schema == "physical-activity":
        named = {"steps": "steps", "movement": "activity"}
        return named.get(body["activity_name"], "workout")
    return str({"oxygen-saturation": "spo2", "sleep-episode": "sleep_summary"}.get(schema, schema))


def values_of(point: Point) -> dict[str, Any]:
    """The values of a body by our names of them."""
    ours = {
        "heart_rate": "bpm",
        "oxygen_saturation": "spo2_pct",
        "base_movement_quantity": "steps",
        "distance": "distance_m",
        "kcal_burned": "energy_kcal",
        "average_cadence": "cadence_avg_spm",
        "average_speed": "speed_avg_mps",
        "light_sleep_duration": "light_min",
        "deep_sleep_duration": "deep_min",
        "rem_sleep_duration": "rem_min",
        "wake_after_sleep_onset": "awake_min",
    }
    return {ours[name]: member["value"] for name, member in point["body"].items() if name in ours}


@pytest.mark.parametrize("scenario", ["full-day", "runner", "month"])
def test_each_value_is_a_stored_one(ksos: "CommandLine", scenario: str, tmp_path: Path) -> None:
    assert ksos("watch", "pair", f"virtual:ido?scenario={scenario}", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    samples = stored(ksos)
    assert ksos("export", "--format", "openmhealth", "--out", tmp_path).code == 0
    points = checked((tmp_path / "ksos.openmhealth.jsonl").read_text())
    found = set()
    for point in points:
        if metric_of(point) == "sleep-stage-summary":
            for episode in point["body"]["sleep_stage_episodes"]:
                frame = episode["sleep_stage_time_frame"]["time_interval"]
                begin, end = seconds(frame["start_date_time"]), seconds(frame["end_date_time"])
                sample = samples["sleep", "wrist", begin]
                assert STATES[episode["sleep_stage_state"]] == sample["stage"]
                assert end - begin == sample["duration_s"]
                found.add(("sleep", "wrist", begin))
            continue
        key = (metric_of(point), "wrist", start_of(point))
        assert values_of(point).items() <= samples[key].items()
        assert ("quality" in point["header"]) == (samples[key]["quality"] != "proven")
        found.add(key)
    assert found == of_metrics(samples, *NO_SCHEMA)
    uids = [point["header"]["uuid"] for point in points]
    assert len(set(uids)) == len(uids)


def test_what_a_virtual_watch_never_has() -> None:
    points = points_of(everything())
    assert [one["body"]["rr_interval"]["value"] for one in of_schema(points, "rr-interval")] == [
        812,
        823,
    ]
    wrist, body = (one["body"] for one in of_schema(points, "body-temperature"))
    assert (wrist["measurement_location"], "measurement_location" in body) == ("wrist", False)
    (weight,) = of_schema(points, "body-weight")
    assert weight["body"]["body_weight"] == {"value": 61.25, "unit": "kg"}
    names = [one["body"]["activity_name"] for one in of_schema(points, "physical-activity")]
    assert names == ["steps", "movement", "movement", "Outdoor Run", "swimming"]


def test_absent_is_absent() -> None:
    points = points_of(everything())
    rates = of_schema(points, "heart-rate")
    assert [one["body"]["heart_rate"]["value"] for one in rates] == [58, 59, 52]
    assert len(of_schema(points, "oxygen-saturation")) == 1
    bare = of_schema(points, "physical-activity")[2]["body"]
    assert set(bare) == {"activity_name", "distance", "effective_time_frame"}
    (episode,) = of_schema(points, "sleep-episode")
    assert "rem_sleep_duration" not in episode["body"]
    assert episode["body"]["total_sleep_time"] == {"value": 120, "unit": "min"}


def test_a_night_over_a_change_of_clocks_and_a_nap_without_a_summary() -> None:
    night, nap = of_schema(points_of(everything()), "sleep-stage-summary")
    assert night["body"]["effective_time_frame"]["time_interval"] == {
        "start_date_time": "2026-10-25T01:00:00+02:00",
        "end_date_time": "2026-10-25T02:40:00+01:00",
    }
    summed = night["body"]["sleep_stage_summary"]["total_sleep_time"]
    assert summed == {"value": 9000, "unit": "sec"}
    assert night["header"]["quality"] == "provisional"
    assert start_of(nap) == NIGHT + 40_000


def test_an_unknown_stage_is_said_to_be_unknown() -> None:
    rows = {"sleep": [row("sleep", NIGHT, 60, 9), row("sleep", NIGHT + 60, 60, SleepStage.REM)]}
    (night,) = points_of(BerlinSource(all_rows=rows))
    states = [one["sleep_stage_state"] for one in night["body"]["sleep_stage_episodes"]]
    assert states == ["Unknown_sleep", "REM_sleep"]


def test_steps_of_no_duration_still_have_an_interval() -> None:
    rows = {"steps": [row("steps", SUMMER_ENDS, 0, 4)]}
    (steps,) = points_of(BerlinSource(all_rows=rows))
    assert "time_interval" in steps["body"]["effective_time_frame"]


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    beats = [row("heart_rate", NIGHT + s, 60) for s in range(2000)]
    source = BerlinSource(all_rows={"heart_rate": beats})
    with file_size_limit(100_000), pytest.raises(StoreError, match="full"):
        write_open_mhealth(source, tmp_path / "points.jsonl")
    assert list(tmp_path.iterdir()) == []
