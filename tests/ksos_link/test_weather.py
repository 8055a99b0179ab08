"""The weather: from words, files and a provider on this machine; nothing leaves without consent."""

import asyncio
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.weather import CONDITIONS, Forecast
from ksos_link.errors import MalformedError, NotFoundError, PolicyError, UsageError
from ksos_link.operations import weather_providers
from ksos_link.operations.consents import OPEN_METEO, allow
from ksos_link.operations.weather import (
    Said,
    condition_code,
    forecast_from,
    forecast_said,
    read_forecast,
)
from ksos_link.operations.weather_providers import (
    OpenMeteo,
    Place,
    fetch_forecast,
    provider_named,
    provider_names,
)
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, StoreBench

WATCH = "virtual:ido?scenario=empty&bound=yes"
ANSWER = {
    "current": {
        "temperature_2m": 7.4,
        "relative_humidity_2m": 81,
        "weather_code": 61,
        "is_day": 0,
    },
    "daily": {
        "weather_code": [61, 3, 0],
        "temperature_2m_max": [9.1, 11.0, 12.5],
        "temperature_2m_min": [4.0, 3.2, -0.4],
        "sunrise": ["2026-11-27T07:41", "2026-11-28T07:42", "2026-11-29T07:43"],
        "sunset": ["2026-11-27T16:39", "2026-11-28T16:38", "2026-11-29T16:38"],
        "uv_index_max": [1.2, 1.0, 0.9],
    },
    "hourly": {
        "time": ["2026-11-27T00:00", "2026-11-27T01:00"],
        "temperature_2m": [6.0, None],
        "weather_code": [61, 61],
        "precipitation_probability": [80, 70],
    },
}


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers as a test says, and notes what it was asked."""

    answer: ClassVar[bytes] = b""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Provider]]:
    """A weather provider on this machine, in the place of the real one."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Provider.answer, Provider.asked = json.dumps(ANSWER).encode(), []
    url = f"http://127.0.0.1:{server.server_port}/v1/forecast"
    monkeypatch.setattr(weather_providers, "_BUILT_IN", {"open-meteo": lambda: OpenMeteo(url)})
    yield Provider
    server.shutdown()
    server.server_close()
    thread.join()


def test_words_make_a_forecast() -> None:
    said = Said("partly-cloudy", 12.5, 14, 9, "Bern", days=("rain,12,7", "3, 5.5, -1"))
    forecast = forecast_said(said)
    assert (forecast.wmo_code, forecast.city) == (2, "Bern")
    assert [day.wmo_code for day in forecast.days] == [2, 63, 3]
    assert forecast.days[2].low_c == -1


@pytest.mark.parametrize(
    "said",
    [
        Said("lava", 1, 2, 0),
        Said("rain", 1, 2, 3),
        Said("rain", 200, 2, 1),
        Said("rain", 1, 2, 0, days=("rain",)),
        Said("rain", 1, 2, 0, days=("rain,a,b",)),
        Said("100", 1, 2, 0),
    ],
)
def test_words_that_mean_nothing_are_refused(said: Said) -> None:
    with pytest.raises(UsageError):
        forecast_said(said)


def test_every_condition_has_a_word_and_a_number() -> None:
    for code, name in CONDITIONS.items():
        assert condition_code(name) == condition_code(str(code)) == code


def test_a_file_makes_a_forecast(tmp_path: Path) -> None:
    file = tmp_path / "forecast.json"
    values = {
        "wmo_code": 71,
        "temperature_c": -2,
        "days": [{"wmo_code": 71, "high_c": 0, "low_c": -8}],
        "hours": [{"start": "2026-11-27T15:00", "wmo_code": 71, "temperature_c": -2}],
        "humidity_pct": 90,
        "sunrise": "07:41",
        "sunset": "16:39",
        "city": "Davos",
    }
    file.write_text(json.dumps(values))
    forecast = read_forecast(file)
    assert forecast.sunset == time(16, 39)
    assert (forecast.days[0].low_c, forecast.hours[0].precipitation_pct) == (-8, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "must be an object"),
        (b"{}", "wmo_code must be a number"),
        (b'{"wmo_code":0,"temperature_c":1,"days":3}', "days must be a list"),
        (b'{"wmo_code":0,"temperature_c":1,"days":[3]}', "each of days must be an object"),
        (b'{"wmo_code":0,"temperature_c":NaN,"days":[]}', "must be from"),
        (b'{"wmo_code":0,"temperature_c":1,"days":[],"city":3}', "city must be a text"),
        (b'{"wmo_code":0,"temperature_c":1,"days":[]}', "today's forecast is needed"),
        (b" " * ((1 << 20) + 1), "too large"),
    ],
)
def test_a_file_that_is_no_forecast_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "forecast.json"
    file.write_bytes(content)
    with pytest.raises(MalformedError, match=reason):
        read_forecast(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_forecast(tmp_path / "none.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["wmo_code", "temperature_c", "days", "hours", "high_c", "low_c", "start"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(VALUES)
def test_nonsense_is_malformed_and_never_more(values: object) -> None:
    with contextlib.suppress(MalformedError):
        assert isinstance(forecast_from(values), Forecast)


def test_a_provider_is_asked_only_with_consent_and_gets_a_rounded_place(
    provider: type[Provider], bench: "StoreBench"
) -> None:
    source = provider_named("open-meteo")
    place = Place(46.948_123, 7.447_987, "Bern")
    with bench.open() as store:
        for kept in (None, store):
            with pytest.raises(PolicyError, match=r"goes to api\.open-meteo\.com") as caught:
                asyncio.run(fetch_forecast(kept, source, place))
            assert caught.value.hint.endswith("ksos privacy allow weather:open-meteo")
        assert provider.asked == []
        allow(store, OPEN_METEO, 1)
        forecast = asyncio.run(fetch_forecast(store, source, place))
    (asked,) = provider.asked
    assert "latitude=46.95&longitude=7.45&" in asked
    assert "Bern" not in asked
    assert (forecast.wmo_code, forecast.is_night, forecast.city) == (61, True, "Bern")
    assert forecast.uv_index == 1
    assert len(forecast.days) == 3
    assert len(forecast.hours) == 1
    assert forecast.sunrise == time(7, 41)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no json",
        b"{}",
        b"[]",
        b'{"current":3,"daily":{}}',
        json.dumps({**ANSWER, "daily": {**ANSWER["daily"], "sunrise": []}}).encode(),  # type: ignore[dict-item]
        json.dumps({**ANSWER, "daily": {**ANSWER["daily"], "weather_code": [1]}}).encode(),  # type: ignore[dict-item]
        b" " * ((1 << 20) + 1),
    ],
)
def test_a_provider_that_answers_nonsense(provider: type[Provider], answer: bytes) -> None:
    provider.answer = answer
    with pytest.raises(MalformedError):
        asyncio.run(provider_named("open-meteo").forecast(Place(0, 0)))


def test_a_provider_out_of_reach() -> None:
    with pytest.raises(NotFoundError, match="cannot be reached"):
        asyncio.run(OpenMeteo("http://127.0.0.1:9/none").forecast(Place(0, 0)))


@pytest.mark.parametrize("place", [(91, 0), (0, 181), (float("nan"), 0)])
def test_no_such_place(place: tuple[float, float]) -> None:
    with pytest.raises(UsageError):
        Place(*place)


def test_plug_ins_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "mine"

        def load(self) -> Any:
            return lambda: OpenMeteo("http://127.0.0.1:9", consent=None)

    class Broken(Entry):
        name = "broken"

        def load(self) -> Any:
            raise ImportError("no such module")

    monkeypatch.setattr(weather_providers, "entry_points", lambda group: [Entry(), Broken()])
    assert provider_names() == ["broken", "mine", "open-meteo"]
    assert provider_named("mine").consent is None
    with pytest.raises(UsageError, match="broken cannot be loaded"):
        provider_named("broken")
    with pytest.raises(UsageError, match="no weather provider nobody"):
        provider_named("nobody")


# --- the commands


def test_the_weather_by_command(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    let_watches_last(monkeypatch)
    words = ("--condition", "rain", "--now", "-3", "--high", "4", "--low", "-5", "--city", "Bern")
    said = ksos("--device", WATCH, "weather", "push", *words, "--day", "snow,1,-2")
    assert said.code == 0
    assert "below zero" in said.err
    assert ksos("--device", WATCH, "weather", "show").code == 0
    assert ksos("--device", WATCH, "weather", "off").code == 0
    for wrong in (
        ("--condition", "rain"),
        ("--now", "3"),
        (*words[:3], "warm"),
        (*words[:3], "999"),
    ):
        assert ksos("--device", WATCH, "weather", "push", *wrong).code == 2
    assert ksos("--device", WATCH, "weather", "push", "--file", "/no/such").code == 3


def test_the_weather_by_a_provider(
    ksos: "CommandLine", provider: type[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_watches_last(monkeypatch)
    # a thread asks the provider, for which a loop must truly wait
    monkeypatch.setattr("asyncio.events.new_event_loop", asyncio.SelectorEventLoop)
    place = ("--latitude", "46.95", "--longitude", "7.45")
    assert ksos("--device", WATCH, "weather", "auto", *place).code == 9
    assert provider.asked == []
    assert ksos("privacy", "allow", "weather:open-meteo").code == 0
    said = ksos("--device", WATCH, "weather", "auto", *place, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["done"] == "The watch has the weather."
    assert len(provider.asked) == 1
    assert ksos("--device", WATCH, "weather", "auto", *place, "--provider", "x").code == 2


def test_the_watch_wants_the_weather_again(
    ksos: "CommandLine", provider: type[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_watches_last(monkeypatch)
    monkeypatch.setattr("asyncio.events.new_event_loop", asyncio.SelectorEventLoop)
    answer = provider.do_GET

    def answer_twice(self: Provider) -> None:
        answer(self)
        if len(provider.asked) == 2:  # nonsense ends what would go on for ever
            provider.answer = b"nonsense"

    monkeypatch.setattr(provider, "do_GET", answer_twice)
    assert ksos("privacy", "allow", "weather:open-meteo").code == 0
    wanted = f"{WATCH}{'&' if '?' in WATCH else '?'}do=weather_wanted@1,weather_wanted@2"
    place = ("--latitude", "46.95", "--longitude", "7.45", "--every-min", "5")
    said = ksos("--device", wanted, "weather", "auto", *place)
    assert said.code == MalformedError.exit_code
    assert len(provider.asked) == 3
    assert "sent       the weather once more" in said.err
    assert "answered nonsense" in said.err
