"""What a workout record means: its sums, heart rate, minutes and kilometres."""

from collections.abc import Sequence
from itertools import accumulate, compress
from typing import Final

from firmware_protocol.clock import WatchClock
from firmware_protocol.families.ido.health.heart_rate import BPM_ALLOWED
from firmware_protocol.families.ido.health.workout import WorkoutRecord
from firmware_protocol.families.ido.sports import sport_name
from firmware_protocol.samples import Decoded, Series, Value

_KILOMETRE_M: Final = 1000
_MPS_PER_WIRE_UNIT: Final = 1 / 360  # km/h x 100


def workout_samples(record: WorkoutRecord, clock: WatchClock) -> Decoded:
    """Return all that a workout tells; its parts follow each other in real time from its start.

    Raises:
        DecodeError: it has no beginning.
    """
    start_utc_s = clock.utc_s(record.start_wall_s())
    parts = (
        _summary(record, start_utc_s),
        _heart_rate(record, start_utc_s),
        _minutes(record, start_utc_s),
        _splits(record, start_utc_s),
    )
    return Decoded(tuple(part for part in parts if len(part)))


def _summary(record: WorkoutRecord, start_utc_s: int) -> Series:
    head = record.head
    values: dict[str, Value] = {
        "duration_s": head.duration_s,
        "sport": sport_name(head.sport),
        "sport_code": head.sport,
        "steps": head.steps,
        "energy_kcal": head.energy_kcal,
        "distance_m": head.distance_m,
        "bpm_avg": head.bpm_avg or None,
        "bpm_max": head.bpm_max or None,
        "bpm_min": head.bpm_min or None,
        "cadence_avg_spm": head.cadence_avg_spm or None,
        "cadence_max_spm": head.cadence_max_spm or None,
        "speed_avg_mps": head.speed_avg_kmh_x100 * _MPS_PER_WIRE_UNIT or None,
        "speed_max_mps": head.speed_max_kmh_x100 * _MPS_PER_WIRE_UNIT or None,
        "warm_up_s": head.warm_up_s,
        "fat_burn_s": head.fat_burn_s,
        "aerobic_s": head.aerobic_s,
        "anaerobic_s": head.anaerobic_s,
        "extreme_s": head.extreme_s,
        "training_effect": head.training_effect_x10 / 10 or None,
        "vo2max_ml_kg_min": head.vo2max_ml_kg_min or None,
    }
    return Series("workout", [start_utc_s], {name: [value] for name, value in values.items()})


def _heart_rate(record: WorkoutRecord, start_utc_s: int) -> Series:
    interval_s = record.head.bpm_interval_s
    # without an interval only the first value has a time
    bpm = record.bpm if interval_s else record.bpm[:1]
    times = [start_utc_s + beat * interval_s for beat in range(len(bpm))]
    chosen = bpm.translate(BPM_ALLOWED)
    return Series(
        "workout_heart_rate", list(compress(times, chosen)), {"bpm": list(compress(bpm, chosen))}
    )


def _minutes(record: WorkoutRecord, start_utc_s: int) -> Series:
    """One slot a minute; the last one ends with the workout."""
    minutes = record.minutes
    left_s = record.head.duration_s - 60 * (len(minutes) - 1)
    durations = [60] * (len(minutes) - 1) + [left_s if 0 < left_s < 60 else 60]
    steps, kcal, distance_m = ([minute[at] for minute in minutes] for at in range(3))
    return Series(
        "workout_minute",
        [start_utc_s + 60 * at for at in range(len(minutes))],
        {
            "duration_s": durations[: len(minutes)],
            "steps": steps,
            "energy_kcal": kcal,
            "distance_m": distance_m,
        },
    )


def _splits(record: WorkoutRecord, start_utc_s: int) -> Series:
    """The whole kilometres.

    A watch also gives a split for the kilometre it did not finish (RUN: 297 s for 222 m in 66 s),
    which is a pace and no time that was run.
    """
    whole = record.km_splits_s[: record.head.distance_m // _KILOMETRE_M]
    starts: Sequence[int] = list(accumulate(whole[:-1], initial=start_utc_s))[: len(whole)]
    return Series(
        "workout_split",
        starts,
        {"duration_s": list(whole), "distance_m": [_KILOMETRE_M] * len(whole)},
    )
