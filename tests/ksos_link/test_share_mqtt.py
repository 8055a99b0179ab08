"""The newest readings to a real broker: topics, state, availability, TLS, logins, breaks."""

import contextlib
import gc
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ksos_link.config import open_home
from ksos_link.errors import PolicyError, StoreError, UsageError
from ksos_link.export.source import ExportDevice, Row
from ksos_link.operations import share_mqtt
from ksos_link.operations.share_mqtt import publish
from ksos_link.operations.share_mqtt_sensors import SENSORS, empty_messages, messages
from ksos_link.operations.share_secrets import home_id
from ksos_link.operations.wearer import keep_wearer
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent
from tests.ksos_link.share_counterparts import Broker, Certificates, MemoryKeyring, free_port
from tests.ksos_link.sharing import broker, certificates, keyring, wearer, week_of_training
from tests.ksos_link.stored_samples import stored
from tests.ksos_link.table_source import TableSource, sample

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, StoreBench

__all__ = ["broker", "certificates", "keyring", "wearer", "week_of_training"]
ALLOW = ("share", "allow", "mqtt:127.0.0.1", "--yes")
NOW = 1_793_000_000
HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture
def clean_broker(broker: Broker) -> Iterator[Broker]:
    """The broker keeps what it is told: it forgets it after each test."""
    yield broker
    for topic in broker.retained(least=0):
        broker.forget(topic)


def send(broker: Broker, *more: str | Path) -> tuple[str | Path, ...]:
    port = ("--no-tls", "--port", str(broker.port))
    return ("share", "mqtt", "127.0.0.1", *port, "--user", broker.user, *more)


def config_of(retained: dict[str, str], key: str) -> dict[str, Any]:
    (topic,) = [one for one in retained if re.fullmatch(rf"homeassistant/.+/{key}/config", one)]
    config: dict[str, Any] = json.loads(retained[topic])
    return config


# ---- against the broker


def test_home_assistant_finds_each_sensor_with_its_newest_reading(
    wearer: "CommandLine", clean_broker: Broker
) -> None:
    data = ("heart_rate", "steps", "battery", "spo2", "sleep_summary", "activity")
    assert wearer(*ALLOW, *(word for name in data for word in ("--data", name))).code == 0
    said = wearer(*send(clean_broker, "--json"), KSOS_SHARE_PASSWORD=clean_broker.password)
    assert said.code == 0
    kept = clean_broker.retained()
    config = config_of(kept, "heart_rate")
    newest = stored(wearer, "heart_rate")[-1]
    state = json.loads(kept[config["state_topic"]])
    assert state["heart_rate"] == newest["bpm"]
    assert state["about"]["heart_rate"]["quality"] == "proven"
    assert config["unit_of_measurement"] == "bpm"
    assert config["device"]["name"] == newest["device"]
    assert kept[config["availability_topic"]] == "online"
    configs = [topic for topic in kept if topic.startswith("homeassistant/")]
    assert len(configs) == json.loads(said.out)["readings"] == len(state) - 1
    assert len({json.loads(kept[topic])["unique_id"] for topic in configs}) == len(configs)
    assert not any("resting" in topic or "stress" in topic for topic in kept)
    (noted,) = [json.loads(line) for line in wearer("share", "log", "--json").out.splitlines()]
    assert (noted["outcome"], noted["samples"]) == ("sent", len(configs))


def test_a_repeat_takes_the_same_places_and_remove_takes_them_all(
    wearer: "CommandLine", clean_broker: Broker
) -> None:
    assert wearer(*ALLOW, "--data", "heart_rate", "--data", "battery").code == 0
    for _ in range(2):
        assert wearer(*send(clean_broker), KSOS_SHARE_PASSWORD=clean_broker.password).code == 0
    assert len(clean_broker.retained()) == 4
    removed = wearer(*send(clean_broker, "--remove"), KSOS_SHARE_PASSWORD=clean_broker.password)
    assert removed.code == 0
    assert clean_broker.retained(least=0) == {}
    assert wearer("share", "consents", "--withdraw", "mqtt:127.0.0.1").code == 0
    assert wearer(*send(clean_broker, "--remove"), KSOS_SHARE_PASSWORD="x").code == 9


@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")  # the MQTT library's own
def test_over_tls_only_to_who_shows_a_certificate_that_is_trusted(
    wearer: "CommandLine", clean_broker: Broker, certificates: Certificates
) -> None:
    assert wearer(*ALLOW, "--data", "battery").code == 0
    port = ("--port", str(clean_broker.tls_port), "--user", clean_broker.user)
    arguments = ("share", "mqtt", "127.0.0.1", *port)
    said = wearer(*arguments, KSOS_SHARE_PASSWORD=clean_broker.password)
    assert said.code == 6
    assert "signed by nobody whom this machine trusts" in said.err
    gc.collect()  # that library leaves the socket of a handshake that failed to it
    assert clean_broker.retained(least=0) == {}
    trusted = (*arguments, "--ca-file", certificates.authority)
    assert wearer(*trusted, KSOS_SHARE_PASSWORD=clean_broker.password).code == 0
    assert clean_broker.retained() != {}
    assert wearer(*arguments, "--ca-file", "nowhere.pem", KSOS_SHARE_PASSWORD="x").code == 3
    no_certificate = (*arguments, "--ca-file", certificates.key)
    assert wearer(*no_certificate, KSOS_SHARE_PASSWORD="x").code == 2


def test_what_is_no_longer_let_out_is_forgotten_by_the_broker(
    wearer: "CommandLine", clean_broker: Broker
) -> None:
    for data in (("--data", "heart_rate", "--data", "battery"), ("--data", "battery")):
        assert wearer(*ALLOW, *data).code == 0
        assert wearer(*send(clean_broker), KSOS_SHARE_PASSWORD=clean_broker.password).code == 0
    kept = clean_broker.retained()
    assert not any("heart_rate" in topic + text for topic, text in kept.items())
    assert config_of(kept, "battery")["name"] == "Battery"


def test_a_wrong_password_is_told_and_only_one_that_worked_is_kept(
    wearer: "CommandLine", clean_broker: Broker, keyring: MemoryKeyring
) -> None:
    assert wearer(*ALLOW, "--data", "battery").code == 0
    keep = send(clean_broker, "--keep-password")
    said = wearer(*keep, KSOS_SHARE_PASSWORD="a wrong one")
    assert said.code == 6
    assert "does not know that user and password" in said.err
    assert keyring.held == {}
    assert wearer(*send(clean_broker)).code == 2  # nobody to ask
    assert wearer(*keep, KSOS_SHARE_PASSWORD=clean_broker.password).code == 0
    assert wearer(*send(clean_broker)).code == 0
    files = [path.read_bytes() for path in wearer.home.rglob("*") if path.is_file()]
    assert not any(clean_broker.password.encode() in data for data in files)


def test_a_password_is_kept_in_a_keyring_or_not_at_all(
    wearer: "CommandLine", clean_broker: Broker
) -> None:
    assert wearer(*ALLOW, "--data", "battery").code == 0
    keep = send(clean_broker, "--keep-password")
    assert wearer(*keep, KSOS_SHARE_PASSWORD=clean_broker.password).code == 8
    assert clean_broker.retained(least=0) == {}
    assert wearer("share", "mqtt", "127.0.0.1", "--no-tls", "--keep-password").code == 2


def test_a_broker_that_nobody_runs_or_that_says_nothing(
    wearer: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_mqtt, "_WAIT_S", 0.2)
    assert wearer(*ALLOW, "--data", "battery").code == 0
    arguments = ("share", "mqtt", "127.0.0.1", "--no-tls", "--port")
    assert wearer(*arguments, str(free_port())).code == 3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = wearer(*arguments, str(silent.getsockname()[1]))
    assert said.code == 3
    assert "Repeating is safe" in said.err
    noted = [json.loads(line) for line in wearer("share", "log", "--json").out.splitlines()]
    assert {(one["outcome"], one["samples"]) for one in noted} == {("refused", 0)}


def test_nothing_of_the_last_week_is_nothing_to_tell(
    wearer: "CommandLine", clean_broker: Broker
) -> None:
    assert wearer(*ALLOW, "--data", "weight").code == 0
    said = wearer(*send(clean_broker), KSOS_SHARE_PASSWORD=clean_broker.password)
    assert said.code == 3
    assert clean_broker.retained(least=0) == {}


def test_unencrypted_only_to_this_machine(wearer: "CommandLine") -> None:
    said = wearer("share", "mqtt", "192.168.1.9", "--no-tls")
    assert said.code == 2
    assert "pass no network unencrypted" in said.err
    with pytest.raises(UsageError):
        share_mqtt.Broker("broker.example.org", 1883, tls=False)


# ---- again and again


@contextlib.contextmanager
def watched(bench: "StoreBench") -> Iterator[tuple[Any, list[int]]]:
    """A store with a heart rate of now and a consent; opened anew each time."""
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        bench.commit(store, device, "1", {int(time.time()) - 5: 61})
        keep_wearer(store, {"height_cm": 168}, 1)
        store.give_share_consent(ShareConsent("mqtt:127.0.0.1", ("heart_rate",), None, None, 1))
    yield bench.open, []


def test_it_goes_on_until_the_consent_is_taken_back(
    bench: "StoreBench", clean_broker: Broker
) -> None:
    told: list[int] = []
    seen: list[str] = []

    def tell(readings: int) -> None:
        told.append(readings)
        seen.extend(
            text for topic, text in clean_broker.retained().items() if "availability" in topic
        )
        if len(told) == 3:
            with bench.open() as store:
                store.withdraw_share_consent("mqtt:127.0.0.1", 2)

    address = share_mqtt.Broker(
        "127.0.0.1", clean_broker.port, False, None, clean_broker.user, clean_broker.password
    )
    with watched(bench) as (open_store, _), pytest.raises(PolicyError):
        publish(open_store, address, every_s=0.01, tell=tell)
    assert told == [1, 1, 1]
    assert seen == ["online"] * 3
    after = clean_broker.retained()
    assert [text for topic, text in after.items() if "availability" in topic] == ["offline"]
    with bench.open() as store:
        (noted,) = store.shares()
    assert (noted.outcome, noted.samples) == ("sent", 3)


def test_who_is_killed_is_offline(bench: "StoreBench", clean_broker: Broker) -> None:
    """The broker tells it in our place: here a relay cuts the connection in the middle."""
    with relay(clean_broker.port) as (port, cut), watched(bench) as (open_store, _):
        address = share_mqtt.Broker(
            "127.0.0.1", port, False, None, clean_broker.user, clean_broker.password
        )

        def tell(_: int) -> None:
            cut()

        with pytest.raises(Exception, match="cannot be reached, or broke off"):
            publish(open_store, address, every_s=0.05, tell=tell)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        kept = clean_broker.retained()
        if "offline" in kept.values():
            break
    assert "offline" in kept.values()


@contextlib.contextmanager
def relay(port: int) -> Iterator[tuple[int, Any]]:
    """Passes bytes on to a port, until it is cut."""
    server = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", port), 5)
            ends.extend((near, far))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    def cut() -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], cut
    finally:
        cut()
        server.close()
        thread.join(5)
        for end in ends:
            end.close()


# ---- what is told


def told(lists: dict[str, list[Row]], now_utc_s: int = NOW) -> dict[str, Any]:
    """The state of the watch `wrist`."""
    devices = [ExportDevice("wrist", "KS Watch", "ido", "uid")]
    source = TableSource({name: [rows] for name, rows in lists.items()}, devices=devices)
    found, _ = messages(source, "home", now_utc_s)
    (state,) = [one.text for one in found if one.topic.endswith("/state")]
    return json.loads(state) if state else {}


def test_the_day_is_the_wearers_and_counts_from_its_midnight() -> None:
    midnight = NOW - (NOW + HOUR_S) % DAY_S  # one hour ahead of UTC
    steps = [
        sample("steps", "wrist", start, steps=count, duration_s=900)
        for start, count in ((midnight - 900, 4000), (midnight, 20), (midnight + 900, 3))
    ]
    state = told({"steps": steps})
    assert state["steps"] == 23
    assert state["about"]["steps"]["measured_at"].endswith("Z")
    assert told({"steps": steps[:1]}) == {}  # yesterday's are not today's, and not zero


def test_a_clock_of_another_time_is_no_news() -> None:
    beats = [
        sample("heart_rate", "wrist", start, bpm=bpm)
        for start, bpm in ((0, 40), (NOW - 8 * DAY_S, 50), (NOW - 60, 61), (4_070_908_800, 99))
    ]
    assert told({"heart_rate": beats})["heart_rate"] == 61
    assert told({"heart_rate": beats[:2]}) == {}
    assert told({"heart_rate": beats[3:]}) == {}


def test_what_is_not_known_is_absent_and_what_is_not_proven_says_so() -> None:
    rows = [
        sample("heart_rate_variability", "wrist", NOW - 60, sdnn_ms=40.0),
        sample("heart_rate_variability", "wrist", NOW - 30, sdnn_ms=41.0),
    ]
    assert told({"heart_rate_variability": rows}) == {}
    night = sample("sleep_summary", "wrist", NOW - HOUR_S, light_min=200, deep_min=90, quality=1)
    state = told({"sleep_summary": [night]})
    assert state["sleep"] == 290
    assert state["about"]["sleep"]["quality"] == "provisional"


def test_topics_tell_nothing_and_hold_no_wildcards() -> None:
    device = ExportDevice("Ann's #1 +watch/", "", "ido", "")
    source = TableSource(
        {"heart_rate": [[sample("heart_rate", device.alias, NOW, bpm=60)]]}, devices=[device]
    )
    found, count = messages(source, home_id(open_home({"KSOS_HOME": "here"})), NOW)
    assert count == 1
    for message in (*found, *empty_messages([device])):
        assert re.fullmatch(r"[a-z0-9_/-]+", message.topic)
    config = next(json.loads(one.text) for one in found if one.text)
    assert config["device"] == {
        "identifiers": [config["unique_id"].removesuffix("_heart_rate")],
        "name": device.alias,
        "model": "ido",
    }


def test_every_sensor_reads_a_column_that_its_metric_has() -> None:
    from firmware_protocol.samples import METRICS

    for sensor in SENSORS:
        columns = dict.fromkeys(METRICS[sensor.metric].row_names, 7)
        assert sensor.value(columns) is not None
    assert len({sensor.key for sensor in SENSORS}) == len(SENSORS)


def test_the_store_is_closed_between_two_times(bench: "StoreBench") -> None:
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(bench.open())
        return opened[-1]

    with watched(bench), pytest.raises(Exception, match="cannot be reached"):
        publish(open_store, share_mqtt.Broker("127.0.0.1", free_port(), tls=False))
    assert opened
    for store in opened:
        with pytest.raises(StoreError, match="closed"):
            store.counts()
