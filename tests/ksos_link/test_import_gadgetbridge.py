"""Gadgetbridge's database comes in: seconds and milliseconds, each device, and nothing hostile."""

import contextlib
import json
import shutil
import sqlite3
import tracemalloc
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.sports import SPORT_NAMES
from ksos_link.errors import KsosError, MalformedError
from ksos_link.imports import IMPORTERS, recognised
from ksos_link.imports.gadgetbridge_meanings import sport_of, sums_of
from ksos_link.operations.importing import look_into
from tests.ksos_link.command_results import objects
from tests.ksos_link.health_files import Stored, stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

T = 1_790_000_040  # a minute of September 2026
MS = 1000
DAY_S = 86_400
SHAPES = {
    "MI_BAND_ACTIVITY_SAMPLE": "RAW_INTENSITY,STEPS,RAW_KIND,HEART_RATE",
    "HUAMI_EXTENDED_ACTIVITY_SAMPLE": "RAW_INTENSITY,STEPS,RAW_KIND,HEART_RATE,UNKNOWN1,SLEEP",
    "XIAOMI_ACTIVITY_SAMPLE": "RAW_INTENSITY,STEPS,RAW_KIND,HEART_RATE,STRESS,SPO2",
    "GARMIN_ACTIVITY_SAMPLE": "RAW_INTENSITY,STEPS,RAW_KIND,HEART_RATE",
    "YCBT_ACTIVITY_SAMPLE": "STEPS",
    "VERY_FIT_STEPS_SAMPLE": "STEPS",
    "GENERIC_HEART_RATE_SAMPLE": "HEART_RATE",
    "GENERIC_SPO2_SAMPLE": "SPO2",
    "GENERIC_STRESS_SAMPLE": "STRESS",
    "GENERIC_HRV_VALUE_SAMPLE": "VALUE",
    "GENERIC_WEIGHT_SAMPLE": "WEIGHT_KG,IMPEDANCE_OHM",
    "GENERIC_TEMPERATURE_SAMPLE": "TEMPERATURE,TEMPERATURE_TYPE,TEMPERATURE_LOCATION",
    "GENERIC_SLEEP_STAGE_SAMPLE": "DURATION,STAGE",
    "COLMI_SLEEP_STAGE_SAMPLE": "DURATION,STAGE",
    "HUAMI_HEART_RATE_RESTING_SAMPLE": "UTC_OFFSET,HEART_RATE",
    "HUAMI_HEART_RATE_MANUAL_SAMPLE": "UTC_OFFSET,HEART_RATE",
}
WORKOUT_SHAPE = (
    '"_id" INTEGER PRIMARY KEY, "NAME" TEXT, "START_TIME" INTEGER NOT NULL,'
    ' "END_TIME" INTEGER NOT NULL, "ACTIVITY_KIND" INTEGER NOT NULL, "GPX_TRACK" TEXT,'
    ' "DEVICE_ID" INTEGER NOT NULL, "USER_ID" INTEGER NOT NULL, "SUMMARY_DATA" TEXT,'
    ' "RAW_SUMMARY_DATA" BLOB'
)
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def shape_of(table: str, rowids: bool = False) -> str:
    columns = "".join(f', "{name}"' for name in SHAPES[table].split(","))
    return (
        f'CREATE TABLE "{table}" ("TIMESTAMP" INTEGER NOT NULL, "DEVICE_ID" INTEGER NOT NULL,'
        f' "USER_ID" INTEGER NOT NULL{columns}, PRIMARY KEY ("TIMESTAMP", "DEVICE_ID") ON CONFLICT'
        f" REPLACE){'' if rowids else ' WITHOUT ROWID'}"
    )


def database(
    path: Path,
    rows: Rows,
    *,
    devices: Iterable[Any] = ("Watch",),
    workouts: Iterable[tuple[Any, ...]] = (),
    more: str = "",
    rowids: bool = False,
) -> Path:
    """An export; a row is timestamp, device and the table's own columns."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            'CREATE TABLE "DEVICE" ("_id" INTEGER PRIMARY KEY, "NAME" TEXT NOT NULL,'
            ' "MANUFACTURER" TEXT, "IDENTIFIER" TEXT, "TYPE" INTEGER, "MODEL" TEXT)'
        )
        connection.executemany(
            "INSERT INTO DEVICE VALUES (NULL, ?, 'M', 'AA:BB:CC:DD:EE:FF', 1, 'X')",
            ((name,) for name in devices),
        )
        connection.execute(f'CREATE TABLE "BASE_ACTIVITY_SUMMARY" ({WORKOUT_SHAPE})')
        connection.executemany(
            "INSERT INTO BASE_ACTIVITY_SUMMARY VALUES (NULL, 'a', ?, ?, ?, ?, ?, 1, ?, x'00')",
            workouts,
        )
        for table, given_rows in rows.items():
            connection.execute(shape_of(table, rowids))
            marks = ", ".join("?" * (2 + len(SHAPES[table].split(","))))
            connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?, 1, {marks.removeprefix('?, ?, ')})",  # noqa: S608
                given_rows,
            )
        connection.executescript(more)
        connection.commit()
    return path


def imported(ksos: "CommandLine", path: Path, *options: str) -> Any:
    (said,) = objects(ksos("import", path, "--json", *options))
    return said


def values(samples: Stored, metric: str, device: str = "imported-gadgetbridge-watch") -> Any:
    """By the second, without what all samples have."""
    common = ("metric", "device", "quality", "start_utc", "start_local")
    return {
        key[2]: {k: v for k, v in one.items() if k not in common}
        for key, one in samples.items()
        if key[:2] == (metric, device)
    }


# ---- what comes in


@pytest.mark.parametrize("rowids", [False, True])
def test_seconds_and_milliseconds_are_told_apart(
    ksos: "CommandLine", tmp_path: Path, rowids: bool
) -> None:
    file = database(
        tmp_path / "Gadgetbridge.db",
        {
            "HUAMI_EXTENDED_ACTIVITY_SAMPLE": [
                (T, 1, 30, 80, 1, 91, None, None),
                (T + 60, 1, 30, 0, 115, 255, None, None),
                (T + 120, 1, 30, 12, 1, 0, None, None),
                (T + 180, 1, 30, 255, 1, -1, None, None),
            ],
            "XIAOMI_ACTIVITY_SAMPLE": [(T + 240, 1, 0, 255, 0, 70, 33, 97)],
            "GENERIC_HEART_RATE_SAMPLE": [
                (T * MS + 5999, 1, 64),
                (T * MS + 7000, 1, 0),
                (T * MS + 8000, 1, 255),
            ],
            "GENERIC_SPO2_SAMPLE": [(T * MS, 1, 98), (T * MS + 1000, 1, 255)],
            "GENERIC_STRESS_SAMPLE": [(T * MS, 1, 41)],
            "GENERIC_WEIGHT_SAMPLE": [(T * MS, 1, 71.5, None)],
            "HUAMI_HEART_RATE_RESTING_SAMPLE": [(T * MS, 1, 7_200_000, 55)],
        },
        rowids=rowids,
    )
    said = imported(ksos, file)
    assert said["device"] == "imported-gadgetbridge-watch"
    assert said["format"] == "gadgetbridge"
    assert said["remarks"] == []
    samples = stored(ksos)
    minute = {"duration_s": 60}
    assert values(samples, "steps") == {
        T: {**minute, "steps": 80},
        T + 120: {**minute, "steps": 12},
        T + 240: {**minute, "steps": 255},  # of two bytes
    }
    assert values(samples, "heart_rate") == {
        T: {"bpm": 91},
        T + 5: {"bpm": 64},
        T + 240: {"bpm": 70},
    }
    assert values(samples, "spo2") == {T: {"spo2_pct": 98}, T + 240: {"spo2_pct": 97}}
    assert values(samples, "stress") == {T: {"stress_score": 41}, T + 240: {"stress_score": 33}}
    assert values(samples, "weight") == {T: {"weight_kg": 71.5}}
    assert values(samples, "resting_heart_rate") == {T: {"bpm": 55}}
    again = imported(ksos, file)
    assert set(again["stored"].values()) <= {0}
    assert ksos("store", "redecode").code == 0
    assert stored(ksos) == samples


def test_every_device_is_a_source(ksos: "CommandLine", tmp_path: Path) -> None:
    rows = [(T * MS, device, 60 + device) for device in (1, 2, 3, 9)]
    file = database(
        tmp_path / "a.db",
        {"GENERIC_HEART_RATE_SAMPLE": rows},
        devices=("Mi Band", "Mi Band", "=cmd|'\x1b\n"),
    )
    said = imported(ksos, file)
    devices = said["device"].split(", ")
    assert devices == [
        "imported-gadgetbridge-mi-band",
        "imported-gadgetbridge-mi-band-2",
        "imported-gadgetbridge-cmd",
        "imported-gadgetbridge-device-9",
    ]
    samples = stored(ksos)
    bpms = [values(samples, "heart_rate", device) for device in devices]
    assert bpms == [{T: {"bpm": bpm}} for bpm in (61, 62, 63, 69)]
    assert all("AA:BB" not in part for part in ksos("watch", "list", "--json").out.splitlines())
    assert imported(ksos, file, "--as", "old")["device"].split(", ")[0] == "old-mi-band"


def test_stages_of_sleep_by_the_vendor(ksos: "CommandLine", tmp_path: Path) -> None:
    nights = [
        (T * MS + 60_000 * (100 * device + stage), device, 10, stage)
        for device in (1, 2, 3, 4)
        for stage in (1, 2, 3, 4, 9)
    ]
    file = database(
        tmp_path / "a.db",
        {
            "GENERIC_SLEEP_STAGE_SAMPLE": nights,
            "COLMI_SLEEP_STAGE_SAMPLE": [(T * MS, 5, 30, 4), (T * MS + 1, 5, -3, 4)],
            "VERY_FIT_STEPS_SAMPLE": [(T * MS, 1, 5), (T * MS, 4, 5)],
            "YCBT_ACTIVITY_SAMPLE": [(T, 2, 5), (T, 4, 5)],
        },
        devices=("ido", "ycbt", "other", "both", "ring"),
    )
    said = imported(ksos, file)
    samples = stored(ksos)
    by_device = {
        device: [
            one["stage"]
            for one in values(samples, "sleep", f"imported-gadgetbridge-{device}").values()
        ]
        for device in ("ido", "ycbt", "other", "both", "ring")
    }
    assert by_device == {
        "ido": ["awake", "light", "deep", "rem"],
        "ycbt": ["deep", "light", "awake", "rem"],
        "other": [],
        "both": [],
        "ring": ["rem"],
    }
    assert {one["duration_s"] for one in samples.values()} == {600, 1800}
    assert said["remarks"] == [
        "Values that cannot be or that have no place here, left out: 3.",
        "Stages of sleep of a vendor that is not known here, left out: 10.",
        "Tables that are not read: VERY_FIT_STEPS_SAMPLE, YCBT_ACTIVITY_SAMPLE.",
    ]


def test_what_does_not_say_enough_is_left_out(ksos: "CommandLine", tmp_path: Path) -> None:
    file = database(
        tmp_path / "a.db",
        {
            "GENERIC_HRV_VALUE_SAMPLE": [(T * MS, 1, 44)],
            "GENERIC_TEMPERATURE_SAMPLE": [
                (T * MS, 1, 33.5, 2, 9),
                (T * MS + 1000, 1, 21.0, 0, 0),
                (T * MS + 2000, 1, 36.0, 2, 5),
            ],
            "GARMIN_ACTIVITY_SAMPLE": [(T, 1, 0, 9000, 1, 66)],  # all steps of the day
        },
        more='CREATE TABLE "OTHER_SAMPLE" (A); INSERT INTO OTHER_SAMPLE VALUES (1);'
        'CREATE TABLE "EMPTY_SAMPLE" (A); CREATE TABLE "BAD\x1b_SAMPLE" (A);'
        'INSERT INTO "BAD\x1b_SAMPLE" VALUES (1);',
    )
    said = imported(ksos, file)
    assert said["samples"] == {"heart_rate": 1, "temperature": 1}
    assert said["remarks"] == [
        "Values that cannot be or that have no place here, left out: 2.",
        "Tables that are not read: GENERIC_HRV_VALUE_SAMPLE, OTHER_SAMPLE.",
    ]
    found = values(stored(ksos), "temperature")
    assert found == {T: {"temperature_c": 33.5, "site": "wrist"}}


def entry(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "group": "g"}


def test_workouts_with_their_sums(ksos: "CommandLine", tmp_path: Path) -> None:
    summary = {
        "steps": entry(4100, "steps_unit"),
        "distanceMeters": entry(5.2, "km"),
        "averageHR": entry(140.4, "bpm"),
        "maxHR": entry(255, "bpm"),
        "minHR": entry("90", "bpm"),
        "averageSpeed": entry(9, "km_h"),
        "maxSpeed": entry(9, "seconds_km"),
        "hrZoneFatBurn": entry(300, "seconds"),
        "caloriesBurnt": 12,
        "maximumOxygenUptake": {"unit": ["ml/kg/min"]},
    }
    night = T - T % DAY_S - 600  # across midnight
    file = database(
        tmp_path / "a.db",
        {},
        workouts=[
            (night * MS, (night + 1800) * MS, 0x040000B1, "/sdcard/a.gpx", 1, json.dumps(summary)),
            (night * MS, (night + 60) * MS, 0x7FFFFFFF, None, 1, "[" * 100_000),
            (night * MS, (night + 60) * MS, 0x80, None, 2, None),
            (night * MS, (night - 60) * MS, 0x80, None, 1, None),
            ("soon", (night + 60) * MS, 0x80, None, 1, None),
        ],
        devices=("Watch", "Bike"),
    )
    said = imported(ksos, file)
    assert said["samples"] == {"workout": 3}
    assert said["remarks"] == [
        "Workouts whose route is a file of its own, to be imported as GPX: 1.",
        "Values that cannot be or that have no place here, left out: 1.",
        "Rows without a time that can be, left out: 1.",
    ]
    samples = stored(ksos)
    (bike,) = values(samples, "workout", "imported-gadgetbridge-bike").values()
    assert (bike["sport"], bike["duration_s"]) == ("cycle", 60)
    rows = look_into(file)
    assert rows.samples == {"workout": 3}
    assert {**sums_of(json.dumps(summary)), "sport": sport_of(0x040000B1)} == {
        **dict.fromkeys(sums_of("{}")),
        "sport": "outdoor_run",
        "steps": 4100,
        "distance_m": 5200,
        "bpm_avg": 140,
        "speed_avg_mps": 2.5,
        "fat_burn_s": 300,
    }


def test_sports_have_our_names() -> None:
    kinds = [1 << bit for bit in range(26)] + [0x04000000 + number for number in range(256)]
    names = {sport_of(kind) for kind in kinds}
    assert names <= set(SPORT_NAMES)
    assert len(names) > 60
    assert {sport_of("run"), sport_of(None), sport_of(2.0)} == {"other"}


def test_a_later_export_replaces_its_days(ksos: "CommandLine", tmp_path: Path) -> None:
    def beats(*rows: tuple[int, int]) -> Path:
        given_rows = [(at * MS, 1, bpm) for at, bpm in rows]
        return database(tmp_path / "a.db", {"GENERIC_HEART_RATE_SAMPLE": given_rows})

    imported(ksos, beats((T, 60), (T + DAY_S, 70)))
    said = imported(ksos, beats((T + DAY_S, 71), (T + DAY_S + 1, 72)))
    assert said["samples"] == {"heart_rate": 2}
    found = values(stored(ksos), "heart_rate")
    assert [one["bpm"] for one in found.values()] == [60, 71, 72]


def test_times_that_cannot_be_and_a_clock_far_off(ksos: "CommandLine", tmp_path: Path) -> None:
    file = database(
        tmp_path / "a.db",
        {
            "MI_BAND_ACTIVITY_SAMPLE": [
                (at, 1, 0, 10, 0, 60)
                for at in (T * MS, -5, 3600, 4_102_444_799, 2**63 - 1, "late", b"\x00", 1.5)
            ],
            "GENERIC_HEART_RATE_SAMPLE": [
                (T * MS, 1, "x"),
                (T * MS + 1, 1, b"\x01"),
                (T * MS + 2, 1, 61.5),
                (T * MS + 3, 1, 251),
                (T * MS + 4, 1, None),
                (T * MS + 5, 1, 62),
                (T * MS + 6, 1, 63),
                (T * MS + 7, "x", 63),
            ],
        },
    )
    said = imported(ksos, file)
    found = values(stored(ksos), "heart_rate")
    assert {at: one["bpm"] for at, one in found.items()} == {
        3600: 60,
        4_102_444_799: 60,
        T: 62,
    }
    assert sorted(said["remarks"]) == [
        "Rows without a time that can be, left out: 7.",
        "Values at a second that had one, left out: 1.",
        "Values that cannot be or that have no place here, left out: 4.",
    ]


# ---- what is hostile, or broken


def refused(path: Path) -> str:
    with pytest.raises(MalformedError) as failure:
        look_into(path, form="gadgetbridge")
    return str(failure.value)


GOOD: Rows = {"GENERIC_HEART_RATE_SAMPLE": [(T * MS + n * 60_000, 1, 60) for n in range(3000)]}


def test_views_and_virtual_tables_are_not_touched(ksos: "CommandLine", tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
    more = (
        f'CREATE VIEW "GENERIC_SPO2_SAMPLE" AS {endless} i AS TIMESTAMP, 1 AS DEVICE_ID, 1 AS'  # noqa: S608
        " SPO2 FROM n;"
        'CREATE VIRTUAL TABLE "GENERIC_STRESS_SAMPLE" USING fts5(TIMESTAMP, DEVICE_ID, STRESS);'
        'CREATE TABLE "COLMI_SPO2_SAMPLE" (TIMESTAMP INTEGER PRIMARY KEY, DEVICE_ID INTEGER,'
        " SPO2 INTEGER GENERATED ALWAYS AS (TIMESTAMP % 100));"
        "INSERT INTO COLMI_SPO2_SAMPLE VALUES (5, 1);"
        'CREATE TABLE "CMF_SPO2_SAMPLE" (TIMESTAMP INTEGER, DEVICE_ID INTEGER, SPO2 INTEGER);'
        "CREATE TRIGGER t AFTER INSERT ON DEVICE BEGIN DELETE FROM DEVICE; END;"
    )
    said = imported(ksos, database(tmp_path / "a.db", GOOD, more=more))
    assert said["samples"] == {"heart_rate": 3000}
    assert said["remarks"] == ["Tables that are not read: COLMI_SPO2_SAMPLE, CMF_SPO2_SAMPLE."]


def test_a_view_that_says_it_is_a_table(tmp_path: Path) -> None:
    view = (
        'CREATE VIEW "GENERIC_SPO2_SAMPLE" AS SELECT 1 AS TIMESTAMP, 1 AS DEVICE_ID, 97 AS SPO2;'
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET type = 'table', rootpage = 2 WHERE type = 'view';"
    )
    assert "damaged" in refused(database(tmp_path / "a.db", GOOD, more=view))


def test_what_is_no_database_of_gadgetbridge(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    for data in (b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(200), b"x" * 5000):
        file.write_bytes(data)
        assert "database" in refused(file)
    for statement in (
        "CREATE TABLE OTHER (A)",
        'CREATE VIEW "DEVICE" AS SELECT 1 AS _id, 2 AS NAME',
        'CREATE TABLE "DEVICE" ("_id" INTEGER, "NAME" TEXT)',
    ):
        file.unlink()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(statement)
        assert refused(file) == "The database is none of Gadgetbridge's."


def test_a_cut_or_damaged_file_leaves_nothing(ksos: "CommandLine", tmp_path: Path) -> None:
    data = database(tmp_path / "a.db", GOOD).read_bytes()
    cut = tmp_path / "cut.db"
    cut.write_bytes(data[: len(data) // 2])
    assert refused(cut) == "The database is cut short."
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(data[: 3 * len(data) // 4] + bytes(len(data) - 3 * len(data) // 4))
    for file in (cut, damaged):
        said = ksos("import", file)
        assert said.code == 5
        assert "Traceback" not in said.err
    assert ksos("export", "--format", "jsonl", "--out", "-").out == ""
    assert objects(ksos("watch", "list", "--json")) == []


def test_what_a_log_beside_the_file_holds_is_missed(tmp_path: Path) -> None:
    file = database(tmp_path / "a.db", GOOD)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM DEVICE")
        connection.commit()
        assert refused(file).startswith("a.db was not closed: a.db-wal")
        shutil.copy(file, tmp_path / "alone.db")
    # one that was closed is whole, also where its header speaks of a log
    assert look_into(tmp_path / "alone.db").samples == {"heart_rate": 3000}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "alone.db"]


def test_the_file_is_never_written(tmp_path: Path) -> None:
    file = database(tmp_path / "a ?#%20.db", GOOD)
    before, touched = file.read_bytes(), file.stat().st_mtime_ns
    file.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert look_into(file).samples == {"heart_rate": 3000}
    finally:
        tmp_path.chmod(0o700)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (before, touched)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_huge_values_are_refused(tmp_path: Path) -> None:
    for column in ("HEART_RATE", "TIMESTAMP"):
        at, bpm = ("zeroblob(5000000)", 1) if column == "TIMESTAMP" else (1, "zeroblob(5000000)")
        more = f"INSERT INTO GENERIC_HEART_RATE_SAMPLE VALUES ({at}, 1, 1, {bpm});"  # noqa: S608
        file = database(tmp_path / "a.db", {"GENERIC_HEART_RATE_SAMPLE": []}, more=more)
        assert refused(file) == "The database is damaged, or nothing that is read here."


def test_more_devices_than_anybody_has(tmp_path: Path) -> None:
    rows = {"GENERIC_HEART_RATE_SAMPLE": [(T * MS, device, 60) for device in range(101)]}
    assert "more devices" in refused(database(tmp_path / "a.db", rows))
    marks = {"YCBT_ACTIVITY_SAMPLE": [(T, device, 5) for device in range(1001)]}
    assert "more devices" in refused(database(tmp_path / "a.db", marks))
    names = ["Watch"] * 1001
    assert "more devices" in refused(database(tmp_path / "a.db", {}, devices=names))


def test_pages_that_are_counted_many_times_end(tmp_path: Path) -> None:
    """A page above that names one leaf again and again makes more rows than there is room."""
    rows = [(T * MS + n, 1, 60) for n in range(20_000)]
    file = database(tmp_path / "a.db", {"GENERIC_HEART_RATE_SAMPLE": rows})
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'GENERIC_HEART_RATE_SAMPLE'"
        ).fetchone()
    data = bytearray(file.read_bytes())
    above = 4096 * (root - 1)
    assert data[above] == 2  # a page that has pages below
    leaves = [
        number
        for number in range(1, len(data) // 4096)
        if data[4096 * number] == 10 and int.from_bytes(data[4096 * number + 3 :][:2], "big") > 100
    ]
    middle, leaf = leaves[:2]
    data[4096 * middle : 4096 * (middle + 1)] = data[above : above + 4096]
    for start, below in ((above, middle), (4096 * middle, leaf)):
        cells = int.from_bytes(data[start + 3 : start + 5], "big")
        for number in range(cells):
            pointer = start + 12 + 2 * number
            at = start + int.from_bytes(data[pointer : pointer + 2], "big")
            data[at : at + 4] = (below + 1).to_bytes(4, "big")
    file.write_bytes(data)
    assert refused(file) == "The database has more rows than room for them."


def test_a_schema_that_is_no_text(tmp_path: Path) -> None:
    file = database(tmp_path / "a.db", GOOD)
    data = file.read_bytes()
    assert data.count(b'CREATE TABLE "DEVICE" (') == 1
    file.write_bytes(data.replace(b'CREATE TABLE "DEVICE" (', b'CREATE TABLE "DEVICE" \xd2'))
    assert "damaged" in refused(file)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=40)), max_size=6))
def test_noise_never_comes_through(tmp_path: Path, noise: list[tuple[int, bytes]]) -> None:
    file = tmp_path / "noise.db"
    small: Rows = {"GENERIC_HEART_RATE_SAMPLE": [(T * MS + n, 1, 60) for n in range(300)]}
    data = bytearray(database(tmp_path / "a.db", small).read_bytes())
    for place, piece in noise:
        at = (int.from_bytes(piece[:3], "big") if place else 100 + piece[0]) % len(data)
        data[at : at + len(piece)] = piece
    file.write_bytes(data)
    with contextlib.suppress(KsosError):
        look_into(file, form="gadgetbridge")


# ---- by other ways


def test_it_is_known_by_itself(tmp_path: Path) -> None:
    head = database(tmp_path / "a.db", {}).read_bytes()[:4096]
    found = recognised(head, "anything")
    assert found is not None
    assert found.name == "gadgetbridge"
    assert [each.name for each in IMPORTERS].count("gadgetbridge") == 1


def test_an_encrypted_one_is_read_in_memory(ksos: "CommandLine", tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage")
    file = database(tmp_path / "a.db", GOOD)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    identity = pyrage.x25519.Identity.generate()
    sealed = tmp_path / "a.db.age"
    sealed.write_bytes(pyrage.encrypt(file.read_bytes(), [identity.to_public()]))
    (tmp_path / "key").write_text(f"{identity}\n")
    said = imported(ksos, sealed, "--identity", str(tmp_path / "key"))
    assert said["samples"] == {"heart_rate": 3000}


def test_memory_stays_flat(tmp_path: Path) -> None:
    def peak_bytes(days: int) -> int:
        minutes = range(1440 * days)
        rows: Rows = {
            "MI_BAND_ACTIVITY_SAMPLE": [(T + 60 * minute, 1, 0, 10, 0, 60) for minute in minutes]
        }
        file = database(tmp_path / "a.db", rows)
        tracemalloc.start()
        try:
            assert look_into(file).samples == {"steps": len(minutes), "heart_rate": len(minutes)}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_bytes(2)  # what is imported the first time
    assert peak_bytes(60) < 1.5 * peak_bytes(4)
