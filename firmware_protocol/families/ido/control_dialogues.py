"""Bind, clock, battery and live values: one dialogue per job (ido.md 4, 5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.events import BatteryRead, Bound, ClockRead, ClockWasSet, LiveRead, Unbound
from firmware_protocol.families.ido.codes import WEEKDAYS
from firmware_protocol.families.ido.conversation import Conversation, answered, needed, whole
from firmware_protocol.families.ido.health.decoding import (
    BATTERY_KIND,
    DECODER_VERSION,
    FAMILY_NAME,
)
from firmware_protocol.families.ido.messages import IdoMessage
from firmware_protocol.family import Dialogue, JobError, Report
from firmware_protocol.jobs import Bind, ReadBattery, ReadClock, ReadLive, SetClock, Unbind
from firmware_protocol.records import RawRecord

_CONFIRM_S: Final = 60.0  # a person has to find the watch and press
_CHALLENGE_BYTES: Final = 12
_KNOWN_ENCRYPTION: Final = 0
_NO_BPM: Final = 0xF0  # and above (ido.md 4.2)
_BOUND: Final = ("ok", "new_account_agreed")
_BIND_REFUSALS: Final[Mapping[object, str]] = {
    "failed": "the watch could not bind",
    "already_bound": "the watch belongs to another phone",
    "timeout": "nobody confirmed the bind on the watch in time",
    "new_account_refused": "the bind was refused on the watch",
    "new_account_unanswered": "nobody answered the watch's question about its data",
}
_CHALLENGE_REFUSALS: Final[Mapping[object, str]] = {
    "refused": "the bind was refused on the watch",
    "check_failed": "the watch did not accept the answer to its challenge",
}


def bind(conversation: Conversation, _job: Bind) -> Dialogue:
    """04 01, and 04 05 where the watch gives a challenge (ido.md 5)."""
    # asking again while the watch waits for a press would begin anew
    waits = conversation.bind_confirm != 0
    reply = answered(
        (
            yield from conversation.classic("ido.bind.start", attempts=1, timeout_s=_CONFIRM_S)
            if waits
            else conversation.classic("ido.bind.start")
        ),
        "to bind",
    )
    result = reply.fields.get("result")
    if result == "waits_for_result":
        raise JobError("unsupported", "this watch binds in a way that is not known yet")
    if result not in _BOUND:
        raise JobError("refused", _BIND_REFUSALS.get(result, f"the watch refused: {result}"))
    auth_bytes = whole(reply, "auth_bytes") or 0
    if auth_bytes == _CHALLENGE_BYTES:
        yield from _answer_challenge(conversation, reply)
    elif auth_bytes:
        raise JobError("unsupported", "this watch binds with a code on its screen, not offered yet")
    yield Report(Bound())


def _answer_challenge(conversation: Conversation, reply: IdoMessage) -> Dialogue:
    if whole(reply, "encryption_version") != _KNOWN_ENCRYPTION:
        raise JobError("unsupported", "this watch binds with a cipher that is not known yet")
    challenge, address = reply.fields.get("challenge"), reply.fields.get("address")
    if not isinstance(challenge, str) or not isinstance(address, str):
        raise DecodeError("a bind challenge that is cut short")
    key = bytes.fromhex(address.replace(":", ""))
    pairs = zip(bytes.fromhex(challenge), key, strict=True)
    yield from conversation.classic(
        "ido.set.phone_system", {"system": "android", "system_version": 0}, attempts=1
    )
    proof = {
        "auth_bytes": _CHALLENGE_BYTES,
        "encryption_version": _KNOWN_ENCRYPTION,
        "challenge": challenge,
        "proof": bytes(one ^ other for one, other in pairs).hex(),
    }
    answer = answered(
        (yield from conversation.classic("ido.bind.challenge", proof)), "to check its challenge"
    )
    result = answer.fields.get("result")
    if result not in ("ok", "already_bound"):
        raise JobError("refused", _CHALLENGE_REFUSALS.get(result, f"the watch refused: {result}"))


def unbind(conversation: Conversation, _job: Unbind) -> Dialogue:
    """04 02; the watch erases its health data by it (ido.md 4.4, L)."""
    answered((yield from conversation.classic("ido.bind.stop")), "to unbind")
    yield Report(Unbound())


def read_clock(conversation: Conversation, _job: ReadClock) -> Dialogue:
    """02 03."""
    reply = answered((yield from conversation.classic("ido.get.clock")), "for its time")
    try:
        wall = datetime.fromisoformat(str(reply.fields.get("wall")))
    except ValueError:
        raise DecodeError("the watch's clock shows no time of the calendar") from None
    yield Report(ClockRead(wall))


def set_clock(conversation: Conversation, job: SetClock) -> Dialogue:
    """03 01, all 16 bytes: a short one would be executed with what is in memory (ido.md 3.2, L).

    The UTC field stays 0 as the vendor's app has it; the zone field holds whole hours east (P).
    """
    offset = job.local.utcoffset()
    hours, rest_s = divmod(0 if offset is None else int(offset.total_seconds()), 3600)
    fields = {
        "wall": job.local.strftime("%Y-%m-%dT%H:%M:%S"),
        "weekday": WEEKDAYS[job.local.weekday()],
        "utc_s": 0,
        "zone_raw": hours if hours > 0 and not rest_s else 0,
    }
    answered((yield from conversation.classic("ido.set.clock", fields)), "to set its clock")
    yield Report(ClockWasSet())


def read_battery(conversation: Conversation, _job: ReadBattery) -> Dialogue:
    """02 05. The record has no key: the application knows the time."""
    reply = answered((yield from conversation.classic("ido.get.battery")), "for its battery")
    body = reply.payload[: len(reply.payload) - reply.padding]
    yield Report(
        BatteryRead(
            battery_pct=needed(reply, "battery_pct"),
            voltage_mv=whole(reply, "voltage_mv") or None,
            charging=reply.fields.get("status") == "charging",
            low=reply.fields.get("status") == "low",
            record=RawRecord(FAMILY_NAME, BATTERY_KIND, "", body, DECODER_VERSION),
        )
    )


def read_live(conversation: Conversation, _job: ReadLive) -> Dialogue:
    """02 A0."""
    reply = answered((yield from conversation.classic("ido.get.live")), "for today's totals")
    bpm = whole(reply, "bpm") or 0
    yield Report(
        LiveRead(
            steps=needed(reply, "steps"),
            energy_kcal=whole(reply, "total_kcal") or 0,
            distance_m=whole(reply, "distance_m") or 0,
            active_min=whole(reply, "active_min") or 0,
            bpm=bpm if 0 < bpm < _NO_BPM else None,
        )
    )
