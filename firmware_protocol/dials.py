"""Dials (watch faces) as files, neutral of any container: what is inside, and its pictures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST_DIAL_BYTES: Final = 16 << 20  # a dial's container; watches grant some hundred kilobytes
MOST_DIAL_FILES: Final = 1024
MOST_SIDE_PX: Final = 4096  # of a picture; no watch's screen comes near
MOST_DIAL_PIXELS: Final = 8 << 20  # of all pictures together: files may share one large body


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: `rgba` has four bytes a pixel, rows from the top."""

    width_px: int
    height_px: int
    rgba: bytes


@dataclass(frozen=True, slots=True)
class DialEntry:
    """One file of a dial's container. `kind` is `layout`, `picture`, `glyph` or `other`.

    `encoding` is how a picture's pixels are kept, in the words of its format.
    """

    name: str
    kind: str
    size_bytes: int
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class DialContents:
    """A dial, taken apart. `layout` is what its own description says, as plain JSON.

    `size_bytes` is the container's; `block_bytes` is that of its blocks where it was compressed.
    `pictures` holds those that could be read; `remarks` say why the others could not.
    """

    title: str
    width_px: int
    height_px: int
    layout: Mapping[str, object]
    entries: tuple[DialEntry, ...]
    pictures: Mapping[str, Picture]
    remarks: tuple[str, ...] = ()
    size_bytes: int = 0
    block_bytes: int | None = None
    preview: str = ""  # the name of the picture that shows the whole dial


@dataclass(frozen=True, slots=True)
class DialPart:
    """One file of a dial, as a folder holds it: bytes, or a picture with its `encoding`.

    A picture can be written back to exactly `data`; whoever makes a new one leaves `data` empty.
    """

    name: str
    data: bytes = b""
    picture: Picture | None = None
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class DialLimits:
    """What a watch takes: the size of its screen, and the largest dial. None is not known.

    `colour` is how it keeps the pixels of pictures, in the words of `DialEntry.encoding`.
    """

    width_px: int | None = None
    height_px: int | None = None
    largest_bytes: int | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class DialObjection:
    """What speaks against sending a dial; `name` is stable, `text` one sentence."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class DialMoment:
    """What a drawn dial shows. `weekday` counts from 0, which is Monday."""

    hour: int = 10
    minute: int = 8
    second: int = 36
    month: int = 11
    day: int = 24
    weekday: int = 1
    steps: int = 12895
    battery_pct: int = 80
    heart_rate_bpm: int = 72


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture at its place, then turned clockwise around a point of the dial."""

    picture: Picture
    left_px: int
    top_px: int
    turn_deg: float = 0.0
    turn_x_px: int = 0
    turn_y_px: int = 0

    @property
    def reach_px(self) -> int:
        """How far from the turning point it reaches."""
        across = max(abs(self.left_px + end - self.turn_x_px) for end in (0, self.picture.width_px))
        down = max(abs(self.top_px + end - self.turn_y_px) for end in (0, self.picture.height_px))
        return math.isqrt(across * across + down * down) + 1

    @property
    def pixels(self) -> int:
        """How many pixels must be touched to draw it."""
        if self.turn_deg:
            return (2 * self.reach_px) ** 2
        return self.picture.width_px * self.picture.height_px


@dataclass(frozen=True, slots=True)
class DialScene:
    """A dial as it would be drawn: pictures from the lowest to the highest."""

    width_px: int
    height_px: int
    placed: tuple[PlacedPicture, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DialFormat:
    """How a family's dials are kept in files.

    All callables take bytes as they lie in the file, compressed or not. They raise `DecodeError`
    for what is malformed; `put_together` raises `LocalProtocolError` for what the format cannot
    hold. `check` names all objections and raises only where nothing can be read at all.
    """

    name: str
    suffix: str
    packed_suffix: str
    recognise: Callable[[bytes], bool]
    read: Callable[[bytes], DialContents]
    check: Callable[[bytes, DialLimits], tuple[DialObjection, ...]]
    take_apart: Callable[[bytes], tuple[DialPart, ...]]
    put_together: Callable[[Sequence[DialPart]], bytes]
    expand: Callable[[bytes], bytes]  # what is compressed; else it stays as it is
    pack: Callable[[bytes, int], bytes]  # compress in blocks of so many bytes
    block_bytes: tuple[int, ...]  # those that watches take, the usual one first
    leading: tuple[str, ...]  # descriptions, in their order: the first one must be there
    part_name: Callable[[Mapping[str, object], str], str]  # by the layout, of a PNG in a folder
    compose: Callable[[DialContents, DialMoment], DialScene]
    name_bytes: int  # of the longest name, with its suffix, under which a watch keeps a dial
