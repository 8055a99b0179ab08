"""Steps on the workers of a Dask scheduler: each worker owns one radio, on whatever machine it is.

A worker says in its resources what it has:

    radio=1            it takes one job at a time
    radio-hci1=1       its radio is hci1; without one it is the machine's own choice
    reach-NAME=1       it reaches this watch (its name or address); where no worker says such a
                       thing of a watch, every worker that names no watches may try

The scheduler itself gives the job of a lost worker to another one that has what the job needs. What
is synced stays, encrypted, in the store of the machine that has the radio; only verdicts travel.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ksos_link.config import open_home
from ksos_link.errors import BluetoothError, NotFoundError, UsageError
from ksos_link.operations.campaign.doer import WatchDoer
from ksos_link.operations.campaign.model import Radio
from ksos_link.operations.campaign.steps import (
    StepEvent,
    StepJob,
    StepOutcome,
    StepProgress,
    StepWriting,
    perform,
)
from ksos_link.operations.route import LinkOptions
from ksos_link.store.campaigns import CampaignWatch
from ksos_link.store.database import Store, open_store
from ksos_link.store.keys import SecretSource

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

Done = tuple[StepOutcome, list[StepEvent]]  # with what was told on the way

RADIO: Final = "radio"
_ADAPTER: Final = "radio-"
_REACH: Final = "reach-"
LOOK_EACH_S: Final = 2.0  # how often the runner looks whether a worker is left for a job
NOBODY_S: Final = 60.0  # a worker that restarts is back by then
_at_work: dict[str, asyncio.Task[StepOutcome]] = {}  # of this worker, to be stopped by name


@contextlib.asynccontextmanager
async def open_workers(address: str, timeout_s: float) -> AsyncGenerator["Workers", None]:
    """Connect to a scheduler.

    Raises:
        UsageError: the extra `scheduler` is not installed, or this is no address.
        NotFoundError: no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "The scheduler is not installed.", "Install it: pip install 'ksos-link[scheduler]'."
        ) from error
    _silence()
    try:
        client: Client = await Client(  # type: ignore[no-untyped-call]  # of the library
            address, asynchronous=True, timeout=timeout_s, set_as_default=False, name="ksos"
        )
    except (OSError, ValueError, TypeError) as error:  # all that its parser and sockets raise
        raise NotFoundError(
            "No scheduler answers at that address.", "Start one: dask scheduler; tcp://HOST:8786"
        ) from error
    try:
        yield Workers(client, timeout_s)
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            await client.close()  # type: ignore[no-untyped-call]  # of the library


class Workers:
    """The workers of a scheduler, as a `Workplace`."""

    def __init__(self, client: "Client", timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def radios(self, wanted: Sequence[Radio]) -> Sequence[Radio]:
        """See `Workplace.radios`: one for each that a worker has, whatever the file names."""
        del wanted
        count = sum(int(has.get(RADIO, 0)) for has in await self._resources())
        if not count:
            raise BluetoothError(
                "No worker of the scheduler has a radio.",
                'Start some: dask worker ADDRESS --nthreads 1 --resources "radio=1,radio-hci0=1"',
            )
        return [Radio(f"worker {number}") for number in range(1, count + 1)]

    def reaches(self, radio: Radio, watch: CampaignWatch) -> bool:
        """See `Workplace.reaches`: the scheduler decides, by what its workers say."""
        del radio, watch
        return True

    async def perform(self, job: StepJob, tell: Callable[[StepEvent], None]) -> StepOutcome:
        """See `Workplace.perform`."""
        name = f"ksos-{uuid.uuid4().hex}"
        needs = await self._needs(job.watch)
        doing: Callable[..., Any] = work  # the library's types know no coroutines
        future = self._client.submit(
            doing, job, name, self._timeout_s, key=name, resources=needs, pure=False
        )
        result = asyncio.ensure_future(_result(future))
        try:
            if not await self._comes(result, needs):
                return _nobody(job.watch)
            outcome, events = result.result()
        except concurrent.futures.CancelledError as error:  # the client gave the scheduler up
            raise NotFoundError(
                "The scheduler is gone.", "When it is back: ksos campaign resume FILE"
            ) from error
        except asyncio.CancelledError:
            await self._stop(name)
            raise
        except Exception as error:  # noqa: BLE001 what a worker raises is whatever it likes
            text = f"The workers that had this step were lost ({type(error).__name__})."
            return StepOutcome(passed=False, message=text, again=True)
        finally:
            result.cancel()
            with contextlib.suppress(OSError, TimeoutError):
                await future.cancel()  # type: ignore[no-untyped-call]  # of the library
        for event in events:
            tell(event)
        return outcome

    async def _comes(self, result: "asyncio.Task[Done]", needs: Mapping[str, int]) -> bool:
        """Wait for a result, as long as there are workers that can bring it."""
        loop = asyncio.get_running_loop()
        missed_s: float | None = None
        while not result.done():
            await asyncio.wait({result}, timeout=LOOK_EACH_S)
            can = any(needs.keys() <= has.keys() for has in await self._resources())
            missed_s = None if can else missed_s or loop.time()
            if missed_s is not None and loop.time() - missed_s > NOBODY_S:
                return False
        return True

    async def _needs(self, watch: CampaignWatch) -> dict[str, int]:
        """The resources that a job with a watch needs."""
        said = {name.casefold(): name for has in await self._resources() for name in has}
        for name in (watch.name, watch.address):
            if (reach := said.get(f"{_REACH}{name}".casefold())) is not None:
                return {RADIO: 1, reach: 1}
        return {RADIO: 1}

    async def _resources(self) -> list[Mapping[str, float]]:
        """What each worker has now."""
        scheduler: Any = self._client.scheduler  # None only before it is connected
        info = await scheduler.identity(n_workers=-1)
        return [worker.get("resources", {}) for worker in info["workers"].values()]

    async def _stop(self, name: str) -> None:
        """End a job where it is, whatever worker has it."""
        with contextlib.suppress(Exception):
            await self._client.run(stop, name, on_error="ignore")


async def _result(future: "Future[Any]") -> Done:
    done: Done = await future.result()
    return done


async def work(job: StepJob, name: str, timeout_s: float) -> Done:
    """Do one job; this runs on the worker."""
    from distributed import get_worker

    from ksos_link.logbook import silence_libraries

    silence_libraries()
    worker = get_worker()
    adapters = [
        each.removeprefix(_ADAPTER)
        for each in worker.state.total_resources
        if each.startswith(_ADAPTER)
    ]
    radio = Radio(str(worker.name), adapters[0] if adapters else "")
    # a job that comes here from a lost worker, or anew, may find the watch half-way
    half_way = await worker.scheduler.get_metadata(keys=[name], default=False)
    job = replace(job, radio=radio, half_way=job.half_way or half_way or job.attempt > 1)
    told: list[StepEvent] = []
    notes: list[asyncio.Future[None]] = []

    def tell(event: StepEvent) -> None:
        if isinstance(event, StepWriting):
            note = worker.scheduler.set_metadata(keys=[name], value=True)
            notes.append(asyncio.ensure_future(note))
        if not isinstance(event, StepProgress):
            told.append(event)

    doer = WatchDoer(_own_store, LinkOptions(timeout_s=timeout_s))
    task = _at_work[name] = asyncio.create_task(perform(doer, job, tell))
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EACH_S)
            if not _is_wanted(worker, name):
                task.cancel()
    finally:
        del _at_work[name]
        task.cancel()
        await asyncio.gather(*notes, return_exceptions=True)
    if task.cancelled():
        return StepOutcome(passed=False, message="It was stopped."), told
    outcome = task.result()
    return replace(outcome, measured=replace(outcome.measured, radio=radio.name)), told


def _is_wanted(worker: "Worker", name: str) -> bool:
    """Whether a runner still waits: the scheduler takes back the jobs of one that is gone."""
    task = worker.state.tasks.get(name)
    return task is not None and task.state not in ("cancelled", "released", "forgotten")


async def stop(name: str) -> None:
    """End a job of this worker, and wait until it has let its watch go."""
    task = _at_work.get(name)
    if task is not None:
        task.cancel()
        await asyncio.wait({task})


def _own_store() -> Store:
    """The store of the machine that has the radio."""
    return open_store(open_home(os.environ), SecretSource(os.environ))


def _nobody(watch: CampaignWatch) -> StepOutcome:
    text = f"No worker is left that reaches {watch.name}."
    return StepOutcome(passed=False, message=text, again=True)


def _silence() -> None:
    """Keep the client of the scheduler from writing between our lines."""
    for name in ("distributed", "distributed.client", "distributed.core", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
