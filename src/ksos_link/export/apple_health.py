"""A folder as Apple Health exports it: export.xml, and the routes of workouts as GPX.

Nothing brings such a folder into an iPhone; it is for the many programs that read it. Elements and
attributes are those of `HealthKit Export Version: 14`, as far as we have anything for them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from firmware_protocol.health_sports import foreign_sport
from firmware_protocol.samples import Quality
from ksos_link.export.gpx import write_gpx
from ksos_link.export.identity import devices_by_alias
from ksos_link.export.instants import day_bounds, iso_text, local_day
from ksos_link.export.nights import nights
from ksos_link.export.readings import bpm_or_none, heart_rates, readings, workouts
from ksos_link.export.source import Source, Workout, named
from ksos_link.export.target import open_binary_target
from ksos_link.export.xml_text import plain_text

Fields = Mapping[str, Any]  # of a sample, by their names

ROUTES: Final = "workout-routes"
DOCUMENT_TYPE: Final = """<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
<!ELEMENT ExportDate EMPTY>
<!ATTLIST ExportDate value CDATA #REQUIRED>
<!ELEMENT Me EMPTY>
<!ATTLIST Me
  HKCharacteristicTypeIdentifierDateOfBirth CDATA #REQUIRED
  HKCharacteristicTypeIdentifierBiologicalSex CDATA #REQUIRED
  HKCharacteristicTypeIdentifierBloodType CDATA #REQUIRED
  HKCharacteristicTypeIdentifierFitzpatrickSkinType CDATA #REQUIRED
  HKCharacteristicTypeIdentifierCardioFitnessMedicationsUse CDATA #REQUIRED>
<!ELEMENT Record (MetadataEntry*)>
<!ATTLIST Record
  type CDATA #REQUIRED
  unit CDATA #IMPLIED
  value CDATA #IMPLIED
  sourceName CDATA #REQUIRED
  device CDATA #IMPLIED
  startDate CDATA #REQUIRED
  endDate CDATA #REQUIRED>
<!ELEMENT Workout ((MetadataEntry|WorkoutEvent|WorkoutRoute|WorkoutStatistics)*)>
<!ATTLIST Workout
  workoutActivityType CDATA #REQUIRED
  duration CDATA #IMPLIED
  durationUnit CDATA #IMPLIED
  totalDistance CDATA #IMPLIED
  totalDistanceUnit CDATA #IMPLIED
  totalEnergyBurned CDATA #IMPLIED
  totalEnergyBurnedUnit CDATA #IMPLIED
  sourceName CDATA #REQUIRED
  device CDATA #IMPLIED
  startDate CDATA #REQUIRED
  endDate CDATA #REQUIRED>
<!ELEMENT WorkoutEvent EMPTY>
<!ATTLIST WorkoutEvent
  type CDATA #REQUIRED
  date CDATA #REQUIRED
  duration CDATA #IMPLIED
  durationUnit CDATA #IMPLIED>
<!ELEMENT WorkoutStatistics EMPTY>
<!ATTLIST WorkoutStatistics
  type CDATA #REQUIRED
  startDate CDATA #REQUIRED
  endDate CDATA #REQUIRED
  average CDATA #IMPLIED
  minimum CDATA #IMPLIED
  maximum CDATA #IMPLIED
  sum CDATA #IMPLIED
  unit CDATA #IMPLIED>
<!ELEMENT WorkoutRoute (FileReference*)>
<!ATTLIST WorkoutRoute
  sourceName CDATA #REQUIRED
  device CDATA #IMPLIED
  startDate CDATA #REQUIRED
  endDate CDATA #REQUIRED>
<!ELEMENT FileReference EMPTY>
<!ATTLIST FileReference path CDATA #REQUIRED>
<!ELEMENT MetadataEntry EMPTY>
<!ATTLIST MetadataEntry key CDATA #REQUIRED value CDATA #REQUIRED>
]>"""
QUANTITY: Final = "HKQuantityTypeIdentifier"
SLEEP: Final = "HKCategoryTypeIdentifierSleepAnalysis"
SLEEP_VALUE: Final = "HKCategoryValueSleepAnalysis"
ACTIVITY: Final = "HKWorkoutActivityType"
# how sure a sample is, and where a temperature was taken: Apple has no field for either
QUALITY_KEY: Final = "ksos_quality"
SITE_KEY: Final = "ksos_site"
SPORT_KEY: Final = "ksos_sport"
_STAGES: Final = {1: "Awake", 2: "AsleepCore", 3: "AsleepDeep", 4: "AsleepREM"}
_DISTANCES: Final = {
    **dict.fromkeys(("Running", "Walking", "Hiking"), "DistanceWalkingRunning"),
    "Cycling": "DistanceCycling",
    "Swimming": "DistanceSwimming",
}


def write_apple_health(
    source: Source, folder: Path, *, now: Callable[[], float] = time.time
) -> Mapping[str, int]:
    """Write export.xml and the routes into a folder; return the samples in them by metric.

    Raises:
        KsosError: the folder cannot be written; see `open_binary_target`.
    """
    from lxml import etree

    export = _Export(source, folder, etree.Element)
    with (
        open_binary_target(folder / "export.xml") as file,
        etree.xmlfile(file, encoding="utf-8") as xml,
    ):
        xml.write_declaration()
        xml.write_doctype(DOCUMENT_TYPE)
        with xml.element("HealthData", locale="en"):
            for element in export.elements(int(now())):
                xml.write("\n ", element)
            xml.write("\n")
    return export.counts


class _Export:
    """Makes the elements, and counts the samples that went into them."""

    def __init__(self, source: Source, folder: Path, element: Callable[..., Any]) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._folder = folder
        self._element = element
        self._routes = 0
        self._from = {
            alias: {"sourceName": plain_text(alias), "device": plain_text(device.product)}
            for alias, device in devices_by_alias(source).items()
        }

    def elements(self, now_utc_s: int) -> Iterator[Any]:
        first = self._source.devices[0].alias
        yield self._element("ExportDate", value=self._date(first, now_utc_s))
        yield self._me()
        yield from self._heart_rates()
        for metric, records_of in _RECORDS.items():
            for rows in readings(self._source, metric):
                for row in rows:
                    yield from self._sample(metric, named(metric, row), records_of)
        yield from self._sleep()
        for workout in workouts(self._source):
            yield self._workout(workout)

    def _me(self) -> Any:
        wearer = self._source.wearer
        sex = "NotSet" if wearer is None else wearer.sex.capitalize()
        known = {
            "DateOfBirth": "" if wearer is None else wearer.birth_date.isoformat(),
            "BiologicalSex": f"HKBiologicalSex{sex}",
            "BloodType": "HKBloodTypeNotSet",
            "FitzpatrickSkinType": "HKFitzpatrickSkinTypeNotSet",
            "CardioFitnessMedicationsUse": "NotSet",
        }
        names = {f"HKCharacteristicTypeIdentifier{name}": text for name, text in known.items()}
        return self._element("Me", names)

    def _heart_rates(self) -> Iterator[Any]:
        for alias, utc_s, bpm, quality, metric in heart_rates(self._source):
            self.counts[metric] += 1
            yield self._record(
                alias, (utc_s, utc_s), f"{QUANTITY}HeartRate", "count/min", bpm, quality
            )

    def _sample(
        self, metric: str, fields: Fields, records_of: "Callable[[Fields], Iterator[Figure]]"
    ) -> Iterator[Any]:
        alias, start_utc_s = fields["device"], fields["start_utc_s"]
        end_utc_s = start_utc_s + (fields.get("duration_s") or 0)
        if metric == "resting_heart_rate":  # the figure of a local day, kept at its beginning
            day = local_day(self._source, alias, start_utc_s)
            end_utc_s = day_bounds(self._source, alias, day)[1]
        made = 0
        for kind, unit, value in records_of(fields):
            made += 1
            record = self._record(
                alias,
                (start_utc_s, end_utc_s),
                f"{QUANTITY}{kind}",
                unit,
                value,
                fields["quality"],
            )
            if fields.get("site") is not None:
                self._note(record, SITE_KEY, fields["site"])
            yield record
        self.counts[metric] += made > 0

    def _sleep(self) -> Iterator[Any]:
        for night in nights(self._source):
            span = (night.start_utc_s, night.end_utc_s)
            in_bed = f"{SLEEP_VALUE}InBed"
            yield self._record(night.alias, span, SLEEP, None, in_bed, night.quality)
            self.counts["sleep_summary"] += night.summary is not None
            self.counts["sleep"] += len(night.stages)
            for stage in night.stages:
                value = f"{SLEEP_VALUE}{_STAGES.get(stage.stage, 'AsleepUnspecified')}"
                span = (stage.start_utc_s, stage.end_utc_s)
                yield self._record(night.alias, span, SLEEP, None, value, stage.quality)

    def _record(
        self,
        alias: str,
        span: tuple[int, int],
        kind: str,
        unit: str | None,
        value: float | str,
        quality: int,
    ) -> Any:
        record = self._element("Record", type=kind, **self._from[alias])
        if unit is not None:
            record.set("unit", unit)
        for name, utc_s in zip(("startDate", "endDate"), span, strict=True):
            record.set(name, self._date(alias, utc_s))
        record.set("value", str(value))
        if quality:
            self._note(record, QUALITY_KEY, Quality(quality).name.lower())
        return record

    def _note(self, element: Any, key: str, value: str) -> None:
        element.append(self._element("MetadataEntry", key=key, value=plain_text(value)))

    def _workout(self, workout: Workout) -> Any:
        dates = {
            "startDate": self._date(workout.alias, workout.start_utc_s),
            "endDate": self._date(workout.alias, workout.end_utc_s),
        }
        origin = self._from[workout.alias]
        name = foreign_sport(workout.sport)[0]
        element = self._element(
            "Workout",
            workoutActivityType=f"{ACTIVITY}{name}",
            duration=str(workout.duration_s / 60),
            durationUnit="min",
            **_totals(workout),
            **origin,
            **dates,
        )
        self._note(element, SPORT_KEY, workout.sport)
        if workout.quality:
            self._note(element, QUALITY_KEY, workout.quality.name.lower())
        for split in (named("workout_split", row) for row in workout.splits):
            element.append(self._lap(workout.alias, split))
        for figures in _statistics(workout, name):
            element.append(self._element("WorkoutStatistics", **figures, **dates))
        if workout.points:
            route = self._element("WorkoutRoute", **origin, **dates)
            route.append(self._element("FileReference", path=self._route(workout)))
            element.append(route)
        self.counts.update({"workout": 1, "workout_split": len(workout.splits)})
        self.counts["workout_point"] += len(workout.points)
        return element

    def _lap(self, alias: str, split: Fields) -> Any:
        return self._element(
            "WorkoutEvent",
            type="HKWorkoutEventTypeLap",
            date=self._date(alias, split["start_utc_s"]),
            duration=str(split["duration_s"] / 60),
            durationUnit="min",
        )

    def _route(self, workout: Workout) -> str:
        """Write the route; return its path as the document names it."""
        folder = self._folder / ROUTES
        folder.mkdir(mode=0o700, exist_ok=True)
        self._routes += 1
        local = iso_text(workout.start_utc_s, workout.utc_offset_s)[:10]
        name = f"route_{local}_{self._routes}.gpx"
        write_gpx(self._source, workout, folder / name)
        return f"/{ROUTES}/{name}"

    def _date(self, alias: str, utc_s: int) -> str:
        """As `2026-11-22 08:05:00 +0100`."""
        iso = iso_text(utc_s, self._source.utc_offset_s(alias, utc_s))
        return f"{iso[:10]} {iso[11:19]} {iso[19:22]}{iso[23:]}"


def _totals(workout: Workout) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, column, unit in (
        ("totalDistance", "distance_m", "m"),
        ("totalEnergyBurned", "energy_kcal", "kcal"),
    ):
        value = workout.values[column]
        if value is not None:
            found |= {name: str(value), f"{name}Unit": unit}
    return found


def _statistics(workout: Workout, apple_name: str) -> Iterator[dict[str, str]]:
    """What was summed up of a workout, by Apple's types."""
    steps, distance_m = workout.values["steps"], workout.values["distance_m"]
    if steps is not None:
        yield {"type": f"{QUANTITY}StepCount", "sum": str(steps), "unit": "count"}
    if distance_m is not None and apple_name in _DISTANCES:
        kind = f"{QUANTITY}{_DISTANCES[apple_name]}"
        yield {"type": kind, "sum": str(distance_m), "unit": "m"}
    columns = {"average": "bpm_avg", "minimum": "bpm_min", "maximum": "bpm_max"}
    beats = {name: bpm_or_none(workout.values[column]) for name, column in columns.items()}
    known = {name: str(bpm) for name, bpm in beats.items() if bpm is not None}
    if known:
        yield {"type": f"{QUANTITY}HeartRate", **known, "unit": "count/min"}


Figure = tuple[str, str, float]  # Apple's type, unit, value


def _movement(fields: Fields) -> Iterator[Figure]:
    """Distance, and energy above rest and at rest where both are known."""
    yield "DistanceWalkingRunning", "m", fields["distance_m"]
    active, total = fields["active_energy_kcal"], fields["energy_kcal"]
    if active is not None:
        yield "ActiveEnergyBurned", "kcal", active
        if total is not None and total >= active:
            yield "BasalEnergyBurned", "kcal", total - active


def _variability(fields: Fields) -> Iterator[Figure]:
    if fields["sdnn_ms"] is not None:
        yield "HeartRateVariabilitySDNN", "ms", fields["sdnn_ms"]


def _one(kind: str, unit: str, column: str) -> Callable[[Fields], Iterator[Figure]]:
    def figure(fields: Fields) -> Iterator[Figure]:
        yield kind, unit, fields[column]

    return figure


def _oxygen(fields: Fields) -> Iterator[Figure]:
    yield "OxygenSaturation", "%", fields["spo2_pct"] / 100  # the unit says %, the value is a part


_RECORDS: Final[Mapping[str, Callable[[Fields], Iterator[Figure]]]] = {
    "resting_heart_rate": _one("RestingHeartRate", "count/min", "bpm"),
    "spo2": _oxygen,
    "steps": _one("StepCount", "count", "steps"),
    "activity": _movement,
    "heart_rate_variability": _variability,
    "temperature": _one("BodyTemperature", "degC", "temperature_c"),
    "noise": _one("EnvironmentalAudioExposure", "dBASPL", "noise_db"),
    "weight": _one("BodyMass", "kg", "weight_kg"),
}
