"""Type 03 heart rate through a day (ido.md 7.5, L)."""

from collections.abc import Mapping
from typing import ClassVar, Final, NamedTuple

import construct as c

from firmware_protocol.clock import WatchClock
from firmware_protocol.families.ido.health.headed import (
    HeadedRecord,
    HeadLayout,
    column,
    interleaved,
)
from firmware_protocol.families.ido.health.series import TimedValues, allowed_values
from firmware_protocol.families.ido.health.wall_time import day_wall_s
from firmware_protocol.samples import Decoded, Quality, Series

_LOWEST_BPM: Final = 30
_HIGHEST_BPM: Final = 220
BPM_ALLOWED: Final = allowed_values(_LOWEST_BPM, _HIGHEST_BPM)
_BPM: Final = TimedValues("heart_rate", "bpm", 1, BPM_ALLOWED, Quality.PROVEN)


class HeartRateHead(NamedTuple):
    """`start_time_s` counts from midnight; each zone has its threshold and its minutes."""

    year: int
    month: int
    day: int
    start_time_s: int
    data_type: int
    resting_bpm: int
    warm_up_bpm: int
    warm_up_min: int
    fat_burn_bpm: int
    fat_burn_min: int
    aerobic_bpm: int
    aerobic_min: int
    anaerobic_bpm: int
    anaerobic_min: int
    extreme_bpm: int
    extreme_min: int
    items_bytes: int


class HeartRateDay(HeadedRecord[HeartRateHead]):
    """A day of `{offset u8 s, bpm u8}`; head 29 bytes on A200, 32 on ID208 (ido.md 7.5, L)."""

    __slots__ = ()
    LAYOUT: ClassVar = HeadLayout(
        HeartRateHead._make,
        "year" / c.Int16ul,
        "month" / c.Int8ul,
        "day" / c.Int8ul,
        "start_time_s" / c.Int32sl,
        "data_type" / c.Int8ul,
        "resting_bpm" / c.Int8ul,
        "warm_up_bpm" / c.Int8ul,
        "warm_up_min" / c.Int16ul,
        "fat_burn_bpm" / c.Int8ul,
        "fat_burn_min" / c.Int16ul,
        "aerobic_bpm" / c.Int8ul,
        "aerobic_min" / c.Int16ul,
        "anaerobic_bpm" / c.Int8ul,
        "anaerobic_min" / c.Int16ul,
        "extreme_bpm" / c.Int8ul,
        "extreme_min" / c.Int16ul,
        "items_bytes" / c.Int32ul,
    )

    def adds_up(self) -> bool:
        """Tell whether the header announces as many bytes of items as there are."""
        return self.head.items_bytes == len(self.items)

    def item_fields(self) -> dict[str, object]:
        """Return the two columns."""
        return {"offsets_s": list(self.items[0::2]), "bpm": list(self.items[1::2])}

    @classmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""
        return interleaved(column(fields, "offsets_s"), column(fields, "bpm"))


def heart_rate_samples(record: HeartRateDay, clock: WatchClock) -> Decoded:
    """Return the readings, and the resting heart rate at the day's local midnight.

    `FF 00` only passes time; 0 is no reading; what is outside 30 to 220 is left out.

    Raises:
        DecodeError: the header holds no date, or starts outside its day.
    """
    head = record.head
    day_s = day_wall_s(head.year, head.month, head.day)
    decoded = _BPM.series(day_s, head.start_time_s, record.items, clock)
    if not BPM_ALLOWED[head.resting_bpm]:
        return decoded
    resting = Series(
        "resting_heart_rate", [clock.utc_s(day_s)], {"bpm": [head.resting_bpm]}, Quality.PROVEN
    )
    return Decoded((*decoded.series, resting), decoded.remarks)
