"""What a campaign is made of. Plain values: they travel to workers as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path
from typing import Final

from ksos_link.store.campaigns import CampaignStep

MOST_WATCHES: Final = 10_000
MOST_STEPS: Final = 10_000  # of one watch, repeats unrolled
SCAN_S: Final = 20.0  # sleepy watches advertise every 10 s or more
STEP_TIMEOUT_S: Final = 3600.0  # the largest image on the slowest link takes less
PAUSE_S: Final = 5.0  # a controller frees its connection slot some seconds after close
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold after a step; None asks nothing."""

    firmware_version: str | None = None
    battery_pct_at_least: int | None = None
    dial: str | None = None
    samples_at_least: int | None = None

    def over(self, common: "Expect") -> "Expect":
        """These expectations, and for what they leave open the common ones."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return replace(common, **{name: value for name, value in own.items() if value is not None})


@dataclass(frozen=True, slots=True)
class FirmwareAsk:
    """Firmware as a step names it, and what may be overlooked; see `FirmwareWish`."""

    file: Path
    public_keys: tuple[Path, ...] = ()
    channel: str = "formal"
    region: str = ""
    allow: frozenset[str] = frozenset()
    unsigned: bool = False
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class DialAsk:
    """A dial as a step names it: a file to push, or a name to remove; see `DialWish`."""

    file: Path | None
    public_keys: tuple[Path, ...] = ()
    name: str = ""
    channel: str = "formal"
    region: str = ""
    allow: frozenset[str] = frozenset()
    accept: frozenset[str] = frozenset()
    unsigned: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do with a watch. `files` has the digests of all that it reads, by path.

    `only` has patterns of the names of the watches that get it; empty is all. `pause_s` goes by
    before it begins; the radio is free meanwhile.
    """

    do: str
    label: str
    only: tuple[str, ...] = ()
    expect: Expect = Expect()
    firmware: FirmwareAsk | None = None
    dial: DialAsk | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0

    @property
    def kept(self) -> CampaignStep:
        """What the store keeps of it."""
        return CampaignStep(self.label, self.only)


@dataclass(frozen=True, slots=True)
class ScanRule:
    """Which watches in range take part. Empty and None leave a thing open."""

    product: str = ""
    model_code: int | None = None
    name: str = ""  # a pattern with * and ?
    rssi_dbm_at_least: int | None = None
    most: int = MOST_WATCHES
    for_s: float = SCAN_S


@dataclass(frozen=True, slots=True)
class NamedWatch:
    """A watch as the file names it: alias or address. `radio` empty means any."""

    address: str
    name: str = ""
    radio: str = ""


@dataclass(frozen=True, slots=True)
class Radio:
    """An adapter, `hci1` or `virtual:tcp:127.0.0.1:PORT`; empty for the machine's own choice."""

    name: str
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the local day in which steps may begin; `until` may be on the next day."""

    begins: time
    until: time

    def wait_s(self, now: datetime) -> float:
        """How long it is closed still; 0 while it is open."""
        now_s, begins_s, until_s = (
            _of_day_s(now.time()),
            _of_day_s(self.begins),
            _of_day_s(self.until),
        )
        if (now_s - begins_s) % _DAY_S < (until_s - begins_s) % _DAY_S:
            return 0.0
        return (begins_s - now_s) % _DAY_S


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard to try. `parallel` None is one watch for each radio."""

    attempts: int = 1
    pause_s: float = PAUSE_S
    parallel: int | None = None
    stop_after_failures: int | None = None
    step_timeout_s: float = STEP_TIMEOUT_S
    continue_after_failure: bool = False
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign as its file says it; `sha256` is that of the file's bytes."""

    path: Path
    sha256: str
    title: str
    watches: tuple[NamedWatch, ...]
    scan: ScanRule | None
    radios: tuple[Radio, ...]
    steps: tuple[Step, ...]
    limits: Limits

    @property
    def files(self) -> dict[str, str]:
        """The digest of every file that a step names, by path."""
        return {path: digest for step in self.steps for path, digest in step.files.items()}


def _of_day_s(of_day: time) -> float:
    return of_day.hour * 3600 + of_day.minute * 60 + of_day.second + of_day.microsecond / 1e6
