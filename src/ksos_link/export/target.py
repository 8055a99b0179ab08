"""Where an export goes: a file that is there whole or not at all, or a stream of the caller's."""

import contextlib
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TextIO, cast

from ksos_link.age.header import SUFFIX
from ksos_link.config import is_of_a_store
from ksos_link.errors import NotFoundError, StoreError, UsageError

if TYPE_CHECKING:
    from ksos_link.age.sealed import Sealing

Target = Path | TextIO
_SYNCS_ALL: Final = hasattr(os, "sync")  # not on Windows
DISK_FAILED: Final = "The disk is full or failed; no file was written."

# What encrypts all targets that are opened meanwhile. A writer opens as many as it likes, some deep
# in a folder: it is not told, so that none can forget to pass it on.
_SEALING: Final[ContextVar["Sealing | None"]] = ContextVar("sealing", default=None)


@contextlib.contextmanager
def sealed(sealing: "Sealing") -> Iterator[None]:
    """Encrypt all that is written to targets meanwhile; files get the suffix of age."""
    token = _SEALING.set(sealing)
    try:
        yield
    finally:
        _SEALING.reset(token)


def sealed_path(target: Path) -> Path:
    """The name that an encrypted file gets."""
    return target if target.suffix == SUFFIX else target.with_name(target.name + SUFFIX)


def target_path(out: Path, metric_name: str, suffix: str) -> Path:
    """Return the file for one metric: in `out` where that is a folder, else `out` itself."""
    return out / f"{metric_name}{suffix}" if out.is_dir() else out


@contextlib.contextmanager
def open_target(target: Target) -> Iterator[TextIO]:
    """Open a file for text, owner-only and as UTF-8; a stream is passed on as it is.

    Raises:
        NotFoundError, UsageError, StoreError: see `open_binary_target`.
    """
    if not isinstance(target, Path) and _SEALING.get() is None:
        yield target
        return
    with open_binary_target(target) as raw:
        file = io.TextIOWrapper(raw, "utf-8", newline="")
        try:
            yield file
        except BaseException:
            with contextlib.suppress(OSError):  # what failed is told, not that it failed again
                file.detach()
            raise
        file.detach()  # flushes


@contextlib.contextmanager
def open_binary_target(target: Target, *, in_folder: bool = False) -> Iterator[BinaryIO]:
    """Open a file for bytes, owner-only; of a stream, what lies below its text.

    Within `sealed` all is encrypted on its way, and nothing else touches the disk.

    What is written goes to a file beside the target that takes its name only when all is written; a
    symbolic link of that name is replaced, not followed. Pipes and devices are written to. Of many
    files `in_folder`, `open_folder` sees to it that they outlast a power cut, all at once.

    Raises:
        NotFoundError: the folder does not exist.
        UsageError: the target is a folder, belongs to a store, or must not be written.
        StoreError: the disk is full.
    """
    sealing = _SEALING.get()
    if sealing is None:
        with _open_plain(target, in_folder) as file:
            yield file
        return
    path = sealed_path(target) if isinstance(target, Path) else target
    with _open_plain(path, in_folder) as file:
        writer = sealing.begin(file)
        yield cast("BinaryIO", writer)
        writer.finish()


@contextlib.contextmanager
def _open_plain(target: Target, in_folder: bool) -> Iterator[BinaryIO]:
    if not isinstance(target, Path):
        yield target.buffer
        return
    if is_of_a_store(target):
        raise UsageError("That file belongs to the store.", "Choose another path with --out.")
    try:
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        with part_file(target) as descriptor, os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if not (in_folder and _SYNCS_ALL):
                os.fsync(file.fileno())
    except OSError as error:
        raise _failure(error) from error


@contextlib.contextmanager
def part_path(target: Path) -> Iterator[Path]:
    """An empty file for those who open it by name; otherwise as `open_binary_target`.

    Raises:
        NotFoundError, UsageError, StoreError: see `open_binary_target`; a pipe
            or device is refused, and so is encryption.
    """
    if is_of_a_store(target):
        raise UsageError("That file belongs to the store.", "Choose another path with --out.")
    if target.exists() and not target.is_file():
        raise UsageError("This format needs a file.", "Choose another path with --out.")
    if _SEALING.get() is not None:  # who opens by name writes plain text
        raise UsageError("This format cannot be encrypted.", "Choose another: csv, parquet ...")
    try:
        with _part(target) as (descriptor, part), os.fdopen(descriptor, "wb"):
            yield part
            os.fsync(descriptor)
    except OSError as error:
        raise _failure(error) from error


@contextlib.contextmanager
def part_file(target: Path) -> Iterator[int]:
    """The descriptor of an owner-only file beside the target that takes its name at the end.

    Who takes the descriptor closes it. After a failure nothing is left, and the target is as it
    was; a symbolic link of that name is replaced, not followed.

    Raises:
        OSError: the folder does not exist or takes no files.
    """
    with _part(target) as (descriptor, _):
        yield descriptor


@contextlib.contextmanager
def _part(target: Path) -> Iterator[tuple[int, Path]]:
    # not hidden: what a killed program leaves is plain, and its owner should see it
    descriptor, name = tempfile.mkstemp(".part", f"{target.name[:50]}.", target.parent)
    try:
        yield descriptor, Path(name)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


@contextlib.contextmanager
def open_folder(target: Path) -> Iterator[Path]:
    """A new folder, owner-only, that takes its name only when all is written.

    Raises:
        UsageError: it is there already, or must not be written.
        NotFoundError: the folder around it does not exist.
        StoreError: the disk is full.
    """
    if target.exists():
        raise UsageError(f"{target} is there already.", "Choose another path with --out.")
    try:
        part = Path(tempfile.mkdtemp(".part", f"{target.name[:50]}.", target.parent))
        try:
            yield part
            if _SYNCS_ALL:
                os.sync()
            part.replace(target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise _failure(error) from error


def _failure(error: OSError) -> NotFoundError | UsageError | StoreError:
    if isinstance(error, FileNotFoundError):
        return NotFoundError("The folder for the export does not exist.", "Make it first.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return StoreError(DISK_FAILED, "Make room.")
    return UsageError(
        f"The export cannot be written: {os.strerror(error.errno or 0)}.",
        "Choose another path with --out.",
    )
