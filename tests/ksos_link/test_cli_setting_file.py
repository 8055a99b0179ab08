"""The whole set-up as a file; who wears the watch; its clock; the cycle and its consent."""

import io
import re
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.settings import SETTINGS, setting_fields
from ksos_link.config import open_home
from ksos_link.errors import RefusedError
from ksos_link.operations.consents import CYCLE as CYCLE_CONSENT
from ksos_link.operations.consents import allow
from ksos_link.operations.local_time import local_now
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
from tests.ksos_link.command_results import cells, done, objects
from tests.ksos_link.lasting_watch import WATCH

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

OTHER = f"{WATCH}&seed=2"
NOBODY = "virtual:tcp:127.0.0.1:1"  # exit 4 for who tries


# ---- dump, diff, apply


@pytest.fixture
def lab(wrist: "CommandLine", tmp_path: Path) -> Path:
    """A file of a watch that was set up: what reads back, and what was sent."""
    done(wrist("alarm", "add", "--at", "7:30", "--days", "workdays", "--name", "Up"))
    done(wrist("goal", "set", "--steps", "8000"))
    done(wrist("dnd", "set", "--night", "on", "--start", "23:00", "--end", "7:00"))
    file = tmp_path / "lab.toml"
    assert (
        done(wrist("setting", "dump", "--out", file)).out == f"The settings are written: {file}\n"
    )
    return file


def test_a_dump_is_toml_with_what_is_known(wrist: "CommandLine", lab: Path) -> None:
    text = done(wrist("setting", "dump")).out
    assert re.sub(r", \d{4}-.*", "", text) == re.sub(r", \d{4}-.*", "", lab.read_text("utf-8"))
    found = tomllib.loads(text)
    assert found["goal"]["steps"] == 8000
    assert found["alarm"][0]["name"] == "Up"
    assert found["dnd"]["start"] == "23:00"
    assert "cycle" not in found
    assert "language" not in found  # nobody knows it


def test_what_was_dumped_differs_in_nothing(wrist: "CommandLine", lab: Path) -> None:
    said = done(wrist("setting", "diff", lab, "--exit-code"))
    assert said.out == "Nothing differs: the watch is set as the file says.\n"
    assert objects(wrist("setting", "diff", lab, "--json")) == []
    assert {each["outcome"] for each in objects(wrist("setting", "apply", lab, "--json"))} == {
        "unchanged"
    }


def test_a_second_watch_is_set_like_the_first(wrist: "CommandLine", lab: Path) -> None:
    done(wrist("watch", "pair", OTHER, "--alias", "ankle"))
    ankle = ("--device", "ankle")
    said = wrist("setting", "diff", lab, "--exit-code", *ankle)
    assert said.code == 7
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert rows[0] == ["setting", "field", "now", "wanted"]
    assert ["goal", "steps", "not known", "8000"] in rows
    assert ["dnd", "start", "00:00", "23:00"] in rows
    assert ["alarms", "alarms", "none", "1 alarm"] in rows
    dry = objects(wrist("setting", "apply", lab, "--dry-run", "--json", *ankle))
    assert dry == objects(wrist("setting", "diff", lab, "--json", *ankle))
    assert {"setting": "goal", "field": "steps", "now": None, "wanted": 8000} in dry
    outcomes = {
        each["setting"]: each["outcome"]
        for each in objects(wrist("setting", "apply", lab, "--strict", "--json", *ankle))
    }
    assert outcomes["dnd"] == outcomes["alarms"] == "changed"
    assert outcomes["goal"] == "sent"
    assert outcomes["brightness"] == "unchanged"
    assert wrist("setting", "diff", lab, "--exit-code", *ankle).code == 0
    said = done(wrist("setting", "apply", lab, *ankle))
    assert said.out == ""
    assert re.fullmatch(r"unchanged  \d+ settings\n", said.err)


def test_one_wrong_value_and_nothing_is_sent(wrist: "CommandLine", lab: Path) -> None:
    before = done(wrist("setting", "dump")).out
    text = lab.read_text("utf-8").replace("steps = 8000", "steps = 8").replace("23:00", "22:00")
    lab.write_text(text, "utf-8")
    for verb in ("diff", "apply"):
        said = wrist("setting", verb, lab)
        assert (said.code, said.out) == (2, "")
        assert "steps must be a whole number from 100 to 200000" in said.err
    assert done(wrist("setting", "dump")).out == before


def test_what_this_watch_lacks_is_named_or_passed_over(wrist: "CommandLine", lab: Path) -> None:
    lab.write_text('[orientation]\norientation = "portrait"\n[goal]\nsteps = 9000\n', "utf-8")
    said = wrist("setting", "apply", lab)
    assert (said.code, said.out) == (2, "")
    assert "this watch has no setting orientation" in said.err
    assert cells(wrist("setting", "apply", lab, "--skip-missing"))[1:] == [
        ["goal", "sent; cannot be asked"],
        ["orientation", "skipped"],
    ]


def test_strict_fails_where_the_watch_holds_otherwise(wrist: "CommandLine", lab: Path) -> None:
    text = '[heart-rate]\nmode = "interval"\ninterval_s = 7000\n'
    lab.write_text(text, "utf-8")
    said = wrist("setting", "apply", lab, "--strict")
    assert said.code == 6
    assert "heart-rate\theld otherwise: interval_s 1800 instead of 7000\n" in said.out
    lab.write_text(text, "utf-8")
    (each,) = objects(wrist("setting", "apply", lab, "--json"))
    assert each["outcome"] == "held_otherwise"
    assert each["differences"] == {"interval_s": {"asked": 7000, "held": 1800}}


def test_a_file_comes_through_a_pipe(wrist: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[goal]\nsteps = 7000\n")))
    found = objects(wrist("setting", "diff", "-", "--json"))
    assert {"setting": "goal", "field": "steps", "now": None, "wanted": 7000} in found


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (None, 3, "There is no file"),
        (b"\xff\xfe\x00", 2, "cannot be read as text"),
    ],
)
def test_a_file_that_is_none_is_told_before_anybody_connects(
    ksos: "CommandLine", tmp_path: Path, data: bytes | None, code: int, message: str
) -> None:
    file = tmp_path / "lab.toml"
    if data is not None:
        file.write_bytes(data)
    for verb in ("diff", "apply"):
        said = ksos("setting", verb, file, "--device", NOBODY)
        assert (said.code, said.out) == (code, "")
        assert message in said.err


@pytest.mark.parametrize("text", ["no toml", "goal = 7\n", "[jumps]\nheight_cm = 7\n"])
def test_a_file_that_makes_no_sense_is_refused(
    wrist: "CommandLine", tmp_path: Path, text: str
) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(text, "utf-8")
    said = wrist("setting", "apply", file)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


def test_a_silent_watch_leaves_no_half_file(wrist: "CommandLine", tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    said = wrist("setting", "dump", "--out", file, "--device", f"{WATCH}&fault=silent")
    assert said.code == 6
    assert not file.exists()


@pytest.mark.parametrize("name", ["", "nowhere/lab.toml"])
def test_a_place_that_cannot_be_written_is_told_before_anybody_connects(
    ksos: "CommandLine", tmp_path: Path, name: str
) -> None:
    said = ksos("setting", "dump", "--out", tmp_path / name, "--device", NOBODY)
    assert (said.code, said.out) == (2, "")


# ---- what there is to set


def test_all_settings_are_listed_without_a_watch(ksos: "CommandLine") -> None:
    rows = cells(ksos("setting", "list"))
    assert [row[0] for row in rows[1:]] == list(SETTINGS)
    listed = objects(ksos("setting", "list", "--json"))
    assert [each["setting"] for each in listed] == list(SETTINGS)
    (goal,) = objects(ksos("setting", "list", "goal", "--json"))
    assert goal["families"]["ido"]["readable"] is False
    assert goal["families"]["ido"]["rows"]
    assert [each["name"] for each in goal["fields"]] == [
        each.name for each in setting_fields(SETTINGS["goal"])
    ]
    said = ksos("setting", "list", "goal")
    assert cells(said)[1] == ["steps", "steps a day", "a whole number from 100 to 200000", "10000"]
    assert re.search(r"(?m)^  rows +03 03", said.err)
    assert ksos("setting", "list", "jumps").code == 3
    assert not ksos.home.exists()


def test_a_table_of_sentences_is_wrapped_on_a_terminal(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for columns in (70, 90):
        lines = done(ksos("setting", "list", COLUMNS=str(columns))).out.splitlines()
        assert lines[0].split()[0] == "setting"
        assert max(map(len, lines)) <= columns
        assert any(line.startswith("wearer            height") for line in lines)
    tall = done(ksos("sport", "list", COLUMNS="40")).out
    assert tall.startswith("ksos_id  0\nname     other\n")  # too narrow: one below the other


# ---- the wearer


def test_the_wearer_is_kept_and_told(wrist: "CommandLine") -> None:
    said = wrist("wearer", "show")
    assert said.code == 3
    assert wrist("wearer", "push").code == 3
    words = ("wearer", "set", "--height-cm", "168", "--weight-kg", "61.5", "--sex", "female")
    said = done(wrist(*words))
    assert ["height_cm", "not known", "168"] in cells(said)
    assert said.out.endswith("The wearer is kept.\nThe watch took it.\n")
    (shown,) = objects(wrist("wearer", "show", "--json"))
    assert (shown["height_cm"], shown["weight_kg"], shown["sex"]) == (168, 61.5, "female")
    assert shown["walk_stride_cm"] is None
    assert ["weight_kg", "61.5"] in cells(wrist("wearer", "show"))
    (changed,) = objects(wrist("wearer", "set", "--birth-date", "1988-04-02", "--json"))
    assert changed == {**shown, "birth_date": "1988-04-02", "pushed": True}
    (pushed,) = objects(wrist("wearer", "push", "--json"))
    assert pushed["sent"]["birth_date"] == "1988-04-02"
    assert (pushed["before_source"], pushed["held"]) == ("sent", None)
    assert "cannot be asked" in done(wrist("wearer", "push")).out


def test_a_wearer_is_kept_without_a_watch(ksos: "CommandLine") -> None:
    said = done(ksos("wearer", "set", "--height-cm", "180"))
    assert said.out.endswith("The wearer is kept.\n")
    assert "ksos sync" in said.err
    (kept,) = objects(ksos("wearer", "set", "--height-cm", "181", "--no-push", "--json"))
    assert (kept["height_cm"], kept["pushed"]) == (181, False)


def test_of_several_watches_each_is_told_at_its_sync(wrist: "CommandLine") -> None:
    done(wrist("watch", "pair", OTHER, "--alias", "ankle"))
    said = done(wrist("wearer", "set", "--height-cm", "180"))
    assert "`ksos sync` tells each watch" in said.err
    assert wrist("wearer", "push").code == 2
    assert done(wrist("wearer", "push", "--device", "ankle")).out.startswith("field\t")


def test_a_watch_out_of_reach_leaves_the_wearer_kept(ksos: "CommandLine") -> None:
    said = ksos("wearer", "set", "--height-cm", "180", "--device", NOBODY)
    assert said.code == 4
    assert "The wearer is kept." in said.out
    assert objects(ksos("wearer", "show", "--json"))[0]["height_cm"] == 180


@pytest.mark.parametrize(
    "words",
    ["", "--height-cm 49", "--weight-kg 301", "--birth-date 1899-12-31", "--sex both"],
)
def test_a_wearer_out_of_range_is_refused(ksos: "CommandLine", words: str) -> None:
    said = ksos("wearer", "set", *words.split())
    assert (said.code, said.out) == (2, "")
    assert not ksos.home.exists()


# ---- the clock


def test_the_clock_is_shown_and_set(wrist: "CommandLine") -> None:
    (now,) = objects(wrist("clock", "show", "--json"))
    assert set(now) == {"watch_local", "host_local", "drift_s", "zone", "hours"}
    assert abs(now["drift_s"]) <= 2
    assert now["hours"] is None
    (off,) = objects(wrist("clock", "set", "--to", "2026-01-31T07:30", "--json"))
    assert off["watch_local"].startswith("2026-01-31T07:30")
    said = done(wrist("clock", "show"))
    assert re.search(r"(?m)^drift +\d+ s (behind|ahead)$", said.out)
    (right,) = objects(wrist("clock", "set", "--hours", "12", "--json"))
    assert abs(right["drift_s"]) <= 2
    assert right["hours"] == 12
    assert objects(wrist("unit", "show", "--json"))[0]["clock"] == "12_h"


@pytest.mark.parametrize(
    "words",
    ["--to noon", "--to 2026-01-31T07:30+01:00", "--to 1999-12-31T00:00", "--hours 13"],
)
def test_no_time_for_a_watch_is_refused(ksos: "CommandLine", words: str) -> None:
    said = ksos("clock", "set", *words.split(), "--device", NOBODY)
    assert (said.code, said.out) == (2, "")


# ---- the cycle


CYCLE = ("reminder", "set", "cycle", "--on", "on", "--last-start")


def test_what_was_applied_before_the_watch_fell_silent_is_told(
    wrist: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lab.toml"
    file.write_text("[dnd]\nnight = true\n[brightness]\nlevel_pct = 30\n", "utf-8")
    write = OpenWatch.write

    async def write_once(watch: OpenWatch, setting: Any, **how: Any) -> Any:
        if setting.NAME == "brightness":
            raise RefusedError("The watch did not answer.")
        return await write(watch, setting, **how)

    monkeypatch.setattr(OpenWatch, "write", write_once)
    said = wrist("setting", "apply", file)
    assert said.code == 6
    assert said.out == "setting\toutcome\ndnd\tchanged\n"


def test_the_cycle_needs_consent(ksos: "CommandLine", wrist: "CommandLine") -> None:
    for device in ("wrist", NOBODY):
        said = wrist(*CYCLE, "2026-11-01", "--device", device)
        assert (said.code, said.out) == (9, "")
        assert "ksos privacy allow cycle" in said.err
    elsewhere = ksos.home.with_name("elsewhere")
    assert ksos(*CYCLE, "2026-11-01", "--home", elsewhere, "--device", NOBODY).code == 9


def test_the_cycle_is_followed_and_forgotten(wrist: "CommandLine", tmp_path: Path) -> None:
    secrets = SecretSource({"KSOS_KEY_FILE": str(tmp_path / "secret")}, keyring=lambda: None)
    with open_store(open_home({"KSOS_HOME": str(wrist.home)}), secrets) as store:
        allow(store, CYCLE_CONSENT, 1)
    start = local_now().date() - timedelta(days=10)
    said = wrist("reminder", "set", "cycle", "--on", "on")
    assert said.code == 2
    assert "last_start is needed" in said.err
    done(wrist(*CYCLE, str(start), "--cycle-days", "30"))
    (shown,) = objects(wrist("reminder", "show", "cycle", "--json"))
    assert (shown["source"], shown["last_start"]) == ("sent", str(start))
    assert shown["next_period_start"] == str(start + timedelta(days=30))
    assert shown["next_ovulation"] == str(start + timedelta(days=16))
    assert ["next_period_end", str(start + timedelta(days=34))] in cells(
        wrist("reminder", "show", "cycle")
    )
    assert "cycle" not in tomllib.loads(done(wrist("setting", "dump")).out)
    assert tomllib.loads(done(wrist("setting", "dump", "--cycle")).out)["cycle"]["on"] is True
    assert done(wrist("reminder", "remove", "cycle")).out.startswith("The cycle is off")
    (shown,) = objects(wrist("reminder", "show", "cycle", "--json"))
    assert (shown["source"], shown["on"], shown["last_start"]) == ("default", False, None)
    assert "next_period_start" not in shown
    (removed,) = objects(wrist("reminder", "remove", "cycle", "--json"))
    assert removed == {"setting": "cycle", "removed": True}
    logs = "".join(file.read_text("utf-8") for file in (wrist.home / "logs").iterdir())
    assert "setting: begins" in logs
    assert str(start) not in logs
