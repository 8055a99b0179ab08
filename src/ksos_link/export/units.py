"""Units of columns in the notation of UCUM, by the endings of their names."""

from typing import Final

_OF_NAMES: Final = {
    "bpm": "/min",
    "bpm_avg": "/min",
    "bpm_max": "/min",
    "bpm_min": "/min",
    "vo2max_ml_kg_min": "mL/(kg.min)",
}
_OF_ENDINGS: Final = {
    "c": "Cel",
    "db": "dB(A)",  # not of UCUM, which knows no weighting
    "deg": "deg",
    "kcal": "kcal",
    "kg": "kg",
    "m": "m",
    "min": "min",
    "mps": "m/s",
    "ms": "ms",
    "mv": "mV",
    "pct": "%",
    "s": "s",
    "spm": "/min",
}


def unit_of(column: str) -> str:
    """Return the unit of a column, `1` where it counts or is an index."""
    return _OF_NAMES.get(column) or _OF_ENDINGS.get(column.rpartition("_")[2], "1")
