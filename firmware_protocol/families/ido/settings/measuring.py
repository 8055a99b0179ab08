"""What the watch measures by itself on the IDO wire (ido.md 4.3; 6.5, V3 09 and 0C)."""

from typing import Final

from firmware_protocol.families.ido.conversation import Conversation, answered
from firmware_protocol.families.ido.settings.values import clock, code, repeat, switch
from firmware_protocol.families.ido.settings.way import (
    Fields,
    Known,
    Messages,
    Way,
    classic_way,
    leniently,
    told,
)
from firmware_protocol.families.ido.sports import code_of_sport
from firmware_protocol.family import Asking, JobError, SettingSupport
from firmware_protocol.settings import (
    HeartRateAlarm,
    HeartRateMeasuring,
    HeartRateZones,
    Spo2Measuring,
    SportDetection,
    SportOrder,
    StressMeasuring,
)

_NEVER_SET: Final = "query"  # mode byte 00 (6.5)
_ALARM_TAIL: Final = "08070000"  # R21 (03 63, L)


def _write_heart_rate(
    conversation: Conversation, measuring: HeartRateMeasuring, _known: Known
) -> Asking[HeartRateMeasuring]:
    """V3 09 (C L). The time of the change is 0: now."""
    mode = code(measuring.mode)
    if mode == 0:
        raise JobError("invalid", "mode code_0 is how this wire asks for the mode")
    fields = {
        "update_utc_s": 0,
        "mode": mode,
        "has_range": 0 if measuring.all_day else 1,
        "start": clock(measuring.start),
        "end": clock(measuring.end),
        "interval_s": measuring.interval_s,
    }
    answered(
        (yield from conversation.v3("ido.set.heart_rate_mode", fields)),
        "to take the heart-rate mode",
    )
    return measuring


def _read_heart_rate(conversation: Conversation) -> Asking[HeartRateMeasuring]:
    """V3 09 with mode 0 asks; six captures show that it changes nothing (6.5)."""
    question = {
        "update_utc_s": 0,
        "mode": "query",
        "has_range": 1,
        "start": "00:00",
        "end": "23:59",
        "interval_s": 0,
    }
    reply = answered(
        (yield from conversation.v3("ido.set.heart_rate_mode", question)),
        "for its heart-rate mode",
    )
    fields = told(reply, HeartRateMeasuring.NAME)
    mode = fields.get("mode")
    values = {
        "mode": "default" if mode == _NEVER_SET else mode,
        "interval_s": fields.get("interval_s"),
        "all_day": fields.get("has_range") == 0,
        "start": fields.get("start"),
        "end": fields.get("end"),
    }
    return (yield from leniently(HeartRateMeasuring, values))


def _write_zones(zones: HeartRateZones, _known: Known) -> Messages:
    """03 24 (C): the three thresholds of older firmware are three of the five zones."""
    fields = {
        "fat_burn_bpm": zones.fat_burn_bpm,
        "aerobic_bpm": zones.aerobic_bpm,
        "limit_bpm": zones.extreme_bpm,
        "maximum_bpm": zones.maximum_bpm,
        "zone_1_bpm": zones.warm_up_bpm,
        "zone_2_bpm": zones.fat_burn_bpm,
        "zone_3_bpm": zones.aerobic_bpm,
        "zone_4_bpm": zones.anaerobic_bpm,
        "zone_5_bpm": zones.extreme_bpm,
        "minimum_bpm": zones.minimum_bpm,
        "high_alert": int(zones.high_alert),
        "low_alert": int(zones.low_alert),
        "start": clock(zones.start),
        "end": clock(zones.end),
        "maximum_again_bpm": zones.maximum_bpm,
    }
    return [("ido.set.heart_rate_zones", fields)]


def _write_alarm(alarm: HeartRateAlarm, _known: Known) -> Messages:
    """03 63 (L). The meaning of its last four bytes is open: they go out as a watch took them."""
    fields = {
        "switch": switch(alarm.on),
        "notify": "allowed",
        "high_alert": switch(alarm.high),
        "low_alert": switch(alarm.low),
        "high_bpm": alarm.high_bpm,
        "low_bpm": alarm.low_bpm,
        "start": clock(alarm.start),
        "end": clock(alarm.end),
        "open": _ALARM_TAIL,
    }
    return [("ido.set.heart_rate_alert", fields)]


def _write_spo2(spo2: Spo2Measuring, _known: Known) -> Messages:
    """03 44 (V, layout P)."""
    fields = {
        "switch": switch(spo2.on),
        "start": clock(spo2.start),
        "end": clock(spo2.end),
        "low_alert": int(spo2.low_alert),
        "low_threshold_pct": spo2.low_pct if spo2.low_alert else 0,
        "notify": "allowed",
    }
    return [("ido.set.spo2_schedule", fields)]


def _write_stress(stress: StressMeasuring, _known: Known) -> Messages:
    """03 45 (C; the interval in its last byte is P). The calibration is what the app sends.

    Bit 0 of the mask stays set while it is off (C).
    """
    fields = {
        "switch": switch(stress.on),
        "start": clock(stress.start),
        "end": clock(stress.end),
        "alert": switch(stress.alert),
        "repeat": repeat(stress.days, master=True),
        "alert_interval_min": stress.alert_interval_min,
        "high_threshold": stress.high_score if stress.alert else 0,
        "calibration_threshold": 80,
        "notify": "allowed",
        "interval_min": stress.interval_min,
    }
    return [("ido.set.stress_schedule", fields)]


def _write_detection(detection: SportDetection, _known: Known) -> Messages:
    fields = {
        "walk": switch(detection.walk),
        "run": switch(detection.run),
        "cycle": switch(detection.cycle),
        "auto_pause": switch(detection.auto_pause),
        "auto_end_reminder": switch(detection.end_reminder),
        "elliptical": switch(detection.elliptical),
        "rower": switch(detection.rower),
        "swim": switch(detection.swim),
        "smart_rope": switch(detection.rope),
    }
    return [("ido.set.activity_recognition", fields)]


def _write_order(
    conversation: Conversation, order: SportOrder, _known: Known
) -> Asking[SportOrder]:
    """V3 0C (C)."""
    codes = []
    for name in order.sports:
        code = code_of_sport(name)
        if code is None:
            raise JobError("invalid", f"watches of this family have no sport {name}")
        codes.append(code)
    sports = [{"position": place, "sport": code} for place, code in enumerate(codes, 1)]
    fields: Fields = {"count": len(sports), "sports": sports}
    answered((yield from conversation.v3("ido.set.sport_order", fields)), "to take its sports")
    return order


WAYS: Final = (
    Way(
        HeartRateMeasuring,
        SettingSupport("V3 09", readable=True, provisional="mode `default` (BB)"),
        _write_heart_rate,
        _read_heart_rate,
    ),
    classic_way(
        HeartRateZones, "03 24", _write_zones, provisional="the last two bytes repeat the maximum"
    ),
    classic_way(
        HeartRateAlarm,
        "03 63",
        _write_alarm,
        needs=("smart_heart_rate",),
        provisional="the last four bytes, and the place of the capability's bit",
    ),
    classic_way(
        Spo2Measuring, "03 44", _write_spo2, needs=("v3_spo2",), provisional="the whole layout"
    ),
    classic_way(
        StressMeasuring,
        "03 45",
        _write_stress,
        needs=("v3_stress",),
        provisional="the measuring interval in the last byte",
    ),
    classic_way(SportDetection, "03 49", _write_detection),
    Way(SportOrder, SettingSupport("V3 0C", needs=("sport_order",)), _write_order),
)
