"""Dials (watch faces) as files, neutral of any container: what is inside, and its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: `rgba` has four bytes a pixel, rows from the top."""

    width_px: int
    height_px: int
    rgba: bytes


@dataclass(frozen=True, slots=True)
class DialEntry:
    """One file of a dial's container. `kind` is `layout`, `picture`, `glyph` or `other`."""

    name: str
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DialContents:
    """A dial, taken apart. `layout` is what its own description says, as plain JSON."""

    title: str
    width_px: int
    height_px: int
    layout: Mapping[str, object]
    entries: tuple[DialEntry, ...]
    pictures: Mapping[str, Picture]
    remarks: tuple[str, ...] = ()
