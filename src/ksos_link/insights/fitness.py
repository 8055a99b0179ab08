"""Oxygen uptake at the limit, estimated; a laboratory measures it."""

from typing import Final

from ksos_link.insights.figure import Figure, absent, first_reason

VO2MAX: Final = "mL/kg/min"
_AT_REST: Final = 3.5  # mL of oxygen per kg and minute: one MET
_RUN_FROM_M_MIN: Final = 134.0  # 5 mph
_WALK_M_MIN: Final = (50.0, 100.0)  # 1.9 to 3.7 mph
_RESERVE: Final = (0.40, 0.89)  # moderate and vigorous effort, ACSM
_STEADY_S: Final = 180


def uth_vo2max(maximum: Figure, resting: Figure) -> Figure:
    """15.3 x maximum / resting heart rate, in mL/kg/min.

    Source: Uth, Sorensen, Overgaard, Pedersen, "Estimation of VO2max from the ratio between HRmax
    and HRrest", Eur J Appl Physiol 91(1), 2004: found with well-trained men of 21 to 51 years.
    """
    if maximum.value is None or not resting.value:
        return absent(VO2MAX, first_reason(maximum, resting) or "the resting heart rate is zero")
    made = Figure(15.3 * maximum.value / resting.value, VO2MAX, resting.readings)
    return made.named("; ".join(filter(None, ("Uth 2004", maximum.method, resting.method))))


def acsm_uptake(speed_mps: float, grade: float = 0.0) -> Figure:
    """What walking or running at a steady speed uses, in mL/kg/min.

    Walking 0.1 s + 1.8 s g + 3.5, running 0.2 s + 0.9 s g + 3.5; s in metres per minute (50 to 100,
    from 134), g the grade as a part of one. Source: ACSM's Guidelines for Exercise Testing and
    Prescription, metabolic equations. Between the two speeds neither holds.
    """
    speed = speed_mps * 60
    if _WALK_M_MIN[0] <= speed <= _WALK_M_MIN[1]:
        value, name = 0.1 * speed + 1.8 * speed * grade + _AT_REST, "walking, ACSM"
    elif speed >= _RUN_FROM_M_MIN:
        value, name = 0.2 * speed + 0.9 * speed * grade + _AT_REST, "running, ACSM"
    else:
        return absent(VO2MAX, "the speed is neither a steady walk nor a run")
    return Figure(value, VO2MAX, method=name)


def vo2max_by_pace(
    speed_mps: Figure, mean: Figure, resting: Figure, maximum: Figure, duration_s: float
) -> Figure:
    """What a steady run or walk on level ground says of the limit, in mL/kg/min.

    The used part of the heart rate reserve is that of the oxygen reserve: (uptake - 3.5) / part
    + 3.5. Between 40 and 89 % of the reserve, for three minutes at least. Sources: ACSM (see
    `acsm_uptake`); Swain, Leutholtz, "Heart rate reserve is equivalent to %VO2 reserve", Med Sci
    Sports Exerc 29(3), 1997.
    """
    reason = first_reason(speed_mps, mean, resting, maximum)
    if reason is not None:
        return absent(VO2MAX, reason, mean.readings)
    if duration_s < _STEADY_S:
        return absent(VO2MAX, "it took less than three minutes", mean.readings)
    uptake = acsm_uptake(speed_mps.value or 0)
    rest, most = resting.value or 0, maximum.value or 0
    used = ((mean.value or 0) - rest) / (most - rest) if most > rest else 0.0
    if uptake.value is None:
        return absent(VO2MAX, str(uptake.reason), mean.readings)
    if not _RESERVE[0] <= used <= _RESERVE[1]:
        return absent(VO2MAX, "the effort was not between moderate and vigorous", mean.readings)
    made = Figure((uptake.value - _AT_REST) / used + _AT_REST, VO2MAX, mean.readings)
    return made.named("; ".join(filter(None, (uptake.method, "Swain 1997", maximum.method))))
