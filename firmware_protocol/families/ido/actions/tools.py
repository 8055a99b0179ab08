"""Music, camera, finding, weather (ido.md 4.6, 4.8, 8.5)."""

from collections.abc import Mapping
from typing import Final

from firmware_protocol.actions import EndFindPhone, FindWatch, PushWeather, ShowMusic, UseCamera
from firmware_protocol.events import Remarked, TextCut
from firmware_protocol.families.ido.conversation import Conversation
from firmware_protocol.families.ido.settings.values import clock
from firmware_protocol.family import Dialogue, Report
from firmware_protocol.settings.kinds import cut_to_bytes
from firmware_protocol.weather import Forecast

_CITY_BYTES: Final = 16  # of a frame of 20 (4.8, C)
_NEXT_DAYS: Final = 3
_UNKNOWN_DAY: Final = {"type": "other", "maximum_raw": 0, "minimum_raw": 0}
_MOST: Final = 0xFF
_BELOW_ZERO: Final = 100  # V3 weather sends 100 + |t| (6.5); in 0A 01 the sign is open (P)

# WMO 4677 as `weather.CONDITIONS` selects it -> pictures of 8.5
_DAY_PICTURES: Final[Mapping[int, str]] = {
    0: "sunny",
    1: "sunny",
    2: "cloudy",
    3: "overcast",
    45: "haze",
    48: "haze",
    **dict.fromkeys((51, 53, 55, 61, 63), "rain"),
    **dict.fromkeys((56, 57, 66, 67), "sleet"),
    65: "heavy_rain",
    **dict.fromkeys((71, 73, 75, 77, 85, 86), "snow"),
    **dict.fromkeys((80, 81), "shower"),
    82: "heavy_rain",
    **dict.fromkeys((95, 96, 99), "thunderstorm"),
}
_NIGHT_PICTURES: Final[Mapping[int, str]] = {0: "clear_night", 1: "clear_night", 2: "cloudy_night"}


def show_music(conversation: Conversation, music: ShowMusic) -> Dialogue:
    """06 01 (C L): only whether something plays."""
    for name in ("title", "artist"):
        if getattr(music, name):
            yield Report(TextCut(name, "", 0))
    state = {"state": "playing" if music.playing else "stopped"}
    yield from conversation.acknowledged("ido.control.music", state, "to show the music", "music")


def find_watch(conversation: Conversation, find: FindWatch) -> Dialogue:
    """06 04 (L)."""
    state = {"state": "start" if find.on else "stop"}
    yield from conversation.acknowledged("ido.control.find_watch", state, "to call out", "finding")


def end_find_phone(conversation: Conversation, _end: EndFindPhone) -> Dialogue:
    """06 07 (V). Older watches do not know it: their silence is no failure."""
    yield from conversation.classic("ido.control.find_phone_end", attempts=1)


def use_camera(conversation: Conversation, camera: UseCamera) -> Dialogue:
    """06 02 (V)."""
    state = {"state": "start" if camera.on else "stop"}
    yield from conversation.acknowledged(
        "ido.control.camera", state, "to be a camera key", "camera key"
    )


def push_weather(conversation: Conversation, push: PushWeather) -> Dialogue:
    """0A 01 (C), 0A 02 (C) where there is a city, 0A 06 (V) where the watch shows the sun."""
    forecast = push.forecast
    if _is_below_zero(push):
        yield Report(
            Remarked("how this watch writes temperatures below zero is not proven: look at it")
        )
    yield from conversation.acknowledged(
        "ido.weather.today", _today_fields(push), "to take the weather", "weather"
    )
    if forecast.city:
        city = cut_to_bytes(forecast.city, _CITY_BYTES)
        if city != forecast.city:
            yield Report(TextCut("city", city, _CITY_BYTES))
        yield from conversation.acknowledged(
            "ido.weather.city", {"city": city}, "to take the city", "city"
        )
    listed = conversation.capabilities or frozenset()
    if forecast.sunrise and forecast.sunset and "sun_times" in listed:
        times = {"sunrise": clock(forecast.sunrise), "sunset": clock(forecast.sunset)}
        yield from conversation.acknowledged(
            "ido.weather.sun", times, "to take the times of the sun", "times of the sun"
        )
    if len(forecast.days) < 1 + _NEXT_DAYS:
        yield Report(Remarked(f"the watch shows {_NEXT_DAYS} more days: unknown ones as 0 degrees"))
    if len(forecast.days) > 1 + _NEXT_DAYS or forecast.hours:
        yield Report(
            Remarked(f"this wire takes today and {_NEXT_DAYS} days; hours have no known layout")
        )


def picture(wmo_code: int, *, is_night: bool = False) -> str:
    """The watch's picture of a WMO code; `other` where it has none."""
    night = _NIGHT_PICTURES.get(wmo_code) if is_night else None
    return night or _DAY_PICTURES.get(wmo_code, "other")


def _today_fields(push: PushWeather) -> Mapping[str, object]:
    """0A 01, always whole: days that nobody knows are zeros, not what the watch has in memory."""
    forecast = push.forecast
    today, *later = forecast.days

    def raw(temperature_c: float) -> int:
        degrees = round(_degrees(temperature_c, fahrenheit=push.fahrenheit))
        return degrees if degrees >= 0 else min(_MOST, _BELOW_ZERO - degrees)

    return {
        "type": picture(forecast.wmo_code, is_night=forecast.is_night),
        "temperature_raw": raw(forecast.temperature_c),
        "maximum_raw": raw(today.high_c),
        "minimum_raw": raw(today.low_c),
        "humidity_pct": forecast.humidity_pct or 0,
        "uv": min(_MOST, forecast.uv_index or 0),
        "air_quality": min(_MOST, forecast.air_quality_index or 0),
        "next_days": [
            *(
                {
                    "type": picture(day.wmo_code),
                    "maximum_raw": raw(day.high_c),
                    "minimum_raw": raw(day.low_c),
                }
                for day in later[:_NEXT_DAYS]
            ),
            *[_UNKNOWN_DAY] * (_NEXT_DAYS - len(later)),
        ],
    }


def _is_below_zero(push: PushWeather) -> bool:
    sent: Forecast = push.forecast
    values = [sent.temperature_c]
    values += [value for day in sent.days[: 1 + _NEXT_DAYS] for value in (day.high_c, day.low_c)]
    return any(round(_degrees(value, fahrenheit=push.fahrenheit)) < 0 for value in values)


def _degrees(temperature_c: float, *, fahrenheit: bool) -> float:
    return temperature_c * 9 / 5 + 32 if fahrenheit else temperature_c
