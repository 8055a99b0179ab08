"""Answer the watch's search for this machine: the terminal's bell, and a notice on the desktop."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from firmware_protocol.told import FindPhoneRequested

BELL_EVERY_S: Final = 1.0
LONGEST_S: Final = 60.0  # of a watch that names no end
DESKTOP_ANSWERS_S: Final = 5.0  # one that hangs must not hold up what the watch tells


class Ringer:
    """Rings from a request to its end. `bell` sounds once; `tell` hears what is missing."""

    def __init__(self, bell: Callable[[], None], tell: Callable[[str], None]) -> None:
        self._bell = bell
        self._tell = tell
        self._ringing: list[asyncio.Task[None]] = []
        self._desktop: Any = None  # the optional library is not there for everybody
        self._has_told = False

    async def heard(self, event: FindPhoneRequested) -> None:
        """Begin, or end."""
        await self.stop()
        if event.on:
            ring = self._ring(event.timeout_s or LONGEST_S)
            self._ringing = [asyncio.create_task(job) for job in (ring, self._show())]

    async def stop(self) -> None:
        """Be silent."""
        for task in self._ringing:
            task.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)
        self._ringing = []
        if self._desktop is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(DESKTOP_ANSWERS_S):
                    await self._desktop.clear_all()

    async def _ring(self, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s
        while loop.time() < until_s:
            self._bell()
            await asyncio.sleep(BELL_EVERY_S)

    async def _show(self) -> None:
        try:
            from desktop_notifier import DesktopNotifier
        except ImportError:
            self._tell_once("for a notice on the desktop: pip install 'ksos-link[desktop]'")
            return
        try:
            self._desktop = self._desktop or DesktopNotifier(app_name="ksos-link")
            async with asyncio.timeout(DESKTOP_ANSWERS_S):
                await self._desktop.send(title="Your watch looks for you", message="Here I am.")
        except Exception as error:  # noqa: BLE001 a desktop fails in its own ways; the bell still rings
            self._tell_once(f"this desktop shows no notices ({type(error).__name__})")

    def _tell_once(self, text: str) -> None:
        if not self._has_told:
            self._has_told = True
            self._tell(text)
