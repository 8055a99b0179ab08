"""A plain database, opened by datasette."""

import asyncio
import csv
import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.samples import METRICS
from ksos_link.errors import StoreError, UsageError
from ksos_link.export.source import ExportDevice
from ksos_link.export.sqlite_file import write_sqlite
from tests.ksos_link.command_results import cells, done
from tests.ksos_link.table_source import TableSource, sample

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

START = 1_793_000_000


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.fixture
def full(ksos: "CommandLine") -> "CommandLine":
    done(ksos("watch", "pair", "virtual:ido?scenario=runner", "--alias", "wrist"))
    done(ksos("sync"))
    return ksos


@pytest.fixture
def exported(full: "CommandLine", tmp_path: Path) -> Path:
    """The database, and the same as CSV beside it."""
    path = tmp_path / "mine.sqlite"
    said = done(full("export", "--format", "sqlite", "--out", path, "--quiet"))
    assert "not encrypted" in said.err  # said even to those who want no notes
    (tmp_path / "csv").mkdir()
    done(full("export", "--out", tmp_path / "csv"))
    counted = sum(int(row[1]) for row in cells(full("export", "--out", tmp_path / "csv"))[1:])
    assert cells(said)[1] == [str(path), str(counted)]
    return path


def test_each_table_holds_what_csv_holds(exported: Path) -> None:
    """CSV is held against the store elsewhere; here each cell."""
    for path in (exported.parent / "csv").iterdir():
        header, *lines = csv.reader(path.read_text("utf-8").splitlines())
        rows = ask(exported, f"SELECT {', '.join(header)} FROM {path.stem}")  # noqa: S608
        shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
        assert sorted(shown) == sorted(lines)
        assert lines
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    assert {path.name for path in exported.parent.glob("mine*")} == {"mine.sqlite"}


def test_datasette_opens_it(exported: Path) -> None:
    from datasette.app import Datasette  # type: ignore[import-untyped]

    async def served(path: str) -> Any:
        datasette = Datasette([str(exported)])
        response = await datasette.client.get(path)
        assert response.status_code == 200
        return response.json()

    loop = asyncio.SelectorEventLoop()
    try:
        tables = loop.run_until_complete(served("/mine.json"))["tables"]
        beats = loop.run_until_complete(served("/mine/heart_rate.json?_shape=objects&_size=3"))
        query = "/mine.json?sql=select+round(avg(bpm))+from+heart_rate&_shape=arrays"
        mean = loop.run_until_complete(served(query))["rows"]
    finally:
        loop.close()
    named = {table["name"]: table for table in tables}
    assert named["heart_rate"]["primary_keys"] == ["device", "start_utc"]
    assert named.keys() > {"device", "meaning", "sleep", "workout"}
    assert [row["device"] for row in beats["rows"]] == ["wrist"] * 3
    assert mean == [list(row) for row in ask(exported, "SELECT round(avg(bpm)) FROM heart_rate")]


def test_columns_are_explained_with_units(exported: Path) -> None:
    told = ask(exported, 'SELECT metric, "column", unit, meaning FROM meaning')
    assert ("heart_rate", "bpm", "/min", "heart beats per minute") in told
    assert ask(exported, "SELECT alias, family FROM device") == [("wrist", "ido")]
    kinds = {name: kind for _, name, kind, *_ in ask(exported, "PRAGMA table_info(workout)")}
    assert (kinds["start_local"], kinds["steps"], kinds["speed_avg_mps"], kinds["quality"]) == (
        *("TEXT", "INTEGER", "REAL", "TEXT"),
    )


def test_absent_is_null_and_names_are_only_text(tmp_path: Path) -> None:
    evil = '=1,"; DROP TABLE sleep; --\n'
    source = TableSource(
        {
            "temperature": [[sample("temperature", evil, START, temperature_c=0.0, site=evil)]],
            "activity": [[sample("activity", evil, START, duration_s=60, distance_m=0)]],
            "sleep": [[sample("sleep", evil, START, duration_s=60, stage=9)]],
            "spo2": [],
        },
        devices=[ExportDevice(evil, "KS", "ido")],
    )
    path = tmp_path / "x.sqlite"
    counts = {"temperature": 1, "activity": 1, "sleep": 1, "spo2": 0}
    assert write_sqlite(source, path) == counts
    assert ask(path, "SELECT device, temperature_c, site FROM temperature") == [(evil, 0.0, evil)]
    assert ask(
        path,
        "SELECT steps_null, distance_m FROM (SELECT active_min AS steps_null, * FROM activity)",
    ) == [(None, 0)]
    assert ask(path, "SELECT stage FROM sleep") == [("9",)]
    assert ask(path, "SELECT * FROM spo2") == []
    assert set(METRICS) > {name for (name,) in ask(path, "SELECT metric FROM meaning")}


def test_a_stream_is_refused(full: "CommandLine") -> None:
    said = full("export", "--format", "sqlite", "--out", "-")
    assert (said.code, said.out) == (2, "")
    assert "needs a file" in said.err


def test_what_is_no_file_of_ours_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match="needs a file"):
            write_sqlite(TableSource({"spo2": []}), target)


def test_an_older_file_is_replaced_or_stays(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("older")
    beats = [
        [sample("heart_rate", "w", START + n + 1000 * page, bpm=60) for n in range(1000)]
        for page in range(40)
    ]
    with file_size_limit(200_000), pytest.raises(StoreError, match="full"):
        write_sqlite(TableSource({"heart_rate": beats}), path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
    assert write_sqlite(TableSource({"heart_rate": beats}), path) == {"heart_rate": 40_000}
    assert ask(path, "SELECT count(DISTINCT start_local) FROM heart_rate") == [(40_000,)]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_writes_it_plainly_who_wants_it_encrypted(
    full: "CommandLine", tmp_path: Path
) -> None:
    said = full(
        *("export", "--format", "sqlite", "--out", tmp_path / "x.sqlite"),
        *("--encrypt", "passphrase"),
        KSOS_EXPORT_PASSPHRASE="correct horse battery staple",
    )
    assert said.code == 2
    assert "cannot be encrypted" in said.err
    assert not list(tmp_path.glob("x*"))
