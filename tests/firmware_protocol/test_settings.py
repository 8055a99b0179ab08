"""Settings: within their ranges or not made at all; the same in JSON, TOML and a person's words."""

import json
import tomllib
from datetime import date, time
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.settings import (
    SETTINGS,
    Alarm,
    Alarms,
    Brightness,
    Cycle,
    Dnd,
    Goal,
    HeartRateMeasuring,
    HeartRateZones,
    Notices,
    PhoneVolume,
    Setting,
    SettingValueError,
    SportOrder,
    Units,
    Wearer,
    setting_fields,
)
from firmware_protocol.settings.kinds import Kind, Number, cut_to_bytes, is_code
from firmware_protocol.weather import DayForecast, Forecast
from tests.firmware_protocol.setting_strategies import settings_of

ALL: list[type[Setting]] = [*SETTINGS.values(), Alarm]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.NAME)
@hypothesis_settings(max_examples=30)
@given(st.data())
def test_a_setting_comes_back_from_json_and_toml(cls: type[Setting], data: st.DataObject) -> None:
    setting = data.draw(settings_of(cls))
    plain = setting.plain()
    assert cls.read(json.loads(json.dumps(plain))) == setting
    assert cls.read(tomllib.loads(tomli_w.dumps(plain))) == setting


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.NAME)
def test_the_usual_values_are_within_their_ranges_and_described(cls: type[Setting]) -> None:
    assert cls() == cls.read({})
    assert cls.MEANING
    for each in setting_fields(cls):
        assert each.meaning
        assert each.kind.describes


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.NAME)
def test_a_field_out_of_range_names_itself_and_its_range(cls: type[Setting]) -> None:
    for each in setting_fields(cls):
        for wrong in (object(), "\x00 nonsense", -1_000_000, 1e300, float("nan"), [3], {"a": 1}):
            with pytest.raises(SettingValueError) as caught:
                cls.read({each.name: wrong})
            assert each.name in str(caught.value) or isinstance(wrong, list | dict)
            assert each.kind.describes in str(caught.value) or "alarm" in str(caught.value)


def test_numbers_end_where_they_say() -> None:
    for cls in ALL:
        for each in setting_fields(cls):
            if isinstance(each.kind, Number):
                each.kind.check(each.kind.read(str(each.kind.least)))
                each.kind.check(each.kind.read(str(each.kind.most)))
                for beyond in (each.kind.least - 1, each.kind.most + 1):
                    with pytest.raises(SettingValueError, match=each.name):
                        cls.read({each.name: beyond})


@pytest.mark.parametrize(
    ("cls", "text", "value"),
    [
        (Dnd, {"night": "on"}, True),
        (Dnd, {"night": "No"}, False),
        (Dnd, {"start": "7:05"}, time(7, 5)),
        (Dnd, {"days": "daily"}, Dnd().days),
        (Dnd, {"days": "fri,mon,Friday"}, ("monday", "friday")),
        (Dnd, {"days": "none"}, ()),
        (Dnd, {"all_day": "none"}, None),
        (Dnd, {"all_day": "on"}, True),
        (Wearer, {"weight_kg": "70.123"}, 70.12),
        (Wearer, {"weight_kg": 70}, 70.0),
        (Wearer, {"birth_date": "1980-02-29"}, date(1980, 2, 29)),
        (Wearer, {"walk_stride_cm": "none"}, None),
        (Goal, {"steps": "8000"}, 8000),
        (Units, {"clock": "12-h"}, "12_h"),
        (Notices, {"apps": "whatsapp, sms"}, ("sms", "whatsapp")),
        (Notices, {"apps": ["code_7", "sms"]}, ("sms", "code_7")),
        (Notices, {"apps": ""}, ()),
        (SportOrder, {"sports": "yoga,hike,yoga"}, ("yoga", "hike")),
        (Alarm, {"days": "weekend"}, ("saturday", "sunday")),
        (HeartRateMeasuring, {"mode": "code_66"}, "code_66"),
    ],
)
def test_a_persons_words_are_read(cls: type[Setting], text: dict[str, Any], value: object) -> None:
    (name,) = text
    assert getattr(cls.read(text), name) == value


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Dnd, {"start": "24:00"}),
        (Dnd, {"start": "7"}),
        (Dnd, {"start": ""}),
        (Dnd, {"days": "mo"}),
        (Dnd, {"days": "mon,nonsense"}),
        (Goal, {"steps": "8000.5"}),
        (Goal, {"steps": "nan"}),
        (Goal, {"steps": "1e400"}),
        (Goal, {"steps": True}),
        (Goal, {"steps": None}),
        (Wearer, {"birth_date": "1980-02-30"}),
        (Wearer, {"sex": "code_3"}),
        (Notices, {"apps": "nonsense"}),
        (Alarm, {"name": "x" * 24}),
        (Alarm, {"name": "é" * 12}),
        (Alarm, {"name": "a\nb"}),
        (Alarm, {"name": "\udcff"}),
        (Alarms, {"alarms": "seven"}),
        (Alarms, {"alarms": [{}] * 11}),
        (Alarms, {"alarms": [{"at": "25:00"}]}),
        (Alarms, {"alarms": [3]}),
    ],
)
def test_words_that_mean_nothing_are_refused(cls: type[Setting], text: dict[str, Any]) -> None:
    with pytest.raises(SettingValueError):
        cls.read(text)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(SettingValueError, match="goal has no field stepps, but steps, energy"):
        Goal.read({"stepps": 3})


def test_what_is_not_given_comes_from_the_base() -> None:
    base = Goal(steps=5000, sleep_min=480)
    assert Goal.read({"steps": 7000}, base) == Goal(steps=7000, sleep_min=480)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Cycle(on=True), "last_start is needed"),
        (lambda: Cycle(period_days=20, cycle_days=20), "cycle_days must be longer"),
        (lambda: HeartRateZones(warm_up_bpm=150), "zones must rise"),
        (lambda: PhoneVolume(total=3, current=4), "current must not be above"),
        (lambda: Alarms(alarms=(Goal(),)), "list of at most 10"),  # type: ignore[arg-type]
    ],
)
def test_fields_that_contradict_each_other_are_refused(make: Any, reason: str) -> None:
    with pytest.raises(SettingValueError, match=reason):
        make()


def test_what_a_watch_says_is_read_leniently_and_remarked() -> None:
    values: dict[str, object] = {
        "level_pct": 200,
        "mode": 9,
        "night": "window",
        "start": "25:61",
        "night_level_pct": -4,
    }
    brightness, remarks = Brightness.read_leniently(values)
    assert (brightness.level_pct, brightness.mode, brightness.night) == (100, "code_9", "window")
    assert (brightness.start, brightness.night_level_pct) == (Brightness().start, 0)
    assert len(remarks) == 3
    assert "level_pct is 200 on the watch, which is out of range" in remarks[0]
    assert "means nothing here" in remarks[1]


def test_a_watch_that_contradicts_itself_has_the_usual_values() -> None:
    zones, remarks = HeartRateZones.read_leniently({"warm_up_bpm": 200})
    assert zones == HeartRateZones()
    assert remarks == ("heart-rate-zones: zones must rise from minimum_bpm to maximum_bpm",)


def test_a_number_with_digits_is_taken_to_the_nearer_end() -> None:
    assert Wearer.read_leniently({"weight_kg": 999})[0].weight_kg == 300.0
    assert Dnd.read_leniently({"all_day": None})[0].all_day is None


@given(st.text(), st.integers(0, 300))
def test_a_cut_text_is_a_beginning_that_fits(text: str, most_bytes: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    kept = cut_to_bytes(text, most_bytes)
    assert text.startswith(kept)
    assert len(kept.encode()) <= most_bytes
    if len(text.encode()) <= most_bytes:
        assert kept == text


def test_a_cut_never_parts_what_belongs_together() -> None:
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}"
    assert cut_to_bytes(f"a{family}", 5) == "a"
    assert cut_to_bytes(f"a{family}", 8) == "a"
    assert cut_to_bytes("ae\N{COMBINING ACUTE ACCENT}", 2) == "a"
    assert cut_to_bytes("Grüße", 4) == "Grü"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("code_0", True), ("code_255", True), ("code_256", False), ("code_", False), ("7", False)],
)
def test_names_of_codes(name: str, is_one: bool) -> None:
    assert is_code(name) is is_one


def test_every_kind_is_a_kind() -> None:
    assert all(isinstance(each.kind, Kind) for cls in ALL for each in setting_fields(cls))


@pytest.mark.parametrize(
    "change",
    [
        {"temperature_c": 100.0},
        {"wmo_code": 100},
        {"days": ()},
        {"days": (DayForecast(0, 3, 4),)},
        {"days": (DayForecast(0, 3, -100),)},
        {"humidity_pct": 101},
        {"uv_index": -1},
    ],
)
def test_a_forecast_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    fair: dict[str, Any] = {"wmo_code": 0, "temperature_c": 20.0, "days": (DayForecast(0, 24, 12),)}
    Forecast(**fair)
    with pytest.raises(LocalProtocolError, match="weather:"):
        Forecast(**{**fair, **change})
