"""`kill -9` at random points of a sync, 200 times: nothing is lost, and nothing is there twice.

The watch lives in this process and keeps its cursor; the syncs are processes of their own that
reach it over the network. A parent forks them that has done one itself, and so has everything
imported: a round costs a sixth of a second.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.virtual_watch.faults import FaultySession
from ksos_link.virtual_watch.network import serve_radio

if TYPE_CHECKING:
    from tests.ksos_link.conftest import NotedSession, SyncBench, WornWatch

pytestmark = [
    pytest.mark.gatt,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="kills need Linux's process handles"),
]
KILLS = 200
KILLS_PER_WATCH = 5
PACKETS = (76, 50)  # of a first and of a later undisturbed sync, both directions
LONGEST_DELAY_S = 0.004  # a decode and a commit take about so long
BEFORE_THE_LINK_S = 0.08

FORKER = """
import asyncio, os, sys, traceback
from datetime import datetime
import bumble.colors, bumble.hci
from ksos_link.config import open_home
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.sync import SyncChoice, sync
from ksos_link.operations.target import NetworkTarget
from ksos_link.store.database import open_store
from ksos_link.store.keys import SecretSource
from ksos_link.transports import ble

# no waiting between two subscriptions, no painting of log lines that nobody reads
ble.SUBSCRIBE_GAP_S = 0.0
bumble.colors._color_code = lambda *_: ""
bumble.hci.HCI_Object.format_fields = staticmethod(lambda *_, **__: "")

home_folder, secret, now_text = sys.argv[1:]
now = datetime.fromisoformat(now_text)

async def job(endpoint):
    home = open_home({"KSOS_HOME": home_folder})
    with open_store(home, SecretSource({"KSOS_KEY_FILE": secret})) as store:
        device, options = store.device("wrist"), LinkOptions(now=lambda: now)
        async for _ in sync(store, device, NetworkTarget(endpoint), SyncChoice(), options):
            pass

asyncio.run(job(sys.stdin.readline().strip()))
print(0, flush=True)
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            asyncio.run(job(line.strip()))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Syncs:
    """Starts syncs in processes of their own, and kills them."""

    def __init__(self, forker: Process) -> None:
        self._forker = forker

    async def warm_up(self, endpoint: str) -> None:
        """Let the parent of all syncs do one itself."""
        self._say(endpoint)
        assert await self._said() == "0"

    async def run(
        self, endpoint: str, noted: "NotedSession", kill_at: int | None = None, delay_s: float = 0.0
    ) -> int:
        """One sync, killed after packet `kill_at` (0: at its start) and a moment; its exit code."""
        self._say(endpoint)
        loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
        last = len(noted.notified) + len(noted.written) + (kill_at or 0)
        handle = os.pidfd_open(int(await self._said()))

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)

        def count(number: int) -> None:
            if number == last:
                timers.append(loop.call_later(delay_s, kill))

        if kill_at is not None:
            noted.on_packet = count
            count(last if kill_at == 0 else -1)
        try:
            return int(await self._said())
        finally:
            noted.on_packet = lambda _: None
            for timer in timers:
                timer.cancel()
            os.close(handle)

    def _say(self, endpoint: str) -> None:
        assert self._forker.stdin
        self._forker.stdin.write(f"{endpoint}\n".encode())

    async def _said(self) -> str:
        assert self._forker.stdout
        async with asyncio.timeout(20):
            return (await self._forker.stdout.readline()).decode().strip()


@contextlib.asynccontextmanager
async def opened_syncs(bench: "SyncBench") -> AsyncIterator[Syncs]:
    home, secret = bench.stores.home.folder, bench.stores.secret_file
    arguments = (str(home), str(secret), bench.start.isoformat())
    forker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKER, *arguments, stdin=PIPE, stdout=PIPE
    )
    assert forker.stdin
    try:
        yield Syncs(forker)
    finally:
        forker.stdin.close()
        await forker.wait()


@contextlib.asynccontextmanager
async def served(watch: "WornWatch") -> AsyncIterator[str]:
    session = FaultySession(watch.noted, ())
    server = await serve_radio([(session, watch.identity)], "tcp:127.0.0.1:0")
    try:
        yield f"tcp:127.0.0.1:{server.port}"
    finally:
        await server.close()


def test_a_killed_sync_loses_nothing_and_doubles_nothing(
    sync_bench: "SyncBench", tmp_path: Path
) -> None:
    home, template = sync_bench.stores.home.folder, tmp_path / "template"
    sync_bench.pair(sync_bench.watch())
    shutil.copytree(home, template)
    sync_bench.sync(sync_bench.watch())
    good = sync_bench.contents()
    moments = random.Random(11)  # noqa: S311 moments are no secrets

    async def wear_out_one_watch(syncs: Syncs) -> int:
        """Kill some syncs of one watch, then let one end; return how many were killed."""
        watch, killed = sync_bench.watch(), 0
        async with served(watch) as endpoint:
            for nth in range(KILLS_PER_WATCH):
                kill_at = moments.randrange(PACKETS[nth > 0])
                longest_s = LONGEST_DELAY_S if kill_at else BEFORE_THE_LINK_S
                delay_s = moments.random() * longest_s
                code = await syncs.run(endpoint, watch.noted, kill_at, delay_s)
                assert code in (0, -signal.SIGKILL)
                killed += code != 0
            assert await syncs.run(endpoint, watch.noted) == 0
        return killed

    async def all_rounds() -> None:
        killed = 0
        async with opened_syncs(sync_bench) as syncs:
            async with served(sync_bench.watch()) as endpoint:
                await syncs.warm_up(endpoint)
            while killed < KILLS:
                shutil.rmtree(home)
                shutil.copytree(template, home)
                killed += await wear_out_one_watch(syncs)
                assert sync_bench.contents() == good
                with sync_bench.stores.open() as store:
                    assert store.check() == []

    asyncio.run(all_rounds())
