"""Where a forecast comes from, if the person consented: plug-ins, and Open-Meteo built in.

A plug-in is an entry point of the group `ksos_link.weather` that names a function without
arguments which returns a `WeatherProvider`.
"""

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

from firmware_protocol.weather import Forecast
from ksos_link.errors import MalformedError, NotFoundError, UsageError
from ksos_link.operations.consents import OPEN_METEO, check_consent
from ksos_link.operations.weather import forecast_from
from ksos_link.store.database import Store

GROUP: Final = "ksos_link.weather"
OPEN_METEO_URL: Final = "https://api.open-meteo.com/v1/forecast"
_TIMEOUT_S: Final = 20.0
_MOST_BYTES: Final = 1 << 20
_PLACES: Final = 2  # 0.01 degrees are a kilometre: enough for weather, too little for a home


@dataclass(frozen=True, slots=True)
class Place:
    """Where the weather is wanted. `city` is only what the watch shows: it goes nowhere else."""

    latitude: float
    longitude: float
    city: str = ""

    def __post_init__(self) -> None:
        """Check that it is a place on Earth.

        Raises:
            UsageError: it is none.
        """
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise UsageError(
                "There is no such place.", "Latitude goes from -90 to 90, longitude to 180."
            )


class WeatherProvider(Protocol):
    """Knows the weather. `consent` names what the person must have consented to, None for nothing.

    A provider that sends anything off this machine must name a consent.
    """

    consent: str | None

    async def forecast(self, place: Place) -> Forecast:
        """The weather of a place, now and in the next days.

        Raises:
            NotFoundError: the provider cannot be reached.
            MalformedError: it answered nonsense.
        """


@dataclass(frozen=True, slots=True)
class OpenMeteo:
    """api.open-meteo.com: no key, no account. The place is rounded before it leaves."""

    url: str = OPEN_METEO_URL
    consent: str | None = OPEN_METEO

    async def forecast(self, place: Place) -> Forecast:
        """See `WeatherProvider.forecast`."""
        query = urllib.parse.urlencode(
            {
                "latitude": round(place.latitude, _PLACES),
                "longitude": round(place.longitude, _PLACES),
                "current": "temperature_2m,relative_humidity_2m,weather_code,is_day",
                "daily": "weather_code,temperature_2m_max,temperature_2m_min,"
                "sunrise,sunset,uv_index_max",
                "hourly": "temperature_2m,weather_code,precipitation_probability",
                "timezone": "auto",
            }
        )
        answer = await asyncio.to_thread(_fetch, f"{self.url}?{query}")
        try:
            return _forecast(answer, place.city)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise MalformedError("The weather provider answered nonsense.") from error


_BUILT_IN: Final[Mapping[str, Any]] = {"open-meteo": OpenMeteo}


def provider_names() -> list[str]:
    """Every provider there is: built in, and plug-ins."""
    return sorted({*_BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))})


def provider_named(name: str) -> WeatherProvider:
    """The provider of that name.

    Raises:
        UsageError: there is none, or the plug-in cannot be loaded.
    """
    provider: WeatherProvider
    if name in _BUILT_IN:
        provider = _BUILT_IN[name]()
        return provider
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            try:
                provider = entry.load()()
            except Exception as error:
                raise UsageError(f"The plug-in {name} cannot be loaded: {error}.") from error
            return provider
    raise UsageError(
        f"There is no weather provider {name}.", f"There are: {', '.join(provider_names())}."
    )


async def fetch_forecast(store: Store | None, provider: WeatherProvider, place: Place) -> Forecast:
    """Ask a provider, if the person consented to it.

    Raises:
        PolicyError: they have not; nothing left the machine.
        NotFoundError, MalformedError: see `WeatherProvider.forecast`.
    """
    if provider.consent is not None:
        check_consent(store, provider.consent)
    return await provider.forecast(place)


def _fetch(url: str) -> Any:  # what JSON holds
    request = urllib.request.Request(url, headers={"User-Agent": "ksos-link"})  # noqa: S310 a URL of ours
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 the same
            data = answer.read(_MOST_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NotFoundError(
            "The weather provider cannot be reached.", "Is this machine online? Try again later."
        ) from error
    if len(data) > _MOST_BYTES:
        raise MalformedError("The weather provider answered far too much.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("The weather provider answered nonsense.") from error


def _forecast(answer: Any, city: str) -> Forecast:  # what JSON holds
    now, daily, hourly = answer["current"], answer["daily"], answer.get("hourly") or {}
    return forecast_from(
        {
            "wmo_code": now["weather_code"],
            "temperature_c": now["temperature_2m"],
            "humidity_pct": now.get("relative_humidity_2m"),
            "is_night": now.get("is_day") == 0,
            "uv_index": (daily.get("uv_index_max") or [None])[0],
            "sunrise": _clock(daily["sunrise"][0]),
            "sunset": _clock(daily["sunset"][0]),
            "city": city,
            "days": [
                {"wmo_code": code, "high_c": high, "low_c": low}
                for code, high, low in zip(
                    daily["weather_code"],
                    daily["temperature_2m_max"],
                    daily["temperature_2m_min"],
                    strict=True,
                )
            ],
            "hours": [
                {
                    "start": start,
                    "wmo_code": code,
                    "temperature_c": temperature,
                    "precipitation_pct": rain,
                }
                for start, code, temperature, rain in zip(
                    hourly.get("time", []),
                    hourly.get("weather_code", []),
                    hourly.get("temperature_2m", []),
                    hourly.get("precipitation_probability", []),
                    strict=False,
                )
                if temperature is not None and code is not None
            ],
        }
    )


def _clock(text: str) -> str:
    return f"{datetime.fromisoformat(text):%H:%M}"
