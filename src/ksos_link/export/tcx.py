"""TCX version 2 of one workout: laps, and the points of each in the order of the schema.

The schema demands time, distance and energy of each lap: 0 stands where nothing is known. Energy
that the watch gave for the whole alone stands in the last lap.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from firmware_protocol.activity_types import counts_steps, fit_sport
from ksos_link.export.instants import utc_text
from ksos_link.export.source import Source, Workout
from ksos_link.export.target import Target, open_binary_target
from ksos_link.export.workout_parts import Lap, Moment, laps, moments, whole
from ksos_link.export.xml_text import decimal_text, plain_text

TCX: Final = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
EXTENSION: Final = "http://www.garmin.com/xmlschemas/ActivityExtension/v2"
_SPORTS: Final = {1: "Running", 2: "Biking"}  # by FIT's numbers; all else is Other
_MOST_CADENCE: Final = 254
_MOST_CALORIES: Final = 65535


def write_tcx(_source: Source, workout: Workout, target: Target) -> None:
    """Write one workout.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    from lxml import etree

    with open_binary_target(target) as file, etree.xmlfile(file, encoding="utf-8") as xml:
        xml.write_declaration()
        with (
            xml.element(f"{{{TCX}}}TrainingCenterDatabase", nsmap={None: TCX, "ae": EXTENSION}),
            xml.element(f"{{{TCX}}}Activities"),
            xml.element(
                f"{{{TCX}}}Activity", Sport=_SPORTS.get(fit_sport(workout.sport).sport, "Other")
            ),
        ):
            _leaf(xml, "Id", utc_text(workout.start_utc_s))
            on_foot = counts_steps(workout.sport)
            pieces = list(_laps(workout))
            for number, (lap, calories, track) in enumerate(pieces, 1):
                # a person ends the last one
                trigger = "Manual" if number == len(pieces) else "Distance"
                _write_lap(xml, lap, calories, track, trigger, on_foot=on_foot)
            _leaf(xml, "Notes", plain_text(workout.sport))


def _laps(workout: Workout) -> Iterator[tuple[Lap, int, list[Moment]]]:
    """Each lap with its energy and what was recorded before the next one began."""
    found = laps(workout)
    all_kcal = whole(workout, "energy_kcal")
    kcal = [lap.energy_kcal or 0 for lap in found]
    if all_kcal is not None:
        kcal[-1] = max(0, all_kcal - sum(kcal[:-1]))
    track = list(moments(workout))
    at = 0
    for number, lap in enumerate(found):
        ends = found[number + 1].start_utc_s if number + 1 < len(found) else None
        begun = at
        while at < len(track) and (ends is None or track[at].utc_s < ends):
            at += 1
        yield lap, min(kcal[number], _MOST_CALORIES), track[begun:at]


def _write_lap(
    xml: Any, lap: Lap, calories: int, track: Sequence[Moment], trigger: str, *, on_foot: bool
) -> None:
    with xml.element(f"{{{TCX}}}Lap", StartTime=utc_text(lap.start_utc_s)):
        _leaf(xml, "TotalTimeSeconds", f"{lap.duration_s}.0")
        _leaf(xml, "DistanceMeters", f"{lap.distance_m or 0}.0")
        _leaf(xml, "Calories", str(calories))
        _write_bpm(xml, "AverageHeartRateBpm", lap.bpm_avg)
        _write_bpm(xml, "MaximumHeartRateBpm", lap.bpm_max)
        _leaf(xml, "Intensity", "Active")
        _leaf(xml, "TriggerMethod", trigger)
        if track:
            with xml.element(f"{{{TCX}}}Track"):
                for moment in track:
                    _write_moment(xml, moment, on_foot=on_foot)


def _write_moment(xml: Any, moment: Moment, *, on_foot: bool) -> None:
    with xml.element(f"{{{TCX}}}Trackpoint"):
        _leaf(xml, "Time", utc_text(moment.utc_s))
        if moment.latitude_deg is not None and moment.longitude_deg is not None:
            with xml.element(f"{{{TCX}}}Position"):
                _leaf(xml, "LatitudeDegrees", decimal_text(moment.latitude_deg))
                _leaf(xml, "LongitudeDegrees", decimal_text(moment.longitude_deg))
        if moment.elevation_m is not None:
            _leaf(xml, "AltitudeMeters", decimal_text(moment.elevation_m))
        if moment.distance_m is not None:
            _leaf(xml, "DistanceMeters", decimal_text(moment.distance_m))
        _write_bpm(xml, "HeartRateBpm", moment.bpm)
        cadence = _cadence(moment, on_foot=on_foot)
        if cadence is not None and not on_foot:
            _leaf(xml, "Cadence", cadence)
        steps = cadence if on_foot else None
        if moment.speed_mps is not None or steps is not None:
            with xml.element(f"{{{TCX}}}Extensions"), xml.element(f"{{{EXTENSION}}}TPX"):
                if moment.speed_mps is not None:
                    _leaf(xml, "Speed", decimal_text(moment.speed_mps), EXTENSION)
                if steps is not None:
                    _leaf(xml, "RunCadence", steps, EXTENSION)


def _cadence(moment: Moment, *, on_foot: bool) -> str | None:
    if moment.cadence_spm is None:
        return None
    cadence = moment.cadence_spm // 2 if on_foot else moment.cadence_spm
    return str(cadence) if 0 <= cadence <= _MOST_CADENCE else None


def _write_bpm(xml: Any, name: str, bpm: int | None) -> None:
    if bpm is not None:
        with xml.element(f"{{{TCX}}}{name}"):
            _leaf(xml, "Value", str(bpm))


def _leaf(xml: Any, name: str, text: str, namespace: str = TCX) -> None:
    with xml.element(f"{{{namespace}}}{name}"):
        xml.write(text)
