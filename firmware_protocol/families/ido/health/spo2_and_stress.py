"""Type 01 oxygen saturation and type 02 stress, which share one layout (ido.md 7.4)."""

from collections.abc import Mapping
from typing import ClassVar, Final, NamedTuple

import construct as c

from firmware_protocol.clock import WatchClock
from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.headed import (
    HeadedRecord,
    HeadLayout,
    column,
    interleaved,
)
from firmware_protocol.families.ido.health.series import TimedValues, allowed_values
from firmware_protocol.families.ido.health.wall_time import day_wall_s
from firmware_protocol.samples import Decoded, Quality


class DayValuesHead(NamedTuple):
    """`start_time` and the offsets count minutes, for SpO2 of some watches seconds."""

    year: int
    month: int
    day: int
    start_time: int
    data_type: int
    items_bytes: int


class DayValues(HeadedRecord[DayValuesHead]):
    """A day of `{offset u8, value u8}`; head 13 bytes on A200 (ido.md 7.4, C)."""

    __slots__ = ()
    LAYOUT: ClassVar = HeadLayout(
        DayValuesHead._make,
        "year" / c.Int16ul,
        "month" / c.Int8ul,
        "day" / c.Int8ul,
        "start_time" / c.Int32ul,
        "data_type" / c.Int8ul,
        "items_bytes" / c.Int32ul,
    )

    def adds_up(self) -> bool:
        """Tell whether the header announces as many bytes of items as there are."""
        return self.head.items_bytes == len(self.items)

    def item_fields(self) -> dict[str, object]:
        """Return the two columns."""
        return {"offsets": list(self.items[0::2]), "values": list(self.items[1::2])}

    @classmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""
        return interleaved(column(fields, "offsets"), column(fields, "values"))


_HIGHEST_AND_LOWEST: Final = 2  # data_type

# the unit of SpO2 is known from the vendor only: no captured record holds a reading
SPO2_BY_MINUTE: Final = TimedValues(
    "spo2", "spo2_pct", 60, allowed_values(1, 100), Quality.PROVISIONAL
)
SPO2_BY_SECOND: Final = TimedValues(
    "spo2", "spo2_pct", 1, allowed_values(1, 100), Quality.PROVISIONAL
)
STRESS: Final = TimedValues("stress", "stress_score", 60, allowed_values(1, 100), Quality.PROVEN)


def day_values_samples(record: DayValues, meaning: TimedValues, clock: WatchClock) -> Decoded:
    """Return the readings of a day; 0 and FF are none.

    Raises:
        DecodeError: the items are pairs of highest and lowest, whose layout is open, or the header
            holds no date, or starts outside its day.
    """
    head = record.head
    if head.data_type == _HIGHEST_AND_LOWEST:
        raise DecodeError("pairs of highest and lowest values have no known layout")
    day_s = day_wall_s(head.year, head.month, head.day)
    return meaning.series(day_s, head.start_time, record.items, clock)
