"""Journeys, wrong clocks, daylight-saving nights: every reading once, at the instant it was lived.

A watch here lives with its wearer: every ten minutes it takes down a heart rate and some steps
under what its own clock shows, and the test remembers when that really was.

What a watch does in an hour that its clock shows twice is not known: no capture holds one. Here it
takes down nothing in the second one, as a list that only ever grows in time would have it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import tzlocal

from firmware_protocol.clock import ClockStretch
from firmware_protocol.samples import Quality, SleepStage
from firmware_protocol.watch_session import (
    DayMemory,
    MovementSlot,
    Reading,
    SleepMemory,
    WatchMemory,
)
from ksos_link.operations.meaning import redecode
from ksos_link.operations.sync import SyncReport

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SyncBench, WornWatch

pytestmark = [
    pytest.mark.gatt,
    pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its zone"),
]
EVERY_S = 600
SLOT_S = 900
STEPS = 10
Travel = Callable[[str], None]


@dataclass
class Life:
    """A wearer with a watch. `truth` is the bpm at each instant at which one was taken."""

    bench: "SyncBench"
    watch: "WornWatch"
    truth: dict[int, int] = field(default_factory=dict)

    @property
    def _clock(self) -> Any:
        return self.watch.noted._session._state.clock  # type: ignore[attr-defined]

    def wall(self) -> datetime:
        """What the watch shows."""
        return datetime.fromtimestamp(self._clock.wall_s(self.bench.now_s()), UTC)

    def somebody_sets(self, shows: str) -> None:
        wall = datetime.fromisoformat(shows).replace(tzinfo=UTC)
        self._clock.wall_offset_s += (wall - self.wall()).total_seconds()

    def until(self, text: str, *, worn: bool = True) -> None:
        """Live on until the wearer's wall clock shows that time."""
        end = datetime.fromisoformat(text).replace(tzinfo=self.bench.zone)
        while (left_s := (end - self.bench.now()).total_seconds()) > 1:
            self.bench.pass_time(seconds=min(EVERY_S, left_s))
            if worn and round(self.bench.now().timestamp()) % EVERY_S == 0:
                self._take_down()

    def _take_down(self) -> None:
        bpm = 60 + len(self.truth) % 100
        self.truth[round(self.bench.now().timestamp())] = bpm
        wall_s, days = round(self.wall().timestamp()), self.watch.memory.days
        day = datetime.fromtimestamp(wall_s, UTC).date()
        if day not in [each.day for each in days]:
            days.append(DayMemory(day))
            days.sort(key=lambda each: each.day)
        at = next(at for at, each in enumerate(days) if each.day == day)
        days[at] = replace(
            days[at],
            heart_rate=(*days[at].heart_rate, Reading(wall_s, bpm)),
            movement=with_steps(days[at].movement, wall_s),
        )

    def sync(self) -> SyncReport:
        report = self.bench.sync(self.watch)[-1]
        assert isinstance(report, SyncReport)
        return report

    def stored(self) -> dict[int, int]:
        rows = self.bench.contents()["heart_rate"]
        # setting a clock drops fractions of a second
        found = {round(start / 60) * 60: bpm for _, start, bpm, _ in rows}
        assert len(found) == len(rows)
        return found

    def assert_true(self) -> None:
        """What is stored is what was lived, also when everything is decoded once more."""
        contents = self.bench.contents()
        assert self.stored() == self.truth
        assert sum(steps for *_, steps, _ in contents["steps"]) == STEPS * len(self.truth)
        with self.bench.stores.open() as store:
            redecode(store)
        assert self.bench.contents() == contents

    def qualities(self) -> list[int]:
        return [quality for *_, quality in self.bench.contents()["heart_rate"]]

    def stretches(self) -> tuple[ClockStretch, ...]:
        with self.bench.stores.open() as store:
            return store.clock_stretches(store.device("wrist").device_id)


def with_steps(slots: tuple[MovementSlot, ...], wall_s: int) -> tuple[MovementSlot, ...]:
    """A day's slots, from midnight on, with some steps more in the one of that time."""
    midnight_s = wall_s // 86_400 * 86_400
    counted = list(slots)
    while len(counted) <= (wall_s - midnight_s) // SLOT_S:
        begin_s = midnight_s + SLOT_S * len(counted)
        counted.append(MovementSlot(begin_s, SLOT_S // 60, 1, 0, 0, 0, 0, 0))
    at = (wall_s - midnight_s) // SLOT_S
    counted[at] = replace(counted[at], steps=counted[at].steps + STEPS)
    return tuple(counted)


@pytest.fixture
def travel(sync_bench: "SyncBench", monkeypatch: pytest.MonkeyPatch) -> Iterator[Travel]:
    """Take the wearer, and the machine, to another zone."""

    def to(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        tzlocal.reload_localzone()
        sync_bench.zone = ZoneInfo(zone)

    yield to
    monkeypatch.undo()
    time.tzset()
    tzlocal.reload_localzone()


Begin = Callable[..., Life]


@pytest.fixture
def begin(sync_bench: "SyncBench", travel: Travel) -> Begin:
    """A watch in a zone, at a time of the wearer's wall clock; `shows` is another one's."""

    def beginning(zone: str, text: str, shows: str | None = None, *, paired: bool = True) -> Life:
        travel(zone)
        local = datetime.fromisoformat(text).replace(tzinfo=sync_bench.zone)
        sync_bench.start = local.astimezone(UTC) - timedelta(seconds=sync_bench.now_s())
        wall = None if shows is None else datetime.fromisoformat(shows)
        watch = sync_bench.watch(memory=WatchMemory(), shows=wall)
        if paired:
            sync_bench.pair(watch)
        return Life(sync_bench, watch)

    return beginning


# ---- days like any other


def test_many_syncs_of_a_day_and_the_whole_day_after_it(begin: Begin) -> None:
    life = begin("Europe/Berlin", "2026-11-20T08:00")
    for text in (
        *("2026-11-20T12:05", "2026-11-20T12:05", "2026-11-20T18:05", "2026-11-20T23:55"),
        *("2026-11-21T00:05", "2026-11-22T09:05", "2026-11-22T21:05"),
    ):
        life.until(text)
        assert abs(life.sync().drift_s or 0) <= 1
    life.assert_true()
    assert set(life.qualities()) == {Quality.PROVEN}
    assert len(life.stretches()) == 1, "a clock that keeps its time has no history"


# ---- journeys and daylight saving


def test_a_journey_to_the_east(begin: Begin, travel: Travel) -> None:
    life = begin("Europe/Berlin", "2026-11-20T08:00")
    life.until("2026-11-20T14:00")
    life.sync()
    travel("Asia/Tokyo")
    life.until("2026-11-21T08:00")
    assert life.sync().drift_s == pytest.approx(-8 * 3600, abs=2)
    for text in ("2026-11-21T20:00", "2026-11-22T20:00"):
        life.until(text)
        life.sync()
    life.assert_true()
    assert set(life.qualities()) == {Quality.PROVEN}


def test_a_journey_to_the_west_and_back(begin: Begin, travel: Travel) -> None:
    life = begin("Europe/Berlin", "2026-11-20T08:00")
    life.until("2026-11-20T18:00")
    travel("America/New_York")
    life.until("2026-11-20T16:00")
    assert life.sync().drift_s == pytest.approx(6 * 3600, abs=2)
    life.until("2026-11-20T22:00", worn=False)
    for text in ("2026-11-21T12:00", "2026-11-22T12:00"):
        life.until(text)
        life.sync()
    life.assert_true()
    travel("Europe/Berlin")
    for text in ("2026-11-23T21:00", "2026-11-24T21:00"):
        life.until(text)
        life.sync()
    life.assert_true()


def test_a_night_in_spring(begin: Begin) -> None:
    life = begin("Europe/Berlin", "2026-03-28T20:00")
    for text in ("2026-03-28T23:00", "2026-03-29T09:00", "2026-03-29T21:00", "2026-03-31T09:00"):
        life.until(text)
        life.sync()
    life.assert_true()


@pytest.mark.parametrize("before_it", [True, False])
def test_a_night_in_autumn(begin: Begin, before_it: bool) -> None:
    life = begin("Europe/Berlin", "2026-10-24T20:00")
    if before_it:
        life.until("2026-10-24T23:00")
        life.sync()
    life.until("2026-10-25T09:00")
    assert life.sync().drift_s == pytest.approx(3600, abs=2)
    life.assert_true()
    life.until("2026-10-25T10:00", worn=False)
    for text in ("2026-10-25T21:00", "2026-10-27T09:00"):
        life.until(text)
        life.sync()
        life.assert_true()


def test_a_night_of_sleep_across_midnight_and_the_change(begin: Begin) -> None:
    """It keeps its length, and the morning's date does not overwrite the evening's."""
    life = begin("Europe/Berlin", "2026-10-24T20:00")
    phases = ((SleepStage.LIGHT, 90), (SleepStage.DEEP, 60), (SleepStage.REM, 30)) * 3
    for evening in ("2026-10-24T23:30", "2026-10-25T23:30"):
        start = datetime.fromisoformat(evening).replace(tzinfo=UTC)
        life.watch.memory.nights.append(SleepMemory(int(start.timestamp()), phases, 80))
    for text in ("2026-10-25T09:30", "2026-10-26T10:00"):
        life.until(text, worn=False)
        life.sync()
    contents = life.bench.contents()
    nights = [(row[1], row[2]) for row in contents["sleep_summary"]]
    berlin = ZoneInfo("Europe/Berlin")
    assert nights == [
        (int(datetime(2026, 10, day, 23, 30, tzinfo=berlin).timestamp()), 9 * 3600)
        for day in (24, 25)
    ]
    for start, duration_s in nights:
        stages = [row for row in contents["sleep"] if start <= row[1] < start + duration_s]
        assert sum(row[2] for row in stages) == duration_s


# ---- wrong clocks


@pytest.mark.parametrize(
    "shows",
    [
        pytest.param("2026-11-20T03:00", id="five hours behind"),
        pytest.param("2026-11-19T21:47", id="on another day"),
        pytest.param("2000-01-01T00:00", id="as from the factory"),
        pytest.param("1970-01-01T00:00", id="as a computer's from the factory"),
    ],
)
def test_a_clock_that_was_always_wrong(begin: Begin, shows: str) -> None:
    """What it wrote down before it was paired is put right by what it shows at the pairing."""
    life = begin("Europe/Berlin", "2026-11-20T08:00", shows, paired=False)
    life.until("2026-11-20T12:00")
    life.bench.pair(life.watch)
    for text in ("2026-11-20T12:05", "2026-11-20T21:00", "2026-11-21T21:00"):
        life.until(text)
        life.sync()
    life.assert_true()
    assert set(life.qualities()) == {Quality.PROVEN}


def test_a_clock_that_was_always_ahead(begin: Begin) -> None:
    life = begin("Europe/Berlin", "2026-11-20T08:00", "2026-11-20T11:00", paired=False)
    life.until("2026-11-20T12:03")
    life.bench.pair(life.watch)
    life.until("2026-11-20T15:00", worn=False)
    for text in ("2026-11-20T21:00", "2026-11-21T21:00"):
        life.until(text)
        life.sync()
    life.assert_true()


def synced_until_noon(begin: Begin) -> Life:
    life = begin("Europe/Berlin", "2026-11-20T08:00")
    life.until("2026-11-20T12:00")
    life.sync()
    life.until("2026-11-20T15:00")
    return life


def assert_nothing_lost(life: Life, before: dict[int, int]) -> None:
    """After a change at an unknown moment: all is there once, and marked."""
    found = life.stored()
    assert before.items() <= found.items(), "what was read before stays as it is"
    assert sorted(found.values()) == sorted(life.truth.values())
    assert Quality.UNCERTAIN_CLOCK in life.qualities()
    assert [stretch.sure for stretch in life.stretches()] == [True, False, True]


def assert_sure_again(life: Life, since: str) -> None:
    moment = datetime.fromisoformat(since).replace(tzinfo=life.bench.zone).timestamp()
    later = {at: bpm for at, bpm in life.truth.items() if at > moment}
    assert later
    assert later == {at: bpm for at, bpm in life.stored().items() if at > moment}
    assert len(life.stored()) == len(life.truth)


def test_a_clock_that_somebody_else_sets_forward(begin: Begin) -> None:
    """When that was is not known: the readings since the last sync are kept, and marked."""
    life = synced_until_noon(begin)
    before = life.stored()
    life.somebody_sets("2026-11-20T18:00")
    life.until("2026-11-20T18:30")
    assert life.sync().drift_s == pytest.approx(3 * 3600, abs=2)
    assert_nothing_lost(life, before)
    life.until("2026-11-20T21:30", worn=False)
    for text in ("2026-11-21T21:00", "2026-11-22T21:00"):
        life.until(text)
        life.sync()
    assert_sure_again(life, "2026-11-20T21:30")


def test_a_clock_that_somebody_else_sets_back(begin: Begin) -> None:
    life = synced_until_noon(begin)
    before = life.stored()
    life.somebody_sets("2026-11-20T13:00")
    life.until("2026-11-20T17:00", worn=False)
    life.until("2026-11-20T18:30")
    assert life.sync().drift_s == pytest.approx(-2 * 3600, abs=2)
    assert_nothing_lost(life, before)
    for text in ("2026-11-21T21:00", "2026-11-22T21:00"):
        life.until(text)
        life.sync()
    assert_sure_again(life, "2026-11-20T18:30")


def test_a_drift_of_seconds_is_put_right_and_moves_nothing(begin: Begin) -> None:
    life = begin("Europe/Berlin", "2026-11-20T08:00")
    life.until("2026-11-20T12:00")
    life.somebody_sets("2026-11-20T12:00:50")
    assert life.sync().drift_s == pytest.approx(50, abs=2)
    assert len(life.stretches()) == 1
    life.until("2026-11-20T18:00")
    assert abs(life.sync().drift_s or 0) <= 1
    life.assert_true()
