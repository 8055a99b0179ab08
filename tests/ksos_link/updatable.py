"""Virtual watches that take firmware, each kind with a small made-up image, and their truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ksos_link.virtual_watch import scenarios
from ksos_link.virtual_watch.sample_images import sample_image
from ksos_link.virtual_watch.updatable import UpdatableWatch

SIZE_BYTES = 3000  # more than one window of each transport, few enough for a fault at each packet


@dataclass(frozen=True)
class Kind:
    """A way by which firmware gets in."""

    image: str
    query: str
    file: str
    options: tuple[str, ...] = ()
    size_bytes: int = SIZE_BYTES

    def write(self, folder: Path, version: int = 18, size_bytes: int = 0) -> Path:
        """The image of a version as a file."""
        folder.mkdir(exist_ok=True)
        path = folder / self.file
        path.write_bytes(sample_image(self.image, version, size_bytes or self.size_bytes))
        return path


KINDS = {
    "d1": Kind("ido-fw", "platform=40", "app.fw"),
    "d1-aota": Kind("actions-aota", "platform=90", "app.bin"),
    "secure": Kind("nordic-secure", "platform=0", "app.zip"),
    "legacy": Kind("nordic-legacy", "platform=0&loader=nordic-legacy", "app.zip"),
    "smp": Kind("mcuboot", "platform=1", "app.bin"),
    "realtek": Kind("realtek-bee2", "platform=10", "app.bin", ("--experimental",)),
}
LIFTED = ("--unsigned", "--allow", "unknown_product", "--allow", "unknown_version", "--yes")


class Watches:
    """The same watch is met again wherever the same address is named, as long as this lives."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._made: dict[tuple[object, ...], Any] = {}
        self._open_new = scenarios.open_virtual_watch
        patch.setattr(scenarios, "open_virtual_watch", self._open)

    def _open(self, family: str, query: Mapping[str, str], **clock: Any) -> Any:
        key = _key(family, query)
        if key not in self._made:
            self._made[key] = self._open_new(family, query, **clock)
        return self._made[key]

    def packets(self, address: str) -> tuple[int, int]:
        """How many notifications a watch made, and how many writes it got."""
        faulty = self._faulty(address)
        return faulty._notifications, faulty._writes

    def lose_links(self, address: str, after: int, count: int) -> None:
        """Lose the link at so many notifications in a row, from the one that comes `after` more."""
        faulty = self._faulty(address)
        first = faulty._notifications + after
        faulty._at |= {("lose", index) for index in range(first, first + count)}

    def heal(self, address: str) -> None:
        """No more faults from now on."""
        self._faulty(address)._at.clear()

    def run_down_with_next_link(self, address: str) -> None:
        """The battery is low as soon as the next link is lost."""
        watch = self.of(address)
        lost = watch.link_lost

        def lost_and_low(now_s: float) -> None:
            lost(now_s)
            watch.make("battery_low", now_s)

        watch.link_lost = lost_and_low  # type: ignore[method-assign]

    def of(self, address: str) -> UpdatableWatch:
        """The watch behind an address that was used."""
        watch = self._faulty(address)._session
        assert isinstance(watch, UpdatableWatch)
        return watch

    def _faulty(self, address: str) -> Any:
        family, _, query = address.removeprefix("virtual:").partition("?")
        pairs = dict(part.partition("=")[::2] for part in query.split("&"))
        return self._made[_key(family, pairs)][0]


def _key(family: str, query: Mapping[str, str]) -> tuple[object, ...]:
    return (family, *sorted((name, value) for name, value in query.items() if name != "bound"))
