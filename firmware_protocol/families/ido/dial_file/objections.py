"""What speaks against a dial: all of it at once, each with its name (ido.md 9)."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from firmware_protocol.dials import DialLimits, DialObjection, Picture
from firmware_protocol.families.ido.dial_file import raw_picture
from firmware_protocol.families.ido.dial_file.container import VERSION, Container
from firmware_protocol.families.ido.dial_file.contents import (
    OpenedDial,
    ReadPictures,
    open_dial,
    read_pictures,
)
from firmware_protocol.families.ido.dial_file.layout import DIGITS, LAYOUT_FILE, Layout

UNSAFE: Final = frozenset('/\\:*?"<>|')


def check(data: bytes, limits: DialLimits) -> tuple[DialObjection, ...]:
    """Name everything that speaks against a dial.

    Raises:
        DecodeError: compression or table are malformed, so nothing more can be said.
    """
    dial = open_dial(data)
    found = read_pictures(dial.container)
    return (
        *_of_table(dial.container),
        *_of_names(dial.container),
        *_of_layout(dial, found),
        *_of_pictures(dial.layout, found, limits),
        *_of_colours(found, limits),
        *_of_size(dial.container, limits),
    )


def _of_table(container: Container) -> Iterator[DialObjection]:
    if container.version != VERSION:
        yield DialObjection(
            "container-version", f"the container has version {container.version}, not {VERSION}"
        )
    end: int | None = container.table_bytes  # None: how far the file before reaches is not known
    for file in sorted(container.files, key=lambda file: (file.offset_bytes, file.size_bytes)):
        if not file.is_inside:
            yield DialObjection("table-bounds", f"{file.name!r} lies outside the file")
            end = None
            continue
        if end is not None and file.offset_bytes < end and file.size_bytes:
            yield DialObjection("overlap", f"{file.name!r} begins inside what lies before it")
        elif end is not None and file.offset_bytes > end:
            gap_bytes = file.offset_bytes - end
            yield DialObjection("gap", f"{gap_bytes} bytes before {file.name!r} belong to no file")
        end = max(end or 0, file.offset_bytes + file.size_bytes)
    if end is not None and end < container.size_bytes:
        yield DialObjection(
            "trailing-bytes", f"{container.size_bytes - end} bytes at the end belong to no file"
        )


def _of_names(container: Container) -> Iterator[DialObjection]:
    for name, count in Counter(file.name for file in container.files).items():
        if count > 1:
            yield DialObjection("duplicate-name", f"{count} files are called {name!r}")
        if not name or not name.isprintable() or UNSAFE & set(name) or name in (".", ".."):
            yield DialObjection("file-name", f"{name!r} is no plain file name")


def _of_layout(dial: OpenedDial, found: ReadPictures) -> Iterator[DialObjection]:
    if dial.layout_error:
        yield DialObjection("layout", f"{LAYOUT_FILE} {dial.layout_error}")
        return
    names = {file.name for file in dial.container.files}
    if not dial.layout.background:
        yield DialObjection("no-background", f"{LAYOUT_FILE} names no background")
    for use, name in dict.fromkeys(dial.layout.pictures()):
        if name not in names:
            yield DialObjection("missing-file", f"{name!r}, the {use!r} picture, is not there")
        elif name not in found.encodings:
            yield DialObjection("no-picture", f"{name!r}, the {use!r} picture, is no picture")
    yield from _of_fonts(dial.layout, names)


def _of_fonts(layout: Layout, names: set[str]) -> Iterator[DialObjection]:
    for font in layout.fonts():
        if not any(name.startswith(f"{font}_") for name in names):
            yield DialObjection("missing-font", f"the font {font!r} has no glyph")
            continue
        numbers = any(widget.font == font and widget.wants_digits for widget in layout.widgets)
        missing = [digit for digit in DIGITS if f"{font}_{digit}" not in names]
        if numbers and missing:
            yield DialObjection(
                "missing-glyph", f"the font {font!r} lacks the digits {', '.join(missing)}"
            )


def _of_pictures(
    layout: Layout, found: ReadPictures, limits: DialLimits
) -> Iterator[DialObjection]:
    for name, error in found.errors.items():
        if name not in found.encodings:
            yield DialObjection("picture-format", f"{name!r}: {error}")
        elif found.encodings[name].partition("+")[0].partition("/")[0] in raw_picture.READ_FORMATS:
            yield DialObjection("picture", f"{name!r}: {error}")
    if limits.width_px is None or limits.height_px is None:
        return
    screen = f"{limits.width_px}x{limits.height_px}"
    for name, picture in found.pictures.items():
        size = f"{picture.width_px}x{picture.height_px}"
        if name == layout.background and size != screen:
            yield DialObjection("wrong-screen", f"the background is {size}, the screen {screen}")
        elif _is_larger(picture, limits.width_px, limits.height_px):
            yield DialObjection(
                "picture-size", f"{name!r} is {size}, larger than the screen {screen}"
            )


def _of_colours(found: ReadPictures, limits: DialLimits) -> Iterator[DialObjection]:
    """Pictures of colours should be kept as the watch says (6.5, V3 07); masks have none."""
    for name, encoding in found.encodings.items():
        colour = encoding.partition("/")[0].partition("+")[0]
        if limits.colour and colour != limits.colour and not colour.startswith("mask"):
            yield DialObjection("colour", f"{name!r} is in {colour}, the watch in {limits.colour}")


def _is_larger(picture: Picture, width_px: int, height_px: int) -> bool:
    return picture.width_px > width_px or picture.height_px > height_px


def _of_size(container: Container, limits: DialLimits) -> Iterator[DialObjection]:
    if limits.largest_bytes is not None and container.size_bytes > limits.largest_bytes:
        yield DialObjection(
            "too-large",
            f"the dial has {container.size_bytes} bytes, the watch takes {limits.largest_bytes}",
        )
