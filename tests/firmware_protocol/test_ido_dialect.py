"""The IDO dialogues other than sync against a scripted watch: what is asked, what it means."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from firmware_protocol.events import (
    BatteryRead,
    Bound,
    ClockRead,
    ClockWasSet,
    Event,
    FrameIgnored,
    Identified,
    JobDone,
    JobFailed,
    LiveRead,
    Unbound,
    WatchInfo,
)
from firmware_protocol.families.ido import FAMILY, gatt
from firmware_protocol.families.ido.framing import encode_v3
from firmware_protocol.family import Advertisement, Write
from firmware_protocol.jobs import (
    Bind,
    Identify,
    ReadBattery,
    ReadClock,
    ReadLive,
    SetClock,
    Sync,
    Unbind,
)
from firmware_protocol.told import DataChanged
from tests.firmware_protocol.conftest import A200

Open = Callable[..., Any]


def info_of(events: list[Event]) -> WatchInfo:
    (identified,) = (event for event in events if isinstance(event, Identified))
    return identified.info


def ended(events: list[Event]) -> JobDone | JobFailed:
    last = events[-1]
    assert isinstance(last, JobDone | JobFailed)
    return last


def failed(events: list[Event]) -> tuple[str, str]:
    last = ended(events)
    assert isinstance(last, JobFailed)
    return last.kind, last.reason


# --- identify ---


def test_the_prelude_in_the_order_of_the_app(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200)
    info = info_of(open_rig(watch).run(Identify()))
    assert [asked.hex() for asked in watch.asked] == [
        "0201",
        "0202",
        "0207",
        "02f0",
        "001a",
        "0204",
    ]
    assert (info.family, info.product, info.model_code) == ("ido", "Band 8", 0x0214)
    assert (info.firmware_version, info.address) == ("17", "F9:24:12:00:00:01")
    assert (info.bound, info.battery_pct, info.charging, info.restarted) == (True, 27, False, True)
    assert {"v3_heart_rate", "v3_sleep", "stress_notify_flag"} <= info.capabilities
    assert info.facts is not None
    assert info.facts["write_bytes"] == 137
    assert info.facts["shape"] == "square"


@pytest.mark.parametrize(
    ("sizes", "write_bytes"),
    [
        ("02f00089008900e8038c00", 137),
        ("02f00189008900e8038c00", 20),
        ("02f0000500050000000000", 20),
        ("02f000ffff890000000000", 512),
        ("02f0", 20),
    ],
)
def test_sizes_of_writes_are_kept_within_reason(
    scripted: Open, open_rig: Open, sizes: str, write_bytes: int
) -> None:
    info = info_of(open_rig(scripted(A200 | {"02F0": [bytes.fromhex(sizes)]})).run(Identify()))
    assert info.facts is not None
    assert info.facts["write_bytes"] == write_bytes


def test_no_write_is_longer_than_the_link_takes(scripted: Open, open_rig: Open) -> None:
    rig = open_rig(scripted(A200))
    rig.link_write_bytes = 100
    rig.connect()
    info = info_of(rig.run(Identify()))
    assert info.facts is not None
    assert info.facts["write_bytes"] == 100
    rig.run(Sync(date(2026, 6, 22)))
    assert max(map(len, rig.written)) == 100, "the total (05) is longer and must be cut"


def test_version_in_three_parts(scripted: Open, open_rig: Open) -> None:
    tables = bytearray(A200["001A"][0])
    tables[14] |= 0x20
    watch = scripted(
        A200 | {"001A": [bytes(tables)], "02EB": [bytes.fromhex("02eb01002400010001010001")]}
    )
    assert info_of(open_rig(watch).run(Identify())).firmware_version == "1.00.36"


def test_only_the_first_question_must_be_answered(scripted: Open, open_rig: Open) -> None:
    watch = scripted({"0201": A200["0201"]})
    info = info_of(open_rig(watch).run(Identify()))
    assert (info.address, info.capabilities) == (None, frozenset())
    assert b"\x02\x07" not in watch.asked  # nothing announced it


def test_an_announced_table_that_does_not_come(scripted: Open, open_rig: Open) -> None:
    without = {asked: answer for asked, answer in A200.items() if asked not in ("0207", "001A")}
    assert info_of(open_rig(scripted(without)).run(Identify())).capabilities == frozenset()


def test_a_short_identity_says_little(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200 | {"0201": [bytes.fromhex("0201d81e")], "0204": [b"\x02\x04"]})
    info = info_of(open_rig(watch).run(Identify()))
    assert (info.product, info.bound, info.charging, info.address) == ("Active 4 Pro",) + (
        None,
    ) * 3
    assert info.firmware_version is None


def test_a_dead_watch(scripted: Open, open_rig: Open) -> None:
    watch = scripted({})
    rig = open_rig(watch)
    kind, reason = failed(rig.run(Identify()))
    assert kind == "silent"
    assert "did not answer" in reason
    assert [asked[:2].hex() for asked in watch.asked] == ["0201"] * 3 + ["0005"]
    assert rig.now_s == 3 * 3 + 5


def test_a_watch_that_speaks_of_its_records_only(scripted: Open, open_rig: Open) -> None:
    info = info_of(open_rig(scripted({"0005": [bytes(5)]})).run(Identify()))
    assert (info.product, info.model_code, info.bound) == ("IDO watch", None, None)


def test_a_version_that_is_cut_falls_back_to_the_single_number(
    scripted: Open, open_rig: Open
) -> None:
    tables = bytearray(102)
    tables[14] = 0x20
    watch = scripted(A200 | {"001A": [bytes(tables)], "02EB": [bytes.fromhex("02eb0100")]})
    assert info_of(open_rig(watch).run(Identify())).firmware_version == "17"


def test_a_classic_question_is_asked_three_times(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200)
    rig = open_rig(watch, drop=lambda number, _data: number < 2)
    assert isinstance(ended(rig.run(Identify())), JobDone)
    assert [asked.hex() for asked in watch.asked][:3] == ["0201"] * 3


def test_a_v3_question_takes_a_new_number_each_time(scripted: Open, open_rig: Open) -> None:
    lost = iter([True])
    rig = open_rig(
        scripted(A200), drop=lambda _number, data: data[:1] == b"\x33" and next(lost, False)
    )
    rig.run(Identify())
    numbers = [data[10:12] for data in rig.written if data[:1] == b"\x33" and data[8:9] == b"\x1a"]
    assert len(numbers) == 2
    assert numbers[0] != numbers[1]


# --- bind ---


def bind(open_rig: Open, watch: Any) -> list[Event]:
    events: list[Event] = open_rig(watch).identified().run(Bind())
    return events


def test_a_bind_without_confirmation(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200 | {"0401": [bytes.fromhex("04010000")]})
    assert bind(open_rig, watch)[0] == Bound()
    assert watch.asked[-1] == bytes.fromhex("0401F1010102020100")  # ido.md 4.4, verbatim


def test_a_bind_with_the_captured_challenge(scripted: Open, open_rig: Open) -> None:
    watch = scripted(
        A200
        | {
            "0401": [bytes.fromhex("0401000C00F460CC000000EA0A0812193B")],
            "0323": [bytes.fromhex("0323")],
            "0405": [bytes.fromhex("04050000")],
        }
    )
    assert bind(open_rig, watch)[0] == Bound()
    assert watch.asked[-2:] == [
        bytes.fromhex("03230200"),
        bytes.fromhex("04050C00EA0A0812193B1E6AC412193B"),
    ]


@pytest.mark.parametrize(
    ("reply", "kind", "word"),
    [
        ("04010100", "refused", "could not"),
        ("04010200", "refused", "another phone"),
        ("04010300", "refused", "confirmed"),
        ("04010500", "refused", "refused"),
        ("04010600", "refused", "data"),
        ("04010700", "unsupported", "not known"),
        ("04017700", "refused", "119"),
        ("0401000800", "unsupported", "code"),
        ("0401000C10F460CC000000EA0A0812193B", "unsupported", "cipher"),
        ("0401000C00F460CC000000", "malformed", "cut short"),
        ("0401000C00", "malformed", "cut short"),
    ],
)
def test_binds_that_fail(scripted: Open, open_rig: Open, reply: str, kind: str, word: str) -> None:
    events = bind(open_rig, scripted(A200 | {"0401": [bytes.fromhex(reply)]}))
    assert failed(events)[0] == kind
    assert word in failed(events)[1]


@pytest.mark.parametrize(
    ("reply", "word"), [("04050100", "on the watch"), ("04050200", "challenge"), ("04050900", "9")]
)
def test_a_challenge_that_is_not_passed(
    scripted: Open, open_rig: Open, reply: str, word: str
) -> None:
    answers = {
        "0401": [bytes.fromhex("0401000C00F460CC000000EA0A0812193B")],
        "0405": [bytes.fromhex(reply)],
    }
    kind, reason = failed(bind(open_rig, scripted(A200 | answers)))
    assert kind == "refused"
    assert word in reason


def test_a_challenge_of_a_watch_that_knows_us(scripted: Open, open_rig: Open) -> None:
    answers = {
        "0401": [bytes.fromhex("0401000C00F460CC000000EA0A0812193B")],
        "0405": [bytes.fromhex("04050300")],
    }
    assert bind(open_rig, scripted(A200 | answers))[0] == Bound()


def test_a_watch_that_wants_a_press_is_asked_once(scripted: Open, open_rig: Open) -> None:
    confirm = bytearray(A200["0201"][0])
    confirm[11] = 0x31
    watch = scripted(A200 | {"0201": [bytes(confirm)]})
    rig = open_rig(watch).identified()
    begun_s = rig.now_s
    assert failed(rig.run(Bind()))[0] == "silent"
    assert watch.asked.count(bytes.fromhex("0401F1010102020100")) == 1
    assert rig.now_s - begun_s == 60


def test_unbind(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200 | {"0402": [b"\x04\x02"]})
    assert open_rig(watch).identified().run(Unbind())[0] == Unbound()
    assert failed(open_rig(scripted(A200)).identified().run(Unbind()))[0] == "silent"


# --- clock, battery, live ---


def test_the_clock_is_read(scripted: Open, open_rig: Open) -> None:
    watch = scripted(A200 | {"0203": [bytes.fromhex("0203EA07061312111704B387356A3000")]})
    assert open_rig(watch).identified().run(ReadClock())[0] == ClockRead(
        datetime(2026, 6, 19, 18, 17, 23)  # noqa: DTZ001 a wall time
    )


@pytest.mark.parametrize("reply", ["0203", "0203000000000000000000000000000000"])
def test_a_clock_without_a_time(scripted: Open, open_rig: Open, reply: str) -> None:
    events = (
        open_rig(scripted(A200 | {"0203": [bytes.fromhex(reply)]})).identified().run(ReadClock())
    )
    assert failed(events)[0] == "malformed"


@pytest.mark.parametrize(
    ("local", "written"),
    [
        # ido.md 4.3: captured on 8 March 2026
        (datetime(2026, 3, 8, 1, 10, 57, tzinfo=UTC), "0301EA070308010A3906000000000000"),
        (
            datetime(2026, 6, 22, 15, 49, 33, tzinfo=timezone(timedelta(hours=1))),
            "0301EA0706160F312100000000000100",
        ),
        (
            datetime(2026, 6, 22, 15, 49, 33, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "0301EA0706160F312100000000000000",
        ),
        (
            datetime(2026, 6, 22, 15, 49, 33, tzinfo=timezone(timedelta(hours=-5))),
            "0301EA0706160F312100000000000000",
        ),
    ],
)
def test_the_clock_is_set_whole(
    scripted: Open, open_rig: Open, local: datetime, written: str
) -> None:
    watch = scripted(A200 | {"0301": [b"\x03\x01"]})
    assert open_rig(watch).identified().run(SetClock(local))[0] == ClockWasSet()
    assert watch.asked[-1] == bytes.fromhex(written)


def test_the_battery_is_read(scripted: Open, open_rig: Open) -> None:
    padded = bytes.fromhex("0205008A0F0140").ljust(20, b"\x00")
    events = open_rig(scripted(A200 | {"0205": [padded]})).identified().run(ReadBattery())
    read = events[0]
    assert isinstance(read, BatteryRead)
    assert (read.battery_pct, read.voltage_mv, read.charging) == (64, 3978, True)
    assert (read.record.kind, read.record.body) == ("battery", padded[:15])


def test_a_battery_that_says_nothing(scripted: Open, open_rig: Open) -> None:
    events = open_rig(scripted(A200 | {"0205": [b"\x02\x05"]})).identified().run(ReadBattery())
    assert failed(events)[0] == "malformed"


@pytest.mark.parametrize(("last", "bpm"), [("F0", None), ("00", None), ("48", 72)])
def test_live_values(scripted: Open, open_rig: Open, last: str, bpm: int | None) -> None:
    reply = bytes.fromhex("02A05127000086070000D91D00001E000000" + last)  # ido.md 4.2, L
    events = open_rig(scripted(A200 | {"02A0": [reply]})).identified().run(ReadLive())
    assert events[0] == LiveRead(10065, 1926, 7641, 30, bpm)


@pytest.mark.parametrize(
    "job", [ReadClock(), ReadBattery(), ReadLive(), SetClock(datetime(2026, 1, 1, tzinfo=UTC))]
)
def test_silence_is_told(scripted: Open, open_rig: Open, job: Any) -> None:
    assert failed(open_rig(scripted(A200)).identified().run(job))[0] == "silent"


# --- unasked ---


def hear(open_rig: Open, scripted: Open, *values: str) -> tuple[list[Event], list[bytes]]:
    rig = open_rig(scripted(A200)).identified()
    events: list[Event] = []
    for value in values:
        events += rig.session.receive_data(gatt.COMMAND_NOTIFY, bytes.fromhex(value), rig.now_s)
    return events, [out.data for out in rig.session.data_to_send() if isinstance(out, Write)]


@pytest.mark.parametrize(
    ("value", "what", "details"),
    [
        # ido.md 4.7: captured, live and padded as a log has it
        ("0740000008000000", "settings", {"change": 0, "read_again": "raise_to_wake"}),
        ("07401F00000000", "restarted", {"change": "restarted"}),
        ("0740020000", "heart_rate_mode", {"change": "heart_rate_mode"}),
        ("0740F70000", "change_247", {"change": 247}),
    ],
)
def test_a_change_is_told_and_echoed(
    scripted: Open, open_rig: Open, value: str, what: str, details: dict[str, Any]
) -> None:
    events, answers = hear(open_rig, scripted, value)
    event = events[0]
    assert isinstance(event, DataChanged)
    assert event.what == what
    assert details.items() <= event.details.items()
    (answer,) = answers
    assert answer == bytes.fromhex(value).ljust(18, b"\x00")


def test_an_echo_of_a_padded_log_is_18_bytes(scripted: Open, open_rig: Open) -> None:
    _, answers = hear(open_rig, scripted, "0740000008" + "00" * 15)
    assert answers == [bytes.fromhex("0740000008").ljust(18, b"\x00")]


def test_other_words_of_the_watch(scripted: Open, open_rig: Open) -> None:
    events, answers = hear(open_rig, scripted, "070401", "0330550100")
    assert events == [DataChanged("anti_lost", {"state": 1})]  # the other one is no news
    assert answers == []


def test_what_nobody_asked_for_is_ignored(scripted: Open, open_rig: Open) -> None:
    record = encode_v3(4, 99, bytes.fromhex("00 01 01 0000 0000 0D00 00000000 00") + bytes(13))
    unknown = encode_v3(4, 99, bytes.fromhex("00 77 01 0000 0000 0000 00000000 00"))
    stray = encode_v3(4, 99, bytes.fromhex("00 01"))
    events, _ = hear(
        open_rig, scripted, "0205008a0f0040", record.hex(), unknown.hex(), stray.hex(), "3311", "99"
    )
    assert [event.message for event in events if isinstance(event, FrameIgnored)] == [
        "ido.get.battery.reply",
        "ido.health.spo2.start.reply",
        "ido.health.type_77.start.reply",
        None,
        None,
        "ido.unknown.99.reply",
    ]


# --- advertisements ---


def seen(
    address: str = "F9:24:12:00:00:01",
    name: str | None = "Band 8",
    services: tuple[str, ...] = (gatt.SERVICE,),
    data: dict[int, str] | None = None,
) -> Advertisement:
    manufacturer = {key: bytes.fromhex(value) for key, value in (data or {}).items()}
    return Advertisement(address, name, -60, frozenset(services), manufacturer)


A200_SCAN_RESPONSE = {0x0214: "F92412000001 0202110001 00"}


@pytest.mark.parametrize(
    ("advertisement", "product", "model_code"),
    [
        (seen(data=A200_SCAN_RESPONSE), "Band 8", 0x0214),
        (seen(name=None, data=A200_SCAN_RESPONSE), "Band 8", 0x0214),
        (seen(services=(), data=A200_SCAN_RESPONSE), "Band 8", 0x0214),
        (seen(name="ID115Plus HR", data={0x0245: "0000F92412000001"}), "ID115Plus HR", 0x0245),
        (seen(name=None, data={0x0245: "0000F92412000001"}), "IDO 581", 0x0245),
        (seen(name=None), "IDO watch", None),
        (seen(data={0x004C: "0215"}), "Band 8", None),
    ],
)
def test_watches_are_recognised(
    advertisement: Advertisement, product: str, model_code: int | None
) -> None:
    found = FAMILY.recognise(advertisement)
    assert found is not None
    assert (found.family, found.product, found.model_code) == ("ido", product, model_code)


@pytest.mark.parametrize(
    "advertisement",
    [
        seen(services=("0000fd50-0000-1000-8000-00805f9b34fb",)),
        seen(services=(), data={0x0214: "000000000000"}),
        seen(services=(), address="8B0C-uuid-of-macos", data=A200_SCAN_RESPONSE),
        seen(services=(), address="F9", data=A200_SCAN_RESPONSE),
    ],
)
def test_others_are_not(advertisement: Advertisement) -> None:
    assert FAMILY.recognise(advertisement) is None
