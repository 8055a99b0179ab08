"""Captures that play the watch: what they hold is said, and nothing else."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.events import (
    Bound,
    Event,
    Identified,
    JobDone,
    JobFailed,
    LiveRead,
    RecordReceived,
)
from firmware_protocol.families.ido import FAMILY, gatt
from firmware_protocol.families.ido.framing import FrameAssembler, V3Frame, encode_v3
from firmware_protocol.family import CapturedPacket, Direction
from firmware_protocol.jobs import Bind, Identify, Sync
from firmware_protocol.samples import Series

Open = Callable[..., Any]
Captured = Callable[[str], list[CapturedPacket]]

CLOCK = WatchClock((ClockStretch(0, 0),), now_utc_s=2_000_000_000)


def packet(direction: Direction, data: str | bytes, channel: str = "-") -> CapturedPacket:
    content = bytes.fromhex(data) if isinstance(data, str) else data
    return CapturedPacket(1, direction, channel, content)


def ask(watch: Any, *data: str | bytes) -> list[tuple[str, bytes]]:
    for one in data:
        content = bytes.fromhex(one) if isinstance(one, str) else one
        watch.receive_write(gatt.COMMAND_WRITE, content, 0.0)
    said: list[tuple[str, bytes]] = watch.data_to_send()
    return said


def replay(*packets: CapturedPacket) -> Any:
    return FAMILY.open_replay(packets)


def values(watch: Any, *data: str | bytes) -> list[str]:
    return [said.hex() for _, said in ask(watch, *data)]


def synced(open_rig: Open, packets: list[CapturedPacket], today: date) -> list[Event]:
    events: list[Event] = open_rig(FAMILY.open_replay(packets)).identified().run(Sync(today))
    return events


def records(events: list[Event]) -> list[RecordReceived]:
    return [event for event in events if isinstance(event, RecordReceived)]


def series_of(records: list[RecordReceived], metric: str) -> Series:
    return next(
        series
        for record in reversed(records)
        for series in FAMILY.samples(record.record, CLOCK).series
        if series.metric == metric
    )


def test_the_capture_with_a_stress_sample(open_rig: Open, captured: Captured) -> None:
    events = synced(open_rig, captured("a200_sync_stress_sample.txt"), date(2026, 6, 22))
    assert isinstance(events[-1], JobDone)
    found = records(events)
    assert [(one.record.kind, one.record.key) for one in found] == [
        ("health.stress", "2026-06-22 4"),
        ("health.steps", "2026-06-22 0"),
    ]
    stress = series_of(found, "stress")
    assert list(stress.columns["stress_score"]) == [16]
    assert stress.start_utc_s[0] % 86_400 == (15 * 60 + 47) * 60
    assert sum(int(str(steps)) for steps in series_of(found, "steps").columns["steps"]) == 104
    assert [mark.position for one in found for mark in one.watermarks] == [
        "2026-06-22 5",
    ]


def test_the_capture_over_midnight(open_rig: Open, captured: Captured) -> None:
    events = synced(open_rig, captured("a200_dial_upload_then_sync.txt"), date(2026, 3, 8))
    assert isinstance(events[-1], JobDone)
    found = records(events)
    assert [one.record.key for one in found] == ["2026-03-07 95", "2026-03-07 0"]
    assert [one.verified for one in found] == [False, True]
    assert sum(int(str(steps)) for steps in series_of(found, "steps").columns["steps"]) == 219


def test_captures_without_records_say_so(open_rig: Open, captured: Captured) -> None:
    for name in ("a200_sync_start.txt", "a200_first_bind.txt", "a200_hci_connect_and_config.txt"):
        events = synced(open_rig, captured(name), date(2026, 6, 22))
        assert records(events) == []
        last = events[-1]
        assert isinstance(last, JobFailed)
        assert last.kind == "silent"


def test_a_capture_with_requests_and_one_empty_record(open_rig: Open, captured: Captured) -> None:
    packets = captured("a200_live_bind_and_sync_requests.txt")
    events = synced(open_rig, packets, date(2026, 6, 22))
    assert isinstance(events[-1], JobDone)
    assert records(events) == []


def test_a_captured_bind(open_rig: Open, captured: Captured) -> None:
    rig = open_rig(FAMILY.open_replay(captured("a200_first_bind.txt"))).identified()
    assert rig.run(Bind())[0] == Bound()


def test_captured_live_values(captured: Captured) -> None:
    watch = FAMILY.open_replay(captured("id208_live_data.txt"))
    steps = [int.from_bytes(ask(watch, "02A0")[0][1][2:6], "little") for _ in range(4)]
    assert steps == [6794, 10004, 10065, 10065]  # in order, then the last again


def test_the_identity_of_a_capture(open_rig: Open, captured: Captured) -> None:
    events = open_rig(FAMILY.open_replay(captured("active4pro_identity.txt"))).run(Identify())
    assert [event.info.product for event in events if isinstance(event, Identified)] == [
        "Active 4 Pro"
    ]
    assert not [event for event in events if isinstance(event, LiveRead)]


# --- without captures ---


def test_the_very_same_question_comes_first() -> None:
    watch = replay(
        packet("TX", "024000"),
        packet("RX", "0240000000"),
        packet("TX", "024001"),
        packet("RX", "0240010000"),
    )
    assert values(watch, "024001") == ["0240010000"]
    assert values(watch, "024001") == ["0240000000"]  # of its kind, not given yet
    assert values(watch, "024001") == ["0240010000"]


def test_what_a_setting_holds_does_not_matter() -> None:
    watch = replay(packet("TX", "0301AA"), packet("RX", "0301"))
    assert values(watch, "0301BB") == ["0301"]


def test_what_was_not_answered_is_not_answered() -> None:
    watch = replay(packet("TX", "0208"), packet("TX", "0201"), packet("RX", "0201AA"))
    assert values(watch, "0208") == []
    assert values(watch, "0205", "", "33", "3311") == []


def test_an_answer_without_its_question() -> None:
    watch = replay(packet("RX", "0201AA"), packet("RX", "0201BB"))
    assert values(watch, "0201") == ["0201aa"]


def test_the_own_words_of_a_watch_answer_nothing() -> None:
    watch = replay(packet("TX", "0740"), packet("RX", "07400800"), packet("RX", "D10200"))
    assert values(watch, "0740", "D10200") == []


def test_a_v3_reply_takes_the_number_of_the_asker() -> None:
    watch = replay(
        packet("TX", encode_v3(7, 5, b"")),
        packet("RX", encode_v3(7, 5, b"screen")),
        packet("RX", encode_v3(7, 6, b"asked for before")),
    )
    ((uuid, said),) = ask(watch, encode_v3(7, 99, b""))
    assert uuid == gatt.COMMAND_NOTIFY
    assert said == encode_v3(7, 99, b"screen")
    ((_, said),) = ask(watch, encode_v3(7, 100, b""))
    assert said == encode_v3(7, 100, b"asked for before")


def record(operate: int, today: int, *, stored: bool = False) -> bytes:
    size = 0 if operate else 13
    header = (b"\x01" if stored else b"\x00") * size
    return bytes((operate, 2, today, 0, 0, 0, 0, size, 0, 0, 0, 0, 0, 0)) + header


def start(sequence: int, offset: int = 0) -> bytes:
    return encode_v3(4, sequence, bytes((0, 2, 1, offset, 0)))


@pytest.mark.parametrize("with_crc", [True, False])
def test_records_keep_their_crc_or_lack_of_it(with_crc: bool) -> None:
    reply = encode_v3(4, 1, record(0, 1, stored=True), with_crc=with_crc)
    watch = replay(packet("TX", start(1, offset=4)), packet("RX", reply))
    ((_, said),) = ask(watch, start(2))
    (frame,) = FrameAssembler("RX").receive("-", said)
    assert isinstance(frame, V3Frame)
    assert (frame.sequence, frame.has_crc) == (2, with_crc)
    assert ask(watch, start(3)) == []  # no further record was captured, nor an empty one


def test_after_the_last_record_comes_a_captured_empty_one() -> None:
    watch = replay(
        packet("TX", start(1)),
        packet("RX", encode_v3(4, 1, record(0, 1), with_crc=False)),
        packet("TX", start(2)),
        packet("RX", encode_v3(4, 2, record(0, 1, stored=True), with_crc=False)),
    )
    lengths = [ask(watch, start(number))[0][1][26] for number in (3, 4, 5, 6)]
    assert lengths == [0, 1, 0, 0]


def test_an_unreadable_record_is_no_empty_one() -> None:
    watch = replay(
        packet("TX", start(1)), packet("RX", encode_v3(4, 1, record(0, 1)[:20], with_crc=False))
    )
    assert len(ask(watch, start(3))) == 1
    assert ask(watch, start(4)) == []


def test_a_new_link_begins_anew() -> None:
    reply = encode_v3(4, 1, record(0, 1, stored=True), with_crc=False)
    watch = replay(packet("TX", start(1)), packet("RX", reply))
    assert len(ask(watch, start(2))) == 1
    watch.link_lost(1.0)
    watch.link_opened(2.0)
    assert len(ask(watch, start(3))) == 1


def test_health_answers_on_its_own_channel() -> None:
    watch = replay(
        packet("TX", "080301", "0af1"),
        packet("RX", "08EE", "0af2"),
        packet("TX", encode_v3(7, 5, b""), "0af6"),
        packet("RX", encode_v3(7, 5, b"screen"), "0af2"),
        packet("RX", "080301AA", "-"),
    )
    assert [uuid for uuid, _ in ask(watch, "080301", encode_v3(7, 9, b""))] == [
        gatt.HEALTH_NOTIFY,
        gatt.HEALTH_NOTIFY,
    ]


def test_long_replies_are_cut_as_in_the_capture() -> None:
    message = encode_v3(0x0F, 1, bytes(342))
    watch = replay(
        packet("TX", encode_v3(0x0F, 1, b"\x00")),
        packet("RX", message[:100]),
        packet("RX", b"\x33" + message[100:199]),
        packet("RX", b"\x33" + message[199:298]),
        packet("RX", b"\x33" + message[298:]),
    )
    assert [len(said) for _, said in ask(watch, encode_v3(0x0F, 2, b"\x00"))] == [100, 100, 100, 59]


def test_broken_packets_are_passed_over() -> None:
    message = encode_v3(7, 5, b"screen")
    broken = message[:-1] + bytes((message[-1] ^ 1,))
    watch = replay(
        packet("TX", "00"), packet("RX", broken), packet("RX", ""), packet("RX", "0201AA")
    )
    assert values(watch, "0201") == ["0201aa"]
    assert ask(watch, encode_v3(7, 6, b"")) == []


def test_nothing_else_of_a_watch() -> None:
    watch = replay()
    watch.subscribed(gatt.COMMAND_NOTIFY, 0.0)
    assert watch.read_value(gatt.COMMAND_NOTIFY, 0.0) == b""
    assert ask(watch, "0201") == []
