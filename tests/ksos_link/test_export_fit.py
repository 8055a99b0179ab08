"""FIT activities, read back by three other programs, and every value traced to its sample."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fitdecode
import pytest
from fit_tool import FitFile, validate_fit_file
from garmin_fit_sdk import Decoder, Stream
from hypothesis import given, settings
from hypothesis import strategies as st

from ksos_link.errors import NotFoundError, StoreError
from ksos_link.export.fit import fit_bytes, write_fit
from ksos_link.export.fit_messages import FitFile as OurFitFile
from ksos_link.export.source import ExportDevice, Workout
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

WATCH = ExportDevice("wrist", "KS Watch", "ido")
Messages = dict[str, list[dict[Any, Any]]]


def read_by_garmin(data: bytes) -> Messages:
    """What Garmin's decoder finds; a fresh one, because one that was used finds nothing."""
    assert Decoder(Stream.from_byte_array(bytearray(data))).check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(bytearray(data))).read()
    assert errors == []
    named: Mapping[str, Any] = messages
    return {name.removesuffix("_mesgs"): found for name, found in named.items()}


def checked(data: bytes, *, validates: bool = True) -> Messages:
    """The messages of a file that three readers accept and understand in the same way.

    The one that validates takes a millisecond for a record: it may be left out.
    """
    if validates:
        validate_fit_file(FitFile.from_bytes(data), raise_on_error=True)
    garmin = read_by_garmin(data)
    frames = [
        frame
        for frame in fitdecode.FitReader(data, check_crc=fitdecode.CrcCheck.RAISE)
        if isinstance(frame, fitdecode.FitDataMessage)
    ]
    order = [frame.name for frame in frames]
    assert order[:3] == ["file_id", "device_info", "event"]
    middle = [name for name in dict.fromkeys(order[3:]) if name != "record"]
    assert middle == ["event", "lap", "session", "activity"]
    assert {name: order.count(name) for name in garmin} == {
        name: len(found) for name, found in garmin.items()
    }
    for record, frame in zip(
        garmin.get("record", []), (each for each in frames if each.name == "record"), strict=True
    ):
        assert record["timestamp"] == frame.get_value("timestamp")
        for name in ("heart_rate", "distance", "position_lat", "enhanced_altitude"):
            assert record.get(name) == frame.get_value(name, fallback=None)
    times = [record["timestamp"] for record in garmin.get("record", [])]
    assert times == sorted(set(times))
    return garmin


def exported(workout: Workout) -> Messages:
    return checked(fit_bytes(WATCH, workout))


def utc(utc_s: int) -> datetime:
    return datetime.fromtimestamp(utc_s, UTC)


@pytest.mark.parametrize(("scenario", "least"), [("runner", 4), ("full-day", 1), ("month", 10)])
def test_every_value_of_every_workout_is_a_stored_sample(
    scenario: str, least: int, ksos: "CommandLine", tmp_path: Path
) -> None:
    assert ksos("sync", "--device", f"virtual:ido?scenario={scenario}").code == 0
    out = tmp_path / "fit"
    out.mkdir()
    said = ksos("export", "--format", "fit", "--out", out)
    assert said.code == 0, said.err
    workouts = {utc(int(str(each["start_utc_s"]))): each for each in stored(ksos, "workout")}
    files = sorted(out.glob("*.fit"))
    assert len(files) == len(workouts) >= least
    beats = {each["start_utc_s"]: each["bpm"] for each in stored(ksos, "workout_heart_rate")}
    splits = {each["start_utc_s"]: each for each in stored(ksos, "workout_split")}
    minutes = [
        (int(str(each["start_utc_s"])) + int(str(each["duration_s"])), int(str(each["distance_m"])))
        for each in stored(ksos, "workout_minute")
    ]
    seen = 0
    for number, file in enumerate(files):
        found = checked(file.read_bytes(), validates=number < 2)
        (session,) = found["session"]
        _is_the_workout(session, workouts[session["start_time"]])
        assert session["num_laps"] == len(found["lap"])
        for lap in found["lap"][:-1]:
            kept = splits[int(lap["start_time"].timestamp())]
            assert lap["total_elapsed_time"] == kept["duration_s"]
            assert lap["total_distance"] == kept["distance_m"]
        began = session["start_time"].timestamp()
        for record in found["record"]:
            at = record["timestamp"].timestamp()
            if "heart_rate" in record:
                assert record["heart_rate"] == beats[at]
                seen += 1
            if "distance" in record:
                assert at in {end for end, _ in minutes}
                assert record["distance"] == sum(m for end, m in minutes if began < end <= at)
    assert seen == len([bpm for bpm in beats.values() if bpm not in {0, 255}])


def _is_the_workout(session: Mapping[str, Any], workout: Mapping[str, Any]) -> None:
    assert session["total_elapsed_time"] == session["total_timer_time"] == workout["duration_s"]
    assert session.get("total_distance") == workout["distance_m"]
    assert session.get("total_calories") == workout["energy_kcal"]
    assert session.get("avg_heart_rate") == workout["bpm_avg"]
    assert session.get("max_heart_rate") == workout["bpm_max"]
    assert session["sport_profile_name"] == workout["sport"]
    if session["sport"] == "running":
        strides = session["total_cycles"] + session["total_fractional_cycles"]
        assert 2 * strides == workout["steps"]


def test_a_route_keeps_its_places_heights_and_speeds() -> None:
    points = [
        point(
            START + at,
            47.3 + at / 1e4,
            -8.5 - at / 1e4,
            elevation_m=-3.4 + at,
            distance_m=2.5 * at,
            speed_mps=2.5,
            cadence_spm=161,
        )
        for at in range(0, 600, 2)
    ]
    found = exported(
        made_up_workout(points=points, heart_rate=[(START + at, 120) for at in range(0, 600, 3)])
    )
    records = {record["timestamp"]: record for record in found["record"]}
    assert len(records) == 400  # nothing between what was recorded
    for row in points:
        record = records[utc(int(str(row[1])))]
        degrees = [record[name] * 180 / 2**31 for name in ("position_lat", "position_long")]
        assert degrees == pytest.approx(row[2:4], abs=1e-7)
        assert record["enhanced_altitude"] == pytest.approx(row[4], abs=0.11)
        assert record["distance"] == pytest.approx(row[5], abs=0.006)
        assert record["enhanced_speed"] == 2.5
        assert 2 * (record["cadence"] + record["fractional_cadence"]) == 161
    assert "heart_rate" not in records[utc(START + 2)]
    assert "position_lat" not in records[utc(START + 3)]


def test_laps_are_the_splits_and_what_is_left() -> None:
    workout = made_up_workout(
        values={"distance_m": 2130, "energy_kcal": 150},
        splits=[split(START, 280), split(START + 280, 290)],
        minutes=[minute(START + 60 * at, 170, 15, 213) for at in range(10)],
        heart_rate=[(START + 100, 120), (START + 101, 131), (START + 590, 150)],
    )
    laps = exported(workout)["lap"]
    assert [lap["total_distance"] for lap in laps] == [1000, 1000, 130]
    assert [lap["total_elapsed_time"] for lap in laps] == [280, 290, 30]
    assert [lap.get("total_calories") for lap in laps] == [75, 75, None]
    assert [(lap.get("avg_heart_rate"), lap.get("max_heart_rate")) for lap in laps] == [
        (126, 131),
        (None, None),
        (150, 150),
    ]
    assert [lap["lap_trigger"] for lap in laps] == ["distance", "distance", "session_end"]


def test_what_was_not_recorded_is_not_there() -> None:
    found = exported(made_up_workout("chess", duration_s=0))
    assert [list(record) for record in found["record"]] == [["timestamp"]]
    (session,), (lap,) = found["session"], found["lap"]
    assert (session["sport"], session["sub_sport"]) == ("generic", "generic")
    for name in ("total_distance", "total_calories", "avg_heart_rate", "total_cycles"):
        assert name not in session
        assert name not in lap


@pytest.mark.parametrize("bpm", [0, 255, 300, -1])
def test_a_reading_that_is_none_is_absent_and_never_wrapped(bpm: int) -> None:
    found = exported(
        made_up_workout(
            values={"bpm_avg": bpm, "distance_m": -5, "speed_max_mps": 1e9},
            heart_rate=[(START, bpm), (START + 5, 61)],
        )
    )
    assert [record.get("heart_rate") for record in found["record"]][-1] == 61
    assert all(record.get("heart_rate", 61) == 61 for record in found["record"])
    for name in ("avg_heart_rate", "total_distance", "enhanced_max_speed"):
        assert name not in found["session"][0]


@pytest.mark.parametrize("offset_s", [0, 7200, -12600, 20700])
def test_local_time_is_that_of_the_day(offset_s: int) -> None:
    (activity,) = exported(made_up_workout(utc_offset_s=offset_s))["activity"]
    wall = activity["local_timestamp"] + 631_065_600
    assert wall - activity["timestamp"].timestamp() == offset_s


def test_a_name_with_control_letters_stays_plain_and_whole() -> None:
    device = ExportDevice("wrist", "=1+1\x00\x1b[2J\N{WATCH}" + "é" * 60, "ido")
    (info,) = checked(fit_bytes(device, made_up_workout()))["device_info"]
    assert info["product_name"].startswith("=1+1[2J\N{WATCH}é")
    assert len(info["product_name"].encode()) <= 60


def test_a_repeat_is_the_same_file_and_another_watch_another() -> None:
    workout = made_up_workout()
    assert fit_bytes(WATCH, workout) == fit_bytes(WATCH, workout)
    serials = {
        read_by_garmin(fit_bytes(ExportDevice(alias, "KS", "ido"), workout))["file_id"][0][
            "serial_number"
        ]
        for alias in ("wrist", "band")
    }
    assert len(serials) == 2


@pytest.mark.parametrize("year", [1970, 1989, 2127])
def test_a_time_that_fit_does_not_know_is_left_out_with_a_word(year: int, tmp_path: Path) -> None:
    from ksos_link.export.fit import lacks_fit_time

    odd = made_up_workout(start_utc_s=int(datetime(year, 3, 1, tzinfo=UTC).timestamp()))
    assert "FIT knows no times" in str(lacks_fit_time(odd))
    far = made_up_workout(start_utc_s=int(datetime(2099, 12, 31, 23, 59, tzinfo=UTC).timestamp()))
    assert lacks_fit_time(far) is None
    assert exported(far)["session"][0]["start_time"].year == 2099


def test_a_misspelt_field_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="hart_rate"):
        OurFitFile().add("record", hart_rate=60)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    workout = made_up_workout(heart_rate=[(START + at, 90) for at in range(600)])
    with file_size_limit(1000), pytest.raises(StoreError, match="full"):
        write_fit(MadeUpSource([workout]), workout, tmp_path / "run.fit")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFoundError):
        write_fit(MadeUpSource([workout]), workout, tmp_path / "no" / "run.fit")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.integers(START, START + 5000), st.one_of(st.integers(-5, 400), st.just(255)), max_size=20
    ),
    st.dictionaries(
        st.integers(START, START + 5000),
        st.tuples(st.floats(-120, 120), st.floats(-200, 200), st.none() | st.floats(-1e4, 1e4)),
        max_size=20,
    ),
)
def test_any_record_is_read_by_all(
    beats: dict[int, int], places: dict[int, tuple[float, float, float | None]]
) -> None:
    points = [
        point(at, latitude, longitude, elevation_m=height)
        for at, (latitude, longitude, height) in sorted(places.items())
    ]
    found = exported(
        made_up_workout(duration_s=6000, points=points, heart_rate=sorted(beats.items()))
    )
    kept = {
        record["timestamp"]: record["heart_rate"]
        for record in found.get("record", [])
        if "heart_rate" in record
    }
    assert kept == {utc(at): bpm for at, bpm in beats.items() if 0 < bpm < 255}
