"""Nothing leaves without a consent: to whom, which data, from which country to which."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS
from firmware_protocol.settings import Wearer
from ksos_link.errors import NotFoundError, PolicyError, StoreError, UsageError
from ksos_link.export.source import ExportDevice
from ksos_link.operations.share_consent import (
    KINDS,
    Receiver,
    check_share,
    data_named,
    is_loopback,
    receiver_named,
    withdraw,
)
from ksos_link.operations.share_ledger import (
    ALREADY_THERE,
    BEGUN,
    DRAFTED,
    REFUSED,
    SENT,
    UNKNOWN,
)
from ksos_link.operations.share_secrets import Login, ShareSecrets
from ksos_link.operations.share_source import ConsentedSource
from tests.ksos_link.made_up_source import MadeUpSource, made_up_workout, minute, point, split
from tests.ksos_link.share_counterparts import MemoryKeyring, closed_network
from tests.ksos_link.sharing import keyring, wearer, week_of_training
from tests.ksos_link.stored_samples import opened
from tests.ksos_link.table_source import TableSource, sample
from tests.ksos_link.test_documents import section

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, StoreBench

__all__ = ["keyring", "wearer", "week_of_training"]
START = 1_790_000_000
SHARES = (
    ("strava", "--from", "2020-01-01"),
    ("strava", "--connect", "--client-id", "1"),
    ("strava", "--disconnect"),
    ("mqtt", "127.0.0.1", "--no-tls"),
    ("mqtt", "broker.example.org", "--user", "me"),
    ("mqtt", "broker.example.org", "--remove"),
    ("mail", "me@example.org", "--server", "smtp.example.org", "--sender", "me@example.org"),
    ("mail", "me@example.org", "--draft", "letter.eml"),
    ("file", "."),
)


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


# ---- the network stays closed


@pytest.mark.parametrize("arguments", SHARES, ids=" ".join)
def test_without_consent_nothing_leaves(
    wearer: "CommandLine",
    keyring: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with closed_network(monkeypatch) as tried:
        said = wearer("share", *arguments, KSOS_SHARE_PASSWORD="x", KSOS_STRAVA_SECRET="x")
    assert said.code == 9
    assert "ksos share allow" in said.err
    assert tried == []
    assert sorted(tmp_path.iterdir()) == before
    assert wearer("share", "log").out == "Nothing was shared.\n"


def test_with_consent_the_same_test_sees_the_network(
    wearer: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wearer("share", "allow", "mqtt:127.0.0.1", "--data", "heart_rate", "--yes").code == 0
    with closed_network(monkeypatch) as tried:
        said = wearer("share", "mqtt", "127.0.0.1", "--no-tls")
    assert tried != []
    assert said.code == 3
    assert "broker cannot be reached" in said.err


@pytest.mark.parametrize("arguments", SHARES, ids=" ".join)
def test_a_guest_shares_nothing(
    ksos: "CommandLine",
    keyring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    assert ksos("sync", "--device", "virtual:ido?scenario=short", "--quiet").code == 0
    with closed_network(monkeypatch) as tried:
        said = ksos("share", *arguments, KSOS_SHARE_PASSWORD="x", KSOS_STRAVA_SECRET="x")
        allowed = ksos("share", "allow", "file:.", "--data", "steps", "--yes")
    assert (said.code, allowed.code) == (9, 9)
    assert "a guest stay on this machine" in said.err
    assert tried == []


def test_where_there_is_no_store_there_is_no_consent(ksos: "CommandLine") -> None:
    assert ksos("share", "mqtt", "127.0.0.1", "--no-tls").code == 9
    assert ksos("share", "consents").out == "receiver\tdata\tcountry\tgiven\twithdrawn\n"
    assert ksos("share", "log", "--json").out == ""
    assert not ksos.home.exists()


# ---- giving, listing, withdrawing


def test_what_leaves_is_told_before_it_is_agreed_to(wearer: "CommandLine") -> None:
    asked = ("share", "allow", "mail:Dr@Example.org", "--data", "spo2", "--region", "de")
    said = wearer(*asked, "--country", "DE")
    assert said.code == 9
    assert "files of spo2, with the names of your watches, go by mail to Dr@example.org" in said.err
    assert "needs your yes" in said.err
    assert wearer("share", "consents", "--json").out == ""
    assert wearer(*asked, "--country", "DE", "--yes").code == 0
    (listed,) = lines(wearer("share", "consents", "--json").out)
    assert listed["receiver"] == "mail:Dr@example.org"
    assert listed["data"] == ["spo2"]
    assert (listed["region"], listed["home_region"]) == ("DE", "DE")
    assert listed["withdrawn_utc"] is None


def test_a_receiver_elsewhere_needs_a_country_and_abroad_a_yes_of_its_own(
    wearer: "CommandLine",
) -> None:
    allow = ("share", "allow", "mqtt:broker.example.org", "--data", "steps", "--yes")
    assert "In which country are the receiver's machines?" in wearer(*allow).err
    assert "In which country do you live?" in wearer(*allow, "--region", "IE").err
    said = wearer(*allow, "--region", "IE", "--country", "DE")
    assert said.code == 9
    assert "warning    it is kept in IE, you live in DE" in said.err
    assert "--abroad" in said.err
    assert wearer("share", "consents", "--json").out == ""
    assert wearer(*allow, "--region", "IE", "--country", "DE", "--abroad").code == 0
    (listed,) = lines(wearer("share", "consents", "--json").out)
    assert (listed["region"], listed["home_region"]) == ("IE", "DE")
    # the wearer's country was said once; Strava's is known
    assert wearer("share", "allow", "strava", "--data", "workouts", "--yes", "--abroad").code == 0
    newest = lines(wearer("share", "consents", "--json").out)[-1]
    assert (newest["region"], newest["home_region"]) == ("US", "DE")
    assert wearer(*allow, "--region", "XX").code == 2


def test_on_a_terminal_it_is_asked_and_abroad_once_more(
    wearer: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers: list[bool] = []

    def confirm(question: str, *, err: bool) -> bool:
        assert err
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr("ksos_link.cli.share_command.can_ask", lambda: True)
    monkeypatch.setattr("typer.confirm", confirm)
    allow = ("share", "allow", "strava", "--data", "workouts", "--country", "DE")
    for said_by_person, code in (([False], 9), ([True, False], 9), ([True, True], 0)):
        answers[:] = said_by_person
        assert wearer(*allow).code == code
        assert bool(wearer("share", "consents", "--json").out) is (code == 0)
    assert asked[-2:] == ["Do you consent?", "May it go from DE to US?"]
    for receiver, stays in (("strava", "www.strava.com/settings"), ("mqtt:127.0.0.1", "--remove")):
        answers[:] = [True, True]
        assert wearer("share", "allow", receiver, "--data", "steps").code == 0
        assert stays in wearer("share", "consents", "--withdraw", receiver).err


def test_this_machine_has_no_country(wearer: "CommandLine") -> None:
    for receiver in ("mqtt:127.0.0.1", "mqtt:[::1]", "mqtt:localhost", "file:here"):
        assert wearer("share", "allow", receiver, "--data", "steps", "--yes").code == 0


def test_a_consent_is_replaced_and_withdrawn_and_the_ledger_keeps_all(
    wearer: "CommandLine", tmp_path: Path
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    allow = ("share", "allow", f"file:{folder}", "--yes", "--data")
    assert wearer(*allow, "steps").code == 0
    assert wearer(*allow, "heart_rate").code == 0
    assert wearer("share", "file", folder, "--metric", "steps").code == 9
    assert wearer("share", "file", folder).code == 0
    assert [path.name for path in folder.iterdir()] == ["heart_rate.csv"]
    said = wearer("share", "consents", "--withdraw", f"file:{folder}", "--json")
    assert said.code == 0
    assert "stay in that folder" in said.err
    assert [(one["data"], one["withdrawn_utc"] is not None) for one in lines(said.out)] == [
        (["steps"], True),
        (["heart_rate"], True),
    ]
    assert wearer("share", "file", folder).code == 9
    assert wearer("share", "consents", "--withdraw", f"file:{folder}").code == 3


def test_the_ledger_of_a_year(wearer: "CommandLine", tmp_path: Path) -> None:
    assert wearer("share", "allow", f"file:{tmp_path}", "--data", "spo2", "--yes").code == 0
    assert wearer("share", "file", tmp_path).code == 0
    (listed,) = lines(wearer("share", "log", "--json").out)
    assert listed["receiver"] == f"file:{tmp_path}"
    assert listed["data"] == ["spo2"]
    assert (listed["item"], listed["outcome"]) == ("csv", "sent")
    assert listed["samples"] == len((tmp_path / "spo2.csv").read_text().splitlines()) - 1
    year = str(listed["began_utc"])[:4]
    assert f"file:{tmp_path}" in wearer("share", "log", "--year", year).out
    assert wearer("share", "log", "--year", str(int(year) - 1)).out == "Nothing was shared.\n"


def test_every_field_of_json_stands_in_the_manual(wearer: "CommandLine", tmp_path: Path) -> None:
    assert wearer("share", "allow", f"file:{tmp_path}", "--data", "spo2", "--yes").code == 0
    assert wearer("share", "file", tmp_path).code == 0
    for verb in ("consents", "log"):
        (listed,) = lines(wearer("share", verb, "--json").out)
        assert {key for key in listed if f"`{key}`" not in section(f"ksos share {verb}")} == set()
    outcomes = section("ksos share log")
    for outcome in (BEGUN, SENT, ALREADY_THERE, REFUSED, DRAFTED, UNKNOWN):
        assert f"`{outcome}`" in outcomes


def test_privacy_names_consents_to_share(wearer: "CommandLine") -> None:
    assert wearer("share", "allow", "mqtt:127.0.0.1", "--data", "steps", "--yes").code == 0
    assert "share:mqtt:127.0.0.1" in wearer("privacy", "show").out
    listed = json.loads(wearer("privacy", "show", "--json").out)["consents"]
    (one,) = [each for each in listed if each["consent"] == "share:mqtt:127.0.0.1"]
    assert one["given_utc"] is not None
    assert "steps" in one["leaves_machine"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere", "--data", "steps"),
        ("strava:x", "--data", "steps"),
        ("mqtt", "--data", "steps"),
        ("mqtt:a b", "--data", "steps"),
        ("mqtt:a/b", "--data", "steps"),
        ("mail:nobody", "--data", "steps"),
        ("mail:a@b,c@d", "--data", "steps"),
        ("mail:a@b\nBcc: c@d", "--data", "steps"),
        ("mqtt:127.0.0.1", "--data", "mood"),
        ("mqtt:127.0.0.1",),
    ],
)
def test_what_is_no_receiver_and_no_data_is_refused(
    wearer: "CommandLine", arguments: tuple[str, ...]
) -> None:
    said = wearer("share", "allow", *arguments, "--yes")
    assert said.code == 2
    assert wearer("share", "consents", "--json").out == ""


@given(st.text(max_size=80))
def test_any_text_is_a_receiver_or_a_plain_refusal(text: str) -> None:
    for name in (text, *(f"{kind}:{text}" for kind in KINDS)):
        try:
            receiver = receiver_named(name)
        except UsageError:
            continue
        assert receiver_named(receiver.name) == receiver
        assert receiver.name.isprintable()


def test_sets_of_data() -> None:
    assert data_named(["workouts"]) == (
        *("workout", "workout_heart_rate", "workout_minute", "workout_split", "workout_point"),
    )
    assert data_named(["wearer", "steps", "steps"]) == ("steps", "wearer")


def test_loopback_is_said_plainly_or_it_is_none() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("127.0.0.1.example.org", "192.168.1.4", "", "local")))


# ---- what a source gives out


def full_source() -> MadeUpSource:
    workout = made_up_workout(
        heart_rate=[(START, 120)],
        minutes=[minute(START, 100, 9, 80)],
        splits=[split(START, 300)],
        points=[point(START, 52.5, 13.4)],
    )
    rows = {name: [sample(name, "wrist", START)] for name in ("heart_rate", "steps", "workout")}
    device = ExportDevice("wrist", "KS Watch", "ido", "abc", "F9:24:12:00:00:01")
    return MadeUpSource([workout], (device,), Wearer(), rows)


def test_only_what_is_in_the_set_is_given_out() -> None:
    source = ConsentedSource(full_source(), ["heart_rate"])  # type: ignore[arg-type]
    assert [metric.name for metric in source.metrics] == ["heart_rate"]
    assert len(list(source.rows("heart_rate"))) == 1
    assert list(source.rows("steps")) == []
    assert list(source.workouts()) == []
    assert source.wearer is None
    assert source.devices[0].address == ""
    assert ConsentedSource(full_source(), ["wearer"]).wearer == Wearer()  # type: ignore[arg-type]


def test_the_parts_of_a_workout_are_data_of_their_own() -> None:
    for part, name in (
        ("heart_rate", "workout_heart_rate"),
        ("minutes", "workout_minute"),
        ("splits", "workout_split"),
        ("points", "workout_point"),
    ):
        source = ConsentedSource(full_source(), ["workout", name])  # type: ignore[arg-type]
        (workout,) = source.workouts()
        for other in ("heart_rate", "minutes", "splits", "points"):
            assert bool(getattr(workout, other)) is (other == part)


def test_columns_are_given_out_as_rows_are() -> None:
    lists = {name: [[sample(name, "wrist", START)]] for name in METRICS}
    source = ConsentedSource(TableSource(lists), ["spo2"])
    assert [name for name in METRICS if list(source.pages(name))] == ["spo2"]
    assert source.utc_offset_until("wrist", START)[0] == source.utc_offset_s("wrist", START)


# ---- secrets


def test_withdrawing_forgets_tokens_and_passwords(
    wearer: "CommandLine", keyring: MemoryKeyring
) -> None:
    names = ("mqtt:127.0.0.1", "mail:a@example.org", "mail:b@example.org")
    for name in names:
        country = () if name.startswith("mqtt") else ("--region", "DE", "--country", "DE")
        assert wearer("share", "allow", name, *country, "--data", "steps", "--yes").code == 0
    with opened(wearer) as store:
        shelf = ShareSecrets(store.home)
        logins = [Login(entry, "host", "me") for entry in (names[0], "mail")]
        for login in logins:
            login.keep(shelf, "a password")
        withdraw(store, shelf, receiver_named(names[0]), 1)
        assert [login.kept(shelf) for login in logins] == [None, "a password"]
        withdraw(store, shelf, receiver_named(names[1]), 2)
        assert logins[1].kept(shelf) == "a password"
        withdraw(store, shelf, receiver_named(names[2]), 3)
        assert logins[1].kept(shelf) is None
        with pytest.raises(NotFoundError):
            withdraw(store, shelf, receiver_named(names[0]), 4)
    assert keyring.held == {}


def test_a_password_is_for_one_server_and_one_user(bench: "StoreBench") -> None:
    ring = MemoryKeyring()
    shelf = ShareSecrets(bench.home, lambda: ring)
    Login("mail", "one.example.org", "me").keep(shelf, "a password")
    assert Login("mail", "one.example.org", "me").kept(shelf) == "a password"
    assert Login("mail", "two.example.org", "me").kept(shelf) is None
    assert Login("mail", "one.example.org", "you").kept(shelf) is None
    ring.held = dict.fromkeys(ring.held, "no JSON")
    assert Login("mail", "one.example.org", "me").kept(shelf) is None
    assert not any("mail" in name for _, name in ring.held)


class BrokenKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError("locked")


class ForgetfulKeyring(MemoryKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:
        return


def test_a_keyring_that_fails_is_said_so_and_nothing_is_kept_elsewhere(
    bench: "StoreBench",
) -> None:
    for ring in (None, BrokenKeyring(), ForgetfulKeyring()):
        shelf = ShareSecrets(bench.home, lambda ring=ring: ring)  # type: ignore[misc]
        with pytest.raises(StoreError, match=r"[Kk]eyring"):
            shelf.put("strava", "a token")
    with pytest.raises(StoreError):
        ShareSecrets(bench.home, BrokenKeyring).get("strava")
    assert ShareSecrets(bench.home, lambda: None).get("strava") is None
    ShareSecrets(bench.home, lambda: None).drop("strava")


def test_two_homes_keep_their_secrets_apart(
    bench: "StoreBench", another_bench: object, tmp_path: Path
) -> None:
    from ksos_link.config import open_home

    ring = MemoryKeyring()
    ShareSecrets(bench.home, lambda: ring).put("strava", "mine")
    other = open_home({"KSOS_HOME": str(tmp_path / "another")})
    assert ShareSecrets(other, lambda: ring).get("strava") is None


def test_a_check_needs_a_store_a_wearer_and_a_consent(bench: "StoreBench") -> None:
    with pytest.raises(PolicyError, match="guest"):
        check_share(None, Receiver("strava"))
    with bench.open() as store, pytest.raises(PolicyError, match="guest"):
        check_share(store, Receiver("strava"))
