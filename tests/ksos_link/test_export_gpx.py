"""GPX routes: the schema's order, the extension's own rules and namespace, read by gpxpy."""

import io
import re
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import gpxpy
import pytest
from lxml import etree

from ksos_link.errors import StoreError
from ksos_link.export.gpx import lacks_route, write_gpx
from ksos_link.export.source import Workout
from tests.ksos_link.made_up_source import START, MadeUpSource, made_up_workout, point

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

GPX = "{http://www.topografix.com/GPX/1/1}"
POINT = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}"
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
# the elements that the extension's schema has, in its order, and what each may hold
EXTENSION = {
    "atemp": (-1e9, 1e9),
    "wtemp": (-1e9, 1e9),
    "depth": (-1e9, 1e9),
    "hr": (1, 255),
    "cad": (0, 254),
    "speed": (-1e9, 1e9),
    "course": (0, 360),
    "bearing": (0, 360),
}
TRACK_POINT = ["ele", "time", "extensions"]


def document(workout: Workout) -> bytes:
    text = io.TextIOWrapper(io.BytesIO(), "utf-8")
    write_gpx(MadeUpSource([workout]), workout, text)
    text.flush()
    text.seek(0)
    return text.buffer.read()


def checked(data: bytes) -> list[dict[str, float]]:
    """The points of a document that keeps the rules of GPX 1.1 and of the extension."""
    root = etree.fromstring(data)
    assert root.tag == f"{GPX}gpx"
    assert {str(name): value for name, value in root.attrib.items()} == {
        "version": "1.1",
        "creator": "ksos-link",
    }
    assert [child.tag for child in root] == [f"{GPX}metadata", f"{GPX}trk"]
    assert root[1][0].tag == f"{GPX}name"
    assert root[1][-1].tag == f"{GPX}trkseg"
    found = []
    for each in root.iter(f"{GPX}trkpt"):
        names = [str(child.tag).removeprefix(GPX) for child in each]
        assert names == [name for name in TRACK_POINT if name in names]
        values = {"lat": float(each.get("lat", "")), "lon": float(each.get("lon", ""))}
        assert all(DECIMAL.fullmatch(each.get(name, "")) for name in ("lat", "lon"))
        assert abs(values["lat"]) <= 90
        assert -180 <= values["lon"] < 180
        for leaf in each:
            if leaf.tag == f"{GPX}extensions":
                values |= _extension(leaf)
            elif leaf.tag == f"{GPX}time":
                at = datetime.fromisoformat(str(leaf.text))
                values["time"] = at.timestamp()
            else:
                values["ele"] = float(str(leaf.text))
        found.append(values)
    return found


def _extension(leaf: etree._Element) -> dict[str, float]:
    (extension,) = leaf
    assert extension.tag == f"{POINT}TrackPointExtension"
    assert all(str(child.tag).startswith(POINT) for child in extension)
    names = [str(child.tag).removeprefix(POINT) for child in extension]
    assert names == [name for name in EXTENSION if name in names] != []
    values = {}
    for child, name in zip(extension, names, strict=True):
        least, most = EXTENSION[name]
        values[name] = float(str(child.text))
        assert least <= values[name] <= most
        assert DECIMAL.fullmatch(str(child.text))
    return values


def test_a_route_is_read_as_it_was_recorded() -> None:
    points = [
        point(
            START + at,
            -33.9 + at / 1e5,
            151.2 + at / 1e5,
            elevation_m=12.5,
            speed_mps=3.25,
            cadence_spm=170,
        )
        for at in range(300)
    ]
    beats = [(START + at, 100 + at % 50) for at in range(0, 300, 5)]
    data = document(made_up_workout(points=points, heart_rate=beats))
    found = checked(data)
    assert [one["time"] for one in found] == [row[1] for row in points]
    assert [(one["lat"], one["lon"]) for one in found] == [row[2:4] for row in points]
    assert {(one["ele"], one["speed"], one["cad"]) for one in found} == {(12.5, 3.25, 85)}
    assert [(one["time"], one["hr"]) for one in found if "hr" in one] == beats

    (track,) = gpxpy.parse(data.decode()).tracks
    assert [str(track.name), str(track.type)] == ["Outdoor Run", "running"]
    read = [(each.latitude, each.longitude, each.elevation, each.time) for each in track.walk(True)]
    assert read == [
        (row[2], row[3], 12.5, datetime.fromtimestamp(int(str(row[1])), UTC)) for row in points
    ]
    assert [each.extensions[0].tag for each in track.walk(True)] == [
        f"{POINT}TrackPointExtension"
    ] * 300


def test_what_is_absent_has_no_element() -> None:
    bare = made_up_workout("chess", points=[point(START, 47.0, 8.0)])
    assert checked(document(bare)) == [{"lat": 47.0, "lon": 8.0, "time": START}]
    assert b"<type>" not in document(bare)


@pytest.mark.parametrize("bpm", [0, 255, 300, -3])
def test_a_reading_that_is_none_is_absent(bpm: int) -> None:
    odd = made_up_workout(points=[point(START, 47.0, 8.0)], heart_rate=[(START, bpm)])
    assert "hr" not in checked(document(odd))[0]


def test_odd_places_and_numbers_stay_within_the_schema() -> None:
    points = [
        point(START, 1e-7, -1e-9, elevation_m=1e-5, speed_mps=1e-5),
        point(START + 1, 91.0, 8.0),  # not on earth
        point(START + 2, 47.0, 180.0, cadence_spm=9999),
        point(START + 3, -47.0, -12.0),  # an impossible jump, as it was recorded
    ]
    found = checked(document(made_up_workout(points=points)))
    assert [one["time"] - START for one in found] == [0, 2, 3]
    assert found[0]["lat"] == 1e-7
    assert found[1]["lon"] == -180
    assert "cad" not in found[1]


def test_a_hostile_sport_is_text() -> None:
    data = document(made_up_workout("<b>&]]>\x07", points=[point(START, 47.0, 8.0)]))
    assert gpxpy.parse(data.decode()).tracks[0].name == "<b>&]]>"


def test_years_at_the_edges_and_a_workout_across_midnight() -> None:
    for year in (1970, 2099):
        start = int(datetime(year, 12, 31, 23, 59, 30, tzinfo=UTC).timestamp())
        points = [point(start + at, 47.0, 8.0) for at in (0, 60)]
        found = checked(document(made_up_workout(start_utc_s=start, points=points)))
        assert [one["time"] for one in found] == [start, start + 60]


def test_a_workout_without_a_route_says_so(ksos: "CommandLine", tmp_path: Path) -> None:
    assert lacks_route(made_up_workout()) == "no route was recorded"
    assert ksos("sync", "--device", "virtual:ido?scenario=runner").code == 0
    said = ksos("export", "--format", "gpx", "--out", tmp_path)
    assert said.code == 3
    assert "no route was recorded" in said.err
    assert not list(tmp_path.glob("*.gpx"))


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    workout = made_up_workout(points=[point(START + at, 47.0, 8.0) for at in range(2000)])
    with file_size_limit(10_000), pytest.raises(StoreError, match="full"):
        write_gpx(MadeUpSource([workout]), workout, tmp_path / "run.gpx")
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_hold_the_document(tmp_path: Path) -> None:
    workout = made_up_workout(points=[point(START + at, 47.0, 8.0) for at in range(20_000)])
    tracemalloc.start()
    write_gpx(MadeUpSource([workout]), workout, tmp_path / "long.gpx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "long.gpx").stat().st_size > 1_300_000
    assert peak < 8_000_000  # the points themselves were there before
