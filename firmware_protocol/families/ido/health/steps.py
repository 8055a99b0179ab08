"""Type 08 steps and movement of a day (ido.md 7.9, L)."""

import struct
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import ClassVar, Final, NamedTuple

import construct as c

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.headed import HeadedRecord, HeadLayout, column
from firmware_protocol.families.ido.health.series import unique_series
from firmware_protocol.families.ido.health.wall_time import LONGEST_DAY_S, day_wall_s
from firmware_protocol.samples import Decoded, Series

_ITEM: Final = struct.Struct("<BHBHHH")
_EMPTY_ITEM: Final = bytes(_ITEM.size)
_COLUMNS: Final = ("mode", "steps", "active_min", "active_kcal", "distance_m", "total_kcal")


class StepsHead(NamedTuple):
    """Totals of the day and the length of a slot."""

    version: int
    year: int
    month: int
    day: int
    start_time_min: int
    minutes_per_item: int
    steps: int
    total_kcal: int
    distance_m: int
    active_min: int
    items: int
    active_kcal: int
    unknown_28: bytes
    goal_hours: int
    unknown_31: bytes


class StepsDay(HeadedRecord[StepsHead]):
    """A day of slots of 10 bytes; head 36 bytes (ido.md 7.9, L; `goal_hours` P)."""

    __slots__ = ()
    ITEM_BYTES: ClassVar = _ITEM.size
    LAYOUT: ClassVar = HeadLayout(
        StepsHead._make,
        "version" / c.Int8ul,
        "year" / c.Int16ul,
        "month" / c.Int8ul,
        "day" / c.Int8ul,
        "start_time_min" / c.Int16ul,
        "minutes_per_item" / c.Int8ul,
        "steps" / c.Int32ul,
        "total_kcal" / c.Int32ul,
        "distance_m" / c.Int32ul,
        "active_min" / c.Int32ul,
        "items" / c.Int16ul,
        "active_kcal" / c.Int16ul,
        "unknown_28" / c.Bytes(2),
        "goal_hours" / c.Int8ul,
        "unknown_31" / c.Bytes(5),
    )

    def item_fields(self) -> dict[str, object]:
        """Return one column per value of a slot."""
        slots = list(_ITEM.iter_unpack(self.items))
        return {f"item_{name}": [slot[at] for slot in slots] for at, name in enumerate(_COLUMNS)}

    @classmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""
        columns = (column(fields, f"item_{name}") for name in _COLUMNS)
        return b"".join(_ITEM.pack(*item) for item in zip(*columns, strict=True))

    def adds_up(self) -> bool:
        """Tell whether the slots give the header's totals (four of four captured days do)."""
        head, slots = self.head, list(_ITEM.iter_unpack(self.items))
        sums = (sum(slot[at] for slot in slots) for at in (1, 3, 4, 5))
        return tuple(sums) == (head.steps, head.active_kcal, head.distance_m, head.total_kcal)

    def only_last_slot(self) -> bool:
        """Tell whether all slots but the last are empty (ido.md 7.3: right after midnight, C)."""
        last = len(self.items) - self.ITEM_BYTES
        return last > 0 and any(self.items[last:]) and not any(self.items[:last])


def steps_samples(record: StepsDay, clock: WatchClock) -> Decoded:
    """Return steps and movement of each slot in which the watch counted anything.

    The last slot of today is still running; a later record of the day replaces it.

    Raises:
        DecodeError: the header holds no date or no length of a slot.
    """
    head = record.head
    slot_s = head.minutes_per_item * 60
    if not slot_s:
        raise DecodeError("the slots have no length")
    day_s = day_wall_s(head.year, head.month, head.day)
    start_s = day_s + head.start_time_min * 60
    fitting = max(0, day_s + LONGEST_DAY_S - start_s) // slot_s
    slots = list(_ITEM.iter_unpack(record.items[: fitting * _ITEM.size]))
    remarks = _remarks(len(record.items) // _ITEM.size - len(slots))
    if not slots:
        return Decoded((), remarks)
    utc_s = _utc_s(range(start_s, start_s + slot_s * len(slots), slot_s), clock)
    if _EMPTY_ITEM in record.items:  # perhaps astride two items, which costs but does no harm
        counted = list(map(any, slots))
        utc_s, slots = list(compress(utc_s, counted)), list(compress(slots, counted))
    if not slots:
        return Decoded((), remarks)
    mode, steps, active_min, active_kcal, distance_m, total_kcal = zip(*slots, strict=True)
    activity = _series(
        "activity",
        utc_s,
        slot_s,
        {
            "intensity": mode if max(mode) < 4 else [kind if kind < 4 else None for kind in mode],
            "active_min": active_min,
            "active_energy_kcal": active_kcal,
            "energy_kcal": total_kcal,
            "distance_m": distance_m,
        },
    )
    if not any(steps):
        return Decoded((activity,), remarks)
    if not all(steps):
        utc_s, steps = list(compress(utc_s, steps)), tuple(compress(steps, steps))
    return Decoded((_series("steps", utc_s, slot_s, {"steps": steps}), activity), remarks)


def _utc_s(times: range, clock: WatchClock) -> Sequence[int]:
    """Return the slots' UTC seconds; a range costs nothing where the clock stood."""
    steady = clock.steady_offset_s(times[0], times[-1])
    if steady is None:
        return clock.all_utc_s(times)
    return range(times.start - steady, times.stop - steady, times.step)


def _series(
    metric: str, utc_s: Sequence[int], slot_s: int, columns: Mapping[str, Sequence[int | None]]
) -> Series:
    every = {"duration_s": [slot_s] * len(utc_s), **columns}
    return (
        Series(metric, utc_s, every)
        if isinstance(utc_s, range)
        else unique_series(metric, utc_s, every)
    )


def _remarks(left_out: int) -> tuple[str, ...]:
    return (f"{left_out} slots run past the day and were left out",) if left_out else ()
