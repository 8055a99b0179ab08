"""The watch's end of the IDO wire, driven by raw bytes: no codec of the companion takes part."""

import os
import struct
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import (
    DayMemory,
    MovementSlot,
    Reading,
    SleepMemory,
    WatchMemory,
    WatchSession,
    WatchTraits,
    WorkoutMemory,
)

CAPTURES = (
    Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared" / "captures")
    / "ido"
)
ADDRESS = "F9:24:12:00:00:01"
V3_START = bytes.fromhex("33daaddaad01")
NO_OFFSETS = bytes.fromhex("0100000000 0200000000 0800000000 0300000000").ljust(125, b"\0")


def wall(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


class Central:
    """A client that knows frames and nothing else. Its clock starts at 1000."""

    def __init__(
        self,
        memory: WatchMemory | None = None,
        *,
        at: int = wall(2026, 6, 22, 15, 49, 33),
        options: tuple[str, ...] = (),
        bound: bool = True,
        battery_pct: int = 64,
        refuse_bind: bool = False,
        restarted: bool = False,
    ) -> None:
        self.now_s = 1000.0
        self.memory = memory or WatchMemory()
        self.session: WatchSession = open_watch(
            self.memory,
            WatchTraits(
                address=ADDRESS,
                wall_offset_s=at - 1000,
                bound=bound,
                battery_pct=battery_pct,
                refuse_bind=refuse_bind,
                restarted=restarted,
                options=frozenset(options),
            ),
        )
        self.sequence = 1
        self.connect()

    def connect(self) -> list[bytes]:
        self.session.link_opened(self.now_s)
        self.session.subscribed(gatt.COMMAND_NOTIFY, self.now_s)
        self.session.subscribed(gatt.HEALTH_NOTIFY, self.now_s)
        return [data for _, data in self.session.data_to_send()]

    def write(self, data: bytes | str, uuid: str = gatt.COMMAND_WRITE) -> list[bytes]:
        frame = bytes.fromhex(data) if isinstance(data, str) else data
        self.session.receive_write(uuid, frame, self.now_s)
        expected = gatt.COMMAND_NOTIFY if uuid == gatt.COMMAND_WRITE else gatt.HEALTH_NOTIFY
        due = self.session.data_to_send()
        assert all(source == expected for source, _ in due)
        return [data for _, data in due]

    def wants_drop(self) -> bool:
        return self.session.link_must_drop

    def legacy(self, data: str) -> list[bytes]:
        return self.write(data, gatt.HEALTH_WRITE)

    def ask_v3(self, command: int, payload: bytes | str) -> bytes | None:
        """Send a V3 message in one piece; return the reply's payload, its frame checked."""
        body = bytes.fromhex(payload) if isinstance(payload, str) else payload
        self.sequence += 1
        parts = self.write(v3(command, self.sequence, body))
        if not parts:
            return None
        assert all(len(part) == 137 for part in parts[:-1])
        reply = parts[0] + b"".join(part[1:] for part in parts[1:])
        length, got_command, sequence = struct.unpack_from("<HHH", reply, 6)
        assert reply.startswith(V3_START)
        assert (got_command, sequence) == (command, self.sequence)
        if command != 0x04:
            assert reply[-2:] == struct.pack("<H", crc16_ccitt_false(reply[1:-2]))
            reply = reply[:-2]
        assert len(reply) == length + 1
        return reply[12:]

    def start(self, record_type: int, today: int, offset: int = 0) -> "Record":
        reply = self.ask_v3(0x04, struct.pack("<BBBH", 0, record_type, today, offset))
        assert reply is not None
        return Record(reply)

    def stop(self, record_type: int, today: int) -> "Record":
        reply = self.ask_v3(0x04, struct.pack("<BBBH", 1, record_type, today, 0))
        assert reply is not None
        assert len(reply) == 14
        return Record(reply)


class Record:
    """A reply of command 04, cut by its own numbers."""

    def __init__(self, reply: bytes) -> None:
        (
            self.operate,
            self.record_type,
            self.today,
            self.first,
            self.count,
            self.head_size,
            size,
            self.has_next,
        ) = struct.unpack_from("<BBBHHHIB", reply)
        self.head, self.items = reply[14 : 14 + self.head_size], reply[14 + self.head_size :]
        if self.operate == 0:
            assert (len(self.head), len(self.items)) == (self.head_size, size)
        else:
            assert size == 0

    @property
    def day(self) -> date:
        at = 1 if self.record_type == 8 else 0
        return date(*struct.unpack_from("<HBB", self.head, at))


def v3(command: int, sequence: int, payload: bytes) -> bytes:
    body = struct.pack("<HHH", 11 + len(payload), command, sequence) + payload
    message = V3_START + body
    return message + struct.pack("<H", crc16_ccitt_false(message[1:]))


def captured(name: str) -> list[tuple[str, bytes]]:
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"no capture {name}: set KSOS_CAPTURES")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    fields = [line.split()[-3:] for line in lines]
    return [(direction, bytes.fromhex(data)) for direction, _, data in fields]


def joined(parts: list[bytes]) -> list[bytes]:
    """V3 messages of a list of packets, whole; classic ones as they are."""
    whole: list[bytes] = []
    for part in parts:
        if part[:1] == b"\x33" and not part.startswith(V3_START):
            at = max(i for i, message in enumerate(whole) if message.startswith(V3_START))
            whole[at] += part[1:]
        else:
            whole.append(part)
    return whole


def same(sent: bytes, logged: bytes) -> bool:
    """A log pads classic frames with zeros."""
    return logged[: len(sent)] == sent and not any(logged[len(sent) :])


def replay(central: Central, packets: list[tuple[str, bytes]]) -> list[bytes]:
    answers: list[bytes] = []
    for direction, data in packets:
        if direction == "TX":
            answers += central.write(data)
    return joined(answers)


def by_key(frames: list[bytes]) -> dict[bytes, list[bytes]]:
    """Frames by command and key, or by V3 command and sequence; order kept."""
    groups: dict[bytes, list[bytes]] = {}
    for frame in frames:
        key = frame[:1] + frame[8:12] if frame.startswith(V3_START) else frame[:2]
        groups.setdefault(key, []).append(frame)
    return groups


def slots_of(items: bytes, midnight_s: int) -> tuple[MovementSlot, ...]:
    """Movement from captured items of type 08."""
    slots = []
    for index, item in enumerate(struct.iter_unpack("<BHBHHH", items)):
        intensity, steps, active_min, active_kcal, distance_m, kcal = item
        wall_s = midnight_s + 900 * index
        slots.append(
            MovementSlot(wall_s, 15, intensity, steps, active_min, active_kcal, kcal, distance_m)
        )
    return tuple(slots)


def still(midnight_s: int, count: int = 96, steps: int = 10) -> tuple[MovementSlot, ...]:
    return tuple(
        MovementSlot(midnight_s + 900 * index, 15, 1, steps, 1, 2, 20, 7) for index in range(count)
    )


def day_memory(day: date, *, beats: int = 20) -> DayMemory:
    midnight_s = wall(day.year, day.month, day.day)
    return DayMemory(
        day,
        resting_bpm=58,
        heart_rate=tuple(Reading(midnight_s + 300 * i + 7, 60 + i % 9) for i in range(beats)),
        spo2=tuple(Reading(midnight_s + 3600 * i, 97) for i in range(8)),
        stress=tuple(Reading(midnight_s + 3600 * i, 30 + i) for i in range(8)),
        movement=still(midnight_s),
    )


def a_night(day: date) -> SleepMemory:
    start_s = wall(day.year, day.month, day.day) - 1800
    phases = ((SleepStage.LIGHT, 20), (SleepStage.DEEP, 40), (SleepStage.REM, 30))
    return SleepMemory(start_s, (*phases, (SleepStage.AWAKE, 3), (SleepStage.LIGHT, 300)), 77)


def a_run(start_wall_s: int) -> WorkoutMemory:
    minutes = tuple(
        MovementSlot(start_wall_s + 60 * i, 1, 3, 160, 1, 9, 10, 180 + i) for i in range(6)
    )
    return WorkoutMemory(start_wall_s, 345, 0x30, 5, (0, 0, *([130] * 67)), minutes, (320,))


TODAY = date(2026, 6, 22)
DAYS = (date(2026, 6, 19), date(2026, 6, 20), date(2026, 6, 21), TODAY)


def lived() -> WatchMemory:
    return WatchMemory(
        days=[day_memory(day) for day in DAYS],
        nights=[a_night(day) for day in DAYS],
        workouts=[a_run(wall(2026, 6, 20, 18)), a_run(wall(2026, 6, 22, 7))],
    )


# ---- against the captures ----


def test_the_radio_trace_byte_for_byte() -> None:
    packets = captured("a200_hci_connect_and_config.txt")
    at = wall(2026, 3, 7, 20, 41, 20)
    midnight_s = wall(2026, 3, 7)
    day = DayMemory(
        date(2026, 3, 7),
        heart_rate=tuple(Reading(midnight_s + 200 * i, 70) for i in range(263)),
        stress=tuple(Reading(midnight_s + 600 * i, 20) for i in range(63)),
        movement=still(midnight_s),
    )
    central = Central(WatchMemory([day]), at=at, battery_pct=0x1B, restarted=True)
    central.write("0329551700070000fe55170007000000")
    alarms = [data for direction, data in packets if direction == "RX" and data[:1] == b"\x33"]
    read_back = next(message for message in joined(alarms) if message[8:10] == b"\x0f\x00")
    central.ask_v3(0x0E, read_back[12:-2])
    pushed = central.connect()

    answers = pushed + replay(central, packets)

    expected = joined([data for direction, data in packets if direction == "RX"])
    assert by_key(answers) == by_key(expected)
    assert [a for a in answers if a[0] != 0x33] == [e for e in expected if e[0] != 0x33]


def test_the_first_bind() -> None:
    packets = captured("a200_first_bind.txt")[:-4]  # the last 05 request is cut off in its source
    central = Central(at=wall(2026, 3, 19, 12, 7), bound=False, restarted=True)
    pushed = central.connect()

    answers = by_key(pushed + replay(central, packets))

    expected = by_key(joined([data for direction, data in packets if direction == "RX"]))
    notices = expected.pop(b"\x07\x40")
    # that watch turned "no range given" of the SET into "uses the range"; another trace did not
    quiet = expected[b"\x02\x30"][1]
    expected[b"\x02\x30"][1] = quiet[:7] + b"\x00" + quiet[8:]
    assert set(answers) - {b"\x07\x40"} == set(expected)
    for key, frames in expected.items():
        assert len(answers[key]) == len(frames)
        assert all(same(*pair) for pair in zip(answers[key], frames, strict=True))
    assert all(any(same(notice, logged) for logged in notices) for notice in answers[b"\x07\x40"])


def test_a_sync_over_midnight() -> None:
    packets = captured("a200_dial_upload_then_sync.txt")
    begin = next(i for i, (_, data) in enumerate(packets) if data[:2] == b"\x03\x10")
    end = next(i for i, (_, data) in enumerate(packets) if data[:4] == b"\x03\x01\xea\x07")
    packets = packets[begin:end]
    expected = joined([data for direction, data in packets if direction == "RX"])
    history = [m for m in expected if m[8:10] == b"\x04\x00" and m[12:15] == b"\x00\x08\x00"]
    day = date(2026, 3, 7)
    movement = slots_of(history[0][12 + 14 + 36 :], wall(2026, 3, 7))
    memory = WatchMemory([DayMemory(day, movement=movement)])
    central = Central(memory, at=wall(2026, 3, 8, 0, 0, 1), options=("midnight",))
    central.write("033501000000000000000000")

    answers = replay(central, packets)

    assert len(answers) == len(expected)
    assert all(same(*pair) for pair in zip(answers, expected, strict=True))
    assert memory.days[0].movement == ()


def test_a_sync_that_finds_one_stress_sample() -> None:
    packets = captured("a200_sync_stress_sample.txt")
    begin = next(i for i, (_, data) in enumerate(packets) if data[10:12] == b"\xd4\x00")
    end = next(i for i, (_, data) in enumerate(packets) if data[:4] == b"\x03\x01\xea\x07")
    packets = packets[begin:end]
    expected = joined([data for direction, data in packets if direction == "RX"])
    steps = next(m for m in expected if m[8:10] == b"\x04\x00" and m[12:15] == b"\x00\x08\x01")
    midnight_s = wall(2026, 6, 22)
    minutes = ((600, 20), (700, 25), (800, 22), (937, 19), (947, 16))
    day = DayMemory(
        TODAY,
        stress=tuple(Reading(midnight_s + 60 * minute, value) for minute, value in minutes),
        movement=slots_of(steps[12 + 14 + 36 :], midnight_s),
    )
    central = Central(WatchMemory([day]))
    central.write("033501000000000000000000")

    answers = replay(central, packets)

    assert by_key(answers).keys() == by_key(expected).keys()
    logged = by_key(expected)
    for key, frames in by_key(answers).items():
        assert all(same(*pair) for pair in zip(frames, logged[key], strict=True))


HR_OFF = "00000000 aa 00 00000000 2c01"
HR_ON = "00000000 99 00 00000000 2c01"


@pytest.mark.parametrize(
    ("name", "heart_rate_mode", "before"),
    [
        ("a200_get_alarm.txt", None, ""),
        ("a200_get_flash_bin_info.txt", None, ""),
        ("a200_set_auto_sport_off.txt", None, ""),
        ("a200_set_auto_sport_walk_run.txt", None, ""),
        ("a200_set_conn_param.txt", None, "033501000000000000000000"),
        ("a200_set_dnd_on.txt", None, "03285505010000173b"),
        ("a200_set_drink_on.txt", HR_OFF, ""),
        ("a200_set_hr_mode_off.txt", HR_ON, ""),
        ("a200_set_hr_mode_on.txt", HR_OFF, ""),
        ("a200_set_music_off.txt", None, ""),
        ("a200_set_music_on.txt", None, ""),
        ("a200_set_stress_off.txt", HR_OFF, ""),
        ("a200_set_stress_on.txt", HR_OFF, ""),
        ("a200_set_walk_off.txt", HR_OFF, ""),
        ("a200_set_walk_on.txt", HR_OFF, ""),
        ("a200_set_weather_off.txt", None, "03285505010000173b"),
        ("a200_set_weather_on.txt", None, "03285505010000173b"),
        ("a200_live_dial_switch_and_message.txt", None, ""),
        ("id208_bind_with_challenge.txt", None, ""),
        ("vendor_doc_examples.txt", None, ""),
    ],
)
def test_a_capture_of_one_function(name: str, heart_rate_mode: str | None, before: str) -> None:
    """What the capture's watch said, ours says, wherever it answers the same request."""
    packets = captured(name)
    if name.startswith(("id208", "vendor")):  # other watches: only what they share with an A200
        keys = {b"\x03\x23", b"\x03\x2b", b"\x03\x22", b"\x03\x2c", b"\xf0\x05", b"\xf0\x01"}
        keys |= {b"\xf0\x02", b"\xf0\x03", b"\xf0\x04", b"\x03\xd1"}
        packets = [(way, data) for way, data in packets if data[:2] in keys]
        packets = [p for p in packets if p != ("RX", bytes.fromhex("032301"))]
    central = Central()
    if heart_rate_mode:
        central.ask_v3(0x09, heart_rate_mode)
    if before:
        central.write(before)

    answers = by_key(replay(central, packets))

    logged = by_key(joined([data for direction, data in packets if direction == "RX"]))
    assert logged.keys() <= answers.keys()
    for key, frames in logged.items():
        assert len(frames) == len(answers[key])
        assert all(same(*pair) for pair in zip(answers[key], frames, strict=True))


def test_the_dial_list_before_and_after_a_choice() -> None:
    packets = captured("a200_dial_list.txt")
    expected = joined([data for direction, data in packets if direction == "RX"])
    assert replay(Central(), packets) == expected


def test_lists_and_faces_without_a_capture() -> None:
    central = Central()
    screen = central.ask_v3(0x07, "")
    assert screen is not None
    assert screen.startswith(b"Band 8")
    assert central.ask_v3(0x0C, "02 01 30 02 31") == b""
    assert central.ask_v3(0x0C, "02 01 30") is None
    alarms = bytes(10 * 34)[:-1] + b"\x07"
    assert central.ask_v3(0x0E, bytes((0, 10)) + alarms) == b"\x00"
    assert central.ask_v3(0x0E, "00 0A") is None
    assert central.ask_v3(0x0F, "00") == bytes((0, 10)) + alarms
    faces = central.ask_v3(0x06, "")
    assert faces is not None
    assert faces.count(b"local_") == 3
    chosen = b"local_2".ljust(30, b"\x00")
    assert central.ask_v3(0x08, b"\x01" + chosen) == b"\x00\x01" + chosen
    assert central.ask_v3(0x08, b"\x00" + bytes(30)) == b"\x00\x00" + chosen
    assert central.ask_v3(0x08, "00") is None


def test_identity_follows_the_battery() -> None:
    assert Central().write("0201")[0].hex() == "0201140211010040010001002802010303"
    assert Central(battery_pct=13).write("0201")[0][6:8] == b"\x03\x0d"
    assert Central(battery_pct=100).write("0201")[0][6:8] == b"\x02\x64"


def test_battery_as_captured_at_two_levels() -> None:
    assert Central().write("0205")[0][:7].hex() == "0205008a0f0040"
    assert Central(battery_pct=9).write("0205")[0][:7].hex() == "020500840e0309"


def test_device_time_as_captured() -> None:
    central = Central(at=wall(2026, 6, 19, 18, 17, 23))
    assert central.write("0203")[0].hex() == "0203ea07061312111704b387356a3000"


def test_live_totals_as_captured_from_an_id208() -> None:
    midnight_s = wall(2026, 10, 3)
    slots = (MovementSlot(midnight_s, 15, 3, 10065, 30, 631, 1926, 7641),)
    day = DayMemory(date(2026, 10, 3), movement=slots)
    central = Central(WatchMemory([day]), at=midnight_s + 60)
    assert central.write("02a0")[0].hex() == "02a05127000086070000d91d00001e000000f0"


def test_sleep_head_as_captured_from_an_id208() -> None:
    """The first night: phases that sum up as published; the tail of an A200 is zero."""
    stages = {SleepStage.AWAKE: (4, 21), SleepStage.LIGHT: (12, 215), SleepStage.REM: (9, 136)}
    stages[SleepStage.DEEP] = (2, 73)
    phases = []
    for stage, (count, total) in stages.items():
        phases += [(stage, total // count)] * (count - 1)
        phases.append((stage, total - total // count * (count - 1)))
    night = SleepMemory(wall(2026, 9, 28, 23, 41), tuple(phases), 0x4C)
    central = Central(WatchMemory(nights=[night]), at=wall(2026, 9, 29, 8))
    record = central.start(0x07, 0)
    expected = "0201ea07091c1729ea07091d0706bd011500d70088004900040c0902644c1b000000"
    assert record.head.hex() == expected + "00" * 6
    assert record.count == 27
    assert sum(record.items[1::2]) == 445


def test_workout_head_as_captured() -> None:
    """An outdoor run of an IDO watch (ido.md 7.6, RUN), as far as the memory can hold it."""
    [(_, data), *_] = captured("workout_v16_outdoor_run.txt")
    head = data[12 + 14 :][:100]
    start_s = wall(2025, 2, 9, 15, 12, 27)
    minutes = (
        MovementSlot(start_s, 1, 3, 147, 1, 5, 5, 206),
        MovementSlot(start_s + 60, 1, 3, 15, 1, 0, 0, 16),
    )
    beats = (118, 116, 118, 119, 121, 121, 123, 123)
    run = WorkoutMemory(start_s, 66, 0x30, 5, beats, minutes, (297, 297))
    record = Central(WatchMemory(workouts=[run]), at=start_s + 100).start(0x04, 0)
    assert record.count == 2
    assert record.head[:10] == head[:10]
    assert record.head[12:32] == head[12:29] + bytes((120, 123, 116))  # it rounds 119.9 down
    assert record.head[32] == head[32]  # cadence
    assert record.head[36:38] == head[36:38]  # speed
    assert record.head[78:82] == head[78:82]  # counts of minutes and kilometres
    assert record.head[88:90] == head[88:90]
    assert record.items[:24] == data[12 + 14 + 100 :][:24]  # beats, minutes, kilometres


# ---- the health records of V3 ----


def test_days_are_paged_and_forgotten_on_confirmation() -> None:
    memory = lived()
    central = Central(memory)
    assert central.start(0x03, 1).day == TODAY
    stop = central.stop(0x03, 1)
    assert (stop.count, stop.has_next) == (20 * 2 - 1, 1)
    seen = []
    while stop.has_next:
        seen.append(central.start(0x03, 0).day)
        stop = central.stop(0x03, 0)
    assert seen == [date(2026, 6, 21), date(2026, 6, 20), date(2026, 6, 19)]
    assert [bool(day.heart_rate) for day in memory.days] == [False, False, False, True]
    assert all(day.stress for day in memory.days)
    assert central.start(0x03, 0).count == 0
    assert central.start(0x03, 1).day == TODAY


def test_nothing_is_forgotten_without_a_start_on_the_same_link() -> None:
    central = Central(lived())
    first = central.start(0x02, 0)
    assert central.start(0x02, 0).head == first.head
    central.session.link_lost(central.now_s)
    central.connect()
    lost = central.stop(0x02, 0)
    assert (lost.count, lost.has_next) == (0, 1)
    assert central.start(0x02, 0).day == first.day
    central.stop(0x02, 0)
    central.stop(0x02, 0)  # the repeated STOP of a client that missed the answer
    assert central.start(0x02, 0).day == date(2026, 6, 20)


def test_a_stop_that_names_another_day_confirms_nothing() -> None:
    central = Central(lived())
    central.start(0x02, 0)
    assert central.stop(0x02, 1).count == 0
    assert central.start(0x02, 0).day == date(2026, 6, 21)


def test_the_cursor_outlives_a_restart() -> None:
    central = Central(lived())
    central.start(0x07, 0)
    central.stop(0x07, 0)
    central.session.restart(central.now_s)
    central.connect()
    assert central.write("0201")[0][9] == 1
    assert central.start(0x07, 0).head[2:6] == struct.pack("<HBB", 2026, 6, 19)


def test_counted_records_come_oldest_first_until_stopped() -> None:
    memory = lived()
    central = Central(memory)
    nights = []
    while (record := central.start(0x07, 0, offset=3)).count:
        assert central.start(0x07, 0).head == record.head
        nights.append(record.head[8:12])
        stop = central.stop(0x07, 0)
        assert stop.has_next == (len(nights) < 4)
    assert nights == [struct.pack("<HBB", day.year, day.month, day.day) for day in DAYS]
    assert memory.nights == []
    assert record.head == bytes(40)
    assert central.start(0x06, 0).head == bytes(7) + b"\x01" + bytes(26)


def test_what_has_not_ended_is_not_offered() -> None:
    memory = lived()
    central = Central(memory, at=wall(2026, 6, 22, 7, 3))
    assert central.start(0x04, 0).head[1:5] == struct.pack("<HBB", 2026, 6, 20)
    assert central.stop(0x04, 0).has_next == 0
    central.now_s += 600
    assert central.start(0x04, 0).head[1:5] == struct.pack("<HBB", 2026, 6, 22)


def test_today_grows_with_the_clock() -> None:
    central = Central(lived(), at=wall(2026, 6, 22, 0, 14, 59))
    assert central.start(0x08, 1).count == 1
    before = central.start(0x03, 1)
    central.now_s += 301
    assert central.start(0x08, 1, offset=50).count == 2
    after = central.start(0x03, 1, offset=before.count)
    assert (after.first, after.count) == (before.count, 2)
    assert after.items == bytes((0xFF, 0, 45, 63))
    assert after.head[4:8] == struct.pack("<i", 607)
    assert central.start(0x03, 1, offset=before.count + 2).count == 0


@pytest.mark.parametrize("record_type", [0x01, 0x02, 0x03])
def test_an_offset_gives_the_rest_of_today(record_type: int) -> None:
    central = Central(lived())
    whole = central.start(record_type, 1)
    for offset in range(1, whole.count):
        rest = central.start(record_type, 1, offset)
        assert (rest.first, rest.count) == (offset, whole.count - offset)
        assert rest.items == whole.items[2 * offset :]
        start = struct.unpack_from("<I", whole.head, 4)[0]
        gone = sum(whole.items[0 : 2 * offset : 2])
        assert struct.unpack_from("<I", rest.head, 4)[0] == start + gone


def test_the_announced_size_is_what_comes() -> None:
    central = Central(lived())
    reply = central.ask_v3(0x05, NO_OFFSETS)
    assert reply is not None
    total = struct.unpack("<IB", reply)[0]
    came = 0
    for record_type in (1, 2, 3, 8):
        today = 1
        while True:
            record = central.start(record_type, today)
            came += len(record.head) + len(record.items)
            if not central.stop(record_type, today).has_next:
                break
            today = 0
    for record_type in (4, 6, 7):
        while True:
            record = central.start(record_type, 0)
            came += len(record.head) + len(record.items) if record.count or record_type == 6 else 0
            central.stop(record_type, 0)
            if not record.count:
                break
    assert total == came


def test_sums_of_a_step_day() -> None:
    record = Central(lived()).start(0x08, 1)
    items = list(struct.iter_unpack("<BHBHHH", record.items))
    steps, kcal, distance_m, active_min, count, active_kcal = struct.unpack_from(
        "<IIIIHH", record.head, 8
    )
    assert count == record.count == len(items) == 64
    sums = [sum(column) for column in zip(*items, strict=True)][1:]
    assert sums == [steps, active_min, active_kcal, distance_m, kcal]
    assert record.head[7] == 15


def test_a_day_without_movement_is_empty() -> None:
    central = Central(WatchMemory([DayMemory(TODAY, spo2=(Reading(wall(2026, 6, 22, 3), 97),))]))
    assert central.start(0x08, 1).head == bytes(36)
    assert central.start(0x01, 1).head.hex() == "ea070616b4000000" + "00" + "02000000"


def test_a_workout_holds_what_its_head_counts() -> None:
    record = Central(lived()).start(0x04, 0)
    minutes, splits, miles, paces, cadences, beats = struct.unpack_from("<6H", record.head, 78)
    assert (record.head[0], minutes, splits, miles, beats) == (0x10, 6, 1, 0, 69)
    assert len(record.items) == beats + 6 * minutes + 2 * (splits + paces + cadences)
    zones = struct.unpack_from("<5I", record.head, 48)
    assert zones == (0, 335, 0, 0, 0)
    end = struct.unpack_from("<HBBBBB", record.head, 71)
    assert end == (2026, 6, 20, 18, 5, 45)


def test_a_workout_on_the_spot_has_no_pace() -> None:
    minutes = (MovementSlot(wall(2026, 6, 22, 7), 1, 3, 0, 1, 5, 6, 0),)
    still_one = WorkoutMemory(wall(2026, 6, 22, 7), 60, 0x65, 5, (), minutes, ())
    record = Central(WatchMemory(workouts=[still_one])).start(0x04, 0)
    assert record.head[29:48] == bytes(19)
    assert record.head[84:90] == bytes(6)
    assert len(record.items) == 6


def test_a_phase_longer_than_a_byte_is_cut() -> None:
    night = SleepMemory(wall(2026, 6, 22), ((SleepStage.LIGHT, 600),), 50)
    record = Central(WatchMemory(nights=[night])).start(0x07, 0)
    assert record.items == bytes((2, 255, 2, 255, 2, 90))
    assert record.head[24:28] == bytes((0, 3, 0, 0))


def test_record_crc_is_an_option() -> None:
    central = Central(options=("record_crc",))
    [frame] = central.write(v3(4, 9, bytes((0, 1, 1, 0, 0))))
    assert frame[-2:] == struct.pack("<H", crc16_ccitt_false(frame[1:-2]))
    assert len(frame) == struct.unpack_from("<H", frame, 6)[0] + 3


def test_another_sequence_number_where_asked_for() -> None:
    central = Central(options=("wrong_sequence@4",))
    assert central.write("0202")  # notification 1; 0 was pushed on subscribing
    [frame] = central.write(v3(0x1A, 2, b""))  # 2
    assert frame[10:12] == b"\x02\x00"
    parts = central.write(v3(0x0F, 3, b"\x00"))  # 3 to 5
    assert parts[0][10:12] == b"\x03\x01"
    message = parts[0] + b"".join(part[1:] for part in parts[1:])
    assert message[-2:] == struct.pack("<H", crc16_ccitt_false(message[1:-2]))
    assert central.write(v3(0x1A, 4, b""))[0][10:12] == b"\x04\x00"


@pytest.mark.parametrize(
    "frame",
    [
        v3(0x1A, 2, b"")[:-1] + b"\x00",  # wrong CRC
        v3(0x1A, 2, b"")[:-3],  # too short for its length
        v3(0x1A, 2, b"") + b"\x00",  # too long
        b"\x33\x01\x02",  # the middle of nothing
        v3(0x77, 2, b""),  # unknown command
        v3(0x04, 2, bytes((0, 1, 1, 0))),
        v3(0x04, 2, bytes((2, 1, 1, 0, 0))),
        v3(0x04, 2, bytes((0, 5, 0, 0, 0))),
        v3(0x05, 2, bytes(20)),
        v3(0x08, 2, b"\x00"),
        v3(0x09, 2, bytes(11)),
        v3(0x0C, 2, b"\x02\x01"),
        v3(0x0E, 2, b"\x00\x0a"),
        v3(0x0F, 2, b""),
        bytes.fromhex("0208"),
        bytes.fromhex("0248"),
        bytes.fromhex("02eb"),
        bytes.fromhex("03f0"),
        bytes.fromhex("0403"),
        bytes.fromhex("0503"),
        bytes.fromhex("0603"),
        bytes.fromhex("f009"),
        bytes.fromhex("0740000008000000000000000000000000000000"),
        b"\x02",
        b"",
    ],
)
def test_what_is_not_known_is_met_with_silence(frame: bytes) -> None:
    central = Central()
    assert central.write(frame) == []
    assert central.write(v3(0x1A, 7, b""))[0][10:12] == b"\x07\x00"
    assert central.legacy("08010100") == []
    assert central.session.read_value(gatt.COMMAND_NOTIFY, 0.0) == b""


def test_nothing_is_notified_to_who_did_not_subscribe() -> None:
    central = Central()
    central.session.link_lost(central.now_s)
    central.session.link_opened(central.now_s)
    assert central.write("0201") == []
    central.session.subscribed(gatt.COMMAND_NOTIFY, central.now_s)
    assert central.write("0201")[0].hex() == "0330550100"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from((gatt.COMMAND_WRITE, gatt.HEALTH_WRITE)), st.binary(max_size=40)),
        max_size=12,
    ),
    st.booleans(),
)
def test_noise_never_breaks_the_watch(writes: list[tuple[str, bytes]], legacy: bool) -> None:
    central = Central(lived(), options=("legacy",) if legacy else ())
    for uuid, data in writes:
        central.session.receive_write(uuid, data, central.now_s)
        central.now_s += 1
    for _, data in central.session.data_to_send():
        assert 2 <= len(data) <= 137


# ---- settings, bind, reset ----


@pytest.mark.parametrize(
    ("sent", "answer", "asked", "read_back"),
    [
        ("0328 55 05 01 08 00 16 00", ["07400000080000", "032800"], "02b1", "55050108001600"),
        (
            "0329 aa 16 00 06 1e 02 fe aa 0c 00 0d 00 00 00",
            ["07400000100000", "0329"],
            "0230",
            "aa1600061e02feaa0c000d00",
        ),
        (
            "0332 28 01 00 03 13 00 06 00 00 05",
            ["07400000040000", "0332"],
            "02b0",
            "28010003130006000005",
        ),
        (
            "0330 88 02 01 aa 05 03 00 00 00" + "00" * 9,
            ["0330880100"],
            "0210",
            "aa0201aa0503000000",
        ),
        ("0330 55 00 00 aa" + "00" * 14, ["0330550100"], "0210", "550000550000000000"),
    ],
)
def test_a_setting_is_read_back(sent: str, answer: list[str], asked: str, read_back: str) -> None:
    central = Central()
    assert [frame.hex() for frame in central.write(sent)] == answer
    assert central.write(asked)[0].hex() == asked + read_back


def test_a_short_set_reads_on_in_the_buffer() -> None:
    central = Central()
    central.write("0328aa05010000173b")
    assert [frame.hex() for frame in central.write("0328")] == ["07400000080000", "032802"]
    assert central.write("02b1")[0].hex() == "02b1aa05010000173b"
    central.write("03324600")
    assert central.write("0328")[-1].hex() == "032802"
    assert central.write("02b1")[0].hex() == "02b14600010000173b"


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        ("0310b4401f00c6070101", ["0310"]),
        ("0324788cb4c864788ca0b41400000000173bc800", ["0324"]),
        ("0344aa09001200000000", ["034400"]),
        ("036355015555783200 00173b08070000", ["07400200000000", "036300"]),
        ("03e31002", ["03e301"]),
        ("050302010801", ["0503020100"]),
        ("0502 01", ["0502"]),
        ("0604 00", ["0604"]),
        ("0a02 06 4265726c696e", ["0a02"]),
        ("0101", ["010100010700"]),
        ("f005", ["f00501"]),
        ("02b2", ["02b20000"]),
        ("02b3", ["02b30100"]),
        ("0211", ["02110f2f041a2101170101050413130c0000"]),
        ("0204", ["0204f92412000001"]),
        ("0210", ["0210aa0000550000000000"]),
        ("02b0", ["02b00f010001000000000005"]),
    ],
)
def test_short_answers(sent: str, answers: list[str]) -> None:
    assert [frame.hex() for frame in Central().write(sent)] == answers


def test_link_speed_tells_the_mode_before() -> None:
    central = Central()
    modes = ("00", "01", "01", "02", "02")
    answers = [central.write(f"0335{mode}000000000000000000")[0].hex() for mode in modes]
    assert answers == ["03350207", "03350200", "03350100", "03350100", "03350200"]
    central.write("033501000000000000000000")
    central.connect()
    assert central.write("033502000000000000000000")[0].hex() == "03350200"


def test_zones_of_heart_rate_follow_the_setting() -> None:
    central = Central(WatchMemory([day_memory(TODAY)]))
    assert central.start(0x03, 1).head[10:13] == bytes((98, 0, 0))
    central.write("0324788cb4c83c3d3e3fb41400000000173bc800")
    zones = list(struct.iter_unpack("<BH", central.start(0x03, 1).head[10:25]))
    assert [bpm for bpm, _ in zones] == [0x3C, 0x3D, 0x3E, 0x3F, 0xB4]
    assert sum(minutes for _, minutes in zones) in range(90, 96)


def test_the_clock_is_set_and_clears_the_reboot_flag() -> None:
    central = Central(restarted=True)
    assert central.write("0201")[0][9] == 1
    central.write("0301ea0703070b000c0500000000 0000")
    central.now_s += 5
    assert central.write("0203")[0][2:9].hex() == "ea0703070b0011"
    assert central.write("0201")[0][9] == 0
    utc_s = wall(2026, 3, 7, 10, 0, 12)
    central.write(bytes.fromhex("0301ea0703070b000c05") + struct.pack("<IH", utc_s, 1))
    assert struct.unpack_from("<I", central.write("0203")[0], 10)[0] == utc_s
    central.write("0301ea070d070b000c0500000000 0000")  # there is no month 13
    assert central.write("0203")[0][2:5].hex() == "ea0703"


def test_a_heart_rate_interval_snaps() -> None:
    central = Central()
    assert central.ask_v3(0x09, bytes(12)) == bytes(16) + b"\x04" + bytes(3)
    for sent_s, kept_s in ((300, 300), (290, 300), (7, 5), (255, 255), (60_000, 1800), (0, 0)):
        body = bytes(4) + b"\xcc\x00\x00\x00\x00\x00" + struct.pack("<H", sent_s)
        reply = central.ask_v3(0x09, body)
        assert reply is not None
        assert struct.unpack_from("<H", reply, 10)[0] == kept_s
    assert central.ask_v3(0x09, "00000000 00 01 0000 173b 0000") == reply


def test_dials() -> None:
    central = Central()
    name = b"local_2".ljust(30, b"\0")
    assert central.ask_v3(0x08, b"\x01" + name) == b"\x00\x01" + name
    assert central.ask_v3(0x08, bytes(31)) == b"\x00\x00" + name
    assert central.ask_v3(0x08, b"\x01" + b"\xff".ljust(30, b"\0")) == b"\x05\x01" + name
    assert central.ask_v3(0x08, b"\x02" + name) == b"\x06\x02" + name


def test_alarms_and_sport_order() -> None:
    central = Central()
    alarms = bytes((0, 10)) + bytes(range(34)) * 10
    assert central.ask_v3(0x0F, b"\x00") == bytes((0, 10)) + bytes(340)
    assert central.ask_v3(0x0E, alarms) == b"\x00"
    assert central.ask_v3(0x0F, b"\x01") == alarms
    assert central.ask_v3(0x0C, bytes((2, 1, 0x30, 2, 0x31))) == b""


def test_bind_and_unbind() -> None:
    central = Central(lived(), bound=False)
    assert central.write("0201")[0][8] == 0
    assert central.write("0401f1010102020100") == [bytes.fromhex("04010000")]
    assert central.write("0201")[0][8] == 1
    assert central.write("03d1") == [b"\x03\xd1"]
    assert central.write("0201")[0][8] == 0
    central.write("0401f1010102020100")
    assert central.write("0402") == [b"\x04\x02"]
    assert central.write("0201")[0][8] == 0
    assert central.memory == WatchMemory()
    assert central.start(0x08, 1).head == bytes(36)


def test_a_watch_of_somebody_else() -> None:
    central = Central(bound=False, refuse_bind=True)
    assert central.write("0401f1010102020100") == [bytes.fromhex("04010200")]
    assert central.write("0201")[0][8] == 0


def test_challenge_bind() -> None:
    at = wall(2026, 10, 8, 18, 25, 59)
    central = Central(bound=False, options=("challenge",), at=at)
    assert central.write("0207")[0][14] & 0x40
    assert central.write("0405" + "0c00" + "00" * 12) == [bytes.fromhex("04050200")]
    [asked] = central.write("0401f1010102020100")
    assert asked.hex() == "0401000c00" + "f92412000001" + "ea0a0812193b"
    answer = bytes.fromhex("04050c00ea0a0812193b") + bytes(
        one ^ other for one, other in zip(asked[5:11], asked[11:17], strict=True)
    )
    assert central.write("0201")[0][8] == 0
    assert central.write(answer) == [bytes.fromhex("04050000")]
    assert central.write("0201")[0][8] == 1
    assert central.write(answer) == [bytes.fromhex("04050200")]  # an old one


@pytest.mark.parametrize(
    ("sent", "answer", "restarted"),
    [("f001", "f00100", 1), ("f002", "f002", 0), ("f003", "f003", 1), ("f004", "f004", 1)],
)
def test_reset_commands_end_the_link(sent: str, answer: str, restarted: int) -> None:
    central = Central(lived())
    central.write("0328550501080016 00")
    assert not central.wants_drop()
    assert central.write(sent) == [bytes.fromhex(answer)]
    assert central.wants_drop()
    central.session.link_lost(central.now_s)
    assert not central.wants_drop()
    central.connect()
    identity = central.write("0201")[0]
    assert identity[9] == restarted
    wiped = sent == "f004"
    assert (identity[8] == 0) is wiped
    assert (central.memory == WatchMemory()) is wiped
    assert (central.write("02b1")[0][2] == 0xAA) is wiped


def test_options() -> None:
    with pytest.raises(LocalProtocolError, match="record_crc"):
        Central(options=("turbo",))
    with pytest.raises(LocalProtocolError):
        Central(options=("wrong_sequence@x",))
    central = Central(options=("three_part_version",))
    assert central.write("02eb")[0].hex() == "02eb01002400010001010001"
    table = central.ask_v3(0x1A, b"")
    assert table is not None
    assert table[14] == 0x20


def test_live_heart_rate_is_the_last_recent_one() -> None:
    central = Central(lived(), at=wall(2026, 6, 22, 0, 10, 30))
    assert central.write("02a0")[0][-1] == 62
    central.now_s += 7200
    assert central.write("02a0")[0][-1] == 0xF0
    assert Central().write("02a0")[0] == bytes.fromhex("02a0" + "00" * 16 + "f0")


# ---- the history of watches without V3 ----


def packets(answer: list[bytes], key: int) -> list[bytes]:
    """The payloads of one legacy record, serials and end checked."""
    assert answer[-1] == b"\x08\xee"
    for serial, packet in enumerate(answer[:-1], 1):
        assert packet[:4] == bytes((8, key, serial, len(packet) - 4))
        assert len(packet) <= 20
    return [packet[4:] for packet in answer[:-1]]


def test_without_v3_the_tables_and_the_silence_say_so() -> None:
    central = Central(options=("legacy",))
    assert central.write("0202")[0][6] & 0x20 == 0
    assert central.write("0207")[0].hex() == "0207402440e73842d3ff0b080004000702" + "010034"
    assert central.write(v3(0x1A, 2, b"")) == []
    assert central.legacy("0899") == []
    assert central.legacy("0803") == []
    assert central.legacy("080307") == []
    assert central.legacy("09ff") == []


def test_legacy_sport_days() -> None:
    memory = lived()
    central = Central(memory, options=("legacy",))
    assert central.legacy("08010100")[0].hex() == "0801" + "0000" + "030303" + "00"
    first, second, *data = packets(central.legacy("0803010000"), 3)
    assert struct.unpack("<HBBHBBBB", first) == (2026, 6, 22, 0, 15, 64, 2 + len(data), 0)
    assert struct.unpack("<IIII", second) == (640, 128, 448, 64)
    assert [len(part) for part in data] == [15] * 21 + [5]
    bits = int.from_bytes(data[0][:5], "little")
    assert (bits & 3, bits >> 2 & 0xFFF, bits >> 14 & 15) == (1, 10, 1)
    assert (bits >> 18 & 0x3FF, bits >> 28) == (2, 7)
    assert central.legacy("0803020000") == [b"\x08\x03\x02"]
    days = []
    for _ in range(3):
        days.append(packets(central.legacy("0805010000"), 5)[0][:4])
        central.legacy("0805020000")
    assert days == [struct.pack("<HBB", 2026, 6, day) for day in (21, 20, 19)]
    assert central.legacy("0805010000") == [b"\x08\xee"]
    assert central.legacy("08010100")[0][4] == 0
    assert central.legacy("0802 00") == [b"\x08\x02"]


def test_legacy_resend_and_lost_offer() -> None:
    central = Central(lived(), options=("legacy",))
    whole = central.legacy("0805010000")
    assert central.legacy("08050304 00") == whole[3:]
    central.session.link_lost(central.now_s)
    central.connect()
    central.legacy("0805020000")
    assert central.legacy("0805010000") == whole


def test_legacy_nights() -> None:
    memory = lived()
    central = Central(memory, options=("legacy",))
    first, second, *data = packets(central.legacy("0804010000"), 4)
    assert struct.unpack("<HBBBBHBB", first) == (2026, 6, 22, 6, 3, 393, 6, 3)
    assert struct.unpack("<BBBHH", second) == (4, 1, 1, 350, 40)
    assert data == [bytes((2, 20, 3, 40, 2, 30, 1, 3, 2, 255, 2, 45))]
    packets(central.legacy("0806010000"), 6)
    central.legacy("0806020000")
    assert len(memory.nights) == 3
    assert Central(options=("legacy",)).legacy("0804010000") == [b"\x08\xee"]


def test_legacy_heart_rate() -> None:
    memory = lived()
    central = Central(memory, options=("legacy",))
    first, second, *data = packets(central.legacy("0807010000"), 7)
    assert struct.unpack("<HBBHBHB", first) == (2026, 6, 22, 0, 58, 20, 2 + len(data))
    assert struct.unpack("<BBBHHH", second) == (118, 138, 177, 0, 0, 0)
    assert b"".join(data)[:4] == bytes((0, 60, 5, 61))
    packets(central.legacy("0808010000"), 8)
    central.legacy("0808020000")
    assert [bool(day.heart_rate) for day in memory.days] == [True, True, False, True]
    nothing = packets(Central(options=("legacy",)).legacy("0807010000"), 7)
    assert struct.unpack("<HBBHBHB", nothing[0]) == (2026, 6, 22, 0, 0, 0, 2)


def test_legacy_activities() -> None:
    memory = lived()
    central = Central(memory, options=("legacy",))
    assert central.legacy("0907") == [b"\x09\x07\x02"]
    starts = []
    while len(answer := central.legacy("09060100")) > 1:
        assert answer[-1] == bytes.fromhex("0906000100")
        serials = [packet[2] for packet in answer[:-1]]
        assert serials == list(range(1, len(answer)))
        first, second, third = (packet[4:] for packet in answer[:3])
        starts.append(first[:6])
        assert struct.unpack("<BHBB", first[6:]) == (69, 5, 69, 3 + 5)
        bits = int.from_bytes(second[1:], "little")
        assert (second[0], bits & 0x3FFFF, bits >> 18 & 0xFFFFF) == (0x30, 960, 345)
        assert (bits >> 38 & 0x3FFFF, bits >> 56) == (60, 1095)
        assert struct.unpack("<BBHHH", third) == (130, 130, 5, 0, 0)
        assert b"".join(packet[4:] for packet in answer[3:-1]) == bytes((0, 0, *([130] * 67)))
        assert central.legacy("0906000101") == [bytes.fromhex("0906000101")]
    assert starts == [bytes((26, 6, 20, 18, 0, 0)), bytes((26, 6, 22, 7, 0, 0))]
    assert memory.workouts == []
    assert central.legacy("0906000101") == [bytes.fromhex("0906000101")]


def test_a_long_legacy_activity_keeps_fewer_beats() -> None:
    start_s = wall(2026, 6, 22, 7)
    minutes = tuple(MovementSlot(start_s + 60 * i, 1, 3, 0, 1, 5, 6, 0) for i in range(60))
    long_one = WorkoutMemory(start_s, 3600, 0x65, 5, tuple([120] * 720), minutes, ())
    central = Central(WatchMemory(workouts=[long_one]), options=("legacy",))
    first = central.legacy("09060100")[0][4:]
    assert struct.unpack("<BHBB", first[6:]) == (240, 15, 240, 3 + 15)
