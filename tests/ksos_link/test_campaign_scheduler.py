"""Campaigns on Dask: a real scheduler and real worker processes on the loopback; one is killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ksos_link.virtual_watch.faults import FaultySession
from tests.ksos_link.test_cli_campaign import begin, flash_of, night, one_radio, radios, until
from tests.ksos_link.updatable import KINDS

pytest.importorskip("distributed")
pytestmark = [pytest.mark.gatt, pytest.mark.slow]
SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(serve())
"""
WORKER = """
import asyncio, json, sys
from distributed import Worker
async def serve():
    address, name, resources = sys.argv[1:]
    async with Worker(
        address, name=name, nthreads=1, resources=json.loads(resources), dashboard=False,
        host="127.0.0.1",
    ) as worker:
        print(worker.address, flush=True)
        await worker.finished()
asyncio.run(serve())
"""


class Cluster:
    """A scheduler and workers, each a process with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.processes: dict[str, Process] = {}

    async def begin(self, name: str, code: str, *arguments: str) -> str:
        folder = self.folder / name
        folder.mkdir()
        env = os.environ | {
            "KSOS_HOME": str(folder / "home"),
            "KSOS_KEY_FILE": str(folder / "secret"),
            "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, *arguments),
            env=env,
            cwd=folder,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        self.processes[name] = process
        assert process.stdout is not None
        async with asyncio.timeout(60):
            return (await process.stdout.readline()).decode().strip()

    async def worker(self, name: str, *reaches: str) -> None:
        resources = {"radio": 1} | {f"reach-{each}": 1 for each in reaches}
        assert await self.begin(name, WORKER, self.address, name, json.dumps(resources))

    async def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        await self.processes.pop(name).wait()


@contextlib.asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    workers = Cluster(folder)
    try:
        workers.address = await workers.begin("scheduler", SCHEDULER)
        yield workers
    finally:
        for process in workers.processes.values():
            process.terminate()
        for process in workers.processes.values():
            await process.wait()


async def busy(watch: FaultySession) -> None:
    """Until a worker is in the middle of writing to a watch."""
    async with asyncio.timeout(60):
        while watch._writes < 60:  # noqa: ASYNC110 the watch has no event for it
            await asyncio.sleep(0.05)


async def is_written_to(watch: FaultySession) -> bool:
    """Whether a watch gets anything within a while."""
    before = watch._writes
    await asyncio.sleep(0.5)
    return watch._writes > before


def report_of(folder: Path) -> dict[str, dict[str, object]]:
    report = json.loads((folder / "out" / "report.json").read_text())
    return {watch["watch"]: watch for watch in report["watches"]}


def radios_of(watch: dict[str, object]) -> list[str]:
    steps = watch["steps"]
    assert isinstance(steps, list)
    return [attempt["radio"] for step in steps for attempt in step["attempts"]]


def test_the_watch_of_a_lost_worker_goes_to_one_that_reaches_it(tmp_path: Path) -> None:
    """w0 is reached by both, w1 by the left worker only, which is killed at work."""
    kind = KINDS["smp"]
    kind.write(tmp_path, 18, 200_000)
    steps = (
        f'[[step]]\ndo = "write_firmware"\nfile = "{kind.file}"\nunsigned = true\n'
        'allow = ["unknown_product", "unknown_version"]\nexpect = { firmware_version = "18" }\n'
        '[[step]]\ndo = "sync"\n[limits]\nattempts = 3\npause_s = 0\n'
    )

    async def all_of() -> None:
        async with radios(kind, KINDS["d1"]) as (addresses, watches), cluster(tmp_path) as workers:
            night(tmp_path, one_radio(addresses[:1], steps))
            await workers.worker("left", "w0")
            running = await begin(
                tmp_path, *("run", "night.toml", "--report", "out"), "--scheduler", workers.address
            )
            await until(running, "begins  ", 1)
            await busy(watches[0])
            await workers.kill("left")
            await workers.worker("right", "w0", "w1")
            async with asyncio.timeout(120):
                _, err = await running.communicate()
            assert running.returncode == 0, err
            assert flash_of(watches[0]).firmware_version == 18
        (watch,) = report_of(tmp_path).values()
        assert radios_of(watch)[-1] == "right"
        assert watch["firmware_version"] == "18"

    asyncio.run(all_of())


def test_a_watch_that_no_worker_reaches_and_no_workers_at_all(tmp_path: Path) -> None:
    async def all_of() -> None:
        async with radios(KINDS["d1"], KINDS["d1"]) as (addresses, _):
            night(tmp_path, one_radio(addresses, '[[step]]\ndo = "verify"\n'))
            async with cluster(tmp_path) as workers:
                arguments = ("run", "night.toml", "--scheduler", workers.address, "--anew")
                nobody = await begin(tmp_path, *arguments)
                _, err = await nobody.communicate()
                assert nobody.returncode == 4
                assert b"No worker of the scheduler has a radio." in err
                await workers.worker("both", "w0", "w1")
                running = await begin(tmp_path, *arguments, "--report", "out")
                _, err = await running.communicate()
                assert running.returncode == 0, err
            gone = await begin(tmp_path, *arguments, "--timeout-s", "2")
            _, err = await gone.communicate()
            assert (gone.returncode, b"No scheduler answers" in err) == (3, True)
        assert {radio for watch in report_of(tmp_path).values() for radio in radios_of(watch)} == {
            "both"
        }

    asyncio.run(all_of())


def test_ctrl_c_stops_the_worker_too(tmp_path: Path) -> None:
    kind = KINDS["smp"]
    kind.write(tmp_path, 18, 600_000)
    steps = (
        f'[[step]]\ndo = "write_firmware"\nfile = "{kind.file}"\nunsigned = true\n'
        'allow = ["unknown_product", "unknown_version"]\n'
    )

    async def all_of() -> None:
        async with radios(kind) as (addresses, watches), cluster(tmp_path) as workers:
            night(tmp_path, one_radio(addresses, steps))
            await workers.worker("left")
            arguments = ("night.toml", "--report", "out", "--scheduler", workers.address)
            running = await begin(tmp_path, "run", *arguments)
            await until(running, "begins  ", 1)
            await busy(watches[0])
            running.send_signal(signal.SIGINT)
            _, err = await running.communicate()
            assert running.returncode == 130, err
            assert not await is_written_to(watches[0])
            assert flash_of(watches[0]).firmware_version == 17
        (watch,) = report_of(tmp_path).values()
        assert watch["verdict"] == "interrupted"

    asyncio.run(all_of())
