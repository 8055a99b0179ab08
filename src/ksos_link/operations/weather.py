"""The weather for a watch: from what a person says, from a file, or from a provider."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final

from firmware_protocol.actions import PushWeather
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import Event
from firmware_protocol.settings import WeatherDisplay
from firmware_protocol.weather import CONDITIONS, DayForecast, Forecast, HourForecast
from ksos_link.errors import MalformedError, NotFoundError, UsageError
from ksos_link.operations.open_watch import OpenWatch

_MOST_BYTES: Final = 1 << 20  # a forecast is some kilobytes
_SCHEMA: Final = "see the manual: ksos weather push"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of the weather. `days` are `condition,high,low` from tomorrow on."""

    condition: str
    now_c: float
    high_c: float
    low_c: float
    city: str = ""
    humidity_pct: int | None = None
    days: tuple[str, ...] = ()


async def push_weather(watch: OpenWatch, forecast: Forecast) -> list[Event]:
    """Send a forecast, in the unit that the watch was set to; its display is switched on first.

    Raises:
        RefusedError, BluetoothError: see `OpenWatch.do`.
    """
    display = await watch.weather.show()
    if not display.setting.on:
        await watch.weather.write(WeatherDisplay(on=True))
    units = await watch.units.show()
    fahrenheit = units.setting.temperature == "fahrenheit"
    return await watch.do(PushWeather(forecast, fahrenheit))


def forecast_said(said: Said) -> Forecast:
    """A forecast of a person's words.

    Raises:
        UsageError: an unknown condition, or a value that no thermometer shows.
    """
    today = DayForecast(condition_code(said.condition), said.high_c, said.low_c)
    later = tuple(_day_said(text) for text in said.days)
    return _checked(
        wmo_code=today.wmo_code,
        temperature_c=said.now_c,
        days=(today, *later),
        city=said.city,
        humidity_pct=said.humidity_pct,
    )


def condition_code(text: str) -> int:
    """The WMO code of a number or of a word such as `rain` or `partly-cloudy`.

    Raises:
        UsageError: it is neither.
    """
    if text.isascii() and text.isdecimal() and int(text) <= 99:
        return int(text)
    wanted = text.lower().replace("-", " ").replace("_", " ").strip()
    for code, name in CONDITIONS.items():
        if wanted == name:
            return code
    names = ", ".join(name.replace(" ", "-") for name in CONDITIONS.values())
    raise UsageError(f"There is no weather {text!r}.", f"A WMO code, or one of: {names}.")


def read_forecast(path: Path) -> Forecast:
    """A forecast from a JSON file.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is no forecast, with the name of what is wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"There is no file {path.name} that can be read.") from error
    if len(data) > _MOST_BYTES:
        raise MalformedError("The file is too large for a forecast.", _SCHEMA)
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("The file is no JSON.", _SCHEMA) from error
    return forecast_from(values)


def forecast_from(values: object) -> Forecast:
    """A forecast from plain values: WMO codes, degrees Celsius, percent.

    Raises:
        MalformedError: a value is missing, of the wrong type or out of range.
    """
    try:
        top = _mapping(values, "the forecast")
        days = tuple(
            DayForecast(
                int(_number(day, "wmo_code")), _number(day, "high_c"), _number(day, "low_c")
            )
            for day in _list(top, "days")
        )
        hours = tuple(
            HourForecast(
                datetime.fromisoformat(_text(hour, "start")),
                int(_number(hour, "wmo_code")),
                _number(hour, "temperature_c"),
                _whole(hour, "precipitation_pct"),
            )
            for hour in _list(top, "hours")
        )
        return Forecast(
            wmo_code=int(_number(top, "wmo_code")),
            temperature_c=_number(top, "temperature_c"),
            days=days,
            city=_text(top, "city") if "city" in top else "",
            humidity_pct=_whole(top, "humidity_pct"),
            uv_index=_whole(top, "uv_index"),
            air_quality_index=_whole(top, "air_quality_index"),
            hours=hours,
            sunrise=time.fromisoformat(_text(top, "sunrise")) if top.get("sunrise") else None,
            sunset=time.fromisoformat(_text(top, "sunset")) if top.get("sunset") else None,
            is_night=top.get("is_night") is True,
        )
    except (ValueError, LocalProtocolError) as error:
        raise MalformedError(f"That is no forecast: {error}.", _SCHEMA) from error


def _day_said(text: str) -> DayForecast:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:
        raise UsageError(f"The day {text!r} makes no sense.", "Give condition,high,low: rain,12,7")
    try:
        high_c, low_c = float(parts[1]), float(parts[2])
    except ValueError as error:
        raise UsageError(
            f"The day {text!r} has no temperatures.", "Give condition,high,low: rain,12,7"
        ) from error
    return DayForecast(condition_code(parts[0]), high_c, low_c)


def _checked(**values: Any) -> Forecast:  # fields of several types
    try:
        return Forecast(**values)
    except LocalProtocolError as error:
        raise UsageError(f"{error}.") from error


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object")  # noqa: TRY004 all of them mean a wrong file
    return value


def _list(top: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    values = top.get(name, [])
    if not isinstance(values, list):
        raise ValueError(f"{name} must be a list")  # noqa: TRY004 all of them mean a wrong file
    return [_mapping(value, f"each of {name}") for value in values]


def _number(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")  # noqa: TRY004 all of them mean a wrong file
    if value != value or abs(value) > 1e6:  # noqa: PLR0124 only NaN differs from itself
        raise ValueError(f"{name} must be from -1000000 to 1000000")
    return float(value)


def _whole(values: Mapping[str, Any], name: str) -> int | None:
    return None if values.get(name) is None else round(_number(values, name))


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")  # noqa: TRY004 all of them mean a wrong file
    return value
