"""Health records of V3 command 04 (ido.md 7): one codec per type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from firmware_protocol.families.ido.health.record import RecordCodec, opaque_codec

_CODECS: Final = (
    opaque_codec(0x01, "spo2"),
    opaque_codec(0x02, "stress"),
    opaque_codec(0x03, "heart_rate"),
    opaque_codec(0x04, "workout"),
    opaque_codec(0x05, "gps_track"),
    opaque_codec(0x06, "swim"),
    opaque_codec(0x07, "sleep"),
    opaque_codec(0x08, "steps"),
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
