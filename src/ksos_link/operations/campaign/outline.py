"""How a campaign stands, by the attempts that the store has. All reports are made of this."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from ksos_link.config import check_is_text
from ksos_link.store.campaigns import (
    Attempt,
    CampaignHead,
    CampaignState,
    CampaignWatch,
    Verdict,
)
from ksos_link.store.database import Store

Kept = TypeVar("Kept")
PENDING: Final = "pending"  # not begun, and due still
SKIPPED: Final = "skipped"  # not begun, and never will be
_OVER: Final = (CampaignState.FINISHED, CampaignState.STOPPED)


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one watch. `verdict` is a `Verdict`, or `pending` or `skipped`."""

    number: int
    label: str
    verdict: str
    attempts: tuple[Attempt, ...]

    @property
    def last(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def took_s(self) -> float:
        """All attempts together."""
        return sum(each.took_s or 0.0 for each in self.attempts)


@dataclass(frozen=True, slots=True)
class Totals:
    """All attempts of a watch together. `rssi_dbm` is the weakest, the battery first and last."""

    took_s: float
    sent_bytes: int | None
    repeated_bytes: int | None
    rate_bytes_per_s: float | None
    links: int | None
    rssi_dbm: int | None
    battery_before_pct: int | None
    battery_after_pct: int | None
    firmware_version: str | None


@dataclass(frozen=True, slots=True)
class WatchRun:
    """One watch of a campaign and its steps."""

    watch: CampaignWatch
    steps: tuple[StepRun, ...]

    @property
    def verdict(self) -> str:
        """Of the watch as a whole: `passed` only where every step passed."""
        verdicts = {step.verdict for step in self.steps}
        order = (Verdict.FAILED, Verdict.RUNNING, Verdict.INTERRUPTED, Verdict.RETRIED, PENDING)
        return next((str(one) for one in (*order, SKIPPED) if one in verdicts), Verdict.PASSED)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts at its steps."""
        return [attempt for step in self.steps for attempt in step.attempts]

    @property
    def totals(self) -> Totals:
        """What its attempts came to."""
        known = [attempt.measured for attempt in self.attempts]
        sent = [(one.sent_bytes, one.rate_bytes_per_s) for one in known if one.sent_bytes]
        sending_s = sum(size / rate for size, rate in sent if rate)
        sent_bytes = _sum(one.sent_bytes for one in known)
        return Totals(
            took_s=sum(step.took_s for step in self.steps),
            sent_bytes=sent_bytes,
            repeated_bytes=_sum(one.repeated_bytes for one in known),
            rate_bytes_per_s=(sent_bytes or 0) / sending_s if sending_s else None,
            links=_sum(one.links for one in known),
            rssi_dbm=min(_there(one.rssi_dbm for one in known), default=None),
            battery_before_pct=next(iter(_there(one.battery_before_pct for one in known)), None),
            battery_after_pct=next(
                iter(_there(one.battery_after_pct for one in known[::-1])), None
            ),
            firmware_version=next(iter(_there(one.firmware_version for one in known[::-1])), None),
        )


@dataclass(frozen=True, slots=True)
class Outline:
    """A campaign as it stands."""

    head: CampaignHead
    watches: tuple[WatchRun, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many steps of all watches have each verdict."""
        return dict(Counter(step.verdict for watch in self.watches for step in watch.steps))

    @property
    def all_passed(self) -> bool:
        """Whether every step of every watch passed."""
        return set(self.counts) <= {Verdict.PASSED}


def outline(store: Store, path: Path) -> Outline:
    """Read how the campaign of a file stands.

    What was not begun is skipped where the campaign has ended, and pending before. A run that was
    killed shows as interrupted.

    Raises:
        NotFoundError: it was never run here.
        UsageError: its name is no text.
    """
    check_is_text(path)
    head = store.campaign(path)
    was_killed = head.state is CampaignState.RUNNING and not _is_run(store, path)
    if was_killed:
        head = replace(head, state=CampaignState.INTERRUPTED)
    made: dict[tuple[int, int], list[Attempt]] = {}
    for attempt in store.attempts(head.campaign_id):
        cut = was_killed and attempt.verdict is Verdict.RUNNING
        shown = replace(attempt, verdict=Verdict.INTERRUPTED) if cut else attempt
        made.setdefault((attempt.watch, attempt.step), []).append(shown)
    steps = store.campaign_steps(head.campaign_id)
    unbegun = PENDING if head.state not in _OVER else SKIPPED
    return Outline(
        head,
        tuple(
            WatchRun(
                watch,
                tuple(
                    _step(number, step.label, made.get((watch.number, number), []), unbegun)
                    for number, step in enumerate(steps)
                    if step.is_for(watch)
                ),
            )
            for watch in store.campaign_watches(head.campaign_id)
        ),
    )


def _step(number: int, label: str, attempts: Sequence[Attempt], unbegun: str) -> StepRun:
    verdict = str(attempts[-1].verdict) if attempts else unbegun
    return StepRun(number, label, verdict, tuple(attempts))


def _is_run(store: Store, path: Path) -> bool:
    lock = store.campaign_lock(path)
    try:
        return not lock.try_take()
    finally:
        lock.release()


def _there(values: Iterable[Kept | None]) -> list[Kept]:
    return [value for value in values if value is not None]


def _sum(values: Iterable[int | None]) -> int | None:
    found = _there(values)
    return sum(found) if found else None
