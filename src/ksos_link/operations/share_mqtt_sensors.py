"""Readings as Home Assistant takes them by MQTT discovery: sensors, their state, their topics.

One message of configuration for each sensor, kept by the broker, and one of state for each watch.
A sensor is there only where there is a reading of the last week; what came later than now, by a
watch whose clock is wrong, is none.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from firmware_protocol.samples import Quality, Value
from ksos_link import __version__
from ksos_link.export.identity import device_uid
from ksos_link.export.source import ExportDevice, Source, named
from ksos_link.operations.local_time import utc_text

LOOKS_BACK_S: Final = 7 * 86_400
_DAY_S: Final = 86_400
_PREFIX: Final = "homeassistant"
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Sensor:
    """One kind of reading. `of_day` sums up the wearer's day so far; others are the newest one.

    `unit`, `device_class` and `state_class` are Home Assistant's words.
    """

    key: str
    title: str
    metric: str
    value: Callable[[Fields], float | None]
    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = "measurement"
    of_day: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker keeps under a topic; an empty one makes it forget."""

    topic: str
    text: str


@dataclass(slots=True)
class _Reading:
    value: float
    utc_s: int
    quality: int


def _column(name: str) -> Callable[[Fields], float | None]:
    def value(fields: Fields) -> float | None:
        found = fields[name]
        return found if isinstance(found, int | float) else None

    return value


def _asleep_min(fields: Fields) -> float | None:
    parts = (_column(name)(fields) for name in ("light_min", "deep_min", "rem_min"))
    return sum(part for part in parts if part is not None)


_TOTAL: Final = "total_increasing"
SENSORS: Final = (
    Sensor("heart_rate", "Heart rate", "heart_rate", _column("bpm"), "bpm"),
    Sensor("resting_heart_rate", "Resting heart rate", "resting_heart_rate", _column("bpm"), "bpm"),
    Sensor("spo2", "Oxygen saturation", "spo2", _column("spo2_pct"), "%"),
    Sensor("stress", "Stress", "stress", _column("stress_score")),
    Sensor("steps", "Steps today", "steps", _column("steps"), "steps", None, _TOTAL, of_day=True),
    Sensor(
        *("distance", "Distance today", "activity", _column("distance_m")),
        *("m", "distance", _TOTAL),
        of_day=True,
    ),
    Sensor("sleep", "Last sleep", "sleep_summary", _asleep_min, "min", "duration"),
    Sensor(
        "hrv_rmssd", "Heart rate variability", "heart_rate_variability", _column("rmssd_ms"), "ms"
    ),
    Sensor(
        "temperature", "Temperature", "temperature", _column("temperature_c"), "°C", "temperature"
    ),
    Sensor("noise", "Noise", "noise", _column("noise_db"), "dBA", "sound_pressure"),
    Sensor("weight", "Weight", "weight", _column("weight_kg"), "kg", "weight"),
    Sensor("battery", "Battery", "battery", _column("battery_pct"), "%", "battery"),
)


def messages(source: Source, home: str, now_utc_s: int) -> tuple[list[Message], int]:
    """What the broker is told now, and how many readings are in it. `home` names the topics.

    What is not read any more, or no longer let out, is made to be forgotten.
    """
    read = _readings(source, now_utc_s)
    told: list[Message] = []
    for device in source.devices:
        of_device = {sensor: r for (alias, sensor), r in read.items() if alias == device.alias}
        told += [
            Message(
                config_topic(device, sensor),
                json.dumps(_config(device, sensor, home)) if sensor in of_device else "",
            )
            for sensor in SENSORS
        ]
        told.append(Message(_state_topic(device), json.dumps(_state(of_device)) * bool(of_device)))
    return told, len(read)


def empty_messages(devices: Sequence[ExportDevice]) -> list[Message]:
    """What makes a broker, and Home Assistant, forget all that `messages` ever told of watches."""
    return [
        Message(topic, "")
        for device in devices
        for topic in (*(config_topic(device, each) for each in SENSORS), _state_topic(device))
    ]


def config_topic(device: ExportDevice, sensor: Sensor) -> str:
    """Where Home Assistant looks for a sensor."""
    return f"{_PREFIX}/sensor/{_node(device)}/{sensor.key}/config"


def availability_topic(home: str) -> str:
    """Where a home says whether it still sends."""
    return f"ksos/{home}/availability"


def _state_topic(device: ExportDevice) -> str:
    return f"ksos/{_node(device)}/state"


def _node(device: ExportDevice) -> str:
    return f"ksos_{device_uid(device)}"


def _config(device: ExportDevice, sensor: Sensor, home: str) -> dict[str, Any]:
    """See Home Assistant's MQTT sensor; what has no unit or class says nothing of it."""
    optional = {
        "unit_of_measurement": sensor.unit,
        "device_class": sensor.device_class,
        "state_class": sensor.state_class,
    }
    return {
        "name": sensor.title,
        "unique_id": f"{_node(device)}_{sensor.key}",
        "state_topic": _state_topic(device),
        "value_template": f"{{{{ value_json.{sensor.key} | default('None') }}}}",
        "json_attributes_topic": _state_topic(device),
        "json_attributes_template": (
            f"{{{{ value_json.about.{sensor.key} | default({{}}) | tojson }}}}"
        ),
        "availability_topic": availability_topic(home),
        "device": {
            "identifiers": [_node(device)],
            "name": device.alias,
            "model": device.product or device.family,
        },
        "origin": {"name": "ksos-link", "sw_version": __version__},
        **{name: value for name, value in optional.items() if value is not None},
    }


def _state(read: Mapping[Sensor, _Reading]) -> dict[str, Any]:
    """Values by the keys of their sensors; what is not there is absent."""
    return {
        **{sensor.key: reading.value for sensor, reading in read.items()},
        "about": {
            sensor.key: {
                "measured_at": utc_text(reading.utc_s),
                "quality": Quality(reading.quality).name.lower(),
            }
            for sensor, reading in read.items()
        },
    }


def _readings(source: Source, now_utc_s: int) -> dict[tuple[str, Sensor], _Reading]:
    """By watch and sensor, in one pass through each metric."""
    found: dict[tuple[str, Sensor], _Reading] = {}
    chosen = {metric.name for metric in source.metrics}
    for sensor in SENSORS:
        if sensor.metric not in chosen:
            continue
        for rows in source.rows(sensor.metric):
            for row in rows:
                fields = named(sensor.metric, row)
                start_utc_s = int(fields["start_utc_s"] or 0)
                if not now_utc_s - LOOKS_BACK_S <= start_utc_s <= now_utc_s:
                    continue
                alias, value = str(fields["device"]), sensor.value(fields)
                if value is None or (
                    sensor.of_day and not _same_day(source, alias, start_utc_s, now_utc_s)
                ):
                    continue
                before = found.get((alias, sensor)) if sensor.of_day else None
                total = value + (before.value if before else 0)
                quality = int(fields["quality"] or 0)
                worst = max(quality, before.quality) if before else quality
                found[alias, sensor] = _Reading(total, start_utc_s, worst)
    return found


def _same_day(source: Source, alias: str, start_utc_s: int, now_utc_s: int) -> bool:
    days = {(at + source.utc_offset_s(alias, at)) // _DAY_S for at in (start_utc_s, now_utc_s)}
    return len(days) == 1
