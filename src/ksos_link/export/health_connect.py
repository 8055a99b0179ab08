"""The records of Health Connect as JSON, for an app that inserts them: it has no file format.

Types and fields are those of androidx.health.connect.client.records 1.1, a quantity is an object
with its unit (`{"inMeters": 80}`). `clientRecordId` is the same in each export of a sample and
`clientRecordVersion` grows, so that inserting again is an update.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from firmware_protocol.health_sports import HEALTH_CONNECT_OTHER, foreign_sport, sport_title
from firmware_protocol.records import FILE_FAMILY
from firmware_protocol.samples import Quality
from ksos_link.export.identity import Uid, devices_by_alias, uid_of
from ksos_link.export.instants import offset_text, utc_text
from ksos_link.export.json_document import JsonObject, write_json_array
from ksos_link.export.nights import Night, nights
from ksos_link.export.readings import heart_rates, readings, workouts
from ksos_link.export.source import Source, Workout, named
from ksos_link.export.target import Target
from ksos_link.export.xml_text import plain_text

Fields = Mapping[str, Any]  # of a sample, by their names

FORMAT_VERSION: Final = 1
_UNKNOWN, _ACTIVE, _AUTOMATIC = 0, 1, 2  # Metadata.RECORDING_METHOD_*
_TYPE_UNKNOWN, _TYPE_WATCH = 0, 1  # Device.TYPE_*
_LOCATION_UNKNOWN, _LOCATION_WRIST = 0, 9  # BodyTemperatureMeasurementLocation
_POOL: Final = 74  # EXERCISE_TYPE_SWIMMING_POOL
# a series is cut at quarters: days of all zones begin on one, so that no export holds half a record
_QUARTER_S: Final = 900
# SleepSessionRecord.STAGE_TYPE_* by our stage; 0 is unknown
_STAGES: Final = {1: 1, 2: 4, 3: 5, 4: 6}


def write_health_connect(
    source: Source, target: Target, *, now: Callable[[], float] = time.time
) -> Mapping[str, int]:
    """Write the records; return the samples in them by metric.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    records = _Records(source, int(now()))
    head = {"format": "health-connect-records", "version": FORMAT_VERSION}
    write_json_array(target, head, "records", records.all())
    return records.counts


class _Records:
    """Makes the records, and counts the samples that went into them."""

    def __init__(self, source: Source, version: int) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._version = version
        self._devices = devices_by_alias(source)
        self._uids: dict[tuple[str, str], Uid] = {}

    def all(self) -> Iterator[JsonObject]:
        yield from self._heart_rates()
        for metric in (*_INSTANTS, *_INTERVALS):
            for rows in readings(self._source, metric):
                for row in rows:
                    yield from self._sample(metric, named(metric, row))
        for night in nights(self._source):
            if night.end_utc_s > night.start_utc_s:
                yield self._sleep(night)
        for workout in workouts(self._source):
            if workout.duration_s > 0:
                yield self._exercise(workout)

    def _sample(self, metric: str, fields: Fields) -> Iterator[JsonObject]:
        alias, start_utc_s = fields["device"], fields["start_utc_s"]
        made = 0
        if metric in _INSTANTS:
            record_type, members_of = _INSTANTS[metric]
            members = members_of(fields)
            if members is not None:
                made += 1
                yield {
                    "recordType": record_type,
                    **self._instant(alias, start_utc_s),
                    **members,
                    "metadata": self._metadata(alias, record_type, start_utc_s),
                }
        elif fields["duration_s"]:
            span = self._span(alias, start_utc_s, start_utc_s + fields["duration_s"])
            for record_type, members in _INTERVALS[metric](fields):
                made += 1
                metadata = self._metadata(alias, record_type, start_utc_s)
                yield {"recordType": record_type, **span, **members, "metadata": metadata}
        self.counts[metric] += made > 0

    def _heart_rates(self) -> Iterator[JsonObject]:
        beats = groupby(
            heart_rates(self._source), key=lambda beat: (beat[0], beat[1] // _QUARTER_S)
        )
        for (alias, quarter), group in beats:
            own = list(group)
            self.counts.update(metric for *_, metric in own)
            yield {
                "recordType": "HeartRateRecord",
                **self._span(alias, own[0][1], own[-1][1] + 1),  # an interval has a length
                "samples": [
                    {"time": utc_text(utc_s), "beatsPerMinute": bpm} for _, utc_s, bpm, *_ in own
                ],
                "metadata": self._metadata(alias, "HeartRateRecord", quarter * _QUARTER_S),
            }

    def _sleep(self, night: Night) -> JsonObject:
        stages, free_from = [], night.start_utc_s
        for stage in night.stages:  # they may not overlap
            start = max(stage.start_utc_s, free_from)
            if stage.end_utc_s > start:
                kind = _STAGES.get(stage.stage, 0)
                stages.append(_stretch(start, stage.end_utc_s, stage=kind))
                free_from = stage.end_utc_s
        self.counts["sleep"] += len(night.stages)
        self.counts["sleep_summary"] += night.summary is not None
        start = (
            night.start_utc_s if night.summary is None else int(str(night.summary["start_utc_s"]))
        )
        return {
            "recordType": "SleepSessionRecord",
            **self._span(night.alias, night.start_utc_s, night.end_utc_s),
            "stages": stages,
            **_notes(night.quality),
            "metadata": self._metadata(night.alias, "SleepSessionRecord", night.start_utc_s),
        }

    def _exercise(self, workout: Workout) -> JsonObject:
        start, end = workout.start_utc_s, workout.end_utc_s
        splits = [named("workout_split", row) for row in workout.splits]
        points = [
            point
            for point in (named("workout_point", row) for row in workout.points)
            if start <= int(point["start_utc_s"] or 0) < end  # a session's route lies in it
        ]
        self.counts.update({"workout": 1, "workout_split": len(splits)})
        self.counts["workout_point"] += len(points)
        route = {"exerciseRoute": {"route": [_location(one) for one in points]}} if points else {}
        return {
            "recordType": "ExerciseSessionRecord",
            **self._span(workout.alias, start, end),
            "exerciseType": foreign_sport(workout.sport)[1],
            "title": plain_text(sport_title(workout.sport)),
            "segments": [],
            "laps": list(_laps(splits, end)),
            **route,
            **_notes(workout.quality),
            "metadata": self._metadata(workout.alias, "ExerciseSessionRecord", start, _ACTIVE),
        }

    def _instant(self, alias: str, utc_s: int) -> JsonObject:
        return {"time": utc_text(utc_s), "zoneOffset": self._offset(alias, utc_s)}

    def _span(self, alias: str, start_utc_s: int, end_utc_s: int) -> JsonObject:
        return {
            "startTime": utc_text(start_utc_s),
            "startZoneOffset": self._offset(alias, start_utc_s),
            "endTime": utc_text(end_utc_s),
            "endZoneOffset": self._offset(alias, end_utc_s),
        }

    def _offset(self, alias: str, utc_s: int) -> str:
        return offset_text(round(self._source.utc_offset_s(alias, utc_s) / 60))

    def _metadata(
        self, alias: str, kind: str, start_utc_s: int, method: int = _AUTOMATIC
    ) -> JsonObject:
        device = self._devices[alias]
        uid = self._uids.get((alias, kind))
        if uid is None:
            uid = self._uids[alias, kind] = uid_of(device, kind)
        foreign = device.family == FILE_FAMILY  # what recorded it is not known
        return {
            "recordingMethod": _UNKNOWN if foreign else method,
            "clientRecordId": uid(start_utc_s),
            "clientRecordVersion": self._version,
            "device": {
                "type": _TYPE_UNKNOWN if foreign else _TYPE_WATCH,
                "model": plain_text(device.product),
            },
        }


def _stretch(start_utc_s: int, end_utc_s: int, **members: Any) -> JsonObject:
    return {"startTime": utc_text(start_utc_s), "endTime": utc_text(end_utc_s), **members}


def _notes(quality: Quality) -> JsonObject:
    return {"notes": f"quality: {quality.name.lower()}"} if quality else {}


def _laps(splits: Sequence[Fields], end_utc_s: int) -> Iterator[JsonObject]:
    """Those that lie in the session and do not overlap, as laps have to."""
    free_from = -1
    for split in splits:
        start = split["start_utc_s"]
        end = start + split["duration_s"]
        if free_from <= start < end <= end_utc_s:
            free_from = end
            yield _stretch(start, end, length={"inMeters": split["distance_m"]})


def _location(point: Fields) -> JsonObject:
    altitude_m = point["elevation_m"]
    return {
        "time": utc_text(point["start_utc_s"]),
        "latitude": point["latitude_deg"],
        "longitude": point["longitude_deg"],
        **({} if altitude_m is None else {"altitude": {"inMeters": altitude_m}}),
    }


def _variability(fields: Fields) -> JsonObject | None:
    """RMSSD alone has a record, from 1 to 200 ms."""
    rmssd_ms = fields["rmssd_ms"]
    if rmssd_ms is None or not 1 <= rmssd_ms <= 200:
        return None
    return {"heartRateVariabilityMillis": rmssd_ms}


def _temperature(fields: Fields) -> JsonObject:
    at_wrist = fields["site"] == "wrist"
    return {
        "temperature": {"inCelsius": fields["temperature_c"]},
        "measurementLocation": _LOCATION_WRIST if at_wrist else _LOCATION_UNKNOWN,
    }


def _steps(fields: Fields) -> Iterator[tuple[str, JsonObject]]:
    if fields["steps"] > 0:  # a record counts from 1
        yield "StepsRecord", {"count": fields["steps"]}


def _movement(fields: Fields) -> Iterator[tuple[str, JsonObject]]:
    yield "DistanceRecord", {"distance": {"inMeters": fields["distance_m"]}}
    for column, name in (("active_energy_kcal", "Active"), ("energy_kcal", "Total")):
        if fields[column] is not None:
            energy = {"inKilocalories": fields[column]}
            yield f"{name}CaloriesBurnedRecord", {"energy": energy}


def _swim(fields: Fields) -> Iterator[tuple[str, JsonObject]]:
    members: JsonObject = {
        "exerciseType": HEALTH_CONNECT_OTHER if fields["laps"] is None else _POOL,
        "title": "Swim",
        "segments": [],
        "laps": [],
    }
    yield "ExerciseSessionRecord", members


_INSTANTS: Final[Mapping[str, tuple[str, Callable[[Fields], JsonObject | None]]]] = {
    "resting_heart_rate": (
        "RestingHeartRateRecord",
        lambda fields: {"beatsPerMinute": fields["bpm"]},
    ),
    "spo2": (
        "OxygenSaturationRecord",
        lambda fields: {"percentage": {"value": fields["spo2_pct"]}},
    ),
    "heart_rate_variability": ("HeartRateVariabilityRmssdRecord", _variability),
    "temperature": ("BodyTemperatureRecord", _temperature),
    "weight": ("WeightRecord", lambda fields: {"weight": {"inKilograms": fields["weight_kg"]}}),
}
_INTERVALS: Final[Mapping[str, Callable[[Fields], Iterator[tuple[str, JsonObject]]]]] = {
    "steps": _steps,
    "activity": _movement,
    "swim": _swim,
}
