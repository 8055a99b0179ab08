"""The screen, the wrist and the keys on the IDO wire (ido.md 4.3; readbacks 4.2)."""

from typing import Final

from firmware_protocol.families.ido.settings.values import clock, code, is_on, switch
from firmware_protocol.families.ido.settings.way import Fields, Known, Messages, Way, classic_way
from firmware_protocol.settings import (
    Brightness,
    MusicControl,
    Orientation,
    PhoneVolume,
    RaiseToWake,
    Shortcut,
    Sos,
    WeatherDisplay,
    Wrist,
)


def _write_brightness(brightness: Brightness, _known: Known) -> Messages:
    """03 32 (C)."""
    fields = {
        "level_pct": brightness.level_pct,
        "set_by": "wearer",
        "mode": code(brightness.mode),
        "night": code(brightness.night),
        "start": clock(brightness.start),
        "end": clock(brightness.end),
        "night_level_pct": brightness.night_level_pct,
        "screen_on_s": brightness.screen_on_s,
    }
    return [("ido.set.brightness", fields)]


def _write_raise(wake: RaiseToWake, _known: Known) -> Messages:
    """03 28 (C): the app sends the whole day as a range, too."""
    fields = {
        "switch": switch(wake.on),
        "show_s": wake.show_s,
        "has_range": 1,
        "start": clock(wake.start),
        "end": clock(wake.end),
    }
    return [("ido.set.raise_to_wake", fields)]


def _raise_values(fields: Fields) -> Fields:
    """02 B1 (C L)."""
    all_day = fields.get("has_range") == 0
    return {
        "on": is_on(fields.get("switch")),
        "show_s": fields.get("show_s"),
        "start": "00:00" if all_day else fields.get("start"),
        "end": "23:59" if all_day else fields.get("end"),
    }


def _write_orientation(orientation: Orientation, _known: Known) -> Messages:
    return [("ido.set.orientation", {"orientation": orientation.orientation})]


def _write_wrist(wrist: Wrist, _known: Known) -> Messages:
    return [("ido.set.wear_hand", {"hand": wrist.wrist})]


def _write_shortcut(shortcut: Shortcut, _known: Known) -> Messages:
    return [("ido.set.shortcut", {"shortcut": shortcut.shortcut})]


def _write_music(music: MusicControl, _known: Known) -> Messages:
    fields = {"switch": switch(music.on), "song_info": switch(music.song_info)}
    return [("ido.set.music", fields)]


def _write_weather(weather: WeatherDisplay, _known: Known) -> Messages:
    return [("ido.set.weather", {"switch": switch(weather.on)})]


def _write_sos(sos: Sos, _known: Known) -> Messages:
    return [("ido.set.sos", {"switch": switch(sos.on), "phone_type": 0})]


def _write_volume(volume: PhoneVolume, _known: Known) -> Messages:
    return [("ido.set.phone_volume", {"total": volume.total, "current": volume.current})]


_VENDOR: Final = "vendor documentation only"

WAYS: Final[tuple[Way, ...]] = (
    classic_way(
        Brightness,
        "03 32, 02 B0",
        _write_brightness,
        question="ido.get.brightness",
        needs=("brightness",),
        reads_back_with="read_brightness",
    ),
    classic_way(
        RaiseToWake,
        "03 28, 02 B1",
        _write_raise,
        question="ido.get.raise_to_wake",
        values=_raise_values,
        needs=("raise_to_wake",),
        reads_back_with="read_raise_to_wake",
    ),
    classic_way(
        Orientation, "03 2B", _write_orientation, needs=("display_mode",), provisional=_VENDOR
    ),
    classic_way(Wrist, "03 22", _write_wrist, provisional=_VENDOR),
    classic_way(Shortcut, "03 13", _write_shortcut, needs=("shortcut",), provisional=_VENDOR),
    classic_way(MusicControl, "03 2A", _write_music, needs=("music",)),
    classic_way(WeatherDisplay, "03 2D", _write_weather, needs=("weather",)),
    classic_way(Sos, "03 2C", _write_sos, provisional=_VENDOR),
    classic_way(PhoneVolume, "03 E3", _write_volume, needs=("phone_volume",)),
)
