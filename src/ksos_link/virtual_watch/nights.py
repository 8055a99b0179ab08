"""Nights: cycles of about ninety minutes, deep sleep early, REM late, a few awakenings."""

from datetime import UTC, date, datetime
from itertools import groupby
from random import Random
from typing import Final

from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import SleepMemory
from ksos_link.virtual_watch.scenario import DAY_MIN, Scenario

_LIGHT, _DEEP, _REM, _AWAKE = (
    SleepStage.LIGHT,
    SleepStage.DEEP,
    SleepStage.REM,
    SleepStage.AWAKE,
)
# minutes of (falling asleep, deep, light again, REM) in each cycle of the night
_CYCLES: Final = ((18, 36, 24, 8), (12, 26, 32, 16), (12, 12, 42, 24), (10, 4, 46, 30))
_LATE_CYCLE: Final = (12, 0, 46, 32)
_WAKES_IN = 0.55  # share of cycles that end with an awakening
_GOOD_NIGHT_MIN = 450


def midnight_wall_s(day: date) -> int:
    """The first second of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def night_before(scenario: Scenario, day: date, seed: int) -> SleepMemory:
    """The night that ends on `day`."""
    random = Random(f"{seed} {day.isoformat()} night")  # noqa: S311  made-up readings, no secret
    spread_min = scenario.sleep_min / 25
    evening = scenario.bedtime_min - (DAY_MIN if scenario.bedtime_min >= DAY_MIN // 2 else 0)
    asleep_min = evening + round(random.gauss(0, spread_min))
    total_min = max(20, scenario.sleep_min + round(random.gauss(0, spread_min)))
    phases = _phases(random, total_min)
    return SleepMemory(midnight_wall_s(day) + 60 * asleep_min, phases, _score(phases))


def _phases(random: Random, total_min: int) -> tuple[tuple[SleepStage, int], ...]:
    minutes: list[SleepStage] = []
    cycle = 0
    while len(minutes) < total_min:
        plan = _CYCLES[cycle] if cycle < len(_CYCLES) else _LATE_CYCLE
        for stage, typical in zip((_LIGHT, _DEEP, _LIGHT, _REM), plan, strict=True):
            minutes += [stage] * round(typical * random.uniform(0.8, 1.2))
        if random.random() < _WAKES_IN:
            minutes += [_AWAKE] * random.randint(1, 7)
        cycle += 1
    minutes = minutes[:total_min]
    return tuple((stage, len(list(run))) for stage, run in groupby(minutes))


def _score(phases: tuple[tuple[SleepStage, int], ...]) -> int:
    """An index of 0 to 100 in the manner of the watch's: length, depth, and few awakenings."""
    spent = {
        kind: sum(minutes for stage, minutes in phases if stage is kind) for kind in SleepStage
    }
    asleep = sum(spent.values()) - spent[_AWAKE]
    score = 60 * min(1.0, asleep / _GOOD_NIGHT_MIN) + 0.15 * spent[_DEEP] + 0.15 * spent[_REM]
    return max(0, min(100, round(score - spent[_AWAKE] / 3)))
