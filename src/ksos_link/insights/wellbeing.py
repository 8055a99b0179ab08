"""Stress, oxygen saturation and temperature in short."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.levels import Levels

CELSIUS: Final = "°C"
_LOW_OXYGEN_PCT: Final = 90
_BANDS: Final = (0, 25, 50, 75, 101)
_BASELINE_NIGHTS: Final = 7


def low_oxygen_share(levels: Levels) -> Figure:
    """What part of the readings lies under 90 % saturation (T90, counted in readings).

    Source of the bound: T90 as in Oldenburg et al., "Nocturnal hypoxaemia is associated with
    increased mortality in stable heart failure patients", Eur Heart J 37(21), 2016, which counts it
    in time. A wrist's reading is an estimate.
    """
    return levels.share_below_pct(_LOW_OXYGEN_PCT)


def stress_shares(levels: Levels) -> tuple[Figure, ...]:
    """What part of the time was in each quarter of the stress index, lowest first, in percent.

    Source: the project's own bands; the vendor publishes none for its index.
    """
    if not levels.counts:
        return (absent("%", "there is no reading of stress"),) * (len(_BANDS) - 1)
    return tuple(
        Figure(100 * levels.seconds_within(low, high) / levels.held_s, "%", levels.readings)
        for low, high in pairwise(_BANDS)
    )


def temperature_change(tonight: Figure, before: Sequence[Figure]) -> Figure:
    """How far a night's mean temperature is from the wearer's own usual, in degrees Celsius.

    The usual is the median of at least seven earlier nights. Source: the project's own rule; skin
    is colder than the body, so only its change says something.
    """
    if tonight.value is None:
        return tonight
    known = [night.value for night in before if night.value is not None]
    if len(known) < _BASELINE_NIGHTS:
        reason = f"fewer than {_BASELINE_NIGHTS} earlier nights have a temperature"
        return absent(CELSIUS, reason, tonight.readings)
    method = f"against the median of {len(known)} nights"
    return Figure(tonight.value - median(known), CELSIUS, tonight.readings, method=method)
