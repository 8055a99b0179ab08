"""Type 08 steps and movement of a day (ido.md 7.9, L)."""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import ClassVar, Final, NamedTuple

import construct as c

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.headed import HeadedRecord, HeadLayout, column
from firmware_protocol.families.ido.health.series import unique_series
from firmware_protocol.families.ido.health.wall_time import LONGEST_DAY_S, day_wall_s
from firmware_protocol.samples import Decoded, Series

_ITEM: Final = "BHBHHH"
_ITEM_BYTES: Final = 10
_EMPTY_ITEM: Final = bytes(_ITEM_BYTES)
_INTENSITIES: Final = bytes(range(4))
_ACTIVE_MIN: Final = 1  # place among the sums
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
    ITEM_BYTES: ClassVar = _ITEM_BYTES
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
        columns = zip(_COLUMNS, _columns(self.items), strict=True)
        return {f"item_{name}": list(values) for name, values in columns}

    @classmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""
        columns = (column(fields, f"item_{name}") for name in _COLUMNS)
        return b"".join(struct.pack(f"<{_ITEM}", *slot) for slot in zip(*columns, strict=True))

    def adds_up(self) -> bool:
        """Tell whether the slots give the header's totals (four of four captured days do)."""
        head = self.head
        _, *sums = map(sum, _columns(self.items))
        del sums[_ACTIVE_MIN]  # an A200 counts none in its head; older ones may count seconds
        return sums == [head.steps, head.active_kcal, head.distance_m, head.total_kcal]

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
    items = record.items[: fitting * _ITEM_BYTES]
    slots = len(items) // _ITEM_BYTES
    remarks = _remarks(len(record.items) // _ITEM_BYTES - slots)
    if not any(items):
        return Decoded((), remarks)
    utc_s, rises = _utc_s(range(start_s, start_s + slot_s * slots, slot_s), clock)
    if _EMPTY_ITEM in items:  # perhaps astride two slots: then nothing is left out below
        whole = _cutter(slots).unpack(items)
        counted = list(map(_EMPTY_ITEM.__ne__, whole))
        utc_s, items = list(compress(utc_s, counted)), b"".join(compress(whole, counted))
    mode, steps, active_min, active_kcal, distance_m, total_kcal = _columns(items)
    known = not items[::_ITEM_BYTES].translate(None, _INTENSITIES)
    series = Series if rises else unique_series
    activity = series(
        "activity",
        utc_s,
        {
            "duration_s": [slot_s] * len(utc_s),
            "intensity": mode if known else [kind if kind < 4 else None for kind in mode],
            "active_min": active_min,
            "active_energy_kcal": active_kcal,
            "energy_kcal": total_kcal,
            "distance_m": distance_m,
        },
    )
    if not all(steps):
        utc_s, steps = list(compress(utc_s, steps)), tuple(filter(None, steps))
    if not steps:
        return Decoded((activity,), remarks)
    walking = series("steps", utc_s, {"duration_s": [slot_s] * len(steps), "steps": steps})
    return Decoded((walking, activity), remarks)


def _columns(items: bytes) -> list[tuple[int, ...]]:
    """Return one tuple per value of a slot, each by one call for all slots."""
    return [reader.unpack(items) for reader in _readers(len(items) // _ITEM_BYTES)]


@lru_cache(maxsize=128)
def _readers(slots: int) -> tuple[struct.Struct, ...]:
    """Make the formats that pick one value out of each slot and pass over the others."""
    sizes = [struct.calcsize(kind) for kind in _ITEM]
    formats = (
        f"{sum(sizes[:place])}x{kind}{sum(sizes[place + 1 :])}x" for place, kind in enumerate(_ITEM)
    )
    return tuple(struct.Struct("<" + one * slots) for one in formats)


@lru_cache(maxsize=128)
def _cutter(slots: int) -> struct.Struct:
    """Make the format that gives the bytes of each slot."""
    return struct.Struct(f"{_ITEM_BYTES}s" * slots)


def _utc_s(times: range, clock: WatchClock) -> tuple[Sequence[int], bool]:
    """Return the slots' UTC seconds, and whether they are sure to rise.

    Where the clock stood a range costs nothing.
    """
    steady = clock.steady_offset_s(times[0], times[-1])
    if steady is None:
        return clock.all_utc_s(times), False
    return range(times.start - steady, times.stop - steady, times.step), True


def _remarks(left_out: int) -> tuple[str, ...]:
    return (f"{left_out} slots run past the day and were left out",) if left_out else ()
