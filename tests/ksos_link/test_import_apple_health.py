"""Apple Health comes in: what means what, each source for itself, and nothing hostile gets far."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS
from ksos_link.errors import MalformedError, NotFoundError
from ksos_link.export.apple_health import write_apple_health
from ksos_link.imports.apple_pieces import MOST_ROWS, PIECE_ROWS, Pieces
from ksos_link.operations.importing import look_into
from tests.ksos_link.command_results import objects
from tests.ksos_link.health_files import NIGHT, SUMMER_ENDS, everything, seconds, stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

Q = "HKQuantityTypeIdentifier"
SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"
# as a phone writes it, with a document type that is no XML: iOS 16 did so
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 12 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
<!ATTLIST Record
  startDate CDATA #REQUIRED
  startDate CDATA #REQUIRED
<!ELEMENT Broken
]>
<HealthData locale="de_CH">
 <ExportDate value="2026-11-01 10:00:00 +0100"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1990-01-01"/>
"""
DAY = "2026-10-20"


def document(*lines: str, head: str = HEAD) -> bytes:
    return f"{head}{chr(10).join(lines)}\n</HealthData>\n".encode()


def record(
    kind: str,
    value: str,
    unit: str = "",
    start: str = f"{DAY} 08:00:00 +0200",
    end: str = f"{DAY} 08:00:00 +0200",
    source: str = "Anna’s Watch",
    inside: str = "",
) -> str:
    device = "&lt;&lt;HKDevice: 0x3&gt;, name:Apple Watch&gt;"
    return (
        f'<Record type="{kind}" sourceName="{source}" sourceVersion="9.1" device="{device}"'
        f' unit="{unit}" creationDate="{end}" startDate="{start}" endDate="{end}"'
        f' value="{value}">{inside}</Record>'
    )


def imported(ksos: "CommandLine", tmp_path: Path, data: bytes, name: str = "export.xml") -> Any:
    (tmp_path / name).write_bytes(data)
    (said,) = objects(ksos("import", tmp_path / name, "--json"))
    return said


def rows_of(ksos: "CommandLine", metric: str) -> list[dict[str, Any]]:
    return objects(ksos("export", "--format", "jsonl", "--metric", metric, "--out", "-"))


def zipped(folder: Path, root: str = "apple_health_export") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{root}/{file.relative_to(folder)}")
    return data.getvalue()


# ---- what our own export holds comes back


@pytest.mark.parametrize("scenario", ["full-day", "runner"])
def test_our_own_export_comes_back(ksos: "CommandLine", scenario: str, tmp_path: Path) -> None:
    assert ksos("watch", "pair", f"virtual:ido?scenario={scenario}", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    before = stored(ksos)
    folder = tmp_path / "apple-health"
    assert ksos("export", "--format", "apple-health", "--out", folder).code == 0
    (said,) = objects(ksos("import", folder / "export.xml", "--json"))
    assert said["device"] == "imported-apple-health-wrist"
    assert said["samples"] == said["stored"]
    after = stored(ksos)
    came = {key: one for key, one in after.items() if key[1] == said["device"]}
    beats = {key[2] for key in before if key[0] in ("heart_rate", "workout_heart_rate")}
    assert {key[2] for key in came if key[0] == "heart_rate"} == beats
    for metric in ("resting_heart_rate", "spo2", "steps", "sleep", "activity", "workout"):
        starts = {key[2] for key in before if key[0] == metric}
        assert {key[2] for key in came if key[0] == metric} == starts
        for start in starts:
            same(metric, came[metric, said["device"], start], before[metric, "wrist", start])
    (again,) = objects(ksos("import", folder / "export.xml", "--json"))
    assert set(again["stored"].values()) <= {0}
    assert ksos("store", "redecode").code == 0
    assert stored(ksos) == after


def same(metric: str, came: dict[str, Any], sample: dict[str, Any]) -> None:
    """All that Apple has a place for."""
    lost = {
        "activity": {"intensity", "active_min"},
        "workout": {
            name
            for name in METRICS["workout"].column_names
            if name.startswith(("cadence", "speed", "training", "vo2max", "sport_code"))
            or name.endswith(("warm_up_s", "fat_burn_s", "aerobic_s", "extreme_s"))
        },
    }.get(metric, set())
    lost |= {"device"}
    assert {k: v for k, v in came.items() if k not in lost} == {
        k: v for k, v in sample.items() if k not in lost
    }


@pytest.mark.parametrize("packed", [True, False])
def test_routes_and_local_time_come_back(ksos: "CommandLine", packed: bool, tmp_path: Path) -> None:
    folder = tmp_path / "health"
    folder.mkdir()
    write_apple_health(everything(), folder)
    file = folder / "export.xml"
    if packed:
        file = tmp_path / "export.zip"
        file.write_bytes(zipped(folder))
    (said,) = objects(ksos("import", file, "--json", "--as", "phone"))
    assert said["device"] == "phone-wrist"
    points = rows_of(ksos, "workout_point")
    assert [(one["latitude_deg"], one.get("elevation_m")) for one in points] == [
        (52.5, 34.5),
        (52.5001, None),
    ]
    assert {one["site"] for one in rows_of(ksos, "temperature")} == {"wrist", "body"}
    assert [one["quality"] for one in rows_of(ksos, "heart_rate")] == ["proven", "provisional"]
    (workout,) = rows_of(ksos, "workout")
    assert (workout["sport"], workout["distance_m"]) == ("outdoor_run", 2000)
    assert (workout["bpm_max"], "bpm_min" in workout) == (171, False)
    exported = ksos("export", "--format", "openmhealth", "--out", "-", "--metric", "sleep").out
    assert '"2026-10-25T01:00:00+02:00"' in exported  # summer time, and after it
    assert '"2026-10-25T02:40:00+01:00"' in exported
    assert seconds("2026-10-25T02:00:00+01:00") == SUMMER_ENDS == NIGHT + 7200


# ---- what a phone tells


def test_what_a_phone_tells_by_its_units(ksos: "CommandLine", tmp_path: Path) -> None:
    half = f"{DAY} 08:30:00 +0200"
    beat = '<InstantaneousBeatsPerMinute bpm="61" time="8:00:01.50 AM"/>'
    said = imported(
        ksos,
        tmp_path,
        document(
            record(
                f"{Q}HeartRate",
                "61.4",
                "count/min",
                inside='<MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="1"/>',
            ),
            record(f"{Q}OxygenSaturation", "0.965", "%"),
            record(f"{Q}StepCount", "120", "count", end=half),
            record(f"{Q}DistanceWalkingRunning", "0.5", "mi", end=half),
            record(f"{Q}ActiveEnergyBurned", "41.84", "kJ", end=half),
            record(f"{Q}BasalEnergyBurned", "30.2", "Cal", end=half),
            record(
                f"{Q}HeartRateVariabilitySDNN",
                "45.5",
                "ms",
                inside="<HeartRateVariabilityMetadataList>"
                f"{beat}</HeartRateVariabilityMetadataList>",
            ),
            record(f"{Q}EnvironmentalAudioExposure", "61.5", "dBASPL", end=half),
            record(f"{Q}BodyTemperature", "98.6", "degF"),
            record(f"{Q}AppleSleepingWristTemperature", "34.5", "degC", f"{DAY} 02:00:00 +0200"),
            record(f"{Q}BodyMass", "150", "lb"),
            record(SLEEP, "HKCategoryValueSleepAnalysisAsleepCore", end=half),
        ),
    )
    assert said["device"] == "imported-apple-health-annas-watch"
    values = {
        metric: {
            k: v
            for one in rows_of(ksos, metric)
            for k, v in one.items()
            if k not in ("metric", "device", "quality") and not k.startswith("start")
        }
        for metric in said["samples"]
    }
    assert values == {
        "heart_rate": {"bpm": 61},
        "spo2": {"spo2_pct": 96},
        "steps": {"duration_s": 1800, "steps": 120},
        "activity": {
            "duration_s": 1800,
            "active_energy_kcal": 10,
            "energy_kcal": 40,
            "distance_m": 805,
        },
        "heart_rate_variability": {"sdnn_ms": 45.5},
        "noise": {"noise_db": 61.5},
        "temperature": {"temperature_c": pytest.approx(37.0), "site": "body"},
        "weight": {"weight_kg": pytest.approx(68.0388555)},
        "sleep": {"duration_s": 1800, "stage": "light"},
    }
    assert said["remarks"] == []
    assert [one["site"] for one in rows_of(ksos, "temperature")] == ["wrist", "body"]


def test_each_source_stands_on_its_own(ksos: "CommandLine", tmp_path: Path) -> None:
    steps = [
        record(f"{Q}StepCount", count, "count", end=f"{DAY} 08:10:00 +0200", source=source)
        for source, count in (("iPhone", "900"), ("Watch", "1000"), ("watch!", "7"), ("腕", "5"))
    ]
    said = imported(ksos, tmp_path, document(*steps))
    found = {one["device"]: one["steps"] for one in rows_of(ksos, "steps")}
    assert found == {
        "imported-apple-health-iphone": 900,
        "imported-apple-health-watch": 1000,
        "imported-apple-health-watch-2": 7,
        "imported-apple-health-source": 5,
    }
    assert said["device"].split(", ") == list(found)
    again = imported(ksos, tmp_path, document(*steps))
    assert again["device"] == said["device"]
    assert not any(again["stored"].values())


def test_a_later_export_replaces_the_months_it_has(ksos: "CommandLine", tmp_path: Path) -> None:
    first = record(f"{Q}HeartRate", "60", "count/min")
    second = record(f"{Q}HeartRate", "70", "count/min", f"{DAY} 08:01:00 +0200")
    other = record(f"{Q}HeartRate", "80", "count/min", "2026-09-20 08:01:00 +0200")
    imported(ksos, tmp_path, document(other, first))
    said = imported(ksos, tmp_path, document(other, second, first))
    assert said["stored"] == {"heart_rate": 1}
    assert [one["bpm"] for one in rows_of(ksos, "heart_rate")] == [80, 60, 70]
    imported(ksos, tmp_path, document(second))  # deleted on the phone
    assert [one["bpm"] for one in rows_of(ksos, "heart_rate")] == [80, 70]


def test_a_workout_as_it_is_told_since_ios_16(ksos: "CommandLine", tmp_path: Path) -> None:
    dates = f'startDate="{DAY} 18:00:00 +0200" endDate="{DAY} 18:40:00 +0200"'
    figures = "".join(
        f'<WorkoutStatistics type="{Q}{name}" {dates} {values}/>'
        for name, values in (
            ("ActiveEnergyBurned", 'sum="250" unit="kcal"'),
            ("BasalEnergyBurned", 'sum="50" unit="kcal"'),
            ("DistanceCycling", 'sum="12.5" unit="km"'),
            ("HeartRate", 'average="131.4" minimum="0" maximum="166" unit="count/min"'),
        )
    )
    workout = (
        f'<Workout workoutActivityType="HKWorkoutActivityTypeCycling" duration="40"'
        f' durationUnit="min" sourceName="Watch" {dates}>'
        '<MetadataEntry key="HKIndoorWorkout" value="1"/>'
        f'<WorkoutActivity uuid="1" {dates}>{figures.replace("250", "9")}</WorkoutActivity>'
        f"{figures}"
        '<WorkoutRoute sourceName="Watch"><FileReference path="/workout-routes/r.gpx"/>'
        '<FileReference path="/workout-routes/../../secret.gpx"/></WorkoutRoute></Workout>'
    )
    (tmp_path / "secret.gpx").write_text("<gpx/>")
    said = imported(ksos, tmp_path, document(workout.replace(figures.replace("250", "9"), "")))
    assert said["remarks"] == ["Routes that are not there (a zip has them all): 2."]
    (one,) = rows_of(ksos, "workout")
    assert (one["sport"], one["duration_s"], one["distance_m"]) == ("indoor_cycle", 2400, 12500)
    assert (one["energy_kcal"], one["bpm_avg"], one["bpm_max"]) == (300, 131, 166)
    assert "bpm_min" not in one
    assert "steps" not in one


def test_what_cannot_be_is_left_out_and_said(ksos: "CommandLine", tmp_path: Path) -> None:
    good = record(f"{Q}HeartRate", "60", "count/min")
    bad = [
        record(f"{Q}HeartRate", value, unit, start)
        for value, unit, start in (
            ("0", "count/min", f"{DAY} 09:00:00 +0200"),
            ("255", "count/min", f"{DAY} 09:00:00 +0200"),
            ("nan", "count/min", f"{DAY} 09:00:00 +0200"),
            ("x", "count/min", f"{DAY} 09:00:00 +0200"),
            ("60", "count/s", f"{DAY} 09:00:00 +0200"),
            ("60", "count/min", "1969-12-31 09:00:00 +0200"),
            ("60", "count/min", "9999-12-31 23:00:00 -0200"),
            ("60", "count/min", "2026-13-41 23:00:00 -0200"),
            ("60", "count/min", f"{DAY}T23:00:00 -0200"),
            ("60", "count/min", f"{DAY} 24:00:00 -0200"),
            ("60", "count/min", ""),
        )
    ]
    said = imported(
        ksos,
        tmp_path,
        document(
            good,
            *bad,
            good,
            record(f"{Q}StepCount", "5", "count", end="2026-10-19 08:00:00 +0200"),
            record(f"{Q}StepCount", "5", "count", end="never"),
            record(f"{Q}ActiveEnergyBurned", "5", "kcal"),
            record(f"{Q}VO2Max", "41", "mL/min·kg"),
            record(SLEEP, "HKCategoryValueSleepAnalysisInBed"),
            "<ActivitySummary activeEnergyBurned='1'/>",
            '<Workout workoutActivityType="HKWorkoutActivityTypeYoga" sourceName="W"/>',
        ),
    )
    assert said["samples"] == {"heart_rate": 1}
    assert sorted(said["remarks"]) == [
        "Energies without a distance of the same time, left out: 1.",
        "Records of kinds that have no place here: 1.",
        "Records that hold nothing that can be, left out: 14.",
        "Times in bed or asleep without a stage, left out: 1.",
        "Values at a second of their source that had one, left out: 1.",
    ]


def test_a_clock_far_off_is_kept(ksos: "CommandLine", tmp_path: Path) -> None:
    starts = ("1970-01-01 12:00:00 +0000", "2099-12-31 23:59:59 +1400", f"{DAY} 08:00:00 -0930")
    imported(
        ksos, tmp_path, document(*(record(f"{Q}BodyMass", "70", "kg", start) for start in starts))
    )
    found = [one["start_utc"] for one in rows_of(ksos, "weight")]
    assert found == ["1970-01-01T12:00:00Z", "2026-10-20T17:30:00Z", "2099-12-31T09:59:59Z"]


def test_nothing_to_keep_is_said(ksos: "CommandLine", tmp_path: Path) -> None:
    (tmp_path / "export.xml").write_bytes(document())
    said = ksos("import", tmp_path / "export.xml")
    assert said.code == NotFoundError.exit_code
    assert not any("imported" in one["alias"] for one in objects(ksos("watch", "list", "--json")))


# ---- memory and pieces


def test_pieces_are_of_bounded_size_and_hold_all() -> None:
    pieces, given_rows, most = Pieces(), 0, 0
    for number in range(3 * MOST_ROWS):
        key = ("Watch", "heart_rate", 0, f"2026-{number % 7:02}")
        if pieces.add(key, 1_000_000 + number, 0, (60,)):
            for one in pieces.full():
                (series,) = one.decoded.series
                given_rows += len(series)
                most = max(most, len(series))
    rest = list(pieces.rest())
    assert given_rows + sum(len(one.decoded.series[0]) for one in rest) == 3 * MOST_ROWS
    assert most <= PIECE_ROWS
    assert sum(len(one.decoded.series[0]) for one in rest) <= MOST_ROWS
    assert {one.origin for one in rest} == {"Watch"}


def test_a_month_of_many_pieces_names_them_all() -> None:
    pieces = Pieces()
    keys = []
    for number in range(2 * PIECE_ROWS + 1):
        if pieces.add(("", "noise", 1, "2026-10"), number, 3600, (60.0,)):
            keys += [one.key for one in pieces.full()]
    keys += [one.key for one in pieces.rest()]
    assert keys == ["2026-10 provisional", "2026-10 provisional 2", "2026-10 provisional 3"]


# ---- hostile files

GOOD = record(f"{Q}HeartRate", "60", "count/min")
LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
HOSTILE = {
    "laughs": f'<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY l0 "ha">{LAUGHS}]>'
    '<HealthData>&l9;<Record type="&l9;"/></HealthData>',
    "external": '<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY x SYSTEM "file:///etc/passwd">'
    f"]><HealthData>{GOOD}&x;</HealthData>",
    "a type within": f"<HealthData>{GOOD}<!DOCTYPE x></HealthData>",
    "a type hidden from view": '<!-- <HealthData --><!DOCTYPE x [<!ENTITY a "b">]><HealthData/>',
    "not whole": f"<HealthData>{GOOD}",
    "not XML": f"<HealthData>{GOOD}<Record <<</HealthData>",
    "too long": f'<HealthData>{GOOD}<Record type="{"x" * 9_000_000}"/></HealthData>',
    "no end of a head": f"<!DOCTYPE HealthData [{' ' * 300_000}]><HealthData>{GOOD}</HealthData>",
    "many sources": "<HealthData>"
    + "".join(
        record(f"{Q}HeartRate", "60", "count/min", source=f"s{number}") for number in range(101)
    )
    + "</HealthData>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_and_leaves_nothing(
    name: str, ksos: "CommandLine", tmp_path: Path
) -> None:
    (tmp_path / "export.xml").write_text(HOSTILE[name], encoding="utf-8")
    said = ksos("import", tmp_path / "export.xml", "--format", "apple-health")
    assert said.code == MalformedError.exit_code
    assert "Traceback" not in said.err
    assert objects(ksos("watch", "list", "--json")) == []


def test_default_values_of_a_document_type_do_nothing(tmp_path: Path) -> None:
    """They would blow each record up; the type is cut off unread."""
    head = (
        f'<!DOCTYPE HealthData [<!ATTLIST Record x CDATA "{"x" * 100_000}">]><HealthData locale="">'
    )
    (tmp_path / "export.xml").write_bytes(document(GOOD, head=head))
    assert look_into(tmp_path / "export.xml").samples == {"heart_rate": 1}


@pytest.mark.parametrize("much", [f"{'<x>' * 200_000}{'</x>' * 200_000}", "x" * 20_000_000])
def test_depth_and_text_do_no_harm(much: str, tmp_path: Path) -> None:
    (tmp_path / "export.xml").write_bytes(document(much, GOOD))
    assert look_into(tmp_path / "export.xml").samples == {"heart_rate": 1}


def hostile_zips() -> Iterator[tuple[str, bytes]]:
    def packed(**files: bytes) -> bytes:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(f"apple_health_export/{name}", content)
        return data.getvalue()

    good = packed(**{"export.xml": document(GOOD)})
    yield "bomb", packed(**{"export.xml": document(GOOD, " " * 30_000_000)})
    yield "no document", packed(**{"export_cda.xml": b"<ClinicalDocument/>"})
    yield "cut off", good[: len(good) // 2]
    yield (
        "damaged",
        good.replace(b"apple_health_export/export.xml", b"apple_health_export/exPort.xml", 1),
    )
    locked = bytearray(good)
    locked[6] |= 1
    locked[good.rindex(b"PK\x01\x02") + 8] |= 1
    yield "password", bytes(locked)


@pytest.mark.parametrize(("name", "data"), list(hostile_zips()), ids=lambda value: str(value)[:12])
def test_a_hostile_zip_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / f"{name}.zip").write_bytes(data)
    with pytest.raises(MalformedError):
        look_into(tmp_path / f"{name}.zip")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_noise_is_refused_or_read_and_never_more(data: st.DataObject, tmp_path: Path) -> None:
    body = bytearray(document(GOOD, record(f"{Q}StepCount", "120", "count")))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    (tmp_path / "noise.xml").write_bytes(body)
    with contextlib.suppress(MalformedError, NotFoundError):
        look_into(tmp_path / "noise.xml", form="apple-health")
