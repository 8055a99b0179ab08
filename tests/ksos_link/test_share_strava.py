"""Workouts to Strava, against a service that speaks its documented endpoints over real TLS."""

import http.client
import io
import json
import ssl
import threading
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fitdecode
import pytest
from stravalib.strava_model import SportType

from firmware_protocol.sports import SPORT_NAMES
from ksos_link.errors import MalformedError, NotFoundError, PolicyError, RefusedError, StoreError
from ksos_link.operations import share_strava, share_strava_link
from ksos_link.operations.share_loopback import Redirect
from ksos_link.operations.share_secrets import ShareSecrets
from ksos_link.operations.share_strava import StravaPace, external_id
from ksos_link.operations.share_strava_link import StravaLink, StravaPlace, StravaTokens
from ksos_link.operations.share_strava_sports import strava_sport
from tests.ksos_link.made_up_source import made_up_workout
from tests.ksos_link.share_counterparts import Certificates, MemoryKeyring, free_port
from tests.ksos_link.share_strava_service import (
    ACCESS,
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH,
    Strava,
)
from tests.ksos_link.sharing import certificates, keyring, strava, wearer, week_of_training
from tests.ksos_link.stored_samples import opened, stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, StoreBench

__all__ = ["certificates", "keyring", "strava", "wearer", "week_of_training"]
ALLOW = ("share", "allow", "strava", "--data", "workouts", "--country", "DE", "--abroad", "--yes")
SEND = ("share", "strava", "--from", "2020-01-01")
NEVER = 1 << 40


@pytest.fixture
def place(
    strava: Strava, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> StravaPlace:
    """The service in the place of the real one, asked without a pause."""
    found = StravaPlace(strava.server, certificates.authority)
    monkeypatch.setattr(share_strava_link, "PLACE", found)
    monkeypatch.setattr(share_strava, "StravaPace", lambda: StravaPace(0.01, 5.0))
    return found


@pytest.fixture
def sender(wearer: "CommandLine", keyring: MemoryKeyring, place: StravaPlace) -> "CommandLine":
    """Somebody who consented, and is connected."""
    assert wearer(*ALLOW).code == 0
    put_tokens(wearer)
    return wearer


def put_tokens(ksos: "CommandLine", **changed: Any) -> None:
    tokens: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "access_token": ACCESS,
        "refresh_token": REFRESH,
        "expires_at_utc_s": NEVER,
    }
    shelf_of(ksos).put("strava", StravaTokens(**(tokens | changed)).text())


def shelf_of(ksos: "CommandLine") -> ShareSecrets:
    with opened(ksos) as store:
        return ShareSecrets(store.home)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# ---- sending


def test_every_workout_goes_once_with_its_own_name_and_kind(
    sender: "CommandLine", strava: Strava
) -> None:
    said = sender(*SEND, "--json")
    assert said.code == 0
    sent, workouts = lines(said.out), stored(sender, "workout")
    assert len(sent) == len(strava.uploads) == len(workouts) > 1
    assert {one["outcome"] for one in sent} == {"sent"}
    kinds = {"outdoor_run": "Run", "functional_strength": "WeightTraining"}
    for one, upload, workout in zip(sent, strava.uploads, workouts, strict=True):
        assert upload.fields["external_id"] == one["item"]
        assert upload.fields["data_type"] == "fit"
        assert upload.fields["trainer"] == "0"
        assert strava.activities[one["activity_id"]]["sport_type"] == kinds[str(workout["sport"])]
    assert strava.uploads[0].fields["name"] == "Outdoor Run"
    again = sender(*SEND, "--json")
    assert again.code == 0
    assert {one["outcome"] for one in lines(again.out)} == {"already there"}
    assert len(strava.uploads) == len(workouts)


def test_what_strava_gets_is_what_the_store_has(sender: "CommandLine", strava: Strava) -> None:
    assert sender(*SEND).code == 0
    beats = {(row["start_utc_s"], row["bpm"]) for row in stored(sender, "workout_heart_rate")}
    found: set[tuple[object, object]] = set()
    for upload in strava.uploads:
        for frame in fitdecode.FitReader(io.BytesIO(upload.file)):
            if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "record":
                bpm = frame.get_value("heart_rate", fallback=None)
                if bpm is not None:
                    found.add((int(frame.get_value("timestamp").timestamp()), bpm))
    assert found
    assert found <= beats


def test_without_the_consent_to_heart_rates_none_leaves(
    wearer: "CommandLine", keyring: MemoryKeyring, place: StravaPlace, strava: Strava
) -> None:
    allow = [word if word != "workouts" else "workout" for word in ALLOW]
    assert wearer(*allow).code == 0
    put_tokens(wearer)
    wearer(*SEND)
    for upload in strava.uploads:
        for frame in fitdecode.FitReader(io.BytesIO(upload.file)):
            if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "record":
                assert frame.get_value("heart_rate", fallback=None) is None
    steps = [word if word != "workouts" else "steps" for word in ALLOW]
    assert wearer(*steps).code == 0
    asked = len(strava.asked)
    assert wearer(*SEND).code == 9
    assert len(strava.asked) == asked


def test_strava_refuses_a_repeat_and_that_is_told_as_already_there(
    sender: "CommandLine", strava: Strava
) -> None:
    assert sender(*SEND).code == 0
    with opened(sender) as store:
        store.database.change("DELETE FROM share")  # another machine's ledger
    said = sender(*SEND, "--json")
    assert said.code == 0
    assert {one["outcome"] for one in lines(said.out)} == {"already there"}
    assert [one["activity_id"] for one in lines(said.out)] == list(strava.activities)
    assert {one["outcome"] for one in lines(sender("share", "log", "--json").out)} == {
        "already there"
    }
    uploads = len(strava.uploads)
    assert sender(*SEND, "--again").code == 0
    assert len(strava.uploads) == uploads + len(strava.activities)


def test_a_file_that_strava_does_not_like_is_told_in_its_words(
    sender: "CommandLine", strava: Strava
) -> None:
    strava.error = "Time information is missing from file."
    said = sender(*SEND, "--json")
    assert said.code == 6
    assert {one["outcome"] for one in lines(said.out)} == {"refused"}
    assert all("Time information is missing" in one["remark"] for one in lines(said.out))
    assert "did not become an activity" in said.err
    assert {one["samples"] for one in lines(sender("share", "log", "--json").out)} == {0}
    strava.error = ""
    assert sender(*SEND).code == 0  # what was refused is tried again


def test_an_answer_without_an_upload_is_a_refusal(sender: "CommandLine", strava: Strava) -> None:
    strava.answers["/api/v3/uploads"] = (422, b'{"message":"Unprocessable","errors":[]}')
    said = sender(*SEND, "--json")
    assert said.code == 6
    assert {(one["outcome"], one["remark"]) for one in lines(said.out)} == {
        ("refused", "Unprocessable")
    }


def test_work_that_does_not_end_is_not_waited_for(
    sender: "CommandLine", strava: Strava, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_strava, "StravaPace", lambda: StravaPace(0.01, 0.05))
    strava.busy_polls = 10**9
    said = sender(*SEND, "--json")
    assert said.code == 6
    assert {one["outcome"] for one in lines(said.out)} == {"unknown"}
    strava.busy_polls = 0
    assert {one["outcome"] for one in lines(sender(*SEND, "--json").out)} == {"sent"}


def test_a_kind_that_cannot_be_set_is_a_remark(sender: "CommandLine", strava: Strava) -> None:
    for number in range(9001, 9020):
        strava.answers[f"/api/v3/activities/{number}"] = (500, b"")
    said = sender(*SEND, "--json")
    assert said.code == 0
    assert all("its kind could not be set: choose" in one["remark"] for one in lines(said.out))


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ((401, b"{}"), 9, "does not know this program"),
        ((403, b"{}"), 9, "did not allow this"),
        (
            (
                403,
                b'{"message":"Forbidden","errors":[{"resource":"Application","field":"Status",'
                b'"code":"Inactive"}]}',
            ),
            6,
            "application is inactive",
        ),
        ((429, b'{"message":"Rate Limit Exceeded","errors":[]}'), 6, "takes no more"),
        ((503, b"<html>"), 3, "a failure of its own"),
        ((302, b""), 5, "sent us elsewhere"),
        ((200, b"<html>"), 5, "nonsense"),
        ((200, b"[]"), 5, "nonsense"),
        ((200, b"x" * (5 << 20)), 3, "does not come to an end"),
    ],
)
def test_a_refusal_of_all_is_one_plain_failure(
    sender: "CommandLine", strava: Strava, answer: tuple[int, bytes], code: int, words: str
) -> None:
    strava.answers["/api/v3/uploads"] = answer
    said = sender(*SEND)
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert "Traceback" not in said.err
    assert len(strava.of("/api/v3/uploads")) == 1
    (noted,) = lines(sender("share", "log", "--json").out)
    assert noted["outcome"] == ("refused" if code in (6, 9) else "unknown")


@pytest.mark.parametrize("path", ["/api/v3/uploads", "/api/v3/uploads/2"])
def test_a_link_that_breaks_leaves_what_was_told_and_may_be_repeated(
    sender: "CommandLine", strava: Strava, path: str
) -> None:
    strava.hangs_up_at = path
    said = sender(*SEND, "--json")
    assert said.code == 3
    assert "cannot be reached" in said.err
    assert "Repeating is safe" in said.err
    told = lines(said.out)
    assert [one["outcome"] for one in told] == (["sent"] if path.endswith("2") else [])
    strava.hangs_up_at = ""
    assert sender(*SEND).code == 0
    names = [activity["name"] for activity in strava.activities.values()]
    assert len(names) == len(stored(sender, "workout"))


def test_nobody_listens(
    sender: "CommandLine", certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = StravaPlace(f"127.0.0.1:{free_port()}", certificates.authority)
    monkeypatch.setattr(share_strava_link, "PLACE", nobody)
    assert sender(*SEND).code == 3


def test_a_stranger_with_a_certificate_of_nobody_gets_nothing(
    sender: "CommandLine", strava: Strava, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_strava_link, "PLACE", StravaPlace(strava.server))
    assert sender(*SEND).code == 3
    assert strava.asked == []


def test_days_without_workouts_send_nothing(sender: "CommandLine", strava: Strava) -> None:
    said = sender("share", "strava", "--from", "2020-01-01", "--to", "2020-01-02")
    assert said.code == 3
    assert strava.asked == []
    assert sender("share", "strava").code == 2
    assert sender(*SEND, "--format", "csv").code == 2


def test_other_formats_that_strava_takes(sender: "CommandLine", strava: Strava) -> None:
    assert sender(*SEND, "--format", "tcx").code == 0
    assert {upload.fields["data_type"] for upload in strava.uploads} == {"tcx"}
    assert strava.uploads[0].file.startswith(b"<?xml")
    said = sender(*SEND, "--format", "gpx", "--again", "--json")  # without a route there is none
    assert said.code == 6
    assert all("left out" in one["remark"] for one in lines(said.out))


# ---- tokens


def test_tokens_are_renewed_before_use_and_kept_before_use(
    sender: "CommandLine", strava: Strava
) -> None:
    put_tokens(sender, expires_at_utc_s=1)
    assert sender(*SEND).code == 0
    assert strava.asked[0][1] == "/oauth/token"
    kept = json.loads(shelf_of(sender).get("strava") or "")
    assert (kept["access_token"], kept["refresh_token"]) == (
        "access-token-two",
        "refresh-token-two",
    )
    assert kept["expires_at_utc_s"] > 1
    assert sender(*SEND).code == 0
    assert len(strava.of("/oauth/token")) == 1


def test_a_permission_that_was_taken_back_at_strava(sender: "CommandLine", strava: Strava) -> None:
    put_tokens(sender, expires_at_utc_s=1, refresh_token="revoked")
    said = sender(*SEND)
    assert said.code == 9
    assert "share strava --connect" in said.err
    assert strava.of("/api") == []


@pytest.mark.parametrize("kept", [None, "no JSON", "[]", '{"client_id":1}'])
def test_without_tokens_strava_is_not_connected(
    wearer: "CommandLine", keyring: MemoryKeyring, place: StravaPlace, strava: Strava, kept: str
) -> None:
    assert wearer(*ALLOW).code == 0
    if kept is not None:
        shelf_of(wearer).put("strava", kept)
    said = wearer(*SEND)
    assert said.code == 9
    assert "not connected" in said.err
    assert strava.asked == []


def test_without_a_keyring_it_is_refused_and_nothing_is_kept(
    wearer: "CommandLine", place: StravaPlace, strava: Strava
) -> None:
    assert wearer(*ALLOW).code == 0
    connect = ("share", "strava", "--connect", "--client-id", str(CLIENT_ID))
    for arguments in (SEND, connect):
        said = wearer(*arguments, KSOS_STRAVA_SECRET=CLIENT_SECRET)
        assert said.code == 8
        assert "There is no keyring here" in said.err
    assert strava.asked == []


def test_no_token_stands_in_a_file_or_a_log(sender: "CommandLine", tmp_path: Path) -> None:
    assert sender("--verbose", *SEND).code == 0
    secrets = (CLIENT_SECRET, ACCESS, REFRESH)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.startswith("ksos-") for path in files)  # the log
    for path in files:
        data = path.read_bytes()
        assert not any(secret.encode() in data for secret in secrets)
    said = sender("--verbose", *SEND)
    assert not any(secret in said.out + said.err for secret in secrets)


# ---- connecting


class Browser:
    """Opens the page, where the person agrees at once, and follows where it is sent."""

    def __init__(self, certificates: Certificates) -> None:
        self._trusted = ssl.create_default_context(cafile=str(certificates.authority))
        self.opened: list[str] = []
        self._threads: list[threading.Thread] = []

    def open(self, url: str) -> bool:
        self.opened.append(url)
        thread = threading.Thread(target=self._follow, args=(url,))
        self._threads.append(thread)
        thread.start()
        return True

    def _follow(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        page = http.client.HTTPSConnection(parts.netloc, context=self._trusted, timeout=5)
        page.request("GET", f"{parts.path}?{parts.query}")
        back = page.getresponse().headers["Location"]
        page.close()
        self.come_back(back)

    @staticmethod
    def come_back(url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        page = http.client.HTTPConnection(parts.netloc, timeout=5)
        page.request("GET", f"{parts.path}?{parts.query}")
        assert page.getresponse().status == 200
        page.close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def browser(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser(certificates)
    monkeypatch.setattr("webbrowser.open", found.open)
    return found


def connect(ksos: "CommandLine", browser: Browser, client_id: int = CLIENT_ID) -> Any:
    arguments = ("share", "strava", "--connect", "--client-id", str(client_id))
    said = ksos(*arguments, KSOS_STRAVA_SECRET=CLIENT_SECRET)
    browser.join()
    return said


def test_a_person_agrees_in_the_browser(
    wearer: "CommandLine",
    keyring: MemoryKeyring,
    place: StravaPlace,
    strava: Strava,
    browser: Browser,
) -> None:
    assert wearer(*ALLOW).code == 0
    said = connect(wearer, browser)
    assert said.code == 0
    assert said.out == "Strava is connected. Nothing was sent yet.\n"
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browser.opened[0]).query))
    assert query["scope"] == "read,activity:write"
    assert query["redirect_uri"].startswith("http://127.0.0.1:")
    assert CLIENT_SECRET not in said.err + browser.opened[0]
    assert strava.uploads == []
    assert wearer(*SEND).code == 0
    said = wearer("share", "strava", "--disconnect")
    assert said.code == 0
    assert ("POST", "/oauth/deauthorize") in strava.asked
    assert keyring.held == {}
    assert wearer(*SEND).code == 9


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"denied": True}, "did not agree"),
        ({"scope": "read"}, "did not allow uploads"),
        ({"scope": "read,activity:write_nothing"}, "did not allow uploads"),
        (
            {"answers": {"/oauth/token": (400, b'{"message":"Bad Request","errors":[]}')}},
            "no such app",
        ),
        ({"answers": {"/oauth/token": (200, b"{}")}}, "nonsense"),
    ],
)
def test_where_the_person_or_strava_does_not_agree_nothing_is_kept(
    wearer: "CommandLine",
    keyring: MemoryKeyring,
    place: StravaPlace,
    strava: Strava,
    browser: Browser,
    changed: dict[str, Any],
    words: str,
) -> None:
    assert wearer(*ALLOW).code == 0
    for name, value in changed.items():
        setattr(strava, name, value)
    said = connect(wearer, browser)
    assert said.code != 0
    assert words in said.err
    assert keyring.held == {}


def test_connecting_needs_an_application_and_its_secret(
    wearer: "CommandLine", keyring: MemoryKeyring, place: StravaPlace
) -> None:
    assert wearer(*ALLOW).code == 0
    assert wearer("share", "strava", "--connect").code == 2
    assert wearer("share", "strava", "--connect", "--client-id", "1").code == 2


def test_who_comes_with_another_state_is_not_heard() -> None:
    with Redirect() as redirect:
        Browser.come_back(f"{redirect.url}?state=another&code=stolen")
        Browser.come_back(f"{redirect.url}favicon.ico")
        Browser.come_back(f"{redirect.url}?state=mine&code=given&scope=read")
        assert redirect.wait("mine", 5)["code"] == "given"
        with pytest.raises(PolicyError, match="in time"):
            redirect.wait("mine", 0.01)


# ---- what strava calls things


def test_every_sport_has_a_kind_that_strava_knows() -> None:
    for name in (*SPORT_NAMES, "sport_77", "code_9"):
        sport = strava_sport(name)
        assert SportType.model_validate(sport.sport_type).root == sport.sport_type
        assert sport.title


@pytest.mark.parametrize(
    ("name", "kind", "trainer"),
    [
        ("outdoor_walk", "Walk", False),
        ("outdoor_walking", "Walk", False),
        ("race_walking", "Walk", False),
        ("indoor_walk", "Walk", True),
        ("hike", "Hike", False),
        ("ski", "AlpineSki", False),
        ("alpine_ski", "AlpineSki", False),
        ("cross_country_ski", "NordicSki", False),
        ("trail_run", "TrailRun", False),
        ("indoor_run", "Run", True),
        ("indoor_cycle", "Ride", True),
        ("darts", "Workout", False),
        ("sport_77", "Workout", False),
    ],
)
def test_where_the_vendor_is_wrong_we_are_not(name: str, kind: str, trainer: bool) -> None:
    sport = strava_sport(name)
    assert (sport.sport_type, sport.trainer) == (kind, trainer)


def test_the_name_of_a_workout_never_changes_and_tells_no_more_than_its_file() -> None:
    assert external_id(made_up_workout("hike")) == "ksos-20261026T073320Z-hike"


# ---- the link alone


def test_the_library_warns_nobody_and_reads_no_environment(
    bench: "StoreBench",
    place: StravaPlace,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRAVA_CLIENT_ID", "999")
    monkeypatch.setenv("STRAVA_CLIENT_SECRET", "of somebody else")
    with StravaLink(ShareSecrets(bench.home, MemoryKeyring), place) as link:
        protocol = link.client.protocol
        assert (protocol.client_id, protocol.client_secret) == (None, None)
    assert capfd.readouterr() == ("", "")


def test_failures_are_plain() -> None:
    for raised, told in (
        (OSError("secret"), NotFoundError),
        (ValueError("secret"), MalformedError),
        (KeyError("secret"), MalformedError),
        (RefusedError("said"), RefusedError),
        (StoreError("said"), StoreError),
    ):
        with pytest.raises(told) as caught, share_strava_link.plain_failures():
            raise raised
        assert "secret" not in str(caught.value)
