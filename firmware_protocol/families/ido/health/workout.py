"""Type 04 workouts (ido.md 7.6): version 16 whole (L), version 0 only where nothing is stored."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import construct as c

from firmware_protocol.errors import DecodeError
from firmware_protocol.families.ido.health.headed import HeadLayout, column
from firmware_protocol.families.ido.health.wall_time import moment_wall_s

VERSION_16: Final = 0x10


class WorkoutHead(NamedTuple):
    """Sums of a workout and the sizes of its blocks."""

    version: int
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    bpm_interval_s: int
    connected: int
    started_by: int
    sport: int
    steps: int
    duration_s: int
    energy_kcal: int
    distance_m: int
    bpm_avg: int
    bpm_max: int
    bpm_min: int
    cadence_avg_spm: int
    cadence_max_spm: int
    stride_avg_cm: int
    stride_max_cm: int
    speed_avg_kmh_x100: int
    speed_max_kmh_x100: int
    pace_avg_s_per_km: int
    pace_best_s_per_km: int
    pace_avg_other_raw: int
    pace_best_other_raw: int
    warm_up_s: int
    fat_burn_s: int
    aerobic_s: int
    anaerobic_s: int
    extreme_s: int
    training_effect_x10: int
    vo2max_ml_kg_min: int
    vo2max_grade: int
    end_year: int
    end_month: int
    end_day: int
    end_hour: int
    end_minute: int
    end_second: int
    minutes: int
    km_splits: int
    mile_splits: int
    paces: int
    cadences: int
    heart_rates: int
    paddle_counts: int
    paddle_frequencies: int
    tread_frequencies: int
    end_month_again: int
    end_day_again: int
    end_hour_again: int
    end_minute_again: int


_LAYOUT: Final = HeadLayout(
    WorkoutHead._make,
    "version" / c.Int8ul,
    "year" / c.Int16ul,
    "month" / c.Int8ul,
    "day" / c.Int8ul,
    "hour" / c.Int8ul,
    "minute" / c.Int8ul,
    "second" / c.Int8ul,
    "bpm_interval_s" / c.Int16ul,
    "connected" / c.Int8ul,
    "started_by" / c.Int8ul,
    "sport" / c.Int8ul,
    "steps" / c.Int32ul,
    "duration_s" / c.Int32ul,
    "energy_kcal" / c.Int32ul,
    "distance_m" / c.Int32ul,
    "bpm_avg" / c.Int8ul,
    "bpm_max" / c.Int8ul,
    "bpm_min" / c.Int8ul,
    "cadence_avg_spm" / c.Int8ul,
    "cadence_max_spm" / c.Int8ul,
    "stride_avg_cm" / c.Int8ul,
    "stride_max_cm" / c.Int8ul,
    "speed_avg_kmh_x100" / c.Int16ul,
    "speed_max_kmh_x100" / c.Int16ul,
    "pace_avg_s_per_km" / c.Int16ul,
    "pace_best_s_per_km" / c.Int16ul,
    "pace_avg_other_raw" / c.Int16ul,
    "pace_best_other_raw" / c.Int16ul,
    "warm_up_s" / c.Int32ul,
    "fat_burn_s" / c.Int32ul,
    "aerobic_s" / c.Int32ul,
    "anaerobic_s" / c.Int32ul,
    "extreme_s" / c.Int32ul,
    "training_effect_x10" / c.Int8ul,
    "vo2max_ml_kg_min" / c.Int8ul,
    "vo2max_grade" / c.Int8ul,
    "end_year" / c.Int16ul,
    "end_month" / c.Int8ul,
    "end_day" / c.Int8ul,
    "end_hour" / c.Int8ul,
    "end_minute" / c.Int8ul,
    "end_second" / c.Int8ul,
    "minutes" / c.Int16ul,
    "km_splits" / c.Int16ul,
    "mile_splits" / c.Int16ul,
    "paces" / c.Int16ul,
    "cadences" / c.Int16ul,
    "heart_rates" / c.Int16ul,
    "paddle_counts" / c.Int16ul,
    "paddle_frequencies" / c.Int16ul,
    "tread_frequencies" / c.Int16ul,
    "end_month_again" / c.Int8ul,
    "end_day_again" / c.Int8ul,
    "end_hour_again" / c.Int8ul,
    "end_minute_again" / c.Int8ul,
)


@dataclass(frozen=True, slots=True)
class WorkoutRecord:
    """A workout of version 16; head 100 bytes, then nine blocks (ido.md 7.6, L).

    `minutes` holds steps, kcal and metres of each minute. Provisional (P): the order of the last
    three blocks, the training effect, and the paces per other unit.
    """

    head: WorkoutHead
    tail: bytes
    bpm: bytes
    minutes: tuple[tuple[int, int, int], ...]
    km_splits_s: tuple[int, ...]
    cadence_spm: tuple[int, ...]
    mile_splits_s: tuple[int, ...]
    pace_s_per_km: tuple[int, ...]
    paddle_counts: tuple[int, ...]
    paddle_frequencies: tuple[int, ...]
    tread_frequencies: tuple[int, ...]

    @classmethod
    def decode(cls, header: bytes, items: bytes, item_count: int) -> Self:
        """Split the blocks by the sizes in the header.

        Raises:
            DecodeError: another version, a short header, or sizes that do not add up.
        """
        if header[:1] != bytes((VERSION_16,)):
            raise DecodeError("a workout of a version without a known layout")
        head = _LAYOUT.read(header)
        words = (
            3 * head.minutes,
            head.km_splits,
            head.cadences,
            head.mile_splits,
            head.paces,
            head.paddle_counts,
            head.paddle_frequencies,
            head.tread_frequencies,
        )
        if head.heart_rates + 2 * sum(words) != len(items):
            raise DecodeError("the blocks of a workout do not add up")
        blocks, at = [], head.heart_rates
        for count in words:
            blocks.append(struct.unpack_from(f"<{count}H", items, at))
            at += 2 * count
        flat, *others = blocks
        minutes = tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
        tail = header[_LAYOUT.size_bytes :]
        return cls(head, tail, items[: head.heart_rates], minutes, *others)

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Self:
        """Undo `fields`."""
        head, tail = _LAYOUT.from_fields(fields)
        minutes = zip(*(column(fields, f"minute_{name}") for name in _MINUTE), strict=True)
        others = (tuple(column(fields, f"block_{name}")) for name in _BLOCKS)
        return cls(head, tail, bytes(column(fields, "block_bpm")), tuple(minutes), *others)

    @property
    def unknown_bytes(self) -> int:
        """Bytes without a meaning."""
        return _LAYOUT.unknown_bytes(self.head, self.tail)

    def adds_up(self) -> bool:
        """Decoding has checked the sizes; there are no sums."""
        return True

    def encode(self) -> tuple[bytes, bytes]:
        """Return header and blocks as they came."""
        flat = tuple(value for minute in self.minutes for value in minute)
        items = b"".join(
            struct.pack(f"<{len(block)}H", *block) for block in (flat, *self._word_blocks())
        )
        return _LAYOUT.write(self.head, self.tail), self.bpm + items

    def fields(self) -> dict[str, object]:
        """Return header values and blocks by name."""
        minutes: dict[str, object] = {
            f"minute_{name}": [minute[at] for minute in self.minutes]
            for at, name in enumerate(_MINUTE)
        }
        blocks: dict[str, object] = {
            f"block_{name}": list(block)
            for name, block in zip(_BLOCKS, self._word_blocks(), strict=True)
        }
        beats: dict[str, object] = {"block_bpm": list(self.bpm)}
        return _LAYOUT.fields(self.head, self.tail) | beats | minutes | blocks

    def start_wall_s(self) -> int:
        """Return when it began.

        Raises:
            DecodeError: there is no such moment.
        """
        head = self.head
        return moment_wall_s(head.year, head.month, head.day, head.hour, head.minute, head.second)

    def _word_blocks(self) -> tuple[tuple[int, ...], ...]:
        return (
            self.km_splits_s,
            self.cadence_spm,
            self.mile_splits_s,
            self.pace_s_per_km,
            self.paddle_counts,
            self.paddle_frequencies,
            self.tread_frequencies,
        )


_MINUTE: Final = ("steps", "kcal", "distance_m")
_BLOCKS: Final = (
    "km_splits_s",
    "cadence_spm",
    "mile_splits_s",
    "pace_s_per_km",
    "paddle_counts",
    "paddle_frequencies",
    "tread_frequencies",
)
