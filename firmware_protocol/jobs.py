"""What an application can ask of any watch. A family turns each job into its own dialogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from firmware_protocol.actions import Action
from firmware_protocol.records import Watermark
from firmware_protocol.settings import Setting


@dataclass(frozen=True, slots=True)
class Identify:
    """The connect prelude: who is there, what can it do. Ends with `Identified`."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Make the watch ours. Ends with `Bound`, or fails as refused."""


@dataclass(frozen=True, slots=True)
class Unbind:
    """Give the watch free again. Some families erase its stored health data by this."""


@dataclass(frozen=True, slots=True)
class ReadClock:
    """Ask what the watch's wall clock shows. Ends with `ClockRead`, or fails as silent."""


@dataclass(frozen=True, slots=True)
class SetClock:
    """Set the wall clock. `local` is aware; its own offset becomes the watch's."""

    local: datetime


@dataclass(frozen=True, slots=True)
class ReadBattery:
    """Ends with `BatteryRead`."""


@dataclass(frozen=True, slots=True)
class ReadLive:
    """Ask for the totals of today and the last heart rate. Ends with `LiveRead`."""


@dataclass(frozen=True, slots=True)
class Sync:
    """Fetch stored records. Each comes as `RecordReceived` and waits for `Session.commit`.

    `metrics` empty means all; `since` leaves older days on the watch.
    With `keep` nothing is confirmed: the watch will offer the same records again.
    `today` is the day that the watch's wall clock shows.
    """

    today: date
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()
    since: date | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ReadSetting:
    """Ask the watch what a setting is. Ends with `SettingRead`, or fails as `unsupported`.

    `kind` must be one that `Family.settings` calls readable. With `experimental` the watch is
    asked although it does not list the capability.
    """

    kind: type[Setting]
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class WriteSetting:
    """Set a setting, and read it back where the wire can. Ends with `SettingWritten`.

    `known` gives the other settings of this watch, for messages that carry several at once; where
    one of them is missing its default goes out. With `experimental` the watch is told although it
    does not list the capability.
    """

    setting: Setting
    known: Mapping[type[Setting], Setting] = field(default_factory=dict)
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class Do:
    """Make the watch do something now. Ends with `JobDone`, and before it what the action says.

    What could harm (`actions.HARMFUL`) and is not proven fails without `experimental`; so does
    what the watch does not list.
    """

    action: Action
    experimental: bool = False


Job = (
    Identify
    | Bind
    | Unbind
    | ReadClock
    | SetClock
    | ReadBattery
    | ReadLive
    | Sync
    | ReadSetting
    | WriteSetting
    | Do
)
