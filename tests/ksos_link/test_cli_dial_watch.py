"""`ksos dial list`, `show`, `set`, `push` and `remove` on a virtual watch that lasts."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.families.ido.watch import v3
from firmware_protocol.families.ido.watch.state import WatchState
from firmware_protocol.families.ido.watch.tables import SCREEN
from ksos_link.virtual_watch import scenarios
from tests.firmware_protocol.ido_uploads import dial, packed
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said

pytestmark = pytest.mark.gatt
WATCH = "virtual:ido?scenario=empty&bound=yes"
BUILT_IN = ["local_1", "local_2", "local_3"]
MADE = dial(flat=True)

At = Callable[..., "Said"]


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    let_watches_last(monkeypatch)


@pytest.fixture
def at(ksos: "CommandLine") -> At:
    """A command at the one virtual watch of a test, or at another one."""

    def call(*arguments: str | Path, watch: str = WATCH) -> "Said":
        return ksos("--device", watch, *arguments)

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "made.iwf.lz", packed(MADE))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def faulty(watch: str = WATCH) -> Any:
    query = dict(pair.split("=", 1) for pair in watch.partition("?")[2].split("&"))
    session, _ = scenarios.open_virtual_watch("ido", query, now=datetime.now(UTC))
    return session


def state(watch: str = WATCH) -> WatchState:
    """The truth about the watch."""
    found = faulty(watch)._session._application._state
    assert isinstance(found, WatchState)
    return found


def push(at: At, file: Path, *more: str, watch: str = WATCH) -> "Said":
    return at("dial", "push", file, "--unsigned", *more, watch=watch)


def lines(said: "Said") -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.out.splitlines()]


# ---- what the watch has


def test_the_dials_of_a_watch_are_listed(at: At, file: Path) -> None:
    said = at("dial", "list")
    assert said.code == 0
    assert said.out.splitlines() == [
        "dial\tshown\torigin",
        "local_1\tyes\tcame with the watch",
        "local_2\t\tcame with the watch",
        "local_3\t\tcame with the watch",
    ]
    assert said.err == "1 free place, a dial may have 290816 bytes\n"
    assert push(at, file).code == 0
    told = json.loads(at("dial", "list", "--json").out)
    assert [one["name"] for one in told["dials"]] == [*BUILT_IN, "made.iwf"]
    assert told["dials"][-1] == {"name": "made.iwf", "shown": True, "builtin": False}
    assert (told["free"], told["largest_bytes"]) == (0, 284 * 1024)
    assert json.loads(at("dial", "show", "--json").out) == {
        "shown": "made.iwf",
        "free": 0,
        "largest_bytes": 284 * 1024,
        "width_px": 120,
        "height_px": 240,
        "colour": "rgb565a",
        "block_bytes": 1024,
    }
    assert "shown          made.iwf\n" in at("dial", "show").out


def test_a_dial_is_set_and_removed(at: At, file: Path) -> None:
    assert push(at, file).code == 0
    assert at("dial", "set", "local_2").out == "The watch shows local_2.\n"
    assert state().dials.shown == "local_2"
    assert json.loads(at("dial", "set", "made", "--json").out) == {"shown": "made.iwf"}
    assert state().dials.shown == "made.iwf"
    assert at("dial", "remove", "made").out == "The watch has made.iwf no more.\n"
    assert list(state().dials.names) == BUILT_IN
    said = at("dial", "remove", "made")
    assert said.code == 3
    assert "It has: local_1, local_2, local_3." in said.err
    said = at("dial", "remove", "local_1")
    assert (said.code, "came with local_1" in said.err) == (6, True)
    assert push(at, file).code == 0
    assert json.loads(at("dial", "remove", "made.iwf", "--json").out) == {"removed": "made.iwf"}


def test_a_watch_that_keeps_what_it_says_it_removed(
    at: At, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(at, file)
    monkeypatch.setattr(type(state().dials), "_carry_out", lambda *_: 0)
    said = at("dial", "remove", "made")
    assert (said.code, "still lists it" in said.err) == (7, True)


@pytest.mark.parametrize("kind", ["lose", "lose-write"])
def test_a_link_that_is_lost_while_a_dial_is_removed(at: At, file: Path, kind: str) -> None:
    """What became of it is looked up, so the last word is true."""
    state().dials.put("made.iwf", MADE)
    assert at("dial", "remove", "made").code == 0
    ends = faulty()._notifications if kind == "lose" else faulty()._writes
    codes = []
    for number in range(ends - 8, ends):
        watch = f"{WATCH}&fault={kind}@{number}"
        state(watch).dials.put("made.iwf", MADE)
        said = at("dial", "remove", "made", watch=watch)
        assert (said.code == 0) is (not state(watch).dials.loaded), (number, said.err)
        codes.append(said.code)
    assert set(codes) == ({0} if kind == "lose" else {0, 4})


# ---- pushing


def test_a_dial_is_pushed_and_shown(at: At, file: Path) -> None:
    said = push(at, file)
    assert (said.code, said.out) == (0, "The watch shows made.iwf.\n")
    assert state().dials.loaded == {"made.iwf": MADE}
    told = said.err.splitlines()
    assert told[:3] == [
        "connected  Band 8, firmware 17, battery 64 %",
        "lifted     unsigned: no signed release names the file",
        f"sending    made.iwf.lz, {len(packed(MADE))} bytes",
    ]
    assert told[-4:-1] == [
        "verified   made.iwf.lz",
        "activated  made.iwf.lz",
        "shown      made.iwf",
    ]
    assert told[-1].startswith(f"pushed     {len(packed(MADE))} bytes in ")
    assert "progress   100 %" in said.err
    assert push(at, file, "--quiet", "--replace").err == ""


def test_a_reader_of_json_lines_hears_of_all_of_it(at: At, file: Path) -> None:
    events = lines(push(at, file, "--json", "--name", "other"))
    kinds = list(dict.fromkeys(event["event"] for event in events))
    assert kinds == [
        *("connected", "preflight", "started", "progress", "verified", "activated", "shown"),
        "done",
    ]
    assert events[1] == {"event": "preflight", "objections": [], "lifted": ["unsigned"]}
    done, size = events[-1], len(packed(MADE))
    assert (done["name"], done["pushed"], done["replaced"]) == ("other.iwf", True, False)
    assert (done["size_bytes"], done["sent_bytes"], done["repeated_bytes"]) == (size, size, 0)
    assert (done["links"], done["battery_pct"], done["rssi_dbm"]) == (1, 64, -50)
    said = at("dial", "push", file, "--json")
    assert said.code == 7
    judged, failed = lines(said)[1:]
    names = ["unsigned", "dial_places"]
    assert [one["name"] for one in judged["objections"]] == names
    assert (failed["event"], failed["exit_code"]) == ("failed", 7)


@pytest.mark.parametrize(
    ("name", "data", "size"),
    [
        ("made.iwf", MADE, len(packed(MADE))),
        ("made.iwf.lz", packed(MADE, 4096), len(packed(MADE))),
        ("made.iwf.lz", packed(MADE), len(packed(MADE))),
    ],
)
def test_what_goes_out_has_the_blocks_that_the_watch_wants(
    at: At, tmp_path: Path, name: str, data: bytes, size: int
) -> None:
    done = lines(push(at, written(tmp_path / name, data), "--json"))[-1]
    assert done["size_bytes"] == size
    assert state().dials.loaded == {"made.iwf": MADE}


def test_a_dry_run_sends_nothing(at: At, file: Path) -> None:
    said = push(at, file, "--dry-run")
    assert (said.code, said.out) == (0, "Nothing speaks against it. Nothing was written.\n")
    assert list(state().dials.names) == BUILT_IN
    assert lines(push(at, file, "--dry-run", "--json"))[-1]["pushed"] is False


def test_a_newer_dial_takes_the_place_of_the_older_one(at: At, file: Path) -> None:
    assert push(at, file).code == 0
    newer = dial(flat=True, shade=99)
    written(file, packed(newer))
    said = push(at, file)
    assert said.code == 7
    assert "dial_there\ta dial called made.iwf is there already" in said.out
    assert "hint: To push it all the same: --replace" in said.err
    assert state().dials.loaded == {"made.iwf": MADE}
    said = push(at, file, "--replace")
    assert said.code == 0, said.err
    assert "removed    the older made.iwf" in said.err
    assert state().dials.loaded == {"made.iwf": newer}
    events = lines(push(at, file, "--replace", "--json"))
    assert {"event": "replaced", "name": "made.iwf"} in events
    assert events[-1]["replaced"] is True


def test_a_watch_without_a_place_says_what_to_remove(at: At, file: Path) -> None:
    assert push(at, file).code == 0
    said = push(at, file, "--name", "other")
    assert said.code == 7
    places = "all places for dials are taken, 4 of them; remove one of made.iwf"
    assert f"dial_places\t{places}" in said.out
    assert "hint: Nothing lifts dial_places." in said.err
    assert state().dials.loaded == {"made.iwf": MADE}


def test_all_objections_come_at_once_and_nothing_is_sent(at: At, tmp_path: Path) -> None:
    large = written(tmp_path / f"{'n' * 30}.iwf", dial(width=400, height=400))
    assert push(at, written(tmp_path / "a.iwf", MADE)).code == 0
    before = dict(state().dials.loaded)
    said = at("dial", "push", large)
    assert said.code == 7
    names = [row.split("\t")[0] for row in said.out.splitlines()[1:]]
    assert names == ["unsigned", "free_space", "screen", "dial_name", "dial_places"]
    assert "5 objections: unsigned, free_space, screen, dial_name, dial_places." in said.err
    assert "Nothing lifts free_space, screen, dial_name, dial_places." in said.err
    assert state().dials.loaded == before
    assert faulty()._writes < 60, "no packet of the file"


@pytest.mark.parametrize("name", ["", "\u00e4", "a\tb", "n" * 27, "x" * 200])
def test_a_name_that_the_watch_cannot_keep(at: At, tmp_path: Path, name: str) -> None:
    stem = name or ".iwf"
    file = written(tmp_path / ("a.iwf" if name else ".iwf"), MADE)
    said = push(at, file, *(("--name", stem) if name else ()))
    assert said.code == 7
    assert "dial_name" in said.out
    assert "up to 30 plain ASCII letters" in said.out


def test_a_dial_that_the_watch_came_with_stays(at: At, file: Path) -> None:
    said = push(at, file, "--name", "local_9")
    assert said.code == 6
    assert "error: The watch refused: the watch forbids it." in said.err
    assert "hint: The watch has the dials that it had.\n" in said.err


def test_colours_of_another_watch_are_an_objection(at: At, tmp_path: Path) -> None:
    other = dial(flat=True, encoding="rgb888")
    file = written(tmp_path / "made.iwf", other)
    said = push(at, file)
    assert said.code == 7
    assert "colour\t'back.png' is in rgb888, the watch in rgb565a" in said.out
    assert "--accept colour" in said.err
    assert push(at, file, "--accept", "colour").code == 0
    assert state().dials.loaded == {"made.iwf": other}


def test_faults_of_the_file_pass_by_their_name(at: At, tmp_path: Path) -> None:
    file = written(tmp_path / "made.iwf", MADE + b"\0")
    said = push(at, file)
    assert said.code == 7
    assert "file_unsound\tmade.iwf: trailing-bytes: 1 bytes at the end" in said.out
    assert "--accept NAME" in said.err
    assert push(at, file, "--accept", "trailing-bytes").code == 0
    said = push(at, written(tmp_path / "cut.iwf.lz", packed(MADE)[:-1]), "--replace")
    assert said.code == 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("nowhere.iwf --unsigned", 3),
        ("made.iwf.lz --unsigned --allow nonsense", 2),
        ("made.iwf.lz --unsigned --allow screen", 2),
        ("made.iwf.lz --unsigned --channel nonsense", 2),
        ("made.iwf.lz --unsigned --region Germany", 2),
        ("made.iwf.lz --public-key nowhere.pem", 3),
        ("made.zip --unsigned", 5),
    ],
)
def test_what_is_asked_wrongly_is_told_before_anybody_connects(
    at: At, file: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, code: int
) -> None:
    monkeypatch.chdir(file.parent)
    written(file.parent / "made.zip", b"PK\x03\x04" + bytes(30))
    said = at("dial", "push", *shlex.split(arguments))
    assert said.code == code, said.err
    assert said.err.startswith("error: ")


def test_a_watch_that_cannot_take_dials(at: At, file: Path) -> None:
    unbound = WATCH.replace("bound=yes", "bound=no")
    assert push(at, file, watch=unbound).code == 6
    assert at("dial", "list", watch=unbound).code == 6
    silent = f"{WATCH}&option=legacy"
    said = push(at, file, watch=silent)
    assert (said.code, "for its dials" in said.err) == (6, True)


def test_blocks_of_a_size_that_nobody_has_seen(
    at: At, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = SCREEN[:-2] + (2048).to_bytes(2, "little")
    monkeypatch.setattr(v3, "SCREEN", screen)
    said = push(at, file)
    assert (said.code, "blocks of 2048 bytes" in said.err) == (6, True)
    assert list(state().dials.names) == BUILT_IN


def test_a_watch_that_has_to_make_room_is_waited_for(at: At, file: Path) -> None:
    watch = f"{WATCH}&option=fragmented"
    assert push(at, file, watch=watch).code == 0
    assert state(watch).dials.loaded == {"made.iwf": MADE}


def test_the_log_names_no_dial(at: At, file: Path, ksos: "CommandLine") -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "wrist").code == 0
    assert at("dial", "push", file, "--unsigned", watch="wrist").code == 0
    said = at("dial", "push", file, "--unsigned", "--replace", "--verbose", watch="wrist")
    assert said.code == 0
    log = "".join(path.read_text("utf-8") for path in ksos.home.rglob("*.log"))
    assert "dial: done, pushed True" in log
    assert "dial: removed the older one" in log
    assert "made" not in log


# ---- releases


def release(folder: Path, kind: str, *names: str, product: str = "Band 8") -> Path:
    entries = [
        {
            "name": name,
            "size_bytes": (folder / name).stat().st_size,
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        }
        for name in names
    ]
    fields = {"product": product, "kind": kind, "version": "1.2", "channel": "formal"}
    manifest = {**fields, "status": "active", "files": entries}
    return written(folder / f"{kind}.json", json.dumps(manifest).encode())


def test_a_signed_release_of_a_dial_needs_no_leave(ksos: "CommandLine", at: At, file: Path) -> None:
    key = file.parent / "release.pem"
    assert ksos("release", "key", key).code == 0
    manifest = release(file.parent, "dial", file.name)
    assert ksos("release", "sign", manifest, "--key", key).code == 0
    public = ("--public-key", f"{key}.pub")
    said = at("dial", "push", manifest, *public)
    assert (said.code, said.out) == (0, "The watch shows made.iwf.\n"), said.err
    assert "lifted" not in said.err
    assert at("dial", "push", manifest, "--replace").code == 7, "no key, no trust"
    written(file, packed(dial(flat=True, shade=5)))
    said = at("dial", "push", manifest, *public, "--replace")
    assert (said.code, "digest\t" in said.out) == (7, True)
    assert state().dials.loaded == {"made.iwf": MADE}


def test_a_release_that_is_no_dial_of_this_watch(at: At, file: Path) -> None:
    other = release(file.parent, "dial", file.name, product="Another")
    said = at("dial", "push", other, "--unsigned")
    assert (said.code, "product\t" in said.out) == (7, True)
    second = written(file.parent / "second.iwf.lz", packed(MADE))
    said = at("dial", "push", release(file.parent, "dial", file.name, second.name), "--unsigned")
    assert (said.code, "several files" in said.err) == (2, True)
    said = at("dial", "push", release(file.parent, "firmware", file.name), "--unsigned")
    assert (said.code, "ksos firmware write" in said.err) == (2, True)


# ---- what may happen on the way


def test_a_link_that_is_always_lost_is_given_up_with_the_truth(at: At, file: Path) -> None:
    watch = f"{WATCH}&fault=" + ",".join(f"lose-write@{number}" for number in range(22, 800))
    said = push(at, file, watch=watch)
    assert said.code == 4
    assert "link lost  trying again" in said.err
    assert "hint: The watch has the dials that it had. Run the same command again." in said.err
    assert list(state(watch).dials.names) == BUILT_IN


def test_a_dial_that_arrived_is_not_sent_again(at: At, file: Path) -> None:
    """The watch's last word is lost with the link; the list shows that it has the dial."""
    push(at, file)
    ends = faulty()._notifications
    for number in range(ends - 12, ends):
        watch = f"{WATCH}&fault=lose@{number}&seed={number}"
        done = lines(push(at, file, "--json", watch=watch))[-1]
        assert done["event"] == "done"
        assert state(watch).dials.loaded == {"made.iwf": MADE}
        if done["links"] == 2 and not done["repeated_bytes"]:
            return
    raise AssertionError("never met the case")


def test_a_watch_that_loses_the_dial_is_no_success(
    at: At, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(state().dials), "put", lambda *_: None)
    said = push(at, file)
    assert said.code == 7
    assert "does not list the dial" in said.err


def test_a_watch_that_shows_another_dial_is_no_success(
    at: At, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(state().dials)
    answer = kind.answer
    local = b"local_1".ljust(30, b"\0")

    def lies(self: Any, body: bytes) -> bytes | None:
        return answer(self, body) if body[0] else bytes(2) + local

    monkeypatch.setattr(kind, "answer", lies)
    said = push(at, file)
    assert (said.code, "shows another one" in said.err) == (7, True)


NOTIFIED = ("lose", "drop", "delay", "duplicate", "reorder", "corrupt", "reboot", "wrong-sequence")
WRITTEN = ("lose-write", "cut-power")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*NOTIFIED, *WRITTEN])
def test_any_fault_ends_in_a_true_word(at: At, file: Path, kind: str) -> None:
    """After each: pushed and shown, or told as failed and whole or not there; then once more."""
    assert push(at, file, "--quiet").code == 0
    ends = faulty()._notifications if kind in NOTIFIED else faulty()._writes
    for number in range(ends):
        watch = f"{WATCH}&fault={kind}@{number}"
        said = push(at, file, "--quiet", watch=watch)
        held = state(watch).dials
        assert held.loaded in ({}, {"made.iwf": MADE}), (number, said.err)
        if said.code == 0:
            assert (held.loaded, held.shown) == ({"made.iwf": MADE}, "made.iwf"), number
        else:
            again = push(at, file, "--quiet", "--replace", watch=watch)
            assert again.code == 0, (number, said.err, again.err)
            assert (held.loaded, held.shown) == ({"made.iwf": MADE}, "made.iwf")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lose", "lose-write", "cut-power"])
def test_a_dial_that_replaces_another_is_one_of_both_or_none(at: At, file: Path, kind: str) -> None:
    older = dial(flat=True, shade=8)
    state().dials.put("made.iwf", older)
    assert push(at, file, "--quiet", "--replace").code == 0
    ends = faulty()._notifications if kind == "lose" else faulty()._writes
    for number in range(ends):
        watch = f"{WATCH}&fault={kind}@{number}"
        held = state(watch).dials
        held.put("made.iwf", older)
        said = push(at, file, "--quiet", "--replace", watch=watch)
        if said.code == 0:
            assert (held.loaded, held.shown) == ({"made.iwf": MADE}, "made.iwf"), number
        else:
            assert held.loaded in ({}, {"made.iwf": older}, {"made.iwf": MADE}), (number, said.err)
            assert push(at, file, "--quiet", "--replace", watch=watch).code == 0
        assert said.code in (0, 4), (number, said.err)


def test_a_reader_that_leaves_is_told_where_to_look(file: Path, tmp_path: Path) -> None:
    arguments = ("dial", "push", str(file), "--unsigned", "--json", "--device", WATCH)
    with subprocess.Popen(
        (sys.executable, "-m", "ksos_link", *arguments),
        env=os.environ | {"KSOS_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert b'"connected"' in running.stdout.readline()
        running.stdout.close()
        assert b"ksos dial list" in running.stderr.read()
        assert running.wait() == 130
