"""The route of a workout drawn to scale, without a map: its shape alone, and no coordinates."""

from math import cos, floor, log10, radians
from typing import Final

from ksos_link.insights.track import Point, Track
from ksos_link.operations.report.markup import Markup, tag
from ksos_link.operations.report.words import Words

_WIDTH: Final = 440.0
_HEIGHT: Final = 240.0
_EDGE: Final = 12.0
_FOOT: Final = 30.0  # room for the scale
_MOST_POINTS: Final = 500
_LEAST_M: Final = 10.0
_DEGREE_M: Final = 111_195.0  # of a great circle of the mean radius of the earth
_MILE_M: Final = 1609.344


def route(track: Track, title: str, words: Words) -> Markup | None:
    """A picture of a route, north above; None where it has no length.

    Plate carrée around its middle: true to scale within what somebody moves in a day, but near the
    poles.
    """
    pieces = [_places(piece, track) for piece in track.pieces if len(piece) > 1]
    every = [place for piece in pieces for place in piece]
    if not every:
        return None
    west, east = min(x for x, _ in every), max(x for x, _ in every)
    south, north = min(y for _, y in every), max(y for _, y in every)
    if max(east - west, north - south) < _LEAST_M:
        return None
    room = (_WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE)
    scale = min(room[0] / max(east - west, 1.0), room[1] / max(north - south, 1.0))
    height = (north - south) * scale + 2 * _EDGE + _FOOT

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return _EDGE + (place[0] - west) * scale, _EDGE + (north - place[1]) * scale

    lines = [
        tag(
            "polyline",
            {
                "class": "curve",
                "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, piece)),
            },
        )
        for piece in pieces
    ]
    begin, end = at(pieces[0][0]), at(pieces[-1][-1])
    return tag(
        "figure",
        {"class": "route"},
        tag("figcaption", None, "route, north above"),
        tag(
            "svg",
            {
                "viewBox": f"0 0 {_WIDTH:g} {height:.0f}",
                "role": "img",
                "aria-label": f"Route of {title}, drawn to scale",
            },
            *lines,
            tag("circle", {"cx": begin[0], "cy": begin[1], "r": 5, "class": "begin"}),
            tag("circle", {"cx": end[0], "cy": end[1], "r": 4, "class": "dot"}),
            *_scale(room[0] / scale / 3, scale, height, words),
        ),
        tag("p", {"class": "legend"}, "ring: start; dot: end"),
    )


def _places(piece: tuple[Point, ...], track: Track) -> list[tuple[float, float]]:
    """Metres east and north of the route's first point; fewer of many points, with the last."""
    first = track.pieces[0][0]
    narrow = cos(radians(first.latitude_deg))
    every = -(-track.points // _MOST_POINTS)
    chosen = [*piece[::every], piece[-1]]
    return [
        (
            ((point.longitude_deg - first.longitude_deg + 180) % 360 - 180) * narrow * _DEGREE_M,
            (point.latitude_deg - first.latitude_deg) * _DEGREE_M,
        )
        for point in chosen
    ]


def _scale(most_m: float, scale: float, height: float, words: Words) -> tuple[Markup, Markup]:
    """A bar of a round length, in the wearer's unit."""
    unit_m = _MILE_M if words.units.distance == "mile" else 1.0
    base = 10.0 ** floor(log10(most_m / unit_m))
    length = max(base * part for part in (1, 2, 5) if base * part <= most_m / unit_m) * unit_m
    y = height - 10
    bar = {"x1": _EDGE, "x2": _EDGE + length * scale, "y1": y, "y2": y}
    text: dict[str, str | float] = {"x": _EDGE + length * scale + 8, "y": y + 4}
    return (
        tag("line", {**bar, "class": "measure"}),
        tag("text", text, words.value(length, "m")),
    )
