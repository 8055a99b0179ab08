"""Exports: what a reader gets, and that no half file ever has the final name."""

import csv
import io
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS, Quality, SleepStage, Value
from ksos_link.config import open_home
from ksos_link.errors import NotFoundError, StoreError, UsageError
from ksos_link.export.csv_table import write_csv
from ksos_link.export.json_lines import write_json_lines
from ksos_link.export.line_protocol import write_line_protocol
from ksos_link.export.source import Row
from ksos_link.export.target import open_target, target_path
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.read_out import Span
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource
from tests.ksos_link.table_source import TableSource

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit, StoreBench


class Table(NamedTuple):
    """A format that writes one metric into one text file."""

    name: str
    suffix: str
    write: Callable[..., int]
    second: bytes = b"2026-10-25T01:00:00Z"  # the start of the second stage


TABLES = (
    Table("csv", ".csv", write_csv),
    Table("jsonl", ".jsonl", write_json_lines),
    Table("influx", ".lp", write_line_protocol, b" 1792890000000000000"),
)


NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # clocks go back in Europe an hour later
START = int(NIGHT.timestamp())
Lists = Iterable[Sequence[Row]]
SLEEP: list[Row] = [("wrist", START, 1800, 2, 0), ("wrist", START + 1800, 600, 9, 1)]


NIGHTS = TableSource({"sleep": [SLEEP]}, lambda utc_s: 7200 if utc_s < START + 1800 else 3600)


def workout(device: str = "wrist", sport: str = "run") -> Row:
    metric = METRICS["workout"]
    values: dict[str, Value] = dict.fromkeys(metric.row_names)
    values |= {
        "device": device,
        "start_utc_s": START,
        "duration_s": 3600,
        "sport": sport,
        "sport_code": 1,
        "steps": -1,
        "speed_avg_mps": 2.5,
        "quality": 0,
    }
    return tuple(values.values())


def beats(store: Store) -> StoreSource:
    return StoreSource(store, [METRICS["heart_rate"]], None, Span())


def csv_rows(lists: Lists, metric: str) -> list[list[str]]:
    text = io.StringIO()
    write_csv(TableSource({metric: lists}, NIGHTS.offset_s), METRICS[metric], text)
    return list(csv.reader(io.StringIO(text.getvalue())))


def json_objects(lists: Lists, metric: str) -> list[dict[str, Any]]:
    text = io.StringIO()
    write_json_lines(TableSource({metric: lists}, NIGHTS.offset_s), METRICS[metric], text)
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_csv_names_units_utc_and_enumerations() -> None:
    assert csv_rows([SLEEP[:1], SLEEP[1:]], "sleep") == [
        ["device", "start_utc", "start_local", "duration_s", "stage", "quality"],
        ["wrist", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "1800", "light", "proven"],
        ["wrist", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00", "600", "9", "provisional"],
    ]


def test_json_lines_have_the_same_fields() -> None:
    assert json_objects([SLEEP], "sleep") == [
        {
            "metric": "sleep",
            "device": "wrist",
            "start_utc": "2026-10-25T00:30:00Z",
            "start_local": "2026-10-25T02:30:00+02:00",
            "duration_s": 1800,
            "stage": "light",
            "quality": "proven",
        },
        {
            "metric": "sleep",
            "device": "wrist",
            "start_utc": "2026-10-25T01:00:00Z",
            "start_local": "2026-10-25T02:00:00+01:00",
            "duration_s": 600,
            "stage": 9,
            "quality": "provisional",
        },
    ]


def test_an_absent_value_is_empty_or_has_no_key_and_zero_is_zero() -> None:
    row = ("wrist", START, 60, None, 0, None, None, 0, 0)
    assert csv_rows([[row]], "activity")[1][3:] == ["60", "", "0", "", "", "0", "proven"]
    assert json_objects([[row]], "activity") == [
        {
            "metric": "activity",
            "device": "wrist",
            "start_utc": "2026-10-25T00:30:00Z",
            "start_local": "2026-10-25T02:30:00+02:00",
            "duration_s": 60,
            "active_min": 0,
            "distance_m": 0,
            "quality": "proven",
        }
    ]


def test_no_samples_give_a_header_or_nothing() -> None:
    assert csv_rows([], "spo2") == [["device", "start_utc", "start_local", "spo2_pct", "quality"]]
    assert json_objects([], "spo2") == []


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_is_a_formula_is_not_run_by_a_spreadsheet(first: str) -> None:
    evil = f"{first}cmd|' /C calc'!A0"
    (row,) = csv_rows([[workout(evil, evil)]], "workout")[1:]
    assert (row[0], row[4]) == (f"'{evil}", f"'{evil}")
    assert row[6] == "-1"  # a number is a number
    (found,) = json_objects([[workout(evil, evil)]], "workout")
    assert (found["device"], found["sport"], found["speed_avg_mps"]) == (evil, evil, 2.5)


def test_every_stage_and_quality_has_a_name() -> None:
    rows = [("w", START + s, 60, int(s), int(q)) for s in SleepStage for q in Quality]
    stages = {row[4] for row in csv_rows([rows], "sleep")[1:]}
    qualities = {row[5] for row in csv_rows([rows], "sleep")[1:]}
    assert stages == {"awake", "light", "deep", "rem"}
    assert qualities == {"proven", "provisional", "uncertain_clock", "unverified"}


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
            st.integers(-(10**9), 2**33),
            st.integers(0, 250),
            st.sampled_from(list(map(int, Quality))),
        ),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_what_is_written_is_read_back(rows: list[tuple[str, int, int, int]], size: int) -> None:
    rows.sort(key=lambda row: row[1])
    chunks = [rows[at : at + size] for at in range(0, len(rows), size)]
    found = json_objects(chunks, "heart_rate")
    table = csv_rows(chunks, "heart_rate")[1:]
    assert len(found) == len(table) == len(rows)
    for (device, start, bpm, _), one, line in zip(rows, found, table, strict=True):
        assert (one["device"], one["bpm"]) == (device, bpm)
        assert int(datetime.fromisoformat(one["start_utc"]).timestamp()) == start
        assert (line[0].removeprefix("'"), line[3]) == (device.removeprefix("'"), str(bpm))
        assert line[1:3] == [one["start_utc"], one["start_local"]]
        local = datetime.fromisoformat(one["start_local"])
        assert (int(local.timestamp()), local.utcoffset()) == (
            start,
            timedelta(seconds=NIGHTS.offset_s(start)),
        )


@pytest.mark.parametrize("form", TABLES, ids=lambda form: form.name)
def test_a_file_is_owner_only_and_counts_its_rows(form: Table, tmp_path: Path) -> None:
    target = tmp_path / f"sleep{form.suffix}"
    target.write_text("older")
    assert form.write(NIGHTS, METRICS["sleep"], target) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text(encoding="utf-8").count("\n") == (3 if form.name == "csv" else 2)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("form", TABLES, ids=lambda form: form.name)
def test_an_export_that_breaks_leaves_the_older_file(form: Table, tmp_path: Path) -> None:
    target = tmp_path / "sleep"
    target.write_text("older")

    def chunks() -> Iterator[list[Row]]:
        yield SLEEP
        raise StoreError("The store is damaged.")

    with pytest.raises(StoreError):
        form.write(TableSource({"sleep": chunks()}), METRICS["sleep"], target)
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("form", TABLES, ids=lambda form: form.name)
def test_a_full_disk_leaves_no_half_file(
    form: Table, tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    target = tmp_path / "sleep"
    with file_size_limit(100_000), pytest.raises(StoreError, match="full"):
        form.write(TableSource({"sleep": [SLEEP] * 10_000}), METRICS["sleep"], target)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_is_said_so(tmp_path: Path) -> None:
    for target, error in (
        (tmp_path / "no" / "x.csv", NotFoundError),
        (tmp_path, UsageError),
        (tmp_path / ("x" * 300), UsageError),
    ):
        with pytest.raises(error) as found, open_target(target):
            pass
        assert found.value.hint


@pytest.mark.parametrize("form", TABLES, ids=lambda form: form.name)
def test_a_pipe_is_written_to_and_stays_one(form: Table, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert form.write(NIGHTS, METRICS["sleep"], pipe) == 2
        assert form.second in os.read(reader, 65536)
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.key", "store.lock"])
def test_an_export_never_replaces_a_file_of_the_store(bench: "StoreBench", name: str) -> None:
    with bench.open() as store:
        bench.commit(store, bench.add_watch(store, "wrist"), "day", {START: 60})
        target = bench.home.folder / name
        before = target.read_bytes()
        with pytest.raises(UsageError, match="belongs to the store"):
            write_csv(beats(store), METRICS["heart_rate"], target)
        assert target.read_bytes() == before
        write_csv(beats(store), METRICS["heart_rate"], target.with_name("steps.csv"))


def test_two_exports_to_one_file_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "sleep"
    with open_target(target) as slow:
        slow.write("slow")
        with open_target(target) as fast:
            fast.write("fast")
        assert target.read_text() == "fast"
    assert target.read_text() == "slow"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("older")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    with open_target(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").read_text() == "new"
    assert (tmp_path / "precious").read_text() == "older"


def test_one_out_may_be_a_folder_or_a_file(tmp_path: Path) -> None:
    assert target_path(tmp_path, "sleep", ".csv") == tmp_path / "sleep.csv"
    assert target_path(tmp_path / "night.csv", "sleep", ".csv") == tmp_path / "night.csv"


def test_the_store_s_rows_are_what_exports_take(bench: "StoreBench", tmp_path: Path) -> None:
    with bench.open() as store:
        bench.commit(store, bench.add_watch(store, "wrist"), "day", {START: 60, START + 60: 61})
        for form in TABLES:
            target = tmp_path / f"out{form.suffix}"
            assert form.write(beats(store), METRICS["heart_rate"], target) == 2
        assert (tmp_path / "out.lp").read_text().splitlines() == [
            f"heart_rate,device=wrist,quality=proven bpm={bpm}i {at}000000000"
            for _, at, bpm, _ in bench.rows(store)
        ]
        assert "2026-10-25T00:31:00Z" in (tmp_path / "out.csv").read_text()
        assert "2026-10-25T00:31:00Z" in (tmp_path / "out.jsonl").read_text()


def test_each_cell_of_a_watch_is_that_of_a_row_in_its_store(
    ksos: "CommandLine", tmp_path: Path
) -> None:
    """From the file back to the rows that the store reads, for every metric of a runner."""
    assert ksos("watch", "pair", "virtual:ido?scenario=runner", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    for form in ("csv", "jsonl"):
        assert ksos("export", "--format", form, "--out", tmp_path).code == 0
    home = open_home({"KSOS_HOME": str(ksos.home)})
    names = {"stage": SleepStage, "quality": Quality}
    with open_store(home, SecretSource(os.environ)) as store:
        assert len(store.counts()) > 8
        for metric in store.counts():
            with (tmp_path / f"{metric}.csv").open(encoding="utf-8", newline="") as file:
                table = list(csv.DictReader(file))
            lines = (tmp_path / f"{metric}.jsonl").read_text("utf-8").splitlines()
            rows = [row for chunk in store.read(metric) for row in chunk]
            for row, cells, line in zip(rows, table, lines, strict=True):
                kept = dict(zip(METRICS[metric].row_names, row, strict=True))
                for name, kind in names.items():
                    if name in kept:
                        kept[name] = kind(int(str(kept[name]))).name.lower()
                at = kept.pop("start_utc_s")
                one = json.loads(line)
                for told in (cells, one):
                    assert datetime.fromisoformat(told.pop("start_utc")).timestamp() == at
                    assert datetime.fromisoformat(told.pop("start_local")).timestamp() == at
                assert cells == {k: "" if v is None else str(v) for k, v in kept.items()}
                assert one == {"metric": metric} | {k: v for k, v in kept.items() if v is not None}
