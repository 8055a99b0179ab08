"""Watches and their clocks."""

from typing import TYPE_CHECKING

import pytest

from firmware_protocol.clock import ClockStretch
from ksos_link.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench


def test_a_watch_is_found_by_alias_or_address_in_any_case(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "Left")
        assert store.device("left") == device
        assert store.device(device.address.lower()) == device
        assert device.last_sync_utc_s is None
        store.note_sync(device.device_id, 1234)
        assert store.device("Left").last_sync_utc_s == 1234


def test_an_unknown_watch_names_those_there_are(bench: "StoreBench") -> None:
    with bench.open() as store:
        with pytest.raises(NotFoundError) as empty:
            store.device("left")
        assert "pair" in empty.value.hint.lower()
        bench.add_watch(store, "right")
        with pytest.raises(NotFoundError) as found:
            store.device("left")
        assert "right" in found.value.hint


def test_a_name_belongs_to_one_watch(bench: "StoreBench") -> None:
    with bench.open() as store:
        one, two = bench.add_watch(store, "one"), bench.add_watch(store, "two")
        with pytest.raises(UsageError):
            bench.add_watch(store, "ONE")
        with pytest.raises(UsageError):
            store.rename_device(two.device_id, "one")
        store.rename_device(one.device_id, "One")  # its own name, written differently
        store.rename_device(two.device_id, "zwei")
        assert [device.alias for device in store.devices()] == ["One", "zwei"]


def test_a_watch_that_comes_back_gets_its_data_back(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "old")
        bench.commit(store, device, "day", {10: 60})
        store.forget_device(device.device_id, keep_data=True)
        assert store.devices() == []
        assert store.device("old").forgotten
        assert store.counts() == {"heart_rate": 1}
        with pytest.raises(UsageError, match="forgotten"):
            bench.add_watch(store, "old")
        back = store.add_device(
            alias="new", address=device.address.lower(), family="ido", product="x", bound_utc_s=9
        )
        assert (back.device_id, back.forgotten) == (device.device_id, False)
        assert bench.rows(store)[0][0] == "new"


def test_forgetting_with_the_data_leaves_nothing(bench: "StoreBench") -> None:
    with bench.open() as store:
        gone, kept = bench.add_watch(store, "gone"), bench.add_watch(store, "kept")
        for device in (gone, kept):
            bench.commit(store, device, "day", {10: 60})
            store.add_clock_stretch(device.device_id, ClockStretch(0, 3600))
        store.forget_device(gone.device_id, keep_data=False)
        assert [row[0] for row in bench.rows(store)] == ["kept"]
        assert store.watermarks(gone.device_id) == {}
        assert store.clock_stretches(gone.device_id) == ()
        assert store.info().raw_records == 1
        assert store.check() == []


def test_stretches_come_back_in_order_and_snapshots_as_they_were(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store)
        assert store.clock_stretches(device.device_id) == ()
        stretches = (
            ClockStretch(0, 3600),
            ClockStretch(500, 7200, sure=False),
            ClockStretch(500, 0),
        )
        for stretch in stretches:
            store.add_clock_stretch(device.device_id, stretch)
        assert store.clock_stretches(device.device_id) == stretches
        clock_id = store.add_clock(device.device_id, stretches, 900, None)
        assert store.add_clock(device.device_id, stretches, 900, None) == clock_id
        assert store.add_clock(device.device_id, stretches, 901, None) != clock_id
        snapshot = store.clock(clock_id)
        assert (snapshot.stretches, snapshot.now_utc_s, snapshot.zone_name) == (
            stretches,
            900,
            None,
        )
