"""Health records of V3 command 04 (ido.md 7): one codec per type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from firmware_protocol.families.ido.health.heart_rate import HeartRateDay
from firmware_protocol.families.ido.health.record import RecordCodec, opaque_codec
from firmware_protocol.families.ido.health.sleep import SleepRecord
from firmware_protocol.families.ido.health.spo2_and_stress import DayValues
from firmware_protocol.families.ido.health.steps import StepsDay
from firmware_protocol.families.ido.health.swim import SwimRecord
from firmware_protocol.families.ido.health.workout import WorkoutRecord

_CODECS: Final = (
    RecordCodec(0x01, "spo2", DayValues.decode, DayValues.from_fields),
    RecordCodec(0x02, "stress", DayValues.decode, DayValues.from_fields),
    RecordCodec(0x03, "heart_rate", HeartRateDay.decode, HeartRateDay.from_fields),
    RecordCodec(0x04, "workout", WorkoutRecord.decode, WorkoutRecord.from_fields),
    RecordCodec(0x06, "swim", SwimRecord.decode, SwimRecord.from_fields),
    RecordCodec(0x07, "sleep", SleepRecord.decode, SleepRecord.from_fields),
    RecordCodec(0x08, "steps", StepsDay.decode, StepsDay.from_fields),
    # named by the vendor, without a layout (7.10)
    opaque_codec(0x05, "gps_track"),
    opaque_codec(0x09, "noise"),
    opaque_codec(0x0A, "temperature"),
    opaque_codec(0x0C, "blood_pressure"),
    opaque_codec(0x0D, "type_0d"),
    opaque_codec(0x0E, "respiration"),
    opaque_codec(0x0F, "body_power"),
    opaque_codec(0x10, "hrv"),
)

RECORDS: Final[Mapping[int, RecordCodec]] = MappingProxyType(
    {codec.record_type: codec for codec in _CODECS}
)
