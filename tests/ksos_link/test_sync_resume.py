"""What a sync asks for, what it goes on from, and when the watch is told to forget.

Looked at through a tap: the bytes that pass between us and the watch.
"""

import contextlib
import itertools
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.errors import RemoteProtocolError
from firmware_protocol.families.ido.framing import FrameAssembler, V3Frame
from firmware_protocol.family import Direction
from firmware_protocol.records import RawRecord
from ksos_link.errors import LinkLostError, StoreError, UsageError
from ksos_link.operations.link_events import Reconnecting
from ksos_link.operations.sync import Stored, SyncChoice, SyncEvent, SyncReport, sync
from ksos_link.operations.target import parse_target
from ksos_link.store.database import Store

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SyncBench, WornWatch

pytestmark = pytest.mark.gatt
RECORD_COMMAND = 0x04
START, STOP = 0, 1
SPO2, STRESS, WORKOUT, SWIM, SLEEP, STEPS, HEART_RATE = 1, 2, 4, 6, 7, 8, 3


@dataclass(frozen=True)
class Asked:
    """One command 04 that was written."""

    operate: int
    record_type: int
    today: int
    offset: int


@dataclass
class Tap:
    """Remembers what was written."""

    written: list[bytes] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def __call__(self, direction: Direction, _: str, data: bytes) -> None:
        if direction == "TX":
            self.note(data)

    def note(self, data: bytes) -> None:
        self.written.append(data)
        for ask in Tap([data]).asked(STOP):
            self.order.append(f"stop {ask.record_type}")

    def asked(self, operate: int | None = None) -> list[Asked]:
        assembler = FrameAssembler("TX")
        frames = []
        for data in self.written:
            with contextlib.suppress(RemoteProtocolError):  # a second chunk alone
                frames += assembler.receive("", data)
        found = [
            Asked(*struct.unpack("<BBBH", frame.payload))
            for frame in frames
            if isinstance(frame, V3Frame) and frame.command == RECORD_COMMAND
        ]
        return [each for each in found if operate in (None, each.operate)]


def tapped_sync(
    bench: "SyncBench", watch: "WornWatch", choice: SyncChoice | None = None
) -> tuple[Tap, list[SyncEvent]]:
    tap = Tap()
    return tap, bench.sync(watch, choice, options=replace(bench.options, tap=tap))


def report_of(events: Iterable[SyncEvent]) -> SyncReport:
    *_, last = events
    assert isinstance(last, SyncReport)
    return last


@pytest.fixture
def paired(sync_bench: "SyncBench") -> "SyncBench":
    sync_bench.pair(sync_bench.watch())
    return sync_bench


def metrics_of(contents: dict[str, Any]) -> dict[str, Any]:
    """Samples alone: which raw records they came in depends on when was synced."""
    return {name: rows for name, rows in contents.items() if name not in ("raw", "watermarks")}


# ---- what is asked for


def test_a_second_sync_asks_only_for_what_is_new(paired: "SyncBench") -> None:
    paired.start = paired.start.replace(hour=0, minute=20)
    watch = paired.watch()
    first, _ = tapped_sync(paired, watch)
    assert {ask.offset for ask in first.asked(START)} == {0}
    before = metrics_of(paired.contents())
    paired.pass_time(minutes=20)
    second, events = tapped_sync(paired, watch)
    offsets = {ask.record_type: ask.offset for ask in second.asked(START) if ask.today}
    assert offsets[HEART_RATE] == 5, "two readings, and three fillers between them"
    asked_today = [ask for ask in second.asked(START) if not ask.today]
    assert {ask.record_type for ask in asked_today} == {WORKOUT, SWIM, SLEEP}, "history is done"
    after = metrics_of(paired.contents())
    assert len(after["heart_rate"]) > len(before["heart_rate"])
    assert all(row in after["heart_rate"] for row in before["heart_rate"])
    assert report_of(events).samples["heart_rate"] == len(after["heart_rate"]) - len(
        before["heart_rate"]
    )


def test_many_syncs_of_a_day_give_what_one_gives(
    paired: "SyncBench", another_bench: "SyncBench"
) -> None:
    paired.start = another_bench.start = paired.start.replace(hour=0, minute=0)
    watch, other = paired.watch(), another_bench.watch()
    another_bench.pair(another_bench.watch())
    for _ in range(10):
        paired.sync(watch)
        paired.pass_time(minutes=5)
    another_bench.pass_time(minutes=50)
    another_bench.sync(other)
    assert metrics_of(paired.contents()) == metrics_of(another_bench.contents())


def test_storing_twice_changes_nothing(paired: "SyncBench") -> None:
    watch = paired.watch()
    paired.sync(watch)
    once = paired.contents()
    for choice in (SyncChoice(), SyncChoice(full=True)):
        report = report_of(paired.sync(watch, choice))
        assert not report.samples.keys() - {"battery"}
        assert metrics_of(paired.contents()) == metrics_of(once)
    assert report_of(paired.sync(watch)).links == 1


def test_full_asks_for_everything_again(paired: "SyncBench") -> None:
    watch = paired.watch()
    paired.sync(watch)
    tap, events = tapped_sync(paired, watch, SyncChoice(full=True))
    assert {ask.offset for ask in tap.asked(START)} == {0}
    stored = {event.kind for event in events if isinstance(event, Stored)}
    assert {"health.heart_rate", "health.steps"} <= stored


@pytest.mark.parametrize(
    ("metric", "types"),
    [("heart_rate", {HEART_RATE}), ("sleep_summary", {SLEEP}), ("battery", set[int]())],
)
def test_a_chosen_metric_is_all_that_is_asked_for(
    paired: "SyncBench", metric: str, types: set[int]
) -> None:
    watch = paired.watch()
    tap, events = tapped_sync(paired, watch, SyncChoice(metrics=frozenset((metric,))))
    assert {ask.record_type for ask in tap.asked()} == types
    assert metric in report_of(events).samples
    everything = report_of(paired.sync(watch)).samples
    assert not {metric} - {"battery"} & everything.keys(), "it does not come again"
    assert "steps" in everything, "what was not chosen stayed on the watch"


def test_a_metric_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no metric named pulse"):
        SyncChoice(metrics=frozenset(("pulse",)))


def test_since_leaves_older_days_on_the_watch(paired: "SyncBench") -> None:
    yesterday = paired.now().date() - timedelta(days=1)
    watch = paired.watch(days=4)
    paired.sync(watch, SyncChoice(since=yesterday))

    def days_of(kind: str) -> set[date]:
        rows = paired.contents()["raw"]
        return {date.fromisoformat(key.split()[0]) for _, found, key, *_ in rows if found == kind}

    for kind in ("health.steps", "health.heart_rate"):
        assert min(days_of(kind)) == yesterday
        assert len(days_of(kind)) == 2
    assert [bool(day.movement) for day in watch.memory.days] == [True, True, False, True]
    paired.sync(watch)
    assert len(days_of("health.steps")) == 4


# ---- going on after a lost link


def gained(report: SyncReport) -> Counter[str]:
    """What came besides the battery, which is read anew on each link."""
    return Counter({name: count for name, count in report.samples.items() if name != "battery"})


def test_a_sync_goes_on_where_the_link_was_lost(paired: "SyncBench") -> None:
    """At each of its records: what was confirmed is not asked for again."""
    good = gained(report_of(paired.sync(paired.watch())))
    seen: set[tuple[int, ...]] = set()
    for lost_at in range(13, 39, 2):
        paired.forget()
        tap, events = tapped_sync(paired, paired.watch(f"lose@{lost_at}"))
        report = report_of(events)
        assert report.links == 2
        assert [event for event in events if isinstance(event, Reconnecting)] == [
            Reconnecting(1, 0.25)
        ]
        assert gained(report) == good
        again = [event for event in events if isinstance(event, Stored) and not event.samples]
        unconfirmed = [event for event in again if event.kind != "health.steps"]
        assert len(unconfirmed) <= 1, "steps have no offset: today's come whole each time"
        seen.add(
            tuple(
                ask.offset
                for ask in tap.asked(START)
                if ask.record_type == HEART_RATE and ask.today
            )
        )
    assert seen == {(0,), (0, 0), (0, 9)}, "lost before it came, with it, after it"


def test_a_link_that_is_lost_again_and_again_ends_the_sync(paired: "SyncBench") -> None:
    watch = paired.watch(",".join(f"lose@{number}" for number in range(5)))
    with pytest.raises(LinkLostError) as caught:
        paired.sync(watch)
    assert caught.value.exit_code == 4
    assert watch.noted.links == 5
    assert report_of(paired.sync(watch)).links == 1, "the next command works"


def test_a_watch_that_always_fails_at_the_same_place_is_given_up(paired: "SyncBench") -> None:
    """Also where each link brings the steps of today again, which is no progress."""
    watch = paired.watch()
    watch.noted.loses_link_at = lambda data: (
        data[:1] == b"\x33" and data[12:14] == bytes((START, HEART_RATE))
    )
    with pytest.raises(LinkLostError):
        paired.sync(watch)
    assert watch.noted.links <= 10
    watch.noted.loses_link_at = None
    paired.sync(watch)
    good = paired.contents()
    paired.forget()
    paired.sync(paired.watch())
    assert good == paired.contents()


def test_a_long_sync_over_a_bad_link_ends_as_long_as_it_gets_on(paired: "SyncBench") -> None:
    watch = paired.watch(",".join(f"lose@{number}" for number in range(30, 900, 30)), days=12)
    report = report_of(paired.sync(watch))
    assert report.links > 5, "more than the patience with a link that brings nothing"
    bad = metrics_of(paired.contents())
    paired.forget()
    paired.sync(paired.watch(days=12))
    assert bad == metrics_of(paired.contents())


# ---- when the watch may forget


def test_the_watch_is_told_only_after_the_commit(
    paired: "SyncBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    commit = Store.commit_record

    def noted(store: Store, device_id: int, record: RawRecord, *rest: Any, **more: Any) -> Any:
        gained = commit(store, device_id, record, *rest, **more)
        order.append(f"stored {record.kind}")
        return gained

    monkeypatch.setattr(Store, "commit_record", noted)
    tap = Tap(order=order)
    paired.sync(paired.watch(), options=replace(paired.options, tap=tap))
    names = {WORKOUT: "workout", SLEEP: "sleep", STEPS: "steps", HEART_RATE: "heart_rate"}
    for record_type, name in names.items():
        stops = [at for at, what in enumerate(order) if what == f"stop {record_type}"]
        assert stops
        for nth, stop in enumerate(stops):
            stored = [at for at, what in enumerate(order) if what == f"stored health.{name}"]
            assert not stored[nth : nth + 1] or stored[nth] < stop


def test_a_commit_that_fails_leaves_the_record_on_the_watch(
    paired: "SyncBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    paired.sync(paired.watch())
    good, commit = paired.contents(), Store.commit_record

    def refuse_at(failing: int) -> None:
        count = itertools.count()

        def refusing(
            store: Store, device_id: int, record: RawRecord, *rest: Any, **more: Any
        ) -> Any:
            if record.kind != "battery" and next(count) == failing:
                raise StoreError("The disk is full; nothing was changed.")
            return commit(store, device_id, record, *rest, **more)

        monkeypatch.setattr(Store, "commit_record", refusing)

    for failing in range(len(good["raw"])):
        paired.forget()
        watch = paired.watch()
        refuse_at(failing)
        with pytest.raises(StoreError):
            paired.sync(watch)
        assert Tap(watch.noted.written).asked()[-1].operate == START, "no STOP without a commit"
        monkeypatch.setattr(Store, "commit_record", commit)
        paired.sync(watch)
        assert paired.contents() == good


def test_a_second_program_fails_before_it_touches_the_watch(paired: "SyncBench") -> None:
    watch = paired.watch()
    with paired.stores.open() as other:
        other.claim_writer()
        with pytest.raises(StoreError, match="Another ksos is writing") as caught:
            paired.sync(watch)
    assert caught.value.exit_code == 8
    assert caught.value.hint
    assert watch.noted.links == 0
    assert report_of(paired.sync(watch)).records == 7


def test_a_sync_that_is_broken_off_loses_nothing(paired: "SyncBench") -> None:
    """Ctrl-C: the events are closed, the link goes, and the next sync brings the rest."""
    paired.sync(paired.watch())
    good = paired.contents()

    async def broken_off(watch: "WornWatch", after: int) -> None:
        async with paired.on_air(watch):
            with paired.stores.open() as store:
                device = store.device("wrist")
                target = parse_target(device.address)
                events = sync(store, device, target, SyncChoice(), paired.options)
                async with contextlib.aclosing(events):
                    stored = 0
                    async for event in events:
                        stored += isinstance(event, Stored)
                        if stored == after:
                            return

    for after in (1, 3, 6):
        paired.forget()
        watch = paired.watch()
        paired.run(broken_off(watch, after))
        paired.sync(watch)
        assert paired.contents() == good
