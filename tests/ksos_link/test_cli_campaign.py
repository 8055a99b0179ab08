"""`ksos campaign` with virtual watches: run, status, resume, report; kills, Ctrl-C, a full disk."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pytest

from firmware_protocol.updates.loader import Flash
from ksos_link.operations.local_time import local_now
from ksos_link.virtual_watch.faults import FaultySession
from ksos_link.virtual_watch.network import RadioServer, serve_radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.scenarios import open_virtual_watch
from ksos_link.virtual_watch.updatable import UpdatableWatch
from tests.firmware_protocol.ido_uploads import dial, packed
from tests.ksos_link.lasting_watch import let_watches_last
from tests.ksos_link.updatable import KINDS, Kind, Watches

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

pytestmark = pytest.mark.gatt
WATCH = "virtual:ido?scenario=empty"
LIFTED = 'unsigned = true\nallow = ["unknown_product", "unknown_version"]\n'


def night(folder: Path, text: str) -> Path:
    path = folder / "night.toml"
    path.write_text(f'title = "Night"\n{text}', "utf-8")
    return path


def simple(folder: Path, *, second: str = "", limits: str = "") -> Path:
    return night(
        folder,
        f'[[watch]]\naddress = "{WATCH}"\nname = "one"\n'
        f'[[watch]]\naddress = "{WATCH}&address=F9:24:12:00:00:02{second}"\nname = "two"\n'
        '[[step]]\ndo = "verify"\nexpect = { firmware_version = "17" }\n'
        f'[[step]]\ndo = "sync"\nrepeat = 2\n[limits]\npause_s = 0\n{limits}',
    )


def lines(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def the_report(folder: Path) -> dict[str, Any]:
    (found,) = folder.glob("night-report-*/report.json")
    report: dict[str, Any] = json.loads(found.read_text("utf-8"))
    return report


def test_a_campaign_runs_and_reports(ksos: "CommandLine", tmp_path: Path) -> None:
    file = simple(tmp_path)
    said = ksos("campaign", "run", file)
    assert said.code == 0, said.err
    assert lines(said.out) == [
        ["watch", "verdict", "passed", "step", "message"],
        ["one", "passed", "3 of 3", "", ""],
        ["two", "passed", "3 of 3", "", ""],
    ]
    assert "campaign   Night: 2 watches, 3 steps\n" in said.err
    assert "begins     one  verify (default)\n" in said.err
    assert re.search(r"(?m)^passed     two  sync \(2 of 2\), \d+\.\d s$", said.err)
    report = the_report(tmp_path)
    assert (report["passed"], report["state"]) == (True, "finished")
    assert report["steps_by_verdict"] == {"passed": 6}
    one = report["watches"][0]
    assert one["firmware_version"] == "17"
    assert (one["battery_before_pct"], one["battery_after_pct"]) == (64, 64)
    assert one["rssi_dbm"] == -50
    status = ksos("campaign", "status", file, "--json")
    assert json.loads(status.out) == report
    assert ksos("campaign", "status", file).out == said.out
    again = ksos("campaign", "report", file, "--out", tmp_path / "again")
    assert [Path(line).name for line in again.out.split()] == [
        *("report.json", "junit.xml", "report.html"),
    ]
    assert json.loads((tmp_path / "again" / "report.json").read_text()) == report


def test_a_failure_is_told_in_every_report(ksos: "CommandLine", tmp_path: Path) -> None:
    file = simple(tmp_path, second="&battery=5")
    text = file.read_text().replace("expect = {", "expect = { battery_pct_at_least = 30,")
    file.write_text(text.replace("Night", "Night <&> \\u0007"))
    said = ksos("campaign", "run", file, "--report", tmp_path / "out")
    assert said.code == 7
    message = "The battery is 5 %, not at least 30 %."
    assert lines(said.out)[2] == ["two", "failed", "0 of 3", "verify", message]
    assert "1 of 2 watches did not pass everything." in said.err
    root = check_junit((tmp_path / "out" / "junit.xml").read_text("utf-8"))
    suites = {suite.attrib["name"]: suite for suite in root}
    assert (suites["two"].attrib["failures"], suites["two"].attrib["skipped"]) == ("1", "2")
    failure = suites["two"].find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == message
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Night &lt;&amp;&gt;" in page
    assert message in page
    assert not re.search(r"(?:src|href)=|<script|https?:", page)


def check_junit(text: str) -> Xml.Element:
    """What the readers of JUnit XML have in common."""
    root = Xml.fromstring(text)  # noqa: S314 our own
    assert root.tag == "testsuites"
    totals: dict[str, float] = dict.fromkeys(("tests", "failures", "errors", "skipped", "time"), 0)
    for suite in root:
        assert suite.tag == "testsuite"
        assert suite.attrib["name"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        cases = suite.findall("testcase")
        assert {child.tag for child in suite} <= {"properties", "testcase"}
        assert len(cases) == int(suite.attrib["tests"])
        assert len({case.attrib["name"] for case in cases}) == len(cases)
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            found = [case for case in cases if case.find(tag) is not None]
            assert len(found) == int(suite.attrib[name])
        for case in cases:
            assert case.attrib["classname"] == suite.attrib["name"]
            assert float(case.attrib["time"]) >= 0
            tags = [child.tag for child in case]
            assert sum(tag != "system-out" for tag in tags) <= 1
            assert "system-out" not in tags[:-1]
        for name in totals:
            totals[name] += float(suite.attrib[name])
    assert {name: float(root.attrib[name]) for name in totals} == pytest.approx(totals, abs=0.01)
    return root


def test_a_dry_run_says_which_watches_get_what(ksos: "CommandLine", tmp_path: Path) -> None:
    file = simple(tmp_path)
    said = ksos("campaign", "run", file, "--dry-run")
    assert said.code == 0
    assert lines(said.out)[1] == ["one", WATCH, "", "verify, sync (1 of 2), sync (2 of 2)"]
    (one, _) = map(
        json.loads, ksos("campaign", "run", file, "--dry-run", "--json").out.splitlines()
    )
    assert one == {
        "event": "planned",
        "watch": "one",
        "address": WATCH,
        "radio": None,
        "steps": ["verify", "sync (1 of 2)", "sync (2 of 2)"],
    }
    assert ksos("campaign", "status", file).code == 3
    assert not (tmp_path / "home").exists()


def test_json_lines_say_all_that_happens(ksos: "CommandLine", tmp_path: Path) -> None:
    file = simple(tmp_path, second="&fault=lose@40")
    events = [json.loads(line) for line in ksos("campaign", "run", file, "--json").out.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("began", "done")
    assert set(kinds) <= {"began", "attempt_began", "attempt_ended", "remarked", "done"}
    assert events[-1] == {"event": "done", "state": "finished", "counts": {"passed": 6}}
    ended = next(event for event in events if event["event"] == "attempt_ended")
    assert (ended["verdict"], ended["battery_before_pct"]) == ("passed", 64)


def test_aliases_and_a_rule_over_a_radio(ksos: "CommandLine", tmp_path: Path) -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    steps = '[[step]]\ndo = "sync"\n'
    file = night(tmp_path, f'[[watch]]\naddress = "BAND"\n{steps}')
    assert ksos("campaign", "run", file).code == 0
    assert the_report(tmp_path)["watches"][0]["watch"] == "band"
    file = night(tmp_path, f'[[watch]]\naddress = "x"\n[[watch]]\naddress = "y"\n{steps}')
    said = ksos("campaign", "run", file)
    assert (said.code, "x, y" in said.err) == (2, True)
    strange = '[[watch]]\naddress = "F9:24:12:00:00:09"\n'
    said = ksos("campaign", "run", night(tmp_path, strange + steps))
    assert (said.code, "not paired" in said.err) == (2, True)
    twice = f'[[watch]]\naddress = "band"\n[[watch]]\naddress = "{WATCH}"\n{steps}'
    assert "are one watch" in ksos("campaign", "run", night(tmp_path, twice)).err
    only = f'[[watch]]\naddress = "band"\n{steps}only = ["bond"]\n'
    said = ksos("campaign", "run", night(tmp_path, only))
    assert "no step is for band; no watch is for the step sync" in said.err


@pytest.mark.parametrize("name", ["d1", "d1-aota", "legacy", "smp"])
def test_firmware_goes_up_and_down_and_up(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    kind, watches = KINDS[name], Watches(monkeypatch)
    kind.write(tmp_path, 18)
    old = kind.write(tmp_path / "old", 17)
    address = f"{WATCH}&{kind.query}"
    file = night(
        tmp_path,
        f'[[watch]]\naddress = "{address}"\n'
        f'[[step]]\ndo = "write_firmware"\nfile = "{kind.file}"\n{LIFTED}'
        'expect = { firmware_version = "18" }\n'
        '[[step]]\ndo = "verify"\nexpect = { firmware_version = "18" }\n'
        f'[[step]]\ndo = "downgrade"\nfile = "old/{old.name}"\n{LIFTED}'
        'expect = { firmware_version = "17" }\n',
    )
    said = ksos("campaign", "run", file)
    assert said.code == 0, said.err
    assert watches.of(address).flash.firmware_version == 17
    (watch,) = the_report(tmp_path)["watches"]
    assert watch["sent_bytes"] == 2 * kind.size_bytes
    assert watch["repeated_bytes"] == 0
    files = {Path(one["file"]).name for one in the_report(tmp_path)["sent_files"]}
    assert files == {kind.file}


def test_a_dial_is_pushed_shown_and_removed(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    let_watches_last(monkeypatch)
    (tmp_path / "witch.iwf.lz").write_bytes(packed(dial("witch")))
    push = '[[step]]\ndo = "push_dial"\nfile = "witch.iwf.lz"\nunsigned = true\n'
    file = night(
        tmp_path,
        f'[[watch]]\naddress = "{WATCH}"\n'
        f'{push}expect = {{ dial = "witch.iwf" }}\n'
        '[[step]]\ndo = "verify"\nexpect = { dial = "witch.iwf" }\n'
        '[[step]]\ndo = "remove_dial"\nname = "witch"\n'
        '[[step]]\ndo = "remove_dial"\nname = "witch"\n',
    )
    said = ksos("campaign", "run", file)
    assert said.code == 7, said.err
    (watch,) = the_report(tmp_path)["watches"]
    assert [step["verdict"] for step in watch["steps"]] == ["passed"] * 3 + ["failed"]
    assert "no dial of that name" in watch["steps"][3]["attempts"][0]["message"]
    assert watch["sent_bytes"] > 0
    file.unlink()
    file = night(tmp_path, f'[[watch]]\naddress = "{WATCH}"\n{push}{push}')
    assert ksos("campaign", "run", file, "--report", tmp_path / "out").code == 7
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    attempt = report["watches"][0]["steps"][1]["attempts"][0]
    assert "dial_there" in attempt["message"]


def test_a_loader_that_takes_nothing_older_is_reported_as_it_is(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The rule of Nordic's secure loader; no `allow` reaches into it."""
    watches, kind = Watches(monkeypatch), KINDS["secure"]
    kind.write(tmp_path, 16)
    step = f'[[step]]\ndo = "downgrade"\nfile = "{kind.file}"\n{LIFTED}'
    file = night(tmp_path, f'[[watch]]\naddress = "{WATCH}&platform=0"\n{step}')
    assert ksos("campaign", "run", file).code == 7
    (attempt,) = the_report(tmp_path)["watches"][0]["steps"][0]["attempts"]
    assert "the firmware version is too low" in attempt["message"]
    assert "ksos firmware resume" in attempt["message"]
    assert watches.of(f"{WATCH}&platform=0").flash.firmware_version == 17


def test_firmware_that_is_refused_fails_at_once(ksos: "CommandLine", tmp_path: Path) -> None:
    KINDS["secure"].write(tmp_path)
    file = night(
        tmp_path,
        f'[[watch]]\naddress = "{WATCH}&platform=0&battery=10"\n'
        '[[step]]\ndo = "write_firmware"\nfile = "app.zip"\n[limits]\nattempts = 3\n',
    )
    said = ksos("campaign", "run", file)
    assert said.code == 7
    (attempt,) = the_report(tmp_path)["watches"][0]["steps"][0]["attempts"]
    assert "unsigned" in attempt["message"]
    assert attempt["rssi_dbm"] == -50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_report_that_cannot_be_written_loses_nothing(ksos: "CommandLine", tmp_path: Path) -> None:
    file, out = simple(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "report.json").symlink_to("/dev/full")
    said = ksos("campaign", "run", file, "--report", out)
    assert said.code == 8
    error, hint = said.err.splitlines()[-2:]
    assert error == (
        "error: The report cannot be written: The disk is full or failed; no file was written."
    )
    assert "ksos campaign report FILE" in hint
    (out / "report.json").unlink()
    assert ksos("campaign", "report", file, "--out", out).code == 0
    assert json.loads((out / "report.json").read_text())["passed"]
    assert ksos("campaign", "report", file, "--out", out / "report.json").code == 8


def test_a_terminal_gets_a_bar_for_each_watch_at_work(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    kind = KINDS["d1"]
    kind.write(tmp_path)
    file = night(
        tmp_path,
        f'[[watch]]\naddress = "{WATCH}&{kind.query}"\nname = "[bold]one"\n'
        f'[[step]]\ndo = "write_firmware"\nfile = "{kind.file}"\n{LIFTED}',
    )
    said = ksos("campaign", "run", file)
    assert said.code == 0, said.err
    assert "begins" not in said.err
    assert "passed     [bold]one  write_firmware app.fw, " in said.err


def test_a_scheduler_needs_its_extra(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = ksos("campaign", "run", simple(tmp_path), "--scheduler", "tcp://127.0.0.1:1")
    assert (said.code, "ksos-link[scheduler]" in said.err) == (2, True)


# ---- whole programs, killed and interrupted


@contextlib.asynccontextmanager
async def radios(
    *kinds: Kind, per_radio: int = 5
) -> AsyncIterator[tuple[list[str], list[FaultySession]]]:
    """Serve watches on radios of their own; give addresses and sessions, in order."""
    opened = [
        open_virtual_watch(
            "ido",
            {"scenario": "empty", "bound": "yes", "address": f"F9:24:12:00:01:{2 * n:02X}"}
            | dict(part.partition("=")[::2] for part in kind.query.split("&")),
            now=local_now(),
            now_s=asyncio.get_running_loop().time(),
        )
        for n, kind in enumerate(kinds)
    ]
    servers: list[RadioServer] = []
    try:
        for start in range(0, len(opened), per_radio):
            watches = opened[start : start + per_radio]
            servers.append(await serve_radio(watches, "tcp:127.0.0.1:0", LinkShape()))
        addresses = [
            f"virtual:tcp:127.0.0.1:{servers[n // per_radio].port}/{identity.address}"
            for n, (_, identity) in enumerate(opened)
        ]
        yield addresses, [session for session, _ in opened]
    finally:
        for server in servers:
            await server.close()


def flash_of(session: FaultySession) -> Flash:
    """The truth about the firmware of a served watch."""
    watch = session._session
    assert isinstance(watch, UpdatableWatch)
    return watch.flash


async def begin(folder: Path, *arguments: str) -> Process:
    env: Mapping[str, str] = os.environ | {
        "KSOS_HOME": str(folder / "home"),
        "KSOS_KEY_FILE": str(folder / "secret"),
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ksos_link", "campaign", *arguments),
        env=env,
        cwd=folder,
        stdout=PIPE,
        stderr=PIPE,
    )


async def until(process: Process, words: str, count: int) -> None:
    """Read what a program says until it said some words so often."""
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(60):
        while count and (line := await process.stderr.readline()):
            said += line
            count -= words in line.decode()
    assert not count, said


def one_radio(addresses: list[str], steps: str) -> str:
    watches = "".join(
        f'[[watch]]\naddress = "{address}"\nname = "w{n}"\n' for n, address in enumerate(addresses)
    )
    return f"{watches}{steps}"


def test_a_rule_finds_watches_on_every_radio_and_keeps_them(tmp_path: Path) -> None:
    async def all_of() -> None:
        async with radios(KINDS["d1"], KINDS["d1"], KINDS["d1"], per_radio=2) as (addresses, _):
            endpoints = dict.fromkeys(address.partition("/")[0] for address in addresses)
            adapters = "".join(
                f'[[radio]]\nname = "r{n}"\nadapter = "{endpoint}"\n'
                for n, endpoint in enumerate(endpoints)
            )
            rule = '[scan]\nmodel_code = 532\nname = "Band*"\nfor_s = 1\n'
            steps = '[[step]]\ndo = "verify"\n'
            night(tmp_path, f"{adapters}{rule}{steps}")
            running = await begin(tmp_path, "run", "night.toml", "--report", "out")
            _, err = await running.communicate()
            assert running.returncode == 0, err
            night(tmp_path, f"{adapters}{rule.replace('Band', 'Ring')}{steps}")
            nobody = await begin(tmp_path, "run", "night.toml")
            _, err = await nobody.communicate()
            assert (nobody.returncode, b"No watch in range" in err) == (3, True)
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        used = {
            watch["address"]: watch["steps"][0]["attempts"][0]["radio"]
            for watch in report["watches"]
        }
        found = [address.partition("/")[2] for address in addresses]
        assert used == dict(zip(found, ["r0", "r0", "r1"], strict=True))

    asyncio.run(all_of())


def test_ctrl_c_ends_cleanly_and_resume_goes_on(tmp_path: Path) -> None:
    async def both() -> None:
        async with radios(KINDS["d1"], KINDS["d1"]) as (addresses, _):
            steps = '[[step]]\ndo = "sync"\n[[step]]\ndo = "verify"\npause_s = 600\n'
            night(tmp_path, one_radio(addresses, steps))
            running = await begin(tmp_path, "run", "night.toml", "--report", "out")
            await until(running, "passed  ", 2)
            running.send_signal(signal.SIGINT)
            _, err = await running.communicate()
            assert running.returncode == 130
            assert b"ksos campaign resume FILE" in err
            report = json.loads((tmp_path / "out" / "report.json").read_text())
            assert report["state"] == "interrupted"
            assert report["steps_by_verdict"] == {"passed": 2, "pending": 2}
            check_junit((tmp_path / "out" / "junit.xml").read_text("utf-8"))
            refused = await begin(tmp_path, "run", "night.toml")
            _, err = await refused.communicate()
            assert (refused.returncode, b"was interrupted" in err) == (2, True)
            _, err = await (await begin(tmp_path, "status", "night.toml")).communicate()
            assert b"interrupted Night: steps: " in err
            resumed = await begin(tmp_path, "resume", "night.toml", "--report", "out")
            _, err = await resumed.communicate()
            assert resumed.returncode == 0, err
            assert b"2 done already" in err
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert report["passed"]
        assert [len(step["attempts"]) for step in report["watches"][0]["steps"]] == [1, 1]

    asyncio.run(both())


@pytest.mark.slow
def test_twenty_watches_of_mixed_transports_survive_two_kills(tmp_path: Path) -> None:
    """The night of the QA engineer: `kill -9` twice at moments by chance, and a true report."""
    names = ["d1", "d1-aota", "secure", "legacy", "smp"]
    kinds = [KINDS[name] for name in names] * 4
    steps = '[[step]]\ndo = "sync"\n'
    for name in names:
        kind = KINDS[name]
        kind.write(tmp_path / name, 18, 20_000)
        steps += (
            f'[[step]]\ndo = "write_firmware"\nonly = ["*-{name}"]\n'
            f'file = "{name}/{kind.file}"\n{LIFTED}expect = {{ firmware_version = "18" }}\n'
        )
    steps += '[[step]]\ndo = "verify"\nexpect = { firmware_version = "18" }\n'
    steps += "[limits]\nattempts = 3\npause_s = 0.5\n"
    steps += "".join(f'[[radio]]\nname = "r{n}"\nadapter = "hci{n}"\n' for n in range(4))
    moments = random.Random(4)  # noqa: S311 moments are no secrets

    async def the_night() -> None:
        async with radios(*kinds) as (addresses, watches):
            text = "".join(
                f'[[watch]]\naddress = "{address}"\nname = "{n:02}-{names[n % 5]}"\n'
                f'radio = "r{n // 5}"\n'
                for n, address in enumerate(addresses)
            )
            night(tmp_path, text + steps)
            for verb in ("run", "resume"):
                running = await begin(tmp_path, verb, "night.toml")
                await until(running, "passed  ", moments.randrange(8, 20))
                await asyncio.sleep(moments.random())
                running.kill()
                await running.communicate()
            shown = await begin(tmp_path, "status", "night.toml", "--json")
            out, _ = await shown.communicate()
            assert json.loads(out)["state"] == "interrupted"
            resumed = await begin(tmp_path, "resume", "night.toml", "--report", "out", "--json")
            async with asyncio.timeout(300):
                _, err = await resumed.communicate()
            report = json.loads((tmp_path / "out" / "report.json").read_text())
            problems = [
                (watch["watch"], step["step"], step["attempts"])
                for watch in report["watches"]
                for step in watch["steps"]
                if step["verdict"] != "passed"
            ]
            assert (resumed.returncode, problems) == (0, []), err
            flashes = [flash_of(watch) for watch in watches]
            assert all(flash.boots for flash in flashes)
            assert [flash.firmware_version for flash in flashes] == [18] * 20
        assert report["steps_by_verdict"] == {"passed": 60}
        cut = [
            attempt["verdict"]
            for watch in report["watches"]
            for step in watch["steps"]
            for attempt in step["attempts"]
        ]
        assert 1 <= cut.count("interrupted") <= 8  # four radios, two kills
        check_junit((tmp_path / "out" / "junit.xml").read_text("utf-8"))

    asyncio.run(the_night())


def test_a_trial_that_nobody_confirmed_has_not_passed_until_it_is(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first attempt loses every link before it confirms; the second brings it to its end."""
    watches, kind = Watches(monkeypatch), KINDS["smp"]
    kind.write(tmp_path, 18)
    step = f'[[step]]\ndo = "write_firmware"\nfile = "{kind.file}"\n{LIFTED}'
    limits = "[limits]\nattempts = 9\npause_s = 0\n"
    clean = f"{WATCH}&{kind.query}"
    file = night(tmp_path, f'[[watch]]\naddress = "{clean}"\n{step}')
    assert ksos("campaign", "run", file, "--report", tmp_path / "clean").code == 0
    before_confirmation = watches.packets(clean)[0] - 4  # two answers, of two notifications each
    losses = ",".join(f"lose@{before_confirmation + each}" for each in range(9))
    address = f"{clean}&fault={losses}"
    file = night(tmp_path, f'[[watch]]\naddress = "{address}"\n{step}{limits}')
    said = ksos("campaign", "run", file)
    assert said.code == 0, said.err
    attempts = the_report(tmp_path)["watches"][0]["steps"][0]["attempts"]
    assert attempts[0]["verdict"] == "retried"
    assert attempts[-1]["verdict"] == "passed"
    watch = watches.of(address)
    watch.restart(0.0)
    assert watch.flash.firmware_version == 18


def test_names_that_are_no_text_are_refused_before_anything_starts(
    ksos: "CommandLine", tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"night-\xff")
    folder.mkdir()
    firmware = KINDS["secure"].write(folder)
    file = simple(folder)
    link = tmp_path / "app.zip"
    link.symlink_to(firmware)
    step = f'[[step]]\ndo = "write_firmware"\nfile = "{link.name}"\n{LIFTED}'
    linked = night(tmp_path, f'[[watch]]\naddress = "{WATCH}"\n{step}')
    assert ksos("watch", "pair", WATCH).code == 0
    for command in (
        ("campaign", "run", file),
        ("campaign", "status", file),
        ("campaign", "run", linked),
        ("firmware", "write", firmware, "--unsigned", "--yes"),
    ):
        said = ksos(*command)
        assert said.code == 2, said.err
        assert "is no text" in said.err


def test_a_reader_that_leaves_interrupts_and_the_report_says_so(tmp_path: Path) -> None:
    file, out = simple(tmp_path), tmp_path / "out"
    env = os.environ | {
        "KSOS_HOME": str(tmp_path / "home"),
        "KSOS_KEY_FILE": str(tmp_path / "secret"),
    }
    with subprocess.Popen(
        (sys.executable, "-m", "ksos_link", "campaign", "run", file, "--json", "--report", out),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert b'"began"' in running.stdout.readline()
        running.stdout.close()
        assert b"ksos campaign resume FILE" in running.stderr.read()
        assert running.wait() == 130
    assert json.loads((out / "report.json").read_text())["state"] == "interrupted"
