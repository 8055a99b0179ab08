"""What happens to links while an operation runs, for whoever shows it."""

from dataclasses import dataclass

from firmware_protocol.events import WatchInfo


@dataclass(frozen=True, slots=True)
class Connected:
    """A link is up and the watch said who it is."""

    info: WatchInfo


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The link was lost; the next attempt starts after `wait_s`."""

    attempt: int
    wait_s: float
