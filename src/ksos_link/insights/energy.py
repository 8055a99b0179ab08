"""Energy and MET minutes of a workout, where the watch gives none."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from ksos_link.insights.figure import Figure, absent, first_reason

KCAL: Final = "kcal"
MET: Final = "MET"
MET_MIN: Final = "MET min"
_KJ_PER_KCAL: Final = 4.184
_MPS_PER_MPH: Final = 0.44704
_AGES: Final = (18, 45)
_WEIGHTS_KG: Final = (47.0, 120.0)
_PART_OF_MAXIMUM: Final = (0.57, 0.90)
_COVERED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Body:
    """Who spent the energy; None where nobody said."""

    sex: str | None
    age_years: int | None
    weight_kg: float | None


@dataclass(frozen=True, slots=True)
class Activity:
    """A line of the Compendium: what an activity costs, from a speed on or whatever the speed."""

    code: str
    met: float
    title: str
    from_mph: float | None


@cache
def compendium() -> Mapping[str, tuple[Activity, ...]]:
    """The activities of each sport that the Compendium knows (`compendium.toml` names it)."""
    text = (files("ksos_link.insights") / "compendium.toml").read_text("utf-8")
    found: dict[str, tuple[Activity, ...]] = {}
    for line in tomllib.loads(text)["activity"]:
        one = Activity(line["code"], line["met"], line["title"], line.get("from_mph"))
        for sport in line["sports"]:
            found[sport] = (*found.get(sport, ()), one)
    return found


def met_of_sport(sport: str, speed_mps: float | None = None) -> Figure:
    """What a sport costs, as a multiple of 1 kcal per kg and hour.

    The activity with the highest speed that was reached; without a speed the general one. Source:
    Ainsworth et al., "2011 Compendium of Physical Activities", Med Sci Sports Exerc 43(8), 2011.
    """
    lines = compendium().get(sport, ())
    reached = [
        line
        for line in lines
        if line.from_mph is not None
        and speed_mps is not None
        and speed_mps >= line.from_mph * _MPS_PER_MPH
    ]
    general = [line for line in lines if line.from_mph is None]
    if not lines:
        return absent(MET, "the Compendium has no value for this sport")
    chosen = max(reached, key=lambda line: line.from_mph or 0) if reached else general[0]
    return Figure(chosen.met, MET, method=f"Compendium 2011, {chosen.code} {chosen.title}")


def met_minutes(met: Figure, duration_s: float) -> Figure:
    """MET x minutes of one workout.

    Source: IPAQ Research Committee, "Guidelines for data processing and analysis of the
    International Physical Activity Questionnaire", 2005.
    """
    if met.value is None:
        return absent(MET_MIN, str(met.reason), 1)
    return Figure(met.value * duration_s / 60, MET_MIN, 1, method=met.method)


def energy_by_met(met: Figure, duration_s: float, weight_kg: float | None) -> Figure:
    """MET x kg x hours, rest included.

    Source: Ainsworth et al., "Compendium of Physical Activities: an update", Med Sci Sports Exerc
    32(9 Suppl), 2000: 1 MET is 1 kcal per kg and hour.
    """
    if met.value is None:
        return absent(KCAL, str(met.reason))
    if weight_kg is None:
        return absent(KCAL, "nobody said what the wearer weighs")
    value = met.value * weight_kg * duration_s / 3600
    return Figure(value, KCAL, 1, method=met.method)


def energy_by_heart_rate(
    mean: Figure, held_s: float, duration_s: float, body: Body, maximum: Figure
) -> Figure:
    """Energy of steady exercise by heart rate, weight, age and sex; rest included.

    kJ per minute: men -55.0969 + 0.6309 bpm + 0.1988 kg + 0.2017 years, women -20.4022 + 0.4472 bpm
    - 0.1263 kg + 0.074 years. Source: Keytel et al., "Prediction of energy expenditure from heart
    rate monitoring during submaximal exercise", J Sports Sci 23(3), 2005. It is straight in the
    heart rate, so the mean gives the sum. Absent outside of what was studied: 18 to 45 years, 47 to
    120 kg, 57 to 90 % of the maximum; and where readings hold for less than half of the time.
    """
    reason = first_reason(mean, maximum) or _not_studied(body)
    if reason is None and held_s < _COVERED * duration_s:
        reason = "the heart rate was read for less than half of the time"
    bpm, most = mean.value or 0.0, maximum.value or 0.0
    if reason is None and not _PART_OF_MAXIMUM[0] * most <= bpm <= _PART_OF_MAXIMUM[1] * most:
        reason = "the mean heart rate is not between 57 and 90 % of the maximum"
    if reason is not None:
        return absent(KCAL, reason, mean.readings)
    age, weight_kg = body.age_years or 0, body.weight_kg or 0.0
    if body.sex == "male":
        kj_per_min = -55.0969 + 0.6309 * bpm + 0.1988 * weight_kg + 0.2017 * age
    else:
        kj_per_min = -20.4022 + 0.4472 * bpm - 0.1263 * weight_kg + 0.074 * age
    value = max(kj_per_min, 0.0) / _KJ_PER_KCAL * duration_s / 60
    return Figure(value, KCAL, mean.readings, method=maximum.method).named("Keytel 2005")


def energy(of_watch: float | None, by_heart_rate: Figure, by_met: Figure) -> Figure:
    """The watch's own energy; without it the one by heart rate, and without that the one by MET."""
    if of_watch is not None:
        return Figure(of_watch, KCAL, 1, method="the watch's own")
    if by_heart_rate.value is not None:
        return by_heart_rate
    if by_met.value is not None:
        return by_met
    return absent(KCAL, f"{by_heart_rate.reason}, and {by_met.reason}", by_heart_rate.readings)


def _not_studied(body: Body) -> str | None:
    if body.sex is None or body.age_years is None or body.weight_kg is None:
        return "nobody said the wearer's sex, age and weight"
    if not _AGES[0] <= body.age_years <= _AGES[1]:
        return "the formula was made with people of 18 to 45 years"
    if not _WEIGHTS_KG[0] <= body.weight_kg <= _WEIGHTS_KG[1]:
        return "the formula was made with people of 47 to 120 kg"
    return None
