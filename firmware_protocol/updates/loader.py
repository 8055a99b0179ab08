"""The watch's end of a firmware transport, sans-IO: the virtual bootloaders and their flash."""

import re
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.watch_session import WatchSession

# Only virtual watches read it: it stands for the version that real code would have compiled in.
_MARK: Final = re.compile(rb"ksos-virtual-firmware (\d{1,3})\n")
_SEARCHED_BYTES: Final = 4096


def firmware_mark(version: int) -> bytes:
    """What a made-up image carries, so that a virtual watch knows which version it is."""
    return b"ksos-virtual-firmware %d\n" % version


def version_in(image: bytes) -> int | None:
    """The version that a made-up image carries; None: it would not start."""
    found = _MARK.search(image[:_SEARCHED_BYTES])
    return None if found is None else int(found[1])


@dataclass(slots=True)
class Flash:
    """What is in a virtual watch's flash, as far as one can tell from outside.

    `application` is the image that starts, None where there is no whole one: the watch then stays
    in its loader. `log` says what happened to it, for tests and for people who look.
    """

    application: bytes | None
    firmware_version: int
    log: list[str] = field(default_factory=list)

    def install(self, image: bytes) -> None:
        """A loader found the image good and made it the one that starts."""
        version = version_in(image)
        self.application = None if version is None else image
        if version is not None:
            self.firmware_version = version
        self.log.append(f"installed {len(image)} bytes")

    def erase(self) -> None:
        """A loader erased the only place of the application."""
        self.application = None
        self.log.append("erased")

    @property
    def boots(self) -> bool:
        """Whether an application starts."""
        return self.application is not None


class LoaderSession(WatchSession):
    """A virtual bootloader. It changes `flash` only as its real counterpart would.

    After `link_lost` the one who carries it looks at `flash.boots` and `stays`: without `stays`
    the application starts where there is one. `restart` is a power cut: what is not in flash is
    forgotten.
    """

    flash: Flash

    @property
    def stays(self) -> bool:
        """True while the loader waits for an image and would not start the application by itself.

        A loader that serves beside the application is never left, so it may say False always.
        """
        return False
