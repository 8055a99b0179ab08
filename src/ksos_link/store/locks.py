"""Locks between programs, held by the operating system: a killed program leaves none behind."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ksos_link.config import OWNER_ONLY_FILE
from ksos_link.errors import StoreError

_POLL_S: Final = 0.05  # short against a person's patience, long against a system call


class FileLock:
    """A lock on one file of the home, for this process and object."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def take(self, message: str, *, wait_s: float, shared: bool = False) -> None:
        """Lock, or wait at most `wait_s` for the one who holds it. Taking it twice is nothing.

        Raises:
            StoreError: somebody else still holds it: `message`; or the file cannot be made.
        """
        if self.is_held:
            return
        descriptor = self._open()
        try:
            _wait_for_lock(descriptor, message, wait_s, shared=shared)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def try_take(self) -> bool:
        """Lock, or tell that somebody else holds it; nobody waits.

        Raises:
            StoreError: the file cannot be made, or not be locked.
        """
        if self.is_held:
            return True
        descriptor = self._open()
        with _lock_errors():
            if _try_lock(descriptor, shared=False):
                self._descriptor = descriptor
            else:
                os.close(descriptor)
        return self.is_held

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT, OWNER_ONLY_FILE)
        except OSError as error:
            raise StoreError(
                f"The store's folder cannot be written: {os.strerror(error.errno or 0)}.",
                "Check who owns the folder and whether the file system is read-only.",
            ) from error

    def release(self) -> None:
        """Unlock; closing the file does it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _wait_for_lock(descriptor: int, message: str, wait_s: float, *, shared: bool) -> None:
    until_s = time.monotonic() + wait_s
    with _lock_errors():
        while not _try_lock(descriptor, shared=shared):
            if time.monotonic() >= until_s:
                raise StoreError(message, "Wait until it has ended, then run this again.")
            time.sleep(_POLL_S)


@contextlib.contextmanager
def _lock_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The store's folder cannot be locked: {os.strerror(error.errno or 0)}.",
            "Some network folders have no locks; choose a folder on this machine with --home.",
        ) from error


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        if shared:
            return True  # Windows itself refuses to rename a file that somebody has open
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # NFS says the latter
            return False
        return True
