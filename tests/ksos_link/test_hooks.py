"""Programs that run when a watch tells something; they are real ones here."""

import asyncio
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.told import EVENT_NAMES, FindPhoneRequested, MusicKeyPressed
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.operations.hooks import MOST_WAITING, HookRunner, event_json, parse_hook

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = "virtual:ido?scenario=empty&bound=yes"
PYTHON = sys.executable


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


def script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return f"{PYTHON} {path}"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


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


def test_a_file_that_may_not_be_run_says_how_to_let_it(tmp_path: Path) -> None:
    file = tmp_path / "ring.sh"
    file.write_text("#!/bin/sh\n")
    with pytest.raises(NotFoundError) as caught:
        parse_hook(f"find_phone={file}")
    assert caught.value.hint == f"Let it run: chmod +x {file}"


def test_a_program_that_a_signal_ends_is_told() -> None:
    told = run_hooks(
        [f"any={PYTHON} -c 'import os;os.kill(os.getpid(),9)'"], [MusicKeyPressed("play")]
    )
    assert told == ["the program for any was ended by signal 9"]


def test_the_end_waits_once_however_much_is_left_and_leaves_no_program(tmp_path: Path) -> None:
    code = "import os,sys,time;open(sys.argv[1],'a').write(f'{os.getpid()}\\n');time.sleep(600)"
    program = script(tmp_path, "slow.py", code)
    pids = tmp_path / "pids"
    before_s = time.monotonic()
    told = run_hooks(
        [f"any={program} {pids}", f"sos={program} {pids}"],
        [MusicKeyPressed("next")] * MOST_WAITING,
        timeout_s=1.0,
    )
    assert time.monotonic() - before_s < 10  # each of them may take a second
    assert told[-1].startswith("the program for any was ended, ")
    assert told[-1].endswith("events unheard")
    assert not any(is_alive(int(pid)) for pid in pids.read_text().split())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_stop_of_the_whole_leaves_no_program(tmp_path: Path) -> None:
    code = (
        "import os,sys,time\n"
        "with open(sys.argv[1],'w') as told: told.write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    program, pipe = script(tmp_path, "slow.py", code), tmp_path / "pipe"
    os.mkfifo(pipe)

    async def job() -> None:
        async with HookRunner([parse_hook(f"any={program} {pipe}")], print, timeout_s=600) as hooks:
            hooks.run(event_json(MusicKeyPressed("next"), "2026-11-27T10:00:00Z"))

    async def stopped() -> int:
        task = asyncio.create_task(job())
        pid = await asyncio.to_thread(pipe.read_text)  # it runs, and the end waits for it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return int(pid)

    assert not is_alive(asyncio.run(stopped()))


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
