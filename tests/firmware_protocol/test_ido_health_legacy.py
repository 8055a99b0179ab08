"""History of watches without V3 (ido.md 7.11): packets to records, and the dialogue for them."""

import struct
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.events import Event, JobDone, JobFailed, RecordReceived, SyncFinished
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.health.legacy import LegacyPackets
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.jobs import Sync
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import Decoded, Quality, Series
from firmware_protocol.watch_session import (
    DayMemory,
    Reading,
    WatchMemory,
    WatchSession,
    WatchTraits,
)

Open = Callable[..., Any]

CLOCK = WatchClock((ClockStretch(0, 0),), now_utc_s=2_000_000_000)
TODAY = date(2026, 6, 22)
JUNE_22_S = int(datetime(2026, 6, 22, tzinfo=UTC).timestamp())


def packets(key: int, *payloads: bytes) -> list[bytes]:
    return [bytes((8, key, serial, len(data))) + data for serial, data in enumerate(payloads, 1)]


def slot(mode: int, steps: int, active_min: int, kcal: int, distance_m: int) -> bytes:
    bits = mode | steps << 2 | active_min << 14 | kcal << 18 | distance_m << 28
    return bits.to_bytes(5, "little")


def sport(*slots: bytes, key: int = 3, day: int = 22, minutes: int = 15) -> list[bytes]:
    head = struct.pack("<HBBHBBBB", 2026, 6, day, 0, minutes, len(slots), 3, 0)
    data = [b"".join(slots[at : at + 3]) for at in range(0, len(slots), 3)]
    return packets(key, head, struct.pack("<IIII", 0, 0, 0, 0), *data)


def night(*items: tuple[int, int], total: int | None = None, key: int = 4) -> list[bytes]:
    minutes = sum(duration for _, duration in items) if total is None else total
    head = struct.pack("<HBBBBHBB", 2026, 6, 22, 6, 30, minutes, len(items), 3)
    data = bytes(byte for item in items for byte in item)
    return packets(key, head, struct.pack("<BBBHH", 1, 1, 1, 200, 100), data)


def heart_rate(*items: tuple[int, int], resting: int = 0, key: int = 7) -> list[bytes]:
    head = struct.pack("<HBBHBHB", 2026, 6, 22, 60, resting, len(items), 3)
    data = bytes(byte for item in items for byte in item)
    return packets(key, head, bytes(9), data)


def samples_of(kind: str, frames: list[bytes]) -> Decoded:
    return FAMILY.samples(RawRecord("ido", kind, "", b"".join(frames), 1), CLOCK)


def by_metric(decoded: Decoded) -> dict[str, Series]:
    assert all(series.quality is Quality.PROVISIONAL for series in decoded.series)
    return {series.metric: series for series in decoded.series}


def test_a_day_of_sport() -> None:
    found = by_metric(
        samples_of(
            "legacy.steps",
            sport(slot(2, 4095, 15, 1023, 4095), slot(0, 0, 0, 0, 0), slot(1, 0, 3, 4, 5))
            + [bytes((8, 3, 4, 5)) + slot(3, 7, 1, 2, 3)][:0],
        )
    )
    assert list(found["steps"].start_utc_s) == [JUNE_22_S]
    assert list(found["steps"].columns["steps"]) == [4095]
    activity = found["activity"]
    assert list(activity.start_utc_s) == [JUNE_22_S, JUNE_22_S + 1800]
    assert {name: list(column) for name, column in activity.columns.items()} == {
        "duration_s": [900, 900],
        "intensity": [2, 1],
        "active_min": [15, 3],
        "active_energy_kcal": [1023, 4],
        "energy_kcal": [None, None],
        "distance_m": [4095, 5],
    }


def test_slots_in_several_packets() -> None:
    found = by_metric(samples_of("legacy.steps", sport(*[slot(1, 9, 1, 1, 1)] * 7)))
    assert list(found["steps"].start_utc_s) == [JUNE_22_S + 900 * at for at in range(7)]


@pytest.mark.parametrize("frames", [sport(), sport(slot(0, 0, 0, 0, 0))])
def test_a_day_without_sport(frames: list[bytes]) -> None:
    assert samples_of("legacy.steps", frames) == Decoded()


@pytest.mark.parametrize(
    ("slots", "minutes", "remark"), [(1, 0, "no length"), (13, 250, "run past the day")]
)
def test_slots_that_make_no_sense_are_told(slots: int, minutes: int, remark: str) -> None:
    decoded = samples_of("legacy.steps", sport(*[slot(1, 1, 1, 1, 1)] * slots, minutes=minutes))
    assert decoded.series == ()
    assert remark in decoded.remarks[0]


def test_movement_without_steps() -> None:
    assert list(by_metric(samples_of("legacy.steps", sport(slot(1, 0, 0, 5, 0))))) == ["activity"]


def test_a_night_is_dated_by_its_end() -> None:
    found = by_metric(samples_of("legacy.sleep", night((2, 200), (3, 100), (1, 10))))
    begin = JUNE_22_S + 6 * 3600 + 30 * 60 - 310 * 60
    assert list(found["sleep"].start_utc_s) == [begin, begin + 12_000, begin + 18_000]
    assert list(found["sleep"].columns["stage"]) == [2, 3, 1]
    assert {name: column[0] for name, column in found["sleep_summary"].columns.items()} == {
        "duration_s": 310 * 60,
        "awake_min": 10,
        "light_min": 200,
        "rem_min": None,
        "deep_min": 100,
        "sleep_score": None,
    }


@pytest.mark.parametrize("frames", [night((2, 200), total=300), night((9, 200))])
def test_phases_that_do_not_fill_the_night(frames: list[bytes]) -> None:
    decoded = samples_of("legacy.sleep", frames)
    assert list(by_metric(decoded)) == ["sleep_summary"]
    assert len(decoded.remarks) == 1


def test_a_night_of_no_minutes() -> None:
    assert samples_of("legacy.sleep", night()) == Decoded()
    decoded = samples_of("legacy.sleep", night((2, 5), total=0))
    assert decoded.series == ()
    assert "left out" in decoded.remarks[0]


def test_heart_rate_by_minutes() -> None:
    found = by_metric(
        samples_of("legacy.heart_rate", heart_rate((0, 60), (5, 0), (5, 70), resting=52))
    )
    assert list(found["heart_rate"].start_utc_s) == [JUNE_22_S + 3600, JUNE_22_S + 4200]
    assert list(found["resting_heart_rate"].start_utc_s) == [JUNE_22_S]
    without = by_metric(samples_of("legacy.heart_rate", heart_rate((0, 60))))
    assert list(without) == ["heart_rate"]


@pytest.mark.parametrize(
    "body",
    [
        b"\x08\x03\x01",
        b"\x08\x03\x01\x05\x00",
        b"".join(sport(slot(1, 1, 1, 1, 1))[1:]),
        b"".join(sport(slot(1, 1, 1, 1, 1))[:1]),
        b"".join(sport(slot(1, 1, 1, 1, 1))[:2]),
        b"".join(sport(slot(1, 1, 1, 1, 1), day=0)),
    ],
)
def test_packets_that_are_not_whole(body: bytes) -> None:
    decoded = FAMILY.samples(RawRecord("ido", "legacy.steps", "", body, 1), CLOCK)
    assert (decoded.series, len(decoded.remarks)) == ((), 1)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_noise_raises_only_decode_errors(noise: bytes) -> None:
    for kind in ("legacy.steps", "legacy.sleep", "legacy.heart_rate"):
        FAMILY.samples(RawRecord("ido", kind, "", noise, 1), CLOCK)


@given(st.lists(st.binary(max_size=16), max_size=40))
@settings(max_examples=50, deadline=None)
def test_packets_come_back(payloads: list[bytes]) -> None:
    assert LegacyPackets.decode(b"".join(packets(7, *payloads))).payloads == tuple(payloads)


def test_a_missing_packet_is_noticed() -> None:
    frames = packets(7, b"a", b"b", b"c")
    with pytest.raises(DecodeError):
        LegacyPackets.decode(frames[0] + frames[2])


# --- the dialogue ---

END = b"\x08\xee"
WATCH = {
    "0201": [bytes.fromhex("020114021101001b010101002802010303")],
    "0202": [bytes.fromhex("0202fb0aff0a1f6fe8153f0a0801020051cf0e7e")],  # no further tables
    "0801": [bytes.fromhex("0801 0000 02 01 00 00")],
    "080301": [*sport(slot(1, 50, 1, 1, 1)), END],
    "080302": [b"\x08\x03\x02"],
    "080501": [END],
    "080401": [*night((2, 200)), END],
    "080601": [END],
    "080701": [*heart_rate(), END],
    "0802": [b"\x08\x02"],
}


def records(events: Iterable[Event]) -> list[RecordReceived]:
    return [event for event in events if isinstance(event, RecordReceived)]


def names(events: Iterable[Event]) -> list[str]:
    return [f"{event.record.kind} {event.record.key}" for event in records(events)]


def sync(
    open_rig: Open, scripted: Open, changes: dict[str, Any], **job: Any
) -> tuple[Any, list[Event]]:
    watch = scripted(WATCH | changes)
    return watch, open_rig(watch).identified().run(Sync(TODAY, **job))


def test_today_and_history(scripted: Open, open_rig: Open) -> None:
    yesterday = sport(slot(1, 60, 1, 1, 1), key=5, day=21)
    watch, events = sync(open_rig, scripted, {"080501": [[*yesterday, END], [END]]})
    assert isinstance(events[-1], JobDone)
    assert names(events) == [
        "legacy.steps 2026-06-22",
        "legacy.steps 2026-06-21",
        "legacy.sleep 2026-06-22T06:30:00",
        "legacy.heart_rate 2026-06-22",
    ]
    asked = [frame.hex() for frame in watch.asked if frame[0] == 8]
    assert asked[0] == "08010100"
    assert asked[1:5] == ["0803010000", "0803020000", "0805010000", "0805020000"]
    assert asked[-1] == "0802"


def test_padding_of_a_log_is_not_part_of_a_record(scripted: Open, open_rig: Open) -> None:
    padded = [frame.ljust(20, b"\x00") for frame in WATCH["080301"]]
    _, events = sync(open_rig, scripted, {"080301": padded})
    assert records(events)[0].record.body == b"".join(WATCH["080301"][:-1])


def test_only_what_is_wanted(scripted: Open, open_rig: Open) -> None:
    _, events = sync(open_rig, scripted, {}, metrics=frozenset(("sleep", "stress")))
    assert names(events) == ["legacy.sleep 2026-06-22T06:30:00"]
    assert [event.skipped for event in events if isinstance(event, SyncFinished)] == [
        ("health.stress",)
    ]
    watch, events = sync(open_rig, scripted, {}, metrics=frozenset(("stress",)))
    assert not [frame for frame in watch.asked if frame[0] == 8]


def test_days_before_since_stay(scripted: Open, open_rig: Open) -> None:
    yesterday = sport(slot(1, 60, 1, 1, 1), key=5, day=21)
    changes = {"080501": [*yesterday, END]}
    watch, events = sync(open_rig, scripted, changes, since=TODAY)
    assert "legacy.steps 2026-06-21" not in names(events)
    assert bytes.fromhex("0805020000") not in watch.asked
    _, events = sync(open_rig, scripted, {}, since=date(2026, 6, 23))
    assert names(events) == []


def test_kept_records_are_not_confirmed(scripted: Open, open_rig: Open) -> None:
    watch, events = sync(open_rig, scripted, {}, keep=True)
    assert len(records(events)) == 3
    assert not [frame for frame in watch.asked if frame[0] == 8 and frame[2:3] == b"\x02"]


def test_packets_with_a_gap_are_fetched_again(scripted: Open, open_rig: Open) -> None:
    whole = WATCH["080301"]
    _, events = sync(open_rig, scripted, {"080301": [[whole[0], *whole[2:]], whole]})
    assert names(events)[0] == "legacy.steps 2026-06-22"


def test_a_packet_that_is_cut_is_fetched_again(scripted: Open, open_rig: Open) -> None:
    whole = WATCH["080301"]
    for cut in (whole[0][:3], whole[0][:-1], whole[0][:2]):
        _, events = sync(open_rig, scripted, {"080301": [[cut, *whole[1:]], whole]})
        assert names(events)[0] == "legacy.steps 2026-06-22"


def test_a_record_that_is_short_of_items_is_kept_unverified(scripted: Open, open_rig: Open) -> None:
    watch, events = sync(open_rig, scripted, {"080301": [*WATCH["080301"][:2], END]})
    assert "legacy.steps 2026-06-22" not in names(events)  # nothing but heads is nothing
    short = sport(*[slot(1, 50, 1, 1, 1)] * 6)[:-1]
    watch, events = sync(open_rig, scripted, {"080301": [*short, END]})
    assert names(events)[0] == "legacy.steps 2026-06-22"
    assert not records(events)[0].verified
    assert watch.asked.count(bytes.fromhex("0803010000")) == 2


@pytest.mark.parametrize("frames", [[0, 2, 3], [0, 1]])
def test_packets_that_never_come_whole(scripted: Open, open_rig: Open, frames: list[int]) -> None:
    _, events = sync(open_rig, scripted, {"080301": [WATCH["080301"][at] for at in frames]})
    last = events[-1]
    assert isinstance(last, JobFailed)
    assert last.kind == "malformed"
    assert names(events) == ["legacy.sleep 2026-06-22T06:30:00", "legacy.heart_rate 2026-06-22"]


@pytest.mark.parametrize(
    "changes",
    [
        {"0801": []},
        {"080301": [], "080401": [], "080701": []},
        {"0801": [bytes.fromhex("0801000003000000")], "080501": []},
    ],
)
def test_silence_is_told(scripted: Open, open_rig: Open, changes: dict[str, Any]) -> None:
    _, events = sync(open_rig, scripted, changes)
    last = events[-1]
    assert isinstance(last, JobFailed)
    assert last.kind == "silent"


def test_a_kind_that_a_watch_does_not_know_is_left_out(scripted: Open, open_rig: Open) -> None:
    _, events = sync(open_rig, scripted, {"080701": []})
    assert isinstance(events[-1], JobDone)
    assert names(events) == ["legacy.steps 2026-06-22", "legacy.sleep 2026-06-22T06:30:00"]
    (end,) = (event for event in events if isinstance(event, SyncFinished))
    assert "legacy.heart_rate" in end.skipped


def test_a_start_answered_twice(scripted: Open, open_rig: Open) -> None:
    whole = WATCH["080301"]
    _, events = sync(open_rig, scripted, {"080301": [*whole[:2], *whole]})
    assert records(events)[0].record.body == b"".join(whole[:-1])


def test_a_day_that_comes_again_after_a_lost_stop(scripted: Open, open_rig: Open) -> None:
    yesterday = sport(slot(1, 60, 1, 1, 1), key=5, day=21)
    _, events = sync(open_rig, scripted, {"080501": [*yesterday, END]})
    assert names(events).count("legacy.steps 2026-06-21") == 1


def test_a_head_without_a_date_is_kept(scripted: Open, open_rig: Open) -> None:
    odd = sport(slot(1, 50, 1, 1, 1), day=0)
    _, events = sync(open_rig, scripted, {"080301": [*odd, END]}, since=TODAY)
    assert names(events)[0].startswith("legacy.steps unread ")


THREE_DAYS = Sync(TODAY, metrics=frozenset(("heart_rate",)))


def watch_of_three_days() -> WatchSession:
    days = [
        DayMemory(
            date(2026, 6, number),
            heart_rate=tuple(
                Reading(JUNE_22_S + (number - 22) * 86_400 + 600 * at, 60 + at) for at in range(20)
            ),
        )
        for number in (20, 21, 22)
    ]
    traits = WatchTraits("F9:24:12:00:00:01", JUNE_22_S + 40_000, options=frozenset(("legacy",)))
    return open_watch(WatchMemory(days), traits)


def beats(events: list[Event]) -> dict[int, Any]:
    return {
        time: bpm
        for one in records(events)
        for series in FAMILY.samples(one.record, CLOCK).series
        for time, bpm in zip(series.start_utc_s, series.columns["bpm"], strict=True)
    }


def test_any_lost_notification_loses_and_doubles_nothing(open_rig: Open) -> None:
    counter = open_rig(watch_of_three_days()).identified()
    first = counter.notified
    expected = beats(counter.run(THREE_DAYS))
    assert len(expected) == 60
    for lost in range(first, counter.notified):
        rig = open_rig(
            watch_of_three_days(), drop=lambda number, _data, lost=lost: number == lost
        ).identified()
        assert beats(rig.run(THREE_DAYS)) == expected, lost


class Tardy(WatchSession):
    """A watch whose notifications of some numbers come only with the next order."""

    def __init__(self, watch: WatchSession, late: Collection[int]) -> None:
        self._watch = watch
        self._late = late
        self._held: list[tuple[str, bytes]] = []
        self._ready: list[tuple[str, bytes]] = []
        self.made = 0

    def link_opened(self, now_s: float) -> None:
        self._watch.link_opened(now_s)

    def subscribed(self, uuid: str, now_s: float) -> None:
        self._watch.subscribed(uuid, now_s)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self._ready, self._held = self._held, []
        self._watch.receive_write(uuid, data, now_s)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return self._watch.read_value(uuid, now_s)

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due, self._ready = self._ready, []
        for notification in self._watch.data_to_send():
            (self._held if self.made in self._late else due).append(notification)
            self.made += 1
        return due

    def link_lost(self, now_s: float) -> None:
        self._watch.link_lost(now_s)


def test_an_end_that_comes_late_is_not_taken_for_an_empty_record(open_rig: Open) -> None:
    on_time = Tardy(watch_of_three_days(), ())
    rig = open_rig(on_time).identified()
    first = on_time.made
    expected = beats(rig.run(THREE_DAYS))
    for late in range(first, on_time.made):
        rig = open_rig(Tardy(watch_of_three_days(), (late,))).identified()
        assert beats(rig.run(THREE_DAYS)) == expected, late
    for late in range(first, on_time.made, 5):
        for more in ((late + 5,), range(late, late + 9)):
            rig = open_rig(Tardy(watch_of_three_days(), (late, *more))).identified()
            found: dict[int, Any] = {}
            for _ in range(3):  # two faults in one record may end a job, but not confirm anything
                events = rig.run(THREE_DAYS)
                found |= beats(events)
            assert isinstance(events[-1], JobDone)
            assert found == expected, (late, more)


def test_a_watch_that_does_not_end_its_stops_is_read_all_the_same(
    scripted: Open, open_rig: Open
) -> None:
    day = sport(slot(1, 50, 1, 1, 1), key=5, day=21)
    _, events = sync(
        open_rig, scripted, {"080302": [], "080502": [], "080501": [[END], [*day, END], [END]]}
    )
    assert "legacy.steps 2026-06-21" in names(events)
    assert isinstance(events[-1], JobDone)


def test_a_start_that_is_answered_the_second_time(scripted: Open, open_rig: Open) -> None:
    day = sport(slot(1, 50, 1, 1, 1), key=5, day=21)
    changes = {"080302": [END], "080502": [END], "080501": [[], [*day, END], [END]]}
    watch, events = sync(open_rig, scripted, changes)
    assert names(events)[:2] == ["legacy.steps 2026-06-22", "legacy.steps 2026-06-21"]
    assert isinstance(events[-1], JobDone)
    assert watch.asked.count(bytes.fromhex("0805020000")) == 1, "once only, too"
