"""What a person types while a virtual watch runs: single keys on a terminal, lines in a pipe."""

import asyncio
import contextlib
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
        async for line in _lines():
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


async def _lines() -> AsyncIterator[str]:
    """Lines of a pipe or a file; a platform that cannot wait for them gives none."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
    except (OSError, ValueError, NotImplementedError):
        return  # not a pipe, such as /dev/null or a closed descriptor
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
