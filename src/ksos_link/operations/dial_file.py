"""Dials as files, offline: what is in one, what speaks against it, how it looks."""

import io
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_protocol import registry
from firmware_protocol.dials import (
    MOST_DIAL_BYTES,
    DialContents,
    DialFormat,
    DialLimits,
    DialMoment,
    DialObjection,
    DialScene,
    Picture,
    PlacedPicture,
)
from firmware_protocol.errors import ProtocolError
from ksos_link.config import is_of_a_store, is_there
from ksos_link.errors import MalformedError, NotFoundError, StoreError, UsageError
from ksos_link.export.target import part_file

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMAT_HINT: Final = "ksos reads .iwf and .iwf.lz."
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class DialFile:
    """A file whose format is known."""

    path: Path
    data: bytes
    format: DialFormat

    def contents(self) -> DialContents:
        """Take it apart.

        Raises:
            MalformedError: it is cut or damaged.
        """
        try:
            return self.format.read(self.data)
        except ProtocolError as error:
            raise damaged(self.path, error) from error

    def objections(
        self, limits: DialLimits, accepted: Collection[str] = ()
    ) -> tuple[DialObjection, ...]:
        """All that speaks against sending it, but for the names that were accepted.

        Raises:
            MalformedError: it is cut or damaged.
        """
        try:
            found = self.format.check(self.data, limits)
        except ProtocolError as error:
            raise damaged(self.path, error) from error
        return tuple(one for one in found if one.name not in accepted)


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of a dial as a PNG; `remarks` say what could not be drawn."""

    width_px: int
    height_px: int
    png: bytes
    remarks: tuple[str, ...] = ()


def open_dial_file(path: Path) -> DialFile:
    """Read a file and find out what it is.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is no dial of a known format, or larger than any dial.
    """
    data = read_whole(path)
    for family in registry.FAMILIES:
        if family.dial_format is not None and family.dial_format.recognise(data):
            return DialFile(path, data, family.dial_format)
    if data.startswith(_ZIP):
        raise MalformedError(
            f"{path} is a zip; dials are not read from those.",
            "Unzip it into a folder, then: ksos dial build FOLDER",
        )
    raise MalformedError(f"{path} is no dial.", _FORMAT_HINT)


def read_whole(path: Path) -> bytes:
    """Read a file of at most the size of a dial.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_DIAL_BYTES + 1)
    except OSError as error:
        raise NotFoundError(
            f"The file {path} cannot be read: {error.strerror}.", "Check its name and rights."
        ) from error
    if len(data) > MOST_DIAL_BYTES:
        raise MalformedError(f"{path} is larger than any dial: {MOST_DIAL_BYTES >> 20} MiB.")
    return data


def damaged(path: Path, error: Exception) -> MalformedError:
    """The failure of a dial that is one by its first bytes only."""
    return MalformedError(f"{path} is damaged: {error}.", "Get the file again from its source.")


def preview(dial: DialFile, *, compose: bool) -> Preview:
    """The picture of itself that a dial brings, or with `compose` one drawn by its layout.

    Raises:
        MalformedError: it is damaged, or has nothing to draw on.
        NotFoundError: it brings no picture of itself.
    """
    contents = dial.contents()
    if not compose:
        own = contents.pictures.get(contents.preview)
        if own is None:
            raise NotFoundError(
                "The dial brings no picture of itself.", "Have one drawn: --compose"
            )
        return Preview(own.width_px, own.height_px, png_from_picture(own))
    try:
        scene = dial.format.compose(contents, DialMoment())
    except ProtocolError as error:
        raise MalformedError(
            f"{dial.path} cannot be drawn: {error}.", "See: ksos dial check"
        ) from error
    return Preview(scene.width_px, scene.height_px, _png(_drawn(scene)), scene.remarks)


def check_target(out: Path, *, force: bool) -> None:
    """Refuse a file that must not be written, before there is anything to write.

    Raises:
        UsageError: it is there already, is a folder, or belongs to a store.
        NotFoundError: its folder does not exist.
    """
    if is_of_a_store(out):
        raise UsageError("That file belongs to the store.", "Choose another path.")
    if out.is_dir():
        raise UsageError(f"{out} is a folder.", "Name a file.")
    if not out.parent.is_dir():
        raise NotFoundError(f"The folder {out.parent} does not exist.", "Make it first.")
    if not force and is_there(out):
        raise UsageError(f"{out} is there already.", "Choose another name, or say --force.")


def write_whole(out: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all; a link of that name is replaced.

    Raises:
        StoreError: the disk is full, or the folder takes no files.
    """
    try:
        with part_file(out) as descriptor, os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written: {os.strerror(error.errno or 0)}.",
            "Make room, or choose another path.",
        ) from error


def png_from_picture(picture: Picture) -> bytes:
    """A picture as a PNG; colours under transparent pixels are kept."""
    return _png(_image(picture))


def _png(image: "Image") -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _image(picture: Picture) -> "Image":
    from PIL import Image

    return Image.frombytes("RGBA", (picture.width_px, picture.height_px), picture.rgba)


def _drawn(scene: DialScene) -> "Image":
    """Lay all pictures over each other, on black as a screen is."""
    from PIL import Image

    canvas = Image.new("RGBA", (scene.width_px, scene.height_px), (0, 0, 0, 255))
    for one in scene.placed:
        image, left, top = (
            _turned(one) if one.turn_deg else (_image(one.picture), one.left_px, one.top_px)
        )
        # what sticks out to the left and above is cut by hand, Pillow cuts the rest
        source = (max(0, -left), max(0, -top))
        if source[0] < image.width and source[1] < image.height:
            canvas.alpha_composite(image, (max(0, left), max(0, top)), source)
    return canvas


def _turned(one: PlacedPicture) -> "tuple[Image, int, int]":
    """A hand, turned on a square around its point; and where that square lies."""
    from PIL import Image

    reach = one.reach_px
    square = Image.new("RGBA", (2 * reach, 2 * reach))
    left, top = one.turn_x_px - reach, one.turn_y_px - reach
    square.paste(_image(one.picture), (one.left_px - left, one.top_px - top))
    turned = square.rotate(-one.turn_deg, Image.Resampling.BICUBIC)
    return turned, left, top


def plain_json(value: object) -> bytes:
    """JSON for people to read and change."""
    return (json.dumps(value, indent=2) + "\n").encode()
