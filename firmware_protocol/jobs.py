"""What an application can ask of any watch. A family turns each job into its own dialogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from firmware_protocol.actions import Action
from firmware_protocol.images import ImagePart
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


@dataclass(frozen=True, slots=True)
class SendFile:
    """Send a file through the family's own pipe. Ends with `UploadActivated`.

    `name` decides where the watch puts it; `compression` is what `data` already is: `none`, `zlib`
    or `fastlz`.
    """

    name: str
    data: bytes = field(repr=False)
    compression: str = "none"


@dataclass(frozen=True, slots=True)
class ReadDials:
    """Ask which dials are there and how much room. Ends with `DialsRead`."""


@dataclass(frozen=True, slots=True)
class ShowDial:
    """Put a dial that is there on the screen, or fail as refused. Ends with `DialShown`."""

    name: str


@dataclass(frozen=True, slots=True)
class RemoveDial:
    """Delete a dial, or fail as refused. Ends with `DialRemoved`."""

    name: str


@dataclass(frozen=True, slots=True)
class EnterLoader:
    """Make the watch leave its application for its loader. The link is lost after `JobDone`.

    `model_code` is that of the image, for watches that want to know; None: the watch's own.
    """

    model_code: int | None = None


@dataclass(frozen=True, slots=True)
class ReadImages:
    """Ask the loader which images it holds. Ends with `ImagesRead`."""


@dataclass(frozen=True, slots=True)
class InstallImage:
    """Give a loader one image: from where the watch got to, verified, then activated.

    With `last` the watch starts what it got and the link is lost after `UploadActivated`;
    otherwise more parts follow, and a loader that activates all of them at once ends this job with
    `UploadVerified`. Without `experimental` what is not proven fails as `unproven`. `loader_key`
    is for loaders that want what they get encrypted.
    """

    part: ImagePart
    last: bool = True
    experimental: bool = False
    loader_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmImage:
    """Keep the image that runs now on trial (its digest in hex); the watch goes back otherwise."""

    digest: str


Job = (
    SendFile
    | ReadDials
    | ShowDial
    | RemoveDial
    | EnterLoader
    | ReadImages
    | InstallImage
    | ConfirmImage
    | Identify
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
