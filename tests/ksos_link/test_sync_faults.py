"""Every fault of the link at every packet of a sync: afterwards the store is as without it.

The sync goes over bumble with a clock that jumps (see `conftest.py`), so that time-outs are real
ones and cost nothing. A sync that ends with an error is run again, as a person would.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol import registry
from ksos_link.errors import KsosError
from ksos_link.operations.sync import SyncReport

if TYPE_CHECKING:
    from tests.ksos_link.conftest import SyncBench, WornWatch

pytestmark = [pytest.mark.gatt, pytest.mark.slow]
TRIES = 3  # of a person who runs the same command again
RECORD_CRC = ("record_crc",)
LEGACY = ("legacy",)
COMMAND_NOTIFY = "0af7"
V3_MARK = b"\x33"
WORKOUT = "ido.health.workout.start.reply"


class Trial:
    """A home with a paired watch that comes back as new, and what a good sync puts into it."""

    def __init__(self, bench: "SyncBench", template: Path, options: Iterable[str] = ()) -> None:
        self._bench = bench
        self._template = template
        self._options = tuple(options)
        bench.pair(bench.watch(options=self._options))
        shutil.copytree(bench.stores.home.folder, template)
        watch = bench.watch(options=self._options)
        assert isinstance(bench.sync(watch)[-1], SyncReport)
        self.notified, self.written = watch.noted.notified, watch.noted.written
        self.good = bench.contents()

    def with_fault(self, fault: str) -> dict[str, Any]:
        """What the store holds after a sync with that fault, and as many more as it takes."""
        home = self._bench.stores.home.folder
        shutil.rmtree(home)
        shutil.copytree(self._template, home)
        sync_as_a_person_does(self._bench, self._bench.watch(fault, options=self._options))
        return self._bench.contents()

    def differing(self, kind: str, indices: Iterable[int]) -> list[int]:
        """Where that kind of fault leaves the store other than a good sync does."""
        return [n for n in indices if self.with_fault(f"{kind}@{n}") != self.good]

    def records(self) -> list[int]:
        """Which notifications belong to records."""
        return [
            index
            for index in range(len(self.notified))
            if (message := self.message(index))
            and message.startswith("ido.health.")
            and message.endswith(".start.reply")
        ]

    def message(self, index: int) -> str | None:
        """Which message a notification belongs to."""
        inspector = registry.FAMILIES[0].open_inspector()
        for line, data in enumerate(self.notified):
            inspector.feed(line, "RX", COMMAND_NOTIFY, data)
        return inspector.finish()[index].message


def sync_as_a_person_does(bench: "SyncBench", watch: "WornWatch") -> None:
    for attempt in range(1, TRIES + 1):
        try:
            events = bench.sync(watch)
        except KsosError:
            if attempt == TRIES:
                raise
        else:
            assert isinstance(events[-1], SyncReport)
            return


MakeTrial = Callable[..., Trial]


@pytest.fixture
def trial(sync_bench: "SyncBench", tmp_path: Path) -> MakeTrial:
    return lambda options=(): Trial(sync_bench, tmp_path / "template", options)


def test_the_sync_is_short_and_has_everything_in_it(trial: MakeTrial) -> None:
    found = trial()
    assert 30 <= len(found.notified) <= 60
    records = {message for index in range(len(found.notified)) if (message := found.message(index))}
    assert {f"ido.health.{kind}.start.reply" for kind in ("workout", "sleep", "steps")} <= records
    chunks = [data for data in found.notified if data[:1] == b"\x33" and data[1:3] != b"\xda\xad"]
    assert len(chunks) >= 2, "one record comes in several notifications"
    assert {"heart_rate", "steps", "sleep", "workout"} <= {
        metric for metric, rows in found.good.items() if rows
    }
    assert len(found.good["raw"]) == 7


@pytest.mark.parametrize("kind", ["lose", "drop", "delay", "duplicate", "reboot"])
def test_a_fault_at_every_notification(trial: MakeTrial, kind: str) -> None:
    found = trial()
    assert found.differing(kind, range(len(found.notified))) == []


def test_another_sequence_number_in_every_answer_that_has_one(trial: MakeTrial) -> None:
    found = trial()
    v3 = [index for index, data in enumerate(found.notified) if data[:1] == V3_MARK]
    assert found.differing("wrong-sequence", v3) == []


def test_a_link_lost_before_every_write(trial: MakeTrial) -> None:
    found = trial()
    assert found.differing("lose-write", range(len(found.written))) == []


def test_a_check_value_on_records_finds_every_flipped_bit(trial: MakeTrial) -> None:
    """The flipped bits of classic frames, which have no check value, meet nothing of weight."""
    found = trial(RECORD_CRC)
    assert found.differing("corrupt", range(len(found.notified))) == []


def test_a_check_value_on_records_finds_chunks_that_changed_places(trial: MakeTrial) -> None:
    found = trial(RECORD_CRC)
    workout = [at for at in found.records() if found.message(at) == WORKOUT]
    assert len(workout) >= 3
    assert found.differing("reorder", workout) == []


def test_what_the_wire_of_an_a200_cannot_show(trial: MakeTrial) -> None:
    """Its record replies carry no check value (ido.md 6.1, P).

    So two chunks of one record that change places go unseen, and so does a flipped bit, unless it
    breaks the sums of a step day or of a night. Bluetooth itself does neither: its link layer has
    a CRC of its own and keeps the order.
    """
    found = trial()
    swapped = found.differing("reorder", range(len(found.notified)))
    assert {found.message(index) for index in swapped} == {WORKOUT}
    assert len(swapped) == 2, "the middle chunk with the last, and the last with the next answer"
    flipped = {found.message(index) for index in found.differing("corrupt", found.records())}
    assert flipped == {
        f"ido.health.{kind}.start.reply" for kind in ("workout", "sleep", "steps", "heart_rate")
    }


def test_late_notifications_of_a_watch_without_v3(trial: MakeTrial) -> None:
    """Its packets have no sequence numbers; what comes too late must not be taken for another."""
    found = trial(LEGACY)
    assert {kind for _, kind, *_ in found.good["raw"]} == {
        f"legacy.{kind}" for kind in ("steps", "sleep", "heart_rate")
    }
    assert found.differing("delay", range(len(found.notified))) == []


def test_a_pairing_that_is_disturbed_anywhere_can_be_done_again(
    sync_bench: "SyncBench",
) -> None:
    undisturbed = sync_bench.watch(bound=False)
    sync_bench.pair(undisturbed)
    packets = {
        "lose": len(undisturbed.noted.notified),
        "drop": len(undisturbed.noted.notified),
        "lose-write": len(undisturbed.noted.written),
    }
    for kind, count in packets.items():
        assert count > 5
        for index in range(count):
            shutil.rmtree(sync_bench.stores.home.folder)
            watch = sync_bench.watch(f"{kind}@{index}", bound=False)
            with contextlib.suppress(KsosError):
                sync_bench.pair(watch)
            paired = sync_bench.pair(watch)
            assert (paired.device.alias, paired.info.product) == ("wrist", "Band 8")
            with sync_bench.stores.open() as store:
                assert len(store.devices()) == 1
                assert len(store.clock_stretches(paired.device.device_id)) == 1
