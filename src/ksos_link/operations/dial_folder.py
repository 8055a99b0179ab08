"""A dial as a folder of PNGs and descriptions, and back: what a designer works on.

`dial.json` in the folder keeps what PNGs cannot say: the order of files, names that are no file
names, and how pixels are kept. A folder without it is read by its layout.
"""

import io
import json
import os
import re
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_protocol import registry
from firmware_protocol.dials import (
    MOST_DIAL_BYTES,
    MOST_DIAL_FILES,
    MOST_DIAL_PIXELS,
    MOST_SIDE_PX,
    DialFormat,
    DialLimits,
    DialObjection,
    DialPart,
    Picture,
)
from firmware_protocol.errors import ProtocolError
from ksos_link.config import is_there
from ksos_link.errors import MalformedError, NotFoundError, StoreError, UsageError
from ksos_link.operations.dial_file import (
    DialFile,
    check_target,
    damaged,
    plain_json,
    png_from_picture,
    read_whole,
    write_whole,
)

INDEX: Final = "dial.json"
_PNG: Final = ".png"
_PNG_HEAD: Final = struct.Struct(">8s4x4sII")
_PNG_MARK: Final = b"\x89PNG\r\n\x1a\n"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BuiltDial:
    """A dial made of a folder. With objections nothing was written."""

    size_bytes: int
    packed_bytes: int | None
    files: int
    objections: tuple[DialObjection, ...]
    left_out: tuple[str, ...]  # files of the folder that are no part of a dial


def unpack(dial: DialFile, folder: Path, *, force: bool) -> int:
    """Write a dial's files into a folder, which is made; return how many.

    Raises:
        MalformedError: the dial is damaged.
        UsageError: a file of one of the names is there already.
        StoreError: the disk is full, or the folder cannot be made.
    """
    try:
        parts = dial.format.take_apart(dial.data)
    except ProtocolError as error:
        raise damaged(dial.path, error) from error
    files = list(_file_names(parts))
    for name in (*files, INDEX):
        if not force and is_there(folder / name):
            raise UsageError(
                f"{folder / name} is there already.", "Choose another folder, or say --force."
            )
        if (folder / name).is_dir():
            raise UsageError(f"{folder / name} is a folder.", "Choose another folder with --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be made: {os.strerror(error.errno or 0)}.",
            "Choose another one with --out.",
        ) from error
    for part, name in zip(parts, files, strict=True):
        data = part.data if part.picture is None else png_from_picture(part.picture)
        write_whole(folder / name, data)
    write_whole(folder / INDEX, plain_json(_index(dial.format, parts, files)))
    return len(parts)


def _file_names(parts: Sequence[DialPart]) -> Iterator[str]:
    """A file name for each part: plain letters, no path, each once whatever the case."""
    taken = {INDEX}
    for part in parts:
        name = _UNFIT.sub("_", part.name).lstrip(".").rstrip(".") or "_"
        if part.picture is not None:
            name = f"{name.removesuffix(_PNG)}{_PNG}"
        if _DEVICES.fullmatch(name):
            name = f"_{name}"
        stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}~{number}{dot}{suffix}"
        taken.add(name.lower())
        yield name


def _index(form: DialFormat, parts: Sequence[DialPart], files: Sequence[str]) -> dict[str, object]:
    rows = []
    for part, file in zip(parts, files, strict=True):
        row = {"name": part.name, "file": file}
        if part.picture is not None:
            row["encoding"] = part.encoding
        rows.append(row)
    return {"format": form.name, "files": rows}


def build(
    folder: Path,
    out: Path,
    limits: DialLimits,
    *,
    accepted: Collection[str] = (),
    block_bytes: int | None = None,
    force: bool = False,
) -> BuiltDial:
    """Make a dial of a folder, compressed where `out` ends so. With objections none is written.

    Raises:
        NotFoundError: no such folder, or no layout in it.
        MalformedError: a picture or description cannot be read, or does not fit.
        UsageError: `out` must not be written, or has another ending.
        StoreError: the disk is full.
    """
    form = _format_of(out)
    check_target(out, force=force)
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", "Name the folder of the dial.")
    indexed = is_there(folder / INDEX)
    parts, left_out = _indexed(folder) if indexed else _found(folder, form)
    try:
        data = form.put_together(parts)
        packs = out.name.endswith(form.packed_suffix)
        packed = form.pack(data, block_bytes or form.block_bytes[0]) if packs else None
    except ProtocolError as error:
        raise MalformedError(f"No dial can be made of {folder}: {error}.", _HINT) from error
    written = DialFile(out, data if packed is None else packed, form)
    objections = written.objections(limits, accepted)
    if not objections:
        write_whole(out, written.data)
    return BuiltDial(
        len(data), None if packed is None else len(packed), len(parts), objections, left_out
    )


_HINT: Final = "Mend what it names, or say in dial.json how its pixels are kept."


def _format_of(out: Path) -> DialFormat:
    forms = [family.dial_format for family in registry.FAMILIES if family.dial_format]
    for form in forms:
        if out.name.endswith((form.suffix, form.packed_suffix)):
            return form
    endings = ", ".join(f"{form.suffix}, {form.packed_suffix}" for form in forms)
    raise UsageError(f"{out.name} has no ending of a dial.", f"Choose from: {endings}.")


# ---- a folder with an index


def _indexed(folder: Path) -> tuple[list[DialPart], tuple[str, ...]]:
    path = folder / INDEX
    index = _json(path)
    rows = index.get("files") if isinstance(index, dict) else None
    if not isinstance(rows, list) or len(rows) > MOST_DIAL_FILES:
        raise MalformedError(f"{path} has no list of files.", _INDEX_HINT)
    parts = []
    room = MOST_DIAL_PIXELS
    total_bytes = 0
    for number, row in enumerate(rows, 1):
        name, file, encoding = _row(row, path, number)
        if encoding is None:
            parts.append(DialPart(name, read_whole(folder / file)))
            total_bytes += len(parts[-1].data)
            if total_bytes > MOST_DIAL_BYTES:  # one large file may be named a thousand times
                raise MalformedError(f"The files of {path} are larger than any dial.", _INDEX_HINT)
            continue
        picture, room = _picture(folder / file, room)
        parts.append(DialPart(name, picture=picture, encoding=encoding))
    known = {INDEX, *(row["file"] for row in rows)}
    return parts, tuple(sorted(each.name for each in folder.iterdir() if each.name not in known))


_INDEX_HINT: Final = "It is written by: ksos dial unpack"


def _row(row: object, path: Path, number: int) -> tuple[str, str, str | None]:
    """Name, file and encoding of one row of an index."""
    if isinstance(row, dict):
        name, file, encoding = row.get("name"), row.get("file"), row.get("encoding")
        told = encoding is None or isinstance(encoding, str)
        if isinstance(name, str) and isinstance(file, str) and told and row.keys() <= _ROW_KEYS:
            if file and Path(file).name == file and "\\" not in file and "\0" not in file:
                return name, file, encoding
            raise MalformedError(
                f"File {number} of {path} is no plain file name.",
                "A file lies in the folder itself.",
            )
    raise MalformedError(
        f"File {number} of {path} has no name and file, or more than those and encoding.",
        _INDEX_HINT,
    )


_ROW_KEYS: Final = {"name", "file", "encoding"}


# ---- a folder without one


def _found(folder: Path, form: DialFormat) -> tuple[list[DialPart], tuple[str, ...]]:
    layout_path = folder / form.leading[0]
    if not is_there(layout_path):
        raise NotFoundError(
            f"There is no {form.leading[0]} in {folder}.", "It says what the dial shows where."
        )
    layout = _json(layout_path)
    if not isinstance(layout, dict):
        raise MalformedError(f"{layout_path} is no JSON object.", "Mend it.")
    leading = [name for name in form.leading if is_there(folder / name)]
    parts = [DialPart(name, read_whole(folder / name)) for name in leading]
    left_out = []
    room = MOST_DIAL_PIXELS
    for file in _files(folder):
        if file in leading:
            continue
        if not file.lower().endswith(_PNG) or len(parts) >= MOST_DIAL_FILES:
            left_out.append(file)
            continue
        picture, room = _picture(folder / file, room)
        parts.append(DialPart(_part_name(form, layout, file), picture=picture))
    return parts, tuple(left_out)


def _part_name(form: DialFormat, layout: Mapping[str, object], file: str) -> str:
    return form.part_name(layout, f"{file[: -len(_PNG)]}{_PNG}")


def _files(folder: Path) -> list[str]:
    """All visible files of a folder and of the folders in it, in order of their names."""
    found = []
    for each in folder.iterdir():
        if each.name.startswith("."):
            continue
        if each.is_dir():
            found += [f"{each.name}/{inner.name}" for inner in each.iterdir() if inner.is_file()]
        else:
            found.append(each.name)
    return sorted(found)


def _json(path: Path) -> object:
    try:
        return json.loads(read_whole(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{path} is no JSON.", "Mend it.") from error


def _picture(path: Path, room: int) -> tuple[Picture, int]:
    """Read a PNG, and how many more pixels may follow it.

    Raises:
        NotFoundError, MalformedError: it is not there, is none, or is too large.
    """
    from PIL import Image

    data = read_whole(path)
    if len(data) < _PNG_HEAD.size:
        raise _no_png(path)
    mark, chunk, width, height = _PNG_HEAD.unpack_from(data)
    if mark != _PNG_MARK or chunk != b"IHDR":
        raise _no_png(path)
    if max(width, height) > MOST_SIDE_PX or width * height > room:  # before anything is unpacked
        raise MalformedError(
            f"{path} is too large: {width}x{height} pixels.", "Make it as large as the screen."
        )
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        raise _no_png(path) from error
    return Picture(rgba.width, rgba.height, rgba.tobytes()), room - width * height


def _no_png(path: Path) -> MalformedError:
    return MalformedError(f"{path} is no PNG, or a damaged one.", "Save it again as PNG.")
