"""`ksos demo` from end to end, the pictures that it draws, and how results look on a terminal."""

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_protocol.samples import METRICS, SleepStage
from ksos_link.cli import plot, render

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine


def at(text: str) -> int:
    """An instant by the clock of this machine."""
    return int(datetime.fromisoformat(text).astimezone().timestamp())


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both outputs are a terminal of 80 columns; for the body of a test, not for a fixture."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


# ---- the demo


def test_the_demo_as_json(ksos: "CommandLine", tmp_path: Path) -> None:
    said = ksos("demo", "--json", TMPDIR=str(tmp_path))
    assert (said.code, said.err) == (0, "")
    report = json.loads(said.out)
    assert set(report) == {"family", "watch", "samples", "store", "exports", "elapsed_s"}
    assert (report["family"], report["watch"]) == ("ido", "Band 8")
    assert report["samples"]["heart_rate"] > 500
    assert report["store"]["encrypted"] is True
    assert len(report["exports"]) == 2 * len(report["samples"])
    assert "sleep.csv" in report["exports"]
    assert report["elapsed_s"] > 0


def test_the_demo_for_people(ksos: "CommandLine", tmp_path: Path) -> None:
    os.environ.pop("KSOS_KEY_FILE")  # it needs no secret, and no home
    said = ksos("demo", COLUMNS="80")
    assert said.code == 0
    assert not ksos.home.exists()
    told = [line.split()[0] for line in said.err.splitlines() if line]
    assert told == [
        "found",
        "bound",
        "syncing",
        *3 * ["progress"],
        "stored",
        *2 * ["exported"],
        "Done",
    ]
    assert re.search(r"(?m)^heart_rate\t\d+$", said.out)
    table, night, day = re.split(r"\n(?=The night|Heart rate on)", said.out)
    assert re.search(r"(?m)^  deep  ┤ .*█", night)
    assert "bpm" in day
    assert max(map(len, said.out.splitlines())) <= 80
    assert "\x1b" not in said.out  # no colour codes in a pipe
    quiet = ksos("demo", "--quiet")
    assert (quiet.err, quiet.out.splitlines()[1]) == ("", table.splitlines()[1])


# ---- pictures


def stages(*pieces: tuple[str, int, SleepStage]) -> list[tuple[str | int, ...]]:
    assert METRICS["sleep"].row_names == ("device", "start_utc_s", "duration_s", "stage", "quality")
    return [("w", at(start), minutes * 60, int(stage), 0) for start, minutes, stage in pieces]


def test_a_night(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    plot.print_night(
        stages(
            ("2026-11-20T23:00", 60, SleepStage.LIGHT),
            ("2026-11-21T00:00", 120, SleepStage.DEEP),
            ("2026-11-21T02:00", 10, SleepStage.AWAKE),
            ("2026-11-21T02:10", 50, SleepStage.REM),
        )
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "The night to 2026-11-21: 23:00 to 03:00, asleep for 3 h 50 min"
    rows = {line[2:7].strip(): line[9:] for line in lines if "┤" in line}
    assert list(rows) == ["awake", "rem", "light", "deep"]  # as a hypnogram is drawn
    quarter = rows["light"].count("█")
    assert abs(rows["deep"].index("█") - quarter) <= 1
    assert abs(rows["deep"].count("█") - 2 * quarter) <= 1
    assert 1 <= rows["awake"].count("█") <= 4
    assert rows["rem"].rstrip().endswith("█")
    assert lines[-1].split() == ["23:00", "00:00", "01:00", "02:00", "03:00"]
    assert lines[-1].index("00:00") - lines[-1].index("23:00") - quarter in (-1, 0)


def test_a_long_night_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    plot.print_night(stages(("2026-11-20T20:00", 900, SleepStage.LIGHT)))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[3:])) <= render.LEAST_COLUMNS + 5
    assert not re.search(r"\d\d:\d\d\d\d", lines[-1])  # hours with room between them


def test_a_day(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    yesterday = [("w", at("2026-11-20T12:00"), 200, 0)]
    today = [("w", at(f"2026-11-21T{hour:02}:00"), 60 + 2 * hour, 0) for hour in range(24)]
    plot.print_day([*yesterday, *today])
    out = capsys.readouterr().out
    assert "Heart rate on 2026-11-21: 60 to 106 bpm" in out
    assert out.splitlines()[-1].split() == [f"{hour:02}:00" for hour in range(0, 25, 3)]
    assert re.findall(r"(?m)^ +(\d+)┤", out) == ["120", "100", "80", "60"]
    assert "\x1b" not in out


# ---- tables, facts and bars


def test_a_table_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    render.print_table(
        ("name", "count", "ratio"), [("a\x1b[2J", 7, 1.23456), ("longer", None, 2.0)]
    )
    assert capsys.readouterr().out.splitlines() == [
        "name    count  ratio",
        "──────  ─────  ─────",
        "a\N{REPLACEMENT CHARACTER}[2J       7  1.235",
        "longer             2",
    ]


def test_rows_that_are_too_wide_are_printed_name_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    render.print_table(("name", "text"), [("a", "x" * 90), ("b", "y")])
    assert capsys.readouterr().out == f"name  a\ntext  {'x' * 90}\n\nname  b\ntext  y\n"


def test_facts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    render.print_facts({"bound": True, "charging": False, "can": ["word"] * 20, "x": None})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["bound     yes", "charging  no"]
    assert max(map(len, lines)) <= 80
    assert lines[3].startswith(" " * 10 + "word, ")
    assert lines[-1] == "x"


def test_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    with render.Bar("syncing", quiet=False) as bar:
        bar.show(total=1000)
        bar.show(done=500)
        bar.show()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "progress" not in captured.err
    with render.Bar("syncing", quiet=True) as bar:
        bar.show(done=500, total=1000)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal_kind", ["pipe", "dumb"])
def test_progress_without_a_bar(
    terminal_kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if terminal_kind == "dumb":
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("TERM", "dumb")
    with render.Bar("syncing", quiet=False) as bar:
        bar.show(done=10)  # of how much, nobody knows yet
        bar.show(total=1000)
        for done in (100, 250, 260, 900, 1200):
            bar.show(done=done)
    assert capsys.readouterr().err.splitlines() == [
        f"progress   {percent} % of 1000 bytes" for percent in (25, 75, 100)
    ]


def test_sync_on_a_terminal(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    said = ksos("sync", "--device", "virtual:ido?scenario=short")
    assert said.code == 0
    assert "metric" in said.out
    assert "─" in said.out


def test_a_packet_is_cut_at_the_edge_of_a_terminal(
    ksos: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    file = tmp_path / "capture.txt"
    file.write_text(" RX - 0201140211010040010001002802010303\n", "utf-8")
    (line,) = ksos("decode", file).out.splitlines()
    assert len(line) == 80
    assert line.endswith("…")
