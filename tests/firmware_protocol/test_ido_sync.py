"""Syncing an IDO watch: a virtual one, scripted ones, with what the link and the watch can do."""

import struct
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.events import (
    Event,
    JobDone,
    JobFailed,
    RecordReceived,
    SyncFinished,
    SyncPlanned,
)
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.jobs import Sync
from firmware_protocol.records import Watermark
from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import (
    DayMemory,
    MovementSlot,
    Reading,
    SleepMemory,
    WatchMemory,
    WatchTraits,
    WorkoutMemory,
)

Open = Callable[..., Any]

TODAY = date(2026, 6, 22)
FIRST_DAY_S = int(datetime(2026, 6, 20, tzinfo=UTC).timestamp())
NOW_S = FIRST_DAY_S + 2 * 86_400 + 40_000
CLOCK = WatchClock((ClockStretch(0, 0),), now_utc_s=NOW_S)


def day(index: int) -> DayMemory:
    midnight = FIRST_DAY_S + index * 86_400
    return DayMemory(
        date(2026, 6, 20 + index),
        resting_bpm=55,
        heart_rate=tuple(Reading(midnight + at, 60 + at % 40) for at in range(0, 39_000, 700)),
        spo2=tuple(Reading(midnight + at, 97) for at in range(0, 3600, 600)),
        stress=tuple(Reading(midnight + at, 30) for at in range(0, 3600, 600)),
        movement=tuple(
            MovementSlot(midnight + at * 900, 15, 1, at * 3, 2, at, at + 20, at * 2)
            for at in range(44)
        ),
    )


def memory() -> WatchMemory:
    nights = [
        SleepMemory(FIRST_DAY_S - 3600, ((SleepStage.LIGHT, 300), (SleepStage.REM, 40)), 77),
        SleepMemory(FIRST_DAY_S + 82_800, ((SleepStage.DEEP, 60), (SleepStage.AWAKE, 5)), 70),
    ]
    run = WorkoutMemory(
        FIRST_DAY_S + 30_000,
        1205,
        0x30,
        5,
        tuple(100 + at % 30 for at in range(241)),
        tuple(
            MovementSlot(FIRST_DAY_S + 30_000 + 60 * at, 1, 3, 150, 1, 5, 6, 200)
            for at in range(21)
        ),
        (300, 310, 305, 290),
    )
    return WatchMemory([day(0), day(1), day(2)], nights, [run])


def virtual(*options: str, stored: WatchMemory | None = None) -> Any:
    traits = WatchTraits("F9:24:12:00:00:01", NOW_S, options=frozenset(options))
    return open_watch(memory() if stored is None else stored, traits)


def records(events: Iterable[Event]) -> list[RecordReceived]:
    return [event for event in events if isinstance(event, RecordReceived)]


def names(events: Iterable[Event]) -> list[str]:
    return [f"{event.record.kind} {event.record.key}" for event in records(events)]


def finished(events: list[Event]) -> SyncFinished:
    assert isinstance(events[-1], JobDone)
    (found,) = (event for event in events if isinstance(event, SyncFinished))
    return found


def marks(*events: Iterable[Event]) -> dict[str, Watermark]:
    return {mark.kind: mark for part in events for one in records(part) for mark in one.watermarks}


def samples(*events: Iterable[Event]) -> dict[str, dict[int, tuple[Any, ...]]]:
    """All samples by metric and time, as a store would end up with them."""
    found: dict[str, dict[int, tuple[Any, ...]]] = {}
    for part in events:
        for one in records(part):
            for series in FAMILY.samples(one.record, CLOCK).series:
                rows = zip(*series.columns.values(), strict=True)
                found.setdefault(series.metric, {}).update(
                    zip(series.start_utc_s, rows, strict=True)
                )
    return found


def counts(events: Iterable[Event]) -> dict[str, int]:
    return {metric: len(rows) for metric, rows in samples(events).items()}


EVERYTHING = {
    "spo2": 18,
    "stress": 18,
    "workout": 1,
    "workout_heart_rate": 241,
    "workout_minute": 21,
    "workout_split": 4,
    "sleep": 5,  # a phase of 300 minutes takes two items
    "sleep_summary": 2,
    "steps": 129,
    "activity": 132,
    "heart_rate": 168,
    "resting_heart_rate": 3,
}


@pytest.mark.parametrize("options", [(), ("record_crc",), ("wrong_sequence@8", "wrong_sequence@9")])
def test_everything_comes_once(open_rig: Open, options: tuple[str, ...]) -> None:
    rig = open_rig(virtual(*options)).identified()
    events = rig.run(Sync(TODAY))
    assert counts(events) == EVERYTHING
    assert len(names(events)) == len(set(names(events))) == finished(events).records == 15
    assert max(map(len, rig.written)) == 137
    assert all(event.verified for event in records(events))
    again = rig.run(Sync(TODAY, watermarks=marks(events)))
    assert names(again) == ["health.steps 2026-06-22 0"]  # always the whole day (7.3)
    assert finished(again).skipped == ()


def test_the_plan_counts_what_comes(open_rig: Open) -> None:
    events = open_rig(virtual()).identified().run(Sync(TODAY))
    (planned,) = [event.total_bytes for event in events if isinstance(event, SyncPlanned)]
    assert planned is not None
    assert planned - records(events)[-1].received_bytes == 34  # the head of no swim


def test_the_link_is_made_fast_and_slow_again(open_rig: Open) -> None:
    rig = open_rig(virtual(stored=WatchMemory())).identified()
    before = len(rig.written)
    assert finished(rig.run(Sync(TODAY))).records == 0
    asked = rig.written[before:]
    assert asked[0] == bytes.fromhex("0335 01").ljust(12, b"\x00")
    assert asked[-1] == bytes.fromhex("0335 02").ljust(12, b"\x00")


def test_kinds_in_the_order_of_the_app(open_rig: Open) -> None:
    rig = open_rig(virtual(stored=WatchMemory())).identified()
    before = len(rig.written)
    rig.run(Sync(TODAY))
    starts = [
        (data[13], data[14])
        for data in rig.written[before:]
        if data[8:9] == b"\x04" and data[12] == 0
    ]
    assert starts == [(1, 1), (2, 1), (4, 0), (6, 0), (7, 0), (8, 1), (3, 1)]


def test_only_what_is_wanted(open_rig: Open) -> None:
    rig = open_rig(virtual()).identified()
    events = rig.run(Sync(TODAY, metrics=frozenset(("sleep", "activity"))))
    assert {event.record.kind for event in records(events)} == {"health.sleep", "health.steps"}
    assert [event.total_bytes for event in events if isinstance(event, SyncPlanned)] == [None]
    assert records(events)[0].metrics == ("sleep", "sleep_summary")


def test_nothing_that_is_kept_here(open_rig: Open) -> None:
    rig = open_rig(virtual()).identified()
    before = len(rig.written)
    assert finished(rig.run(Sync(TODAY, metrics=frozenset(("battery",))))).records == 0
    assert rig.written[before:] == []


def test_days_before_since_stay_on_the_watch(open_rig: Open) -> None:
    stored = memory()
    rig = open_rig(virtual(stored=stored)).identified()
    events = rig.run(Sync(TODAY, since=date(2026, 6, 21), metrics=frozenset(("heart_rate",))))
    assert names(events) == ["health.heart_rate 2026-06-22 0", "health.heart_rate 2026-06-21 0"]
    assert stored.days[0].heart_rate
    assert not stored.days[1].heart_rate
    later = rig.run(Sync(TODAY, since=date(2026, 6, 23), metrics=frozenset(("heart_rate",))))
    assert names(later) == []


def test_kept_records_are_offered_again(open_rig: Open) -> None:
    rig = open_rig(virtual()).identified()
    first, second = (rig.run(Sync(TODAY, keep=True)) for _ in range(2))
    assert names(first) == names(second)
    assert {"health.sleep", "health.workout", "health.heart_rate"} <= {
        event.record.kind for event in records(first)
    }


def test_watermarks_of_another_day_or_hand_do_not_count(open_rig: Open) -> None:
    for position in ("2026-06-21 5", "nonsense", "2026-06-22 x"):
        rig = open_rig(virtual()).identified()
        mark = Watermark("health.heart_rate", position)
        job = Sync(TODAY, {mark.kind: mark}, metrics=frozenset(("heart_rate",)))
        assert names(rig.run(job))[0] == "health.heart_rate 2026-06-22 0"


def test_a_later_sync_brings_the_rest_of_the_day(open_rig: Open) -> None:
    rig = open_rig(virtual()).identified()
    early = virtual()
    rig = open_rig(early)
    rig.now_s = -20_000.0  # the watch's clock stands that much earlier
    rig.identified()
    first = rig.run(Sync(TODAY))
    rig.now_s = 0.0
    second = rig.run(Sync(TODAY, watermarks=marks(first)))
    heart_rate = [event for event in records(second) if event.record.kind == "health.heart_rate"]
    assert [event.record.key.partition(" ")[2] for event in heart_rate] != ["0"]
    whole = open_rig(virtual()).identified().run(Sync(TODAY))
    assert samples(first, second) == samples(whole)


def test_midnight_does_not_replace_yesterday(open_rig: Open) -> None:
    """ido.md 7.3 (C): "today" is yesterday with its last slot; the history has the whole day."""
    rig = open_rig(virtual("midnight")).identified()
    events = rig.run(Sync(TODAY, metrics=frozenset(("steps",))))
    assert names(events) == [
        "health.steps 2026-06-21 43",
        "health.steps 2026-06-21 0",
        "health.steps 2026-06-20 0",
    ]
    assert [event.verified for event in records(events)] == [False, True, True]
    assert marks(events) == {}


@pytest.mark.parametrize("stage", ["delivered", "committed"])
def test_a_link_lost_at_any_record_loses_and_doubles_nothing(open_rig: Open, stage: str) -> None:
    expected = samples(open_rig(virtual()).identified().run(Sync(TODAY)))
    for cut in range(15):
        watch = virtual()
        rig = open_rig(watch).identified()
        rig.commits = False
        parts: list[Event] = []
        events = rig.run(Sync(TODAY))
        for _ in range(cut):
            parts += records(events)
            events = resume(rig)
        if stage == "committed":
            parts += records(events)
        rig.lose_link()
        rig.commits = True
        rig.connect()
        rig.identified()
        rest = rig.run(Sync(TODAY, watermarks=marks(parts)))
        assert isinstance(rest[-1], JobDone)
        assert samples(parts, rest) == expected


def resume(rig: Any) -> list[Event]:
    """Commit what was delivered and go on to the next record."""
    events: list[Event] = rig.session.commit(rig.now_s)
    while not any(isinstance(event, RecordReceived | JobDone | JobFailed) for event in events):
        events += rig._turn()
    return events


def test_any_lost_notification_loses_and_doubles_nothing(open_rig: Open) -> None:
    counter = open_rig(virtual()).identified()
    expected = samples(counter.run(Sync(TODAY)))
    for lost in range(counter.notified):
        rig = open_rig(virtual(), drop=lambda number, _data, lost=lost: number == lost)
        events = rig.identified().run(Sync(TODAY))
        assert isinstance(events[-1], JobDone), lost
        assert samples(events) == expected, lost


def test_a_legacy_watch(open_rig: Open) -> None:
    stored = memory()
    rig = open_rig(virtual("legacy", stored=stored)).identified()
    events = rig.run(Sync(TODAY))
    assert Counter(event.record.kind for event in records(events)) == {
        "legacy.steps": 3,
        "legacy.sleep": 2,
        "legacy.heart_rate": 3,
    }
    found = counts(events)
    assert (found["steps"], found["activity"], found["heart_rate"]) == (129, 132, 168)
    assert (found["sleep"], found["sleep_summary"], found["resting_heart_rate"]) == (5, 2, 3)
    assert "health.workout" in finished(events).skipped
    assert names(rig.run(Sync(TODAY)))[:1] == ["legacy.steps 2026-06-22"]


# --- scripted watches ---

A200 = {
    "0201": [bytes.fromhex("020114021101001b010101002802010303")],
    "0202": [bytes.fromhex("0202fb0aff4a3f6fe8153f0a0801020051cf0e7e")],
    "0207": [bytes.fromhex("0207402440ff384ed3ff0b08008495c706010034")],
    "02F0": [bytes.fromhex("02f00089008900e8038c00")],
    "0204": [bytes.fromhex("0204f92412000001")],
    "001A": [bytes.fromhex("010940") + bytes(99)],
    "0335": [bytes.fromhex("03350200")],
}
HEADS = {1: 13, 2: 13, 3: 29, 4: 76, 6: 34, 7: 40, 8: 36}


def start(
    record_type: int, today: int, header: bytes | None = None, items: bytes = b"", count: int = 0
) -> bytes:
    head = bytes(HEADS[record_type]) if header is None else header
    return (
        struct.pack("<BBBHHHIB", 0, record_type, today, 0, count, len(head), len(items), 0)
        + head
        + items
    )


def stop(record_type: int, today: int, have_next: int = 0) -> bytes:
    return struct.pack("<BBBHHHIB", 1, record_type, today, 0, 0, 0, 0, have_next)


def answers(**changes: Any) -> dict[str, Any]:
    """An A200 that has nothing, with changes such as `start_8_1` and `stop_8_1`."""
    said: dict[str, Any] = dict(A200)
    for record_type in HEADS:
        for today in (0, 1):
            said[f"000400{record_type:02x}{today:02x}"] = [start(record_type, today)]
            said[f"000401{record_type:02x}{today:02x}"] = [stop(record_type, today)]
    for place, answer in changes.items():
        operate, number, of_today = place.split("_")
        key = f"0004{'00' if operate == 'start' else '01'}{int(number):02x}{int(of_today):02x}"
        said[key] = answer
    return said


def step_day(steps: int, day_of_month: int = 22, total: int | None = None) -> tuple[bytes, bytes]:
    header = struct.pack("<BHBBHBIIIIHH", 0, 2026, 6, day_of_month, 0, 15, 0, 0, 0, 0, 2, 0)
    header = header[:8] + struct.pack("<I", steps if total is None else total) + header[12:]
    return header + bytes(8), struct.pack("<BHBHHH", 1, steps, 0, 0, 0, 0) + bytes(10)


def sync(
    open_rig: Open, scripted: Open, said: dict[str, Any], **job: Any
) -> tuple[Any, list[Event]]:
    watch = scripted(said)
    return watch, open_rig(watch).identified().run(Sync(TODAY, **job))


def test_a_record_whose_sums_fail_once_is_fetched_again(scripted: Open, open_rig: Open) -> None:
    good, bad = step_day(30), step_day(30, total=99)
    said = answers(start_8_1=[[start(8, 1, *bad, 2)], [start(8, 1, *good, 2)]])
    _, events = sync(open_rig, scripted, said)
    (event,) = records(events)
    assert event.verified


def test_a_record_that_takes_long_is_not_asked_for_again(scripted: Open, open_rig: Open) -> None:
    """The time for an answer is for its beginning; each chunk brings time for the next (2.4)."""
    items = b"\x01\x40" * 16_000
    header = struct.pack("<HBBiBB15xI", 2026, 6, 22, 0, 1, 55, len(items))
    watch = scripted(answers(start_3_1=[start(3, 1, header, items, 16_000)]))
    rig = open_rig(watch).identified()

    def chunk_by_chunk(_number: int, _data: bytes) -> bool:
        rig.now_s += 0.05
        return bool(rig.session.timed_out(rig.now_s))

    rig.drop = chunk_by_chunk
    events = rig.run(Sync(TODAY, metrics=frozenset(("heart_rate",))))
    assert names(events) == ["health.heart_rate 2026-06-22 0"]
    assert [asked[:5] for asked in watch.asked].count(b"\x00\x04\x00\x03\x01") == 1


def test_steps_are_asked_for_from_the_first_slot_on(scripted: Open, open_rig: Open) -> None:
    """The slot that runs is not done when it is first read (7.9)."""
    held = Watermark("health.steps", "2026-06-22 2")
    said = answers(start_8_1=[start(8, 1, *step_day(30), 2)])
    watch, events = sync(open_rig, scripted, said, watermarks={held.kind: held})
    (event,) = records(events)
    assert event.watermarks == ()
    assert bytes.fromhex("0004 0008010000") in watch.asked


def test_a_day_without_anything_does_not_hide_older_ones(scripted: Open, open_rig: Open) -> None:
    said = answers(
        start_8_0=[[start(8, 0)], [start(8, 0, *step_day(5, 20), 2)]],
        stop_8_1=[stop(8, 1, have_next=1)],
        stop_8_0=[[stop(8, 0, have_next=1)], [stop(8, 0)]],
    )
    _, events = sync(open_rig, scripted, said)
    assert names(events) == ["health.steps 2026-06-20 0"]


def test_days_without_anything_for_ever_are_left(scripted: Open, open_rig: Open) -> None:
    said = answers(stop_8_1=[stop(8, 1, have_next=1)], stop_8_0=[stop(8, 0, have_next=1)])
    watch, events = sync(open_rig, scripted, said)
    assert finished(events).records == 0
    assert [asked[:5] for asked in watch.asked].count(b"\x00\x04\x00\x08\x00") == 3


def test_a_record_whose_sums_fail_twice_is_kept_unverified(scripted: Open, open_rig: Open) -> None:
    bad = step_day(30, total=99)
    watch, events = sync(open_rig, scripted, answers(start_8_1=[start(8, 1, *bad, 2)]))
    (event,) = records(events)
    assert not event.verified
    assert event.watermarks == ()  # the next sync asks again
    assert [asked[:5] for asked in watch.asked].count(b"\x00\x04\x00\x08\x01") == 2


def test_a_record_that_was_damaged_is_fetched_again(scripted: Open, open_rig: Open) -> None:
    good = start(8, 1, *step_day(30), 2)
    damaged = good[:5] + b"\x63" + good[6:]  # item_count
    _, events = sync(open_rig, scripted, answers(start_8_1=[[damaged], [good]]))
    assert names(events) == ["health.steps 2026-06-22 0"]


def test_a_second_try_that_gets_no_answer(scripted: Open, open_rig: Open) -> None:
    said = answers(start_8_1=[[start(8, 1, *step_day(30, total=99), 2)], []])
    _, events = sync(open_rig, scripted, said)
    assert [event.verified for event in records(events)] == [False]


def test_a_kind_that_is_never_answered_is_left_out(scripted: Open, open_rig: Open) -> None:
    said = answers(start_1_1=[], start_7_0=[], start_8_1=[start(8, 1, *step_day(30), 2)])
    _, events = sync(open_rig, scripted, said)
    assert finished(events).skipped == ("health.spo2", "health.sleep")
    assert names(events) == ["health.steps 2026-06-22 0"]


def test_a_watch_that_answers_nothing_about_records(scripted: Open, open_rig: Open) -> None:
    watch, events = sync(open_rig, scripted, dict(A200))
    last = events[-1]
    assert isinstance(last, JobFailed)
    assert last.kind == "silent"
    starts = [asked[3] for asked in watch.asked if asked[:3] == b"\x00\x04\x00"]
    assert starts == [1, 1, 1, 2, 4, 6, 7, 8, 3]  # patient once


def test_a_capability_that_is_missing_is_not_asked_for(scripted: Open, open_rig: Open) -> None:
    table = bytearray(A200["0207"][0])
    table[2 + 3] &= ~0x08  # V3 SpO2
    table[2 + 12] &= ~0x10  # SpO2 offsets in minutes
    watch, events = sync(open_rig, scripted, answers() | {"0207": [bytes(table)]})
    assert finished(events).skipped == ("health.spo2_by_second",)
    assert not [asked for asked in watch.asked if asked[:4] == b"\x00\x04\x00\x01"]


def test_unknown_tables_mean_asking_for_all(scripted: Open, open_rig: Open) -> None:
    said = {key: answer for key, answer in answers().items() if key not in ("0202", "0207")}
    watch, events = sync(open_rig, scripted, said)
    assert finished(events).skipped == ()
    assert len([asked for asked in watch.asked if asked[:3] == b"\x00\x04\x00"]) == 7


def night(day_of_month: int) -> tuple[bytes, bytes]:
    header = struct.pack(
        "<BBHBBBBHBBBBHHHHHBBBBBBHH6x",
        *(2, 1, 2026, 6, day_of_month, 23, 0, 2026, 6, day_of_month + 1, 6, 0),
        *(60, 0, 60, 0, 0, 0, 1, 0, 0, 100, 70, 1, 0),
    )
    return header, bytes((2, 60))


def test_a_lost_answer_to_stop_is_not_asked_for_again(scripted: Open, open_rig: Open) -> None:
    """A second STOP could confirm the next record, which was never sent (7.3)."""
    said = answers(
        start_7_0=[[start(7, 0, *night(18), 1)], [start(7, 0, *night(19), 1)], [start(7, 0)]],
        stop_7_0=[[], [stop(7, 0)]],
    )
    watch, events = sync(open_rig, scripted, said)
    assert names(events) == [
        "health.sleep 2026-06-18T23:00:00",
        "health.sleep 2026-06-19T23:00:00",
    ]
    assert [asked[:4] for asked in watch.asked].count(b"\x00\x04\x01\x07") == 3


def test_a_lost_stop_gives_the_same_record_again(scripted: Open, open_rig: Open) -> None:
    said = answers(
        start_7_0=[[start(7, 0, *night(18), 1)], [start(7, 0, *night(18), 1)], [start(7, 0)]],
        stop_7_0=[[], [stop(7, 0)]],
    )
    _, events = sync(open_rig, scripted, said)
    assert names(events) == ["health.sleep 2026-06-18T23:00:00"]


def test_a_cursor_that_does_not_move_ends_the_kind(scripted: Open, open_rig: Open) -> None:
    said = answers(
        start_7_0=[start(7, 0, *night(18), 1)],
        start_8_0=[start(8, 0, *step_day(5, 21), 2)],
        stop_8_1=[stop(8, 1, have_next=1)],
        stop_8_0=[stop(8, 0, have_next=1)],
    )
    watch, events = sync(open_rig, scripted, said)
    assert names(events) == ["health.sleep 2026-06-18T23:00:00", "health.steps 2026-06-21 0"]
    assert [asked[:5] for asked in watch.asked].count(b"\x00\x04\x00\x08\x00") == 3


@pytest.mark.parametrize("record_type", [7, 8])
def test_a_watch_that_falls_silent_between_records(
    scripted: Open, open_rig: Open, record_type: int
) -> None:
    said = answers(
        start_7_0=[[start(7, 0, *night(18), 1)], []] if record_type == 7 else [start(7, 0)],
        stop_8_1=[stop(8, 1, have_next=int(record_type == 8))],
        start_8_0=[],
        start_3_1=[start(3, 1, struct.pack("<HBBi21x", 2026, 6, 22, 0), b"\x01\x40", 1)],
    )
    _, events = sync(open_rig, scripted, said)
    last = events[-1]
    assert isinstance(last, JobFailed)
    assert (last.kind, "in the middle" in last.reason) == ("silent", True)
    assert names(events)[-1] == "health.heart_rate 2026-06-22 0"  # the other kinds came


def test_nothing_older_after_a_lost_stop(scripted: Open, open_rig: Open) -> None:
    said = answers(start_8_1=[start(8, 1, *step_day(30), 2)], stop_8_1=[], start_8_0=[])
    _, events = sync(open_rig, scripted, said)
    assert finished(events).records == 1
    said = answers(start_8_1=[start(8, 1, *step_day(30), 2)], stop_8_1=[])
    _, events = sync(open_rig, scripted, said)
    assert finished(events).records == 1


@pytest.mark.parametrize(
    ("place", "record_type", "header", "items"),
    [
        ("start_4_0", 4, b"\x20" + bytes(120), b"\x01\x02"),  # a version without a layout
        ("start_4_0", 4, b"\x10" + bytes(99), b""),  # no date
        ("start_6_0", 6, bytes.fromhex("EA070D01000000 01") + bytes(26), b""),
        ("start_2_1", 2, struct.pack("<HBBIBI", 2026, 13, 1, 0, 1, 2), b"\x0a\x10"),
        ("start_2_1", 2, b"\x01", b""),
    ],
)
def test_what_cannot_be_read_is_kept_before_it_is_confirmed(
    scripted: Open, open_rig: Open, place: str, record_type: int, header: bytes, items: bytes
) -> None:
    today = int(place[-1])
    body = start(record_type, today, header, items, len(items) // 2)
    said = answers(**{place: [[body], [body], [start(record_type, today)]]})
    watch, events = sync(open_rig, scripted, said)
    (event,) = records(events)
    assert event.record.key.startswith("unread ")
    assert event.record.body == body
    assert event.watermarks == ()
    assert FAMILY.samples(event.record, CLOCK).series == ()
    assert bytes((0, 4, 1, record_type, today)) in [asked[:5] for asked in watch.asked]


def test_a_swim_is_kept_under_its_start(scripted: Open, open_rig: Open) -> None:
    swim = start(6, 0, bytes.fromhex("EA07061610203001") + bytes(25) + b"\x07", b"\x01", 1)
    _, events = sync(open_rig, scripted, answers(start_6_0=[[swim], [start(6, 0)]]))
    assert names(events) == ["health.swim 2026-06-22T16:32:48"]


def test_an_answer_about_another_day_is_not_taken(scripted: Open, open_rig: Open) -> None:
    said = answers(start_8_1=[[start(8, 0, *step_day(5), 2)], [start(8, 1, *step_day(7), 2)]])
    _, events = sync(open_rig, scripted, said)
    (event,) = records(events)
    assert event.record.body[2] == 1
