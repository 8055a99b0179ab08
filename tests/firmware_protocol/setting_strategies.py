"""Hypothesis: any setting within its ranges, made from what its fields' kinds say."""

from datetime import date, time
from typing import Any

from hypothesis import strategies as st

from firmware_protocol.settings import (
    Cycle,
    HeartRateZones,
    PhoneVolume,
    Setting,
    setting_fields,
)
from firmware_protocol.settings.kinds import (
    WEEKDAYS,
    Choice,
    Day,
    Days,
    Kind,
    Names,
    Number,
    Switch,
    TimeOfDay,
    Words,
)
from firmware_protocol.settings.setting import Entries

ZONES = ("warm_up_bpm", "fat_burn_bpm", "aerobic_bpm", "anaerobic_bpm", "extreme_bpm")


def values_of(kind: Kind) -> st.SearchStrategy[Any]:  # noqa: C901 one case a kind
    """Values that a field takes."""
    found: st.SearchStrategy[Any]
    match kind:
        case Switch():
            found = st.booleans()
        case Number(least, most, 0):
            found = st.integers(int(least), int(most))
        case Number(least, most, digits):
            found = st.floats(least, most).map(lambda value: round(value, digits))
        case Choice(names):
            found = st.sampled_from(names)
        case Names(names):
            found = st.lists(st.sampled_from(names), unique=True, max_size=20).map(kind.read)
        case Days():
            found = st.sets(st.sampled_from(WEEKDAYS)).map(sorted_days)
        case TimeOfDay():
            found = st.builds(time, st.integers(0, 23), st.integers(0, 59))
        case Day(first, last):
            found = st.dates(first, last)
        case Words(most_bytes):
            letters = st.characters(exclude_categories=("Cs", "Cc"))
            found = st.text(letters, max_size=most_bytes).filter(
                lambda text: len(text.encode()) <= most_bytes
            )
        case Entries(entry, most):
            found = st.lists(settings_of(entry), max_size=most).map(tuple)
        case _:
            raise AssertionError(kind)
    return st.none() | found if kind.optional else found


def settings_of(cls: type[Setting]) -> st.SearchStrategy[Any]:
    """Settings of a type, with values that do not contradict each other."""
    fields = {each.name: values_of(each.kind) for each in setting_fields(cls)}
    return st.fixed_dictionaries(fields).map(lambda values: cls(**mended(cls, values)))


def mended(cls: type[Setting], values: dict[str, Any]) -> dict[str, Any]:
    """Bring values into the order that a setting wants of them."""
    if cls is HeartRateZones:
        values.update(zip(ZONES, sorted(max(30, values[name]) for name in ZONES), strict=True))
        values["maximum_bpm"] = max(values["maximum_bpm"], values["extreme_bpm"])
        values["minimum_bpm"] = min(values["minimum_bpm"], values["warm_up_bpm"])
    elif cls is Cycle:
        values["last_start"] = values["last_start"] or date(2026, 11, 1)
        shortest = max(values["period_days"], values["ovulation_days"]) + 1
        values["cycle_days"] = max(values["cycle_days"], shortest)
    elif cls is PhoneVolume:
        values["current"] = min(values["current"], values["total"])
    return values


def sorted_days(days: set[str]) -> tuple[str, ...]:
    return tuple(day for day in WEEKDAYS if day in days)
