"""What a watch can be made to do at once, neutral of any wire; settings stay, these do not."""

from dataclasses import dataclass
from typing import Final, Literal

from firmware_protocol.weather import Forecast


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """Show a notice. `app` is a name of `settings.alerts.NOTICE_APPS`.

    A text that is too long for the watch is cut at a character, and `TextCut` says so; with
    `strict` nothing is sent and the job fails as `invalid`.
    """

    app: str
    title: str = ""
    text: str = ""
    phone: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class RingCall:
    """Show an incoming call. Texts are cut as by `ShowNotice`."""

    name: str = ""
    phone: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class EndCall:
    """Stop ringing; `missed` leaves a note of it on the watch."""

    missed: bool = False


@dataclass(frozen=True, slots=True)
class ShowMusic:
    """Tell what this machine plays. Where the wire has no place for texts, `TextCut` says so."""

    playing: bool
    title: str = ""
    artist: str = ""


@dataclass(frozen=True, slots=True)
class FindWatch:
    """Make the watch ring and shake, or stop it."""

    on: bool


@dataclass(frozen=True, slots=True)
class EndFindPhone:
    """Tell the watch that the phone was found."""


@dataclass(frozen=True, slots=True)
class UseCamera:
    """Open or close the watch's view of this machine's camera; its key then gives events."""

    on: bool


@dataclass(frozen=True, slots=True)
class PushWeather:
    """Tell the weather. Temperatures go out in the unit that the watch was set to."""

    forecast: Forecast
    fahrenheit: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Restart, switch off or erase the watch."""

    how: Literal["restart", "power_off", "factory"]


@dataclass(frozen=True, slots=True)
class ReadErrorLog:
    """Ask what went wrong inside the watch; ends with `ErrorLogRead`. With `clear` it forgets."""

    clear: bool = False


@dataclass(frozen=True, slots=True)
class ReadDetails:
    """Ask all that the watch says of itself beyond the prelude; ends with `DetailsRead`."""


@dataclass(frozen=True, slots=True)
class SetContacts:
    """Put names and numbers into the watch's phone book."""

    contacts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SetQuickReplies:
    """Put the texts into the watch with which its wearer may answer a notice."""

    replies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasureNow:
    """Start one reading of `spo2` or `stress` at once; heart rate comes with `ReadLive`."""

    metric: Literal["spo2", "stress"]


Action = (
    ShowNotice
    | RingCall
    | EndCall
    | ShowMusic
    | FindWatch
    | EndFindPhone
    | UseCamera
    | PushWeather
    | Reset
    | ReadErrorLog
    | ReadDetails
    | SetContacts
    | SetQuickReplies
    | MeasureNow
)
# a wrong guess at these can cost data or the way back to the watch
HARMFUL: Final = (Reset,)
