"""The health types that a sync asks for, in the app's order (ido.md 7.1, C)."""

from dataclasses import dataclass
from typing import Final

from firmware_protocol.families.ido.health import RECORDS
from firmware_protocol.families.ido.health.decoding import SPO2_BY_SECOND_KIND

_SPO2: Final = 0x01
_SPO2_BY_MINUTE: Final = "spo2_offset_minutes"


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One health type. `capabilities`: any of these bits says that the watch keeps it (8.1).

    A `whole_day` is asked for from its first item on, because the last one goes on growing (7.9).
    """

    record_type: int
    metrics: tuple[str, ...]
    capabilities: frozenset[str]
    by_day: bool
    whole_day: bool = False

    @property
    def metric(self) -> str:
        """The type's name in messages."""
        return RECORDS[self.record_type].metric

    def name(self, capabilities: frozenset[str] | None) -> str:
        """Return `RawRecord.kind`; for SpO2 it says the unit, which the record does not (7.4)."""
        by_second = capabilities is not None and _SPO2_BY_MINUTE not in capabilities
        if self.record_type == _SPO2 and by_second:
            return SPO2_BY_SECOND_KIND
        return f"health.{self.metric}"


RECORD_KINDS: Final = (
    RecordKind(0x01, ("spo2",), frozenset(("v3_spo2",)), by_day=True),
    RecordKind(0x02, ("stress",), frozenset(("v3_stress",)), by_day=True),
    RecordKind(
        0x04,
        ("workout", "workout_heart_rate", "workout_minute", "workout_split"),
        frozenset(("v3_activity", "v3_activity_custom", "workout_v16")),
        by_day=False,
    ),
    RecordKind(0x06, ("swim",), frozenset(("v3_swim",)), by_day=False),
    RecordKind(0x07, ("sleep", "sleep_summary"), frozenset(("v3_sleep",)), by_day=False),
    RecordKind(0x08, ("steps", "activity"), frozenset(("v3_sports",)), by_day=True, whole_day=True),
    RecordKind(
        0x03, ("heart_rate", "resting_heart_rate"), frozenset(("v3_heart_rate",)), by_day=True
    ),
)
HELD_ORDER: Final = (0x01, 0x02, 0x08, 0x03)  # of the offsets in command 05 (ido.md 6.5)
V3_CAPABILITIES: Final = frozenset[str]().union(*(kind.capabilities for kind in RECORD_KINDS))
