"""Raw records, samples and watermarks: written together, replaced together, derived again."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.samples import METRICS, Decoded, Quality, Series
from ksos_link.errors import NotFoundError
from ksos_link.store.clocks import ClockSnapshot
from ksos_link.store.devices import Device

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench


NOW = 1_700_000_000


def test_a_record_is_stored_with_its_samples_and_watermark(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store, "wrist")
        assert bench.commit(store, device, "day", {10: 60, 20: 61}, "7") == {"heart_rate": 2}
        assert bench.rows(store) == [("wrist", 10, 60, 0), ("wrist", 20, 61, 0)]
        mark = Watermark("health.heart_rate", "7")
        assert store.watermarks(device.device_id) == {mark.kind: mark}
    with bench.open() as store:
        assert bench.rows(store) == [("wrist", 10, 60, 0), ("wrist", 20, 61, 0)]


def test_storing_twice_changes_nothing_but_the_watermark(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store)
        bench.commit(store, device, "day", {10: 60, 20: 61}, "7")
        before = store.database.rows("SELECT * FROM raw_record")
        assert bench.commit(store, device, "day", {10: 60, 20: 61}, "8") == {}
        assert store.database.rows("SELECT * FROM raw_record") == before
        assert store.counts() == {"heart_rate": 2}
        assert store.watermarks(device.device_id)["health.heart_rate"].position == "8"


def test_a_longer_reply_replaces_the_record_and_counts_what_is_new(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store)
        bench.commit(store, device, "day", {10: 60, 20: 61})
        assert bench.commit(store, device, "day", {10: 60, 20: 70, 30: 62}) == {"heart_rate": 1}
        assert [row[1:3] for row in bench.rows(store)] == [(10, 60), (20, 70), (30, 62)]
        assert store.info().raw_records == 1


def test_the_same_body_read_by_another_clock_replaces_its_samples(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store)
        bench.commit(store, device, "day", {10: 60})
        record = RawRecord("ido", "health.heart_rate", "day", b"10:60", 1)
        decoded = Decoded((Series("heart_rate", [3610], {"bpm": [60]}),))
        other = bench.clock(store, device, NOW + 1)
        store.commit_record(device.device_id, record, decoded, (), other, NOW)
        assert [row[1] for row in bench.rows(store)] == [3610]


def test_two_watches_in_the_same_minute_are_both_kept(bench: "StoreBench") -> None:
    with bench.open() as store:
        left, right = bench.add_watch(store, "left"), bench.add_watch(store, "right")
        bench.commit(store, left, "day", {10: 60})
        bench.commit(store, right, "day", {10: 80})
        assert bench.rows(store) == [("left", 10, 60, 0), ("right", 10, 80, 0)]
        assert store.counts() == {"heart_rate": 2}
        assert store.counts(left.device_id) == {"heart_rate": 1}


def test_a_record_with_several_series_and_absent_values(bench: "StoreBench") -> None:
    columns: dict[str, list[int | None]] = {
        "duration_s": [60, 60],
        "intensity": [None, 2],
        "active_min": [None, None],
        "active_energy_kcal": [None, None],
        "energy_kcal": [None, None],
        "distance_m": [5, 0],
    }
    series = (
        Series("activity", [0, 60], columns, Quality.PROVISIONAL),
        Series("heart_rate", [], {"bpm": []}),
        Series("heart_rate", [30], {"bpm": [61]}),
        Series("heart_rate", [5], {"bpm": [62]}),
    )
    with bench.open() as store:
        device = bench.add_watch(store, "w")
        clock_id = bench.clock(store, device)
        record = RawRecord("ido", "health.day", "1", b"x", 1)
        gained = store.commit_record(
            device.device_id, record, Decoded(series), (), clock_id, NOW, verified=False
        )
        assert gained == {"activity": 2, "heart_rate": 2}
        assert bench.rows(store, "activity") == [
            ("w", 0, 60, None, None, None, None, 5, 1),
            ("w", 60, 60, 2, None, None, None, 0, 1),
        ]
        newer = RawRecord("ido", "health.day", "1", b"y", 1)
        store.commit_record(device.device_id, newer, Decoded(()), (), clock_id, NOW)
        assert store.counts() == {}
        assert store.check() == []


def test_columns_of_unequal_length_store_nothing(bench: "StoreBench") -> None:
    with bench.open() as store:
        device = bench.add_watch(store)
        clock_id = bench.clock(store, device)
        record = RawRecord("ido", "health.heart_rate", "1", b"x", 1)
        bad = Decoded((Series("heart_rate", [1, 2], {"bpm": [60]}),))
        with pytest.raises(ValueError, match="length"):
            store.commit_record(
                device.device_id, record, bad, (Watermark("k", "1"),), clock_id, NOW
            )
        assert store.info().raw_records == 0
        assert store.watermarks(device.device_id) == {}


def test_many_records_go_in_one_transaction(
    bench: "StoreBench", decode: Callable[..., Decoded]
) -> None:
    records = [RawRecord("ido", "hr", str(day), f"{day}:60".encode(), 1) for day in range(3)]
    with bench.open() as store:
        device = bench.add_watch(store)
        clock_id = bench.clock(store, device)
        gained = store.commit_records(
            device.device_id,
            ((record, decode(record)) for record in records),
            (Watermark("hr", "3"),),
            clock_id,
            NOW,
        )
        assert gained == {"heart_rate": 3}

        def broken() -> Iterator[tuple[RawRecord, Decoded]]:
            yield records[0], decode(records[0])
            yield RawRecord("ido", "hr", "9", b"9:99", 1), decode(records[1])
            raise DecodeError("later")

        with pytest.raises(DecodeError):
            store.commit_records(device.device_id, broken(), (), clock_id, NOW)
        assert store.info().raw_records == 3


def test_watermarks_are_set_and_cleared_per_watch(bench: "StoreBench") -> None:
    with bench.open() as store:
        one, two = bench.add_watch(store), bench.add_watch(store)
        store.set_watermarks(one.device_id, (Watermark("a", "1"), Watermark("b", "2")))
        store.set_watermarks(two.device_id, (Watermark("a", "3"),))
        store.set_watermarks(one.device_id, (Watermark("a", "4"),))
        assert {k: m.position for k, m in store.watermarks(one.device_id).items()} == {
            "a": "4",
            "b": "2",
        }
        store.clear_watermarks(one.device_id)
        assert store.watermarks(one.device_id) == {}
        assert store.watermarks(two.device_id)["a"].position == "3"


def test_reading_is_by_range_watch_and_chunk(bench: "StoreBench") -> None:
    with bench.open() as store:
        device, other = bench.add_watch(store, "a"), bench.add_watch(store, "b")
        bench.commit(store, device, "day", {start: 60 + start for start in range(10)})
        bench.commit(store, other, "day", {5: 99})
        chunks = list(
            store.read(
                "heart_rate",
                device_id=device.device_id,
                start_utc_s=2,
                end_utc_s=7,
                chunk_rows=2,
            )
        )
        assert [len(chunk) for chunk in chunks] == [2, 2, 1]
        assert [row[1] for chunk in chunks for row in chunk] == [2, 3, 4, 5, 6]
        assert store.latest("heart_rate", device.device_id) == ("a", 9, 69, 0)
        assert store.latest("spo2", device.device_id) is None
        with pytest.raises(NotFoundError):
            list(store.read("blood"))
        with pytest.raises(NotFoundError):
            store.latest("heart_rate; DROP TABLE device", device.device_id)


def test_each_metric_has_the_table_that_its_page_says(bench: "StoreBench") -> None:
    with bench.open() as store:
        for metric in METRICS.values():
            columns = {
                name: (kind.lower(), bool(not_null))
                for _, name, kind, not_null, _, _ in store.database.rows(
                    f"PRAGMA table_info({metric.name})"
                )
            }
            wanted = dict.fromkeys(("device_id", "start_utc_s", "raw_id"), ("integer", True))
            if metric.interval:
                wanted["duration_s"] = ("integer", True)
            wanted |= {c.name: (c.kind, not c.nullable) for c in metric.columns}
            wanted["quality"] = ("integer", True)
            assert columns == wanted, metric.name


BEATS = st.dictionaries(st.integers(0, 12), st.integers(30, 220), max_size=6)
COMMITS = st.lists(st.tuples(st.sampled_from("abcd"), BEATS), max_size=12)


def test_any_sequence_of_commits_reads_as_the_model_says_and_redecodes_the_same(
    bench: "StoreBench", decode: Callable[..., Decoded]
) -> None:
    with bench.open() as store:

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(COMMITS)
        def run(commits: list[tuple[str, dict[int, int]]]) -> None:
            device = bench.add_watch(store)
            model: dict[str, dict[int, int]] = {}
            for key, beats in commits:
                bench.commit(store, device, key, beats)
                if model.get(key) != beats:
                    model.pop(key, None)  # a replaced record counts as the latest
                    model[key] = beats
            wanted: dict[int, int] = {}
            for beats in model.values():
                wanted.update(beats)
            assert view(device) == wanted
            assert store.counts(device.device_id).get("heart_rate", 0) == len(wanted)
            store.redecode(decode)
            assert view(device) == wanted
            assert store.check() == []

        def view(device: Device) -> dict[object, object]:
            chunks = store.read("heart_rate", device_id=device.device_id)
            return {row[1]: row[2] for chunk in chunks for row in chunk}

        run()


def test_redecode_gives_each_record_the_clock_it_was_read_by(bench: "StoreBench") -> None:
    seen: list[tuple[Any, ...]] = []

    def remember(record: RawRecord, clock: ClockSnapshot, verified: bool) -> Decoded:
        seen.append((record, clock.now_utc_s, clock.zone_name, clock.stretches, verified))
        return Decoded((Series("spo2", [record.body[0]], {"spo2_pct": [97]}),))

    with bench.open() as store:
        device = bench.add_watch(store)
        for number, verified in enumerate((True, False)):
            record = RawRecord("ido", "health.spo2", str(number), bytes([number]), 3)
            clock_id = bench.clock(store, device, NOW + number)
            store.commit_record(
                device.device_id, record, Decoded(()), (), clock_id, NOW, verified=verified
            )
        result = store.redecode(remember)
        assert (result.records, result.unreadable) == (2, 0)
        assert [(r.body, now, v) for r, now, _, _, v in seen] == [
            (b"\x00", NOW, True),
            (b"\x01", NOW + 1, False),
        ]
        assert seen[0][2] == "Europe/Berlin"
        assert store.counts() == {"spo2": 2}


def test_redecode_keeps_what_it_cannot_read_and_changes_nothing_when_it_breaks(
    bench: "StoreBench",
) -> None:
    def refuses(record: RawRecord, clock: ClockSnapshot, verified: bool) -> Decoded:
        raise DecodeError("no longer understood")

    def breaks(record: RawRecord, clock: ClockSnapshot, verified: bool) -> Decoded:
        if record.key == "b":
            raise ZeroDivisionError
        return Decoded(())

    with bench.open() as store:
        device = bench.add_watch(store)
        bench.commit(store, device, "a", {1: 60})
        bench.commit(store, device, "b", {2: 61})
        result = store.redecode(refuses)
        assert (result.records, result.unreadable) == (2, 2)
        assert store.counts() == {"heart_rate": 2}
        with pytest.raises(ZeroDivisionError):
            store.redecode(breaks)
        assert store.counts() == {"heart_rate": 2}
