"""Sound around the wearer: its level over time, and the dose of it."""

from dataclasses import dataclass
from math import log10
from typing import Final

from ksos_link.insights.figure import Figure, absent
from ksos_link.insights.levels import NO_READING, Levels

DECIBEL: Final = "dB(A)"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is allowed: a level for so long; each `exchange_db` more halves the time."""

    name: str
    level_db: float
    hours: float
    exchange_db: float
    from_db: float


# From NIOSH: "Criteria for a recommended standard: occupational noise exposure", number 98-126 of
# the year 1998
NIOSH_DAY: Final = Limit("NIOSH 1998, 85 dB(A) for 8 h a day", 85.0, 8.0, 3.0, 80.0)
# ITU-T and WHO, Recommendation H.870, "Guidelines for safe listening devices/systems", mode 1; an
# exchange of 3 dB is what counting energy comes to, but for a hundredth
WHO_WEEK: Final = Limit("WHO-ITU H.870, 80 dB(A) for 40 h a week", 80.0, 40.0, 3.0, 0.0)


def equivalent_level(levels: Levels) -> Figure:
    """The steady level with the same energy: 10 lg of the mean of 10^(L/10).

    Source: IEC 61672-1:2013, equivalent continuous sound level.
    """
    if not levels.counts:
        return absent(DECIBEL, NO_READING)
    energy = sum(10 ** (level / 10) * held_s for level, held_s in levels.seconds.items())
    return Figure(10 * log10(energy / levels.held_s), DECIBEL, levels.readings, method="Leq")


def noise_dose(levels: Levels, limit: Limit = NIOSH_DAY) -> Figure:
    """How much of the allowed sound there was, in percent: the sum of time by allowed time.

    Allowed at L: hours / 2^((L - level) / exchange). Only sound that was read counts, so this is
    the least that it was; NIOSH leaves out what is under 80 dB(A). Source: see the limits.
    """
    if not levels.counts:
        return absent("%", NO_READING)
    dose = sum(
        held_s / 3600 / limit.hours * 2 ** ((level - limit.level_db) / limit.exchange_db)
        for level, held_s in levels.seconds.items()
        if level >= limit.from_db
    )
    return Figure(100 * dose, "%", levels.readings, method=limit.name)
