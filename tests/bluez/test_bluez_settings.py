"""Every command of a watch's settings, actions and events over the real BlueZ."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ksos_link.virtual_watch.scenarios import open_virtual_watch

pytestmark = pytest.mark.bluez
ADDRESS = "F9:24:12:00:00:01"
ALL = "KSOS_BLUEZ_ALL" in os.environ  # some five seconds a command: without it one a noun
# command: the row that it must have changed on the watch, or what must have appeared there
COMMANDS: dict[str, str] = {
    "clock set": "clock ",
    "clock show": "",
    "wearer set --height-cm 168": "03 10",
    "wearer show": "",
    "wearer push": "03 10",
    "goal set --steps 9000": "03 43",
    "goal show": "",
    "unit set --distance mile": "03 11",
    "unit show": "",
    "language set french": "03 11",
    "language show": "",
    "alarm add --at 6:45 --days workdays --name Up": "V3 0E",
    "alarm list": "",
    "alarm edit 1 --at 7:00": "V3 0E",
    "alarm disable 1": "V3 0E",
    "alarm enable 1": "V3 0E",
    "alarm remove 1": "V3 0E",
    "dnd set --night on --start 22:00 --end 6:30": "03 29",
    "dnd show": "",
    "notice send --app whatsapp --title Anna Hello": "notice whatsapp: Anna | Hello",
    "notice call --name Anna": "call: Anna",
    "notice end-call": "call ended",
    "notice apps --allow sms --allow other": "03 30",
    "notice test": "notice sms: ksos | A test of sms",
    "reminder set walking --on on": "03 47",
    "reminder set drinking --on on": "03 60",
    "reminder list": "",
    "measure set heart-rate --mode interval --interval-s 300": "V3 09",
    "measure set zones --warm-up-bpm 95": "03 24",
    "measure set spo2 --on on": "03 44",
    "measure set stress --on on": "03 45",
    "measure show": "",
    "measure now": "",
    "display set brightness --level-pct 60": "03 32",
    "display set raise-to-wake --on off": "03 28",
    "display set wrist --wrist right": "03 22",
    "display show": "",
    "weather push --condition rain --now 12 --high 14 --low 9 --city Bern": "city Bern",
    "weather off": "03 2D",
    "music on": "03 2A",
    "music now-playing --state playing": "music playing",
    "find watch": "ringing",
    "find stop": "silent again",
    "find phone set --on on": "03 26",
    "camera on --experimental": "camera key on",
    "sport autodetect set --walk on": "03 49",
    "sport order set yoga hike": "V3 0C",
    "setting dump": "",
    "device info": "",
    "device log": "",
    "live --for-s 1": "",
    "device reboot --yes band --experimental": "restarting",
}


def chosen(commands: dict[str, str]) -> dict[str, str]:
    """The first of each noun that leaves a trace on the watch, or the first at all; or all."""
    if ALL:
        return commands
    first: dict[str, str] = {}
    for line, left in commands.items():
        noun = line.split()[0]
        if noun not in first or (left and not commands[first[noun]]):
            first[noun] = line
    return {line: commands[line] for line in first.values()}


class Program:
    """`ksos`, run as a person's shell does, with a home of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self, *arguments: str) -> str:
        done = self.start(*arguments).communicate(timeout=90)
        assert not done[1] or "Traceback" not in done[1], done[1]
        return done[0]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        env = {
            **os.environ,
            "KSOS_HOME": str(self._home),
            "KSOS_KEY_FILE": str(self._home / "secret"),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "ksos_link", *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def worn(put_on_air: Any) -> tuple[Any, Any]:
    session, identity = open_virtual_watch(
        "ido",
        {"scenario": "full-day", "bound": "yes"},
        now=datetime.now().astimezone(),
        now_s=time.monotonic(),
    )
    return session, put_on_air(session, identity)


def test_every_command_works_over_bluez(worn: tuple[Any, Any], home: Path) -> None:
    session, _ = worn
    ksos = Program(home)
    paired = ksos("watch", "pair", ADDRESS, "--alias", "band", "--json")
    assert json.loads(paired)["alias"] == "band"
    for line, left in chosen(COMMANDS).items():
        session.take_shown()
        process = ksos.start(*line.split())
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, (line, err)
        if left[:3] in ("03 ", "V3 "):
            assert any(session.settings_held()[left]), line
        elif left:
            assert any(left in shown for shown in session.take_shown()), line
        else:
            assert out, line


def test_a_set_up_and_its_read_back_over_bluez(
    worn: tuple[Any, Any], home: Path, tmp_path: Path
) -> None:
    ksos = Program(home)
    file = tmp_path / "lab.toml"
    file.write_text("[brightness]\nlevel_pct = 70\n[[alarm]]\nat = '05:30'\n")
    outcomes = [
        json.loads(line) for line in ksos("setting", "apply", str(file), "--json").splitlines()
    ]
    assert {each["setting"]: each["outcome"] for each in outcomes} == {
        "brightness": "changed",
        "alarms": "changed",
    }
    assert ksos("setting", "diff", str(file), "--json") == ""


def test_what_the_wearer_does_is_heard_over_bluez(worn: tuple[Any, Any], home: Path) -> None:
    _, watch = worn
    listening = Program(home).start("listen", "--json", "--for-s", "12")
    assert listening.stderr is not None
    assert "listening" in listening.stderr.readline()
    for gesture in ("next", "find_phone", "alarm_edited"):
        watch.make(gesture)
    out, _ = listening.communicate(timeout=60)
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events[:3] == ["music_key", "find_phone", "changed"]
