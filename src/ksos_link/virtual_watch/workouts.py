"""Workouts: a steady effort with a warm-up, counted by the minute."""

import math
from datetime import date
from random import Random
from typing import Final

from firmware_protocol.watch_session import MovementSlot, WorkoutMemory
from ksos_link.virtual_watch.nights import midnight_wall_s
from ksos_link.virtual_watch.scenario import Scenario, WorkoutPlan

BPM_INTERVAL_S: Final = 5
LATEST_START_MIN: Final = 9  # after the plan's time
RESTING_KCAL_PER_MIN: Final = 1.17
_KCAL_PER_BEAT = 0.095  # energy above rest, by heart beats above rest
_SENSOR_SETTLES: Final = 4  # readings without a value at the start
_WARM_UP_S = 150.0
_MINUTE_S = 60


def workouts_on(scenario: Scenario, day: date, seed: int) -> list[WorkoutMemory]:
    """The workouts that begin on `day`, in order of time."""
    due = [plan for plan in scenario.workouts if day.toordinal() % plan.every_days == plan.phase]
    due.sort(key=lambda plan: plan.start_min)
    return [_workout(scenario, plan, day, seed) for plan in due]


def _workout(scenario: Scenario, plan: WorkoutPlan, day: date, seed: int) -> WorkoutMemory:
    key = f"{seed} {day.isoformat()} workout {plan.start_min}"
    random = Random(key)  # noqa: S311  made-up readings, no secret
    start_wall_s = midnight_wall_s(day) + _MINUTE_S * (
        plan.start_min + random.randint(0, LATEST_START_MIN)
    )
    duration_s = _MINUTE_S * plan.duration_min - random.randrange(45)
    minutes = tuple(
        _minute(scenario, plan, random, start_wall_s + at, min(_MINUTE_S, duration_s - at))
        for at in range(0, duration_s, _MINUTE_S)
    )
    return WorkoutMemory(
        start_wall_s=start_wall_s,
        duration_s=duration_s,
        sport_code=plan.sport_code,
        bpm_interval_s=BPM_INTERVAL_S,
        bpm=_beats(scenario, plan, random, duration_s),
        minutes=minutes,
        split_s=_splits(minutes, duration_s),
    )


def _minute(
    scenario: Scenario, plan: WorkoutPlan, random: Random, wall_s: int, length_s: int
) -> MovementSlot:
    share = length_s / _MINUTE_S
    active_kcal = (plan.bpm - scenario.resting_bpm) * _KCAL_PER_BEAT * share
    return MovementSlot(
        wall_s=wall_s,
        minutes=1,
        intensity=3,
        steps=round(max(0.0, random.gauss(plan.steps_per_min, 2)) * share)
        if plan.steps_per_min
        else 0,
        active_min=1,
        active_energy_kcal=round(active_kcal),
        energy_kcal=round(active_kcal + RESTING_KCAL_PER_MIN * share),
        distance_m=(
            round(max(0.0, random.gauss(plan.metres_per_min, 4)) * share)
            if plan.metres_per_min
            else 0
        ),
    )


def _beats(
    scenario: Scenario, plan: WorkoutPlan, random: Random, duration_s: int
) -> tuple[int, ...]:
    """Heart rate rises to the plan's, then waves around it."""
    low = scenario.resting_bpm + 28
    beats = []
    for at in range(0, duration_s, BPM_INTERVAL_S):
        risen = 1 - math.exp(-at / _WARM_UP_S)
        wave = 5 * math.sin(at / 190) * risen
        beats.append(round(low + (plan.bpm - low) * risen + wave + random.gauss(0, 1.2)))
    return (*[0] * min(_SENSOR_SETTLES, len(beats)), *beats[_SENSOR_SETTLES:])


def _splits(minutes: tuple[MovementSlot, ...], duration_s: int) -> tuple[int, ...]:
    """Seconds of each whole kilometre, by even speed within a minute."""
    splits: list[int] = []
    gone_m, last_s = 0, 0
    for index, minute in enumerate(minutes):
        length_s = min(_MINUTE_S, duration_s - index * _MINUTE_S)
        mark_m = 1000 * (len(splits) + 1)
        if minute.distance_m and gone_m + minute.distance_m >= mark_m:
            share = (mark_m - gone_m) / minute.distance_m
            at_s = index * _MINUTE_S + round(share * length_s)
            splits.append(at_s - last_s)
            last_s = at_s
        gone_m += minute.distance_m
    return tuple(splits)
