"""What a workout asked of the body: training load."""

from math import exp
from typing import Final

from ksos_link.insights.figure import Figure, absent, first_reason
from ksos_link.insights.levels import Levels

LOAD: Final = "TRIMP"
_EDWARDS_PARTS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)


def banister_load(
    duration_s: float, mean: Figure, resting: Figure, maximum: Figure, sex: str
) -> Figure:
    """Training impulse: minutes x r x a e^(b r), r the used part of the heart rate reserve.

    a and b are 0.64 and 1.92 for men, 0.86 and 1.67 for women. Source: Banister, "Modeling elite
    athletic performance", in Physiological Testing of Elite Athletes, 1991; Morton, Fitz-Clarke,
    Banister, J Appl Physiol 69(3), 1990.
    """
    reason = first_reason(mean, resting, maximum)
    if mean.value is None or resting.value is None or maximum.value is None:
        return absent(LOAD, str(reason), mean.readings)
    if resting.value >= maximum.value:
        return absent(LOAD, "the resting heart rate is not below the maximum", mean.readings)
    used = (mean.value - resting.value) / (maximum.value - resting.value)
    used = min(max(used, 0.0), 1.0)  # a mean below rest is no load, one above the maximum is all
    factor, growth = (0.64, 1.92) if sex == "male" else (0.86, 1.67)
    value = duration_s / 60 * used * factor * exp(growth * used)
    made = Figure(value, LOAD, mean.readings, method=maximum.method)
    return made.named("Banister 1991")


def edwards_load(levels: Levels, maximum: Figure) -> Figure:
    """Minutes in five zones of the maximum (50, 60, 70, 80, 90 %), times 1 to 5.

    Source: Edwards, "The Heart Rate Monitor Book", 1993.
    """
    if maximum.value is None:
        return absent(LOAD, str(maximum.reason), levels.readings)
    if not levels.counts:
        return absent(LOAD, "there is no reading of the heart rate")
    # a minute in zone 3 lies above three of the beginnings, and so counts three times
    held_s = [levels.seconds_within(part * maximum.value, float("inf")) for part in _EDWARDS_PARTS]
    made = Figure(sum(held_s) / 60, LOAD, levels.readings, method=maximum.method)
    return made.named("Edwards 1993")
