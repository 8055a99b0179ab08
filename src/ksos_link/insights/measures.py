"""Every figure of a day, on one page: its title, its unit, and whether days of it add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that each day has, or has not.

    `adds` tells whether the sum over days means something; of the others only the mean does.
    `grows` tells whether it may rise until the day is over, so that an unfinished one says little.
    `metric` is what it comes from; `clock` marks minutes of local time, whose mean is a direction.
    """

    name: str
    title: str
    unit: str
    metric: str
    adds: bool = False
    grows: bool = False
    clock: bool = False


def _sum(name: str, title: str, unit: str, metric: str) -> Measure:
    return Measure(name, title, unit, metric, adds=True, grows=True)


def _rising(name: str, title: str, unit: str, metric: str) -> Measure:
    return Measure(name, title, unit, metric, grows=True)


def _night(name: str, title: str) -> Measure:
    return Measure(name, title, "min", "sleep", adds=True)


_ALL: Final = (
    _sum("steps", "steps", "steps", "steps"),
    _sum("distance_m", "distance", "m", "activity"),
    _sum("active_energy_kcal", "active energy", "kcal", "activity"),
    _sum("energy_kcal", "energy with rest", "kcal", "activity"),
    _sum("active_min", "active time", "min", "activity"),
    _sum("moderate_min", "moderate activity", "min", "activity"),
    _sum("vigorous_min", "vigorous activity", "min", "activity"),
    _rising("steps_goal_pct", "of the goal of steps", "%", "steps"),
    _rising("distance_goal_pct", "of the goal of distance", "%", "activity"),
    _rising("energy_goal_pct", "of the goal of active energy", "%", "activity"),
    _rising("active_goal_pct", "of the goal of active time", "%", "activity"),
    Measure("sleep_goal_pct", "of the goal of sleep", "%", "sleep"),
    Measure("bpm_mean", "heart rate", "bpm", "heart_rate"),
    Measure("bpm_least", "lowest heart rate", "bpm", "heart_rate"),
    Measure("bpm_most", "highest heart rate", "bpm", "heart_rate"),
    Measure("resting_bpm", "resting heart rate", "bpm", "heart_rate"),
    *(_sum(f"zone_{zone}_min", f"in zone {zone}", "min", "heart_rate") for zone in range(1, 6)),
    Measure("vo2max_at_rest_ml_kg_min", "oxygen uptake by resting rate", "mL/kg/min", "heart_rate"),
    Measure("spo2_mean_pct", "oxygen saturation", "%", "spo2"),
    Measure("spo2_least_pct", "lowest oxygen saturation", "%", "spo2"),
    Measure("spo2_low_pct", "saturation under 90 %", "%", "spo2"),
    Measure("stress_mean_score", "stress", "index", "stress"),
    Measure("stress_most_score", "highest stress", "index", "stress"),
    *(
        Measure(f"stress_{low}_pct", f"of the time, stress {low} to {high}", "%", "stress")
        for low, high in ((0, 24), (25, 49), (50, 74), (75, 100))
    ),
    Measure("temperature_mean_c", "temperature", "°C", "temperature"),
    Measure("noise_level_db", "sound level", "dB(A)", "noise"),
    Measure("noise_most_db", "loudest sound", "dB(A)", "noise"),
    _rising("noise_dose_pct", "dose of sound", "%", "noise"),
    Measure("rmssd_ms", "heart rate variability, RMSSD", "ms", "rr_interval"),
    Measure("sdnn_ms", "heart rate variability, SDNN", "ms", "rr_interval"),
    Measure("pnn50_pct", "heart rate variability, pNN50", "%", "rr_interval"),
    Measure("weight_kg", "weight", "kg", "weight"),
    _sum("workouts", "workouts", "workouts", "workout"),
    _sum("workout_min", "in workouts", "min", "workout"),
    _sum("workout_distance_m", "distance in workouts", "m", "workout"),
    _sum("workout_energy_kcal", "energy in workouts", "kcal", "workout"),
    _sum("met_min", "MET minutes in workouts", "MET min", "workout"),
    _sum("load_trimp", "training load", "TRIMP", "workout"),
    _rising("longest_run_m", "longest run", "m", "workout"),
    _rising("longest_ride_m", "longest ride", "m", "workout"),
    _rising("longest_swim_m", "longest swim", "m", "workout"),
    Measure("vo2max_ml_kg_min", "oxygen uptake at the limit", "mL/kg/min", "workout"),
    _night("asleep_min", "asleep"),
    _night("awake_min", "awake in the night"),
    _night("light_min", "light sleep"),
    _night("deep_min", "deep sleep"),
    _night("rem_min", "REM sleep"),
    _sum("nap_min", "asleep by day", "min", "sleep"),
    Measure("efficiency_pct", "of the sleep period asleep", "%", "sleep"),
    Measure("onset_local_min", "fell asleep", "min", "sleep", clock=True),
    Measure("wake_local_min", "woke up", "min", "sleep", clock=True),
    Measure("midpoint_local_min", "middle of the night", "min", "sleep", clock=True),
    Measure("sleep_score", "the watch's score of sleep", "index", "sleep_summary"),
    Measure("night_bpm_mean", "heart rate asleep", "bpm", "heart_rate"),
    Measure("night_bpm_least", "lowest heart rate asleep", "bpm", "heart_rate"),
    Measure("night_spo2_mean_pct", "oxygen saturation asleep", "%", "spo2"),
    Measure("night_spo2_least_pct", "lowest saturation asleep", "%", "spo2"),
    Measure("night_temperature_c", "temperature asleep", "°C", "temperature"),
)
MEASURES: Final[Mapping[str, Measure]] = {measure.name: measure for measure in _ALL}
