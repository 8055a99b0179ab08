"""A dial's file taken apart and put together again: names, layout, pictures (ido.md 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware_protocol.dials import (
    MOST_DIAL_PIXELS,
    DialContents,
    DialEntry,
    DialPart,
    Picture,
)
from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido.dial_file import blocks, raw_picture
from firmware_protocol.families.ido.dial_file.container import (
    MAGIC,
    Container,
    ContainerFile,
    decode_container,
    encode_container,
)
from firmware_protocol.families.ido.dial_file.layout import (
    FONT_FILE,
    LAYOUT_FILE,
    Layout,
    read_json,
    read_layout,
)


@dataclass(frozen=True, slots=True)
class OpenedDial:
    """A container, expanded. `block_bytes` is None where the file was not compressed."""

    container: Container
    block_bytes: int | None
    layout: Layout
    layout_error: str


@dataclass(frozen=True, slots=True)
class ReadPictures:
    """The pictures that could be read by their names, and why the others could not."""

    pictures: Mapping[str, Picture]
    encodings: Mapping[str, str]
    errors: Mapping[str, str]


def recognise(data: bytes) -> bool:
    """Whether a file begins like a dial, compressed or not."""
    if data.startswith(MAGIC):
        return True
    try:
        return blocks.first_block(data).startswith(MAGIC)
    except DecodeError:
        return False


def expand(data: bytes) -> bytes:
    """The container of a file, compressed or not.

    Raises:
        DecodeError: the compression is malformed.
    """
    return data if data.startswith(MAGIC) else blocks.unpack(data)[0]


def open_dial(data: bytes) -> OpenedDial:
    """Expand and read the table and the layout.

    Raises:
        DecodeError: compression or table are malformed. A wrong layout is told, not raised.
    """
    block_bytes = None
    if not data.startswith(MAGIC):
        data, block_bytes = blocks.unpack(data)
    container = decode_container(data)
    file = next((file for file in container.files if file.name == LAYOUT_FILE), None)
    if file is None or not file.is_inside:
        return OpenedDial(container, block_bytes, Layout(), "is not there")
    try:
        layout = read_layout(read_json(container.body(file)))
    except DecodeError as error:
        return OpenedDial(container, block_bytes, Layout(), f"cannot be read: {error}")
    return OpenedDial(container, block_bytes, layout, "")


def read(data: bytes) -> DialContents:
    """Take a dial apart as far as it goes; what does not is remarked.

    Raises:
        DecodeError: compression or table are malformed.
    """
    dial = open_dial(data)
    found = read_pictures(dial.container)
    background = found.pictures.get(dial.layout.background)
    remarks = [f"{LAYOUT_FILE} {dial.layout_error}"] if dial.layout_error else []
    remarks += [f"{name}: {error}" for name, error in found.errors.items()]
    remarks += [
        f"{file.name}: lies outside the file" for file in dial.container.files if not file.is_inside
    ]
    return DialContents(
        title=dial.layout.title,
        width_px=background.width_px if background else 0,
        height_px=background.height_px if background else 0,
        layout=dial.layout.source,
        entries=tuple(_entry(file, dial, found) for file in dial.container.files),
        pictures=found.pictures,
        remarks=tuple(remarks),
        size_bytes=dial.container.size_bytes,
        block_bytes=dial.block_bytes,
        preview=dial.layout.preview,
    )


def read_pictures(container: Container) -> ReadPictures:
    """Read all pictures, within a bound on their pixels."""
    pictures: dict[str, Picture] = {}
    encodings: dict[str, str] = {}
    errors: dict[str, str] = {}
    room = MOST_DIAL_PIXELS
    for file in container.files:
        if not _is_picture(container, file):
            continue
        head = container.body(file, raw_picture.HEAD.size)
        try:
            encodings[file.name] = str(raw_picture.read_encoding(head))
            pixels = raw_picture.read_head(head, file.size_bytes).pixels
            if pixels > room:
                errors[file.name] = "not read: the pictures together are too large"
                continue
            room -= pixels
            pictures[file.name] = raw_picture.decode_picture(container.body(file))
        except DecodeError as error:
            errors[file.name] = str(error)
    return ReadPictures(pictures, encodings, errors)


def take_apart(data: bytes) -> tuple[DialPart, ...]:
    """All files of a dial, in order; pictures that would not come back the same stay bytes.

    Raises:
        DecodeError: malformed, or files lie outside or in each other.
    """
    container = open_dial(data).container
    if sum(file.size_bytes for file in container.files if file.is_inside) > container.size_bytes:
        raise DecodeError("files lie in each other")
    found = read_pictures(container)
    parts = []
    for file in container.files:
        if not file.is_inside:
            raise DecodeError(f"{file.name!r} lies outside the file")
        body = container.body(file)
        picture = found.pictures.get(file.name)
        encoding = found.encodings.get(file.name, "")
        if picture is None or _picture_body(picture, encoding) != body:
            parts.append(DialPart(file.name, body))
        else:
            parts.append(DialPart(file.name, body, picture, encoding))
    return tuple(parts)


def put_together(parts: Sequence[DialPart]) -> bytes:
    """Write a container; `take_apart` gives the same parts again.

    Raises:
        LocalProtocolError: a picture does not fit its encoding, a name is wrong, it is too large.
    """
    files = []
    for part in parts:
        try:
            files.append((part.name, part.data or _made(part)))
        except LocalProtocolError as error:
            raise LocalProtocolError(f"{part.name!r}: {error}") from error
    return encode_container(files)


def _made(part: DialPart) -> bytes:
    return b"" if part.picture is None else _picture_body(part.picture, part.encoding)


def _picture_body(picture: Picture, encoding: str) -> bytes:
    known = (
        raw_picture.encoding_from_text(encoding)
        if encoding
        else raw_picture.fitting_encoding(picture)
    )
    return raw_picture.encode_picture(picture, known)


def _is_picture(container: Container, file: ContainerFile) -> bool:
    return file.is_inside and raw_picture.is_raw(container.body(file, raw_picture.HEAD.size))


def _entry(file: ContainerFile, dial: OpenedDial, found: ReadPictures) -> DialEntry:
    encoding = found.encodings.get(file.name, "")
    return DialEntry(file.name, _kind(file, dial), file.size_bytes, encoding)


def _kind(file: ContainerFile, dial: OpenedDial) -> str:
    if file.name in (LAYOUT_FILE, FONT_FILE):
        return "layout"
    if not _is_picture(dial.container, file):
        return "other"
    is_glyph = any(file.name.startswith(f"{font}_") for font in dial.layout.fonts())
    return "glyph" if is_glyph else "picture"


def part_name(source: Mapping[str, object], file: str) -> str:
    """What a PNG of a folder is called in the dial whose layout is `source`.

    `font/5.png` and `font_5.png` are the glyph `font_5`; `preview.bmp.png` is `preview.bmp` where
    the layout names that; all others keep their name.
    """
    layout = read_layout(source)
    folder, _, name = file.rpartition("/")
    stem = name.removesuffix(".png")
    if folder:
        return f"{folder}_{stem}"
    named = {picture for _, picture in layout.pictures()}
    is_glyph = any(stem.startswith(f"{font}_") for font in layout.fonts())
    return stem if name not in named and (stem in named or is_glyph) else name
