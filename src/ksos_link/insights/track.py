"""What a recorded route says: distance, speed, pace, splits, climb."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Final, NamedTuple

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.geodesy import Place, geodesic_m

METRE: Final = "m"
PACE: Final = "s/km"
SPEED: Final = "m/s"
KILOMETRE_M: Final = 1000.0
_GAP_S: Final = 60  # nobody knows which way was taken meanwhile
_AGREEING: Final = (
    3  # so many points in a row that fit each other are right, and what was before is not
)
_CLIMB_M: Final = 10.0  # without a barometer; heights by GPS wander by several metres


class Point(NamedTuple):
    """Where somebody was at an instant; no elevation where it was not recorded."""

    utc_s: int
    latitude_deg: float
    longitude_deg: float
    elevation_m: float | None = None

    @property
    def place(self) -> Place:
        """Degrees north and east."""
        return (self.latitude_deg, self.longitude_deg)


@dataclass(frozen=True, slots=True)
class Track:
    """The believable points of a route, in pieces between which nothing is known.

    `distance_m` of each point counts from the start, over the pieces.
    """

    pieces: tuple[tuple[Point, ...], ...]
    distance_m: tuple[tuple[float, ...], ...]
    left_out: int
    unrecorded_s: int

    @property
    def points(self) -> int:
        """How many points are believed."""
        return sum(map(len, self.pieces))

    @property
    def remarks(self) -> str:
        """What a distance leaves out."""
        told = []
        if self.left_out:
            told.append(f"{self.left_out} impossible points left out")
        if self.unrecorded_s:
            told.append(f"{self.unrecorded_s} s not recorded")
        return "; ".join(told)


def track_of(points: Sequence[Point], limit_mps: float) -> Track:
    """Keep what can be: no jumps beyond a speed, no point that is no place, no time that stands.

    A point that cannot be reached in time is left out. When three in a row fit each other but not
    what was before, a new piece begins with them, and the way to it counts nothing; nor does a way
    of more than a minute without a point.
    """
    cleaner = _Cleaner(limit_mps)
    for point in points:
        cleaner.take(point)
    return cleaner.done()


def distance(track: Track) -> Figure:
    """The length of a route on the ellipsoid of WGS 84 (see `geodesic_m`)."""
    lengths = [piece[-1] for piece in track.distance_m if len(piece) > 1]
    if not lengths:
        return absent(METRE, "there are no two points to measure between", track.points)
    made = Figure(lengths[-1], METRE, track.points, method=track.remarks or None)
    return made.named("Vincenty 1975")


def speed(distance_m: Figure, duration_s: float) -> Figure:
    """Distance by time."""
    return _rate(distance_m, duration_s, SPEED, lambda metres: metres / duration_s)


def pace(distance_m: Figure, duration_s: float) -> Figure:
    """Time for a kilometre."""
    return _rate(distance_m, duration_s, PACE, lambda metres: duration_s * KILOMETRE_M / metres)


@dataclass(frozen=True, slots=True)
class Split:
    """A stretch of a workout: how long it is, and how long it took."""

    distance_m: float
    duration_s: float

    @property
    def pace(self) -> Figure:
        """Time for a kilometre of it."""
        return pace(Figure(self.distance_m, METRE, 1), self.duration_s)


def splits(track: Track, length_m: float = KILOMETRE_M) -> tuple[Split, ...]:
    """The route in stretches of one length, the last as long as it is; pauses are in them.

    The instant of a whole length is taken from its neighbours in proportion to the way.
    """
    times = [point.utc_s for piece in track.pieces for point in piece]
    ways = [way for piece in track.distance_m for way in piece]
    if not ways or ways[-1] <= 0:
        return ()
    marks = [length_m * count for count in range(1, int(ways[-1] / length_m) + 1)]
    if not marks or marks[-1] < ways[-1]:
        marks.append(ways[-1])
    instants = [times[0], *(_instant(mark, times, ways) for mark in marks)]
    return tuple(
        Split(mark - earlier, until - since)
        for (earlier, mark), (since, until) in zip(
            pairwise([0.0, *marks]), pairwise(instants), strict=True
        )
    )


class Climb(NamedTuple):
    """Metres up and metres down."""

    gain: Figure
    loss: Figure


def climb(track: Track, threshold_m: float = _CLIMB_M) -> Climb:
    """Metres up and down, with hysteresis: a height counts once it is a threshold off the last.

    Without it the noise of the heights adds up to hundreds of metres. No norm fixes the threshold:
    ten metres suit heights by GPS, two or three those of a barometer (as Strava's and
    GoldenCheetah's documentation have it). Way between pieces does not count.
    """
    up = down = 0.0
    used = 0
    for piece in track.pieces:
        heights = [point.elevation_m for point in piece if point.elevation_m is not None]
        used += len(heights)
        last = heights[0] if heights else 0.0
        for height in heights:
            if abs(height - last) >= threshold_m:
                up += max(height - last, 0.0)
                down += max(last - height, 0.0)
                last = height
    if used < 2:
        reason = absent(METRE, "no heights were recorded", used)
        return Climb(reason, reason)
    name = f"hysteresis of {threshold_m:g} m"
    return Climb(Figure(up, METRE, used, method=name), Figure(down, METRE, used, method=name))


@dataclass(slots=True)
class _Cleaner:
    """Sorts points into pieces; `waiting` are those that fit each other but not the last piece."""

    limit_mps: float
    pieces: list[list[Point]] = field(default_factory=list)
    ways: list[list[float]] = field(default_factory=list)
    waiting: list[Point] = field(default_factory=list)
    left_out: int = 0
    unrecorded_s: int = 0

    def take(self, point: Point) -> None:
        if not _is_place(point):
            self.left_out += 1
        elif not self.pieces:
            self._begin([point], 0.0)
        elif self._reaches(self.pieces[-1][-1], point):
            self._follow(point)
        else:
            self._wait(point)

    def done(self) -> Track:
        pieces = tuple(tuple(piece) for piece in self.pieces)
        ways = tuple(tuple(way) for way in self.ways)
        return Track(pieces, ways, self.left_out + len(self.waiting), self.unrecorded_s)

    def _reaches(self, start: Point, end: Point) -> bool:
        passed_s = end.utc_s - start.utc_s
        return passed_s > 0 and geodesic_m(start.place, end.place) <= self.limit_mps * passed_s

    def _follow(self, point: Point) -> None:
        self.left_out += len(self.waiting)
        self.waiting.clear()
        last, way = self.pieces[-1][-1], self.ways[-1][-1]
        passed_s = point.utc_s - last.utc_s
        if passed_s > _GAP_S:
            self.unrecorded_s += passed_s
            self._begin([point], way)
            return
        self.pieces[-1].append(point)
        self.ways[-1].append(way + geodesic_m(last.place, point.place))

    def _wait(self, point: Point) -> None:
        if self.waiting and not self._reaches(self.waiting[-1], point):
            self.left_out += len(self.waiting)
            self.waiting.clear()
        self.waiting.append(point)
        if len(self.waiting) < _AGREEING:
            return
        fresh, self.waiting = self.waiting, []
        way = self.ways[-1][-1]
        if len(self.pieces[-1]) == 1:  # a lone point that nothing fits was the wrong one
            self.left_out += 1
            del self.pieces[-1], self.ways[-1]
        else:
            self.unrecorded_s += max(0, fresh[0].utc_s - self.pieces[-1][-1].utc_s)
        self._begin(fresh[:1], way)
        for each in fresh[1:]:
            self._follow(each)

    def _begin(self, points: list[Point], way: float) -> None:
        self.pieces.append(points)
        self.ways.append([way])


def _is_place(point: Point) -> bool:
    """Whether it can be a place at all; 0, 0 is what receivers say who have none."""
    north, east = point.place
    within = isfinite(north) and isfinite(east) and abs(north) <= 90 and abs(east) <= 180
    return within and (north, east) != (0.0, 0.0)


def _instant(mark: float, times: Sequence[int], ways: Sequence[float]) -> float:
    after = bisect_left(ways, mark)
    before = max(after - 1, 0)
    step = ways[after] - ways[before]
    part = (mark - ways[before]) / step if step > 0 else 0.0
    return times[before] + part * (times[after] - times[before])


def _rate(
    distance_m: Figure, duration_s: float, unit: str, rate: Callable[[float], float]
) -> Figure:
    if distance_m.value is None:
        return absent(unit, str(distance_m.reason), distance_m.readings)
    if distance_m.value <= 0 or duration_s <= 0:
        return absent(unit, "no distance was covered", distance_m.readings)
    value = rate(distance_m.value)
    return Figure(value, unit, distance_m.readings, method=distance_m.method)
