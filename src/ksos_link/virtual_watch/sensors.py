"""A person's days as a watch would have measured them: made up, but they hang together.

Everything is decided by the seed and the date alone, so that a day reads the same whenever and
in whichever stretch of days it is asked for. Times are wall seconds (see `watch_session.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from firmware_protocol.samples import SleepStage
from firmware_protocol.watch_session import (
    DayMemory,
    MovementSlot,
    Reading,
    SleepMemory,
    WatchMemory,
    WorkoutMemory,
)
from ksos_link.virtual_watch.nights import midnight_wall_s, night_before
from ksos_link.virtual_watch.scenario import DAY_MIN, Scenario
from ksos_link.virtual_watch.workouts import RESTING_KCAL_PER_MIN, workouts_on

_SLOT_MIN = 15
_MINUTE_S = 60
_STRIDE_M = 0.73
_ACTIVE_KCAL_PER_STEP = 0.042
_BRISK_SPM = 60  # from here on a minute counts as active
# walks of a common day: (minute of the day, minutes, steps per minute)
_HABITS: Final = ((490, 12, 104), (750, 14, 98), (1062, 13, 106), (1165, 18, 92))
_MODERATE_STEPS = 500  # in a slot
_WORK_MIN: Final = (9 * 60, 17 * 60)
_SITTING_BPM = 13  # above resting
_BPM_PER_SPM = 0.27
_STAGE_BPM: Final = {
    SleepStage.AWAKE: 9,
    SleepStage.LIGHT: 1,
    SleepStage.DEEP: -2,
    SleepStage.REM: 4,
}


def memory_for(scenario: Scenario, *, today: date, seed: int) -> WatchMemory:
    """What a watch holds after the scenario's days, of which `today` is the last and whole."""
    memory = WatchMemory()
    for ago in range(scenario.days - 1, -1, -1):
        day = today - timedelta(days=ago)
        memory.nights.append(night_before(scenario, day, seed))
        workouts = workouts_on(scenario, day, seed)
        memory.workouts += workouts
        memory.days.append(_measure(scenario, day, seed, workouts))
    return memory


@dataclass(slots=True)
class _Minutes:
    """A day by the minute. `stage` is None while awake."""

    stage: list[SleepStage | None] = field(default_factory=lambda: [None] * DAY_MIN)
    steps: list[int] = field(default_factory=lambda: [0] * DAY_MIN)
    distance_m: list[int] = field(default_factory=lambda: [0] * DAY_MIN)
    active_kcal: list[float] = field(default_factory=lambda: [0.0] * DAY_MIN)
    in_workout: list[bool] = field(default_factory=lambda: [False] * DAY_MIN)

    def is_free(self, minute: int) -> bool:
        """Awake, and not in a workout."""
        return self.stage[minute] is None and not self.in_workout[minute]


def _measure(
    scenario: Scenario, day: date, seed: int, workouts: Sequence[WorkoutMemory]
) -> DayMemory:
    random = Random(f"{seed} {day.isoformat()} day")  # noqa: S311  made-up readings, no secret
    minutes = _Minutes()
    tomorrow = day + timedelta(days=1)
    for night in (night_before(scenario, day, seed), night_before(scenario, tomorrow, seed)):
        _lay_night(minutes, night, midnight_wall_s(day))
    for workout in workouts:
        _lay_workout(minutes, workout, midnight_wall_s(day))
    _lay_walks(minutes, scenario, random)
    return DayMemory(
        day=day,
        resting_bpm=scenario.resting_bpm + random.randint(-1, 2),
        heart_rate=tuple(_heart_rate(minutes, scenario, day, random, workouts)),
        spo2=tuple(_spo2(minutes, scenario, day, random)),
        stress=tuple(_stress(minutes, scenario, day, random)),
        movement=tuple(_slots(minutes, scenario, day)),
    )


def _lay_night(minutes: _Minutes, night: SleepMemory, midnight_s: int) -> None:
    at = (night.start_wall_s - midnight_s) // _MINUTE_S
    for stage, length_min in night.phases:
        for minute in range(max(0, at), min(DAY_MIN, at + length_min)):
            minutes.stage[minute] = stage
        at += length_min


def _lay_workout(minutes: _Minutes, workout: WorkoutMemory, midnight_s: int) -> None:
    for slot in workout.minutes:
        minute = (slot.wall_s - midnight_s) // _MINUTE_S
        minutes.in_workout[minute] = True
        minutes.steps[minute] = slot.steps
        minutes.distance_m[minute] = slot.distance_m
        minutes.active_kcal[minute] = slot.active_energy_kcal


def _lay_walks(minutes: _Minutes, scenario: Scenario, random: Random) -> None:
    """Walk by habit, then on errands, until the day has its steps."""
    missing = round(scenario.steps_per_day * random.uniform(0.85, 1.15))
    until = scenario.recorded_until_min
    awake = [minute for minute in range(until) if minutes.is_free(minute)]
    for start, length_min, pace_spm in _HABITS:
        begin = start + random.randint(-8, 8)
        walk = range(begin, min(until, begin + length_min))
        missing -= _walk(minutes, walk, pace_spm, missing, random)
    for _ in range(DAY_MIN if awake else 0):  # bounded: a short day may have no room for them all
        if missing <= 0:
            return
        begin = random.choice(awake)
        walk = range(begin, min(until, begin + random.randint(1, 7)))
        missing -= _walk(minutes, walk, random.randint(58, 112), missing, random)


def _walk(minutes: _Minutes, walk: range, pace_spm: int, most: int, random: Random) -> int:
    """Walk through the free minutes of `walk`; return the steps, `most` of them at most."""
    walked = 0
    for minute in walk:
        if not minutes.is_free(minute) or minutes.steps[minute]:
            continue
        steps = min(most - walked, pace_spm + random.randint(-6, 6))
        if steps <= 0:
            break
        minutes.steps[minute] = steps
        minutes.distance_m[minute] = round(steps * _STRIDE_M)
        minutes.active_kcal[minute] = steps * _ACTIVE_KCAL_PER_STEP
        walked += steps
    return walked


def _slots(minutes: _Minutes, scenario: Scenario, day: date) -> Iterator[MovementSlot]:
    """Slots of 15 minutes. Energies are differences of whole running sums, so they add up."""
    active = 0.0
    midnight_s = midnight_wall_s(day)
    for start in range(0, scenario.recorded_until_min, _SLOT_MIN):
        part = slice(start, start + _SLOT_MIN)
        before_kcal, before_all_kcal = int(active), int(active + start * RESTING_KCAL_PER_MIN)
        active += sum(minutes.active_kcal[part])
        end = start + _SLOT_MIN
        active_min = sum(
            steps >= _BRISK_SPM or trained
            for steps, trained in zip(minutes.steps[part], minutes.in_workout[part], strict=True)
        )
        yield MovementSlot(
            wall_s=midnight_s + start * _MINUTE_S,
            minutes=_SLOT_MIN,
            intensity=_intensity(any(minutes.in_workout[part]), sum(minutes.steps[part])),
            steps=sum(minutes.steps[part]),
            active_min=active_min,
            active_energy_kcal=int(active) - before_kcal,
            energy_kcal=int(active + end * RESTING_KCAL_PER_MIN) - before_all_kcal,
            distance_m=sum(minutes.distance_m[part]),
        )


def _intensity(trained: bool, steps: int) -> int:
    """0 still, 1 light, 2 moderate, 3 intense."""
    if trained:
        return 3
    return 2 if steps >= _MODERATE_STEPS else int(steps > 0)


def _heart_rate(
    minutes: _Minutes,
    scenario: Scenario,
    day: date,
    random: Random,
    workouts: Sequence[WorkoutMemory],
) -> list[Reading]:
    """A reading by the schedule, and every few seconds in a workout."""
    midnight_s, interval_s = midnight_wall_s(day), scenario.heart_rate_interval_s
    readings = [
        Reading(workout.start_wall_s + index * workout.bpm_interval_s, bpm)
        for workout in workouts
        for index, bpm in enumerate(workout.bpm)
        if bpm
    ]
    end_s = scenario.recorded_until_min * _MINUTE_S
    for planned_s in range(0, end_s if interval_s else 0, max(1, interval_s)):
        at_s = min(end_s - 1, planned_s + random.randrange(min(20, interval_s)))
        minute = at_s // _MINUTE_S
        if minutes.in_workout[minute]:
            continue
        stage = minutes.stage[minute]
        recent_spm = sum(minutes.steps[max(0, minute - 2) : minute + 1]) / 3
        effort = _SITTING_BPM + _BPM_PER_SPM * recent_spm if stage is None else _STAGE_BPM[stage]
        bpm = scenario.resting_bpm + effort + random.gauss(0, 1.8)
        readings.append(Reading(midnight_s + at_s, max(40, round(bpm))))
    return sorted(readings, key=lambda reading: reading.wall_s)


def _spo2(minutes: _Minutes, scenario: Scenario, day: date, random: Random) -> Iterator[Reading]:
    """A little lower in sleep."""
    every = scenario.spo2_interval_min
    for minute in range(0, scenario.recorded_until_min if every else 0, max(1, every)):
        typical = 97.4 if minutes.stage[minute] is None else 96.2
        percent = min(100, max(91, round(random.gauss(typical, 0.9))))
        yield Reading(midnight_wall_s(day) + minute * _MINUTE_S, percent)


def _stress(minutes: _Minutes, scenario: Scenario, day: date, random: Random) -> Iterator[Reading]:
    """Higher in the working hours; not measured in sleep or in a workout."""
    every = scenario.stress_interval_min
    until = min(scenario.stress_until_min, scenario.recorded_until_min)
    for minute in range(scenario.stress_from_min, until if every else 0, max(1, every)):
        if minutes.is_free(minute):
            typical = 42 if _WORK_MIN[0] <= minute < _WORK_MIN[1] else 27
            score = min(99, max(3, round(random.gauss(typical, 9))))
            yield Reading(midnight_wall_s(day) + minute * _MINUTE_S, score)
