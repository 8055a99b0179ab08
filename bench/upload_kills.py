"""Cases in which the host's process dies: `kill -9` of `ksos firmware`, and then `resume`.

The watch is served by this process, so it lives on as a real one does. A parent forks the commands
that has everything imported, so that a command costs no second of start-up. The store, which
remembers what was begun, is a real one.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from upload_cases import ATTEMPTS_BEYOND_FAULTS, AnyBitSession, Case, Outcome, Said
from virtual_uploads import KINDS, LIFTED

from ksos_link.virtual_watch.network import serve_radio

COMMAND_S = 60.0
TIMEOUT_S = 1.0  # advertisements come each 20 ms; a watch that is not in its loader is met soon
NOTHING_BEGUN = "No update of this watch is known to have been cut."

FORKER = """
import json, os, sys
import bumble.colors, bumble.hci
import ksos_link.cli.main, ksos_link.operations.firmware_write, ksos_link.store.database
from ksos_link.__main__ import main
from ksos_link.operations import firmware_source
from ksos_link.transports import ble
from ksos_link.virtual_watch import virtual_radio

# no waiting between two subscriptions, no painting of log lines that nobody reads
ble.SUBSCRIBE_GAP_S = 0.0
bumble.colors._color_code = lambda *_: ""
bumble.hci.HCI_Object.format_fields = staticmethod(lambda *_, **__: "")

for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.update(order["env"])
        code = 70
        try:
            code = main(order["arguments"])
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass
class Commands:
    """Starts `ksos` in processes of their own, and kills them."""

    forker: Process
    folder: Path

    async def run(self, *arguments: str) -> Said | None:
        return await self.run_until(None, None, *arguments)

    async def run_until(
        self,
        session: AnyBitSession | None,
        kill: tuple[int, float] | None,
        *arguments: str,
    ) -> Said | None:
        """What a command said; None where it was killed so long after so many more packets."""
        out = self.folder / "said.txt"
        env = {"KSOS_HOME": str(self.folder / "home"), "KSOS_KEY_FILE": str(self.folder / "key")}
        order = {"arguments": list(arguments), "env": env, "out": str(out)}
        assert self.forker.stdin
        self.forker.stdin.write(json.dumps(order).encode() + b"\n")
        handle = os.pidfd_open(int(await self._line()))
        try:
            with _killing(handle, session, kill):
                code = int(await self._line())
        finally:
            os.close(handle)
        if code == -signal.SIGKILL:
            return None
        return _said(code, out.read_text("utf-8"))

    async def _line(self) -> str:
        assert self.forker.stdout
        async with asyncio.timeout(COMMAND_S):
            return (await self.forker.stdout.readline()).decode().strip()


@contextlib.contextmanager
def _killing(
    handle: int, session: AnyBitSession | None, kill: tuple[int, float] | None
) -> Iterator[None]:
    """Kill a process some time after so many packets have passed."""
    if session is None or kill is None:
        yield
        return
    loop, timers, left = asyncio.get_running_loop(), list[asyncio.TimerHandle](), kill[0]

    def strike() -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)

    def passed() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            timers.append(loop.call_later(kill[1], strike))

    session.on_packet = passed
    if not left:
        timers.append(loop.call_later(kill[1], strike))
    try:
        yield
    finally:
        session.on_packet = None
        for timer in timers:
            timer.cancel()


def _said(code: int, text: str) -> Said:
    """The verdict of a command by its exit code and its words for people."""
    if "Traceback" in text or code not in range(10):
        return Said(f"exit code {code}: {text}", crashed=True)
    if code == 0:
        return Said()
    error, _, hint = text.partition("hint: ")
    return Said(error.strip().splitlines()[-1], " ".join(hint.split()))


@contextlib.asynccontextmanager
async def commands_in(folder: Path) -> AsyncIterator[Commands]:
    forker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKER, stdin=PIPE, stdout=PIPE
    )
    assert forker.stdin
    try:
        yield Commands(forker, folder)
    finally:
        forker.stdin.close()
        await forker.wait()


async def _paired(commands: Commands, template: Path) -> None:
    """A home with a store; which watch is paired in it plays no part."""
    wrist, _ = Case(0, "d1", 0, (), ()).open()
    server = await serve_radio([(wrist.session, wrist.identity)], "tcp:127.0.0.1:0")
    address = f"virtual:tcp:127.0.0.1:{server.port}"
    said = await commands.run("watch", "pair", address, "--alias", "wrist")
    await server.close()
    assert said == Said(), said
    shutil.copytree(commands.folder / "home", template)


async def _run_case(case: Case, commands: Commands, template: Path) -> Outcome:
    outcome, home = Outcome(case), commands.folder / "home"
    shutil.rmtree(home)
    shutil.copytree(template, home)
    wrist, session = case.open()
    wish = case.wish(commands.folder)
    image, flash = wish.parts[-1].data, wrist.watch.flash
    lifted = [word for name in sorted(LIFTED) for word in ("--allow", name)]
    chosen = ["--unsigned", "--yes", *lifted, *KINDS[case.name].options]
    server = await serve_radio([(session, wrist.identity)], "tcp:127.0.0.1:0")
    address = f"virtual:tcp:127.0.0.1:{server.port}/{wrist.identity.address}"
    ksos = ["--device", address, "--timeout-s", f"{TIMEOUT_S:g}", "firmware"]
    write, resume = [*ksos, "write", str(wish.source), *chosen], [*ksos, "resume", *chosen]
    kills, follow = list(case.kills), write
    for _ in range(1 + len(case.kills) + len(case.faults) + ATTEMPTS_BEYOND_FAULTS):
        before = flash.application
        said = await commands.run_until(session, kills[0] if kills else None, *follow)
        if said is None:
            kills.pop(0)
            outcome.killed += 1
            outcome.attempts += 1
            follow = resume
            continue
        outcome.note(said, wrist, image, before)
        if outcome.succeeded:
            break
        begun = not said.error.endswith(NOTHING_BEGUN)  # else it died before it asked the watch
        follow = resume if begun else write
    await server.close()
    outcome.end(wrist, image)
    return outcome


async def _run(cases: list[Case], folder: Path, done: list[Outcome]) -> None:
    template = folder / "template"
    async with commands_in(folder) as commands:
        await _paired(commands, template)
        for case in cases:
            done += [await _run_case(case, commands, template)]


def run_killed(cases: list[Case], folder: Path) -> list[Outcome]:
    """Run cases with kills, one after the other, in real time."""
    done: list[Outcome] = []
    asyncio.run(_run(cases, folder, done))
    return done
