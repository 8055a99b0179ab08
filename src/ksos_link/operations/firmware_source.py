"""What a person names when firmware is to be written: a file, or a release with its files."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_protocol.images import MAX_FILE_BYTES
from ksos_link.config import check_is_text
from ksos_link.errors import NotFoundError, PreflightError, UsageError
from ksos_link.operations.firmware_file import open_firmware_file, read_limited
from ksos_link.operations.firmware_wish import FirmwareWish
from ksos_link.operations.release import open_release
from ksos_link.operations.release_keys import ReleaseKey
from ksos_link.operations.release_manifest import MANIFEST_ENDINGS, Kind
from ksos_link.store.uploads import BegunUpload

if TYPE_CHECKING:
    from ksos_link.store.database import Store


def open_source(path: Path, keys: Sequence[ReleaseKey] = ()) -> FirmwareWish:
    """Read a firmware file, or a release manifest with all its files, ready to be written.

    Raises:
        NotFoundError, MalformedError: see `open_release` and `open_firmware_file`.
        UsageError: the release is none of firmware, its files go by different ways, or its name is
            no text.
    """
    check_is_text(path.resolve())
    if path.suffix.lower() not in MANIFEST_ENDINGS:
        return FirmwareWish((open_firmware_file(path),), source=path)
    opened = open_release(path, keys)
    if opened.release.kind is not Kind.FIRMWARE:
        raise UsageError("That release is one of a dial.", "Send it with: ksos dial push FILE")
    files = tuple(opened.open_firmware(file) for file in opened.release.files)
    if len({file.info.transport for file in files}) > 1:
        raise UsageError("The files of that release go by different transports.")
    return FirmwareWish(files, opened, source=path)


class StoreNotes:
    """Remembers begun updates in the store; see `firmware_wish.UploadNotes`."""

    def __init__(self, store: "Store", now: datetime) -> None:
        self._store = store
        self._now = now

    def begun(self, address: str, wish: FirmwareWish) -> None:
        """The watch at this address is about to get files."""
        path, digest = wish.source.resolve(), wish.source_sha256
        self._store.begin_upload(
            BegunUpload(address, str(path), digest, int(self._now.timestamp()))
        )

    def ended(self, address: str) -> None:
        """It runs an application again."""
        self._store.end_upload(address)


def reopen(begun: BegunUpload, keys: Sequence[ReleaseKey] = ()) -> FirmwareWish:
    """What was being written, provided that it is still the same.

    Raises:
        NotFoundError, MalformedError, UsageError: as `open_source`.
        PreflightError: the file was changed since.
    """
    path = Path(begun.path)
    if not path.is_file():
        raise NotFoundError(
            f"The file that was being written is gone: {path}.",
            "Name it: ksos firmware resume FILE",
        )
    if _digest(path) != begun.sha256:
        raise PreflightError(
            f"{path} was changed since it was being written.",
            "If the new one is meant, name it: ksos firmware resume FILE",
        )
    return open_source(path, keys)


def _digest(path: Path) -> str:
    return hashlib.sha256(read_limited(path, MAX_FILE_BYTES)).hexdigest()
