"""What an IDO watch is made to do, and what it tells: bytes out, meaning in."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from firmware_protocol.actions import (
    EndCall,
    EndFindPhone,
    FindWatch,
    MeasureNow,
    PushWeather,
    ReadDetails,
    ReadErrorLog,
    Reset,
    RingCall,
    SetContacts,
    SetQuickReplies,
    ShowMusic,
    ShowNotice,
    UseCamera,
)
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import (
    BatteryRead,
    DetailsRead,
    ErrorLogRead,
    Event,
    Identified,
    JobDone,
    JobFailed,
    Remarked,
    TextCut,
)
from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.actions import SUPPORT
from firmware_protocol.families.ido.actions.tools import picture
from firmware_protocol.families.ido.codes import NOTICE_TYPE, WEATHER
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.family import Write
from firmware_protocol.jobs import Do, Identify, ReadBattery
from firmware_protocol.settings.alerts import NOTICE_APPS
from firmware_protocol.told import (
    EVENT_NAMES,
    CallKeyPressed,
    CameraKeyPressed,
    ClockWanted,
    DataChanged,
    FindPhoneRequested,
    KeyPressed,
    MusicKeyPressed,
    QuickReplyChosen,
    SosRequested,
    UpdateWanted,
    VolumeChanged,
    WeatherWanted,
)
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits
from firmware_protocol.weather import CONDITIONS, DayForecast, Forecast, HourForecast
from tests.firmware_protocol.conftest import A200, Rig, ScriptedWatch

Opened = Callable[..., Any]


def virtual(options: tuple[str, ...] = ()) -> WatchSession:
    traits = WatchTraits("F9:24:12:00:00:01", 1_800_000_000, options=frozenset(options))
    return open_watch(WatchMemory(), traits)


class PieceWatch(ScriptedWatch):
    """Acknowledges each piece of a notice by itself, as watches do (ido.md 4.5)."""

    def __init__(self, answers: dict[str, Any], status: int = 0) -> None:
        super().__init__(answers)
        self.status = status

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        if data[:2] != b"\x05\x03":
            super().receive_write(uuid, data, now_s)
            return
        self.asked.append(data)
        self.say(data[:4] + bytes([self.status]))


def do(rig: Rig, action: Any, *, experimental: bool = False) -> list[Event]:
    del rig.written[:]
    return rig.run(Do(action, experimental))


def failure(events: list[Event]) -> tuple[str, str]:
    last = events[-1]
    assert isinstance(last, JobFailed)
    return last.kind, last.reason


def test_the_notice_that_was_seen_on_a_watch(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    events = do(rig, ShowNotice("whatsapp", "Hello from Linux", "HELLO WORLD"))
    assert isinstance(events[-1], JobDone)
    assert [frame.hex() for frame in rig.written] == [
        "05030201080b001048656c6c6f2066726f6d204c",
        "05030202696e757848454c4c4f20574f524c4400",
    ]
    assert rig.watch.take_shown() == ["notice whatsapp: Hello from Linux | HELLO WORLD"]


def test_each_app_of_the_page_has_a_code_and_none_is_missing() -> None:
    assert set(NOTICE_APPS) == set(NOTICE_TYPE.values())


@pytest.mark.parametrize(
    ("action", "written", "shown"),
    [
        (
            RingCall("Anna", "0791"),
            ["050101010404" + b"0791Anna".ljust(14, b"\0").hex()],
            "call: 0791 Anna",
        ),
        (EndCall(), ["050201"], "call ended"),
        (EndCall(missed=True), ["050202"], "missed call"),
        (ShowMusic(playing=True), ["060100000000"], "music playing"),
        (ShowMusic(playing=True, title="A song"), ["060100000000"], "music playing"),
        (ShowMusic(playing=False), ["060101000000"], "music stopped"),
        (FindWatch(on=True), ["060400"], "ringing"),
        (FindWatch(on=False), ["060401"], "silent again"),
        (EndFindPhone(), ["0607"], "phone found"),
    ],
)
def test_an_action_in_bytes_and_on_the_screen(
    open_rig: Opened, action: Any, written: list[str], shown: str
) -> None:
    rig = open_rig(virtual()).identified()
    assert isinstance(do(rig, action)[-1], JobDone)
    assert [frame.hex() for frame in rig.written] == written
    assert rig.watch.take_shown() == [shown]


def test_the_captured_weather(open_rig: Opened) -> None:
    forecast = Forecast(
        2,
        8.0,
        (DayForecast(2, 9, 7), DayForecast(2, 14, 8), DayForecast(2, 16, 9), DayForecast(2, 15, 9)),
        city="Zürich Oerlikon Nord",
        humidity_pct=91,
    )
    rig = open_rig(virtual()).identified()
    events = do(rig, PushWeather(forecast))
    assert rig.written[0].hex() == "0a0102080907 5b0000 020e08 021009 020f09".replace(" ", "")
    assert rig.written[1][:2] == b"\x0a\x02"
    assert len(rig.written[1]) == 20
    (cut,) = (event for event in events if isinstance(event, TextCut))
    assert (cut.field, cut.kept) == ("city", "Zürich Oerlikon")
    assert rig.watch.take_shown() == [
        "weather: cloudy, 8, 7 to 9, 3 more days",
        "city Zürich Oerlikon",
    ]


def test_frost_is_said_to_be_unproven_and_fahrenheit_is_counted(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    forecast = Forecast(71, -3.4, (DayForecast(71, 0, -30),))
    events = do(rig, PushWeather(forecast))
    assert rig.written[0][2:6].hex() == bytes((7, 103, 0, 130)).hex()
    assert rig.written[0][9:] == bytes(9)  # whole: the days that nobody knows are zeros
    assert len(rig.written) == 1  # without a city
    remarks = [event.text for event in events if isinstance(event, Remarked)]
    assert "below zero" in remarks[0]
    assert "unknown ones as 0 degrees" in remarks[1]
    warm = Forecast(0, 20, (DayForecast(0, 25, 10),) * 4, city="Berlin")
    events = do(rig, PushWeather(warm, fahrenheit=True))
    assert rig.written[1].hex() == "0a02064265726c696e0000000000000000000000"  # captured
    assert rig.written[0][2:6].hex() == bytes((1, 68, 77, 50)).hex()
    assert not any(isinstance(event, Remarked) for event in events)


def test_hours_and_late_days_have_no_place_and_the_sun_where_it_is_listed(
    scripted: type[ScriptedWatch], open_rig: Opened
) -> None:
    table = bytearray(A200["001A"][0])
    table[11] |= 1 << 3  # sun_times (8.1.3)
    answers = {
        **A200,
        "001A": [bytes(table)],
        "0A01": [b"\x0a\x01"],
        "0A06": [b"\x0a\x06\x01"],
    }
    day = DayForecast(61, 12, 8)
    hour = HourForecast(datetime(2026, 1, 1, tzinfo=UTC), 61, 9)
    forecast = Forecast(
        61, 10, (day,) * 6, hours=(hour,), sunrise=time(7, 30), sunset=time(17, 5), uv_index=300
    )
    watch = scripted(answers)
    rig = open_rig(watch).identified()
    events = rig.run(Do(PushWeather(forecast)))
    assert isinstance(events[-1], JobDone)
    assert watch.asked[-1].hex() == "0a06071e1105"
    assert any(isinstance(event, Remarked) and "3 days" in event.text for event in events)


def test_every_condition_has_a_picture() -> None:
    names = set(WEATHER.values())
    assert all(picture(code) in names - {"other"} for code in CONDITIONS)
    assert picture(0, is_night=True) == "clear_night"
    assert picture(61, is_night=True) == "rain"
    assert picture(42) == "other"


@pytest.mark.parametrize(
    ("bits", "limit", "kept"),
    [
        ({3: 0x80, 1: 0x00}, 250, 250 - 4 - 5),
        ({3: 0x00, 1: 0x20}, 128, 128 - 4 - 5),
        ({3: 0x00, 1: 0x00}, None, 20),
    ],
)
def test_a_long_text_is_cut_as_the_watch_grants(
    open_rig: Opened,
    bits: dict[int, int],
    limit: int | None,
    kept: int,
) -> None:
    extended = bytearray(A200["0207"][0])
    extended[2 + 3], extended[2 + 1] = bits[3], bits[1]
    rig = open_rig(PieceWatch({**A200, "0207": [bytes(extended)]})).identified()
    events = rig.run(Do(ShowNotice("sms", "Title", "x" * 300)))
    assert isinstance(events[-1], JobDone)
    (cut,) = (event for event in events if isinstance(event, TextCut))
    assert (cut.field, len(cut.kept)) == ("text", kept)
    calling = rig.run(Do(RingCall("n" * 100, "1" * 100)))
    texts = [event.kept for event in calling if isinstance(event, TextCut)]
    assert [len(text) for text in texts] == [min(63, kept)] * 2
    strict = rig.run(Do(ShowNotice("sms", "Title", "x" * 300, strict=True)))
    assert failure(strict)[0] == "invalid"
    assert limit is None or str(kept) in failure(strict)[1]


@pytest.mark.parametrize(("bits", "most"), [({3: 0x80, 1: 0x00}, 250), ({3: 0x00, 1: 0x20}, 128)])
def test_long_texts_together_never_outgrow_what_the_watch_grants(
    open_rig: Opened, bits: dict[int, int], most: int
) -> None:
    extended = bytearray(A200["0207"][0])
    extended[2 + 3], extended[2 + 1] = bits[3], bits[1]
    watch = PieceWatch({**A200, "0207": [bytes(extended)]})
    rig = open_rig(watch).identified()
    events = rig.run(Do(ShowNotice("sms", "t" * 100, "x" * 300, "1" * 100)))
    assert isinstance(events[-1], JobDone)
    kept = [event.kept for event in events if isinstance(event, TextCut)]
    assert [len(text) for text in kept[:2]] == [63, min(63, most - 4 - 63)]
    assert sum(map(len, kept)) == most - 4
    first = next(piece for piece in watch.asked if piece[:2] == b"\x05\x03")
    assert first[2] == -(-most // 16)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=20),
    st.sampled_from(
        [
            ShowNotice("sms", "", "x"),
            RingCall("Anna"),
            EndCall(),
            ShowMusic(playing=True),
            FindWatch(on=True),
            EndFindPhone(),
            UseCamera(on=True),
            PushWeather(Forecast(0, 20, (DayForecast(0, 25, 10),), city="Bern")),
            Reset("restart"),
            ReadErrorLog(),
            ReadDetails(),
        ]
    ),
)
def test_a_noisy_answer_to_an_action_ends_it_and_nothing_else(noise: bytes, action: Any) -> None:
    pairs = [f"{group:02x}{key:02x}" for group in (2, 5, 6, 0x0A, 0xF0) for key in range(0x100)]
    known = {key.lower() for key in A200}
    noisy = {pair: [bytes.fromhex(pair) + noise] for pair in pairs if pair not in known}
    rig = Rig(ScriptedWatch({**A200, **noisy})).identified()
    last = rig.run(Do(action, experimental=True))[-1]
    if isinstance(last, JobFailed):
        assert last.kind in ("refused", "malformed", "silent")
    else:
        assert isinstance(last, JobDone)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.text(max_size=120), st.text(max_size=400), st.sampled_from(NOTICE_APPS))
def test_any_text_arrives_as_far_as_it_was_kept(title: str, text: str, app: str) -> None:
    rig = Rig(virtual()).identified()
    events = do(rig, ShowNotice(app, title, text))
    assert isinstance(events[-1], JobDone)
    kept = {event.field: event.kept for event in events if isinstance(event, TextCut)}
    parts = [kept.get("title", title), kept.get("text", text)]
    parts = [part.encode("utf-8", "replace").decode() for part in parts]
    (line,) = rig.watch.take_shown()
    assert line.partition(": ")[2] == " | ".join(part for part in parts if part)


@pytest.mark.parametrize(
    ("action", "kind", "reason"),
    [
        (ShowNotice("nonsense"), "invalid", "no app nonsense"),
        (RingCall(), "invalid", "a name or a number"),
        (UseCamera(on=True), "unsupported", "capability photo or hid_photo"),
        (SetContacts((("a", "1"),)), "unsupported", "capability contacts"),
        (SetQuickReplies(("yes",)), "unsupported", "capability quick_replies"),
        (MeasureNow("spo2"), "unsupported", "no layout is published of 03 57"),
        (Reset("factory"), "unproven", "F0 01, F0 03, F0 04"),
    ],
)
def test_what_cannot_be_done_says_why_and_sends_nothing(
    open_rig: Opened, action: Any, kind: str, reason: str
) -> None:
    rig = open_rig(virtual()).identified()
    found = failure(do(rig, action))
    assert found[0] == kind
    assert reason in found[1]
    assert rig.written == []


def test_contacts_stay_unwritten_even_where_the_watch_has_them(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    kind, reason = failure(do(rig, SetContacts(()), experimental=True))
    assert (kind, rig.written) == ("unsupported", [])
    assert "V3 39" in reason


def test_the_camera_key_by_experiment(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    assert isinstance(do(rig, UseCamera(on=True), experimental=True)[-1], JobDone)
    assert isinstance(do(rig, UseCamera(on=False), experimental=True)[-1], JobDone)
    assert rig.watch.take_shown() == ["camera key on", "camera key off"]


def test_an_app_by_its_number_and_a_notice_that_is_refused(open_rig: Opened) -> None:
    watch = PieceWatch(A200, status=7)
    rig = open_rig(watch).identified()
    kind, reason = failure(rig.run(Do(ShowNotice("code_100", "", "x"))))
    assert watch.asked[-1][4] == 100
    assert (kind, reason) == ("refused", "the notice: invalid parameter")


def test_silence_ends_an_action(scripted: type[ScriptedWatch], open_rig: Opened) -> None:
    rig = open_rig(scripted(A200)).identified()
    for action in (ShowNotice("sms", "", "x"), FindWatch(on=True), EndCall()):
        assert failure(rig.run(Do(action)))[0] == "silent"
    assert isinstance(rig.run(Do(EndFindPhone()))[-1], JobDone)  # older watches do not know it


@pytest.mark.parametrize(
    ("how", "shown"),
    [("restart", "restarting"), ("power_off", "switched off"), ("factory", "erased")],
)
def test_going_down(open_rig: Opened, how: Any, shown: str) -> None:
    watch = virtual()
    rig = open_rig(watch).identified()
    assert isinstance(do(rig, Reset(how), experimental=True)[-1], JobDone)
    assert watch.link_must_drop
    assert watch.take_shown() == [shown]
    rig.lose_link()
    rig.connect()
    (found,) = (event for event in rig.run(Identify()) if isinstance(event, Identified))
    assert found.info.restarted is True
    assert found.info.bound is (how != "factory")


def test_the_log_and_the_details(open_rig: Opened) -> None:
    rig = open_rig(virtual(("three_part_version",))).identified()
    events = do(rig, ReadErrorLog(clear=True))
    assert events[0] == ErrorLogRead("none", "none")
    events = do(rig, ReadDetails())
    (found,) = (event for event in events if isinstance(event, DetailsRead))
    assert found.facts["algorithm_versions_heart_rate"] == 0x2F
    assert found.facts["versions_firmware_3"] == 0x24
    assert not any("reserved" in name for name in found.facts)


def test_every_action_names_its_rows() -> None:
    assert all(support.rows for support in SUPPORT.values())


# --- what the watch tells ---


@pytest.mark.parametrize(
    ("gesture", "events"),
    [
        ("play", [MusicKeyPressed("play")]),
        ("next", [MusicKeyPressed("next")]),
        ("volume_up", [MusicKeyPressed("volume_up")]),
        ("photo", [CameraKeyPressed("photo")]),
        ("camera_open", [CameraKeyPressed("opened")]),
        ("answer", [CallKeyPressed("answered")]),
        ("reject", [CallKeyPressed("rejected")]),
        ("mute", [CallKeyPressed("muted")]),
        ("find_phone", [FindPhoneRequested(on=True, timeout_s=0)]),
        ("find_phone_stop", [FindPhoneRequested(on=False, timeout_s=0)]),
        ("sos", [SosRequested(on=True)]),
        ("sos_stop", [SosRequested(on=False)]),
        ("key_short", [KeyPressed("short")]),
        ("update_check", [UpdateWanted(start=False)]),
    ],
)
def test_a_gesture_is_told(open_rig: Opened, gesture: str, events: list[Event]) -> None:
    rig = open_rig(virtual()).identified()
    assert made(rig, gesture) == events


def made(rig: Rig, gesture: str) -> list[Event]:
    rig.watch.make(gesture, rig.now_s)
    found: list[Event] = []
    for uuid, data in rig.watch.data_to_send():
        found += rig.session.receive_data(uuid, data, rig.now_s)
    return found


@pytest.mark.parametrize(
    ("gesture", "what", "besides"),
    [
        ("restarted", "restarted", [ClockWanted()]),
        ("weather_wanted", "weather_wanted", [WeatherWanted()]),
        ("alarm_edited", "alarm", []),
        ("heart_rate_off", "heart_rate_mode", []),
        ("dnd_on", "settings", []),
        ("dnd_off", "settings", []),
        ("brightness_up", "settings", []),
        ("unbind_on_watch", "unbound", []),
        ("steps_grew", "steps_grew", []),
        ("sleep_ended", "sleep_ended", []),
        ("workout_done", "workout_or_measurement_done", []),
    ],
)
def test_a_change_is_told_by_name_and_echoed(
    open_rig: Opened, gesture: str, what: str, besides: list[Event]
) -> None:
    rig = open_rig(virtual()).identified()
    changed, *others = made(rig, gesture)
    assert isinstance(changed, DataChanged)
    assert (changed.what, others) == (what, besides)
    (echo,) = rig.session.data_to_send()
    assert isinstance(echo, Write)
    assert echo.data[:2] == b"\x07\x40"


def test_the_watchs_own_changes_are_in_its_state(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    for gesture in ("dnd_on", "brightness_up", "alarm_edited", "heart_rate_off"):
        made(rig, gesture)
    held = rig.watch.settings_held()
    assert held["V3 0E"][-34:-28].hex() == "0a550006 1eff".replace(" ", "")
    assert held["V3 09"][4] == 0xAA


def test_a_low_battery_is_read(open_rig: Opened) -> None:
    rig = open_rig(virtual()).identified()
    assert made(rig, "battery_low") == []
    (battery,) = (event for event in rig.run(ReadBattery()) if isinstance(event, BatteryRead))
    assert (battery.battery_pct, battery.low) == (9, True)


def test_unknown_gestures_are_named() -> None:
    watch = virtual()
    with pytest.raises(LocalProtocolError, match=r"no gesture 'fly'.*play, pause"):
        watch.make("fly", 0.0)
    assert len(set(watch.gestures)) == len(watch.gestures) > 25


@pytest.mark.parametrize(
    ("value", "event"),
    [
        ("07010f32", MusicKeyPressed("set_volume", 50)),
        ("070163", MusicKeyPressed("code_99")),
        ("070111", CameraKeyPressed("preview_start")),
        ("071201", CameraKeyPressed("photo")),
        ("071209", CameraKeyPressed("code_9")),
        ("0711090000", KeyPressed("code_9")),
        ("076103", VolumeChanged(3)),
        ("0761", DataChanged("speaker_volume", {})),
        ("076001ff", QuickReplyChosen("01ff")),
        ("070201", FindPhoneRequested(on=False)),
        ("07a1", UpdateWanted(start=True)),
        ("070401", DataChanged("anti_lost", {"state": 1})),
        ("071005", DataChanged("sensor", {"type": 5})),
    ],
)
def test_other_words_of_group_07(
    scripted: type[ScriptedWatch], open_rig: Opened, value: str, event: Event
) -> None:
    rig = open_rig(scripted(A200)).identified()
    data = bytes.fromhex(value)
    assert rig.session.receive_data(gatt.COMMAND_NOTIFY, data, 0.0) == [event]
    assert type(event) in EVENT_NAMES


@given(st.binary(max_size=24))
def test_noise_of_group_07_is_never_fatal(noise: bytes) -> None:
    rig = Rig(ScriptedWatch(A200)).identified()
    rig.session.receive_data(gatt.COMMAND_NOTIFY, b"\x07" + noise, 0.0)
