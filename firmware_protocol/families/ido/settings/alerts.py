"""Quiet times, reminders and notices on the IDO wire (ido.md 4.3)."""

from typing import Final

from firmware_protocol.events import Remarked
from firmware_protocol.families.ido.capabilities import NOTICE_BITS
from firmware_protocol.families.ido.conversation import Conversation, answered
from firmware_protocol.families.ido.settings.values import clock, days_of, is_on, repeat, switch
from firmware_protocol.families.ido.settings.way import (
    Fields,
    Known,
    Messages,
    Way,
    classic_way,
    leniently,
    put,
    told,
)
from firmware_protocol.family import Asking, Report, SettingSupport
from firmware_protocol.settings import (
    Dnd,
    DrinkReminder,
    FindPhone,
    Notices,
    SittingReminder,
    SleepTime,
    WalkReminder,
)

_ITEMS: Final = tuple(f"item_{number}" for number in range(1, len(NOTICE_BITS) + 1))
_WITH_A_BIT: Final = frozenset(name for names in NOTICE_BITS for name in names if name)


def _write_dnd(dnd: Dnd, _known: Known) -> Messages:
    """03 29 (C). A watch that knows no all-day and smart switch is sent 00 for them."""
    fields = {
        "night": switch(dnd.night),
        "start": clock(dnd.start),
        "end": clock(dnd.end),
        "range": "used",
        "repeat": repeat(dnd.days),
        "noon": switch(dnd.noon),
        "noon_start": clock(dnd.noon_start),
        "noon_end": clock(dnd.noon_end),
        "all_day": 0 if dnd.all_day is None else switch(dnd.all_day),
        "smart": 0 if dnd.smart is None else switch(dnd.smart),
    }
    return [("ido.set.dnd", fields)]


def _dnd_values(fields: Fields) -> Fields:
    """02 30 (C); an A200 does not give back the last two switches."""
    return {
        "night": is_on(fields.get("night")),
        "start": fields.get("start"),
        "end": fields.get("end"),
        "days": days_of(fields.get("repeat")),
        "noon": is_on(fields.get("noon")),
        "noon_start": fields.get("noon_start"),
        "noon_end": fields.get("noon_end"),
        "all_day": is_on(fields.get("all_day") or None),
        "smart": is_on(fields.get("smart") or None),
    }


def _write_sleep_time(sleep: SleepTime, _known: Known) -> Messages:
    fields = {"switch": switch(sleep.on), "start": clock(sleep.start), "end": clock(sleep.end)}
    return [("ido.set.sleep_period", fields)]


def _write_find_phone(find: FindPhone, _known: Known) -> Messages:
    return [("ido.set.find_phone", {"switch": switch(find.on), "timeout_s": find.timeout_s})]


def _write_sitting(sitting: SittingReminder, _known: Known) -> Messages:
    fields = {
        "start": clock(sitting.start),
        "end": clock(sitting.end),
        "interval_min": sitting.interval_min,
        "repeat": repeat(sitting.days, master=sitting.on),
    }
    return [("ido.set.sedentary", fields)]


def _write_walking(walking: WalkReminder, _known: Known) -> Messages:
    """03 47 (C); zeros where the app leaves bytes of its memory."""
    fields = {
        "switch": switch(walking.on),
        "goal_steps": walking.hourly_steps,
        "start": clock(walking.start),
        "end": clock(walking.end),
        "repeat": repeat(walking.days),
        "goal_time_raw": 0,
        "notify": "invalid",
        **_quiet(walking),
    }
    return [("ido.set.walk_reminder", fields)]


def _write_drinking(drinking: DrinkReminder, _known: Known) -> Messages:
    """03 60 (C): bit 0 of the mask follows the switch."""
    fields = {
        "switch": switch(drinking.on),
        "start": clock(drinking.start),
        "end": clock(drinking.end),
        "repeat": repeat(drinking.days, master=drinking.on),
        "interval_min": drinking.interval_min,
        "notify": "allowed",
        **_quiet(drinking),
    }
    return [("ido.set.drink_reminder", fields)]


def _quiet(reminder: WalkReminder | DrinkReminder) -> Fields:
    """The quiet time of 03 47 and 03 60; zeros where there is none."""
    return {
        "quiet": switch(reminder.quiet),
        "quiet_start": clock(reminder.quiet_start) if reminder.quiet else "00:00",
        "quiet_end": clock(reminder.quiet_end) if reminder.quiet else "00:00",
    }


def _write_notices(conversation: Conversation, notices: Notices, _known: Known) -> Asking[Notices]:
    """03 30 (C; the order of items 3 and 4 is P)."""
    fields: dict[str, object] = {
        "main": "by_switch",
        "calls": switch(notices.calls),
        "call_delay_s": notices.call_delay_s,
    }
    for item, names in zip(_ITEMS, NOTICE_BITS, strict=True):
        fields[item] = [name for name in names if name and name in notices.apps]
    yield from put(conversation, "ido.set.notice_switches", fields)
    others = [app for app in notices.apps if app not in _WITH_A_BIT]
    if others:
        yield Report(Remarked(f"the watch has no switch of its own for {', '.join(others)}"))
    return notices


def _read_notices(conversation: Conversation) -> Asking[Notices]:
    """02 10 (C)."""
    reply = answered(
        (yield from conversation.classic("ido.get.notice_switches")), "for its notice switches"
    )
    fields = told(reply, Notices.NAME)
    apps: list[str] = []
    for item, names in zip(_ITEMS, NOTICE_BITS, strict=True):
        held = fields.get(item)
        apps += [name for name in names if isinstance(held, list) and name in held]
    values = {
        "calls": is_on(fields.get("calls")),
        "call_delay_s": fields.get("call_delay_s"),
        "apps": apps,
    }
    return (yield from leniently(Notices, values))


WAYS: Final = (
    classic_way(
        Dnd,
        "03 29, 02 30",
        _write_dnd,
        question="ido.get.dnd",
        values=_dnd_values,
        needs=("dnd",),
        reads_back_with="read_dnd",
    ),
    classic_way(
        SleepTime,
        "03 31",
        _write_sleep_time,
        needs=("sleep_period",),
        provisional="vendor documentation only",
    ),
    Way(
        Notices,
        SettingSupport(
            "03 30, 02 10", readable=True, provisional="the order of the bits from item 3 on"
        ),
        _write_notices,
        _read_notices,
    ),
    classic_way(FindPhone, "03 26", _write_find_phone, needs=("find_phone",)),
    classic_way(
        SittingReminder,
        "03 20",
        _write_sitting,
        needs=("sedentary",),
        provisional="vendor documentation only",
    ),
    classic_way(WalkReminder, "03 47", _write_walking, needs=("walk_reminder",)),
    classic_way(DrinkReminder, "03 60", _write_drinking, needs=("drink_reminder",)),
)
