"""The runner of campaigns: whatever is killed, fails or is interrupted, the report stays true.

Steps are scripted here, so that every moment can be chosen; `test_cli_campaign.py` has watches.
"""

import asyncio
import contextlib
import tempfile
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ksos_link.config import open_home
from ksos_link.errors import (
    LinkLostError,
    NotFoundError,
    PolicyError,
    PreflightError,
    StoreError,
    UsageError,
)
from ksos_link.operations.campaign import events as told
from ksos_link.operations.campaign.model import CampaignFile, Limits, Radio, Step, Window
from ksos_link.operations.campaign.outline import Outline, outline
from ksos_link.operations.campaign.runner import BUSY_POLL_S, resume_campaign, run_campaign
from ksos_link.operations.campaign.steps import (
    Here,
    StepEvent,
    StepJob,
    StepOutcome,
    StepProgress,
    StepRemark,
    StepWriting,
)
from ksos_link.store.campaigns import CampaignState, CampaignWatch, Measured
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
STEP_S = 10.0


class Killed(BaseException):
    """What `kill -9` looks like from inside: nothing runs after it, nothing more is written."""


@dataclass
class Script:
    """Does what it is told: each job takes the next word, `pass` where there is none.

    `kill` ends the program while the step runs, `kill_after` when it is done but not noted yet.
    """

    words: deque[str] = field(default_factory=deque)
    done: dict[tuple[str, str, int], str] = field(default_factory=dict)  # which job: what came
    busy: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    jobs: list[StepJob] = field(default_factory=list)
    kill: Callable[[], None] = lambda: None

    async def do(self, job: StepJob) -> AsyncGenerator[StepEvent, None]:
        name = job.watch.name
        assert not self.busy[name], "a watch was given two jobs at once"
        self.busy[name] += 1
        self.jobs.append(job)
        self.most_at_once = max(self.most_at_once, self.busy.total())
        word = self.words.popleft() if self.words else "pass"
        try:
            yield StepWriting()
            yield StepProgress(1, 2)
            await asyncio.sleep(STEP_S)
            self.done[key_of(job)] = word
            if word.startswith("kill"):
                self.kill()
            match word:
                case "again":
                    raise LinkLostError("The link was lost.", "Move closer.")
                case "fail":
                    raise PolicyError("It is forbidden.")
                case "bug":
                    raise ZeroDivisionError
                case "slow":
                    await asyncio.sleep(1e6)
                case _:
                    yield StepRemark("nearly done")
                    yield StepOutcome(True, measured=Measured(sent_bytes=100, rssi_dbm=-50))
        finally:
            self.busy[name] -= 1


def address(name: str) -> str:
    return f"F9:24:12:00:00:{ord(name):02X}"


def key_of(job: StepJob) -> tuple[str, str, int]:
    return job.watch.name, job.step.label, job.attempt


@dataclass
class Nights:
    """A home, a campaign in it, and a clock that jumps."""

    runner: asyncio.Runner
    folder: Path
    script: Script = field(default_factory=Script)
    start: datetime = NOON
    events: list[Any] = field(default_factory=list)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.runner.get_loop().time())

    def open(self) -> Store:
        home = open_home({"KSOS_HOME": str(self.folder / "home")})
        secret = {"KSOS_KEY_FILE": str(self.folder / "secret")}
        return open_store(home, SecretSource(secret, keyring=lambda: None), busy_wait_s=0.0)

    def run(self, file: CampaignFile, names: Sequence[str], **how: bool) -> CampaignState | None:
        watches = [CampaignWatch(n, name, address(name)) for n, name in enumerate(names)]
        return self._follow(
            lambda store: run_campaign(
                file, watches, store, Here(self.script), self.now, anew=how.get("anew", False)
            )
        )

    def resume(self, file: CampaignFile) -> CampaignState | None:
        return self._follow(lambda store: resume_campaign(file, store, Here(self.script), self.now))

    def _follow(
        self, begin: Callable[[Store], AsyncGenerator[told.CampaignEvent, None]]
    ) -> CampaignState | None:
        """Run to the end; None where it was killed."""
        self.events.clear()

        async def all_of(store: Store) -> None:
            async with contextlib.aclosing(begin(store)) as events:
                async for event in events:
                    self.events.append(event)

        with self.open() as store:

            def kill() -> None:
                store.close()
                raise Killed

            self.script.kill = kill
            try:
                self.runner.run(all_of(store))
            except Killed:
                return None
        last = self.events[-1]
        assert isinstance(last, told.CampaignEnded)
        return last.state

    def outline(self, file: CampaignFile) -> Outline:
        with self.open() as store:
            return outline(store, file.path)


def campaign(folder: Path, steps: int = 2, radios: int = 2, **limits: Any) -> CampaignFile:
    path = folder / "night.toml"
    path.touch()
    return CampaignFile(
        path,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "Night",
        (),
        None,
        tuple(Radio(f"radio {n}") for n in range(radios)),
        tuple(Step("verify", f"step {n}") for n in range(steps)),
        Limits(**limits),
    )


@pytest.fixture
def nights(runner: asyncio.Runner, tmp_path: Path) -> Nights:
    return Nights(runner, tmp_path)


def verdicts(of: Outline) -> list[list[str]]:
    return [[step.verdict for step in run.steps] for run in of.watches]


def test_all_pass(nights: Nights) -> None:
    file = campaign(nights.folder)
    assert nights.run(file, "abc") is CampaignState.FINISHED
    of = nights.outline(file)
    assert of.all_passed
    assert verdicts(of) == [["passed", "passed"]] * 3
    assert of.head.state is CampaignState.FINISHED
    assert nights.script.most_at_once == 2
    assert nights.now() - NOON == timedelta(seconds=3 * STEP_S)  # six steps on two radios
    (first, *_) = of.watches[0].attempts
    assert first.measured.sent_bytes == 100
    assert first.measured.radio in ("radio 0", "radio 1")
    assert first.took_s == STEP_S
    kinds = Counter(type(event).__name__ for event in nights.events)
    assert kinds == {
        "CampaignBegan": 1,
        "AttemptBegan": 6,
        "AttemptMoved": 6,
        "AttemptRemarked": 6,
        "AttemptEnded": 6,
        "CampaignEnded": 1,
    }


def test_a_watch_that_fails_skips_its_later_steps(nights: Nights) -> None:
    file = campaign(nights.folder, steps=3, radios=1)
    nights.script.words.extend(["fail"])
    assert nights.run(file, "ab") is CampaignState.FINISHED
    of = nights.outline(file)
    assert verdicts(of) == [["failed", "skipped", "skipped"], ["passed"] * 3]
    assert [run.verdict for run in of.watches] == ["failed", "passed"]
    assert of.watches[0].attempts[0].message == "It is forbidden."
    assert not of.all_passed


def test_a_watch_that_fails_goes_on_where_the_file_says_so(nights: Nights) -> None:
    file = campaign(nights.folder, steps=3, radios=1, continue_after_failure=True)
    nights.script.words.extend(["fail", "bug"])
    nights.run(file, "a")
    of = nights.outline(file)
    assert verdicts(of) == [["failed", "failed", "passed"]]
    said = of.watches[0].attempts[1].message
    assert said.startswith("Something in ksos itself is wrong (ZeroDivisionError). It had begun")


def test_attempts_are_counted_and_paused_between(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, attempts=3, pause_s=100)
    nights.script.words.extend(["again", "again", "again"])
    nights.run(file, "a")
    (run,) = nights.outline(file).watches
    assert [each.verdict for each in run.attempts] == ["retried", "retried", "failed"]
    assert run.attempts[0].message == "The link was lost. Move closer."
    assert nights.now() - NOON == timedelta(seconds=3 * STEP_S + 2 * 100)
    assert [job.attempt for job in nights.script.jobs] == [1, 2, 3]


def test_a_step_ends_when_its_time_is_over(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, attempts=2, pause_s=0, step_timeout_s=60)
    nights.script.words.extend(["slow"])
    assert nights.run(file, "a") is CampaignState.FINISHED
    (run,) = nights.outline(file).watches
    assert [each.verdict for each in run.attempts] == ["retried", "passed"]
    said = run.attempts[0].message
    assert said.startswith("It took longer than 60 s. It had begun to change the watch")
    assert "ksos firmware resume FILE" in said


def test_a_pause_before_a_step_leaves_the_radio_free(nights: Nights) -> None:
    file = campaign(nights.folder, steps=2, radios=1)
    file = replace(file, steps=(file.steps[0], replace(file.steps[1], pause_s=1000)))
    nights.run(file, "abc")
    # three first steps, one after the other; then the pause of the first watch is what counts
    assert nights.now() - NOON == timedelta(seconds=STEP_S + 1000 + 3 * STEP_S)


def test_no_more_at_once_than_the_file_says(nights: Nights) -> None:
    file = campaign(nights.folder, radios=4, parallel=2)
    nights.run(file, "abcd")
    assert nights.script.most_at_once == 2


def test_a_watch_stays_on_the_radio_that_the_file_names(nights: Nights) -> None:
    file = campaign(nights.folder)
    with nights.open() as store:
        watches = [
            CampaignWatch(n, name, address(name), f"radio {n % 2}")
            for n, name in enumerate("abcde")
        ]

        async def all_of() -> None:
            run = run_campaign(file, watches, store, Here(nights.script), nights.now)
            async for _ in run:
                pass

        nights.runner.run(all_of())
    assert all(job.radio.name == job.watch.radio for job in nights.script.jobs)
    assert nights.outline(file).all_passed


def test_a_step_may_be_for_some_watches_only(nights: Nights) -> None:
    file = campaign(nights.folder, steps=3, radios=1)
    first, second, third = file.steps
    steps = (replace(first, only=("b*",)), replace(second, only=("a", "x")), third)
    file = replace(file, steps=steps)
    nights.script.words.extend(["kill"])
    assert nights.run(file, "ab") is None
    assert nights.resume(file) is CampaignState.FINISHED
    got = [[step.label for step in run.steps] for run in nights.outline(file).watches]
    assert got == [["step 1", "step 2"], ["step 0", "step 2"]]
    assert nights.outline(file).all_passed
    assert Counter(key_of(job)[:2] for job in nights.script.jobs) == {
        ("a", "step 1"): 2,
        ("a", "step 2"): 1,
        ("b", "step 0"): 1,
        ("b", "step 2"): 1,
    }


def test_too_many_failures_stop_a_campaign_and_resume_goes_on(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, radios=1, stop_after_failures=2)
    nights.script.words.extend(["fail", "pass", "fail"])
    assert nights.run(file, "abcde") is CampaignState.STOPPED
    of = nights.outline(file)
    expected = [["failed"], ["passed"], ["failed"], ["skipped"], ["skipped"]]
    assert verdicts(of) == expected
    assert of.head.state is CampaignState.STOPPED
    assert nights.resume(file) is CampaignState.FINISHED
    assert verdicts(nights.outline(file)) == [*expected[:3], ["passed"], ["passed"]]


def test_nothing_begins_outside_the_hours(nights: Nights) -> None:
    window = Window(time(22), time(22, 1))
    file = campaign(nights.folder, steps=1, radios=1, window=window)
    names = "abcdefgh"  # 80 s of work: the last two begin on the next evening
    assert nights.run(file, names) is CampaignState.FINISHED
    began = [run.attempts[0].began_utc_s for run in nights.outline(file).watches]
    evening = int(NOON.replace(hour=22).timestamp())
    assert began[:6] == [evening + n * 10 for n in range(6)]
    assert began[6:] == [evening + 86_400, evening + 86_410]
    waits = [event.wait_s for event in nights.events if isinstance(event, told.WindowAwaited)]
    assert waits == [36_000, 86_340]


def test_a_campaign_runs_once_at_a_time_and_a_watch_has_one_job(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, radios=1, step_timeout_s=60)
    nights.run(file, "a")
    with nights.open() as other:
        lock = other.campaign_lock(file.path)
        assert lock.try_take()
        with pytest.raises(StoreError, match="running already"):
            nights.run(file, "a")
        lock.release()
        watch = other.watch_lock(address("a").lower())
        assert watch.try_take()
        nights.run(file, "ab")
        watch.release()
    of = nights.outline(file)
    assert verdicts(of) == [["failed"], ["passed"]]
    assert of.watches[0].attempts[0].message == "Another ksos kept the watch at work."
    assert [event.watch for event in nights.events if isinstance(event, told.WatchBusy)] == ["a"]


def test_a_watch_that_becomes_free_gets_its_job(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, radios=1)
    with nights.open() as other:
        watch = other.watch_lock(address("a"))
        assert watch.try_take()
        nights.runner.get_loop().call_later(3 * BUSY_POLL_S + 1, watch.release)
        nights.run(file, "a")
    assert nights.outline(file).all_passed
    assert nights.now() - NOON == timedelta(seconds=4 * BUSY_POLL_S + STEP_S)


def test_others_may_write_to_the_store_all_night(nights: Nights) -> None:
    file = campaign(nights.folder)
    noted: list[int] = []

    async def write_now_and_then() -> None:
        for utc_s in range(5):
            await asyncio.sleep(STEP_S / 3)
            with nights.open() as other:
                other.give_consent(f"consent {utc_s}", utc_s)
            noted.append(utc_s)

    nights.runner.get_loop().call_soon(lambda: asyncio.ensure_future(write_now_and_then()))
    nights.run(file, "abc")
    assert noted == list(range(5))


def test_an_interruption_ends_cleanly_and_says_so(nights: Nights) -> None:
    file = campaign(nights.folder, steps=2, radios=1)

    async def interrupted() -> None:
        with nights.open() as store:
            watches = [CampaignWatch(0, "a", address("a"))]
            run = run_campaign(file, watches, store, Here(nights.script), nights.now)
            async with contextlib.aclosing(run), asyncio.timeout(STEP_S * 1.5):
                async for _ in run:
                    pass

    with pytest.raises(TimeoutError):
        nights.runner.run(interrupted())
    of = nights.outline(file)
    assert of.head.state is CampaignState.INTERRUPTED
    assert verdicts(of) == [["passed", "interrupted"]]
    assert nights.script.busy.total() == 0
    with pytest.raises(UsageError, match="was interrupted"):
        nights.run(file, "a")
    assert nights.resume(file) is CampaignState.FINISHED
    (run,) = nights.outline(file).watches
    assert [(each.step, each.verdict) for each in run.attempts] == [
        (0, "passed"),
        (1, "interrupted"),
        (1, "passed"),
    ]


def test_a_run_begins_anew_where_that_is_said(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, radios=1)
    nights.script.words.extend(["kill"])
    assert nights.run(file, "a") is None
    of = nights.outline(file)
    assert (of.head.state, verdicts(of)) == (CampaignState.INTERRUPTED, [["interrupted"]])
    assert nights.run(file, "ab", anew=True) is CampaignState.FINISHED
    assert verdicts(nights.outline(file)) == [["passed"], ["passed"]]


def test_what_was_changed_is_not_resumed(nights: Nights) -> None:
    image = nights.folder / "app.zip"
    image.write_bytes(b"one")
    digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    file = campaign(nights.folder, steps=1, radios=1)
    file = replace(file, steps=(replace(file.steps[0], files={str(image): digest}),))
    nights.script.words.extend(["kill"])
    with pytest.raises(NotFoundError, match="never run"):
        nights.resume(file)
    nights.run(file, "a")
    image.write_bytes(b"two")
    with pytest.raises(PreflightError, match=r"app\.zip"):
        nights.resume(file)
    image.write_bytes(b"one")
    file.path.write_text("title = 'other'")
    with pytest.raises(PreflightError, match=r"night\.toml"):
        nights.resume(replace(file, sha256="0"))
    assert nights.resume(file) is CampaignState.FINISHED


def test_a_store_that_cannot_be_written_ends_the_run(nights: Nights) -> None:
    file = campaign(nights.folder, steps=1, radios=1)

    def full() -> Iterator[None]:
        raise StoreError("The disk is full; nothing was changed.")

    with nights.open() as store:
        patched = pytest.MonkeyPatch()
        patched.setattr(store, "end_attempt", lambda *_: full())
        patched.setattr(store, "end_campaign", lambda *_: full())

        async def all_of() -> None:
            watches = [CampaignWatch(0, "a", address("a"))]
            async for _ in run_campaign(file, watches, store, Here(nights.script), nights.now):
                pass

        with pytest.raises(StoreError, match="disk is full"):
            nights.runner.run(all_of())
    assert verdicts(nights.outline(file)) == [["interrupted"]]
    assert nights.resume(file) is CampaignState.FINISHED
    assert nights.outline(file).all_passed


WORDS = st.sampled_from(["pass", "pass", "fail", "again", "bug", "kill"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    words=st.lists(WORDS, max_size=14),
    watches=st.sampled_from(["a", "ab", "abc"]),
    how=st.fixed_dictionaries(
        {
            "steps": st.integers(1, 3),
            "radios": st.integers(1, 3),
            "attempts": st.integers(1, 3),
            "continue_after_failure": st.booleans(),
            "stop_after_failures": st.sampled_from([None, 1, 3]),
        }
    ),
)
def test_any_kills_and_failures_end_in_a_true_report(
    runner: asyncio.Runner, words: list[str], watches: str, how: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        nights = Nights(runner, Path(name), Script(deque(words)))
        file = campaign(nights.folder, **how)
        state = nights.run(file, watches)
        for _ in range(len(words) + 1):  # each run that did not finish used up a word or more
            if state is CampaignState.FINISHED:
                break
            state = nights.resume(file)
        assert state is CampaignState.FINISHED
        check_truth(nights, file)


def check_truth(nights: Nights, file: CampaignFile) -> None:
    """What is reported of each watch, against what was really done with it."""
    for run in nights.outline(file).watches:
        name, done = run.watch.name, nights.script.done
        jobs = [job.attempt for job in nights.script.jobs if job.watch.name == name]
        assert jobs == [each.attempt for each in run.attempts]
        begun: set[str] = set()
        for job in nights.script.jobs:
            if job.watch.name == name:  # whoever comes after a cut attempt is told of it
                assert job.half_way == (job.step.label in begun)
                begun.add(job.step.label)
        failed = False
        for step in run.steps:
            came = [done.get((name, step.label, each.attempt), "cut") for each in step.attempts]
            told_of = [str(each.verdict) for each in step.attempts]
            assert all(map(agrees, came, told_of)), (came, told_of)
            assert sum(each in ("retried", "failed") for each in told_of) <= file.limits.attempts
            assert not any(each in ("passed", "failed") for each in told_of[:-1])
            if failed and not file.limits.continue_after_failure:
                assert (step.verdict, step.attempts) == ("skipped", ())
            else:
                assert step.verdict in ("passed", "failed")
            failed |= step.verdict == "failed"


def agrees(came: str, told_of: str) -> bool:
    """A kill is an interruption; so is what was done when another slot's kill came first."""
    truth = {
        "pass": {"passed", "interrupted"},
        "fail": {"failed", "interrupted"},
        "bug": {"failed", "interrupted"},
        "again": {"retried", "failed", "interrupted"},
        "kill": {"interrupted"},
        "cut": {"interrupted"},
    }
    return told_of in truth[came]
