"""What a watch tells by itself: heard, printed, and handed to programs."""

import asyncio
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.told import (
    EVENT_NAMES,
    BatteryLow,
    DataChanged,
    FindPhoneRequested,
    MusicKeyPressed,
)
from ksos_link.cli.live_command import Page, sparkline
from ksos_link.cli.told_lines import told_line
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.operations.hooks import MOST_WAITING, HookRunner, event_json, parse_hook
from ksos_link.operations.listen import LinkGone, Listening, listen
from ksos_link.operations.live import live
from ksos_link.operations.open_watch import open_watch
from ksos_link.operations.ring import Ringer
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.target import parse_target
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = "virtual:ido?scenario=empty&bound=yes"
PYTHON = sys.executable


def heard(runner: asyncio.Runner, address: str, **how: Any) -> list[Any]:
    async def job() -> list[Any]:
        async with open_watch(parse_target(address), LinkOptions()) as watch:
            return [event async for event in listen(watch, **how)]

    return runner.run(job())


def test_keys_and_searches_are_heard_in_order(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&do=next@5,find_phone@9,find_phone_stop@70", for_s=120)
    assert [event for event in events if not isinstance(event, Listening)] == [
        MusicKeyPressed("next"),
        FindPhoneRequested(on=True, timeout_s=0),
        FindPhoneRequested(on=False, timeout_s=0),
    ]


def test_a_low_battery_is_told_once(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&do=battery_low@5", for_s=600)
    assert [event for event in events if isinstance(event, BatteryLow)] == [BatteryLow(9)]


@pytest.mark.parametrize("sets_clock", [True, False])
def test_a_watch_that_restarted_gets_the_time(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, sets_clock: bool
) -> None:
    from ksos_link.virtual_watch import scenarios

    let_watches_last(monkeypatch)
    events = heard(runner, f"{WATCH}&do=restarted@5", for_s=20, sets_clock=sets_clock)
    assert any(isinstance(each, DataChanged) and each.what == "restarted" for each in events)
    from datetime import UTC, datetime

    query = {"scenario": "empty", "bound": "yes", "do": "restarted@5"}
    session, _ = scenarios.open_virtual_watch("ido", query, now=datetime.now(UTC))
    lines = session.take_shown()
    assert any(line.startswith("clock ") for line in lines) is sets_clock


def test_a_lost_link_is_told_and_made_again(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&fault=lose@9&do=next@1,previous@30", for_s=60)
    assert any(isinstance(event, LinkGone) for event in events)
    assert MusicKeyPressed("previous") in events


def test_live_values_over_a_lost_link(runner: asyncio.Runner) -> None:
    async def job() -> list[str]:
        target = parse_target(f"{WATCH}&fault=lose@12&do=play@3")
        async with open_watch(target, LinkOptions()) as watch:
            return [type(each).__name__ async for each in live(watch, interval_s=2, for_s=70)]

    kinds = runner.run(job())
    assert kinds.count("LiveRead") > 20
    assert kinds.count("BatteryRead") == 2
    assert {"LinkGone", "MusicKeyPressed"} <= set(kinds)


# --- the commands


def test_listening_prints_lines_and_json(ksos: "CommandLine") -> None:
    address = f"{WATCH}&do=next@2,find_phone@3,dnd_on@4"
    said = ksos("--device", address, "listen", "--for-s", "10")
    assert said.code == 0
    names = [line.split()[1] for line in said.out.splitlines()]
    assert names == ["music_key", "find_phone", "changed"]
    assert "listening  Band 8" in said.err
    said = ksos("--device", address, "listen", "--for-s", "10", "--json", "--quiet")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["event"] for event in events] == names
    assert events[0]["key"] == "next"
    assert all(event["at_utc"].endswith("Z") for event in events)
    assert said.err == ""


def test_live_values_print_lines_and_json(ksos: "CommandLine") -> None:
    said = ksos("--device", f"{WATCH}&do=photo@1", "live", "--for-s", "12", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert {event["event"] for event in events} == {"live", "battery", "camera_key"}
    assert next(e for e in events if e["event"] == "live")["bpm"] is None
    said = ksos("--device", WATCH, "live", "--for-s", "7", "--interval-s", "2")
    assert said.out.count("live") == 4


@pytest.mark.parametrize(
    ("on", "code"),
    [
        ("nonsense=true", 2),
        ("sos", 2),
        ("sos=", 2),
        ("sos='open", 2),
        ("sos=/no/such/program", 3),
    ],
)
def test_a_hook_that_cannot_be_is_refused_before_anybody_connects(
    ksos: "CommandLine", on: str, code: int
) -> None:
    said = ksos("--device", f"{WATCH}&fault=silent", "listen", "--on", on)
    assert said.code == code


# --- hooks, with real programs


def script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return f"{PYTHON} {path}"


def run_hooks(hooks: list[str], events: list[Any], *, timeout_s: float = 20.0) -> list[str]:
    told: list[str] = []

    async def job() -> None:
        runner = HookRunner([parse_hook(text) for text in hooks], told.append, timeout_s=timeout_s)
        async with runner:
            for event in events:
                runner.run(event_json(event, "2026-11-27T10:00:00Z"))

    asyncio.run(job())
    return told


def test_a_program_gets_the_event_on_its_input_and_no_more_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSOS_KEY_FILE", "secret")
    code = "import sys,os;open(sys.argv[1],'a').write(os.environ['KSOS_EVENT']+' '+"
    code += "str('KSOS_KEY_FILE' in os.environ)+' '+sys.stdin.read())"
    program = script(tmp_path, "note.py", code)
    out = tmp_path / "out"
    events = [MusicKeyPressed("play"), MusicKeyPressed("next"), FindPhoneRequested(on=True)]
    told = run_hooks(
        [
            f"music_key:play={program} {out}.play",
            f"any={program} {out}.any",
            f"find_phone:true={program} {out}.find",
        ],
        events,
    )
    assert told == []
    event, has_key, data = (tmp_path / "out.play").read_text().split(" ", 2)
    assert (event, has_key) == ("music_key", "False")
    assert json.loads(data) == {
        "event": "music_key",
        "at_utc": "2026-11-27T10:00:00Z",
        "key": "play",
        "volume_pct": None,
    }
    lines = (tmp_path / "out.any").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["music_key", "music_key", "find_phone"]
    assert (tmp_path / "out.find").exists()


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    program = script(tmp_path, "args.py", "import sys;open(sys.argv[1],'w').write(sys.argv[2])")
    run_hooks([f"any={program} {tmp_path / 'o'} '$HOME;`id`'"], [MusicKeyPressed("play")])
    assert (tmp_path / "o").read_text() == "$HOME;`id`"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_program_that_never_ends_is_ended_with_its_children(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    child = (
        f"import time;held=open({str(alive)!r},'w');held.write('x');held.flush();time.sleep(600)"
    )
    code = f"import subprocess\nsubprocess.run([{PYTHON!r},'-c',{child!r}])\n"
    program = script(tmp_path, "slow.py", code)
    watched = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    try:
        told = run_hooks([f"any={program}"], [MusicKeyPressed("x")], timeout_s=3)
        assert told == ["the program for any took longer than 3 s: ended"]
        assert os.read(watched, 8) == b"x"  # the child had started, and holds the pipe
        select.select([watched], [], [], 10)
        assert os.read(watched, 8) == b""  # nobody holds it
    finally:
        os.close(watched)


def test_what_fails_or_is_too_slow_is_told(tmp_path: Path) -> None:
    told = run_hooks(["any=false"], [MusicKeyPressed("play")])
    assert told == ["the program for any ended with code 1"]
    many = [MusicKeyPressed("next")] * (MOST_WAITING + 5)
    told = run_hooks(["any=true"], many)
    assert told.count("the program for any is too slow: an event was left out") == 5
    not_a_program = tmp_path / "text"
    not_a_program.write_text("no program")
    not_a_program.chmod(0o755)
    (told_line_,) = run_hooks([f"any={not_a_program}"], [MusicKeyPressed("play")])
    assert told_line_.startswith("the program for any cannot run")


def test_hooks_name_their_events() -> None:
    with pytest.raises(UsageError) as caught:
        parse_hook("musik=true")
    assert all(name in caught.value.hint for name in EVENT_NAMES.values())
    with pytest.raises(NotFoundError):
        parse_hook("any=/no/such")


@pytest.mark.slow
def test_a_key_on_the_watch_reaches_a_fake_player(tmp_path: Path) -> None:
    """The whole program, with a real clock: play, pause and next reach a player (K074)."""
    log = tmp_path / "player.log"
    player = script(
        tmp_path, "player.py", "import sys;open(sys.argv[1],'a').write(sys.argv[2]+'\\n')"
    )
    hooks = [
        part
        for key in ("play", "pause", "next")
        for part in ("--on", f"music_key:{key}={player} {log} {key}")
    ]
    env = {**os.environ, "KSOS_HOME": str(tmp_path / "home")}
    address = f"{WATCH}&do=play@0,pause@1,next@1"
    done = subprocess.run(
        [PYTHON, "-m", "ksos_link", "--device", address, "listen", "--for-s", "2", *hooks],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(log.read_text().split()) == ["next", "pause", "play"]


# --- ringing, and how it looks


def test_ringing_goes_on_until_the_watch_stops_it(runner: asyncio.Runner) -> None:
    bells: list[float] = []
    told: list[str] = []

    async def job() -> None:
        loop = asyncio.get_running_loop()
        ringer = Ringer(lambda: bells.append(loop.time()), told.append)
        ringer._show = quietly  # type: ignore[method-assign]  # no desktop here
        await ringer.heard(FindPhoneRequested(on=True, timeout_s=5))
        await asyncio.sleep(3.5)
        await ringer.heard(FindPhoneRequested(on=False))
        await asyncio.sleep(10)
        assert len(bells) == 4
        await ringer.heard(FindPhoneRequested(on=True, timeout_s=5))
        await asyncio.sleep(60)
        assert len(bells) == 9
        await ringer.stop()

    async def quietly() -> None:
        return

    runner.run(job())
    assert told == []


def test_a_machine_without_a_desktop_says_what_it_lacks(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setitem(sys.modules, "desktop_notifier", None)

    async def job() -> None:
        ringer = Ringer(lambda: None, told.append)
        await ringer.heard(FindPhoneRequested(on=True))
        await ringer.stop()

    runner.run(job())
    assert told == ["for a notice on the desktop: pip install 'ksos-link[desktop]'"]


def test_the_page_of_live_values_fits_its_terminal() -> None:
    from firmware_protocol.events import LiveRead

    page = Page("Band 8")
    for bpm in (60, 80, None, 70):
        page.take(LiveRead(steps=1000, energy_kcal=50, distance_m=700, active_min=9, bpm=bpm))
    page.take(MusicKeyPressed("next"))
    lines = page.lines(40)
    assert all(len(line) < 40 for line in lines)
    assert "steps       1000" in lines
    assert "heart rate  70 bpm" in lines
    assert "▁█▄" in lines
    assert lines[-1].startswith("music_key")
    page.take(LinkGone(1.0))
    assert page.lines(80)[-1] == "link lost, trying again"
    assert sparkline([60, 60]) == "▁▁"


def test_an_event_as_a_line_moves_no_cursor() -> None:
    assert told_line(MusicKeyPressed("set_volume", 50)) == (
        "music_key       key set_volume, volume_pct 50"
    )
    assert told_line(FindPhoneRequested(on=True)) == "find_phone      on yes"
    assert "\x1b" not in told_line(DataChanged("\x1b[2J", {"x": 1}))
