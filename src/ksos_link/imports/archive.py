"""Archives of `ksos export --format archive`, looked through before anything is taken from them.

Nothing is unpacked: names only choose among those that an archive can have. Every file is read to
its end and held against the manifest first, with sizes bounded, so that what is kept is whole.
"""

import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from ksos_link.errors import MalformedError

FORMAT: Final = "ksos-link archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 1 << 20
MAX_FILES: Final = 200
MAX_DOCUMENT_BYTES: Final = 64 << 20
MAX_LINE_BYTES: Final = 64 << 20  # a raw record of an imported file may have some MB
MAX_RATIO: Final = 200  # of JSON lines some 20; of a bomb 1000
_PIECE_BYTES: Final = 1 << 16
_SMALL_BYTES: Final = 1 << 16
_NAME: Final = re.compile(r"[a-z]+\.(json|jsonl|html)|data/[a-z0-9_]+\.jsonl")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1  # a flag of a zip's file
_ZIP: Final = b"PK\x03\x04"
_FIRST_NAME: Final = b"devices.json"
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    struct.error,
)


def recognise(head: bytes, file_name: str) -> bool:
    """Whether a file begins as an archive does."""
    del file_name
    return head.startswith(_ZIP) and head[30:].startswith(_FIRST_NAME)


class Archive:
    """An archive that was looked through."""

    def __init__(self, stream: BinaryIO) -> None:
        """Look through all of it.

        Raises:
            MalformedError: it is none, damaged, changed, of a newer version, or unreasonably large.
        """
        try:
            self._size = stream.seek(0, io.SEEK_END)
            self._zip = zipfile.ZipFile(stream)
            self._infos = self._checked_infos()
            self._manifest = self._read_manifest()
            for name, facts in self._manifest["files"].items():
                self._check_file(name, facts)
        except _BROKEN as error:
            raise damaged() from error
        except (TypeError, AttributeError) as error:  # the manifest is of another shape
            raise damaged() from error

    @property
    def names(self) -> tuple[str, ...]:
        """The files in it."""
        return tuple(self._manifest["files"])

    def document(self, name: str) -> Any:
        """A small file, as JSON has it.

        Raises:
            MalformedError: it is missing, or no JSON.
        """
        if name not in self._infos or self._infos[name].file_size > MAX_DOCUMENT_BYTES:
            raise damaged()
        try:
            return json.loads(self._zip.read(name))
        except (*_BROKEN, RecursionError) as error:
            raise damaged() from error

    def lines(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The objects of a list; none where there is no such file.

        Raises:
            MalformedError: a line is none.
        """
        if name not in self._infos:
            return
        try:
            with io.BufferedReader(self._zip.open(name), _PIECE_BYTES) as file:  # type: ignore[type-var] # reads as a raw stream does
                while line := file.readline(MAX_LINE_BYTES):
                    found = json.loads(line)
                    if not isinstance(found, dict):
                        raise damaged()
                    yield found
        except (*_BROKEN, RecursionError) as error:
            raise damaged() from error

    def _checked_infos(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        found = {info.filename: info for info in infos}
        if len(infos) > MAX_FILES or len(found) != len(infos):
            raise damaged()
        if sum(info.compress_size for info in infos) > self._size:  # files that share their bytes
            raise damaged()
        for info in infos:
            if not _NAME.fullmatch(info.filename) or info.compress_type not in _METHODS:
                raise damaged()
            if info.flag_bits & _ENCRYPTED:
                raise MalformedError("The archive has a password of its own.", "Unpack it first.")
            if info.file_size > MAX_RATIO * info.compress_size + _SMALL_BYTES:
                raise MalformedError(
                    "The archive would unpack to far more than an archive holds.",
                    "Nothing of it was kept.",
                )
        return found

    def _read_manifest(self) -> dict[str, Any]:
        info = self._infos[MANIFEST]
        if info.file_size > MAX_MANIFEST_BYTES:
            raise damaged()
        manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
        version = manifest["version"]
        if manifest["format"] != FORMAT or not isinstance(version, int):
            raise damaged()
        if version > VERSION:
            raise MalformedError(
                f"The archive was written by a newer ksos (version {version}, this one knows"
                f" {VERSION}).",
                "Install the newer ksos-link; nothing was kept.",
            )
        if {*manifest["files"], MANIFEST} != set(self._infos):
            raise damaged()
        return manifest

    def _check_file(self, name: str, facts: Mapping[str, Any]) -> None:
        size, digest = 0, hashlib.sha256()
        with self._zip.open(name) as file:
            while piece := file.read(_PIECE_BYTES):
                size += len(piece)
                digest.update(piece)
        if (size, digest.hexdigest()) != (facts["bytes"], facts["sha256"]):
            raise MalformedError(
                f"{name} in the archive is not what its manifest says.",
                "The archive was damaged or changed; nothing of it was kept.",
            )


def damaged() -> MalformedError:
    """What is told of an archive that is none."""
    return MalformedError("That is no whole archive of ksos.", "Nothing of it was kept.")
