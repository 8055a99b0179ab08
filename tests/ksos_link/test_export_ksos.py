"""The vendor account's files: read by hand, back into the store, joined, old, foreign, hostile."""

import hashlib
import io
import struct
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol import account
from firmware_protocol.samples import METRICS, Series, SleepStage, Value
from ksos_link.errors import KsosError, MalformedError, NotFoundError
from ksos_link.export.ksos_account import write_account
from ksos_link.export.source import ExportDevice, Workout
from ksos_link.imports import recognised
from ksos_link.imports.importer import SourceFile
from ksos_link.imports.ksos_account import MAX_GROUP_BYTES, read
from tests.ksos_link.command_results import done, objects
from tests.ksos_link.made_up_source import START, MadeUpSource, made_up_workout, point, workout_row
from tests.ksos_link.stored_samples import stored as all_stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

Raw = dict[int, list[Any]]
ADDRESS = "C0:FF:EE:00:00:01"
WATCH = ExportDevice("wrist", "KS Watch", "ido", address=ADDRESS)
DAY = 1_792_965_600  # midnight of 26 October 2026, two hours ahead of UTC


def by_hand(data: bytes) -> Raw:
    """The fields of a message, without the library that wrote it."""
    found: Raw = {}
    place = 0

    def number() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        tag = number()
        if tag & 7 == 0:
            value: Any = number()
        else:
            size = {1: 8, 5: 4}.get(tag & 7) or number()
            value = data[place : place + size]
            place += size
            if tag & 7 == 1:
                (value,) = struct.unpack("<d", value)
            if tag & 7 == 5:
                (value,) = struct.unpack("<f", value)
        found.setdefault(tag >> 3, []).append(value)
    return found


def first(raw: Raw, place: int, absent: Any = 0) -> Any:
    return raw.get(place, [absent])[0]


def details(file: Path, place: int) -> list[Raw]:
    """All records of one kind in a health file."""
    groups = [by_hand(group) for group in by_hand(file.read_bytes()).get(2, [])]
    return [by_hand(each) for group in groups for each in group.get(place, [])]


def read_series(*parts: bytes, name: str = "x.kieslect") -> tuple[list[Series], list[str]]:
    """What is imported from some bytes, and the remarks."""
    file = Path(name)
    pieces = list(read(SourceFile(file, io.BytesIO(b"".join(parts)))))
    remarks = [remark for piece in pieces for remark in piece.decoded.remarks]
    return [series for piece in pieces for series in piece.decoded.series], remarks


def rows_of(found: list[Series], metric: str) -> list[tuple[Value, ...]]:
    names = METRICS[metric].column_names
    return [
        row
        for series in found
        if series.metric == metric
        for row in zip(series.start_utc_s, *(series.columns[name] for name in names), strict=True)
    ]


def stored(ksos: "CommandLine", metric: str, device: str | None = None) -> list[dict[str, Any]]:
    return [row for row in all_stored(ksos, metric) if device in (None, row["device"])]


@pytest.fixture
def synced(ksos: "CommandLine") -> "CommandLine":
    assert ksos("watch", "pair", "virtual:ido?scenario=month", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    return ksos


def test_every_record_of_a_month_is_a_stored_sample(synced: "CommandLine", tmp_path: Path) -> None:
    done(synced("export", "--format", "ksos", "--out", tmp_path))
    file = tmp_path / "ksos" / "health.kieslect"
    for metric, place, column in (
        ("heart_rate", 3, "bpm"),
        ("resting_heart_rate", 4, "bpm"),
        ("spo2", 5, "spo2_pct"),
        ("stress", 6, "stress_score"),
    ):
        written = {(first(each, 1), first(each, 2)) for each in details(file, place)}
        kept = {(each["start_utc_s"], each[column]) for each in stored(synced, metric)}
        assert written == kept != set()
    nights = {(first(each, 1), first(each, 14)) for each in details(file, 9)}
    assert nights == {
        (each["start_utc_s"], each["sleep_score"]) for each in stored(synced, "sleep_summary")
    }
    codes = {SleepStage.DEEP: 1, SleepStage.LIGHT: 2, SleepStage.AWAKE: 3, SleepStage.REM: 4}
    assert {(first(each, 2), first(each, 3), first(each, 5)) for each in details(file, 7)} == {
        (each["start_utc_s"], each["start_utc_s"] + each["duration_s"], codes[each["stage"]])
        for each in stored(synced, "sleep")
    }
    steps = [(first(each, 1), first(each, 2)) for each in details(file, 2) if 2 in each]
    assert Counter(steps) == Counter(
        (each["start_utc_s"], each["steps"]) for each in stored(synced, "steps") if each["steps"]
    )


@pytest.mark.parametrize("form", ["ksos", "ksos-2024"])
def test_a_month_comes_back_in_each_layout(
    form: str, synced: "CommandLine", tmp_path: Path
) -> None:
    done(synced("export", "--format", form, "--out", tmp_path))
    files = sorted((tmp_path / form).iterdir())
    assert [file.name for file in files] == ["health.kieslect", "sport.kieslect"]
    said = objects(synced("import", *files, "--as", "cloud", "--json"))
    assert [each["format"] for each in said] == ["ksos", "ksos"]
    for metric in ("heart_rate", "resting_heart_rate", "spo2", "stress", "sleep"):
        columns = ["start_utc_s", *METRICS[metric].column_names]
        ours, theirs = (
            [[row[name] for name in columns] for row in stored(synced, metric, device)]
            for device in ("wrist", "cloud")
        )
        assert ours == theirs != []
    for metric, names in (
        ("sleep_summary", ["awake_min", "light_min", "deep_min", "rem_min", "sleep_score"]),
        ("workout", ["duration_s", "sport", "steps", "distance_m", "bpm_avg", "speed_max_mps"]),
        ("steps", ["steps"]),
    ):
        ours, theirs = (
            [
                [row["start_utc_s"], *(row.get(name) or None for name in names)]
                for row in stored(synced, metric, device)
                if metric != "steps" or row["steps"]
            ]
            for device in ("wrist", "cloud")
        )
        assert _rounded(ours) == _rounded(theirs) != []
    before = stored(synced, "heart_rate")
    (again,) = objects(synced("import", files[0], "--as", "cloud", "--json"))
    assert again["stored"] == {}
    assert stored(synced, "heart_rate") == before


def _rounded(rows: list[list[Any]]) -> list[list[Any]]:
    """Speeds are of 32 bits in the file."""
    return [[round(each, 4) if isinstance(each, float) else each for each in row] for row in rows]


def test_the_layouts_differ_and_each_is_recognised(synced: "CommandLine", tmp_path: Path) -> None:
    for form in ("ksos", "ksos-2024"):
        done(synced("export", "--format", form, "--out", tmp_path))
    old = details(tmp_path / "ksos-2024" / "health.kieslect", 2)
    new = details(tmp_path / "ksos" / "health.kieslect", 2)
    assert {type(each[4][0]) for each in new if 4 in each} == {float}
    assert {type(each[4][0]) for each in old if 4 in each} == {int}
    layouts = {
        form: {
            account.layout_of(group)
            for group in by_hand((tmp_path / form / "sport.kieslect").read_bytes())[2]
        }
        for form in ("ksos", "ksos-2024")
    }
    assert layouts == {
        "ksos": {account.Layout.SPORT},
        "ksos-2024": {account.Layout.OLD_SPORT},
    }


def test_the_same_samples_have_the_same_numbers(synced: "CommandLine", tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        done(synced("export", "--format", "ksos", "--out", tmp_path / name))
        files.append(tmp_path / name / "ksos" / "health.kieslect")
    assert files[0].read_bytes() == files[1].read_bytes()
    numbers = [first(each, 4) for each in details(files[0], 3)]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**63 for number in numbers)


# ---- what no virtual watch has


def written(folder: Path, source: MadeUpSource, *, old: bool = False) -> dict[str, int]:
    folder.mkdir()
    return dict(write_account(source, folder, old=old))


def with_route() -> Workout:
    points = [
        point(START + 10 * at, 48.0 + at / 1000, 11.0, distance_m=30.5 * at, speed_mps=2.5)
        for at in range(6)
    ]
    beats = [(START + 10 * at, 120 + at) for at in range(6)]
    totals = {"distance_m": 152, "bpm_max": 125, "bpm_min": 120, "energy_kcal": 14, "steps": 60}
    return made_up_workout(duration_s=60, points=points, heart_rate=beats, values=totals)


@pytest.mark.parametrize("old", [False, True])
def test_a_route_comes_back(old: bool, tmp_path: Path) -> None:
    workout = with_route()
    source = MadeUpSource([workout], [WATCH], all_rows={"workout": [workout_row("workout", "", 0)]})
    counts = written(tmp_path / "out", source, old=old)
    assert counts == {"workout": 1, "workout_heart_rate": 6, "workout_point": 6}
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["sport.kieslect"]
    data = (tmp_path / "out" / "sport.kieslect").read_bytes()
    found, _ = read_series(data)
    assert rows_of(found, "workout_heart_rate") == list(workout.heart_rate)
    points = rows_of(found, "workout_point")
    assert [row[:3] for row in points] == [(row[1], row[2], row[3]) for row in workout.points]
    assert [row[4] for row in points] == pytest.approx([30.5 * at for at in range(6)])
    assert {row[5] for row in points} == {2.5}
    ((start, duration_s, sport, code, steps, kcal, metres, *_),) = rows_of(found, "workout")
    assert (start, duration_s, sport, code, metres) == (START, 60, "outdoor_run", 200, 152)
    assert (steps, kcal) == (60, None if old else 14)


def test_the_watch_stands_in_each_activity(tmp_path: Path) -> None:
    source = MadeUpSource(
        [with_route()], [WATCH], all_rows={"workout": [workout_row("workout", "", 0)]}
    )
    written(tmp_path / "out", source)
    (group,) = by_hand((tmp_path / "out" / "sport.kieslect").read_bytes())[2]
    device = by_hand(by_hand(group)[3][0])
    assert (device[1], device[2], device[3]) == ([1], [ADDRESS.encode()], [b"KS Watch"])


def health_rows(metric: str, *values: tuple[int, Value]) -> dict[str, list[tuple[Value, ...]]]:
    column = METRICS[metric].columns[0].name
    return {metric: [workout_row(metric, "wrist", at, **{column: value}) for at, value in values]}


def test_no_reading_and_no_time_are_left_out(tmp_path: Path) -> None:
    rows = health_rows("heart_rate", (5, 60), (START, 0), (START + 1, 255), (START + 2, 254))
    counts = written(tmp_path / "out", MadeUpSource((), [WATCH], all_rows=rows))
    assert counts == {"heart_rate": 1}
    (beat,) = details(tmp_path / "out" / "health.kieslect", 3)
    assert (beat[1], beat[2], beat[3]) == ([START + 2], [254], [ADDRESS.encode()])


def test_days_are_those_of_the_wearer(tmp_path: Path) -> None:
    rows = health_rows("heart_rate", (DAY - 1, 60), (DAY, 61), (DAY + 86_399, 62))
    written(tmp_path / "out", MadeUpSource((), [WATCH], all_rows=rows))
    groups = by_hand((tmp_path / "out" / "health.kieslect").read_bytes())[2]
    assert [by_hand(group)[1] for group in groups] == [[DAY - 86_400], [DAY]]


def test_nothing_to_write_is_said(tmp_path: Path) -> None:
    rows = health_rows("battery", (START, 60))
    with pytest.raises(NotFoundError):
        written(tmp_path / "out", MadeUpSource((), [WATCH], all_rows=rows))
    with pytest.raises(NotFoundError):
        written(
            tmp_path / "early",
            MadeUpSource([made_up_workout(start_utc_s=9)], [WATCH], all_rows=rows),
        )


def test_a_source_without_an_address_names_none(tmp_path: Path) -> None:
    other = ExportDevice("wrist", "GPX", "import", address="import:wrist")
    rows = health_rows("weight", (START, 71.25)) | health_rows("sleep", (START, 9))
    assert written(tmp_path / "out", MadeUpSource((), [other], all_rows=rows)) == {"weight": 1}
    (record,) = details(tmp_path / "out" / "health.kieslect", 8)
    assert record[2] == [71.25]
    assert 3 not in record


# ---- files of others


def message(name: str, **values: Any) -> bytes:
    made: bytes = account.MESSAGES[name](**values).SerializeToString()
    return made


def beats(at: int, *bpm: int, user: int = 0) -> bytes:
    group = account.MESSAGES["DayGroup"](date=at)
    for place, each in enumerate(bpm):
        group.detail_hr.add(date=at + place, hr=each, only=at + place)
    head = message("KActivity", user_id=user)
    return head + account.frame(group.SerializeToString())


def test_parts_of_other_accounts_are_set_aside() -> None:
    found, remarks = read_series(
        beats(START, 60, user=123), beats(START + 100, 61, user=12), beats(START + 200, 62, user=0)
    )
    assert rows_of(found, "heart_rate") == [(START + 100, 61), (START + 200, 62)]
    assert remarks == ["Parts that belong to other accounts were set aside."]


def test_accounts_that_have_nothing_in_common_are_refused() -> None:
    with pytest.raises(MalformedError, match="several accounts"):
        read_series(beats(START, 60, user=12), beats(START + 100, 61, user=34))
    with pytest.raises(MalformedError):
        read_series(*(message("KActivity", user_id=10**6 + at) for at in range(1200)))


def test_joined_files_of_all_layouts_are_read_as_one() -> None:
    old_steps = message("OldDetailSteps", date=START, steps=7, calories=3, distance=5)
    new_steps = message("DetailSteps", date=START + 60, steps=8, calories=3.6, distance=5.4)
    group = message("DayGroup", date=START, detail_steps=[old_steps, new_steps])
    flat = message("OldDetailSport", only=1, type=200, start_time=START, end_time=START + 60)
    nested = message("DetailSport", only=2, info={"type": 9999, "start_time": START + 900})
    found, remarks = read_series(*map(account.frame, (group, flat, nested)))
    assert rows_of(found, "steps") == [(START, 0, 7), (START + 60, 0, 8)]
    assert [(row[0], row[4], row[6]) for row in rows_of(found, "activity")] == [
        (START, 3, 5),
        (START + 60, 4, 5),
    ]
    assert [row[2] for row in rows_of(found, "workout")] == ["outdoor_run", "sport_9999"]
    assert any("length 0" in remark for remark in remarks)


def test_the_same_group_twice_is_one_piece_and_the_same_activity_too(tmp_path: Path) -> None:
    flat = [
        account.frame(
            message("OldDetailSport", only=9, type=200, start_time=START, end_time=START + length_s)
        )
        for length_s in (60, 90)
    ]
    data = beats(START, 60) * 2 + b"".join(flat)
    keys = Counter(
        (each.kind, each.key) for each in read(SourceFile(tmp_path / "x", io.BytesIO(data)))
    )
    assert sorted(keys.values()) == [2, 2]


@pytest.mark.parametrize("unit_s", [1, 60])
def test_the_length_of_a_night_tells_the_unit_of_its_stages(unit_s: int) -> None:
    stages = {
        "wake_time": 600 // unit_s,
        "light_time": 12_000 // unit_s,
        "deep_time": 9000 // unit_s,
        "rem_time": 7200 // unit_s,
    }
    group = account.MESSAGES["DayGroup"](date=START)
    group.detail_sleep_analyze.add(start_time=START, end_time=START + 28_800, **stages)
    group.detail_sleep_analyze.add(start_time=START + 90_000, end_time=START + 118_800)
    group.detail_sleep_analyze.add(start_time=START + 90_000, end_time=START)
    found, remarks = read_series(account.frame(group.SerializeToString()))
    assert rows_of(found, "sleep_summary") == [(START, 28_800, 10, 200, 120, 150, None)]
    assert remarks == ["A night whose stages do not fit its length was left out."]


def test_pauses_are_counted_by_the_clock() -> None:
    sport = account.MESSAGES["DetailSport"](only=5)
    sport.info.type, sport.info.start_time, sport.info.end_time = 300, START, START + 300
    for total, time, status in ((0, 0, 1), (60, 60, 2), (160, 60, 1), (300, 200, 3)):
        sport.timers.add(total_time=total, time=time, status=status)
    sport.activity_data.add(time=30, hr=100)
    sport.activity_data.add(time=61, hr=110, cadence=88)
    sport.activity_data.add(time=62, hr=255)
    sport.locations.add(time=61, latitude=48.5, longitude=11.5)
    sport.locations.add(time=62, latitude=0, longitude=0)
    sport.locations.add(time=63, latitude=91, longitude=0)
    sport.distance_data.add(time=61, distance=float("nan"), speed=3, lap=1)
    sport.distance_data.add(time=70, distance=99)
    found, remarks = read_series(account.frame(sport.SerializeToString()))
    assert rows_of(found, "workout_heart_rate") == [(START + 30, 100), (START + 161, 110)]
    assert rows_of(found, "workout_point") == [(START + 161, 48.5, 11.5, None, None, 3, 88)]
    assert len(remarks) == 2  # laps, and the way without a position


def test_what_cannot_be_a_reading_is_left_out() -> None:
    group = account.MESSAGES["DayGroup"](date=START)
    group.detail_hr.add(date=START, hr=0)
    group.detail_hr.add(hr=61)
    group.detail_spo2.add(date=START, spo2=97, pi=4)
    group.detail_spo2.add(date=START + 1, spo2=101)
    group.detail_stress.add(date=START, stress=-1)
    group.detail_weight.add(date=START, weight=float("inf"))
    group.detail_sleep.add(start_time=START, end_time=START + 10**9, code=1)
    group.detail_sleep.add(start_time=START, end_time=START + 60, code=9)
    group.detail_sleep.add(start_time=START, end_time=START + 60, code=4)
    found, remarks = read_series(account.frame(group.SerializeToString()))
    assert {series.metric: len(series) for series in found} == {"spo2": 1, "sleep": 1}
    assert len(remarks) == 2  # no time, and the perfusion index


def test_old_samples_without_a_place_keep_their_beats() -> None:
    flat = account.MESSAGES["OldDetailSport"](only=1, type=200, start_time=START, end_time=START)
    flat.time = 77
    flat.samples.add(time=5, hr=90, distance=12, lap=1)
    flat.samples.add(time=6, total_time=9, hr=91, latitude=48, longitude=11)
    found, remarks = read_series(account.frame(flat.SerializeToString()))
    assert rows_of(found, "workout_heart_rate") == [(START + 5, 90), (START + 9, 91)]
    assert rows_of(found, "workout")[0][1] == 77
    assert len(remarks) == 2
    early = message("OldDetailSport", only=1, type=200, start_time=50)
    assert read_series(account.frame(early)) == ([], [])


@pytest.mark.parametrize(
    "data",
    [
        b"\x12\x05\x08",
        b"\x12",
        b"\x1a\x00",
        b"\x0d\x00\x00\x00\x00",
        b"\x08\x80",
        b"\x12" + b"\xff\xff\xff\xff\x0f",
        b"\x80" * 12,
        beats(2**40, 60),
        account.frame(b"\x08\x05\x12\x03\x12\x02x"),
    ],
)
def test_hostile_files_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_series(data)


def test_a_part_that_says_it_is_huge_is_not_read() -> None:
    size = MAX_GROUP_BYTES + 1
    head = bytes((0x12, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80))
    with pytest.raises(MalformedError):
        read_series(head + bytes((size >> 21,)) + bytes(100))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120))
def test_noise_is_read_or_refused(noise: bytes) -> None:
    for data in (
        noise,
        account.frame(noise),
        beats(START, 60) + account.frame(b"\x08\x01" + noise),
    ):
        try:
            read_series(data)
        except KsosError:
            continue


def test_files_are_recognised_by_name_or_by_their_beginning() -> None:
    def name_of(head: bytes, name: str = "download") -> str | None:
        known = recognised(head, name)
        return None if known is None else known.name

    big = account.frame(b"\x08\x01" + b"\x1a\x04\x08\x80\x80\x01" * 2000)
    assert name_of(b"", "sportdata.kieslect") == "ksos"
    assert name_of(beats(START, 60, 61, user=77)) == "ksos"
    assert name_of(big[:4096]) == "ksos"
    for other in (b"", b"\x08", b"\x12\x02\x08\x01", b"\x08\x01\x12\x02no"):
        assert name_of(other) is None


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(MalformedError):
        next(iter(read(SourceFile(tmp_path / "x", Pipe(beats(START, 60))))))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def days(count: int) -> Iterator[bytes]:
        for day in range(count):
            yield beats(START + day * 86_400, *(60 + at % 50 for at in range(200)))

    peaks = []
    for count in (20, 400):
        file = tmp_path / str(count)
        with file.open("wb") as written:
            written.writelines(days(count))
        with file.open("rb") as stream:
            tracemalloc.start()
            digest = hashlib.sha256()
            for piece in read(SourceFile(file, stream)):
                digest.update(repr(piece.key).encode())
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
