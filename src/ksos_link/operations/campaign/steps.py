"""Doing one step with one watch: the seam between a campaign and the operations that it is made of.

A doer yields what happens and ends with a `StepOutcome`. `perform` keeps it within its time, and
makes an outcome of every failure: what one watch does never ends a campaign.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ksos_link.errors import (
    BluetoothError,
    KsosError,
    MalformedError,
    NotFoundError,
    RefusedError,
)
from ksos_link.operations.campaign.model import Radio, Step
from ksos_link.store.campaigns import CampaignWatch, Measured

# of an end that no operation told, so that nobody else says how the watch is
_HALF_WAY: Final = (
    " It had begun to change the watch, which may be half-way: ksos firmware resume FILE, or"
    " ksos dial list."
)
# what another attempt may mend: a link, a sleepy watch, a garbled answer; no rule and no file
WORTH_ANOTHER: Final = (BluetoothError, NotFoundError, RefusedError, MalformedError)


@dataclass(frozen=True, slots=True)
class StepJob:
    """One step for one watch, over one radio, within `timeout_s`.

    `half_way` tells that an attempt before began to write, and did not come to its end. `others`
    are the addresses of the campaign's other watches.
    """

    watch: CampaignWatch
    step: Step
    radio: Radio
    timeout_s: float
    attempt: int = 1
    half_way: bool = False
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StepWriting:
    """Nothing speaks against it: from now on the watch is changed."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far a transfer got."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class StepRemark:
    """Something that whoever looks on should know."""

    text: str


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The end of a step. `message` says why it failed; `again` whether another attempt may help."""

    passed: bool
    message: str = ""
    measured: Measured = field(default_factory=Measured)
    again: bool = False


StepEvent = StepWriting | StepProgress | StepRemark | StepOutcome


class StepDoer(Protocol):
    """Does steps."""

    def do(self, job: StepJob) -> AsyncGenerator[StepEvent, None]:
        """Do one; the last event is the `StepOutcome`.

        Raises:
            KsosError: it failed, and nothing was measured.
        """


class Workplace(Protocol):
    """Where steps are done: in this process, or on workers elsewhere."""

    async def radios(self, wanted: Sequence[Radio]) -> Sequence[Radio]:
        """The radios that take work, one job each at a time.

        Raises:
            BluetoothError: there is none.
        """

    def reaches(self, radio: Radio, watch: CampaignWatch) -> bool:
        """Whether a radio may be given a job with a watch."""

    async def perform(self, job: StepJob, tell: Callable[[StepEvent], None]) -> StepOutcome:
        """Do one job; no failure of it is raised."""


class Here:
    """Does steps in this process."""

    def __init__(self, doer: StepDoer) -> None:
        self._doer = doer

    async def radios(self, wanted: Sequence[Radio]) -> Sequence[Radio]:
        """See `Workplace.radios`: those of the file, all of this machine."""
        return wanted

    def reaches(self, radio: Radio, watch: CampaignWatch) -> bool:
        """See `Workplace.reaches`: the one that the file names, or any."""
        return watch.radio in ("", radio.name)

    async def perform(self, job: StepJob, tell: Callable[[StepEvent], None]) -> StepOutcome:
        """See `Workplace.perform`."""
        return await perform(self._doer, job, tell)


def failed(error: KsosError, measured: Measured) -> StepOutcome:
    """What an error comes to; its hint says how the watch is, and what may be done next."""
    message = f"{error} {error.hint}".strip()
    again = isinstance(error, WORTH_ANOTHER)
    return StepOutcome(passed=False, message=message, measured=measured, again=again)


async def perform(doer: StepDoer, job: StepJob, tell: Callable[[StepEvent], None]) -> StepOutcome:
    """Do a job within its time; every failure becomes an outcome."""
    outcome = StepOutcome(passed=False, message="The step ended without a verdict.")
    state = ""
    try:
        async with asyncio.timeout(job.timeout_s), contextlib.aclosing(doer.do(job)) as events:
            async for event in events:
                if isinstance(event, StepOutcome):
                    outcome = event
                else:
                    state = _HALF_WAY if isinstance(event, StepWriting) else state
                    tell(event)
    except TimeoutError:
        text = f"It took longer than {job.timeout_s:g} s.{state}"
        return StepOutcome(passed=False, message=text, again=True)
    except KsosError as error:
        return failed(error, Measured())
    except Exception as error:  # noqa: BLE001 a bug at one watch must not end the night of all
        text = f"Something in ksos itself is wrong ({type(error).__name__}).{state}"
        return StepOutcome(passed=False, message=text)
    return outcome
