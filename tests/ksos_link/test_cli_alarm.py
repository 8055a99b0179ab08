"""`ksos alarm`: a list that outlives the command, numbers from 1, names that are cut whole."""

import json
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.settings import Alarm, Alarms
from firmware_protocol.settings.kinds import cut_to_bytes
from ksos_link.operations.decode import decode_capture
from ksos_link.operations.open_watch import OpenWatch
from tests.ksos_link.command_results import done, objects

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

NOBODY = "virtual:tcp:127.0.0.1:1"  # exit 4 for who tries
MOST_BYTES = 23


def alarms(ksos: "CommandLine") -> list[dict[str, Any]]:
    return objects(ksos("alarm", "list", "--json"))


def test_alarms_are_added_edited_and_removed(wrist: "CommandLine") -> None:
    said = wrist("alarm", "list")
    assert (said.code, said.out) == (0, "")
    assert "There is no alarm. Add one" in said.err
    said = done(wrist("alarm", "add", "--at", "07:30", "--days", "workdays", "--name", "Up"))
    assert said.out == "Alarm 1 is added: 07:30, workdays, Up.\nThe watch holds it so.\n"
    done(wrist("alarm", "add", "--at", "23:15", "--kind", "brush-teeth", "--on", "off"))
    first, second = alarms(wrist)
    assert first == {
        "number": 1,
        "at": "07:30",
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "on": True,
        "kind": "wake_up",
        "name": "Up",
        "snooze_min": 10,
        "repetitions": 1,
        "source": "watch",
        "sent_utc": None,
    }
    assert (second["number"], second["days"], second["on"]) == (2, [], False)
    assert second["kind"] == "brush_teeth"
    said = done(wrist("alarm", "edit", "2", "--at", "6:45", "--days", "fri,mon"))
    assert said.out.startswith("Alarm 2 is changed: 06:45, mon,fri.\n")
    _, edited = alarms(wrist)
    assert edited == {**second, "at": "06:45", "days": ["monday", "friday"]}
    assert done(wrist("alarm", "enable", "2")).out.startswith("Alarm 2 is on: 06:45")
    assert done(wrist("alarm", "disable", "1")).out.startswith("Alarm 1 is off: 07:30")
    assert [each["on"] for each in alarms(wrist)] == [False, True]
    assert (
        done(wrist("alarm", "remove", "1")).out == "Alarm 1 is removed.\nThe watch holds it so.\n"
    )
    (left,) = alarms(wrist)
    assert (left["number"], left["at"]) == (1, "06:45")


def test_an_edit_asks_for_the_alarms_once_before_and_once_after(
    wrist: "CommandLine", tmp_path: Path
) -> None:
    file = tmp_path / "edit.txt"
    done(wrist("alarm", "add", "--at", "7:30"))
    done(wrist("alarm", "edit", "1", "--at", "6:45", "--record", file))
    named = [report.message for report in decode_capture(file).reports]
    assert named.count("ido.get.alarms") == 2


def test_the_list_is_a_table(wrist: "CommandLine") -> None:
    done(wrist("alarm", "add", "--at", "7:30", "--days", "weekend"))
    said = done(wrist("alarm", "list"))
    head, row = (line.split("\t") for line in said.out.splitlines())
    assert dict(zip(head, row, strict=True)) == {
        "number": "1",
        "at": "07:30",
        "days": "weekend",
        "on": "on",
        "kind": "wake_up",
        "name": "",
        "snooze_min": "10",
        "repetitions": "1",
    }
    assert said.err == "source     the watch\n"


def test_a_change_as_json_has_all_alarms(wrist: "CommandLine") -> None:
    done(wrist("alarm", "add", "--at", "7:30"))
    change = json.loads(done(wrist("alarm", "add", "--at", "8:30", "--json")).out)
    assert change["number"] == 2
    assert [each["at"] for each in change["asked"]["alarms"]] == ["07:30", "08:30"]
    assert change["held"] == change["asked"] == change["sent"]
    assert [each["at"] for each in change["before"]["alarms"]] == ["07:30"]
    assert change["differences"] == {}


def test_ten_alarms_are_the_most(wrist: "CommandLine") -> None:
    for hour in range(10):
        done(wrist("alarm", "add", "--at", f"{hour}:00"))
    said = wrist("alarm", "add", "--at", "23:00")
    assert said.code == 2
    assert "10 alarms already" in said.err
    assert len(alarms(wrist)) == 10


@pytest.mark.parametrize("words", ["remove 2", "enable 2", "disable 2", "edit 2 --at 7:00"])
def test_a_number_that_is_not_there_is_told(wrist: "CommandLine", words: str) -> None:
    done(wrist("alarm", "add", "--at", "7:30"))
    said = wrist("alarm", *words.split())
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("error: There is no alarm 2.\nhint: `ksos alarm list`")
    assert len(alarms(wrist)) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("add", "When does it ring?"),
        ("add --at 24:00", "--at must be a time from 00:00 to 23:59"),
        ("add --at 7:00 --days someday", "--days must be days such as monday,friday"),
        ("add --at 7:00 --snooze-min 61", "--snooze-min must be a whole number from 0 to 60"),
        ("add --at 7:00 --kind nap", "--kind must be one of wake_up, sleep"),
        ("edit 1", "There is nothing to change"),
        ("edit one --at 7:00", "give a whole number from 1 to 10"),
        ("remove 0", "give a whole number from 1 to 10"),
        ("remove 11", "give a whole number from 1 to 10"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_connects(
    ksos: "CommandLine", words: str, message: str
) -> None:
    said = ksos("alarm", *words.split(), "--device", NOBODY)
    assert (said.code, said.out) == (2, "")
    assert message in said.err


def test_a_control_character_in_a_name_is_refused(ksos: "CommandLine") -> None:
    said = ksos("alarm", "add", "--at", "7:00", "--name", "a\x1b[2J", "--device", NOBODY)
    assert said.code == 2
    assert "without control characters" in said.err


def test_what_the_watch_holds_otherwise_is_told(
    wrist: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    write = OpenWatch.write
    kept = [replace(Alarm(), at=time(7, 5), name="U")]

    async def write_otherwise(watch: OpenWatch, setting: Any, **how: Any) -> Any:
        change = await write(watch, setting, **how)
        return replace(change, held=Alarms(alarms=tuple(kept)))

    monkeypatch.setattr(OpenWatch, "write", write_otherwise)
    words = ("alarm", "add", "--at", "7:07", "--name", "Up", "--strict")
    said = wrist(*words)
    assert said.code == 6
    assert said.out == (
        "Alarm 1 is added: 07:05, once, U.\n"
        "The watch holds alarm 1 with at 07:05 instead of 07:07.\n"
        "The watch holds alarm 1 with name U instead of Up.\n"
    )
    kept.clear()
    said = wrist(*words)
    assert said.out.endswith("The watch holds 0 alarms instead of 2.\n")


# ---- names


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a" * 24, "a" * 23),
        ("ä" * 12, "ä" * 11),
        ("Aufstehen, Sonne ☀️ scheint", "Aufstehen, Sonne ☀️"),
        ("b" * 22 + "\N{GRINNING FACE}", "b" * 22),
    ],
)
def test_a_name_that_is_too_long_is_cut_at_a_character(
    wrist: "CommandLine", name: str, kept: str
) -> None:
    said = wrist("alarm", "add", "--at", "7:00", "--name", name, "--strict")
    assert (said.code, said.out) == (2, "")
    assert f"at most {MOST_BYTES} bytes" in said.err
    said = done(wrist("alarm", "add", "--at", "7:00", "--name", name))
    assert said.err == f"cut        the name to {kept.rstrip()}\n"
    (alarm,) = alarms(wrist)
    assert alarm["name"] == kept.rstrip()


@given(st.text(max_size=40))
def test_a_cut_name_is_a_beginning_that_fits(text: str) -> None:
    kept = cut_to_bytes(text, MOST_BYTES)
    assert text.encode("utf-8", "replace").startswith(kept.encode())
    assert len(kept.encode()) <= MOST_BYTES
