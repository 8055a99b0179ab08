"""Alarms on the IDO wire: all ten slots in V3 0E and 0F (ido.md 6.5, C), or one by one in 03 02."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import Remarked
from firmware_protocol.families.ido.conversation import Conversation, accept, answered
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.families.ido.settings.values import clock, code, days_of, master_of, repeat
from firmware_protocol.families.ido.settings.way import Fields, Known, Way, leniently, put
from firmware_protocol.family import Asking, Report, SettingSupport
from firmware_protocol.settings import Alarm, Alarms
from firmware_protocol.settings.kinds import cut_to_bytes

V3_ALARMS: Final = "v3_alarms"
_SLOTS: Final = 10
_NAME_BYTES: Final = 23  # and a zero (6.5)
_UNUSED: Final[Fields] = {  # as the app sends it (C)
    "state": "unused",
    "type": "wake_up",
    "time": "00:00",
    "repeat": [],
    "snooze_min": 0,
    "delay_min": 10,
    "vibration": 0,
    "repetitions": 1,
    "name": "",
}


def _write(conversation: Conversation, alarms: Alarms, _known: Known) -> Asking[Alarms]:
    listed = conversation.capabilities
    if listed is not None and V3_ALARMS not in listed:
        return (yield from _write_one_by_one(conversation, alarms))
    slots = [_slot(number, alarms) for number in range(1, _SLOTS + 1)]
    fields = {"version": 0, "count": _SLOTS, "alarms": slots}
    reply = answered((yield from conversation.v3("ido.set.alarms", fields)), "to take the alarms")
    accept(reply, "alarms")
    return alarms


def _write_one_by_one(conversation: Conversation, alarms: Alarms) -> Asking[Alarms]:
    """03 02 (V): names and repetitions have no place in it, so the usual ones are what went out."""
    if any(alarm.name for alarm in alarms.alarms):
        yield Report(Remarked("this watch keeps no names of alarms"))
    for number in range(1, _SLOTS + 1):
        slot = _slot(number, alarms)
        fields = {name: slot[name] for name in ("id", "state", "type", "time", "repeat")}
        minutes = slot["delay_min"] if slot["state"] == "shown" else 0
        yield from put(conversation, "ido.set.alarm", {**fields, "snooze_min": minutes})
    usual = Alarm()
    sent = (replace(a, name=usual.name, repetitions=usual.repetitions) for a in alarms.alarms)
    return Alarms(alarms=tuple(sent))


def _slot(number: int, alarms: Alarms) -> dict[str, object]:
    if number > len(alarms.alarms):
        return {"id": number, **_UNUSED}
    alarm = alarms.alarms[number - 1]
    return {
        "id": number,
        "state": "shown",
        "type": code(alarm.kind),
        "time": clock(alarm.at),
        "repeat": repeat(alarm.days, master=alarm.on),
        "snooze_min": 0,  # reserved (6.5)
        "delay_min": alarm.snooze_min,
        "vibration": 0,
        "repetitions": alarm.repetitions,
        "name": alarm.name,
    }


def _read(conversation: Conversation) -> Asking[Alarms]:
    """V3 0F. A slot that is not shown is none; one of no day of the week rings once."""
    reply = answered(
        (yield from conversation.v3("ido.get.alarms", {"which": "all"})), "for its alarms"
    )
    slots = reply.fields.get("alarms") if isinstance(reply, IdoMessage) else None
    if not isinstance(slots, list):
        raise DecodeError("the watch's alarms came without a list")
    shown = [
        _alarm_values(slot)
        for slot in slots[:_SLOTS]
        if isinstance(slot, Mapping) and slot.get("state") == "shown"
    ]
    alarms: list[Alarm] = []
    for values in shown:
        alarms += [(yield from leniently(Alarm, values))]
    return Alarms(alarms=tuple(alarms))


def _alarm_values(slot: Mapping[str, object]) -> Fields:
    mask = slot.get("repeat")
    return {
        "at": slot.get("time"),
        "days": days_of(mask),
        "on": master_of(mask),
        "kind": slot.get("type"),
        "name": _printable(str(slot.get("name", ""))),
        "snooze_min": slot.get("delay_min"),
        "repetitions": slot.get("repetitions"),
    }


def _printable(name: str) -> str:
    """A name as text: bytes that are no UTF-8, and control characters, are marked.

    It is cut to what a slot may hold, for watches that fill the zero behind it, too.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    shown = "".join("?" if ord(c) < 0x20 or ord(c) in (0x7F, 0xFFFD) else c for c in text)
    return cut_to_bytes(shown, _NAME_BYTES)


WAYS: Final = (
    Way(
        Alarms,
        SettingSupport("V3 0E, V3 0F; older: 03 02", readable=True, reads_back_with=V3_ALARMS),
        _write,
        _read,
    ),
)
