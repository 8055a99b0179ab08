"""What a campaign tells while it runs. Watches and steps are named as in its file."""

from collections.abc import Mapping
from dataclasses import dataclass

from ksos_link.store.campaigns import CampaignState, Measured, Verdict


@dataclass(frozen=True, slots=True)
class CampaignBegan:
    """Work starts. `ended` steps of all watches' are done already, where it goes on."""

    title: str
    watches: int
    steps: int
    ended: int


@dataclass(frozen=True, slots=True)
class WindowAwaited:
    """It is outside the hours of the campaign; nothing begins before `wait_s` are over."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class WatchBusy:
    """Another ksos has a job with this watch; it is tried again."""

    watch: str


@dataclass(frozen=True, slots=True)
class AttemptBegan:
    """An attempt at a step starts."""

    watch: str
    step: str
    attempt: int
    radio: str


@dataclass(frozen=True, slots=True)
class AttemptMoved:
    """How far a transfer got."""

    watch: str
    step: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class AttemptRemarked:
    """Something that whoever looks on should know."""

    watch: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """What came of an attempt; it is in the store already."""

    watch: str
    step: str
    attempt: int
    verdict: Verdict
    message: str
    took_s: float
    measured: Measured


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """Nothing is left to do, or the limit of failures is reached. `counts` has steps by verdict."""

    state: CampaignState
    counts: Mapping[str, int]


CampaignEvent = (
    CampaignBegan
    | WindowAwaited
    | WatchBusy
    | AttemptBegan
    | AttemptMoved
    | AttemptRemarked
    | AttemptEnded
    | CampaignEnded
)
