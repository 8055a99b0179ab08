"""What a scenario file can say of a person and of a watch."""

from dataclasses import dataclass

DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class WorkoutPlan:
    """A workout that comes back: on each date whose ordinal modulo `every_days` is `phase`."""

    sport_code: int
    start_min: int  # minutes from midnight
    duration_min: int
    every_days: int
    phase: int
    steps_per_min: int
    metres_per_min: int
    bpm: int


@dataclass(frozen=True, slots=True)
class PlannedGesture:
    """What the wearer does, so many seconds after a companion first listened."""

    what: str
    after_s: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A person's habits, and what the watch holds of them.

    `days` counts the stored days, today the last; 0 means an empty watch. Intervals of 0 switch a
    measurement off. After `recorded_until_min` of a day nothing is recorded.
    """

    name: str
    title: str
    bound: bool
    days: int
    resting_bpm: int
    bedtime_min: int
    sleep_min: int
    steps_per_day: int
    heart_rate_interval_s: int
    spo2_interval_min: int
    stress_interval_min: int
    stress_from_min: int
    stress_until_min: int
    recorded_until_min: int
    workouts: tuple[WorkoutPlan, ...] = ()
    gestures: tuple[PlannedGesture, ...] = ()
