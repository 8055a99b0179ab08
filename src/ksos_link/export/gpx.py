"""GPX 1.1 of one workout's route, with heart rate, cadence and speed in Garmin's point extension.

Only instants that have a place stand in a track; what was recorded at others has no place in it.
"""

from collections.abc import Iterable
from typing import Any, Final

from firmware_protocol.activity_types import counts_steps, sport_word
from firmware_protocol.sports import ksos_sport
from ksos_link.export.instants import utc_text
from ksos_link.export.source import Source, Workout
from ksos_link.export.target import Target, open_binary_target
from ksos_link.export.workout_parts import Moment, moments
from ksos_link.export.xml_text import decimal_text, plain_text

GPX: Final = "http://www.topografix.com/GPX/1/1"
# version 2: the first one that knows speed
POINT: Final = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
_POINT_TAG: Final = f"{{{GPX}}}trkpt"
_ELEVATION_TAG: Final = f"{{{GPX}}}ele"
_TIME_TAG: Final = f"{{{GPX}}}time"
_EXTENSIONS_TAG: Final = f"{{{GPX}}}extensions"
_EXTENSION_TAG: Final = f"{{{POINT}}}TrackPointExtension"
_BPM_TAG, _CADENCE_TAG, _SPEED_TAG = (f"{{{POINT}}}{name}" for name in ("hr", "cad", "speed"))
_MOST_CADENCE: Final = 254


def lacks_route(workout: Workout) -> str | None:
    """Why a workout has no place in a GPX file, None where it has."""
    return None if workout.points else "no route was recorded"


def write_gpx(_source: Source, workout: Workout, target: Target) -> None:
    """Write one workout; it must have points.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    from lxml import etree

    with open_binary_target(target) as file, etree.xmlfile(file, encoding="utf-8") as xml:
        xml.write_declaration()
        root = {"version": "1.1", "creator": "ksos-link"}
        with xml.element(f"{{{GPX}}}gpx", root, nsmap={None: GPX, "tpx": POINT}):
            with xml.element(f"{{{GPX}}}metadata"):
                _leaf(xml, "time", utc_text(workout.start_utc_s))
            with xml.element(f"{{{GPX}}}trk"):
                known = ksos_sport(workout.sport)
                _leaf(xml, "name", plain_text(known.title if known else workout.sport))
                word = sport_word(workout.sport)
                if word is not None:
                    _leaf(xml, "type", word)
                with xml.element(f"{{{GPX}}}trkseg"):
                    _write_points(xml, moments(workout), on_foot=counts_steps(workout.sport))


def _write_points(xml: Any, track: Iterable[Moment], *, on_foot: bool) -> None:
    for moment in track:
        if moment.latitude_deg is None or moment.longitude_deg is None:
            continue
        place = {
            "lat": decimal_text(moment.latitude_deg),
            "lon": decimal_text(moment.longitude_deg),
        }
        with xml.element(_POINT_TAG, place):
            if moment.elevation_m is not None:
                with xml.element(_ELEVATION_TAG):
                    xml.write(decimal_text(moment.elevation_m))
            with xml.element(_TIME_TAG):
                xml.write(utc_text(moment.utc_s))
            extension = _extension(moment, on_foot=on_foot)
            if extension:
                with xml.element(_EXTENSIONS_TAG), xml.element(_EXTENSION_TAG):
                    for tag, text in extension:
                        with xml.element(tag):
                            xml.write(text)


def _extension(moment: Moment, *, on_foot: bool) -> list[tuple[str, str]]:
    """What the extension says of a point, tag and text, in the order of its schema."""
    found = []
    if moment.bpm is not None:
        found.append((_BPM_TAG, str(moment.bpm)))
    if moment.cadence_spm is not None:
        cadence = moment.cadence_spm // 2 if on_foot else moment.cadence_spm
        if 0 <= cadence <= _MOST_CADENCE:
            found.append((_CADENCE_TAG, str(cadence)))
    if moment.speed_mps is not None:
        found.append((_SPEED_TAG, decimal_text(moment.speed_mps)))
    return found


def _leaf(xml: Any, name: str, text: str) -> None:
    with xml.element(f"{{{GPX}}}{name}"):
        xml.write(text)
