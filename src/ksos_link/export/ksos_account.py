"""The vendor account's health and sport files (domain note 4), as its app would upload them.

Health comes in groups of one metric of one local day; a reader adds them up, as it must for files
that were joined. Left open by the note, and so *provisional* here: that times are Unix seconds, and
the stages of a night seconds too; that energy of steps is that above rest. What the note does not
explain is absent: lengths of sleep segments (start and end tell them), laps, who owns the file.
A workout has no pauses that we know of, so its moving time is the time that it took. What a watch
dated before 1973 is left out: a reader tells health from sport by its instants.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Final

from firmware_protocol import account
from firmware_protocol.samples import SleepStage, Value
from firmware_protocol.sports import ksos_sport
from ksos_link.errors import NotFoundError
from ksos_link.export.readings import readings, workouts
from ksos_link.export.source import Row, Source, Workout, named
from ksos_link.export.target import open_binary_target
from ksos_link.export.workout_parts import Moment, moments, whole

_DAY_S: Final = 86_400
_ADDRESS: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
_BY_WATCH: Final = 1  # of `device_type`
_START, _STOP = 1, 3  # of `KTimer.status`
_NIGHT_BY: Final = {"ido": 2}  # `DetailSleepAnalyze.type`
_STAGES: Final[Mapping[int | None, int]] = {
    SleepStage.DEEP: 1,
    SleepStage.LIGHT: 2,
    SleepStage.AWAKE: 3,
    SleepStage.REM: 4,
}
Sample = Mapping[str, Value]


def write_account(source: Source, folder: Path, *, old: bool = False) -> Mapping[str, int]:
    """Write `health.kieslect` and `sport.kieslect`, each where there is anything for it.

    `old` is the layout before 2024-11-11. Returns how many samples of each metric they hold.

    Raises:
        NotFoundError: there is nothing for either.
        StoreError: the disk is full.
    """
    counts: Counter[str] = Counter()
    writer = _Writer(source, counts, old=old)
    _write(writer.health(), folder / "health.kieslect")
    _write(writer.sport(), folder / "sport.kieslect")
    if not counts:
        raise NotFoundError("There is nothing that those files hold.", "See: ksos export --formats")
    return counts


def _write(groups: Iterator[Any], target: Path) -> None:
    first = next(groups, None)
    if first is None:
        return
    with open_binary_target(target) as file:
        for group in chain((first,), groups):
            file.write(account.frame(group.SerializeToString(deterministic=True)))


class _Writer:
    """Makes the groups of both files, and counts what is in them."""

    def __init__(self, source: Source, counts: Counter[str], *, old: bool) -> None:
        self._source = source
        self._counts = counts
        self._old = old
        self._devices = {one.alias: one for one in source.devices}

    def health(self) -> Iterator[Any]:
        """Day groups of one metric each."""
        for metric in self._source.metrics:
            detail = _DETAILS.get(metric.name)
            if detail is None:
                continue
            rows = (
                row
                for chunk in readings(self._source, metric.name)
                for row in chunk
                if int(row[1] or 0) >= account.LEAST_INSTANT_S
            )
            for (_, midnight_utc_s), samples in groupby(rows, self._day):
                group = account.MESSAGES["DayGroup"](date=midnight_utc_s)
                for row in samples:
                    sample = named(metric.name, row)
                    if detail(self, group, sample):
                        self._counts[metric.name] += 1
                if len(group.ListFields()) > 1:  # more than its date
                    yield group

    def sport(self) -> Iterator[Any]:
        """Activities."""
        for workout in workouts(self._source):
            if workout.start_utc_s < account.LEAST_INSTANT_S:
                continue
            found = list(moments(workout))
            yield (
                self._old_activity(workout, found) if self._old else self._activity(workout, found)
            )
            self._counts["workout"] += 1
            self._counts["workout_heart_rate"] += sum(one.bpm is not None for one in found)
            self._counts["workout_point"] += sum(one.latitude_deg is not None for one in found)

    def identity(self, sample: Sample, metric: str) -> dict[str, Any]:
        """Source watch and number of a record: a digest, so that the same one has the same."""
        mac = self._mac(str(sample["device"]))
        text = f"{mac or sample['device']} {metric} {sample['start_utc_s']}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        return {"mac": mac, "only": int.from_bytes(digest[:8], "big") >> 1}

    def family(self, alias: str) -> str:
        """The family of a source."""
        return self._devices[alias].family

    def steps(self, **fields: Any) -> bytes:
        """A record of steps in the wanted layout."""
        name = "OldDetailSteps" if self._old else "DetailSteps"
        packed: bytes = account.MESSAGES[name](**fields).SerializeToString(deterministic=True)
        return packed

    def _day(self, row: Row) -> tuple[str, int]:
        """The source and the instant at which the local day of a sample begins."""
        alias, utc_s = str(row[0]), int(row[1] or 0)
        offset_s = self._source.utc_offset_s(alias, utc_s)
        return alias, (utc_s + offset_s) // _DAY_S * _DAY_S - offset_s

    def _mac(self, alias: str) -> str:
        address = self._devices[alias].address.upper()
        return address if _ADDRESS.fullmatch(address) else ""

    def _number(self, workout: Workout) -> int:
        sample: Sample = {"device": workout.alias, "start_utc_s": workout.start_utc_s}
        return int(self.identity(sample, "workout")["only"])

    def _add_device(self, message: Any, workout: Workout) -> None:
        name = self._devices[workout.alias].product
        message.devices.add(device_type=_BY_WATCH, mac=self._mac(workout.alias), name=name)

    def _activity(self, workout: Workout, found: list[Moment]) -> Any:
        message = account.MESSAGES["DetailSport"](only=self._number(workout))
        message.info.MergeFrom(account.MESSAGES["KInfo"](**_totals(workout)))
        _set(message.info, max_hr=whole(workout, "bpm_max"), min_hr=whole(workout, "bpm_min"))
        _set(message.info, calories=whole(workout, "energy_kcal"))
        self._add_device(message, workout)
        message.timers.add(status=_START)
        message.timers.add(total_time=workout.duration_s, time=workout.duration_s, status=_STOP)
        for one in found:
            time_s = one.utc_s - workout.start_utc_s
            if one.latitude_deg is not None and one.longitude_deg is not None:
                message.locations.add(
                    time=time_s, latitude=one.latitude_deg, longitude=one.longitude_deg
                )
            if one.bpm is not None or one.cadence_spm is not None:
                row = message.activity_data.add(time=time_s)
                _set(row, hr=one.bpm, cadence=one.cadence_spm)
            if one.distance_m is not None or one.speed_mps is not None:
                row = message.distance_data.add(time=time_s)
                _set(row, distance=one.distance_m, speed=one.speed_mps)
        return message

    def _old_activity(self, workout: Workout, found: list[Moment]) -> Any:
        message = account.MESSAGES["OldDetailSport"](only=self._number(workout), **_totals(workout))
        self._add_device(message, workout)
        for one in found:
            time_s = one.utc_s - workout.start_utc_s
            row = message.samples.add(time=time_s, total_time=time_s)
            _set(row, latitude=one.latitude_deg, longitude=one.longitude_deg, speed=one.speed_mps)
            _set(row, cadence=one.cadence_spm, hr=one.bpm, distance=one.distance_m)
        return message


def _totals(workout: Workout) -> dict[str, Any]:
    """The fields that both layouts of an activity have."""
    sport = ksos_sport(workout.sport)
    totals = {
        "type": 0 if sport is None else sport.ksos_id,
        "start_time": workout.start_utc_s,
        "end_time": workout.end_utc_s,
        "time": workout.duration_s,
        "steps": workout.values["steps"],
        "distance": workout.values["distance_m"],
        "max_speed": workout.values["speed_max_mps"],
        "avg_hr": whole(workout, "bpm_avg"),
        "device_type": _BY_WATCH,
    }
    return {name: value for name, value in totals.items() if value is not None}


def _set(message: Any, **values: float | None) -> None:
    """Fill in what is known."""
    for name, value in values.items():
        if value is not None:
            setattr(message, name, value)


def _steps(writer: _Writer, group: Any, sample: Sample) -> bool:
    return _add_steps(writer, group, sample, "steps", {"steps": sample["steps"]})


def _activity(writer: _Writer, group: Any, sample: Sample) -> bool:
    fields = {"distance": sample["distance_m"], "calories": sample["active_energy_kcal"]}
    return _add_steps(writer, group, sample, "activity", fields)


def _add_steps(
    writer: _Writer, group: Any, sample: Sample, metric: str, fields: Mapping[str, Value]
) -> bool:
    known = {name: value for name, value in fields.items() if value}
    if known:
        identity = writer.identity(sample, metric)
        group.detail_steps.append(writer.steps(date=sample["start_utc_s"], **known, **identity))
    return bool(known)


def _plain(metric: str, message: str, column: str, field: str) -> Callable[..., bool]:
    """Records of one value; none where there was no reading, or 0, which the file cannot hold."""

    def add(writer: _Writer, group: Any, sample: Sample) -> bool:
        value = sample[column]
        if not value:
            return False
        getattr(group, message).add(
            date=sample["start_utc_s"], **{field: value}, **writer.identity(sample, metric)
        )
        return True

    return add


def _sleep(writer: _Writer, group: Any, sample: Sample) -> bool:
    code = _STAGES.get(_number(sample["stage"]))
    if code is None:
        return False
    start_utc_s = int(sample["start_utc_s"] or 0)
    group.detail_sleep.add(
        date=group.date,
        start_time=start_utc_s,
        end_time=start_utc_s + int(sample["duration_s"] or 0),
        code=code,
        **writer.identity(sample, "sleep"),
    )
    return True


def _night(writer: _Writer, group: Any, sample: Sample) -> bool:
    start_utc_s = int(sample["start_utc_s"] or 0)
    night = group.detail_sleep_analyze.add(
        start_time=start_utc_s,
        end_time=start_utc_s + int(sample["duration_s"] or 0),
        type=_NIGHT_BY.get(writer.family(str(sample["device"])), 0),
        **writer.identity(sample, "sleep_summary"),
    )
    _set(night, sleep_score=_number(sample["sleep_score"]))
    for stage in ("awake", "light", "rem", "deep"):
        minutes = _number(sample[f"{stage}_min"])
        if minutes is not None:
            _set(night, **{f"{_NIGHT_WORDS.get(stage, stage)}_time": minutes * 60})
    asleep = [_number(sample[f"{stage}_min"]) for stage in ("light", "rem", "deep")]
    night.sleep_time = 60 * sum(each for each in asleep if each is not None)
    return True


def _number(value: Value) -> int | None:
    return None if value is None else int(value)


_NIGHT_WORDS: Final = {"awake": "wake"}
_DETAILS: Final[Mapping[str, Callable[..., bool]]] = {
    "steps": _steps,
    "activity": _activity,
    "heart_rate": _plain("heart_rate", "detail_hr", "bpm", "hr"),
    "resting_heart_rate": _plain("resting_heart_rate", "detail_silent_hr", "bpm", "silent_hr"),
    "spo2": _plain("spo2", "detail_spo2", "spo2_pct", "spo2"),
    "stress": _plain("stress", "detail_stress", "stress_score", "stress"),
    "weight": _plain("weight", "detail_weight", "weight_kg", "weight"),
    "sleep": _sleep,
    "sleep_summary": _night,
}
