"""Running a campaign: one slot a radio, one attempt a turn, the store told before and after each.

An attempt is noted before it begins. Whatever ends the program after that, even a power cut, leaves
an attempt without an end: whoever goes on does that step anew. A step that ended is not run again.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ksos_link.errors import NotFoundError, StoreError, UsageError
from ksos_link.operations.campaign.digest import check_unchanged
from ksos_link.operations.campaign.events import (
    AttemptBegan,
    AttemptEnded,
    AttemptMoved,
    AttemptRemarked,
    CampaignBegan,
    CampaignEnded,
    CampaignEvent,
    WatchBusy,
    WindowAwaited,
)
from ksos_link.operations.campaign.model import CampaignFile, Radio, Step
from ksos_link.operations.campaign.outline import outline
from ksos_link.operations.campaign.steps import (
    StepEvent,
    StepJob,
    StepOutcome,
    StepProgress,
    StepRemark,
    StepWriting,
    Workplace,
)
from ksos_link.operations.target import address_of, parse_target
from ksos_link.store.campaigns import (
    ENDED,
    Attempt,
    CampaignHead,
    CampaignState,
    CampaignWatch,
    Measured,
    Verdict,
)
from ksos_link.store.database import Store

BUSY_POLL_S: Final = 5.0  # another job with a watch takes a minute or more
LONGEST_LOOK_S: Final = 60.0  # a machine that slept finds the hour another one
_LOCK_WAIT_S: Final = 1.0  # `status` holds the lock for a moment
CUT: Final = "The run was cut short; the step is done anew."


async def run_campaign(
    file: CampaignFile,
    watches: Sequence[CampaignWatch],
    store: Store,
    place: Workplace,
    now: Callable[[], datetime],
    *,
    anew: bool = False,
) -> AsyncGenerator[CampaignEvent, None]:
    """Begin a campaign; the last event is `CampaignEnded`. `now` is the host's clock, aware.

    With `anew` one of the same file that was interrupted is given up.

    Raises:
        UsageError: it was interrupted, and `anew` was not said.
        StoreError: it runs already, or the store cannot keep its state; see `resume_campaign`.
    """
    with _alone(store, file):
        if not anew:
            _check_ended(store, file)
        head = store.open_campaign(
            file.path,
            file.title,
            file.sha256,
            file.files,
            watches,
            [step.kept for step in file.steps],
            int(now().timestamp()),
        )
        async with contextlib.aclosing(_events(_Run(file, head, store, place, now))) as events:
            async for event in events:
                yield event


async def resume_campaign(
    file: CampaignFile, store: Store, place: Workplace, now: Callable[[], datetime]
) -> AsyncGenerator[CampaignEvent, None]:
    """Go on with a campaign that was interrupted, killed or stopped; otherwise as `run_campaign`.

    Raises:
        NotFoundError: it was never begun.
        PreflightError: its file, or a file that it sends, is not what it was.
        StoreError: it runs already, or the store cannot keep its state. What was under way then
            has no verdict, and is done anew by the next `resume_campaign`.
    """
    with _alone(store, file):
        head = store.campaign(file.path)
        if head.sha256 != file.sha256:
            check_unchanged({str(file.path): head.sha256})
        check_unchanged(head.files)
        store.settle_campaign(head.campaign_id, CUT)
        utc_s = int(now().timestamp())
        store.end_campaign(head.campaign_id, CampaignState.RUNNING, utc_s)
        async with contextlib.aclosing(_events(_Run(file, head, store, place, now))) as events:
            async for event in events:
                yield event


@contextlib.contextmanager
def _alone(store: Store, file: CampaignFile) -> Iterator[None]:
    lock = store.campaign_lock(file.path)
    lock.take("This campaign is running already.", wait_s=_LOCK_WAIT_S)
    try:
        yield
    finally:
        lock.release()


def _check_ended(store: Store, file: CampaignFile) -> None:
    try:
        state = store.campaign(file.path).state
    except NotFoundError:
        return
    if state in (CampaignState.RUNNING, CampaignState.INTERRUPTED):
        raise UsageError(
            "This campaign was interrupted.",
            "Go on: ksos campaign resume FILE; or begin anew: ksos campaign run FILE --anew",
        )


async def _events(run: "_Run") -> AsyncGenerator[CampaignEvent, None]:
    job = asyncio.create_task(run.to_the_end())
    job.add_done_callback(lambda _: run.told.put_nowait(None))
    try:
        while (event := await run.told.get()) is not None:
            yield event
        await job
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


@dataclass(slots=True)
class _Turn:
    """Where a watch stands. `due_s` is on the loop's clock."""

    watch: CampaignWatch
    step: int = 0
    failures: int = 0  # attempts at this step that failed
    half_way: bool = False  # one of them began to write
    due_s: float = 0.0
    at_work: bool = False
    busy_since_s: float | None = None


@dataclass(slots=True)
class _Run:
    """One run of a campaign, from its first slot to its last."""

    file: CampaignFile
    head: CampaignHead
    store: Store
    place: Workplace
    now: Callable[[], datetime]
    told: asyncio.Queue[CampaignEvent | None] = field(default_factory=asyncio.Queue)
    _turns: list[_Turn] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _failed: int = 0
    _at_work: int = 0
    _stopped: bool = False
    _window_told: bool = False
    _addresses: frozenset[str] = frozenset()

    async def to_the_end(self) -> None:
        """Do all that is left, and note how it ended."""
        watches = self.store.campaign_watches(self.head.campaign_id)
        attempts = self.store.attempts(self.head.campaign_id)
        self._turns = self._left(watches, attempts)
        self._addresses = frozenset(watch.address for watch in watches)
        ended = sum(attempt.verdict in ENDED for attempt in attempts)
        self._tell(CampaignBegan(self.file.title, len(watches), len(self.file.steps), ended))
        state = CampaignState.INTERRUPTED
        try:
            radios = await self.place.radios(self.file.radios)
            await _all([self._slot(radio) for radio in radios])
            state = CampaignState.STOPPED if self._turns else CampaignState.FINISHED
        finally:
            with contextlib.suppress(StoreError):  # what is noted already says the same
                self.store.end_campaign(self.head.campaign_id, state, self._utc_s())
        self._tell(CampaignEnded(state, outline(self.store, self.file.path).counts))

    def _left(self, watches: Sequence[CampaignWatch], attempts: Sequence[Attempt]) -> list[_Turn]:
        turns = {watch.number: _Turn(watch) for watch in watches}
        for each in turns.values():
            self._pass_over(each)
        for attempt in attempts:  # in order of steps and attempts
            if (turn := turns.get(attempt.watch)) is not None and self._has_ended(turn, attempt):
                del turns[attempt.watch]
        return list(turns.values())

    def _has_ended(self, turn: _Turn, attempt: Attempt) -> bool:
        """Move a watch on by what came of an attempt; tell whether nothing is left for it."""
        turn.half_way |= attempt.wrote
        match attempt.verdict:
            case Verdict.RETRIED:
                turn.failures += 1
            case Verdict.FAILED if not self.file.limits.continue_after_failure:
                return True
            case Verdict.PASSED | Verdict.FAILED:
                turn.step, turn.failures, turn.half_way = attempt.step + 1, 0, False
            case _:
                pass  # it was cut, and is done anew
        self._pass_over(turn)
        return turn.step >= len(self.file.steps)

    def _pass_over(self, turn: _Turn) -> None:
        """Leave out steps that are for other watches."""
        steps = self.file.steps
        while turn.step < len(steps) and not steps[turn.step].kept.is_for(turn.watch):
            turn.step += 1

    # ---- slots

    async def _slot(self, radio: Radio) -> None:
        while (turn := await self._next(radio)) is not None:
            address = turn.watch.address
            lock = self.store.watch_lock(address_of(parse_target(address)) or address)
            turn.at_work = True
            self._at_work += 1
            try:
                if lock.try_take():
                    await self._attempt(turn, radio)
                else:
                    self._put_off(turn, radio)
            finally:
                lock.release()
                turn.at_work = False
                self._at_work -= 1
                self._wake()

    async def _next(self, radio: Radio) -> _Turn | None:
        """The next watch for a radio, once one is due; None where no more will come."""
        while not self._stopped:
            mine = [turn for turn in self._turns if self.place.reaches(radio, turn.watch)]
            if not mine:
                return None
            closed_s = self._closed_s()
            due = min((t for t in mine if not t.at_work), key=lambda t: t.due_s, default=None)
            wait_s = None if due is None else max(closed_s, due.due_s - self._loop_s())
            if due is not None and self._is_full:
                wait_s = None
            if due is not None and wait_s is not None and wait_s <= 0:
                return due
            await self._wait(wait_s)
        return None

    @property
    def _is_full(self) -> bool:
        most = self.file.limits.parallel
        return most is not None and self._at_work >= most

    def _closed_s(self) -> float:
        """How long the window is closed; the first who finds it so tells."""
        window = self.file.limits.window
        closed_s = 0.0 if window is None else window.wait_s(self.now())
        if closed_s and not self._window_told:
            self._tell(WindowAwaited(closed_s))
        self._window_told = bool(closed_s)
        return min(closed_s, LONGEST_LOOK_S)

    async def _wait(self, for_s: float | None) -> None:
        """Until something changed, at most so long."""
        changed = self._changed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _put_off(self, turn: _Turn, radio: Radio) -> None:
        """Another program has the watch: later, but not for ever."""
        now_s = self._loop_s()
        if turn.busy_since_s is None:
            turn.busy_since_s = now_s
            self._tell(WatchBusy(turn.watch.name))
        turn.due_s = now_s + BUSY_POLL_S
        if now_s - turn.busy_since_s >= self.file.limits.step_timeout_s:
            number = self._begin(turn, radio)
            outcome = StepOutcome(passed=False, message="Another ksos kept the watch at work.")
            self._end(turn, number, outcome, 0.0, radio)

    # ---- attempts

    async def _attempt(self, turn: _Turn, radio: Radio) -> None:
        turn.busy_since_s = None
        number, began_s, step = self._begin(turn, radio), self._loop_s(), self._step(turn)
        limit_s = self.file.limits.step_timeout_s
        others = self._addresses - {turn.watch.address}
        job = StepJob(turn.watch, step, radio, limit_s, number, turn.half_way, others)

        def tell(event: StepEvent) -> None:
            match event:
                case StepWriting():
                    turn.half_way = True
                    self.store.note_writing(
                        self.head.campaign_id, turn.watch.number, turn.step, number
                    )
                case StepProgress(done_bytes, total_bytes):
                    self._tell(AttemptMoved(turn.watch.name, step.label, done_bytes, total_bytes))
                case StepRemark(text):
                    self._tell(AttemptRemarked(turn.watch.name, step.label, text))
                case StepOutcome():
                    pass  # it is returned

        try:
            outcome = await self.place.perform(job, tell)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                self._note(turn, number, Verdict.INTERRUPTED, CUT, None, Measured(radio.name))
            raise
        self._end(turn, number, outcome, self._loop_s() - began_s, radio)

    def _begin(self, turn: _Turn, radio: Radio) -> int:
        number = self.store.begin_attempt(
            self.head.campaign_id, turn.watch.number, turn.step, radio.name, self._utc_s()
        )
        self._tell(AttemptBegan(turn.watch.name, self._step(turn).label, number, radio.name))
        return number

    def _end(
        self, turn: _Turn, number: int, outcome: StepOutcome, took_s: float, radio: Radio
    ) -> None:
        """Note what came of an attempt, tell it, and move the watch on."""
        limits, watch, step = self.file.limits, turn.watch, self._step(turn)
        verdict = Verdict.PASSED if outcome.passed else Verdict.FAILED
        if verdict is Verdict.FAILED and outcome.again and turn.failures + 1 < limits.attempts:
            verdict = Verdict.RETRIED
        measured, message = outcome.measured, outcome.message
        measured = replace(measured, radio=measured.radio or radio.name)
        noted = self._note(turn, number, verdict, message, took_s, measured)
        self._tell(AttemptEnded(watch.name, step.label, number, verdict, message, took_s, measured))
        if self._has_ended(turn, noted):
            self._turns.remove(turn)
        else:
            pause_s = limits.pause_s if verdict is Verdict.RETRIED else self._step(turn).pause_s
            turn.due_s = self._loop_s() + pause_s
        if verdict is Verdict.FAILED:
            self._failed += 1
            most = limits.stop_after_failures
            self._stopped |= most is not None and self._failed >= most

    def _note(
        self,
        turn: _Turn,
        number: int,
        verdict: Verdict,
        message: str,
        took_s: float | None,
        measured: Measured,
    ) -> Attempt:
        ended = Attempt(
            turn.watch.number, turn.step, number, verdict, self._utc_s(), took_s, message, measured
        )
        self.store.end_attempt(self.head.campaign_id, ended)
        return ended

    def _step(self, turn: _Turn) -> Step:
        return self.file.steps[turn.step]

    def _tell(self, event: CampaignEvent) -> None:
        self.told.put_nowait(event)

    def _utc_s(self) -> int:
        return int(self.now().timestamp())

    @staticmethod
    def _loop_s() -> float:
        return asyncio.get_running_loop().time()


async def _all(slots: Sequence[Coroutine[None, None, None]]) -> None:
    """Run slots to their ends; where one fails or all are cancelled, every one has ended after."""
    tasks = [asyncio.create_task(slot) for slot in slots]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
