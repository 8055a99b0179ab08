"""Exchanging a store for another in one step that a crash cannot halve.

The new store (database and key file) is made in a folder of its own. Renaming that folder is the
moment of truth: before it nothing happened, after it every program that opens the home first
finishes the exchange. The old store lies aside until the new one is in place. The caller holds
the open lock alone: SQLite's journals are found by name, so nobody may have either file open.
"""

import contextlib
import os
from pathlib import Path

from ksos_link.config import Home, create_folder, is_there
from ksos_link.errors import StoreError
from ksos_link.store.key_file import sync_folder


def prepare(home: Home) -> Home:
    """Return an empty home inside the home, in which the new store is to be made.

    Raises:
        StoreError: the disk refused.
    """
    part = _part(home)
    try:
        _remove(part)  # what a crash left
    except OSError as error:
        raise _refused(error) from error
    create_folder(part)
    return Home(part, home.settings_file, home.logs_folder)


def abandon(home: Home) -> None:
    """Drop a new store that is not wanted after all; what cannot go now goes with the next one."""
    with contextlib.suppress(OSError):
        _remove(_part(home))


def is_pending(home: Home) -> bool:
    """Whether an exchange was decided but not finished."""
    return is_there(_ready(home))


def swap_in(home: Home) -> None:
    """Put the prepared store in the place of the old one.

    Raises:
        StoreError: the disk refused; the next opening tries again.
    """
    try:
        _sync_file(_part(home) / home.store_file.name)
        sync_folder(_part(home))
        _part(home).rename(_ready(home))
        sync_folder(home.folder)
    except OSError as error:
        raise _refused(error) from error
    finish(home)


def finish(home: Home) -> None:
    """Do whatever is left of a decided exchange; doing it again is nothing.

    Raises:
        StoreError: the disk refused; the next opening tries again.
    """
    ready, aside = _ready(home), home.folder / "replaced"
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        store = home.store_file
        journals = [store.with_name(store.name + suffix) for suffix in ("-wal", "-shm")]
        _exchange(ready, aside, [*journals, store])
        _exchange(ready, aside, [home.key_file])
        sync_folder(home.folder)
        _remove(aside)
        _remove(ready)  # the last step: as long as it is there, the rest is done again
    except OSError as error:
        raise _refused(error) from error


def _exchange(ready: Path, aside: Path, files: list[Path]) -> None:
    """Move `files` aside and the new one of the last of them in, unless that was done before."""
    new = ready / files[-1].name
    if new.exists():
        for file in files:
            if file.exists():
                file.replace(aside / file.name)
        new.replace(files[-1])


def _part(home: Home) -> Path:
    return home.folder / "replacement.part"


def _ready(home: Home) -> Path:
    return home.folder / "replacement"


def _remove(folder: Path) -> None:
    """Remove one of our folders, which hold files only."""
    if folder.exists():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(error: OSError) -> StoreError:
    return StoreError(
        f"The store could not be exchanged: {os.strerror(error.errno or 0)}.",
        "Nothing is lost; mend the disk, then run any ksos command.",
    )
