"""Firmware files, offline: read one with what lies beside it, and check it."""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import (
    MAX_FILE_BYTES,
    MAX_SIDECAR_BYTES,
    SIDECAR_ENDINGS,
    Check,
    ImageInfo,
    PublicKey,
    Sidecar,
    problems,
    public_key_from_pem,
    read_image,
    read_sidecar,
)
from ksos_link.errors import MalformedError, NotFoundError, UsageError

MAX_KEY_BYTES: Final = 64 * 1024
_FORMAT_HINT: Final = (
    "Get it anew, named as its maker did; for a plain binary put a manifest beside it, FILE.toml."
)


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """A firmware file that was read. `sidecar` is the manifest beside it, where there is one."""

    path: Path
    size_bytes: int
    sha256: str
    info: ImageInfo
    sidecar: Path | None

    @property
    def objections(self) -> tuple[Check, ...]:
        """All that speaks against it; none where it is sound."""
        return problems(self.info)


def open_firmware_file(
    path: Path, public_key: Path | None = None, *, released_as: Sidecar | None = None
) -> FirmwareFile:
    """Read a firmware file once, and check all that can be checked without a watch.

    Args:
        path: the file.
        public_key: a PEM file; with it signatures are verified, and a file without one is
            objected to.
        released_as: what a release says of it, which counts in place of a manifest beside it.

    Raises:
        NotFoundError: the file, or that of the key, cannot be read.
        UsageError: the key is no public key of a kind that firmware is signed with.
        MalformedError: the file is of no known format, damaged or far too large, or its sidecar
            manifest is none.
    """
    key = None if public_key is None else read_public_key(public_key)
    data = read_limited(path, MAX_FILE_BYTES)
    sidecar_path, sidecar = (None, released_as) if released_as else _find_sidecar(path)
    try:
        info = read_image(data, path.name, sidecar=sidecar, key=key)
    except DecodeError as error:
        raise MalformedError(f"{path} cannot be read: {error}.", _FORMAT_HINT) from error
    return FirmwareFile(path, len(data), hashlib.sha256(data).hexdigest(), info, sidecar_path)


def read_limited(path: Path, limit_bytes: int) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        NotFoundError: it cannot be read, or is no file.
        MalformedError: it is larger.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe may never end
            raise NotFoundError(f"{path} is no file.", "Name the file itself.")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:  # a name with a zero in it is a ValueError
        reason = getattr(error, "strerror", None) or "its name is none"
        raise NotFoundError(
            f"{path} cannot be read: {reason}.", "Check its name and rights."
        ) from error
    if len(data) > limit_bytes:
        size = f"{limit_bytes >> 20} MiB" if limit_bytes >> 20 else f"{limit_bytes >> 10} KiB"
        raise MalformedError(f"{path} is larger than {size}.", "No such file is as large as that.")
    return data


def read_public_key(path: Path) -> PublicKey:
    """Read the public key of who signs.

    Raises:
        NotFoundError: it cannot be read.
        UsageError: it is no public key of a kind that is used here.
    """
    try:
        return public_key_from_pem(read_limited(path, MAX_KEY_BYTES))
    except DecodeError as error:
        raise UsageError(
            f"{path} cannot be used: {error}.", "Give the public key of who signs, as PEM."
        ) from error


def _find_sidecar(path: Path) -> tuple[Path | None, Sidecar | None]:
    """Look for a manifest that is named like the file, with an ending more."""
    for ending in SIDECAR_ENDINGS:
        beside = path.with_name(path.name + ending)
        if not beside.is_file():
            continue
        data = read_limited(beside, MAX_SIDECAR_BYTES)
        try:
            return beside, read_sidecar(data, beside.name)
        except DecodeError as error:
            raise MalformedError(
                f"{beside} cannot be used: {error}.",
                "Mend the manifest or take it away; its fields stand in the manual.",
            ) from error
    return None, None
