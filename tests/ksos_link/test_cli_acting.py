"""Notices, calls, music, finding, camera, contacts, the device and privacy, by their commands."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ksos_link.virtual_watch import scenarios
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said

WATCH = "virtual:ido?scenario=empty&bound=yes"


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    let_watches_last(monkeypatch)


@pytest.fixture
def at(ksos: "CommandLine") -> Any:
    """A command at the one virtual watch of a test."""

    def call(*arguments: str | Path) -> "Said":
        return ksos("--device", WATCH, *arguments)

    return call


def shown() -> list[str]:
    """What appeared on the watch, as far as nobody looked yet."""
    from datetime import UTC, datetime

    query = {"scenario": "empty", "bound": "yes"}
    session, _ = scenarios.open_virtual_watch("ido", query, now=datetime.now(UTC))
    return session.take_shown()


def test_a_notice_is_shown_and_a_long_one_is_cut_and_told(at: Any) -> None:
    said = at("notice", "send", "--app", "whatsapp", "--title", "Anna", "Hello")
    assert (said.code, said.out) == (0, "The watch shows it.\n")
    assert shown() == ["notice whatsapp: Anna | Hello"]
    said = at("notice", "send", "ä" * 300, "--json")
    facts = json.loads(said.out)
    (cut,) = facts["cut"]
    assert cut == {"field": "text", "sent_bytes": 246, "limit_bytes": 246}
    said = at("notice", "send", "ä" * 300)
    assert said.err.startswith("cut        text: 246 bytes of it were sent")
    said = at("notice", "send", "ä" * 300, "--strict")
    assert said.code == 2
    assert "longer than 246 bytes" in said.err


def test_a_notice_from_a_pipe(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("up 3 days\n"))
    assert at("notice", "send", "--title", "Server", "-").code == 0
    assert shown() == ["notice other: Server | up 3 days"]
    for piped, code in ((b"", 2), (b" \n", 2), (b"a\xff", 5)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped), "utf-8"))
        assert at("notice", "send", "-").code == code
    assert at("notice", "send", "").code == 2
    assert shown() == []


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("send --title An\x1bna Hello", "--title must not hold the control character U+001B"),
        ("send --phone 07\x7f91 Hello", "--phone must not hold the control character U+007F"),
        ("send Hel\x85lo", "The text must not hold the control character U+0085"),
        ("call --name An\rna", "--name must not hold the control character U+000D"),
    ],
)
def test_control_characters_reach_no_watch(at: Any, words: str, where: str) -> None:
    said = at("notice", *words.split(" "))
    assert (said.code, said.out) == (2, "")
    assert where in said.err
    assert shown() == []


def test_of_control_characters_newlines_and_tabs_pass(
    at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("a\tb\nc\n"))
    assert at("notice", "send", "-").code == 0
    assert shown() == ["notice other: a\tb\nc"]
    monkeypatch.setattr("sys.stdin", io.StringIO("a\0b"))
    assert "U+0000" in at("notice", "send", "-").err
    assert shown() == []


def test_calls_come_and_end(at: Any) -> None:
    assert at("notice", "call", "--name", "Anna", "--phone", "0791").code == 0
    assert at("notice", "end-call").code == 0
    assert at("notice", "end-call", "--missed").code == 0
    assert shown() == ["call: 0791 Anna", "call ended", "missed call"]
    assert at("notice", "call").code == 2


def test_only_chosen_apps_pass(ksos: "CommandLine") -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    said = ksos("notice", "apps", "--allow", "sms", "--allow", "teams", "--json")
    assert json.loads(said.out)["apps"] == ["sms", "teams"]
    assert "teams" in json.loads(said.out)["remarks"][0]
    assert ksos("notice", "send", "--app", "teams", "hi").code == 0
    said = ksos("notice", "send", "--app", "telegram", "hi")
    assert said.code == 9
    assert "ksos notice apps --allow telegram" in said.err
    assert ksos("notice", "test").code == 0
    assert ksos("notice", "test", "--app", "telegram").code == 9
    said = ksos("notice", "apps", "--deny", "sms", "--deny", "teams", "--calls", "off")
    assert (said.code, "ksos notice apps --all" in said.err) == (2, True)
    assert json.loads(ksos("notice", "apps", "--json").out)["apps"] == ["sms", "teams"]
    assert ksos("notice", "apps", "--all", "--deny", "sms").code == 2
    said = ksos("notice", "apps", "--all")
    assert "all: none was chosen" in said.out
    assert said.err == ""
    assert ksos("notice", "send", "--app", "telegram", "hi").code == 0
    assert ksos("notice", "apps", "--calls", "maybe").code == 2
    assert ksos("notice", "apps", "--allow", "nonsense").code == 2


def test_an_app_is_denied_where_none_was_chosen_before(ksos: "CommandLine") -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    said = ksos("notice", "apps", "--deny", "sms", "--deny", "teams")
    assert (said.code, said.err) == (0, "")
    assert "all but sms, teams" in said.out
    assert ksos("notice", "send", "--app", "sms", "hi").code == 9
    assert ksos("notice", "send", "--app", "telegram", "hi").code == 0
    said = ksos("notice", "apps", "--allow", "sms", "--json")
    apps = json.loads(said.out)["apps"]
    assert ("sms" in apps, "teams" in apps) == (True, False)


def test_the_names_of_apps_need_no_watch(ksos: "CommandLine") -> None:
    assert "whatsapp" in ksos("notice", "apps", "--list").out.splitlines()
    assert "sms" in json.loads(ksos("notice", "apps", "--list", "--json").out)["apps"]


def test_nothing_of_a_notice_or_a_call_is_kept(ksos: "CommandLine", tmp_path: Path) -> None:
    assert ksos("watch", "pair", WATCH).code == 0
    secret = "Geheimnis4711"
    assert ksos("notice", "send", "--title", secret, secret, "--verbose").code == 0
    assert ksos("notice", "call", "--name", secret, "--phone", "0794711").code == 0
    assert ksos("music", "now-playing", "--title", secret).code == 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
            assert b"0794711" not in file.read_bytes()


def test_music_keys_and_what_plays(at: Any) -> None:
    assert at("music", "on").code == 0
    said = at("music", "now-playing", "--state", "paused", "--title", "A song", "--json")
    facts = json.loads(said.out)
    assert facts["cut"] == [{"field": "title", "sent_bytes": 0, "limit_bytes": 0}]
    assert shown() == ["setting 03 2A", "music stopped"]
    assert at("music", "now-playing", "--state", "loud").code == 2
    assert json.loads(at("music", "show", "--json").out)["setting"] == "music"
    assert at("music", "off").code == 0


def test_finding_the_watch_and_being_found(at: Any) -> None:
    assert at("find", "watch").code == 0
    assert at("find", "stop", "--json").code == 0
    assert shown() == ["ringing", "silent again"]
    assert at("find", "phone", "set", "--on", "off").code == 0
    assert at("find", "phone", "show").code == 0


def test_the_camera_key_is_gated_by_name(at: Any) -> None:
    said = at("camera", "on")
    assert said.code == 6
    assert "capability photo or hid_photo" in said.err
    assert at("camera", "on", "--experimental").code == 0
    assert at("camera", "off", "--experimental").code == 0


def test_contacts_say_what_is_missing(at: Any, tmp_path: Path) -> None:
    said = at("contact", "list")
    assert (said.code, "capability contacts" in said.err) == (6, True)
    book = tmp_path / "book.csv"
    book.write_text("name,phone\nAnna,0791\n")
    said = at("contact", "set", book)
    assert (said.code, "capability contacts" in said.err) == (6, True)
    said = at("contact", "set", book, "--experimental")
    assert (said.code, "V3 39" in said.err) == (6, True)
    for content, code in ((b"a,b\n1,2\n", 5), (b"\xff\xfe\xff", 5), (b"name,phone\n" * 2000, 5)):
        book.write_bytes(content)
        assert at("contact", "set", book).code == code
    assert at("contact", "set", tmp_path / "none.csv").code == 3
    assert at("notice", "replies", "yes", "no").code == 6


def test_device_info_lists_all_that_the_watch_says(at: Any) -> None:
    facts = json.loads(at("device", "info", "--json").out)
    assert facts["product"] == "Band 8"
    assert facts["address"].startswith("F9:24:12")
    assert facts["algorithm_versions_heart_rate"] == 47
    assert {"serial_number", "language"} <= facts.keys()
    assert "v3_alarms" in facts["capabilities"]
    shown_facts = at("device", "info", "--redact").out
    assert "F9:24:12" not in shown_facts
    assert "not collected" in shown_facts
    log = json.loads(at("device", "log", "--clear", "--json").out)
    assert log == {"reset_reason": "none", "hardware_fault": "none", "cleared": True}
    assert at("device", "log").code == 0


def test_a_watch_that_is_not_bound_tells_who_it_is_and_takes_nothing(ksos: "CommandLine") -> None:
    free = "virtual:ido?scenario=empty&bound=no"
    assert ksos("--device", free, "device", "info").code == 0
    said = ksos("--device", free, "find", "watch")
    assert (said.code, "not bound" in said.err) == (6, True)


@pytest.mark.parametrize("verb", ["reboot", "shutdown", "factory-reset", "unbind"])
def test_acts_that_cannot_be_undone_ask_twice(ksos: "CommandLine", verb: str) -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    shown()
    assert ksos("device", verb).code == 9
    assert ksos("device", verb, "--experimental").code == 2
    said = ksos("device", verb, "--experimental", "--yes", "wrist")
    assert (said.code, "nothing was sent" in said.err) == (9, True)
    assert shown() == []
    said = ksos("device", verb, "--experimental", "--yes", "BAND", "--json")
    assert (said.code, said.out.startswith('{"done":')) == (0, True)
    if verb in ("factory-reset", "unbind"):
        assert "ksos sync" in said.err
        assert ksos("find", "watch").code == 6  # it is nobody's any more
        assert [
            json.loads(line)["alias"] for line in ksos("watch", "list", "--json").out.splitlines()
        ]


def test_a_watch_that_goes_down_before_it_answers_has_done_it(ksos: "CommandLine") -> None:
    for lost_at in range(5, 11):  # the answer to the act itself is among them
        address = f"{WATCH}&address=C0:FF:EE:00:00:{lost_at:02X}&fault=lose@{lost_at}"
        said = ksos("--device", address, "device", "reboot", "--experimental", "--yes", address)
        assert (said.code, said.out) == (0, "The watch restarts.\n")


def test_the_name_is_typed_on_a_terminal(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    monkeypatch.setattr("ksos_link.cli.device_command.can_ask", lambda: True)
    for typed, code in (("wrist", 9), ("band", 0)):
        monkeypatch.setattr("typer.prompt", lambda *_, typed=typed, **__: typed)
        assert ksos("device", "reboot", "--experimental").code == code


def test_a_reset_watch_holds_nothing(ksos: "CommandLine") -> None:
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    assert ksos("alarm", "add", "--at", "6:00").code == 0
    assert ksos("device", "factory-reset", "--experimental", "--yes", "band").code == 0
    assert ksos("watch", "pair", WATCH, "--alias", "band").code == 0
    assert ksos("alarm", "list", "--json").out == ""


def test_privacy_is_shown_given_and_taken_back(ksos: "CommandLine") -> None:
    facts = json.loads(ksos("privacy", "show", "--json").out)
    assert {"item", "purpose", "place"} == facts["items"][0].keys()
    assert all(consent["given_utc"] is None for consent in facts["consents"])
    assert ksos("privacy", "allow", "nonsense").code == 2
    assert ksos("privacy", "allow", "cycle").code == 0
    facts = json.loads(ksos("privacy", "show", "--json").out)
    given = {each["consent"]: each["given_utc"] for each in facts["consents"]}
    assert given["cycle"] is not None
    assert given["weather:open-meteo"] is None
    assert "cycle" in ksos("privacy", "show").out
    assert ksos("privacy", "deny", "cycle").code == 0
    facts = json.loads(ksos("privacy", "show", "--json").out)
    assert all(consent["given_utc"] is None for consent in facts["consents"])


@pytest.mark.parametrize(
    "words",
    [
        ("notice", "send", "hi"),
        ("find", "watch"),
        ("music", "on"),
        ("weather", "on"),
        ("device", "log"),
        ("live", "--for-s", "1"),
        ("listen", "--for-s", "1"),
    ],
    ids=" ".join,
)
def test_a_silent_watch_ends_each_command_and_the_next_one_works(
    ksos: "CommandLine", at: Any, words: tuple[str, ...]
) -> None:
    said = ksos("--device", f"{WATCH}&fault=silent", *words)
    assert said.code == 6
    assert said.err.startswith("error: The watch did not answer")
    assert at("find", "stop").code == 0
