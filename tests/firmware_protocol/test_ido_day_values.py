"""What the kind of its values says about a day of SpO2 or stress (ido.md 7.4)."""

import struct

import pytest

from firmware_protocol.clock import ClockStretch, WatchClock
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.records import RawRecord

CLOCK = WatchClock((ClockStretch(0, 0),), now_utc_s=2_000_000_000)


@pytest.mark.parametrize("kind", ["health.spo2", "health.spo2_by_second", "health.stress"])
@pytest.mark.parametrize(("data_type", "readings"), [(0, 1), (1, 1), (2, 0)])
def test_pairs_of_highest_and_lowest_are_no_readings(
    kind: str, data_type: int, readings: int
) -> None:
    header = struct.pack("<HBBIBI", 2026, 6, 22, 60, data_type, 2)
    number = 2 if kind == "health.stress" else 1
    body = struct.pack("<BBBHHHIB", 0, number, 1, 0, 1, len(header), 2, 0) + header + b"\x05\x61"
    decoded = FAMILY.samples(RawRecord("ido", kind, "2026-06-22 0", body, 1), CLOCK)
    assert sum(map(len, decoded.series)) == readings
    assert len(decoded.remarks) == 1 - readings
