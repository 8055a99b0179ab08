"""What clinical programs call our fields: LOINC codes and UCUM units, in one table.

LOINC 2.8x (loinc.org) and UCUM 2.1 (ucum.org). A field without a code that surely means it has our
own alone. Each metric keeps our own code beside, so that a heart rate through the day and one in a
workout can be told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
OWN: Final = "urn:ksos-link:code"
Category = Literal["vital-signs", "activity"]


@dataclass(frozen=True, slots=True)
class Coded:
    """A field or a kind of sample. `loinc` holds codes with LOINC's names, `own` is ours.

    `unit` is what a person reads, `ucum` what a program does; both are empty for what is no
    quantity.
    """

    own: str
    text: str
    loinc: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    ucum: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric as an observation: of one value, or of several as components."""

    metric: str
    category: Category
    code: Coded
    value: str | None = None
    components: Mapping[str, Coded] | None = None


_BPM: Final = ("beats/minute", "/min")
_HEART_RATE: Final = (("8867-4", "Heart rate"),)
_STEPS: Final = (("55423-8", "Number of steps in unspecified time Pedometer"),)
_DISTANCE: Final = (("55430-3", "Walking distance unspecified time Pedometer"),)
_ENERGY: Final = (("55424-6", "Calories burned in unspecified time Pedometer"),)
_MEAN_BPM: Final = (("55425-3", "Heart rate unspecified time mean by Pedometer"),)
_MOST_BPM: Final = (("55426-1", "Heart rate unspecified time maximum by Pedometer"),)


def _count(own: str, text: str, loinc: tuple[tuple[str, str], ...] = (), word: str = "") -> Coded:
    name = word or own
    return Coded(own, text, loinc, name, f"{{{name}}}")  # an annotation: a number without a unit


STEPS: Final = _count("steps", "Steps", _STEPS)
DISTANCE: Final = Coded("distance_m", "Distance", (), "m", "m")
ON_FOOT: Final = Coded("distance_m", "Distance", _DISTANCE, "m", "m")
ENERGY: Final = Coded("energy_kcal", "Energy with rest", _ENERGY, "kcal", "kcal")


def _minutes(own: str, text: str, loinc: tuple[tuple[str, str], ...] = ()) -> Coded:
    return Coded(own, text, loinc, "min", "min")


def _bpm(own: str, text: str, loinc: tuple[tuple[str, str], ...] = ()) -> Coded:
    return Coded(own, text, loinc, *_BPM)


ZONES: Final = {
    f"{zone}_s": Coded(f"{zone}_s", f"Time in the zone {zone}", (), "s", "s")
    for zone in ("warm_up", "fat_burn", "aerobic", "anaerobic", "extreme")
}
SLEEP_PARTS: Final[Mapping[str, Coded]] = {
    "awake_min": _minutes("awake_min", "Awake in a night"),
    "light_min": _minutes("light_min", "Light sleep", (("93830-8", "Light sleep duration"),)),
    "deep_min": _minutes("deep_min", "Deep sleep", (("93831-6", "Deep sleep duration"),)),
    "rem_min": _minutes("rem_min", "REM sleep", (("93829-0", "REM sleep duration"),)),
    "sleep_score": _count("sleep_score", "Sleep score of the vendor", word="score"),
}
ASLEEP: Final = _minutes("sleep_summary", "Sleep", (("93832-4", "Sleep duration"),))
STAGE: Final = Coded("sleep", "Stage of sleep")
DAY_STEPS: Final = _count(
    "day_steps", "Steps of a day", (("41950-7", "Number of steps in 24 hour Measured"),), "steps"
)
DAY_ENERGY: Final = Coded(
    "day_energy_kcal",
    "Energy of a day",
    (("41979-6", "Calories burned in 24 hour Calculated"),),
    "kcal",
    "kcal",
)
DAY_MOST_BPM: Final = _bpm(
    "day_bpm_max", "Highest heart rate of a day", (("8873-2", "Heart rate 24 hour maximum"),)
)
MEASURES: Final[tuple[Measure, ...]] = (
    Measure("heart_rate", "vital-signs", _bpm("heart_rate", "Heart rate", _HEART_RATE), "bpm"),
    Measure(
        "resting_heart_rate",
        "vital-signs",
        _bpm("resting_heart_rate", "Resting heart rate", (("40443-4", "Heart rate --resting"),)),
        "bpm",
    ),
    Measure(
        "spo2",
        "vital-signs",
        Coded(
            "spo2",
            "Oxygen saturation, estimated at the wrist",
            (
                ("2708-6", "Oxygen saturation in Arterial blood"),
                ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
            ),
            "%",
            "%",
        ),
        "spo2_pct",
    ),
    Measure(
        "stress",
        "activity",
        _count("stress", "Stress index of the vendor, 0 to 100", word="score"),
        "stress_score",
    ),
    Measure("steps", "activity", STEPS, "steps"),
    Measure(
        "activity",
        "activity",
        Coded("activity", "Movement in an interval"),
        components={
            "intensity": _count("intensity", "0 still to 3 intense", word="level"),
            "active_min": _minutes("active_min", "Active time"),
            "active_energy_kcal": Coded(
                "active_energy_kcal", "Energy above rest", (), "kcal", "kcal"
            ),
            "energy_kcal": ENERGY,
            "distance_m": ON_FOOT,
        },
    ),
    Measure(
        "workout_heart_rate",
        "vital-signs",
        _bpm("workout_heart_rate", "Heart rate in a workout", _HEART_RATE),
        "bpm",
    ),
    Measure(
        "workout_minute",
        "activity",
        Coded("workout_minute", "A minute of a workout"),
        components={"steps": STEPS, "energy_kcal": ENERGY, "distance_m": DISTANCE},
    ),
    Measure(
        "workout_split",
        "activity",
        Coded("workout_split", "A split of a workout", (), "m", "m"),
        "distance_m",
    ),
    Measure(
        "swim",
        "activity",
        Coded("swim", "A swim"),
        components={
            "distance_m": DISTANCE,
            "laps": _count("laps", "Laps"),
            "energy_kcal": ENERGY,
        },
    ),
    Measure("rr_interval", "vital-signs", Coded("rr_interval", "RR", (), "ms", "ms"), "rr_ms"),
    Measure(
        "heart_rate_variability",
        "vital-signs",
        Coded("heart_rate_variability", "Heart rate variability"),
        components={
            "sdnn_ms": Coded(
                "sdnn_ms",
                "SDNN",
                (("80404-7", "R-R interval.standard deviation (Heart rate variability)"),),
                "ms",
                "ms",
            ),
            "rmssd_ms": Coded("rmssd_ms", "RMSSD", (), "ms", "ms"),
        },
    ),
    Measure(
        "temperature",
        "vital-signs",
        Coded("temperature", "Body temperature", (("8310-5", "Body temperature"),), "C", "Cel"),
        "temperature_c",
    ),
    Measure(
        "noise",
        "activity",
        Coded("noise", "Sound around the wearer", (), "dB(A)", "dB[SPL]"),
        "noise_db",
    ),
    Measure(
        "weight",
        "vital-signs",
        Coded("weight", "Body weight", (("29463-7", "Body weight"),), "kg", "kg"),
        "weight_kg",
    ),
    Measure(
        "workout",
        "activity",
        Coded("workout", "A workout", (("73985-4", "Exercise activity"),)),
        components={
            "duration_s": Coded(
                "duration_s", "Duration", (("55411-3", "Exercise duration"),), "s", "s"
            ),
            "steps": STEPS,
            "energy_kcal": ENERGY,
            "distance_m": DISTANCE,
            "bpm_avg": _bpm("bpm_avg", "Mean heart rate", _MEAN_BPM),
            "bpm_max": _bpm("bpm_max", "Highest heart rate", _MOST_BPM),
            "bpm_min": _bpm("bpm_min", "Lowest heart rate"),
            "cadence_avg_spm": Coded("cadence_avg_spm", "Mean cadence", (), "steps/min", "/min"),
            "cadence_max_spm": Coded("cadence_max_spm", "Highest cadence", (), "steps/min", "/min"),
            "speed_avg_mps": Coded("speed_avg_mps", "Mean speed", (), "m/s", "m/s"),
            "speed_max_mps": Coded("speed_max_mps", "Highest speed", (), "m/s", "m/s"),
            **ZONES,
            "training_effect": _count("training_effect", "Training effect", word="score"),
            "vo2max_ml_kg_min": Coded(
                "vo2max_ml_kg_min", "VO2 max, estimated", (), "mL/kg/min", "mL/kg/min"
            ),
        },
    ),
)
