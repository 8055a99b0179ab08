"""WatchSession: the watch's end of a wire, and the memory that a virtual watch speaks from.

Memory is neutral: what a watch has stored, in its own wall clock (seconds since 1970 as if UTC).
A family packs it to bytes with its own code, not with the codecs of the companion's side.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.samples import SleepStage


@dataclass(frozen=True, slots=True)
class Reading:
    """A value at a wall time."""

    wall_s: int
    value: int


@dataclass(frozen=True, slots=True)
class MovementSlot:
    """What a watch counted in one slot. `intensity` as in metric `activity`."""

    wall_s: int
    minutes: int
    intensity: int
    steps: int
    active_min: int
    active_energy_kcal: int
    energy_kcal: int
    distance_m: int


@dataclass(frozen=True, slots=True)
class SleepMemory:
    """One night: phases in order, each a stage and its minutes."""

    start_wall_s: int
    phases: tuple[tuple[SleepStage, int], ...]
    sleep_score: int


@dataclass(frozen=True, slots=True)
class WorkoutMemory:
    """One workout. `bpm` has a value per `bpm_interval_s`; `minutes` are slots of one minute."""

    start_wall_s: int
    duration_s: int
    sport_code: int
    bpm_interval_s: int
    bpm: tuple[int, ...]
    minutes: tuple[MovementSlot, ...]
    split_s: tuple[int, ...]  # seconds of each whole kilometre


@dataclass(frozen=True, slots=True)
class DayMemory:
    """One wall-clock day."""

    day: date
    resting_bpm: int | None = None
    heart_rate: tuple[Reading, ...] = ()
    spo2: tuple[Reading, ...] = ()
    stress: tuple[Reading, ...] = ()
    movement: tuple[MovementSlot, ...] = ()


@dataclass(slots=True)
class WatchMemory:
    """Everything stored, oldest first. The last day is today."""

    days: list[DayMemory] = field(default_factory=list)
    nights: list[SleepMemory] = field(default_factory=list)
    workouts: list[WorkoutMemory] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WatchTraits:
    """What a virtual watch is like, apart from its memory.

    `wall_offset_s` is the wall clock minus `now_s` of the session's callers at the start;
    `options` are a family's own switches by name (such as `record_crc`). `platform` is the solution
    vendor's chip platform by the family's own numbers, None for the usual one; so with the
    firmware's version.
    """

    address: str
    wall_offset_s: int
    bound: bool = True
    battery_pct: int = 64
    refuse_bind: bool = False
    restarted: bool = False
    options: frozenset[str] = frozenset()
    platform: int | None = None
    firmware_version: int | None = None


@dataclass(frozen=True, slots=True)
class OnAir:
    """What a virtual watch shows before anybody connects, and which services it then has.

    `manufacturer_data` is the whole element after its AD type; `table` names a GATT table of the
    virtual radio.
    """

    address: str
    name: str
    service_uuids: tuple[str, ...]
    manufacturer_data: bytes = b""
    table: str = "ido"


class RequestRefused(Exception):  # noqa: N818  a watch's answer, not a failure of the program
    """Raised by a `WatchSession` that answers a request with an error of ATT."""

    def __init__(self, att_error: int) -> None:
        super().__init__(f"ATT error {att_error:02X}")
        self.att_error = att_error


class WatchSession(ABC):
    """The watch's end of a wire, sans-IO: the heart of the virtual watch and of replays."""

    @abstractmethod
    def link_opened(self, now_s: float) -> None:
        """A central connected."""

    @abstractmethod
    def subscribed(self, uuid: str, now_s: float) -> None:
        """The central enabled notifications on a characteristic."""

    @abstractmethod
    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """The central wrote.

        Raises:
            RequestRefused: the watch answers with an error of ATT.
        """

    @abstractmethod
    def read_value(self, uuid: str, now_s: float) -> bytes:
        """The value of a readable characteristic."""

    @abstractmethod
    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Take the notifications that are due, as (UUID, value)."""

    @abstractmethod
    def link_lost(self, now_s: float) -> None:
        """The link is gone; what is not confirmed stays stored."""

    @property
    def link_must_drop(self) -> bool:
        """True while the watch wants the link down.

        Whoever carries the session sends what `data_to_send` gives, then drops the link and calls
        `link_lost`, which makes this False again.
        """
        return False

    @property
    def gestures(self) -> tuple[str, ...]:
        """What its wearer can do to it, by the names that `make` takes."""
        return ()

    def make(self, gesture: str, now_s: float) -> None:
        """The wearer does something: presses a key, looks for the phone, changes a setting.

        Raises:
            LocalProtocolError: there is no such gesture.
        """
        raise LocalProtocolError(f"this watch knows no gesture {gesture!r}")

    def settings_held(self) -> dict[str, bytes]:
        """What it was set to, by the reference's row: for tests and for people who look."""
        return {}

    def take_shown(self) -> list[str]:
        """Take what appeared on the watch's screen since the last call, one line each."""
        return []

    @property
    def on_air(self) -> OnAir | None:
        """What it shows from the next advertisement on; None: what it was opened with."""
        return None

    @property
    def wants_loader(self) -> bool:
        """True once the application was told to leave for its loader; `restart` clears it."""
        return False

    @property
    def installed(self) -> bytes | None:
        """An image that the application itself took and checked, until `restart` starts it."""
        return None

    def starts_with(self, firmware_version: int) -> None:
        """The application starts anew from other firmware; memory and settings stay."""
        del firmware_version

    def restart(self, now_s: float) -> None:
        """The watch restarts. A family that shows it (or forgets something by it) says how."""
        self.link_lost(now_s)
