"""Facts that a session reports, in the past tense. Nothing here names a family's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from firmware_protocol.jobs import Job
from firmware_protocol.records import RawRecord, Watermark


@dataclass(frozen=True, slots=True)
class WatchInfo:
    """Who the watch says it is. What it did not say is None."""

    family: str
    product: str
    model_code: int | None = None
    firmware_version: str | None = None
    address: str | None = None
    bound: bool | None = None
    battery_pct: int | None = None
    charging: bool | None = None
    restarted: bool | None = None
    capabilities: frozenset[str] = frozenset()
    facts: Mapping[str, int | str] | None = None  # further named numbers, for `watch info`


@dataclass(frozen=True, slots=True)
class Identified:
    """The prelude is done."""

    info: WatchInfo


@dataclass(frozen=True, slots=True)
class Bound:
    """The watch accepted the bind."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """The watch forgot us."""


@dataclass(frozen=True, slots=True)
class ClockRead:
    """The watch's wall clock, naive because the watch knows no zone."""

    wall: datetime


@dataclass(frozen=True, slots=True)
class ClockWasSet:
    """The watch took the time."""


@dataclass(frozen=True, slots=True)
class BatteryRead:
    """The battery now; `record` is what the watch sent."""

    battery_pct: int
    voltage_mv: int | None
    charging: bool | None
    record: RawRecord


@dataclass(frozen=True, slots=True)
class LiveRead:
    """Totals of the local day so far; `bpm` is the last reading, None where there is none."""

    steps: int
    energy_kcal: int
    distance_m: int
    active_min: int
    bpm: int | None


@dataclass(frozen=True, slots=True)
class SyncPlanned:
    """How many bytes of records the watch says it holds; None where it does not say."""

    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class RecordReceived:
    """A whole record. The session waits for `commit()` before it lets the watch forget it.

    `watermarks` are to be stored in the same transaction. `verified` is False where the record's
    own sums failed twice. `received_bytes` counts record bytes of this job so far.
    """

    record: RawRecord
    watermarks: tuple[Watermark, ...]
    metrics: tuple[str, ...]
    received_bytes: int
    verified: bool = True


@dataclass(frozen=True, slots=True)
class SyncFinished:
    """Everything that was asked for came. `skipped` names kinds that this watch does not keep."""

    records: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataChanged:
    """The watch says of itself that something changed: a stable name, with the numbers it gave."""

    what: str
    details: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class FrameIgnored:
    """A frame that was unknown, malformed or not asked for. Never fatal."""

    reason: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class JobDone:
    """The job ended well."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The job ended without its result.

    `kind` is `refused`, `silent`, `malformed` or `unsupported`.
    """

    job: Job
    kind: str
    reason: str


Event = (
    Identified
    | Bound
    | Unbound
    | ClockRead
    | ClockWasSet
    | BatteryRead
    | LiveRead
    | SyncPlanned
    | RecordReceived
    | SyncFinished
    | DataChanged
    | FrameIgnored
    | JobDone
    | JobFailed
)
