"""Versions as numbers, and the way from an installed one to the newest (domain 6.1).

The vendor compares versions as text, so that 1.10 counts as older than 1.9, and its ordering key
breaks on parts above 999 and on another number of parts. Here a part is a whole number and a part
that is missing is 0.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

from firmware_protocol.errors import DecodeError

Release = TypeVar("Release")

MOST_VERSION_LETTERS: Final = 64
# +N is MCUboot's build number (dfu.md 6.4), which the watch tells as a fourth part
_FORM: Final = re.compile(r"[vV]?(\d+(?:\.\d+)*(?:\+\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version; its order is numeric. 1.2 and 1.2.0 are the same one."""

    parts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1.2.3`, `V1.2.3` or `1.2.3+4`.

        Raises:
            DecodeError: it has letters, an empty part, or is too long to be a version.
        """
        match = _FORM.fullmatch(text) if len(text) <= MOST_VERSION_LETTERS else None
        if match is None:
            shown = "".join(letter if letter.isprintable() else "?" for letter in text[:32])
            raise DecodeError(f"{shown!r} is no version in numbers, such as 1.10.2")
        parts = [int(part) for part in re.split(r"[.+]", match[1])]
        while len(parts) > 1 and not parts[-1]:
            del parts[-1]
        return cls(tuple(parts))

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Offer(Generic[Release]):
    """A release that may be installed; `takes` tells from which versions it may."""

    release: Release
    version: Version
    forced: bool
    takes: Callable[[Version], bool]


@dataclass(frozen=True, slots=True)
class Chain(Generic[Release]):
    """What to install, in this order; and what is newer, but out of reach."""

    steps: tuple[Offer[Release], ...]
    unreached: tuple[Offer[Release], ...]


def chain(installed: Version, offers: Sequence[Offer[Release]]) -> Chain[Release]:
    """The way from the installed version to the newest that can be reached (domain 6.1 rule 4).

    Every forced version on the way is installed. An optional one is left out, but for the last,
    and for one without which the next would not install. Of several such ways it is the shortest,
    and of those the one with the newest steps. Offers of one version must not be given twice.
    """
    newer = sorted(
        (offer for offer in offers if offer.version > installed), key=lambda offer: offer.version
    )
    ways: list[tuple[Offer[Release], ...] | None] = []
    for index, offer in enumerate(newer):
        ways.append(_way_to(offer, installed, newer[:index], ways))
    reached = max((index for index, way in enumerate(ways) if way), default=-1)
    steps = ways[reached] if reached >= 0 else None
    return Chain(steps or (), tuple(newer[reached + 1 :]))


def _way_to(
    offer: Offer[Release],
    installed: Version,
    older: Sequence[Offer[Release]],
    ways: Sequence[tuple[Offer[Release], ...] | None],
) -> tuple[Offer[Release], ...] | None:
    """The shortest way that ends with `offer`; `ways` are those to each of the `older` ones."""
    best: tuple[Offer[Release], ...] | None = None
    for before, way in zip(reversed(older), reversed(ways), strict=True):
        if way and offer.takes(before.version) and (best is None or len(way) < len(best)):
            best = way
        if before.forced:  # nobody walks past it
            return None if best is None else (*best, offer)
    return (offer,) if offer.takes(installed) else None if best is None else (*best, offer)
