"""Programs that run when a watch tells something: never through a shell, never for ever."""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from firmware_protocol.told import EVENT_NAMES, Told
from ksos_link.errors import NotFoundError, UsageError

ANY: Final = "any"
MOST_WAITING: Final = 32  # events of one hook; a hook that is slower than the wearer loses some
_END_GRACE_S: Final = 1.0  # so that one that just began is ended, and told, by its own limit
_KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "DISPLAY", "WAYLAND_DISPLAY")
_KEPT_FOR_SESSIONS: Final = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SYSTEMROOT", "TEMP")


@dataclass(frozen=True, slots=True)
class Hook:
    """Run `program` at an event; with `value` only where one of its fields has it."""

    event: str
    value: str | None
    program: tuple[str, ...]

    def wants(self, name: str, fields: Mapping[str, Any]) -> bool:
        """Whether an event is for this hook."""
        if self.event not in (ANY, name):
            return False
        return self.value is None or self.value in (_word(value) for value in fields.values())


def parse_hook(text: str) -> Hook:
    """Read `EVENT[:VALUE]=COMMAND`.

    Raises:
        UsageError: no such event, or no command.
        NotFoundError: there is no such program, or it may not be run.
    """
    said, equals, command = text.partition("=")
    event, _, value = said.strip().partition(":")
    names = (*EVENT_NAMES.values(), ANY)
    if event not in names:
        raise UsageError(f"There is no event {event!r}.", f"Choose from: {', '.join(names)}.")
    try:
        program = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"The command of --on {event} has an open quote.") from error
    if not equals or not program:
        raise UsageError("--on needs EVENT=COMMAND.", "--on music_key:play='playerctl play'")
    return Hook(event, value or None, (_found(program[0]), *program[1:]))


def event_json(event: Told, at_utc: str) -> dict[str, Any]:
    """An event as JSON has it: its name, when, and its fields."""
    return {"event": EVENT_NAMES[type(event)], "at_utc": at_utc, **asdict(event)}


class HookRunner:
    """Runs the programs of some hooks, each hook's one after another, and waits for none.

    `tell` gets a line for whatever goes wrong. Use it as an asynchronous context: at the end all
    that is still to be done has `timeout_s` together; what runs then is killed with its children.
    """

    def __init__(
        self, hooks: Sequence[Hook], tell: Callable[[str], None], *, timeout_s: float
    ) -> None:
        self._tell = tell
        self._timeout_s = timeout_s
        self._queues: list[tuple[Hook, asyncio.Queue[dict[str, Any]]]] = [
            (hook, asyncio.Queue(MOST_WAITING)) for hook in hooks
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "HookRunner":
        self._tasks = [asyncio.create_task(self._work(hook, queue)) for hook, queue in self._queues]
        return self

    async def __aexit__(self, *error: object) -> None:
        del error  # whatever happened, nothing is left behind
        ends = [asyncio.create_task(queue.join()) for _, queue in self._queues]
        late: set[asyncio.Task[None]] = set()
        try:
            if ends:
                _, late = await asyncio.wait(ends, timeout=self._timeout_s + _END_GRACE_S)
        finally:
            for task in (*ends, *self._tasks):
                task.cancel()
            became = await asyncio.gather(*self._tasks, *ends, return_exceptions=True)
        for bug in became:
            if isinstance(bug, Exception):
                raise bug
        for (hook, queue), end in zip(self._queues, ends, strict=True):
            if end in late:
                self._tell(
                    f"the program for {hook.event} was ended, {queue.qsize()} events unheard"
                )

    def run(self, event: Mapping[str, Any]) -> None:
        """Hand an event, as `event_json` gives it, to the hooks that want it."""
        fields = {name: value for name, value in event.items() if name not in ("event", "at_utc")}
        for hook, queue in self._queues:
            if hook.wants(event["event"], fields):
                try:
                    queue.put_nowait(dict(event))
                except asyncio.QueueFull:
                    self._tell(f"the program for {hook.event} is too slow: an event was left out")

    async def _work(self, hook: Hook, queue: "asyncio.Queue[dict[str, Any]]") -> None:
        while True:
            await self._run(hook, await queue.get())
            queue.task_done()

    async def _run(self, hook: Hook, event: Mapping[str, Any]) -> None:
        kept = (*_KEPT_ENVIRONMENT, *_KEPT_FOR_SESSIONS)
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *hook.program,
                stdin=asyncio.subprocess.PIPE,
                stdout=sys.stderr,
                stderr=sys.stderr,
                env={**environment, "KSOS_EVENT": str(event["event"])},
                start_new_session=True,  # so that its children can be ended with it
            )
        except OSError as error:
            self._tell(f"the program for {hook.event} cannot run: {os.strerror(error.errno or 0)}")
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    await process.communicate(json.dumps(event).encode() + b"\n")
            if process.returncode:
                self._tell(f"the program for {hook.event} {_ending(process.returncode)}")
        except TimeoutError:
            self._tell(
                f"the program for {hook.event} took longer than {self._timeout_s:g} s: ended"
            )
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program and its children, if it still runs."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.wait()


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is not None:
        return found
    if Path(program).is_file():
        raise NotFoundError(f"The file {program} is no program.", f"Let it run: chmod +x {program}")
    raise NotFoundError(f"There is no program {program}.", "Give its path.")


def _ending(code: int) -> str:
    return f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
