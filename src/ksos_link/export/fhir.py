"""FHIR R4 for clinical programs: a Bundle of a Patient, Devices and Observations.

A dense series at even steps is one Observation with SampledData, anything else an Observation per
sample. The codes stand in `clinical_codes.py`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any, Final

from firmware_protocol.health_sports import sport_title
from firmware_protocol.samples import METRICS, Quality, Value
from ksos_link.export.clinical_codes import (
    ASLEEP,
    LOINC,
    MEASURES,
    OWN,
    SLEEP_PARTS,
    STAGE,
    UCUM,
    Category,
    Coded,
    Measure,
)
from ksos_link.export.even_runs import even_runs
from ksos_link.export.fhir_days import day_figures
from ksos_link.export.identity import device_uid, devices_by_alias, person_uid, uid_of
from ksos_link.export.instants import day_bounds, local_day, local_iso, utc_text
from ksos_link.export.json_document import JsonObject, write_json_array
from ksos_link.export.nights import Stage, asleep_min, nights
from ksos_link.export.readings import readings
from ksos_link.export.source import Row, Source
from ksos_link.export.target import Target
from ksos_link.export.xml_text import plain_text

_CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_SERIES: Final = {"heart_rate", "workout_heart_rate", "spo2", "stress", "noise", "temperature"}
_STAGES: Final = {1: "awake", 2: "light", 3: "deep", 4: "rem"}


def write_fhir(
    source: Source, target: Target, *, now: Callable[[], float] = time.time
) -> Mapping[str, int]:
    """Write a Bundle; return the samples in it by metric.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    head = {"resourceType": "Bundle", "type": "collection", "timestamp": utc_text(int(now()))}
    bundle = _Bundle(source)
    write_json_array(target, head, "entry", bundle.entries())
    return bundle.counts


class _Bundle:
    """Makes the entries, and counts the samples that went into them."""

    def __init__(self, source: Source) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._devices = devices_by_alias(source)
        self._iso = local_iso(source)
        self._subject = {"reference": f"urn:uuid:{person_uid(source)}"}

    def entries(self) -> Iterator[JsonObject]:
        yield _entry(person_uid(self._source), self._patient())
        for device in self._devices.values():
            resource = {
                "resourceType": "Device",
                "deviceName": [{"name": plain_text(device.alias), "type": "user-friendly-name"}],
                "modelNumber": plain_text(device.product),
            }
            yield _entry(device_uid(device), resource)
        for measure in MEASURES:
            yield from self._measured(measure)
        yield from self._nights()
        yield from self._days()

    def _patient(self) -> JsonObject:
        wearer = self._source.wearer
        known = (
            {}
            if wearer is None
            else {"gender": wearer.sex, "birthDate": wearer.birth_date.isoformat()}
        )
        return {"resourceType": "Patient", **known}

    def _measured(self, measure: Measure) -> Iterator[JsonObject]:
        """The observations of one metric, with what is the same in all of a device made once."""
        parts = _parts(measure)
        for alias, rows in _by_device(readings(self._source, measure.metric)):
            make = self._maker(alias, measure.code, measure.category)
            if measure.metric in _SERIES:
                count, one, many = 0, parts, _sampled(measure)
                for run in even_runs(rows, 3):  # after device, start and value
                    count += len(run)
                    if len(run) == 1:
                        yield make(run[0], one(run[0]), None)
                    else:
                        yield make(run[0], many(run), run[-1][1])
                self.counts[measure.metric] += count
                continue
            whole_day = measure.metric == "resting_heart_rate"
            for row in rows:
                self.counts[measure.metric] += 1
                yield make(row, parts(row), self._day_end(row) if whole_day else None)

    def _day_end(self, row: Row) -> int:
        alias, start_utc_s = str(row[0]), int(row[1] or 0)
        return day_bounds(self._source, alias, local_day(self._source, alias, start_utc_s))[1]

    def _maker(self, alias: str, code: Coded, category: Category) -> Callable[..., JsonObject]:
        """What makes an entry from a row, the value's members, and the last instant of a series."""
        uid, iso = uid_of(self._devices[alias], code.own), self._iso
        interval = code.own in METRICS and METRICS[code.own].interval
        categories = [{"coding": [{"system": _CATEGORIES, "code": category}]}]
        code_object, subject = _code(code), self._subject
        device = {"reference": f"urn:uuid:{device_uid(self._devices[alias])}"}

        def made(row: Row, value: JsonObject, last_utc_s: int | None) -> JsonObject:
            start_utc_s: Any = row[1]
            quality: Any = row[-1]
            end: Any = start_utc_s + row[2] if interval else last_utc_s
            resource = {
                "resourceType": "Observation",
                "status": "preliminary" if quality else "final",
                "category": categories,
                "code": code_object,
                "subject": subject,
                "device": device,
                **value,
            }
            if end is None or end == start_utc_s:
                resource["effectiveDateTime"] = iso(alias, start_utc_s)
            else:
                resource["effectivePeriod"] = {
                    "start": iso(alias, start_utc_s),
                    "end": iso(alias, end),
                }
            if quality:
                resource["note"] = [{"text": f"quality: {Quality(quality).name.lower()}"}]
            return {"fullUrl": f"urn:uuid:{uid(start_utc_s)}", "resource": resource}

        return made

    def _nights(self) -> Iterator[JsonObject]:
        for night in nights(self._source):
            if night.summary is not None:
                make = self._maker(night.alias, ASLEEP, "activity")
                self.counts["sleep_summary"] += 1
                row = _night_row(night.alias, night.summary)
                yield make(row, _night_value(night.summary), None)
            stage_of = self._maker(night.alias, STAGE, "activity")
            for stage in night.stages:
                self.counts["sleep"] += 1
                yield stage_of(_stage_row(night.alias, stage), _stage_value(stage), None)

    def _days(self) -> Iterator[JsonObject]:
        for code, category, row in day_figures(self._source):
            make = self._maker(str(row[0]), code, category)
            start_utc_s, end_utc_s = row[1], row[2]
            value = _quantity_member(code, row[3])
            yield make((row[0], start_utc_s, row[-1]), value, end_utc_s)


def _entry(uid: str, resource: JsonObject) -> JsonObject:
    return {"fullUrl": f"urn:uuid:{uid}", "resource": resource}


def _by_device(chunks: Iterator[Sequence[Row]]) -> Iterator[tuple[str, Iterator[Row]]]:
    for alias, rows in groupby(chain.from_iterable(chunks), key=lambda row: row[0]):
        yield str(alias), rows


def _code(code: Coded) -> JsonObject:
    loinc = [{"system": LOINC, "code": each, "display": text} for each, text in code.loinc]
    return {"coding": [*loinc, {"system": OWN, "code": code.own}], "text": code.text}


def _quantity(code: Coded) -> JsonObject:
    return {"unit": code.unit, "system": UCUM, "code": code.ucum}


def _quantity_member(code: Coded, value: Value) -> JsonObject:
    return {"valueQuantity": {"value": value, **_quantity(code)}}


def _parts(measure: Measure) -> Callable[[Row], JsonObject]:
    """What makes the value's members from a row: one quantity, or components of what is there."""
    names = METRICS[measure.metric].row_names
    if measure.value is not None:
        place = names.index(measure.value)
        unit = _quantity(measure.code)
        if measure.metric == "temperature":
            return lambda row: {
                **_site(measure, row),
                "valueQuantity": {"value": row[place], **unit},
            }
        return lambda row: {"valueQuantity": {"value": row[place], **unit}}
    parts = [
        (names.index(name), _code(code), _quantity(code))
        for name, code in (measure.components or {}).items()
    ]

    def components(row: Row) -> JsonObject:
        found = [
            {"code": code, "valueQuantity": {"value": row[place], **unit}}
            for place, code, unit in parts
            if row[place] is not None
        ]
        members: JsonObject = {"component": found} if found else {}
        if measure.metric == "workout":
            members["valueCodeableConcept"] = _sport(str(row[names.index("sport")]))
        elif not found:
            members["dataAbsentReason"] = {"text": "the watch gave no value"}
        return members

    return components


def _site(measure: Measure, row: Row) -> JsonObject:
    """Where the body was touched, if the sample says so."""
    site = row[3] if measure.metric == "temperature" else None
    return {} if site is None else {"bodySite": {"text": plain_text(str(site))}}


def _sampled(measure: Measure) -> Callable[[Sequence[Row]], JsonObject]:
    """What makes the value's members from an even run."""
    origin = {"value": 0, **_quantity(measure.code)}

    def value(run: Sequence[Row]) -> JsonObject:
        step_s = int(run[1][1] or 0) - int(run[0][1] or 0)
        sampled = {
            "origin": origin,
            "period": step_s * 1000,
            "dimensions": 1,
            "data": " ".join(str(row[2]) for row in run),
        }
        return {**_site(measure, run[0]), "valueSampledData": sampled}

    return value


def _sport(name: str) -> JsonObject:
    coding = [{"system": OWN, "code": plain_text(name)}]
    return {"coding": coding, "text": plain_text(sport_title(name))}


def _night_row(alias: str, summary: Mapping[str, Value]) -> Row:
    return (alias, summary["start_utc_s"], summary["duration_s"], summary["quality"])


def _night_value(summary: Mapping[str, Value]) -> JsonObject:
    parts = [
        {"code": _code(code), **_quantity_member(code, summary[name])}
        for name, code in SLEEP_PARTS.items()
        if summary.get(name) is not None
    ]
    return {**_quantity_member(ASLEEP, asleep_min(summary)), "component": parts}


def _stage_row(alias: str, stage: Stage) -> Row:
    return (alias, stage.start_utc_s, stage.end_utc_s - stage.start_utc_s, int(stage.quality))


def _stage_value(stage: Stage) -> JsonObject:
    name = _STAGES.get(stage.stage, f"stage {stage.stage}")
    coding = [{"system": OWN, "code": str(stage.stage)}]
    return {"valueCodeableConcept": {"coding": coding, "text": name}}
