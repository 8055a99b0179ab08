"""Parquet, read by DuckDB: what it aggregates is what is stored."""

# ruff: noqa: S608 our own names and paths

import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS, Quality
from ksos_link.errors import NotFoundError, StoreError
from ksos_link.export.parquet import write_parquet
from ksos_link.export.parquet_months import folder_name, schema_of
from ksos_link.export.source import Row
from ksos_link.export.units import unit_of
from tests.ksos_link.command_results import done
from tests.ksos_link.table_source import TableSource, sample

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit, StoreBench

DAY_S = 86_400


def utc_s(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


def ask(query: str, folder: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query.format(files=f"'{folder}/**/*.parquet'")).fetchall()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a month of a virtual watch, and the same as CSV beside it."""
    folder = tmp_path_factory.mktemp("month")
    code = (
        "import os, sys; from ksos_link.__main__ import main;"
        "sys.exit(main(['watch', 'pair', 'virtual:ido?scenario=month', '--alias', 'wrist'])"
        " or main(['sync']) or main(['export', '--format', 'parquet', '--out', 'parquet'])"
        " or os.mkdir('csv') or main(['export', '--out', 'csv']))"
    )
    home = {"KSOS_HOME": str(folder / "home"), "KSOS_KEY_FILE": str(folder / "secret")}
    ran = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=folder, env=home, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return folder


def test_duckdb_aggregates_what_was_stored(month: Path) -> None:
    for path in (month / "csv").iterdir():
        metric = METRICS[path.stem]
        columns = [*metric.column_names, "device", "quality"]
        sums = ", ".join(
            f"count({name}), min({name}::VARCHAR), max({name}::VARCHAR)" for name in columns
        )
        query = f"SELECT count(*), epoch(min(start_utc)), epoch(max(start_utc)), {sums} FROM "
        parquet = ask(f"{query} '{month}/parquet/{metric.name}/**/*.parquet'", month)
        read = f"read_csv('{path}', all_varchar = true)"
        table = ask(
            query.replace("min(start_utc)", "min(start_utc::TIMESTAMP)").replace(
                "max(start_utc)", "max(start_utc::TIMESTAMP)"
            )
            + read,
            month,
        )
        assert parquet == table, metric.name
        assert parquet[0][0] > 0


def test_each_value_is_that_of_the_table_row_by_row(month: Path) -> None:
    """CSV is held against the store elsewhere; here each field of each sample, and local time."""
    for path in (month / "csv").iterdir():
        names = METRICS[path.stem].column_names
        columns = ", ".join(f"{name}::VARCHAR" for name in (*names, "device", "quality"))
        ours = ask(
            "SELECT strftime(start_utc, '%Y-%m-%dT%H:%M:%SZ'), strftime(start_utc +"
            f" to_seconds(utc_offset_s), '%Y-%m-%dT%H:%M:%S'), {columns}"
            f" FROM '{month}/parquet/{path.stem}/**/*.parquet' ORDER BY device, start_utc",
            month,
        )
        theirs = ask(
            f"SELECT start_utc, start_local[:19], {columns}"
            f" FROM read_csv('{path}', all_varchar = true) ORDER BY device, start_utc",
            month,
        )
        assert ours == theirs, path.stem


def test_files_lie_by_metric_watch_and_month_with_one_row_group(month: Path) -> None:
    found = files(month / "parquet")
    for name in found:
        metric, device, file = Path(name).parts
        assert metric in METRICS
        assert device == "wrist"
        parquet = pq.ParquetFile(month / "parquet" / name)
        assert parquet.metadata.num_row_groups == 1
        starts: list[Any] = parquet.read(["start_utc"])["start_utc"].to_pylist()
        assert {f"{start:%Y-%m}.parquet" for start in starts} == {file}
        assert all(one < after for one, after in pairwise(starts))
        assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
    assert stat.S_IMODE((month / "parquet").stat().st_mode) == 0o700
    assert {stat.S_IMODE((month / "parquet" / name).stat().st_mode) for name in found} == {0o600}


def test_metadata_tell_units_meaning_and_the_version_of_the_schema(month: Path) -> None:
    path = next((month / "parquet" / "workout").rglob("*.parquet"))
    told = dict(ask(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')", month))
    assert told["ksos.schema_version"] == "1"
    assert (told["ksos.metric"], told["ksos.meaning"]) == ("workout", "one workout")
    units = json.loads(told["ksos.units"])
    assert (units["speed_avg_mps"], units["bpm_max"], units["steps"]) == ("m/s", "/min", "1")
    assert units.keys() == {"utc_offset_s", *METRICS["workout"].row_names[2:]}
    field = pq.read_schema(path).field("distance_m")
    assert field.metadata == {b"unit": b"m", b"meaning": b"distance"}
    assert str(pq.read_schema(path).field("start_utc").type) == "timestamp[us, tz=UTC]"


def test_every_column_has_a_unit_or_is_a_number_of_its_own() -> None:
    bare = {
        column.name
        for metric in METRICS.values()
        for column in metric.columns
        if unit_of(column.name) == "1"
    }
    assert bare == {
        *("stress_score", "steps", "intensity", "stage", "sleep_score", "sport", "sport_code"),
        *("training_effect", "laps", "site", "charging"),
    }


# ---- what no virtual watch has

NEW_YEAR = utc_s(2027, 1, 1)


def exported(folder: Path, lists: dict[str, list[list[Row]]], **more: Any) -> dict[str, int]:
    return dict(write_parquet(TableSource(lists, **more), folder))


def test_absent_is_null_zero_is_zero_and_a_real_is_exact(tmp_path: Path) -> None:
    rows = [
        sample(
            "workout_point",
            "wrist",
            NEW_YEAR + second,
            latitude_deg=52.1 + second / 3,
            longitude_deg=-0.1,
            elevation_m=[None, 0.0, -3.25][second],
            cadence_spm=[0, None, 171][second],
        )
        for second in range(3)
    ]
    assert exported(tmp_path, {"workout_point": [rows]}) == {"workout_point": 3}
    read = ask("SELECT latitude_deg, elevation_m, cadence_spm, speed_mps FROM {files}", tmp_path)
    assert read == [
        (52.1, None, 0, None),
        (52.1 + 1 / 3, 0.0, None, None),
        (52.1 + 2 / 3, -3.25, 171, None),
    ]


def test_a_page_over_a_month_s_end_and_two_watches_go_to_their_files(tmp_path: Path) -> None:
    beats = [
        [sample("heart_rate", "left", NEW_YEAR + minute * 60, bpm=60) for minute in range(-2, 2)],
        [sample("heart_rate", "left", NEW_YEAR + DAY_S, bpm=61)],
        [sample("heart_rate", "right", NEW_YEAR + DAY_S, bpm=255)],
    ]
    exported(tmp_path, {"heart_rate": beats})
    assert files(tmp_path) == {
        "heart_rate/left/2026-12.parquet",
        "heart_rate/left/2027-01.parquet",
        "heart_rate/right/2027-01.parquet",
    }
    # 255 is what the watch said; what it means is for those who read a number, not for a table
    assert ask(
        "SELECT device, count(*), max(bpm) FROM {files} GROUP BY 1 ORDER BY 1", tmp_path
    ) == [
        ("left", 5, 61),
        ("right", 1, 255),
    ]


def test_local_time_changes_within_a_page(tmp_path: Path) -> None:
    beats = [sample("heart_rate", "w", NEW_YEAR + 600 * n, bpm=60) for n in range(7)]
    exported(
        tmp_path,
        {"heart_rate": [beats]},
        offset_s=lambda at: 7200 if at < NEW_YEAR + 1800 else -12600,
    )
    found = ask("SELECT utc_offset_s FROM {files} ORDER BY start_utc", tmp_path)
    assert [offset for (offset,) in found] == [7200] * 3 + [-12600] * 4


@pytest.mark.parametrize("year", [1969, 1970, 2099])
def test_a_clock_that_is_far_off_is_a_month_like_any(tmp_path: Path, year: int) -> None:
    start = utc_s(year, 12, 31, 23, 59, 59)
    exported(tmp_path, {"spo2": [[sample("spo2", "w", start, spo2_pct=97)]]})
    assert files(tmp_path) == {f"spo2/w/{year}-12.parquet"}
    assert ask("SELECT epoch(start_utc), spo2_pct FROM {files}", tmp_path) == [(start, 97)]


def test_stages_and_quality_are_names_and_an_unknown_stage_stays_a_number(tmp_path: Path) -> None:
    rows = [
        sample("sleep", "w", NEW_YEAR + n, duration_s=60, stage=stage, quality=int(quality))
        for n, (stage, quality) in enumerate(
            [(1, Quality.PROVEN), (9, Quality.UNVERIFIED), (4, Quality.PROVISIONAL)]
        )
    ]
    exported(tmp_path, {"sleep": [rows]})
    found = ask("SELECT stage, quality FROM {files} ORDER BY start_utc", tmp_path)
    assert found == [("awake", "proven"), ("9", "unverified"), ("rem", "provisional")]


def test_texts_are_kept(tmp_path: Path) -> None:
    rows = [
        sample("temperature", "w", NEW_YEAR + n, temperature_c=36.6, site=site)
        for n, site in enumerate(["wrist", '=a,"b"\\\n', "wrist"])
    ]
    exported(tmp_path, {"temperature": [rows]})
    found = ask("SELECT site FROM {files} ORDER BY start_utc", tmp_path)
    assert found == [("wrist",), ('=a,"b"\\\n',), ("wrist",)]


@given(st.sets(st.text(max_size=6), max_size=8))
def test_each_alias_has_a_folder_of_its_own_and_none_leads_out(aliases: set[str]) -> None:
    names = {folder_name(alias) for alias in aliases | {".", "..", "", "%", "a/b"}}
    assert len(names) == len(aliases | {".", "..", "", "%", "a/b"})
    for name in names:
        assert Path("x", name).resolve().parent == Path("x").resolve()
        assert Path(name).parts == (name,)


def test_nothing_in_that_time_is_said_and_leaves_no_folder(
    month: Path, ksos: "CommandLine", tmp_path: Path
) -> None:
    env = {"KSOS_HOME": str(month / "home"), "KSOS_KEY_FILE": str(month / "secret")}
    out = tmp_path / "out"
    said = ksos("export", "--format", "parquet", "--to", "2001-01-01", "--out", out, **env)
    assert (said.code, said.out) == (3, "")
    assert "no samples in that time" in said.err
    assert not out.exists()
    with pytest.raises(NotFoundError):
        exported(tmp_path, {"heart_rate": []})


def test_the_extra_that_is_missing_is_named(
    month: Path, ksos: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"KSOS_HOME": str(month / "home"), "KSOS_KEY_FILE": str(month / "secret")}
    monkeypatch.delitem(sys.modules, "ksos_link.export.parquet_months", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = ksos("export", "--format", "parquet", "--out", tmp_path / "out", **env)
    assert said.code == 2
    assert "pip install 'ksos-link[parquet]'" in said.err
    assert not (tmp_path / "out").exists()


def test_it_makes_a_folder_and_no_stream(month: Path, ksos: "CommandLine", tmp_path: Path) -> None:
    env = {"KSOS_HOME": str(month / "home"), "KSOS_KEY_FILE": str(month / "secret")}
    assert ksos("export", "--format", "parquet", "--out", "-", **env).code == 2
    done(ksos("export", "--format", "parquet", "--metric", "spo2", "--out", tmp_path, **env))
    assert {Path(name).parts[:2] for name in files(tmp_path)} == {("parquet", "spo2")}


def test_every_file_is_encrypted_for_those_who_want_it(
    month: Path, ksos: "CommandLine", tmp_path: Path
) -> None:
    """Files are opened in another thread than the one that was told."""
    env = {
        "KSOS_HOME": str(month / "home"),
        "KSOS_KEY_FILE": str(month / "secret"),
        "KSOS_EXPORT_PASSPHRASE": "correct horse battery staple",
    }
    options = ("--metric", "spo2", "--metric", "sleep", "--encrypt", "passphrase")
    done(ksos("export", "--format", "parquet", "--out", tmp_path, *options, **env))
    found = files(tmp_path)
    assert {Path(name).parts[1] for name in found} == {"spo2", "sleep"}
    for name in found:
        assert name.endswith(".parquet.age")
        assert (tmp_path / name).read_bytes().startswith(b"age-encryption.org/v1\n")


def beats_of_years() -> Iterator[Sequence[Row]]:
    for day in range(4000):
        at = NEW_YEAR + day * DAY_S
        yield [sample("heart_rate", "w", at + n, bpm=(n * n) % 97 + 50) for n in range(40)]


def test_a_full_disk_is_said_and_leaves_no_half_file(
    tmp_path: Path, file_size_limit: "SizeLimit"
) -> None:
    rows = [
        sample("workout_point", "w", NEW_YEAR + n, latitude_deg=n / 7, longitude_deg=n / 11)
        for n in range(20_000)
    ]
    source = TableSource({"heart_rate": [next(iter(beats_of_years()))], "workout_point": [rows]})
    with file_size_limit(30_000), pytest.raises(StoreError, match="full"):
        write_parquet(source, tmp_path)
    assert files(tmp_path) == {"heart_rate/w/2027-01.parquet"}  # which the caller throws away


def test_a_store_that_breaks_is_told_as_it_is(tmp_path: Path) -> None:
    def pages() -> Iterator[Sequence[Row]]:
        yield next(iter(beats_of_years()))
        raise StoreError("The store is damaged.")

    with pytest.raises(StoreError, match="damaged"):
        write_parquet(TableSource({"heart_rate": pages()}), tmp_path)
    assert files(tmp_path) == set()


def test_a_month_of_many_samples_has_several_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ksos_link.export.parquet_months._MOST_GROUP_ROWS", 1000)
    beats = [
        [sample("rr_interval", "w", NEW_YEAR + 400 * page + n, rr_ms=800 + n) for n in range(400)]
        for page in range(8)
    ]
    exported(tmp_path, {"rr_interval": beats})
    (path,) = tmp_path.rglob("*.parquet")
    about = pq.ParquetFile(path).metadata
    assert about.num_rows == 3200
    assert about.num_row_groups > 1
    assert ask("SELECT count(DISTINCT start_utc), sum(rr_ms) FROM {files}", tmp_path) == [
        (3200, 8 * sum(800 + n for n in range(400)))
    ]


def test_a_parquet_file_is_nothing_to_an_export(tmp_path: Path) -> None:
    """Exports write and never read: what lies at the target is refused unread."""
    evil = tmp_path / "heart_rate" / "w"
    evil.mkdir(parents=True)
    (evil / "2027-01.parquet").write_bytes(b"PAR1" + bytes(64) + b"\xff\xff\xff\x7fPAR1")
    exported(tmp_path, {"heart_rate": [[sample("heart_rate", "w", NEW_YEAR, bpm=60)]]})
    assert ask("SELECT bpm FROM {files}", tmp_path) == [(60,)]


def test_all_metrics_have_a_schema() -> None:
    for metric in METRICS.values():
        names = schema_of(metric).names
        assert names[:4] == ["metric", "device", "start_utc", "utc_offset_s"]
        assert tuple(names[4:]) == metric.row_names[2:]


@pytest.fixture
def two_records(bench: "StoreBench") -> Callable[[], list[tuple[Any, ...]]]:
    """The same instants from two records, as rows and as columns."""

    def both() -> list[tuple[Any, ...]]:
        with bench.open() as store:
            found: list[tuple[Any, ...]] = []
            for alias, texts in store.read_columns("heart_rate", page_samples=3):
                columns = map(json.loads, texts)
                found += [(alias, *row) for row in zip(*columns, strict=True)]
            assert found == bench.rows(store)
            return found

    return both


def test_columns_are_the_rows_where_two_records_tell_the_same_instant(
    bench: "StoreBench", two_records: Callable[[], list[tuple[Any, ...]]]
) -> None:
    with bench.open() as store:
        watch, other = bench.add_watch(store, "a"), bench.add_watch(store, "b")
        bench.commit(store, watch, "1", dict.fromkeys(range(0, 90, 10), 60))
        bench.commit(store, other, "1", dict.fromkeys(range(0, 60, 10), 50))
    apart = two_records()
    assert len(apart) == 15
    with bench.open() as store:
        bench.commit(store, watch, "2", {40: 70, 45: 71, 80: 72})
    touching = two_records()
    assert len(touching) == 16
    assert [row[2] for row in touching if row[:2] == ("a", 40)] == [70]


def test_columns_of_a_stretch_and_of_one_watch(bench: "StoreBench") -> None:
    with bench.open() as store:
        watch = bench.add_watch(store, "a")
        bench.add_watch(store, "empty")
        bench.commit(store, watch, "1", {at: at for at in range(100)})
        for size in (1, 7, 20, 21, 100):
            pages = list(
                store.read_columns(
                    "heart_rate",
                    device_id=watch.device_id,
                    start_utc_s=30,
                    end_utc_s=51,
                    page_samples=size,
                )
            )
            starts = [json.loads(texts[0]) for _, texts in pages]
            assert [at for page in starts for at in page] == list(range(30, 51))
            assert max(map(len, starts)) <= size
            assert all(starts)
        with pytest.raises(NotFoundError):
            next(store.read_columns("pulse"))
