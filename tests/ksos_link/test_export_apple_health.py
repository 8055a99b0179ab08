"""Apple Health: valid by the document type, read by healthkit-to-sqlite, and the way back."""

import json
import sqlite3
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gpxpy
import pytest
from healthkit_to_sqlite.utils import convert_xml_to_sqlite
from lxml import etree
from sqlite_utils import Database

from ksos_link.errors import StoreError
from ksos_link.export.apple_health import write_apple_health
from ksos_link.export.source import ExportDevice
from tests.ksos_link.health_files import (
    NIGHT,
    SUMMER_ENDS,
    BerlinSource,
    Stored,
    everything,
    of_metrics,
    row,
    stored,
)

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

NO_PLACE = ("stress", "battery", "workout_minute")
Rows = list[dict[str, Any]]


def written(source: BerlinSource, folder: Path) -> Any:
    folder.mkdir()
    write_apple_health(source, folder, now=lambda: 1_800_000_000.5)
    return valid(folder / "export.xml")


def valid(file: Path) -> Any:
    """The root of a document that is valid by its own document type."""
    tree = etree.parse(str(file), etree.XMLParser(dtd_validation=True))
    assert tree.docinfo.internalDTD.validate(tree)
    return tree.getroot()


def records(root: Any, kind: str) -> Rows:
    found = root.findall("Record")
    return [dict(each.attrib) for each in found if each.get("type").endswith(f"Identifier{kind}")]


def second_reader(folder: Path) -> dict[str, Rows]:
    """The tables that healthkit-to-sqlite makes of a document."""
    with closing(sqlite3.connect(folder.parent / "health.db")) as connection:
        database = Database(connection)
        with (folder / "export.xml").open(encoding="utf-8") as document:
            convert_xml_to_sqlite(document, database)
        return {name: list(database[name].rows) for name in database.table_names()}


def instant(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").timestamp())


# the table of the second reader, our metric and column, and what Apple's value is of ours
TRACES = {
    "rRestingHeartRate": ("resting_heart_rate", "bpm", 1),
    "rOxygenSaturation": ("spo2", "spo2_pct", 0.01),
    "rStepCount": ("steps", "steps", 1),
    "rDistanceWalkingRunning": ("activity", "distance_m", 1),
    "rActiveEnergyBurned": ("activity", "active_energy_kcal", 1),
}
STAGES = {"Awake": "awake", "AsleepCore": "light", "AsleepDeep": "deep", "AsleepREM": "rem"}


@pytest.mark.parametrize("scenario", ["full-day", "runner", "month"])
def test_each_value_is_a_stored_one(ksos: "CommandLine", scenario: str, tmp_path: Path) -> None:
    assert ksos("watch", "pair", f"virtual:ido?scenario={scenario}", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    samples = stored(ksos)
    said = ksos("export", "--format", "apple-health", "--out", tmp_path / "health")
    assert said.code == 0
    valid(tmp_path / "health/export.xml")
    tables = second_reader(tmp_path / "health")
    found = set()
    for table, (metric, column, part) in TRACES.items():
        for record in tables[table]:
            sample = samples[metric, "wrist", instant(record["startDate"])]
            assert float(record["value"]) == pytest.approx(sample[column] * part)
            assert (record.get("metadata_ksos_quality") or "proven") == sample["quality"]
            found.add((metric, "wrist", instant(record["startDate"])))
    for record in tables["rBasalEnergyBurned"]:
        sample = samples["activity", "wrist", instant(record["startDate"])]
        assert int(record["value"]) == sample["energy_kcal"] - sample["active_energy_kcal"]
    found |= traced_beats(tables["rHeartRate"], samples)
    found |= traced_sleep(tables["rSleepAnalysis"], samples)
    found |= traced_workouts(tables["workouts"], samples)
    assert found == of_metrics(samples, *NO_PLACE)


def traced_beats(table: Rows, samples: Stored) -> set[tuple[str, str, int]]:
    found = set()
    for record in table:
        at = instant(record["startDate"])
        keys = [(name, "wrist", at) for name in ("heart_rate", "workout_heart_rate")]
        known = [key for key in keys if key in samples]
        assert int(record["value"]) == samples[known[0]]["bpm"]
        found.update(known)
    return found


def traced_sleep(table: Rows, samples: Stored) -> set[tuple[str, str, int]]:
    found = set()
    for record in table:
        at, value = instant(record["startDate"]), record["value"].removeprefix(VALUE)
        metric = "sleep_summary" if value == "InBed" else "sleep"
        sample = samples[metric, "wrist", at]
        assert value == "InBed" or STAGES[value] == sample["stage"]
        assert instant(record["endDate"]) - at == sample["duration_s"]
        found.add((metric, "wrist", at))
    return found


VALUE = "HKCategoryValueSleepAnalysis"


def traced_workouts(table: Rows, samples: Stored) -> set[tuple[str, str, int]]:
    found = set()
    for record in table:
        at = instant(record["startDate"])
        sample = samples["workout", "wrist", at]
        assert record["metadata_ksos_sport"] == sample["sport"]
        assert int(record["totalDistance"]) == sample["distance_m"]
        assert int(record["totalEnergyBurned"]) == sample["energy_kcal"]
        assert float(record["duration"]) * 60 == pytest.approx(sample["duration_s"])
        found.add(("workout", "wrist", at))
        for lap in json.loads(record["workout_events"]):
            key = ("workout_split", "wrist", instant(lap["date"]))
            assert float(lap["duration"]) * 60 == pytest.approx(samples[key]["duration_s"])
            found.add(key)
    return found


def test_the_units_and_types_are_apple_s(tmp_path: Path) -> None:
    root = written(everything(), tmp_path / "health")
    assert root.find("ExportDate").get("value") == "2027-01-15 09:00:00 +0100"
    (oxygen,) = records(root, "OxygenSaturation")
    assert (oxygen["unit"], oxygen["value"]) == ("%", "0.97")
    (variability,) = records(root, "HeartRateVariabilitySDNN")
    assert (variability["unit"], variability["value"]) == ("ms", "45.5")
    (noise,) = records(root, "EnvironmentalAudioExposure")
    assert (noise["unit"], noise["value"]) == ("dBASPL", "61.5")
    assert [each["value"] for each in records(root, "BodyTemperature")] == ["34.5", "36.75"]
    sites = root.xpath("//MetadataEntry[@key='ksos_site']/@value")
    assert sites == ["wrist", "body"]
    (weight,) = records(root, "BodyMass")
    assert (weight["unit"], weight["value"]) == ("kg", "61.25")


def test_absent_is_absent(tmp_path: Path) -> None:
    root = written(everything(), tmp_path / "health")
    assert [each["value"] for each in records(root, "HeartRate")] == ["58", "59"]
    assert len(records(root, "DistanceWalkingRunning")) == 2
    assert len(records(root, "ActiveEnergyBurned")) == len(records(root, "BasalEnergyBurned")) == 1
    statistics = root.xpath("//WorkoutStatistics[contains(@type, 'HeartRate')]")
    assert (statistics[0].get("maximum"), statistics[0].get("minimum")) == ("171", None)


def test_local_time_is_that_of_the_day(tmp_path: Path) -> None:
    root = written(everything(), tmp_path / "health")
    in_bed, *stages, nap_in_bed, nap = records(root, "SleepAnalysis")
    assert in_bed["value"] == f"{VALUE}InBed"
    assert in_bed["startDate"] == "2026-10-25 01:00:00 +0200"
    assert in_bed["endDate"] == "2026-10-25 02:40:00 +0100"
    assert [each["value"].removeprefix(VALUE) for each in stages] == [
        *("AsleepCore", "AsleepDeep", "AsleepREM", "Awake")
    ]
    assert (nap_in_bed["startDate"], nap["value"]) == (nap["startDate"], f"{VALUE}AsleepCore")
    (resting,) = records(root, "RestingHeartRate")
    assert resting["endDate"] == "2026-10-26 00:00:00 +0100"


def test_a_route_is_a_file_of_its_own(tmp_path: Path) -> None:
    root = written(everything(), tmp_path / "health")
    path = root.xpath("//Workout/WorkoutRoute/FileReference/@path")
    assert path == ["/workout-routes/route_2026-10-25_1.gpx"]
    file = tmp_path / "health" / str(path[0]).removeprefix("/")
    points = gpxpy.parse(file.read_text()).tracks[0].segments[0].points
    assert [(each.latitude, each.elevation) for each in points] == [(52.5, 34.5), (52.5001, None)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_who_the_wearer_is(tmp_path: Path) -> None:
    me = written(everything(), tmp_path / "health").find("Me")
    assert sorted(me.attrib.values()) == [
        *("1988-02-29", "HKBiologicalSexFemale", "HKBloodTypeNotSet"),
        *("HKFitzpatrickSkinTypeNotSet", "NotSet"),
    ]
    nobody = BerlinSource(all_rows={"weight": [row("weight", NIGHT, 70.0)]})
    me = written(nobody, tmp_path / "nobody").find("Me")
    assert me.get("HKCharacteristicTypeIdentifierDateOfBirth") == ""
    assert me.get("HKCharacteristicTypeIdentifierBiologicalSex") == "HKBiologicalSexNotSet"


def test_names_that_are_a_nuisance(tmp_path: Path) -> None:
    device = ExportDevice('<"&\x1b\x00>', "K\u0007S\ud800", "ido")
    rows = {"weight": [row("weight", NIGHT, 70.0, device=device.alias)]}
    root = written(BerlinSource(devices=(device,), all_rows=rows), tmp_path / "health")
    (weight,) = records(root, "BodyMass")
    assert (weight["sourceName"], weight["device"]) == ('<"&>', "KS")


@pytest.mark.parametrize("utc_s", [0, 4_102_444_799])
def test_a_clock_far_off(utc_s: int, tmp_path: Path) -> None:
    rows = {"heart_rate": [row("heart_rate", utc_s, 60)]}
    (one,) = records(written(BerlinSource(all_rows=rows), tmp_path / "health"), "HeartRate")
    assert instant(one["startDate"]) == utc_s


def test_a_folder_that_is_there_is_left_alone(ksos: "CommandLine", tmp_path: Path) -> None:
    assert ksos("watch", "pair", "virtual:ido?scenario=short", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    (tmp_path / "out" / "apple-health").mkdir(parents=True)
    said = ksos("export", "--format", "apple-health", "--out", tmp_path / "out")
    assert (said.code, "is there already" in said.err) == (2, True)


def test_a_full_disk_leaves_nothing(
    ksos: "CommandLine", tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    assert ksos("watch", "pair", "virtual:ido?scenario=full-day", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    (tmp_path / "out").mkdir()
    with file_size_limit(100_000):
        said = ksos("export", "--format", "apple-health", "--out", tmp_path / "out")
    assert said.code == StoreError.exit_code
    assert list((tmp_path / "out").iterdir()) == []


def test_the_sums_of_a_run(tmp_path: Path) -> None:
    (run,) = written(everything(), tmp_path / "health").findall("Workout")
    assert run.get("workoutActivityType") == "HKWorkoutActivityTypeRunning"
    assert (run.get("duration"), run.get("durationUnit")) == ("10.0", "min")
    sums = {each.get("type")[24:]: each.get("sum") for each in run.findall("WorkoutStatistics")}
    assert sums == {"StepCount": "1700", "DistanceWalkingRunning": "2000", "HeartRate": None}
    assert instant(run.get("startDate")) == SUMMER_ENDS + 36_000
