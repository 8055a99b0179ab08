"""The wearer, goals, units, language and cycle on the IDO wire (ido.md 4.3)."""

from dataclasses import replace
from typing import Final, TypeVar

from firmware_protocol.events import Remarked
from firmware_protocol.families.ido.conversation import Conversation
from firmware_protocol.families.ido.settings.values import clock, known_or_usual, switch
from firmware_protocol.families.ido.settings.way import (
    Fields,
    Known,
    Messages,
    Way,
    classic_way,
    put,
)
from firmware_protocol.family import Asking, Report, SettingSupport
from firmware_protocol.settings import Cycle, Goal, Language, Units, Wearer

_RING_BITS: Final = ("kcal_goal", "distance_goal", "activity_goal")
_NO_DATE: Final = "0000-00-00"
_LEAVE: Final = "invalid"
SharedSetting = TypeVar("SharedSetting", Units, Language, Wearer)  # what 03 11 carries
_UNITS: Final = (
    *("distance", "weight", "temperature", "clock", "energy", "pool", "cycling"),
    *("walk_and_run", "stride", "height"),
)


def _units_message(known: Known) -> tuple[str, Fields]:
    """03 11: units, language and strides are one message (C).

    Of what nobody knows 0 goes out, which the reference calls invalid: so a change of the language
    leaves the units alone. The first weekday has no such value: see `_put_units`.
    """
    units, language = known.get(Units), known.get(Language)
    wearer = known_or_usual(known, Wearer)
    if isinstance(units, Units):
        named = {name: getattr(units, name) for name in _UNITS}
        named["week_start"] = units.week_start
        named["stride_by_gps"] = switch(units.stride_by_gps)
    else:
        named = {**dict.fromkeys((*_UNITS, "stride_by_gps"), _LEAVE), "week_start": "monday"}
    return (
        "ido.set.units",
        {
            **named,
            "language": language.language if isinstance(language, Language) else _LEAVE,
            "walk_stride_cm": wearer.walk_stride_cm or 0,
            "run_stride_cm": wearer.run_stride_cm or 0,
        },
    )


def _put_units(
    conversation: Conversation, setting: SharedSetting, known: Known
) -> Asking[SharedSetting]:
    """Send 03 11 with one of its settings changed, and tell what else changes by it."""
    known = {**known, type(setting): setting}
    if Units not in known:
        yield Report(
            Remarked("the watch's week begins on monday now: which day it was is not known here")
        )
    yield from put(conversation, *_units_message(known))
    return setting


def _write_wearer(conversation: Conversation, wearer: Wearer, known: Known) -> Asking[Wearer]:
    """03 10, and the strides in 03 11 where there are any or were some."""
    fields = {
        "height_cm": wearer.height_cm,
        "weight_10_g": round(wearer.weight_kg * 100),
        "gender": wearer.sex,
        "birth": str(wearer.birth_date),
    }
    yield from put(conversation, "ido.set.wearer", fields)
    before = known_or_usual(known, Wearer)
    strides = (wearer.walk_stride_cm, wearer.run_stride_cm)
    if strides != (None, None) or (before.walk_stride_cm, before.run_stride_cm) != strides:
        yield from _put_units(conversation, wearer, known)
    return wearer


def _write_goal(conversation: Conversation, goal: Goal, _known: Known) -> Asking[Goal]:
    """03 03, and 03 43 with what the app was seen to send in its provisional bytes."""
    hours, minutes = divmod(goal.sleep_min, 60)
    yield from put(
        conversation,
        "ido.set.daily_goal",
        {
            "type": "steps",
            "value": goal.steps,
            "sleep_hours": hours,
            "sleep_min": minutes,
            "hourly_steps": goal.hourly_steps,
            "target": "daily",
        },
    )
    listed = conversation.capabilities
    if listed is not None and not listed.intersection(_RING_BITS):
        yield Report(Remarked("this watch has no goals of energy, distance and active time"))
        usual = Goal()
        return replace(
            goal,
            energy_kcal=usual.energy_kcal,
            distance_m=usual.distance_m,
            active_min=usual.active_min,
        )
    yield from put(
        conversation,
        "ido.set.ring_goals",
        {
            "active_kcal": goal.energy_kcal,
            "distance_m": goal.distance_m,
            "activity_s": goal.active_min * 60,
            "walk_time_raw": 0,
            "kcal_minimum": 250,
            "kcal_maximum": 1550,
            "hours": 12,
            "period": "none",
        },
    )
    return goal


def _write_cycle(cycle: Cycle, _known: Known) -> Messages:
    """03 41 and 03 42. Switched off, nothing of the cycle goes out (as the app does it, C)."""
    facts: Fields = {
        "period_days": cycle.period_days if cycle.on else 0,
        "cycle_days": cycle.cycle_days if cycle.on else 0,
        "last_start": str(cycle.last_start) if cycle.on else _NO_DATE,
        "ovulation_interval_days": cycle.ovulation_days if cycle.on else 0,
        "fertile_days_before": cycle.fertile_before_days if cycle.on else 0,
        "fertile_days_after": cycle.fertile_after_days if cycle.on else 0,
        "notify": "invalid",
    }
    reminder = switch(cycle.on and cycle.remind)
    messages: list[tuple[str, Fields]] = [
        ("ido.set.menstruation", {"switch": switch(cycle.on), **facts, "reminder": reminder})
    ]
    if cycle.on:
        messages.append(
            (
                "ido.set.menstruation_reminder",
                {
                    "period_start_days": cycle.period_start_ahead_days,
                    "ovulation_days": cycle.ovulation_ahead_days,
                    "time": clock(cycle.remind_at),
                    "fertile_start_days": cycle.fertile_start_ahead_days,
                    "fertile_end_days": cycle.fertile_end_ahead_days,
                    "period_end_days": cycle.period_end_ahead_days,
                },
            )
        )
    return messages


WAYS: Final = (
    Way(Wearer, SettingSupport("03 10, 03 11", shares=(Units, Language)), _write_wearer),
    Way(
        Goal,
        SettingSupport(
            "03 03, 03 43",
            provisional="bytes 10 to 17 of 03 43 go out as the app was seen to send them",
        ),
        _write_goal,
    ),
    Way(Units, SettingSupport("03 11", shares=(Language, Wearer)), _put_units),
    Way(Language, SettingSupport("03 11", shares=(Units, Wearer)), _put_units),
    classic_way(Cycle, "03 41, 03 42", _write_cycle, needs=("menstruation",)),
)
