"""IDO settings: each as the bytes that were captured, and back; gates, refusals, silence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from firmware_protocol.events import JobDone, JobFailed, Remarked, SettingRead, SettingWritten
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.capabilities import NOTICE_BITS
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.jobs import ReadBattery, ReadSetting, WriteSetting
from firmware_protocol.settings import (
    SETTINGS,
    Alarm,
    Alarms,
    Brightness,
    Cycle,
    Dnd,
    DrinkReminder,
    FindPhone,
    Goal,
    HeartRateAlarm,
    HeartRateMeasuring,
    HeartRateZones,
    Language,
    MusicControl,
    Notices,
    Orientation,
    PhoneVolume,
    RaiseToWake,
    Setting,
    SittingReminder,
    SleepTime,
    Sos,
    SportDetection,
    SportOrder,
    StressMeasuring,
    Units,
    WalkReminder,
    Wearer,
    WeatherDisplay,
    Wrist,
)
from firmware_protocol.settings.kinds import EVERY_DAY, WORKDAYS
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits
from tests.firmware_protocol.conftest import A200, Rig, ScriptedWatch
from tests.firmware_protocol.setting_strategies import settings_of

EVENING, MORNING = time(23), time(7)


def virtual(options: tuple[str, ...] = ()) -> WatchSession:
    traits = WatchTraits("F9:24:12:00:00:01", 1_800_000_000, options=frozenset(options))
    return open_watch(WatchMemory(), traits)


def write(
    rig: Rig, setting: Setting, known: tuple[Setting, ...] = (), *, experimental: bool = False
) -> list[Any]:
    del rig.written[:]
    return rig.run(WriteSetting(setting, {type(each): each for each in known}, experimental))


def outcome(events: list[Any]) -> SettingWritten:
    assert isinstance(events[-1], JobDone), events
    (written,) = (event for event in events if isinstance(event, SettingWritten))
    return written


def failure(events: list[Any]) -> tuple[str, str]:
    last = events[-1]
    assert isinstance(last, JobFailed)
    return last.kind, last.reason


# (setting, what else is known, the frames that carry it): captured or printed in ido.md 4.3
CAPTURED: list[tuple[Setting, tuple[Setting, ...], list[str]]] = [
    (
        Wearer(height_cm=180, weight_kg=80.0, sex="male", birth_date=date(1990, 1, 1)),
        (),
        ["0310B4401F00C6070101"],
    ),
    (
        Goal(),
        (),
        ["0303001027000000006400010000000000", "0343F40100008813000008070000FA000E060C00"],
    ),
    (
        Goal(distance_m=0, hourly_steps=0),
        (),
        ["0303001027000000000000010000000000", "0343F40100000000000008070000FA000E060C00"],
    ),
    (
        Dnd(night=True, start=EVENING, end=MORNING, noon_start=EVENING, noon_end=MORNING),
        (),
        ["0329AA1700070002FE55170007000000"],
    ),
    (
        Dnd(start=EVENING, end=MORNING, noon_start=EVENING, noon_end=MORNING),
        (),
        ["0329551700070002FE55170007000000"],
    ),
    (
        Notices(calls=False),
        (),
        ["0330880000AA00000000000000000000000000 00"],
    ),
    (FindPhone(), (), ["0326AA000000"]),
    (
        WalkReminder(on=True),
        (),
        ["034701640009001500FE00000000000000"],  # zeros where the app leaves its memory
    ),
    (WalkReminder(on=False), (), ["034700640009001500FE00000000000000"]),
    (
        DrinkReminder(on=True, days=WORKDAYS, interval_min=30),
        (),
        ["036001090012003F1E00010000000000"],
    ),
    (
        DrinkReminder(on=False, days=WORKDAYS, interval_min=30),
        (),
        ["036000090012003E1E00010000000000"],
    ),
    (Cycle(), (), ["0341550000000000000000000055"]),
    (
        Cycle(on=True, last_start=date(2026, 3, 1), remind=True),
        (),
        ["0341AA051CEA0703010E050500AA", "034203030800030303"],
    ),
    (HeartRateZones(), (), ["0324788CB4C864788CA0B41400000000173BC800"]),
    (
        StressMeasuring(on=True, days=WORKDAYS, interval_min=30),
        (),
        ["0345AA09001200553F3C00500001001E"],
    ),
    (  # bit 0 of the mask stays set
        StressMeasuring(on=False, days=WORKDAYS, interval_min=30),
        (),
        ["03455509001200553F3C00500001001E"],
    ),
    (SportDetection(walk=True, run=True), (), ["0349010100000000000000"]),
    (SportDetection(run=True), (), ["0349000100000000000000"]),
    (SportDetection(), (), ["0349000000000000000000"]),
    (Brightness(night="window"), (), ["033228010003130006000005"]),
    (Brightness(), (), ["033228010001130006000005"]),
    (RaiseToWake(), (), ["0328AA05010000173B"]),
    (RaiseToWake(on=False), (), ["03285505010000173B"]),
    (Orientation(), (), ["032B00"]),
    (Sos(on=True), (), ["032CAA00"]),
    (Wrist(), (), ["032200"]),
    (MusicControl(on=True), (), ["032AAA55"]),
    (MusicControl(), (), ["032A5555"]),
    (WeatherDisplay(on=True), (), ["032DAA000000"]),
    (WeatherDisplay(), (), ["032D55000000"]),
    (PhoneVolume(total=16, current=2), (), ["03E31002"]),
    (  # R21, which an A200 is told by experiment
        HeartRateAlarm(on=True, high=True, low=True, high_bpm=120, low_bpm=50),
        (),
        ["03635501555578320000173B08070000"],
    ),
    (
        Units(),
        (Language(),),
        ["0311010101000201000200010101010101"],  # as the app, which leaves the last ones alone
    ),
    (Language(language="german"), (), ["0311000000000400000000000000000000"]),
    (
        Wearer(walk_stride_cm=70),
        (Units(clock="12_h"), Language(language="french")),
        ["0310AF581B00C6070101", "0311010101460302000200010101010101"],
    ),
]


@pytest.mark.parametrize(
    ("setting", "known", "frames"), CAPTURED, ids=lambda value: getattr(value, "NAME", "")
)
def test_a_setting_goes_out_as_it_was_captured(
    open_rig: Callable[..., Rig],
    setting: Setting,
    known: tuple[Setting, ...],
    frames: list[str],
) -> None:
    rig = open_rig(virtual()).identified()
    assert outcome(write(rig, setting, known, experimental=True)).sent == setting
    sent = [frame.hex() for frame in rig.written if frame[0] == 0x03]
    assert sent == [bytes.fromhex(frame).hex() for frame in frames]


V3 = [
    (
        HeartRateMeasuring(mode="continuous", interval_s=300, end=time(0)),
        "0900",
        "00000000990000000000 2C01",
    ),
    (HeartRateMeasuring(mode="manual", end=time(0)), "0900", "00000000AA00000000000000"),
    (
        HeartRateMeasuring(mode="interval", interval_s=300, end=time(0)),
        "0900",
        "00000000CC00000000002C01",
    ),
    (
        SportOrder(
            sports=(
                *("outdoor_run", "indoor_run", "outdoor_walk", "indoor_walk", "hike"),
                *("outdoor_cycle", "cricket", "yoga", "indoor_cycle", "fitness", "pool_swim"),
                *("open_water", "rower", "elliptical_machine"),
            )
        ),
        "0C00",
        "0E013002310334043505040632074B081209330A090B360C370D390E38",
    ),
]


@pytest.mark.parametrize(("setting", "command", "payload"), V3)
def test_a_setting_of_v3_goes_out_as_it_was_captured(
    open_rig: Callable[..., Rig], setting: Setting, command: str, payload: str
) -> None:
    rig = open_rig(virtual()).identified()
    assert outcome(write(rig, setting)).sent == setting
    first = next(frame for frame in rig.written if frame[8:10].hex() == command.lower())
    assert first[12:-2].hex() == bytes.fromhex(payload).hex()


def test_the_captured_alarm_table(open_rig: Callable[..., Rig]) -> None:
    alarms = tuple(
        Alarm(at=time(3, 5), days=days) for days in (("sunday",), ("monday",), ("monday", "sunday"))
    )
    rig = open_rig(virtual()).identified()
    written = outcome(write(rig, Alarms(alarms=alarms)))
    assert written.held == Alarms(alarms=alarms)
    message = rig.written[0] + b"".join(part[1:] for part in rig.written[1:3])
    used = ("01550003058100 0A0001", "02550003050300 0A0001", "03550003058300 0A0001")
    slots = [bytes.fromhex(slot).ljust(34, b"\0") for slot in used]
    slots += [bytes((n, 0xAA, 0, 0, 0, 0, 0, 10, 0, 1)).ljust(34, b"\0") for n in range(4, 11)]
    assert message[12:-2] == b"\x00\x0a" + b"".join(slots)


def test_alarms_once_and_switched_off(open_rig: Callable[..., Rig]) -> None:
    alarms = Alarms(alarms=(Alarm(at=time(14, 36), name="Grüße"), Alarm(on=False, days=WORKDAYS)))
    rig = open_rig(virtual()).identified()
    assert outcome(write(rig, alarms)).held == alarms
    message = rig.written[0]
    assert message[14:20].hex() == "0155000e2401"  # bit 0 and no day: once (3.4)
    assert message[14 + 34 : 20 + 34].hex() == "02550007003e"


# (question, answer, what it says): captured, some with the zeros that a log adds
ANSWERED: list[tuple[str, str, Setting]] = [
    (
        "0230",
        "0230AA1700070002FE55170007000000 00000000",
        Dnd(night=True, start=EVENING, end=MORNING, noon_start=EVENING, noon_end=MORNING),
    ),
    (
        "0230",
        "0230551700070000FE5517000700",
        Dnd(start=EVENING, end=MORNING, noon_start=EVENING, noon_end=MORNING),
    ),
    ("0210", "0210AA000055000000000000", Notices()),
    (
        "02B0",
        "02B00F010001000000000005",
        Brightness(level_pct=15, start=time(0), end=time(0), screen_on_s=5),
    ),
    ("02B1", "02B15505010000173B", RaiseToWake(on=False)),
    (
        "0009",
        "00000000CC00000000002C01 0000000004000000",
        HeartRateMeasuring(mode="interval", interval_s=300, end=time(0)),
    ),
    ("0009", "00" * 16 + "04000000", HeartRateMeasuring(mode="default", end=time(0))),
    (
        "000F",
        "000A 0155000E2401000A1D01" + "00" * 24 + ("02AA" + "00" * 32) * 9,
        Alarms(alarms=(Alarm(at=time(14, 36)),)),
    ),
]


@pytest.mark.parametrize(("question", "answer", "setting"), ANSWERED)
def test_an_answer_that_was_captured_is_read(
    scripted: type[ScriptedWatch],
    open_rig: Callable[..., Rig],
    question: str,
    answer: str,
    setting: Setting,
) -> None:
    rig = open_rig(scripted({**A200, question: [bytes.fromhex(answer)]})).identified()
    events = rig.run(ReadSetting(type(setting)))
    assert events[:-1] == [SettingRead(setting)]


def test_a_first_weekday_that_nobody_knows_is_told(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig(virtual()).identified()
    for setting in (Language(language="german"), Wearer(walk_stride_cm=70)):
        events = write(rig, setting)
        (remark,) = (event for event in events if isinstance(event, Remarked))
        assert "week begins on monday" in remark.text
        known = Units(week_start="sunday")
        assert not any(isinstance(event, Remarked) for event in write(rig, setting, (known,)))
        assert rig.written[-1][10] == 1  # Sunday (03 11)


@pytest.mark.parametrize("kind", FAMILY.settings, ids=lambda kind: kind.NAME)
@hypothesis_settings(max_examples=12, deadline=None)
@given(st.data())
def test_any_setting_is_taken_and_read_back(kind: type[Setting], data: st.DataObject) -> None:
    setting = data.draw(settings_of(kind))
    if isinstance(setting, SportOrder):
        names = [name for name in setting.sports if name in FAMILY.sports.values()]
        setting = SportOrder(sports=tuple(names))
    rig = Rig(virtual()).identified()
    written = outcome(write(rig, setting, experimental=True))
    assert written.sent == setting
    assert (written.held is not None) is FAMILY.settings[kind].readable
    if written.held is not None:
        assert written.held == as_held(setting)


def as_held(setting: Setting) -> Setting:
    """What an A200 can give back of a setting."""
    match setting:
        case Notices():
            known = {name for names in NOTICE_BITS for name in names}
            return replace(setting, apps=tuple(app for app in setting.apps if app in known))
        case Dnd():
            return replace(setting, all_day=None, smart=None)  # 12 bytes (4.2)
        case HeartRateMeasuring():
            accepted = (0, 5, 60, 180, 255, 300, 600, 900, 1800)
            near = min(accepted[1:], key=lambda value: abs(value - setting.interval_s))
            return replace(setting, interval_s=near if setting.interval_s else 0)
        case _:
            return setting


def test_the_settings_of_a_watch_that_nobody_set_up(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig(virtual()).identified()

    def read(kind: type[Setting]) -> Setting:
        events = rig.run(ReadSetting(kind))
        (found,) = (event.setting for event in events if isinstance(event, SettingRead))
        return found

    assert read(Alarms) == Alarms()
    assert read(Notices) == Notices()
    assert read(Brightness) == Brightness(
        level_pct=15, start=time(0), end=time(0), night_level_pct=0
    )
    assert read(RaiseToWake) == RaiseToWake()
    mode = read(HeartRateMeasuring)
    assert isinstance(mode, HeartRateMeasuring)
    assert mode.mode == "default"  # never set (6.5)


def test_every_setting_names_its_rows_and_is_known_to_the_page() -> None:
    for kind, support in FAMILY.settings.items():
        assert SETTINGS[kind.NAME] is kind
        assert support.rows
        assert all(other in FAMILY.settings for other in support.shares)


@pytest.mark.parametrize(
    ("setting", "bit"),
    [
        (SleepTime(), "sleep_period"),
        (SittingReminder(), "sedentary"),
        (HeartRateAlarm(), "smart_heart_rate"),
    ],
)
def test_what_the_watch_does_not_list_is_refused_by_the_bits_name(
    open_rig: Callable[..., Rig], setting: Setting, bit: str
) -> None:
    rig = open_rig(virtual()).identified()
    kind, reason = failure(write(rig, setting))
    assert (kind, rig.written) == ("unsupported", [])
    assert f"capability {bit}" in reason
    kind, reason = failure(rig.run(ReadSetting(type(setting))))
    assert kind == "unsupported"


def test_what_cannot_be_read_back_says_so(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig(virtual()).identified()
    assert failure(rig.run(ReadSetting(Goal))) == (
        "unsupported",
        "goal cannot be read back on this wire",
    )


def test_a_setting_that_this_wire_does_not_have(open_rig: Callable[..., Rig]) -> None:
    class Other(Setting):
        NAME = "other"
        MEANING = "of another family"

    rig = open_rig(virtual()).identified()
    kind, reason = failure(write(rig, Other()))
    assert (kind, reason) == ("unsupported", "this kind of watch has no setting other")


def test_an_unknown_sport_is_refused_before_the_first_byte(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig(virtual()).identified()
    kind, reason = failure(write(rig, SportOrder(sports=("yoga", "sumo"))))
    assert (kind, rig.written) == ("invalid", [])
    assert "no sport sumo" in reason
    assert outcome(write(rig, SportOrder(sports=("code_253",)))).sent


def test_apps_without_a_switch_are_told(open_rig: Callable[..., Rig]) -> None:
    rig = open_rig(virtual()).identified()
    events = write(rig, Notices(apps=("sms", "teams")))
    (remark,) = (event for event in events if isinstance(event, Remarked))
    assert "teams" in remark.text
    held = outcome(events).held
    assert isinstance(held, Notices)
    assert held.apps == ("sms",)


class TestAnOlderWatch:
    """Without V3: alarms one by one, no goals of rings."""

    def test_alarms_go_out_one_by_one(
        self, scripted: type[ScriptedWatch], open_rig: Callable[..., Rig]
    ) -> None:
        base, extended = A200["0202"][0], bytearray(A200["0207"][0])
        extended[2 + 12] &= ~0x01  # v3_alarms
        extended[2 + 3] &= ~0x06  # kcal and distance goals
        answers = {
            **A200,
            "0202": [base],
            "0207": [bytes(extended)],
            "0302": [b"\x03\x02"],
            "0303": [b"\x03\x03"],
        }
        watch = scripted(answers)
        rig = open_rig(watch).identified()
        asked = len(watch.asked)
        alarms = Alarms(alarms=(Alarm(at=time(7), days=EVERY_DAY, name="Up"),))
        events = rig.run(WriteSetting(alarms))
        assert [each.hex() for each in watch.asked[asked : asked + 2]] == [
            "030201550007 00ff0a".replace(" ", ""),
            "030202aa0000000000",
        ]
        assert sum(each[:2] == b"\x03\x02" for each in watch.asked) == 10  # the rest are deleted
        assert any(isinstance(event, Remarked) and "names" in event.text for event in events)
        usual = Alarms(alarms=(Alarm(at=time(7), days=EVERY_DAY),))
        assert outcome(events) == SettingWritten(sent=usual, held=None)
        assert failure(rig.run(ReadSetting(Alarms))) == (
            "unsupported",
            "alarms cannot be read back on this wire",
        )
        events = rig.run(WriteSetting(Alarms()))
        assert not any(isinstance(event, Remarked) for event in events)
        events = rig.run(WriteSetting(Goal(energy_kcal=900)))
        written = outcome(events)
        assert written.sent == Goal()
        assert any(isinstance(event, Remarked) for event in events)


@pytest.mark.parametrize(
    ("answers", "setting", "kind", "reason"),
    [
        ({"0332": [b"\x03\x32\x07"]}, Brightness(), "refused", "the brightness: invalid parameter"),
        ({"0332": [b"\x03\x32\xee"]}, Brightness(), "refused", "the brightness: status 238"),
        ({}, Brightness(), "silent", "the watch did not answer when asked to take the brightness"),
        ({"0330": [bytes.fromhex("0330880200")]}, Notices(), "refused", "cancelled"),
        ({"000E": [b"\x06"]}, Alarms(), "refused", "the alarms: not supported"),
        ({"03E3": [b"\x03\xe3\x00"]}, PhoneVolume(), "refused", "the phone volume: status 0"),
        ({}, HeartRateMeasuring(mode="code_0"), "invalid", "how this wire asks"),
    ],
)
def test_a_refusal_and_silence_are_told(
    scripted: type[ScriptedWatch],
    open_rig: Callable[..., Rig],
    answers: dict[str, Any],
    setting: Setting,
    kind: str,
    reason: str,
) -> None:
    rig = open_rig(scripted({**A200, **answers})).identified()
    found = failure(rig.run(WriteSetting(setting)))
    assert found[0] == kind
    assert reason in found[1]
    assert isinstance(rig.run(ReadBattery())[-1], JobFailed)  # the next job has its turn


def test_a_watch_that_says_less_has_usual_values_for_the_rest(
    scripted: type[ScriptedWatch], open_rig: Callable[..., Rig]
) -> None:
    rig = open_rig(scripted({**A200, "0230": [bytes.fromhex("0230AA")]})).identified()
    events = rig.run(ReadSetting(Dnd))
    assert SettingRead(Dnd(night=True)) in events
    assert not any(isinstance(event, Remarked) for event in events)


def test_odd_read_backs_are_remarked_and_never_fatal(
    scripted: type[ScriptedWatch], open_rig: Callable[..., Rig]
) -> None:
    odd = {
        "0230": [bytes.fromhex("0230 77 63 63 07 00 00 01 33 17 00 07 00")],
        "0210": [bytes.fromhex("0210 88 ff ff 99 05 ff ff 01")],
        "02B0": [bytes.fromhex("02B0 ff 01 77 88 13 00 06 00 ff ff")],
        "02B1": [bytes.fromhex("02B1 aa 00 00 99 99 17 3b")],
        "0009": [bytes.fromhex("00000000 42 07 63 63 00 00 ffff")],
        "000F": [
            bytes.fromhex("00 0A")
            + b"".join(
                (bytes((n, 0x55, 0xF0, 99, 99, 0xFF, 1, 255, 9, 200)) + b"\xff\x01\x80" + bytes(21))
                for n in range(1, 13)
            )
        ],
    }
    rig = open_rig(scripted({**A200, **odd})).identified()
    remarks = 0
    for kind in (Dnd, Notices, Brightness, RaiseToWake, HeartRateMeasuring, Alarms):
        events = rig.run(ReadSetting(kind))
        (found,) = (event.setting for event in events if isinstance(event, SettingRead))
        assert isinstance(found, kind)
        remarks += sum(isinstance(event, Remarked) for event in events)
        if isinstance(found, Alarms):
            assert len(found.alarms) == 10
            assert found.alarms[0].kind == "code_240"
            assert found.alarms[0].name == "???"
        if isinstance(found, Brightness):
            assert (found.level_pct, found.mode, found.night) == (100, "code_119", "code_136")
            assert outcome(write(Rig(virtual()).identified(), found)).held == found
    assert remarks >= 10


READABLE = [kind for kind, support in FAMILY.settings.items() if support.readable]
QUESTIONS = ("0230", "0210", "02B0", "02B1", "0009", "000F")
TAKEN = {
    "0329": [b"\x03\x29"],
    "0330": [bytes.fromhex("0330880100")],
    "0332": [b"\x03\x32"],
    "0328": [b"\x03\x28\x00"],
    "000E": [b""],
}


@pytest.mark.parametrize("kind", READABLE, ids=lambda kind: kind.NAME)
def test_an_answer_that_holds_nothing_tells_nothing(
    scripted: type[ScriptedWatch], open_rig: Callable[..., Rig], kind: type[Setting]
) -> None:
    empty = {key: [bytes.fromhex(key) if key[:2] == "02" else b""] for key in QUESTIONS}
    rig = open_rig(scripted({**A200, **empty})).identified()
    assert failure(rig.run(ReadSetting(kind)))[0] == "malformed"


@pytest.mark.parametrize("setting", [Dnd(), Notices(), Brightness(), RaiseToWake(), Alarms()])
def test_what_the_watch_took_stays_taken_when_it_cannot_be_read_back(
    scripted: type[ScriptedWatch], open_rig: Callable[..., Rig], setting: Setting
) -> None:
    rig = open_rig(scripted({**A200, **TAKEN})).identified()
    events = rig.run(WriteSetting(setting))
    assert outcome(events) == SettingWritten(sent=setting, held=None)
    (remark,) = (event for event in events if isinstance(event, Remarked))
    assert "the watch took it" in remark.text
    assert "did not answer" in remark.text


@pytest.mark.parametrize(
    ("setting", "byte", "bit"),
    [(Dnd(), 3, 5), (Brightness(), 13, 1), (RaiseToWake(), 13, 2)],
)
def test_a_watch_without_the_bit_is_not_asked_what_it_holds(
    scripted: type[ScriptedWatch],
    open_rig: Callable[..., Rig],
    setting: Setting,
    byte: int,
    bit: int,
) -> None:
    extended = bytearray(A200["0207"][0])
    extended[2 + byte] &= ~(1 << bit)
    watch = scripted({**A200, **TAKEN, "0207": [bytes(extended)]})
    rig = open_rig(watch).identified()
    before = len(watch.asked)
    events = rig.run(WriteSetting(setting))
    assert outcome(events) == SettingWritten(sent=setting, held=None)
    assert [question[0] for question in watch.asked[before:]] == [0x03]
    assert failure(rig.run(ReadSetting(type(setting))))[0] == "unsupported"


def test_the_name_of_an_alarm_without_an_end_is_cut(
    scripted: type[ScriptedWatch], open_rig: Callable[..., Rig]
) -> None:
    slot = bytes.fromhex("0155000700 03 000A0001") + "ü".encode() * 12
    unused = bytes.fromhex("00AA") + bytes(32)
    rig = open_rig(scripted({**A200, "000F": [b"\x00\x0a" + slot + unused * 9]})).identified()
    events = rig.run(ReadSetting(Alarms))
    (found,) = (event.setting for event in events if isinstance(event, SettingRead))
    assert found == Alarms(alarms=(Alarm(days=("monday",), name="ü" * 11),))


@pytest.mark.parametrize("kind", READABLE, ids=lambda kind: kind.NAME)
@hypothesis_settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_noisy_read_back_is_a_setting_or_a_failed_job(
    kind: type[Setting], data: st.DataObject
) -> None:
    noise = data.draw(st.binary(max_size=360) if kind is Alarms else st.binary(max_size=24))
    answers = {key: [bytes.fromhex(key) + noise if key[:2] == "02" else noise] for key in QUESTIONS}
    rig = Rig(ScriptedWatch({**A200, **answers})).identified()
    *events, last = rig.run(ReadSetting(kind))
    if isinstance(last, JobFailed):
        assert last.kind in ("malformed", "silent")
    else:
        assert [type(event.setting) for event in events if isinstance(event, SettingRead)] == [kind]


@pytest.mark.parametrize("kind", FAMILY.settings, ids=lambda kind: kind.NAME)
@hypothesis_settings(max_examples=15, deadline=None)
@given(st.data())
def test_noise_for_an_acknowledgement_is_taken_or_refused(
    kind: type[Setting], data: st.DataObject
) -> None:
    noise = data.draw(st.binary(max_size=20))
    setting = data.draw(settings_of(kind))
    keys = [f"03{key:02x}" for key in range(0x100)]
    answers = {key: [bytes.fromhex(key) + noise] for key in keys}
    answers |= {key: [noise] for key in ("0009", "000C", "000E", "000F")}
    rig = Rig(ScriptedWatch({**A200, **answers})).identified()
    last = rig.run(WriteSetting(setting, experimental=True))[-1]
    if isinstance(last, JobFailed):
        assert last.kind in ("refused", "malformed", "silent", "invalid")
    else:
        assert isinstance(last, JobDone)
