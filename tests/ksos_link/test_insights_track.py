"""Distances, tracks with mistakes in them, splits, climbs."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksos_link.insights import kinds
from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.geodesy import Place, geodesic_m, haversine_m
from ksos_link.insights.track import (
    Point,
    Split,
    Track,
    climb,
    distance,
    pace,
    speed,
    splits,
    track_of,
)

STEP = 0.0001  # degrees north: some eleven metres
RUN = kinds.fastest_mps("outdoor_run")


def degrees(whole: int, minutes: int, seconds: float) -> float:
    return math.copysign(abs(whole) + minutes / 60 + seconds / 3600, whole)


def northward(count: int, *, every_s: int = 4, start_s: int = 0) -> list[Point]:
    return [Point(start_s + every_s * at, 48 + STEP * at, 11.5) for at in range(count)]


def length(track: Track) -> float:
    value = distance(track).value
    assert value is not None
    return value


def test_vincenty_flinders_peak_to_buninyong() -> None:
    """The worked example of Geoscience Australia (GDA Technical Manual): 54972.271 m."""
    flinders = (degrees(-37, 57, 3.72030), degrees(144, 25, 29.52440))
    buninyong = (degrees(-37, 39, 10.15610), degrees(143, 55, 35.38390))
    assert geodesic_m(flinders, buninyong) == pytest.approx(54972.271, abs=0.001)


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        ((0.0, 0.0), (0.0, 1.0), 111319.491),  # a degree of the equator: pi / 180 x 6378137
        ((0.0, 0.0), (90.0, 0.0), 10001965.729),  # a quarter of the meridian, WGS 84
        ((0.0, 0.0), (0.5, 179.5), 19936288.579),  # Vincenty's own hard case
        ((12.0, 34.0), (12.0, 34.0), 0.0),
    ],
)
def test_geodesic(one: Place, other: Place, metres: float) -> None:
    assert geodesic_m(one, other) == pytest.approx(metres, abs=0.001)


def test_nearly_opposite_points_get_the_great_circle() -> None:
    one, other = (0.0, 0.0), (0.5, 179.7)
    assert geodesic_m(one, other) == haversine_m(one, other)


def test_haversine() -> None:
    """A degree of a great circle is pi / 180 of the radius."""
    assert haversine_m((0, 0), (0, 1)) == pytest.approx(math.pi / 180 * 6371008.8)
    assert haversine_m((90, 0), (-90, 0)) == pytest.approx(math.pi * 6371008.8)


PLACES = st.tuples(st.floats(-89, 89), st.floats(-180, 180))


@given(PLACES, PLACES)
def test_sphere_and_ellipsoid_agree_and_are_symmetric(one: Place, other: Place) -> None:
    there, back = geodesic_m(one, other), geodesic_m(other, one)
    assert there == pytest.approx(back, abs=0.01)
    assert there >= 0
    assert haversine_m(one, other) == pytest.approx(there, rel=0.0057, abs=0.01)


def test_a_plain_route() -> None:
    points = northward(101)
    track = track_of(points, RUN)
    assert (track.points, track.left_out, track.unrecorded_s) == (101, 0, 0)
    assert length(track) == pytest.approx(geodesic_m(points[0].place, points[-1].place), abs=0.01)
    assert distance(track).readings == 101
    assert distance(track).method == "Vincenty 1975"


def test_a_jump_and_back_is_left_out() -> None:
    points = northward(101)
    points[50] = points[50]._replace(longitude_deg=12.5)
    points[70] = points[70]._replace(latitude_deg=-48.0)
    points[71] = points[71]._replace(latitude_deg=48.3)
    track = track_of(points, RUN)
    assert track.left_out == 3
    assert length(track) == pytest.approx(length(track_of(northward(101), RUN)), abs=0.01)
    assert distance(track).method == "Vincenty 1975; 3 impossible points left out"


def test_a_jump_to_where_one_stays_begins_anew_and_counts_no_way() -> None:
    near, far = northward(20), northward(20, start_s=100)
    there = [point._replace(longitude_deg=13.0) for point in far]
    track = track_of([*near, *there], RUN)
    assert [len(piece) for piece in track.pieces] == [20, 20]
    assert track.left_out == 0
    assert track.unrecorded_s == 100 - 76
    assert length(track) == pytest.approx(2 * length(track_of(near, RUN)), abs=0.01)


def test_a_wrong_first_point_does_not_spoil_the_rest() -> None:
    points = northward(50)
    points[0] = points[0]._replace(latitude_deg=52.0)
    track = track_of(points, RUN)
    assert track.left_out == 1
    assert track.points == 49


def test_points_left_waiting_at_the_end_are_left_out() -> None:
    points = northward(10)
    points[8:] = [point._replace(longitude_deg=0.0) for point in points[8:]]
    assert track_of(points, RUN).left_out == 2


def test_no_places_and_no_time() -> None:
    track = track_of(
        [
            Point(0, 0.0, 0.0),
            Point(1, math.nan, 11.0),
            Point(2, 91.0, 11.0),
            Point(3, 48.0, 181.0),
            Point(4, 48.0, 11.0),
            Point(4, 48.0, 11.0),
        ],
        RUN,
    )
    assert (track.points, track.left_out) == (1, 5)
    assert distance(track).reason == "there are no two points to measure between"
    assert splits(track) == ()
    assert splits(track_of([], RUN)) == ()


def test_the_way_over_a_pause_is_not_known() -> None:
    track = track_of([*northward(11), *northward(11, start_s=600)], RUN)
    assert track.unrecorded_s == 560
    assert str(distance(track).method).endswith("560 s not recorded")


@pytest.mark.parametrize(
    ("sport", "limit"), [("outdoor_run", 12.5), ("outdoor_cycle", 70), ("gliding", 150)]
)
def test_limits(sport: str, limit: float) -> None:
    assert kinds.fastest_mps(sport) == limit


def test_speed_and_pace() -> None:
    way = Figure(10_000, "m", 3)
    assert speed(way, 2400).value == pytest.approx(4.1667, abs=1e-4)
    assert pace(way, 2400) == Figure(240, "s/km", 3)
    assert pace(Figure(0, "m", 3), 10).reason == "no distance was covered"
    assert speed(way, 0).reason == "no distance was covered"
    assert speed(absent("m", "no track"), 10).reason == "no track"


def test_splits_of_a_steady_run() -> None:
    track = track_of(northward(226), RUN)  # 225 steps of 11.1 m in 4 s
    found = splits(track)
    assert [round(split.distance_m) for split in found] == [1000, 1000, 502]
    assert found[0].duration_s == pytest.approx(found[1].duration_s, rel=1e-3)
    assert sum(split.duration_s for split in found) == 900
    assert sum(split.distance_m for split in found) == pytest.approx(length(track))
    assert found[0].pace.value == pytest.approx(found[0].duration_s)
    assert splits(track, length(track)) == (Split(length(track), 900),)
    assert splits(track, 10_000) == (Split(length(track), 900),)


def test_climb_with_hysteresis() -> None:
    """Up 30, noise of 4 m, down 20: with a threshold of 5 m the noise does not count."""
    heights = [100, 130, 126, 130, 126, 130, 110]
    points = [
        point._replace(elevation_m=height)
        for point, height in zip(northward(7), heights, strict=True)
    ]
    found = climb(track_of(points, RUN), 5)
    assert (found.gain.value, found.loss.value) == (30, 20)
    assert found.gain.readings == 7
    assert found.gain.method == "hysteresis of 5 m"
    assert climb(track_of(northward(7), RUN)).gain.reason == "no heights were recorded"


HEIGHTS = st.lists(st.floats(-400, 8000), min_size=2, max_size=40)


@given(HEIGHTS, st.floats(1, 30))
def test_a_climb_ends_where_the_heights_do(heights: list[float], threshold: float) -> None:
    points = [
        point._replace(elevation_m=height)
        for point, height in zip(northward(len(heights)), heights, strict=True)
    ]
    gain, loss = climb(track_of(points, RUN), threshold)
    assert gain.value is not None
    assert loss.value is not None
    assert abs((gain.value - loss.value) - (heights[-1] - heights[0])) < threshold + 1e-6
    steps = sum(max(0.0, b - a) for a, b in pairwise(heights))
    assert gain.value <= steps + 1e-6


WILD = st.lists(
    st.tuples(
        st.integers(-5, 200),
        st.floats(-100, 100) | st.just(math.nan),
        st.floats(-200, 200) | st.just(math.inf),
    ),
    max_size=40,
)


@given(WILD)
def test_any_points_give_a_believable_route(steps: list[tuple[int, float, float]]) -> None:
    at, points = 0, []
    for passed, north, east in steps:
        at += passed
        points.append(Point(at, north, east))
    track = track_of(points, RUN)
    assert track.points + track.left_out == len(points)
    way = distance(track).value or 0.0
    span = max((point.utc_s for point in points), default=0) - min(
        (point.utc_s for point in points), default=0
    )
    assert 0 <= way <= RUN * span + 1e-6
    assert sum(split.distance_m for split in splits(track)) == pytest.approx(way, abs=1e-3)
