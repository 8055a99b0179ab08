"""An event loop whose time jumps instead of passing: for tests and benches of what takes long."""

import asyncio
import selectors
import sys

import pytest


def hush_bumble(patch: pytest.MonkeyPatch) -> None:
    """bumble formats and paints each packet for a log that nobody keeps: a third of the time."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bumble.") and hasattr(module, "color"):
            patch.setattr(module, "color", lambda text, *_, **__: text)
    patch.setattr("bumble.hci.HCI_Object.format_fields", staticmethod(lambda *_, **__: ""))


class JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: when nobody has anything to do, the time jumps to the next appointment."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing will ever happen")
            self.now_s += max(0.0, timeout)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in which time-outs cost nothing and always strike in the same order."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s
