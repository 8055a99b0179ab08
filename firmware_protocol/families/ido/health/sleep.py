"""Type 07 a night or nap (ido.md 7.8, L; stage codes in items P)."""

from collections.abc import Mapping
from itertools import accumulate
from typing import ClassVar, Final, NamedTuple, Self

import construct as c

from firmware_protocol.clock import WatchClock
from firmware_protocol.families.ido.health.headed import (
    HeadedRecord,
    HeadLayout,
    column,
    interleaved,
)
from firmware_protocol.families.ido.health.wall_time import moment_wall_s
from firmware_protocol.samples import Decoded, Quality, Series, SleepStage

_WITHOUT_REM: Final = (4, 6)  # data_type plain, and nap without REM
_STAGES: Final = frozenset(int(stage) for stage in SleepStage)  # the wire's codes are ours (V)


class SleepHead(NamedTuple):
    """When, how long in which stage, and in how many phases."""

    version: int
    data_type: int
    asleep_year: int
    asleep_month: int
    asleep_day: int
    asleep_hour: int
    asleep_minute: int
    up_year: int
    up_month: int
    up_day: int
    up_hour: int
    up_minute: int
    total_min: int
    awake_min: int
    light_min: int
    rem_min: int
    deep_min: int
    awake_phases: int
    light_phases: int
    rem_phases: int
    deep_phases: int
    breathing_quality_raw: int
    sleep_score: int
    items: int


class SleepRecord(HeadedRecord[SleepHead]):
    """A night with its phases; head 40 bytes (ido.md 7.8, L; `breathing_quality_raw` P).

    Phases are `{stage u8, minutes u8}`: item size 2 follows from published sizes. Items of another
    size are kept whole.
    """

    __slots__ = ()
    LAYOUT: ClassVar = HeadLayout(
        SleepHead._make,
        "version" / c.Int8ul,
        "data_type" / c.Int8ul,
        "asleep_year" / c.Int16ul,
        "asleep_month" / c.Int8ul,
        "asleep_day" / c.Int8ul,
        "asleep_hour" / c.Int8ul,
        "asleep_minute" / c.Int8ul,
        "up_year" / c.Int16ul,
        "up_month" / c.Int8ul,
        "up_day" / c.Int8ul,
        "up_hour" / c.Int8ul,
        "up_minute" / c.Int8ul,
        "total_min" / c.Int16ul,
        "awake_min" / c.Int16ul,
        "light_min" / c.Int16ul,
        "rem_min" / c.Int16ul,
        "deep_min" / c.Int16ul,
        "awake_phases" / c.Int8ul,
        "light_phases" / c.Int8ul,
        "rem_phases" / c.Int8ul,
        "deep_phases" / c.Int8ul,
        "breathing_quality_raw" / c.Int8ul,
        "sleep_score" / c.Int8ul,
        "items" / c.Int16ul,
    )

    @classmethod
    def decode(cls, header: bytes, items: bytes, item_count: int) -> Self:
        """Split header and items, whatever the size of an item.

        Raises:
            DecodeError: the header is too short.
        """
        return cls(cls.LAYOUT.read(header), header[cls.LAYOUT.size_bytes :], items)

    @property
    def has_phases(self) -> bool:
        """Tell whether the items are pairs of stage and minutes that fill the night (7.8)."""
        return (
            len(self.items) == 2 * self.head.items and sum(self.items[1::2]) == self.head.total_min
        )

    @property
    def unknown_bytes(self) -> int:
        """Bytes without a meaning."""
        return self.LAYOUT.unknown_bytes(self.head, self.tail) + (
            0 if self.has_phases else len(self.items)
        )

    def adds_up(self) -> bool:
        """Tell whether phases and stages give the total, as in four of four published nights."""
        head = self.head
        minutes = head.awake_min + head.light_min + head.rem_min + head.deep_min
        phases = head.awake_phases + head.light_phases + head.rem_phases + head.deep_phases
        return minutes == head.total_min and phases == head.items and self.has_phases

    def item_fields(self) -> dict[str, object]:
        """Return the two columns, or the items as they are."""
        if not self.has_phases:
            return {"unknown_items": self.items.hex()}
        return {"stages": list(self.items[0::2]), "phases_min": list(self.items[1::2])}

    @classmethod
    def items_from_fields(cls, fields: Mapping[str, object]) -> bytes:
        """Undo `item_fields`."""
        if "unknown_items" in fields:
            return bytes.fromhex(str(fields["unknown_items"]))
        return interleaved(column(fields, "stages"), column(fields, "phases_min"))

    def asleep_wall_s(self) -> int:
        """Return when the sleeper fell asleep.

        Raises:
            DecodeError: there is no such moment.
        """
        head = self.head
        return moment_wall_s(
            head.asleep_year,
            head.asleep_month,
            head.asleep_day,
            head.asleep_hour,
            head.asleep_minute,
        )


def sleep_samples(record: SleepRecord, clock: WatchClock) -> Decoded:
    """Return the phases and the sum of a night.

    Phases follow each other in real time from falling asleep on, whatever clocks did meanwhile.

    Raises:
        DecodeError: the night has no beginning.
    """
    head = record.head
    start_utc_s = clock.utc_s(record.asleep_wall_s())
    if not head.total_min:
        return Decoded((), ("a night without a minute of sleep was left out",))
    summary = Series(
        "sleep_summary",
        [start_utc_s],
        {
            "duration_s": [head.total_min * 60],
            "awake_min": [head.awake_min],
            "light_min": [head.light_min],
            "rem_min": [None if head.data_type in _WITHOUT_REM else head.rem_min],
            "deep_min": [head.deep_min],
            "sleep_score": [head.sleep_score or None],
        },
        Quality.PROVEN,
    )
    if not record.has_phases:
        return Decoded((summary,), ("the phases of a night do not fill it: only its sum was kept",))
    stages, minutes = record.items[0::2], record.items[1::2]
    starts = accumulate(minutes, initial=0)
    phases = [
        (start_utc_s + 60 * start, 60 * duration, stage)
        for start, duration, stage in zip(starts, minutes, stages, strict=False)
        if stage in _STAGES and duration
    ]
    unknown = sum(stage not in _STAGES for stage in stages)
    remarks = (f"{unknown} phases have an unknown stage and were left out",) if unknown else ()
    if not phases:
        return Decoded((summary,), remarks)
    times, durations, known = map(list, zip(*phases, strict=True))
    found = Series("sleep", times, {"duration_s": durations, "stage": known}, Quality.PROVISIONAL)
    return Decoded((found, summary), remarks)
