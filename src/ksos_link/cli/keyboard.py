"""What a person types while a virtual watch runs: single keys on a terminal, lines in a pipe."""

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

KEYS: Final = {
    "p": "play",
    "s": "pause",
    "n": "next",
    "b": "previous",
    "+": "volume_up",
    "-": "volume_down",
    "c": "photo",
    "a": "answer",
    "r": "reject",
    "f": "find_phone",
    "F": "find_phone_stop",
    "k": "key_short",
    "w": "weather_wanted",
    "e": "alarm_edited",
    "d": "dnd_on",
    "D": "dnd_off",
    "l": "brightness_up",
    "L": "battery_low",
    "R": "restarted",
    "!": "sos",
}
_HELP: Final = "?"


async def gestures_from_stdin(tell_keys: Callable[[], None]) -> AsyncIterator[str]:
    """Yield gestures as they are typed, until the input ends."""
    if sys.stdin is None:
        return
    if not sys.stdin.isatty():
        lines = _piped_lines() if _is_pipe() else _lines_of_file()
        async for line in lines:
            yield line
        return
    typed: asyncio.Queue[str] = asyncio.Queue()
    with _single_keys(typed.put_nowait):
        while True:
            key = await typed.get()
            if key in KEYS:
                yield KEYS[key]
            elif key == _HELP:
                tell_keys()


def _is_pipe() -> bool:
    """Whether the input is one that a loop can wait for."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False  # closed, or no file at all
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _lines_of_file() -> AsyncIterator[str]:
    """Lines of a plain file, which has them all; a device or a closed input has none."""
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
            for line in sys.stdin:
                if text := line.strip():
                    yield text


async def _piped_lines() -> AsyncIterator[str]:
    """Lines of a pipe; a platform that cannot wait for them gives none."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
    except (OSError, ValueError, NotImplementedError):
        return
    try:
        async for line in reader:
            if text := line.decode("utf-8", "replace").strip():
                yield text
    finally:
        transport.close()


@contextlib.contextmanager
def _single_keys(take: Callable[[str], None]) -> Iterator[None]:
    """Hand over keys at once and unseen; the terminal is as before at the end, whatever happens."""
    try:
        import termios
        import tty
    except ImportError:  # Windows has no such thing; its keys do nothing
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, lambda: take(sys.stdin.read(1)))
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
