"""Local time as it was lived: the offset of each sample, and how long it holds."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from firmware_protocol.clock import ClockStretch
from firmware_protocol.samples import METRICS
from ksos_link.export.cells import exported_columns, offset_stretches
from ksos_link.operations.export_source import StoreSource
from ksos_link.operations.read_out import Span
from ksos_link.store.database import Store
from ksos_link.store.devices import Device

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench

DAY_S = 86_400


def utc_s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def source(store: Store) -> StoreSource:
    return StoreSource(store, [METRICS["heart_rate"]], None, Span())


def synced_in(store: Store, watch: Device, zone: str, at: str) -> None:
    store.add_clock(watch.device_id, (ClockStretch(0, 0),), utc_s(at), zone)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
def test_every_minute_of_the_days_of_a_change_has_its_own_offset(
    bench: "StoreBench", zone: str
) -> None:
    with bench.open() as store:
        watch = bench.add_watch(store, "w")
        synced_in(store, watch, zone, "2030-01-01T00:00")
        ours = source(store)
        for first in ("1988-04-02T12:00", "2010-10-30T12:00", "2026-03-28T12:00"):
            start = utc_s(first)
            for at in range(start, start + 10 * DAY_S, 60):
                offset = datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()
                assert offset is not None
                assert ours.utc_offset_s("w", at) == offset.total_seconds()
                told, until = ours.utc_offset_until("w", at)
                assert until > at
                last = datetime.fromtimestamp(until - 1, ZoneInfo(zone)).utcoffset()
                assert (told, last) == (offset.total_seconds(), offset)


def test_a_zone_is_that_of_the_next_sync_even_there_and_back_within_a_day(
    bench: "StoreBench",
) -> None:
    with bench.open() as store:
        watch = bench.add_watch(store, "w")
        synced_in(store, watch, "Europe/Berlin", "2026-11-20T08:07:11")
        synced_in(store, watch, "Europe/London", "2026-11-20T12:00:00")
        synced_in(store, watch, "Europe/Berlin", "2026-11-20T20:00:00")
        day = utc_s("2026-11-20T00:00:00")
        beats = {day + hour * 3600 + 431: 60 for hour in range(24)}
        bench.commit(store, watch, "day", beats)
        # the beat of 08:07:11 is still of Berlin; `commit` keeps a clock of Berlin from long before
        ours = source(store)
        (page,) = ours.pages("heart_rate")
        stretches = offset_stretches(ours, page)
        assert [offset for offset, _ in stretches] == [3600, 0, 3600]
        assert [until for _, until in stretches[:2]] == [
            utc_s("2026-11-20T08:07:12"),
            utc_s("2026-11-20T12:00:01"),
        ]
        local = exported_columns(ours, METRICS["heart_rate"], page)[2]
        assert [str(text)[19:] for text in local] == [
            "+00:00" if 8 < hour < 12 else "+01:00" for hour in range(24)
        ]
        for text, at in zip(local, beats, strict=True):
            assert datetime.fromisoformat(str(text)).timestamp() == at


def test_a_watch_without_any_clock_was_worn_here(
    bench: "StoreBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ksos_link.operations.export_source.get_localzone", lambda: ZoneInfo("Asia/Tokyo")
    )
    with bench.open() as store:
        bench.add_watch(store, "w")
        for at in (-1, 0, utc_s("2026-11-20T12:00"), utc_s("2099-12-31T23:59:59")):
            assert source(store).utc_offset_s("w", at) == 9 * 3600
