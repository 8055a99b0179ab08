"""Distances on the earth."""

from math import asin, atan, atan2, cos, hypot, radians, sin, sqrt, tan
from typing import Final

Place = tuple[float, float]  # degrees north and east, WGS 84
_MEAN_RADIUS_M: Final = 6_371_008.8  # (2 a + b) / 3, IUGG
_EQUATOR_M: Final = 6_378_137.0  # WGS 84
_FLATTENING: Final = 1 / 298.257223563
_POLE_M: Final = _EQUATOR_M * (1 - _FLATTENING)
_STEPS: Final = 200
_ENOUGH_RAD: Final = 1e-12  # six thousandths of a millimetre


def haversine_m(one: Place, other: Place) -> float:
    """The great-circle distance on a sphere; off by half a percent at most.

    Source: Sinnott, "Virtues of the Haversine", Sky and Telescope 68(2), 1984.
    """
    north, other_north = radians(one[0]), radians(other[0])
    half_north = sin((other_north - north) / 2)
    half_east = sin(radians(other[1] - one[1]) / 2)
    part = half_north * half_north + cos(north) * cos(other_north) * half_east * half_east
    return 2 * _MEAN_RADIUS_M * asin(min(1.0, sqrt(part)))


def geodesic_m(one: Place, other: Place) -> float:
    """The shortest way on the ellipsoid of WGS 84, true to a millimetre.

    Source: Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application
    of nested equations", Survey Review 23(176), 1975. Nearly opposite points, where it finds no
    end, get the great circle.
    """
    reduced = [atan((1 - _FLATTENING) * tan(radians(place[0]))) for place in (one, other)]
    (sin_1, sin_2), (cos_1, cos_2) = map(sin, reduced), map(cos, reduced)
    east = radians(other[1] - one[1])
    turned = east
    for _ in range(_STEPS):
        sin_arc = hypot(cos_2 * sin(turned), cos_1 * sin_2 - sin_1 * cos_2 * cos(turned))
        if sin_arc == 0:
            return 0.0
        cos_arc = sin_1 * sin_2 + cos_1 * cos_2 * cos(turned)
        arc = atan2(sin_arc, cos_arc)
        azimuth_sin = cos_1 * cos_2 * sin(turned) / sin_arc
        cos_square = 1 - azimuth_sin * azimuth_sin
        middle = cos_arc - 2 * sin_1 * sin_2 / cos_square if cos_square else 0.0
        c = _FLATTENING / 16 * cos_square * (4 + _FLATTENING * (4 - 3 * cos_square))
        bend = middle + c * cos_arc * (2 * middle * middle - 1)
        before = turned
        turned = east + (1 - c) * _FLATTENING * azimuth_sin * (arc + c * sin_arc * bend)
        if abs(turned - before) < _ENOUGH_RAD:
            return _length_m(arc, sin_arc, cos_arc, middle, cos_square)
    return haversine_m(one, other)


def _length_m(
    arc: float, sin_arc: float, cos_arc: float, middle: float, cos_square: float
) -> float:
    """The length of an arc that was found: the last lines of the method."""
    u = cos_square * (_EQUATOR_M**2 - _POLE_M**2) / _POLE_M**2
    a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
    b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
    square = middle * middle
    third = b / 6 * middle * (4 * sin_arc * sin_arc - 3) * (4 * square - 3)
    second = cos_arc * (2 * square - 1) - third
    return _POLE_M * a * (arc - b * sin_arc * (middle + b / 4 * second))
