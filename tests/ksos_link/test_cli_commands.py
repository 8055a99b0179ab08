"""What people do with their watch and their data, command by command."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_protocol.samples import METRICS
from tests.ksos_link.command_results import cells, objects

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

CAPTURES = Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared/captures")
SYNCS = sorted(CAPTURES.glob("ido/*sync*.txt"))
WATCH = "virtual:ido?scenario=full-day"
KEPT = (  # what a full day has
    *("heart_rate", "resting_heart_rate", "spo2", "stress", "steps", "activity", "sleep"),
    *("sleep_summary", "workout", "workout_heart_rate", "workout_minute", "workout_split"),
    "battery",
)


@pytest.fixture
def synced(ksos: "CommandLine") -> "CommandLine":
    assert ksos("watch", "pair", WATCH, "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    return ksos


# ---- watches


def test_scan(ksos: "CommandLine") -> None:
    said = ksos("watch", "scan", "--device", WATCH, "--timeout-s", "1", "--json")
    (seen,) = objects(said)
    assert seen == {
        "address": "F9:24:12:00:00:01",
        "name": "Band 8",
        "rssi_dbm": seen["rssi_dbm"],
        "family": "ido",
        "product": "Band 8",
    }
    assert said.err == ""
    table = ksos("watch", "scan", "--device", WATCH, "--timeout-s", "1")
    assert cells(table)[0] == list(seen)
    assert table.err.startswith("Looking for watches for 1 s ...\nseen       Band 8, ")
    assert not ksos.home.exists()  # a scan leaves no trace (K028)


def test_a_virtual_watch_that_was_paired_stays_bound(ksos: "CommandLine") -> None:
    address = "virtual:ido?scenario=never-bound"
    said = ksos("watch", "pair", address, "--alias", "wrist")
    assert said.out == "wrist is paired: Band 8 (ido), battery 64 %.\n"
    assert said.err == "Next: ksos sync --device wrist\n"
    assert ksos("sync").code == 0
    assert objects(ksos("device", "info", "--json"))[0]["bound"] is True


def test_pairing_again_keeps_the_name_and_the_data(synced: "CommandLine") -> None:
    before = synced("show", "steps").out
    (paired,) = objects(synced("watch", "pair", WATCH, "--json"))
    assert paired["alias"] == "wrist"
    assert synced("show", "steps").out == before
    (renamed,) = objects(synced("watch", "pair", WATCH, "--alias", "ankle", "--json"))
    assert renamed["alias"] == "ankle"


def test_list_info_rename(synced: "CommandLine") -> None:
    (listed,) = objects(synced("watch", "list", "--json"))
    assert set(listed) == {"alias", "address", "family", "product", "bound_utc", "last_sync_utc"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed["last_sync_utc"])
    assert cells(synced("watch", "list"))[1][:3] == ["wrist", "Band 8", "ido"]
    (info,) = objects(synced("device", "info", "--json"))
    assert info["battery_pct"] == 64
    assert "heart_rate" in info["capabilities"]
    words = synced("device", "info").out
    assert re.search(r"(?m)^bound +yes$", words)
    assert re.search(r"(?m)^capabilities +.*\bheart_rate, ", words)
    assert synced("watch", "rename", "ankle").out == "wrist is now ankle.\n"
    assert cells(synced("watch", "list"))[1][0] == "ankle"


def test_forget_and_keep(synced: "CommandLine") -> None:
    before = objects(synced("show", "steps", "--json"))
    assert synced("watch", "forget", "--keep-data").code == 0
    assert objects(synced("watch", "list", "--json")) == []
    assert objects(synced("show", "steps", "--json")) == before


def test_several_watches_need_a_name(synced: "CommandLine") -> None:
    assert synced("sync", "--device", "virtual:ido?scenario=short").code == 0
    said = synced("sync")
    assert said.code == 2
    assert "wrist, virtual-ido" in said.err
    assert synced("sync", KSOS_DEVICE="wrist").code == 0
    everybody = objects(synced("show", "battery", "--json"))
    assert {one["device"] for one in everybody} == {"wrist", "virtual-ido"}
    assert cells(synced("show", "battery"))[0][0] == "device"
    mine = synced("show", "battery", "--device", "wrist")
    assert cells(mine)[0] == ["local_time", "battery_pct", "voltage_mv", "charging"]


# ---- sync


def test_sync_tells_its_events(ksos: "CommandLine") -> None:
    said = ksos("sync", "--device", f"{WATCH}&fault=lose@30", "--json")
    events = objects(said)
    assert said.err == ""
    kinds = [event["event"] for event in events]
    assert kinds[0] == "connected"
    assert kinds[-1] == "done"
    assert {"planned", "stored", "reconnecting"} < set(kinds)
    done = events[-1]
    assert done["links"] == 2
    assert list(done["samples"]) == [name for name in METRICS if name in KEPT]
    words = ksos("sync", "--device", f"{WATCH}&fault=lose@30")
    assert "link lost  trying again in 0.25 s (attempt 2)" in words.err
    assert "progress   25 % of " in words.err


def test_sync_again_brings_nothing_twice(synced: "CommandLine") -> None:
    before = synced("export", "--format", "jsonl", "--out", "-", "--metric", "heart_rate").out
    assert cells(synced("sync", "--metric", "heart_rate")) == [
        ["Nothing new: everything that the watch offered was here already."]
    ]
    assert synced("sync", "--full").code == 0
    assert (
        synced("export", "--format", "jsonl", "--out", "-", "--metric", "heart_rate").out == before
    )


def test_sync_of_one_metric_and_since(ksos: "CommandLine") -> None:
    said = ksos("sync", "--device", "virtual:ido?scenario=month", "--metric", "stress")
    assert {row[0] for row in cells(said)[1:]} == {"stress"}
    days = ksos("sync", "--device", WATCH, "--since", "today", "--metric", "steps", "--json")
    stored = [event for event in objects(days) if event["event"] == "stored"]
    assert len({event["key"][:10] for event in stored}) == 1


def test_a_watch_with_nothing(ksos: "CommandLine") -> None:
    said = ksos("sync", "--device", "virtual:ido?scenario=empty", "--metric", "steps")
    assert said.out == "Nothing was stored: the watch offered no record.\n"


# ---- show and export


def test_show_each_metric(synced: "CommandLine") -> None:
    for metric in KEPT:
        samples = objects(synced("show", metric, "--json"))
        known = ("metric", "device", "start_utc", "start_local", "quality")
        names = {*known, *METRICS[metric].column_names}
        assert all(sample["metric"] == metric for sample in samples)
        assert all(names.issuperset(sample) for sample in samples)
        said = synced("show", metric)
        table = cells(said)
        assert table[0][0] == "local_time"
        assert len(table) == len(samples) + 1
        assert {len(row) for row in table} == {len(table[0])}
        assert said.err.startswith(f"{len(samples)} sample")
        doubtful = any(sample["quality"] == "provisional" for sample in samples)
        assert ("provisional" in said.err) == doubtful


def test_show_days(synced: "CommandLine") -> None:
    def shown(*arguments: str) -> set[str]:
        rows = cells(synced("show", "heart_rate", *arguments))[1:]
        return {row[0][:10] for row in rows}

    (newest,) = shown()
    days = shown("--from", "2000-01-01")
    assert newest == max(days)
    assert len(days) == 2
    assert shown("--day", min(days)) == {min(days)} == shown("--to", min(days))
    assert shown("--day", "today") == {newest}
    assert shown("--day", "yesterday") == {min(days)}
    assert shown("--from", "yesterday", "--to", "today") == days


def test_export_to_a_folder_a_file_and_a_pipe(synced: "CommandLine", tmp_path: Path) -> None:
    folder, file = tmp_path / "mine", tmp_path / "steps.jsonl"
    folder.mkdir()
    table = cells(synced("export", "--out", folder))
    assert table[0] == ["file", "samples"]
    assert [Path(row[0]).stem for row in table[1:]] == list(KEPT)
    for path, count in table[1:]:
        assert len(list(csv.DictReader(io.StringIO(Path(path).read_text("utf-8"))))) == int(count)
    arguments = ("export", "--format", "jsonl", "--metric", "steps", "--out")
    (listed,) = objects(synced(*arguments, file, "--json"))
    assert listed == {"metric": "steps", "rows": listed["rows"], "path": str(file)}
    piped = synced(*arguments, "-")
    assert piped.out == file.read_text("utf-8")
    assert piped.err == f"steps: {listed['rows']} samples\n"


def test_an_export_goes_to_this_folder_unless_told(
    synced: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cells(synced("export", "--metric", "steps", "--metric", "spo2"))[1][0] == "steps.csv"
    assert {path.name for path in tmp_path.glob("*.csv")} == {"steps.csv", "spo2.csv"}
    (tmp_path / "file").touch()
    assert synced("export", "--out", tmp_path / "file").code == 2  # several need a folder
    assert synced("export", "--out", "-").code == 2  # CSV in a pipe holds one


# ---- the store


def test_store_info_check_redecode(synced: "CommandLine") -> None:
    (info,) = objects(synced("store", "info", "--json"))
    assert info["path"] == str(synced.home / "store.db")
    assert (info["key_holder"], info["devices"]) == ("secret_file", 1)
    assert set(info["samples"]) == set(KEPT)
    assert f"raw_records     {info['raw_records']}\n" in synced("store", "info").out
    assert objects(synced("store", "check", "--json")) == [{"sound": True, "findings": []}]
    assert synced("store", "check").out == "The store is sound.\n"
    (again,) = objects(synced("store", "redecode", "--json"))
    assert again["samples"] == info["samples"]
    assert again["unreadable"] == 0
    assert synced("store", "redecode").out == f"{again['records']} records decoded again.\n"


def test_store_check_that_finds_something(
    synced: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ksos_link.store.database.Store.check", lambda _: ["page 7 is lost"])
    said = synced("store", "check")
    assert (said.code, said.out) == (8, "page 7 is lost\n")
    assert "ksos store restore FILE" in said.err


def test_backup_and_restore(synced: "CommandLine", tmp_path: Path) -> None:
    before = synced("show", "steps").out
    (written,) = objects(synced("store", "backup", tmp_path / "b.ksosbackup", "--json"))
    assert Path(written["path"]).stat().st_size == written["size_bytes"]
    assert synced("watch", "forget", "--yes").code == 0
    assert synced("store", "restore", written["path"]).out == "The backup is restored.\n"
    assert synced("show", "steps").out == before
    elsewhere = ("--home", tmp_path / "elsewhere")
    assert synced("store", "restore", written["path"], *elsewhere).code == 0
    assert synced("show", "steps", *elsewhere).out == before


def test_rekey(synced: "CommandLine") -> None:
    before = (synced.home / "store.db").read_bytes()
    assert synced("store", "rekey").out == "The store is encrypted with a new key.\n"
    assert (synced.home / "store.db").read_bytes() != before
    assert synced("show", "steps").code == 0


def test_a_new_passphrase(ksos: "CommandLine") -> None:
    old = {"KSOS_KEY_FILE": "", "KSOS_PASSPHRASE": "old"}
    assert ksos("sync", "--device", "virtual:ido?scenario=short", **old).code == 0
    said = ksos("store", "rekey", "--passphrase-only", **old)
    assert said.code == 2
    assert "Set KSOS_NEW_PASSPHRASE" in said.err
    said = ksos("store", "rekey", "--passphrase-only", KSOS_NEW_PASSPHRASE="new", **old)
    assert said.out == "The passphrase is changed.\n"
    assert ksos("watch", "list", **old).code == 8
    assert ksos("watch", "list", **old | {"KSOS_PASSPHRASE": "new"}).code == 0


def test_a_passphrase_is_asked_for_on_a_terminal(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def getpass(prompt: str, stream: object) -> str:
        assert stream is sys.stderr
        asked.append(prompt)
        return "mine"

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr("ksos_link.cli.invocation.can_ask", lambda: True)
    assert ksos("sync", "--device", "virtual:ido?scenario=short", KSOS_KEY_FILE="").code == 0
    assert asked == ["New passphrase for the store: ", "The same once more: "]
    assert ksos("store", "backup", ksos.home, KSOS_KEY_FILE="").code == 0
    assert asked[2:] == ["Passphrase of the store: "]  # once for both


# ---- captures


def test_what_was_recorded_is_replayed(ksos: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "capture.txt"
    (recorded,) = objects(ksos("capture", "record", file, "--device", WATCH, "--json"))
    assert recorded["path"] == str(file)
    assert len(file.read_text("utf-8").splitlines()) == recorded["packets"]
    assert "F9241200000" not in file.read_text("utf-8").replace("f92412000000", "")
    said = ksos("capture", "replay", file, "--json")
    done = objects(said)[-1]
    assert done["records"] == recorded["records"]
    assert set(done["samples"]) >= {"heart_rate", "sleep", "steps", "workout"}
    assert "The capture holds no more than that" in done["remarks"][-1]
    words = ksos("capture", "replay", file)
    assert ["heart_rate", str(done["samples"]["heart_rate"])] in cells(words)
    assert "remark     The capture holds no more than that" in words.err
    assert not ksos.home.exists()


def test_recording_says_what_it_wrote(synced: "CommandLine", tmp_path: Path) -> None:
    said = synced("capture", "record", tmp_path / "c.txt", "--device", "wrist")
    assert re.fullmatch(r".*c\.txt: \d+ packets, \d+ records\.\n", said.out)
    assert "It holds readings" in said.err


@pytest.mark.skipif(not SYNCS, reason="no captures here; set KSOS_CAPTURES")
@pytest.mark.parametrize("file", SYNCS, ids=[file.stem for file in SYNCS])
def test_a_real_capture_syncs_or_says_why_not(ksos: "CommandLine", file: Path) -> None:
    device = ("--device", f"replay:{file}")
    done = objects(ksos("sync", *device, "--json"))[-1]
    if done["samples"]:
        metric = next(iter(done["samples"]))
        assert objects(ksos("show", metric, "--json", *device))
    else:
        assert done["remarks"][-1].startswith("The capture holds no ")
    again = objects(ksos("sync", *device, "--json"))[-1]
    assert again["samples"] == {}


# ---- two processes


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """`ksos virtual run` as a program of its own; give the address that it prints."""
    command = [sys.executable, "-m", "ksos_link", "virtual", "run", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdout is not None
        try:
            yield program.stdout.readline().strip()
        finally:
            program.terminate()
            program.communicate()


def test_a_virtual_watch_in_another_process(ksos: "CommandLine") -> None:
    def ran(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "ksos_link", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    with served("virtual:ido?scenario=never-bound", "--interval-ms", "0") as address:
        assert address.startswith("virtual:tcp:127.0.0.1:")
        seen = ran("watch", "scan", "--device", address, "--timeout-s", "0.5", "--json")
        assert json.loads(seen.stdout)["product"] == "Band 8"
        assert ran("watch", "pair", address, "--alias", "far").returncode == 0
        assert ran("sync", "--device", "far").returncode == 0
        again = ran("sync", "--device", "far", "--json")
        assert json.loads(again.stdout.splitlines()[-1])["samples"] == {"battery": 1}
        taken = ran("virtual", "run", "--listen", address.removeprefix("virtual:"))
        assert taken.returncode == 2
        assert "The port cannot be listened on" in taken.stderr
    gone = ran("sync", "--device", "far")
    assert gone.returncode == 4
    assert "No virtual radio answers" in gone.stderr


def test_scenarios_are_listed(ksos: "CommandLine") -> None:
    listed = objects(ksos("virtual", "list", "--json"))
    assert {"quiet-day", "full-day", "month", "runner", "empty", "never-bound"} <= {
        one["scenario"] for one in listed
    }
    assert cells(ksos("virtual", "list"))[0] == ["scenario", "title"]
