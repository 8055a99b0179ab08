"""What a watch tells unasked: one frozen dataclass per kind of fact.

`EVENT_NAMES` gives each its stable name, for JSON lines and for `ksos listen --on`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class MusicKeyPressed:
    """A music key: play, pause, stop, previous, next, volume_up, volume_down, mute, set_volume."""

    key: str
    volume_pct: int | None = None


@dataclass(frozen=True, slots=True)
class CameraKeyPressed:
    """The camera key: photo, photo_burst, opened, closed, preview_start, _pause, _stop, done."""

    key: str


@dataclass(frozen=True, slots=True)
class CallKeyPressed:
    """What the wearer did to a call: answered, rejected or muted."""

    key: str


@dataclass(frozen=True, slots=True)
class FindPhoneRequested:
    """The wearer looks for this machine; with `on` False no more."""

    on: bool
    timeout_s: int | None = None


@dataclass(frozen=True, slots=True)
class SosRequested:
    """The wearer asks for help; with `on` False no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key without a fixed meaning: short, long, tap, double_tap."""

    press: str


@dataclass(frozen=True, slots=True)
class QuickReplyChosen:
    """The wearer answered a notice. `reply_hex` is what the watch sent; its layout is open."""

    reply_hex: str


@dataclass(frozen=True, slots=True)
class VolumeChanged:
    """The watch's own loudspeaker was set."""

    volume: int


@dataclass(frozen=True, slots=True)
class ClockWanted:
    """The watch does not know the time (it restarted) and wants it."""


@dataclass(frozen=True, slots=True)
class WeatherWanted:
    """The watch wants the weather."""


@dataclass(frozen=True, slots=True)
class BatteryLow:
    """The watch says that its battery is low."""

    battery_pct: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateWanted:
    """The watch asks for a look for an update, or for its start."""

    start: bool


@dataclass(frozen=True, slots=True)
class DataChanged:
    """Something of the watch changed: a stable name, with the numbers and words it gave."""

    what: str
    details: Mapping[str, int | str] = field(default_factory=dict)


Told = (
    MusicKeyPressed
    | CameraKeyPressed
    | CallKeyPressed
    | FindPhoneRequested
    | SosRequested
    | KeyPressed
    | QuickReplyChosen
    | VolumeChanged
    | ClockWanted
    | WeatherWanted
    | BatteryLow
    | UpdateWanted
    | DataChanged
)
EVENT_NAMES: Final[Mapping[type[Told], str]] = {
    MusicKeyPressed: "music_key",
    CameraKeyPressed: "camera_key",
    CallKeyPressed: "call_key",
    FindPhoneRequested: "find_phone",
    SosRequested: "sos",
    KeyPressed: "key",
    QuickReplyChosen: "quick_reply",
    VolumeChanged: "volume",
    ClockWanted: "clock_wanted",
    WeatherWanted: "weather_wanted",
    BatteryLow: "battery_low",
    UpdateWanted: "update_wanted",
    DataChanged: "changed",
}
