"""From times and values of a record to neutral series."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, compress, islice
from operator import lt
from typing import Final

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.wall_time import DAY_S, LONGEST_DAY_S
from firmware_protocol.samples import Decoded, Quality, Series, Value

_NO_READING: Final = (0x00, 0xFF)


@dataclass(frozen=True, slots=True)
class TimedValues:
    """Items `{offset u8, value u8}` of one day, and what a value may be.

    `allowed` has a byte for each possible value, 1 where it is a reading.
    """

    metric: str
    column: str
    unit_s: int
    allowed: bytes
    quality: Quality

    def series(self, day_s: int, start: int, items: bytes, clock: WatchClock) -> Decoded:
        """Return the readings with their times; `start` counts in units from `day_s`.

        Raises:
            DecodeError: the record starts outside its day.
        """
        if not 0 <= start * self.unit_s <= DAY_S:
            raise DecodeError("the record starts outside its day")
        start_s = day_s + start * self.unit_s
        offsets, values = items[0::2], items[1::2]
        passed, room = sum(offsets), (day_s + LONGEST_DAY_S - start_s) // self.unit_s
        remarks = []
        if passed > room:
            fitting = bisect_right(list(accumulate(offsets)), room)
            remarks.append(f"{len(values) - fitting} items run past the day and were left out")
            offsets, values = offsets[:fitting], values[:fitting]
            passed = sum(offsets)
        chosen = values.translate(self.allowed)
        readings = chosen.count(1)
        out_of_range = len(values) - readings - sum(values.count(none) for none in _NO_READING)
        if out_of_range:
            remarks.append(f"{out_of_range} values were out of range and were left out")
        if not readings:
            return Decoded((), tuple(remarks))
        times, rising = self._times(start_s, offsets, passed, chosen, clock)
        columns = {self.column: list(values.translate(None, _refused(self.allowed)))}
        build = Series if rising else unique_series
        return Decoded((build(self.metric, times, columns, self.quality),), tuple(remarks))

    def _times(
        self, start_s: int, offsets: bytes, passed: int, chosen: bytes, clock: WatchClock
    ) -> tuple[list[int], bool]:
        """Return the UTC seconds of the chosen items, and whether they are sure to rise.

        Where the clock stood, its offset goes in at the start and costs nothing per item.
        """
        steps = offsets if self.unit_s == 1 else [offset * self.unit_s for offset in offsets]
        begin_s, end_s = start_s + steps[0], start_s + passed * self.unit_s
        steady = clock.steady_offset_s(begin_s, end_s)
        all_times = accumulate(islice(steps, 1, None), initial=begin_s - (steady or 0))
        times = list(compress(all_times, chosen) if 0 in chosen else all_times)
        if steady is None:
            return clock.all_utc_s(times), False
        return times, 0 not in offsets[1:]


@lru_cache(maxsize=16)
def _refused(allowed: bytes) -> bytes:
    """Return the values that a table has no 1 for."""
    return bytes(value for value in range(256) if not allowed[value])


def allowed_values(first: int, last: int) -> bytes:
    """Return the table for `TimedValues.allowed` of a range, both ends included."""
    return bytes(first <= value <= last for value in range(256))


def unique_series(
    metric: str,
    start_utc_s: Sequence[int],
    columns: Mapping[str, Sequence[Value]],
    quality: Quality = Quality.PROVEN,
) -> Series:
    """Build a series; of samples at one time the last counts."""
    if all(map(lt, start_utc_s, islice(start_utc_s, 1, None))):
        return Series(metric, start_utc_s, columns, quality)
    rows = sorted({time: row for row, time in enumerate(start_utc_s)}.values())
    kept = {name: [values[row] for row in rows] for name, values in columns.items()}
    return Series(metric, [start_utc_s[row] for row in rows], kept, quality)
