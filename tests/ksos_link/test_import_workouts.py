"""Workouts of other programs: what comes in, once and whole, with its source and its local time."""

import io
import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gpxpy.gpx
import pytest
from fit_tool.utils.crc import crc16
from garmin_fit_sdk import Encoder, Profile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import METRICS, Decoded, Quality, Series, Value
from ksos_link.errors import KsosError, MalformedError, NotFoundError
from ksos_link.export.fit import fit_bytes
from ksos_link.export.gpx import write_gpx
from ksos_link.export.source import ExportDevice, Workout
from ksos_link.export.tcx import write_tcx
from ksos_link.imports import IMPORTERS
from ksos_link.imports.body import decode, raw_record
from ksos_link.imports.importer import ImportedRecord, SourceFile
from ksos_link.imports.track import PIECE_ROWS
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.importing import look_into
from ksos_link.operations.read_out import Span
from tests.ksos_link.made_up_source import (
    START,
    MadeUpSource,
    made_up_workout,
    minute,
    point,
    split,
)
from tests.ksos_link.stored_samples import opened, stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

WATCH = ExportDevice("wrist", "KS Watch", "ido")
WORKOUT_FORMATS = ("fit", "gpx", "tcx")


def rich_workout() -> Workout:
    """A run that has all that the formats know."""
    return made_up_workout(
        values={
            "distance_m": 2100,
            "energy_kcal": 150,
            "bpm_avg": 131,
            "bpm_max": 149,
            "bpm_min": 101,
            "steps": 1701,
            "cadence_avg_spm": 171,
            "cadence_max_spm": 180,
            "speed_avg_mps": 3.5,
            "speed_max_mps": 4.25,
            "training_effect": 3.1,
        },
        points=[
            point(
                START + at,
                47.3 + at / 1e5,
                8.5 - at / 1e5,
                elevation_m=400.2,
                distance_m=3.5 * at,
                speed_mps=3.5,
                cadence_spm=170,
            )
            for at in range(600)
        ],
        heart_rate=[(START + at, 101 + at % 49) for at in range(0, 600, 5)],
        splits=[split(START, 280), split(START + 280, 290)],
        minutes=[minute(START + 60 * at, 170, 15, 213) for at in range(10)],
    )


def write(form: str, workout: Workout, target: Path) -> Path:
    source = MadeUpSource([workout])
    if form == "fit":
        target.write_bytes(fit_bytes(WATCH, workout))
    elif form == "gpx":
        write_gpx(source, workout, target)
    else:
        write_tcx(source, workout, target)
    return target


def contents(ksos: "CommandLine") -> dict[str, Any]:
    """All that a store holds of imports and samples."""
    with opened(ksos) as store:
        tables = (*METRICS, "raw_record", "clock", "device", "raw_span")
        return {name: store.database.rows(f"SELECT * FROM {name}") for name in tables}  # noqa: S608


def read_back(ksos: "CommandLine") -> list[Workout]:
    with opened(ksos) as store:
        source = StoreSource(store, list(METRICS.values()), None, Span())
        return list(source.workouts())


def text_file(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return file


# ---- what goes out comes in again


@pytest.mark.parametrize("form", WORKOUT_FORMATS)
def test_what_we_write_comes_in_as_it_was(form: str, ksos: "CommandLine", tmp_path: Path) -> None:
    workout = rich_workout()
    said = ksos("import", write(form, workout, tmp_path / f"run.{form}"), "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["format"], told["device"], told["remarks"]) == (form, f"imported-{form}", [])
    assert told["samples"] == told["stored"]
    (found,) = read_back(ksos)
    assert found.alias == f"imported-{form}"
    assert (found.start_utc_s, found.duration_s) in {(START, 600), (START, 599)}
    assert found.sport == ("run" if form == "gpx" else "outdoor_run")
    assert found.heart_rate == workout.heart_rate
    _same_points(found, workout, with_distance=form != "gpx")
    if form != "gpx":
        assert [row[1:4] for row in found.splits] == [row[1:4] for row in workout.splits]
    kept = {name: value for name, value in found.values.items() if value is not None}
    expected = {name: value for name, value in workout.values.items() if value is not None}
    if form == "fit":
        assert kept == expected
    else:
        assert {name: kept[name] for name in kept if name in expected}.items() <= (
            expected | {"duration_s": found.duration_s, "sport": found.sport}
        ).items()
        assert ("distance_m" in kept) == (form == "tcx")


def _same_points(found: Workout, workout: Workout, *, with_distance: bool) -> None:
    assert len(found.points) == len(workout.points)
    for ours, theirs in zip(found.points, workout.points, strict=True):
        assert ours[1] == theirs[1]
        assert ours[2:5] == pytest.approx(theirs[2:5], abs=1e-6)
        assert ours[5] == (pytest.approx(theirs[5], abs=0.01) if with_distance else None)
        assert ours[6:8] == pytest.approx(theirs[6:8])


@pytest.mark.parametrize("form", ["fit", "tcx"])
def test_a_watch_s_own_workouts_come_in_as_they_went_out(
    form: str, ksos: "CommandLine", tmp_path: Path
) -> None:
    assert ksos("sync", "--device", "virtual:ido?scenario=runner").code == 0
    out = tmp_path / "out"
    out.mkdir()
    assert ksos("export", "--format", form, "--out", out).code == 0
    said = ksos("import", *sorted(out.iterdir()), "--as", "old")
    assert said.code == 0, said.err
    beats = stored(ksos, "workout_heart_rate")
    ours, theirs = (
        [
            (each["start_utc_s"], each["bpm"])
            for each in beats
            if (each["device"] == "old") == is_old and each["bpm"] not in {0, 255}
        ]
        for is_old in (False, True)
    )
    assert ours == theirs != []
    names = ("start_utc_s", "duration_s", "sport", "energy_kcal", "distance_m")
    workouts = stored(ksos, "workout")
    first, second = (
        [
            tuple(each[name] or None for name in names)
            for each in workouts
            if (each["device"] == "old") == is_old
        ]
        for is_old in (False, True)
    )
    assert first == second != []
    # the watch is still the only one, and the source is none
    assert ksos("watch", "list").out.count("old") == 0
    assert "imported file" in ksos("sync", "--device", "old").err


def test_local_time_is_kept_and_given_back(ksos: "CommandLine", tmp_path: Path) -> None:
    offsets = (-12_600, 0, 7200, 20_700)
    for number, offset_s in enumerate(offsets):
        workout = made_up_workout(start_utc_s=START + 86_400 * number, utc_offset_s=offset_s)
        assert ksos("import", write("fit", workout, tmp_path / f"{number}.fit")).code == 0
    assert [found.utc_offset_s for found in read_back(ksos)] == list(offsets)
    lived = datetime.fromtimestamp(START + 9 * 86_400, timezone(timedelta(hours=-7))).isoformat()
    trk = f'<trk><trkseg><trkpt lat="1" lon="2"><time>{lived}</time></trkpt></trkseg></trk>'
    assert ksos("import", text_file(tmp_path, "x.gpx", f"<gpx>{trk}</gpx>")).code == 0
    assert read_back(ksos)[-1].utc_offset_s == -7 * 3600


def test_a_file_without_local_time_was_lived_here(
    ksos: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ksos_link.operations.export_source.get_localzone",
        lambda: timezone(timedelta(hours=5, minutes=45)),
    )
    assert ksos("import", write("gpx", rich_workout(), tmp_path / "run.gpx")).code == 0
    assert [found.utc_offset_s for found in read_back(ksos)] == [20_700]


# ---- once, whole, and derived again


@pytest.mark.parametrize("form", WORKOUT_FORMATS)
def test_a_second_time_changes_nothing_and_a_redecode_gives_the_same(
    form: str, ksos: "CommandLine", tmp_path: Path
) -> None:
    file = write(form, rich_workout(), tmp_path / f"run.{form}")
    assert ksos("import", file).code == 0
    before = contents(ksos)
    said = ksos("import", file.rename(tmp_path / f"another-name.{form}"), "--json")
    assert json.loads(said.out)["stored"] == {}
    assert contents(ksos) == before
    said = ksos("store", "redecode", "--json")
    assert (said.code, json.loads(said.out)["unreadable"]) == (0, 0)
    assert contents(ksos) == before
    assert ksos("store", "check").code == 0


def test_a_corrected_file_replaces_what_it_corrects(ksos: "CommandLine", tmp_path: Path) -> None:
    first = made_up_workout(values={"energy_kcal": 100}, heart_rate=[(START, 90), (START + 5, 91)])
    second = made_up_workout(values={"energy_kcal": 120}, heart_rate=[(START, 90)])
    for workout in (first, second):
        assert ksos("import", write("fit", workout, tmp_path / "run.fit")).code == 0
    (found,) = read_back(ksos)
    assert (found.values["energy_kcal"], found.heart_rate) == (120, [(START, 90)])


def test_a_long_track_is_kept_in_pieces(ksos: "CommandLine", tmp_path: Path) -> None:
    count = 2 * PIECE_ROWS + 10
    points = [point(START + at, 47 + at / 1e6, 8.0) for at in range(count)]
    workout = made_up_workout(duration_s=count, points=points)
    said = ksos("import", write("gpx", workout, tmp_path / "long.gpx"), "--json")
    told = json.loads(said.out)
    assert told["records"] == 4
    assert told["stored"]["workout_point"] == count
    (found,) = read_back(ksos)
    assert [row[1:4] for row in found.points] == [row[1:4] for row in points]


BROKEN = '<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{}</trkseg></trk>'


def test_a_file_that_breaks_late_leaves_nothing(ksos: "CommandLine", tmp_path: Path) -> None:
    points = "".join(
        f'<trkpt lat="1" lon="2"><time>{datetime.fromtimestamp(START + at, UTC).isoformat()}</time>'
        "</trkpt>"
        for at in range(PIECE_ROWS + 50)
    )
    file = text_file(tmp_path, "broken.gpx", BROKEN.format(points))
    said = ksos("import", file)
    assert said.code == 5
    assert "Traceback" not in said.err
    held = contents(ksos)
    assert not any(held.values())


def test_a_full_disk_leaves_nothing(
    ksos: "CommandLine", tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    points = [point(START + at, 47 + at / 7e5, 8 + at / 3e5) for at in range(15_000)]
    file = write("fit", made_up_workout(duration_s=15_000, points=points), tmp_path / "long.fit")
    assert ksos("import", write("fit", made_up_workout(), tmp_path / "short.fit")).code == 0
    before = contents(ksos)
    with file_size_limit(600_000):
        said = ksos("import", file)
    assert said.code == 8, said.err
    assert contents(ksos) == before
    assert ksos("import", file).code == 0


def test_a_file_that_is_not_there_makes_no_store(ksos: "CommandLine", tmp_path: Path) -> None:
    assert ksos("import", tmp_path / "gone.fit").code == 3
    assert not ksos.home.exists()


def test_a_dry_run_tells_and_makes_no_store(ksos: "CommandLine", tmp_path: Path) -> None:
    file = write("tcx", rich_workout(), tmp_path / "run.tcx")
    said = ksos("import", file, "--dry-run")
    assert said.code == 0
    assert "workout_point\t600" in said.out
    assert json.loads(ksos("import", file, "--dry-run", "--json").out)["stored"] is None
    assert not ksos.home.exists()


def test_sources_are_told_apart_renamed_and_forgotten(ksos: "CommandLine", tmp_path: Path) -> None:
    file = write("fit", rich_workout(), tmp_path / "run.fit")
    assert ksos("import", file).code == 0
    assert ksos("import", file, "--as", "bike-computer").code == 0
    assert {each["device"] for each in stored(ksos, "workout")} == {"imported-fit", "bike-computer"}
    assert ksos("watch", "rename", "--device", "bike-computer", "bike").code == 0
    assert ksos("import", file, "--as", "bike-computer").code == 0  # its first name
    assert ksos("import", file, "--as", "BIKE").code == 0
    assert {each["device"] for each in stored(ksos, "workout")} == {"imported-fit", "bike"}
    assert ksos("watch", "forget", "--device", "bike", "--yes").code == 0
    assert {each["device"] for each in stored(ksos, "workout")} == {"imported-fit"}
    said = ksos("show", "workout", "--device", "imported-fit")
    assert (said.code, "outdoor_run" in said.out) == (0, True)


# ---- what cannot be


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["gone.fit"], 3, "There is no file"),
        (["."], 2, "is a folder"),
        (["text.txt"], 5, "no format that is known"),
        (["text.txt", "--format", "xlsx"], 2, "no import format named xlsx"),
        (["text.txt", "--format", "fit"], 5, "damaged"),
        (["text.txt", "--format", "gpx"], 5, "no XML"),
        (["empty.gpx"], 3, "nothing in empty.gpx"),
        (["walk.gpx", "--as", "a b/c"], 2, "name cannot be used"),
        (["walk.gpx", "--as", "wrist"], 2, "belongs to another watch"),
    ],
)
def test_what_cannot_be_is_said_plainly(
    arguments: list[str],
    code: int,
    word: str,
    wrist: "CommandLine",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    text_file(tmp_path, "text.txt", "dear diary")
    text_file(tmp_path, "empty.gpx", '<?xml version="1.0"?><gpx><wpt lat="1" lon="2"/></gpx>')
    text_file(tmp_path, "walk.gpx", FOREIGN_POINT.format(extension="", ele="1"))
    before = contents(wrist)
    said = wrist("import", *arguments)
    assert (said.code, word in said.err) == (code, True), said.err
    assert contents(wrist) == before


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HEAD = '<trk><trkseg><trkpt lat="1" lon="2"><time>2026-01-01T00:00:00Z</time>'
BOMBS = {
    "laughs": f'<!DOCTYPE gpx [<!ENTITY l0 "ha">{LAUGHS}]><gpx>{HEAD}<ele>&l11;</ele></trkpt>',
    "attribute": f'<!DOCTYPE gpx [<!ENTITY l0 "1">{LAUGHS}]><gpx><trk><trkpt lat="&l11;"/>',
    "parameters": "<!DOCTYPE gpx [<!ENTITY % a \"<!ENTITY b 'x'>\">%a;]><gpx><trk></trk></gpx>",
    "file": f'<!DOCTYPE gpx [<!ENTITY f SYSTEM "file:///etc/passwd">]><gpx>{HEAD}<ele>&f;</ele>',
    "net": f'<!DOCTYPE gpx SYSTEM "http://127.0.0.1:9/x.dtd"><gpx>{HEAD}</trkpt></gpx>',
    "deep": f"<gpx>{'<a>' * 100_000}",
    "long": f'<gpx><trk><trkseg><trkpt lat="{"1" * 11_000_000}"/>',
    "stuffing": f"<gpx>{'<x/>' * 4_100_000}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused(bomb: str, tmp_path: Path) -> None:
    file = text_file(tmp_path, "bomb.gpx", f'<?xml version="1.0"?>{BOMBS[bomb]}')
    with pytest.raises(MalformedError):
        look_into(file)


@pytest.mark.parametrize("form", WORKOUT_FORMATS)
def test_a_file_that_is_cut_anywhere_is_refused_or_empty(form: str, tmp_path: Path) -> None:
    whole = write(form, rich_workout(), tmp_path / f"run.{form}").read_bytes()
    for end in range(1, len(whole) - 30, len(whole) // 25):
        (tmp_path / "cut").write_bytes(whole[:end])
        with pytest.raises((MalformedError, NotFoundError)):
            look_into(tmp_path / "cut", form=form)


def reading(form: str, data: bytes) -> list[ImportedRecord]:
    importer = next(each for each in IMPORTERS if each.name == form)
    assert importer.read is not None
    return list(importer.read(SourceFile(Path("x"), io.BytesIO(data))))


@pytest.mark.parametrize("form", WORKOUT_FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_noise_ends_in_a_plain_error(form: str, data: st.DataObject) -> None:
    whole = bytearray(_SMALL[form])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    if form == "fit":  # beyond the checksum
        whole[-2:] = struct.pack("<H", crc16(whole[:-2]))
    try:
        records = reading(form, bytes(whole))
    except KsosError:
        return
    for record in records:
        assert decode(raw_record(record)) == Decoded(record.decoded.series)


_SMALL: dict[str, bytes] = {}


@pytest.fixture(scope="module", autouse=True)
def small_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    workout = made_up_workout(
        points=[point(START + at, 1.0, 2.0, elevation_m=3.0) for at in range(3)],
        heart_rate=[(START + 1, 100)],
    )
    for form in WORKOUT_FORMATS:
        place = tmp_path_factory.mktemp("small") / f"a.{form}"
        _SMALL[form] = write(form, workout, place).read_bytes()


# ---- files of other programs


def one_series(records: list[ImportedRecord], metric: str) -> Series:
    (found,) = (one for each in records for one in each.decoded.series if one.metric == metric)
    return found


def test_a_fit_file_of_garmin_s_encoder() -> None:
    at = datetime.fromtimestamp(START, UTC)
    encoder = Encoder()

    def put(name: str, **fields: object) -> None:
        encoder.write_mesg({"mesg_num": Profile["mesg_num"][name], **fields})

    put("FILE_ID", type="activity", manufacturer="garmin", product=1, time_created=at)
    for second in range(5):
        put(
            "RECORD",
            timestamp=at + timedelta(seconds=second),
            heart_rate=120 + second,
            altitude=500.0 + second,
            speed=7.5,
            cadence=88,
            position_lat=int(47 * 2**31 / 180),
            position_long=int(8 * 2**31 / 180),
        )
    put(
        "SESSION",
        timestamp=at + timedelta(seconds=5),
        start_time=at,
        sport="cycling",
        sub_sport="mountain",
        total_elapsed_time=5.4,
        total_timer_time=5.0,
        total_distance=37.4,
        avg_speed=7.5,
        avg_cadence=88,
        total_cycles=7,
    )
    records = reading("fit", encoder.close())
    points = one_series(records, "workout_point")
    assert points.columns["latitude_deg"] == pytest.approx([47.0] * 5, abs=1e-6)
    assert list(points.columns["elevation_m"]) == [500, 501, 502, 503, 504]
    assert set(points.columns["cadence_spm"]) == {88}
    assert set(points.columns["speed_mps"]) == {7.5}
    workout = one_series(records, "workout").columns
    got = {name: values[0] for name, values in workout.items() if values[0] is not None}
    assert got == {
        "duration_s": 5,
        "sport": "mountain_bike",
        "sport_code": 2,
        "distance_m": 37,
        "speed_avg_mps": 7.5,
        "cadence_avg_spm": 88,
    }
    assert all(record.offsets == () for record in records)


def test_a_fit_file_without_a_session_is_a_workout_of_its_records() -> None:
    at = datetime.fromtimestamp(START, UTC)
    encoder = Encoder()
    for second in (0, 30, 90):
        encoder.write_mesg(
            {"mesg_num": 20, "timestamp": at + timedelta(seconds=second), "heart_rate": 99}
        )
    records = reading("fit", encoder.close())
    assert list(one_series(records, "workout_heart_rate").start_utc_s) == [
        *(START, START + 30, START + 90)
    ]
    workout = one_series(records, "workout")
    assert (workout.start_utc_s[0], workout.columns["duration_s"][0]) == (START, 90)
    assert workout.columns["sport"][0] == "other"


def fit_file(*messages: dict[str, object]) -> list[ImportedRecord]:
    encoder = Encoder()
    for message in messages:
        encoder.write_mesg(message)
    return reading("fit", encoder.close())


def test_a_fit_file_s_sport_may_stand_in_a_message_of_its_own() -> None:
    at = datetime.fromtimestamp(START, UTC)
    records = fit_file(
        {"mesg_num": 12, "sport": "racket", "sub_sport": "badminton"},
        {"mesg_num": 20, "timestamp": at, "heart_rate": 99},
        {"mesg_num": 20, "heart_rate": 98},
        {"mesg_num": 20, "timestamp": at, "heart_rate": 97},
    )
    assert one_series(records, "workout").columns["sport"] == ["badminton"]
    assert one_series(records, "workout_heart_rate").columns["bpm"] == [99]
    assert set(records[-1].decoded.remarks) == {
        "Records without a time, left out: 1.",
        "Values at a second that had one, left out: 1.",
    }


def test_fit_records_outside_of_the_session_are_told() -> None:
    at = datetime.fromtimestamp(START, UTC)
    records = fit_file(
        {"mesg_num": 20, "timestamp": at, "heart_rate": 99, "position_lat": 2**30 + 2**29},
        {"mesg_num": 20, "timestamp": at + timedelta(seconds=90), "heart_rate": 98},
        {"mesg_num": 18, "start_time": at, "total_elapsed_time": 60},
    )
    assert one_series(records, "workout_heart_rate").columns["bpm"] == [99]
    assert set(records[-1].decoded.remarks) == {
        "Records outside of the workout, left out: 1.",
        "Points nowhere on earth, left out: 1.",
    }


@pytest.mark.parametrize(
    "messages",
    [
        [{"mesg_num": 18, "sport": "running"}],
        [{"mesg_num": 18, "start_time": 1_161_000_000, "sport": "running"}] * 101,
    ],
)
def test_sessions_that_cannot_be_are_refused(messages: list[dict[str, object]]) -> None:
    with pytest.raises(MalformedError):
        fit_file(*messages)


def test_a_tcx_file_of_laps_without_times_or_points() -> None:
    for odd in ("2026-11-21", "soon", ""):
        bare = GARMIN_TCX.replace("2026-11-21T07:05:00.000Z", odd)
        records = reading("tcx", bare.encode())
        workout = one_series(records, "workout").columns
        assert (workout["duration_s"], workout["distance_m"]) == ([300], [1000])
        assert "Laps without a start, left out: 1." in records[-1].decoded.remarks
    root = "TrainingCenterDatabase"
    empty = f'<{root}><Activities><Activity Sport="Biking"/></Activities></{root}>'
    assert reading("tcx", empty.encode()) == []


def test_two_files_in_one_and_two_sessions_in_one() -> None:
    later = made_up_workout(start_utc_s=START + 5000, heart_rate=[(START + 5000, 80)])
    records = reading("fit", fit_bytes(WATCH, rich_workout()) + fit_bytes(WATCH, later))
    workouts = [
        one.start_utc_s[0]
        for each in records
        for one in each.decoded.series
        if one.metric == "workout"
    ]
    assert workouts == [START, START + 5000]


def test_a_gpx_file_of_gpxpy() -> None:
    gpx = gpxpy.gpx.GPX()
    track = gpxpy.gpx.GPXTrack(name="A walk")
    track.type = "Walking"  # type: ignore[assignment]  # its stubs know only None
    gpx.tracks.append(track)
    for start in (0, 100):
        segment = gpxpy.gpx.GPXTrackSegment()
        track.segments.append(segment)
        segment.points = [
            gpxpy.gpx.GPXTrackPoint(
                46.5, 7.5, elevation=600.0, time=datetime.fromtimestamp(START + start + at, UTC)
            )
            for at in (0, 10)
        ]
    segment.points.append(gpxpy.gpx.GPXTrackPoint(46.5, 7.5))
    gpx.waypoints.append(gpxpy.gpx.GPXWaypoint(1.0, 2.0))
    records = reading("gpx", gpx.to_xml().encode())
    points = one_series(records, "workout_point")
    assert list(points.start_utc_s) == [START, START + 10, START + 100, START + 110]
    workout = one_series(records, "workout")
    assert (workout.columns["sport"][0], workout.columns["duration_s"][0]) == ("walk", 110)
    assert records[-1].decoded.remarks == ("Points without a time, left out: 1.",)


FOREIGN_POINT = """<gpx xmlns="http://www.topografix.com/GPX/1/0" xmlns:g="urn:gpxdata"
  xmlns:n="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"><!-- c --><trk><type>run</type>
<trkseg><trkpt lat="1.5" lon="2.5"><ele>{ele}</ele><time>2026-11-21T07:00:00.900Z</time>
<extensions>{extension}</extensions></trkpt></trkseg></trk></gpx>"""


@pytest.mark.parametrize(
    ("extension", "bpm", "cadence"),
    [
        (
            "<n:TrackPointExtension><n:hr>131</n:hr><n:cad>80</n:cad></n:TrackPointExtension>",
            131,
            160,
        ),
        ("<g:hr>131</g:hr>", 131, None),
        ("<heartrate>131</heartrate><cadence>81.5</cadence>", 131, 163),
        ("<n:hr>255</n:hr><n:cad>-4</n:cad>", None, None),
        ("<n:hr>zero</n:hr><n:cad>nan</n:cad>", None, None),
        ("<n:hr>1e400</n:hr>", None, None),
    ],
)
def test_extensions_of_any_namespace(extension: str, bpm: int | None, cadence: int | None) -> None:
    records = reading("gpx", FOREIGN_POINT.format(extension=extension, ele="12.5").encode())
    assert one_series(records, "workout_point").columns["cadence_spm"] == [cadence]
    beats = [one for each in records for one in each.decoded.series if "heart" in one.metric]
    assert [one.columns["bpm"] for one in beats] == ([[bpm]] if bpm else [])


@pytest.mark.parametrize("ele", ["inf", "nan", "1e9", "", "high"])
def test_a_height_that_cannot_be_is_absent(ele: str) -> None:
    records = reading("gpx", FOREIGN_POINT.format(extension="", ele=ele).encode())
    assert one_series(records, "workout_point").columns["elevation_m"] == [None]


GARMIN_TCX = """<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
 xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><Activities>
<Activity Sport="Running"><Id>2026-11-21T07:00:00.000Z</Id>
<Lap StartTime="2026-11-21T07:00:00.000Z"><TotalTimeSeconds>300.4</TotalTimeSeconds>
<DistanceMeters>1000.2</DistanceMeters><MaximumSpeed>4.5</MaximumSpeed><Calories>70</Calories>
<AverageHeartRateBpm><Value>140</Value></AverageHeartRateBpm><MaximumHeartRateBpm><Value>151</Value>
</MaximumHeartRateBpm><Intensity>Active</Intensity><TriggerMethod>Distance</TriggerMethod>
<Track><Trackpoint><Time>2026-11-21T07:00:01.000Z</Time><HeartRateBpm><Value>139</Value>
</HeartRateBpm><Extensions><ns3:TPX><ns3:Speed>3.25</ns3:Speed><ns3:RunCadence>85</ns3:RunCadence>
</ns3:TPX></Extensions></Trackpoint></Track>
<Track><Trackpoint><Time>2026-11-21T07:04:00.000Z</Time><Position><LatitudeDegrees>47.5
</LatitudeDegrees><LongitudeDegrees>8.25</LongitudeDegrees></Position><AltitudeMeters>401.5
</AltitudeMeters><DistanceMeters>900</DistanceMeters><Extensions><ns3:TPX>
<ns3:RunCadence>85</ns3:RunCadence></ns3:TPX></Extensions></Trackpoint><Trackpoint/></Track></Lap>
<Lap StartTime="2026-11-21T07:05:00.000Z"><TotalTimeSeconds>60</TotalTimeSeconds>
<DistanceMeters>200</DistanceMeters><Calories>14</Calories><MaximumHeartRateBpm><Value>160</Value>
</MaximumHeartRateBpm><Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod></Lap>
<Creator><Name>A watch</Name></Creator></Activity></Activities></TrainingCenterDatabase>"""


def test_a_tcx_file_as_other_programs_write_it() -> None:
    records = reading("tcx", GARMIN_TCX.encode())
    points = one_series(records, "workout_point")
    assert [values[0] for values in points.columns.values()] == [47.5, 8.25, 401.5, 900, None, 170]
    assert one_series(records, "workout_heart_rate").columns["bpm"] == [139]
    workout = one_series(records, "workout").columns
    got = {name: values[0] for name, values in workout.items() if values[0] is not None}
    assert got == {
        "duration_s": 360,
        "sport": "run",
        "sport_code": 1,
        "energy_kcal": 84,
        "distance_m": 1200,
        "bpm_max": 160,
        "speed_max_mps": 4.5,
    }
    splits = one_series(records, "workout_split")
    assert (splits.columns["duration_s"], splits.columns["distance_m"]) == ([300], [1000])
    assert records[-1].decoded.remarks == ("Points without a time, left out: 1.",)


@pytest.mark.parametrize("year", ["1969", "9999"])
def test_years_that_nobody_lived_are_refused(year: str) -> None:
    text = FOREIGN_POINT.format(extension="", ele="1").replace("2026-11-21", f"{year}-12-31")
    with pytest.raises(MalformedError, match="out of range"):
        reading("gpx", text.encode())


@pytest.mark.parametrize("year", ["1970", "2099"])
def test_years_of_a_wrong_clock_are_kept_as_they_are(year: str) -> None:
    text = FOREIGN_POINT.format(extension="", ele="1").replace("2026", year)
    (start,) = one_series(reading("gpx", text.encode()), "workout").start_utc_s
    assert datetime.fromtimestamp(start, UTC).year == int(year)


# ---- what the store keeps


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**40),
            st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.integers(-(2**60), 2**60),
        ),
        unique_by=lambda row: row[0],
        max_size=20,
    ),
    st.sampled_from(list(Quality)),
)
def test_a_body_means_what_it_was_made_of(
    rows: list[tuple[int, float, float | None, int | None]], quality: Quality
) -> None:
    columns: dict[str, list[Value]] = {
        "latitude_deg": [row[1] for row in rows],
        "longitude_deg": [row[1] for row in rows],
        "elevation_m": [row[2] for row in rows],
        "distance_m": [None for _ in rows],
        "speed_mps": [row[2] for row in rows],
        "cadence_spm": [row[3] for row in rows],
    }
    series = Series("workout_point", [row[0] for row in rows], columns, quality)
    record = ImportedRecord("x.y", "k", Decoded((series,), ("a remark",)), 1)
    raw = raw_record(record)
    assert decode(raw) == Decoded((series,))
    assert raw_record(record) == raw


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_a_body_of_noise_is_a_decode_error(noise: bytes, with_magic: bool) -> None:
    body = b"KSI\x01" + noise if with_magic else noise
    with pytest.raises(DecodeError):
        decode(RawRecord("import", "x", "y", body, 1))


def test_a_column_that_came_later_is_absent_and_a_lost_one_is_damage() -> None:
    import zlib

    def body(text: str) -> RawRecord:
        return RawRecord("import", "x", "y", b"KSI\x01" + zlib.compress(text.encode()), 1)

    old = '{"series":[{"metric":"weight","quality":0,"start_utc_s":[5,1],"columns":{}}]}'
    (series,) = decode(body(old)).series
    assert (list(series.start_utc_s), series.columns["weight_kg"]) == ([5, 6], [None, None])
    for text in (
        old.replace("weight", "mood"),
        old.replace('"columns":{}', '"columns":{"weight_kg":[1]}'),
        old.replace('"quality":0', '"quality":9'),
        "[]",
        "{}",
    ):
        with pytest.raises(DecodeError):
            decode(body(text))
