"""A FIT activity of one workout (lab note 4.1).

All-day values have no place here: few programs read foreign monitoring files. Pauses are not known,
so the timer runs all the time.
"""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from firmware_protocol.activity_types import FitSport, counts_steps, fit_sport
from ksos_link.export.fit_messages import UTC_OF_FIT, FitFile, FitValue, fit_ms
from ksos_link.export.source import ExportDevice, Source, Workout
from ksos_link.export.target import Target, open_binary_target
from ksos_link.export.workout_parts import Lap, Moment, laps, moments, whole

# numbers of the FIT profile
_ACTIVITY_FILE: Final = 4
_DEVELOPMENT: Final = 255  # the manufacturer of those who have no number
_TIMER, _SESSION, _LAP, _ACTIVITY = 0, 8, 9, 26  # events
_START, _STOP, _STOP_ALL = 0, 1, 4  # what they do
_BY_DISTANCE, _BY_END = 2, 7  # why a lap ends
# smaller numbers of seconds are counted from when a device was switched on
_FIRST_UTC_S: Final = UTC_OF_FIT + 0x1000_0000
_LAST_UTC_S: Final = UTC_OF_FIT + 0xFFFF_FFFE
_RECORD_FIELDS: Final = {
    "position_lat": "latitude_deg",
    "position_long": "longitude_deg",
    "enhanced_altitude": "elevation_m",
    "distance": "distance_m",
    "enhanced_speed": "speed_mps",
    "cadence": "cadence_spm",
    "heart_rate": "bpm",
}


def lacks_fit_time(workout: Workout) -> str | None:
    """Why a workout has no place in a FIT file, None where it has."""
    if workout.start_utc_s >= _FIRST_UTC_S and workout.end_utc_s <= _LAST_UTC_S:
        return None
    return "FIT knows no times before July 1998 or after 2125"


def write_fit(source: Source, workout: Workout, target: Target) -> None:
    """Write one workout.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    device = next(each for each in source.devices if each.alias == workout.alias)
    with open_binary_target(target) as file:
        file.write(fit_bytes(device, workout))


def fit_bytes(device: ExportDevice, workout: Workout) -> bytes:
    """The whole file."""
    fit = FitFile()
    _add_heads(fit, device, workout)
    sport, on_foot = fit_sport(workout.sport), counts_steps(workout.sport)
    # readers demand a record: one that says nothing is true of any workout
    track = list(moments(workout)) or [Moment(workout.start_utc_s)]
    _add_records(fit, track, on_foot=on_foot)
    end = fit_ms(workout.end_utc_s)
    fit.add("event", timestamp=end, event=_TIMER, event_type=_STOP_ALL, event_group=0)
    found = laps(workout)
    _add_laps(fit, found, sport)
    _add_session(fit, workout, sport, len(found), on_foot=on_foot)
    fit.add(
        "activity",
        timestamp=end,
        total_timer_time=workout.duration_s,
        num_sessions=1,
        type=0,
        event=_ACTIVITY,
        event_type=_STOP,
        local_timestamp=workout.end_utc_s + workout.utc_offset_s - UTC_OF_FIT,
    )
    return fit.to_bytes()


def _add_heads(fit: FitFile, device: ExportDevice, workout: Workout) -> None:
    start = fit_ms(workout.start_utc_s)
    # of the name alone, so that a repeated export is seen as the same; never an address
    serial = crc32(f"{device.family}:{device.alias}".encode()) or 1
    made_by: dict[str, FitValue] = {
        "manufacturer": _DEVELOPMENT,
        "product": 0,
        "serial_number": serial,
    }
    fit.add("file_id", type=_ACTIVITY_FILE, **made_by, time_created=start)
    fit.add("device_info", timestamp=start, device_index=0, **made_by, product_name=device.product)
    fit.add("event", timestamp=start, event=_TIMER, event_type=_START, event_group=0)


def _add_records(fit: FitFile, track: Sequence[Moment], *, on_foot: bool) -> None:
    names = [
        name
        for name, attribute in _RECORD_FIELDS.items()
        if any(getattr(moment, attribute) is not None for moment in track)
    ]
    attributes = [_RECORD_FIELDS[name] for name in names]
    halved = on_foot and "cadence" in names
    at = names.index("cadence") if halved else 0

    def row(moment: Moment) -> list[FitValue]:
        values: list[FitValue] = [getattr(moment, name) for name in attributes]
        if halved:
            values[at : at + 1] = _strides(moment.cadence_spm)
        return [fit_ms(moment.utc_s), *values]

    if halved:
        names.insert(at + 1, "fractional_cadence")
    fit.add_many("record", ["timestamp", *names], map(row, track))


def _add_laps(fit: FitFile, found: Sequence[Lap], sport: FitSport) -> None:
    names = (
        "message_index timestamp event event_type start_time total_elapsed_time total_timer_time"
        " total_distance total_calories avg_heart_rate max_heart_rate lap_trigger sport sub_sport"
    )
    rows = [
        [
            *(number, fit_ms(lap.start_utc_s + lap.duration_s), _LAP, _STOP),
            *(fit_ms(lap.start_utc_s), lap.duration_s, lap.duration_s, lap.distance_m),
            *(lap.energy_kcal, lap.bpm_avg, lap.bpm_max),
            _BY_END if number == len(found) - 1 else _BY_DISTANCE,
            *(sport.sport, sport.sub_sport),
        ]
        for number, lap in enumerate(found)
    ]
    fit.add_many("lap", names.split(), rows)


def _add_session(
    fit: FitFile, workout: Workout, sport: FitSport, lap_count: int, *, on_foot: bool
) -> None:
    values: dict[str, FitValue] = {
        "total_distance": whole(workout, "distance_m"),
        "total_calories": whole(workout, "energy_kcal"),
        "avg_heart_rate": whole(workout, "bpm_avg"),
        "max_heart_rate": whole(workout, "bpm_max"),
        "min_heart_rate": whole(workout, "bpm_min"),
        "enhanced_avg_speed": workout.values["speed_avg_mps"],
        "enhanced_max_speed": workout.values["speed_max_mps"],
        "total_training_effect": workout.values["training_effect"],
    }
    if on_foot:
        for name, whole_name, fraction in (
            ("steps", "total_cycles", "total_fractional_cycles"),
            ("cadence_avg_spm", "avg_cadence", "avg_fractional_cadence"),
            ("cadence_max_spm", "max_cadence", "max_fractional_cadence"),
        ):
            values[whole_name], values[fraction] = _strides(whole(workout, name))
    else:
        values["avg_cadence"] = whole(workout, "cadence_avg_spm")
        values["max_cadence"] = whole(workout, "cadence_max_spm")
    fit.add(
        "session",
        message_index=0,
        timestamp=fit_ms(workout.end_utc_s),
        event=_SESSION,
        event_type=_STOP,
        start_time=fit_ms(workout.start_utc_s),
        sport=sport.sport,
        sub_sport=sport.sub_sport,
        total_elapsed_time=workout.duration_s,
        total_timer_time=workout.duration_s,
        first_lap_index=0,
        num_laps=lap_count,
        trigger=0,
        sport_profile_name=workout.sport,
        **{name: value for name, value in values.items() if value is not None},
    )


def _strides(steps: int | None) -> tuple[int | None, float | None]:
    """Whole strides and the half that may be left: two steps are one."""
    return (None, None) if steps is None else (steps // 2, steps % 2 / 2)
