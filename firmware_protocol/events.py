"""Facts that a session reports, in the past tense. Nothing here names a family's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from firmware_protocol.jobs import Job
from firmware_protocol.records import RawRecord, Watermark
from firmware_protocol.settings import Setting
from firmware_protocol.told import Told


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
    low: bool | None = None  # as the watch itself judges it


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
class SettingRead:
    """A setting as the watch holds it."""

    setting: Setting


@dataclass(frozen=True, slots=True)
class SettingWritten:
    """The watch took a setting. `held` is what it reads back, None where the wire cannot ask.

    `sent` differs from what was asked where a text was cut or the wire counts more coarsely.
    """

    sent: Setting
    held: Setting | None


@dataclass(frozen=True, slots=True)
class TextCut:
    """A text did not fit. `kept` of it was sent; nothing, where the wire has no place for it."""

    field: str
    kept: str
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something that whoever asked for the job should know, in one plain sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class ErrorLogRead:
    """What went wrong inside the watch: names, `none` where nothing did."""

    reset_reason: str
    hardware_fault: str


@dataclass(frozen=True, slots=True)
class DetailsRead:
    """Further facts of the watch by name, what it did not answer left out."""

    facts: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class UploadStarted:
    """The watch takes a file; it already had `held_bytes` of it, which are not sent again."""

    file: str
    total_bytes: int
    held_bytes: int


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The watch acknowledged more. `sent_bytes` of this link include those sent again."""

    file: str
    acknowledged_bytes: int
    total_bytes: int
    sent_bytes: int
    repeated_bytes: int


@dataclass(frozen=True, slots=True)
class UploadVerified:
    """The watch compared all of the file with its sum or digest."""

    file: str


@dataclass(frozen=True, slots=True)
class UploadActivated:
    """The watch was told to use what it verified."""

    file: str


@dataclass(frozen=True, slots=True)
class DialsRead:
    """The dials of a watch. What the wire does not say is None; `builtin` cannot be removed.

    `colour` is how it keeps the pixels of pictures, in the words of its family's dial files.
    """

    dials: tuple[str, ...]
    shown: str | None
    builtin: frozenset[str]
    free: int | None
    largest_bytes: int | None
    width_px: int | None
    height_px: int | None
    block_bytes: int | None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class DialShown:
    """The dial is on the screen."""

    name: str


@dataclass(frozen=True, slots=True)
class DialRemoved:
    """The dial is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class HeldImage:
    """An image in a watch's flash. `state` are words such as `active`, `confirmed`, `pending`."""

    slot: str
    version: str | None
    digest: str | None
    state: tuple[str, ...] = ()

    @property
    def on_trial(self) -> bool:
        """It runs, and the watch goes back to another one unless it is confirmed (dfu.md 6.3)."""
        return "active" in self.state and "confirmed" not in self.state


@dataclass(frozen=True, slots=True)
class ImagesRead:
    """What a loader holds."""

    images: tuple[HeldImage, ...]


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

    `kind` is `refused`, `silent`, `malformed`, `unsupported`, `invalid` (what was asked cannot be
    said on this wire) or `unproven` (it needs `experimental`).
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
    | SettingRead
    | SettingWritten
    | TextCut
    | Remarked
    | ErrorLogRead
    | DetailsRead
    | UploadStarted
    | UploadProgress
    | UploadVerified
    | UploadActivated
    | DialsRead
    | DialShown
    | DialRemoved
    | ImagesRead
    | Told
    | FrameIgnored
    | JobDone
    | JobFailed
)
