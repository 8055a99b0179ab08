"""Open mHealth and IEEE 1752.1 for research programs: one data point a line.

Schemas: openmhealth.org (omh) and IEEE 1752.1 (ieee), which took over sleep and activity. What they
have no schema for (stress, noise, summed-up variability, batteries, routes) is not in it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from firmware_protocol.health_sports import sport_title
from firmware_protocol.samples import METRICS, Quality, SleepStage, Value
from ksos_link.export.identity import device_uid, devices_by_alias, uid_of
from ksos_link.export.instants import day_bounds, local_day, local_iso
from ksos_link.export.json_document import JsonObject, write_json_objects
from ksos_link.export.nights import Night, asleep_min, nights
from ksos_link.export.readings import readings
from ksos_link.export.source import Source, named
from ksos_link.export.target import Target

Schema = tuple[str, str, str]  # namespace, name, version
Fields = Mapping[str, Any]  # of a sample, by their names

HEART_RATE: Final = ("omh", "heart-rate", "2.0")
OXYGEN: Final = ("omh", "oxygen-saturation", "2.0")
RR_INTERVAL: Final = ("omh", "rr-interval", "1.0")
TEMPERATURE: Final = ("omh", "body-temperature", "4.0")
WEIGHT: Final = ("omh", "body-weight", "3.0")
ACTIVITY: Final = ("ieee", "physical-activity", "1.0")
SLEEP_EPISODE: Final = ("ieee", "sleep-episode", "1.0")
SLEEP_STAGES: Final = ("ieee", "sleep-stage-summary", "1.0")
_STAGES: Final[Mapping[int, str]] = {
    SleepStage.AWAKE: "Awake",
    SleepStage.LIGHT: "Light_sleep",
    SleepStage.DEEP: "Deep_sleep",
    SleepStage.REM: "REM_sleep",
}


def write_open_mhealth(source: Source, target: Target) -> Mapping[str, int]:
    """Write data points as JSON lines; return the samples in them by metric.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    points = _Points(source)
    write_json_objects(target, points.all())
    return points.counts


class _Points:
    """Makes the data points, and counts the samples that went into them."""

    def __init__(self, source: Source) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._devices = devices_by_alias(source)
        self._iso = local_iso(source)

    def all(self) -> Iterator[JsonObject]:
        for metric in _BODIES:
            for rows in readings(self._source, metric):
                for row in rows:
                    self.counts[metric] += 1
                    yield self._sample(metric, named(metric, row))
        for night in nights(self._source):
            if night.summary is not None:
                self.counts["sleep_summary"] += 1
                yield self._episode(night.summary)
            if night.stages:
                self.counts["sleep"] += len(night.stages)
                yield self._stages(night)

    def _sample(self, metric: str, fields: Fields) -> JsonObject:
        schema, body_of = _BODIES[metric]
        alias, start_utc_s = fields["device"], fields["start_utc_s"]
        end_utc_s = start_utc_s + (fields.get("duration_s") or 0)
        if metric == "resting_heart_rate":  # the figure of a local day, kept at its beginning
            day = local_day(self._source, alias, start_utc_s)
            end_utc_s = day_bounds(self._source, alias, day)[1]
        header = self._header(metric, schema, alias, (start_utc_s, end_utc_s), fields["quality"])
        if METRICS[metric].interval or end_utc_s > start_utc_s:
            frame = self._frame(alias, start_utc_s, end_utc_s)
        else:
            frame = {"date_time": self._iso(alias, start_utc_s)}
        return {"header": header, "body": {**body_of(fields), "effective_time_frame": frame}}

    def _episode(self, summary: Fields) -> JsonObject:
        alias, start_utc_s = summary["device"], summary["start_utc_s"]
        span = (start_utc_s, start_utc_s + summary["duration_s"])
        parts = {
            f"{name}_sleep_duration": _value(summary[f"{name}_min"], "min")
            for name in ("light", "deep", "rem")
            if summary[f"{name}_min"] is not None
        }
        body = {
            "total_sleep_time": _value(asleep_min(summary), "min"),
            **parts,
            "wake_after_sleep_onset": _value(summary["awake_min"], "min"),
            "effective_time_frame": self._frame(alias, *span),
        }
        header = self._header("sleep_summary", SLEEP_EPISODE, alias, span, summary["quality"])
        return {"header": header, "body": body}

    def _stages(self, night: Night) -> JsonObject:
        span = (night.stages[0].start_utc_s, night.stages[-1].end_utc_s)
        episodes = [
            {
                "sleep_stage_state": _STAGES.get(stage.stage, "Unknown_sleep"),
                "sleep_stage_time_frame": self._frame(
                    night.alias, stage.start_utc_s, stage.end_utc_s
                ),
            }
            for stage in night.stages
        ]
        body = {
            "sleep_stage_summary": {"total_sleep_time": _value(night.stages_asleep_s, "sec")},
            "sleep_stage_episodes": episodes,
            "effective_time_frame": self._frame(night.alias, *span),
        }
        quality = max(stage.quality for stage in night.stages)
        return {
            "header": self._header("sleep", SLEEP_STAGES, night.alias, span, quality),
            "body": body,
        }

    def _header(
        self, metric: str, schema: Schema, alias: str, span: tuple[int, int], quality: int
    ) -> JsonObject:
        device = self._devices[alias]
        hardware = f"urn:uuid:{device_uid(device)}"
        header: JsonObject = {
            "uuid": uid_of(device, metric)(span[0]),
            "schema_id": dict(zip(("namespace", "name", "version"), schema, strict=True)),
            "source_creation_date_time": self._iso(alias, span[1]),
            "modality": "sensed",
            "external_datasheets": [
                {"datasheet_type": "hardware", "datasheet_reference": hardware},
            ],
        }
        if quality:
            header["quality"] = Quality(quality).name.lower()
        return header

    def _frame(self, alias: str, start_utc_s: int, end_utc_s: int) -> JsonObject:
        start, end = self._iso(alias, start_utc_s), self._iso(alias, end_utc_s)
        return {"time_interval": {"start_date_time": start, "end_date_time": end}}


def _value(value: Value, unit: str) -> JsonObject:
    return {"value": value, "unit": unit}


def _quantities(fields: Fields, members: Mapping[str, tuple[str, str]]) -> JsonObject:
    """The members of a body that are there: by name, the field and its unit."""
    return {
        name: _value(fields[field], unit)
        for name, (field, unit) in members.items()
        if fields[field] is not None
    }


def _heart_rate(fields: Fields) -> JsonObject:
    return {"heart_rate": _value(fields["bpm"], "beats/min")}


def _resting(fields: Fields) -> JsonObject:
    return {**_heart_rate(fields), "temporal_relationship_to_physical_activity": "at rest"}


def _in_workout(fields: Fields) -> JsonObject:
    return {**_heart_rate(fields), "temporal_relationship_to_physical_activity": "during exercise"}


def _oxygen(fields: Fields) -> JsonObject:
    return {
        "oxygen_saturation": _value(fields["spo2_pct"], "%"),
        "system": "peripheral capillary",
        "measurement_method": "pulse oximetry",
    }


def _temperature(fields: Fields) -> JsonObject:
    body: JsonObject = {"body_temperature": _value(fields["temperature_c"], "C")}
    if fields["site"] == "wrist":
        body["measurement_location"] = "wrist"
    return body


def _steps(fields: Fields) -> JsonObject:
    return {
        "activity_name": "steps",
        "base_movement_quantity": _value(fields["steps"], "steps"),
    }


def _movement(fields: Fields) -> JsonObject:
    members = {"distance": ("distance_m", "m"), "kcal_burned": ("energy_kcal", "kcal")}
    return {"activity_name": "movement", **_quantities(fields, members)}


def _workout(fields: Fields) -> JsonObject:
    members = {
        "base_movement_quantity": ("steps", "steps"),
        "distance": ("distance_m", "m"),
        "kcal_burned": ("energy_kcal", "kcal"),
        "average_cadence": ("cadence_avg_spm", "steps/min"),
        "average_speed": ("speed_avg_mps", "m/s"),
    }
    name = sport_title(fields["sport"])
    return {"activity_name": name, **_quantities(fields, members)}


def _swim(fields: Fields) -> JsonObject:
    members = {
        "base_movement_quantity": ("laps", "laps"),
        "distance": ("distance_m", "m"),
        "kcal_burned": ("energy_kcal", "kcal"),
    }
    return {"activity_name": "swimming", **_quantities(fields, members)}


_BODIES: Final[Mapping[str, tuple[Schema, Callable[[Fields], JsonObject]]]] = {
    "heart_rate": (HEART_RATE, _heart_rate),
    "resting_heart_rate": (HEART_RATE, _resting),
    "workout_heart_rate": (HEART_RATE, _in_workout),
    "spo2": (OXYGEN, _oxygen),
    "steps": (ACTIVITY, _steps),
    "activity": (ACTIVITY, _movement),
    "workout": (ACTIVITY, _workout),
    "swim": (ACTIVITY, _swim),
    "rr_interval": (RR_INTERVAL, lambda fields: {"rr_interval": _value(fields["rr_ms"], "ms")}),
    "temperature": (TEMPERATURE, _temperature),
    "weight": (WEIGHT, lambda fields: {"body_weight": _value(fields["weight_kg"], "kg")}),
}
