"""The digests of the files that a campaign sends: what changed meanwhile is not sent."""

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ksos_link.errors import PreflightError

_MAX_SENT_BYTES: Final = 1 << 28  # far above any image; a disk is no firmware


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read, or is no file.
        ValueError: it is far too large.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.stat().st_size > _MAX_SENT_BYTES:
        raise ValueError("too large")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_unchanged(files: Mapping[str, str]) -> None:
    """Compare files with the digests that they had.

    Raises:
        PreflightError: some are gone or other ones; all of them are named.
    """
    changed = [name for name, digest in files.items() if _digest_or_none(Path(name)) != digest]
    if changed:
        names = ", ".join(Path(name).name for name in changed)
        raise PreflightError(
            f"Not what it was when the campaign began, or gone: {names}.",
            "Put it back, or begin anew: ksos campaign run FILE --anew",
        )


def _digest_or_none(path: Path) -> str | None:
    with contextlib.suppress(OSError, ValueError):
        return digest_of(path)
    return None
