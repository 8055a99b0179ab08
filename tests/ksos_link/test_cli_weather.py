"""`ksos weather auto --every-min`: it goes on whatever is out of reach for a while."""

from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.weather import DayForecast, Forecast
from ksos_link.errors import KsosError, MalformedError, NotFoundError, PolicyError
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = "virtual:ido?scenario=empty&bound=yes"
AUTO = ("weather", "auto", "--latitude", "47", "--longitude", "7", "--every-min", "5")
FORECAST = Forecast(63, 12.0, (DayForecast(63, 14.0, 9.0),))


def provide(patch: pytest.MonkeyPatch, answers: list[Forecast | KsosError]) -> list[object]:
    """Answer each question for the weather with the next of `answers`; returns the places asked."""
    asked: list[object] = []

    async def fetch(_store: Any, _source: Any, place: object) -> Forecast:
        asked.append(place)
        answer = answers.pop(0)
        if isinstance(answer, KsosError):
            raise answer
        return answer

    patch.setattr("ksos_link.operations.weather_providers.fetch_forecast", fetch)
    return asked


def test_a_provider_that_is_away_is_asked_again(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    let_watches_last(monkeypatch)
    away = NotFoundError("The provider does not answer.")
    asked = provide(monkeypatch, [FORECAST, away, FORECAST, MalformedError("Nonsense.")])
    said = ksos("--device", WATCH, *AUTO)
    assert (said.code, len(asked)) == (MalformedError.exit_code, 4)
    assert said.err.splitlines()[-4:-2] == [
        "remark     The provider does not answer. Trying again.",
        "sent       the weather once more",
    ]


@pytest.mark.parametrize("lost_at", range(18, 22))
def test_a_watch_that_goes_away_gets_the_weather_later(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, lost_at: int
) -> None:
    let_watches_last(monkeypatch)
    asked = provide(monkeypatch, [FORECAST] * 4 + [PolicyError("The consent was taken back.")])
    said = ksos("--device", f"{WATCH}&fault=lose-write@{lost_at}", *AUTO)
    assert (said.code, len(asked)) == (PolicyError.exit_code, 5), said.err
    assert said.err.count("the weather once more") in (2, 3)


def test_a_consent_that_is_taken_back_ends_it(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    let_watches_last(monkeypatch)
    asked = provide(monkeypatch, [FORECAST, PolicyError("The consent was taken back.")])
    said = ksos("--device", WATCH, *AUTO, "--quiet")
    assert (said.code, len(asked)) == (PolicyError.exit_code, 2)
    assert said.err.startswith("error: The consent was taken back.")
