"""Backup, restore, a new key, a new passphrase: everything that makes or replaces a whole store.

A backup is one zip file with two members, `store.db` (encrypted with a key of its own) and
`store.key` (that key, wrapped by a passphrase or a secret file, never in a keyring).
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ksos_link.config import OWNER_ONLY_FILE, Home, is_there
from ksos_link.errors import MalformedError, NotFoundError, StoreError, UsageError
from ksos_link.store import swap
from ksos_link.store.database import Store, hold_alone, open_store
from ksos_link.store.dbapi import BUSY_WAIT_S, KEY_BYTES, Database
from ksos_link.store.key_file import (
    Holder,
    KeyFile,
    key_file_bytes,
    read_key_file,
    sync_folder,
    write_key_file,
)
from ksos_link.store.keys import SecretSource
from ksos_link.store.locks import FileLock
from ksos_link.store.migrations import check_not_newer
from ksos_link.store.upkeep import integrity_findings

if TYPE_CHECKING:
    import zipfile

SUFFIX: Final = ".ksosbackup"
_STORE_MEMBER: Final = "store.db"
_KEY_MEMBER: Final = "store.key"
_COPY_BYTES: Final = 1 << 20


def backup(store: Store, target: Path, secrets: SecretSource) -> Path:
    """Write one consistent state of an open store to `target`; return the file's path.

    A folder gets a file named `ksos.ksosbackup`. An older backup of that name is replaced only
    when the new one is complete; any other file is left alone.

    Raises:
        NotFoundError: the target's folder does not exist.
        UsageError: there is a file of that name which is no backup.
        StoreError: no room, or no secret but the keyring.
    """
    target = target.absolute()
    target = target / f"ksos{SUFFIX}" if is_there(target) and target.is_dir() else target
    if not is_there(target.parent):
        raise NotFoundError("The folder for the backup does not exist.", "Make it first.")
    if is_there(target) and not _is_backup(target):
        raise UsageError(
            "There is a file of that name, and it is no backup.", "Choose another name."
        )
    key = os.urandom(KEY_BYTES)
    wrapped = secrets.wrap_new(key, portable=True)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ksos-") as folder:
            copy = Path(folder) / _STORE_MEMBER
            _copy(store, copy, key)
            _write_backup(Path(folder) / target.name, copy, wrapped)
            (Path(folder) / target.name).replace(target)
            sync_folder(target.parent)
    except OSError as error:
        raise StoreError(
            f"The backup cannot be written: {os.strerror(error.errno or 0)}.",
            "Check the room on the disk and who owns the folder.",
        ) from error
    return target


def restore(
    home: Home, source: Path, secrets: SecretSource, *, wait_s: float = BUSY_WAIT_S
) -> None:
    """Replace the store of a home by a backup, after the backup proved sound; never half.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is no backup.
        StoreError: wrong secret, damaged, newer, or a store in use; the old store is untouched.
    """
    if not is_there(source) or source.is_dir():
        raise NotFoundError("There is no such backup.", "Give the path of a .ksosbackup file.")
    home.create()
    old = _known_key(home)
    writer = FileLock(home.writer_lock)
    writer.take("Another ksos is writing to the store.", wait_s=wait_s)
    try:
        new = swap.prepare(home)
        _unpack(source, new)
        _prove(new, secrets)
        _swap_in(home, wait_s)
    except BaseException:
        swap.abandon(home)
        raise
    finally:
        writer.release()
    if old is not None:
        secrets.forget(old)


def rekey(home: Home, secrets: SecretSource, *, wait_s: float = BUSY_WAIT_S) -> None:
    """Encrypt the store anew with another random key, wrapped by the same secret.

    Raises:
        NotFoundError: there is no store.
        StoreError: wrong secret, no room, or a store in use; the old one is untouched.
    """
    with open_store(home, secrets, create=False, busy_wait_s=wait_s) as store:
        store.claim_writer()
        old = read_key_file(home.key_file)
        key = os.urandom(KEY_BYTES)
        new = swap.prepare(home)
        try:
            _copy(store, new.store_file, key)
            write_key_file(new.key_file, secrets.wrap_like(old, key))
            store.close_database()
            _swap_in(home, wait_s)
        except BaseException:
            swap.abandon(home)
            raise
    secrets.forget(old)


def change_passphrase(
    home: Home, secrets: SecretSource, new_secrets: SecretSource, *, wait_s: float = BUSY_WAIT_S
) -> None:
    """Wrap the same database key by another passphrase or secret file.

    Raises:
        NotFoundError: there is no store.
        StoreError: wrong secret, or no new one; nothing was changed.
    """
    with open_store(home, secrets, create=False, busy_wait_s=wait_s) as store:
        store.claim_writer()
        old = read_key_file(home.key_file)
        write_key_file(home.key_file, new_secrets.wrap_new(secrets.unwrap(old), portable=True))
    secrets.forget(old)


def _known_key(home: Home) -> KeyFile | None:
    try:
        return read_key_file(home.key_file)
    except StoreError:
        return None  # none yet, or damaged: a reason to restore, no hindrance


def _swap_in(home: Home, wait_s: float) -> None:
    alone = hold_alone(home, wait_s)
    try:
        swap.swap_in(home)
    finally:
        alone.release()


def _copy(store: Store, target: Path, key: bytes) -> None:
    copy = Database(target, key)
    try:
        store.database.copy_to(copy)
    finally:
        copy.close()


def _write_backup(target: Path, copy: Path, wrapped: KeyFile) -> None:
    import zipfile

    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w") as archive:  # stored: ciphertext does not compress
            archive.write(copy, _STORE_MEMBER)
            archive.writestr(_KEY_MEMBER, key_file_bytes(wrapped))
        file.flush()
        os.fsync(file.fileno())


def _is_backup(path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist()) == {_STORE_MEMBER, _KEY_MEMBER}
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _unpack(source: Path, new: Home) -> None:
    import zipfile

    broken = (zipfile.BadZipFile, NotImplementedError, EOFError, KeyError, RuntimeError, ValueError)
    try:
        with zipfile.ZipFile(source) as archive:
            _extract(archive, _KEY_MEMBER, new.key_file)
            _extract(archive, _STORE_MEMBER, new.store_file)
    except broken as error:
        raise MalformedError(
            "The file is no backup of ksos, or it is damaged.", "Try an older backup."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The backup cannot be unpacked: {os.strerror(error.errno or 0)}.",
            "Check the room on the disk; the store is untouched.",
        ) from error


def _extract(archive: "zipfile.ZipFile", member: str, target: Path) -> None:
    if archive.getinfo(member).compress_type:  # ours is stored as it is; a bomb is not
        raise ValueError("a compressed member")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "wb") as file, archive.open(member) as packed:
        shutil.copyfileobj(packed, file, _COPY_BYTES)


def _prove(new: Home, secrets: SecretSource) -> None:
    """Open an unpacked store and read all of it."""
    key_file = read_key_file(new.key_file)
    if key_file.holder is Holder.KEYRING:  # its entry may be the old store's, dropped afterwards
        raise MalformedError(
            "The file is no backup of ksos: it leans on a keyring.",
            "Make one with `ksos store backup`.",
        )
    key = secrets.unwrap(key_file)
    database = Database(new.store_file, key)
    try:
        check_not_newer(database)
        findings = integrity_findings(database)
    finally:
        database.close()
    if findings:
        raise StoreError("The backup is damaged.", "Try an older backup; the store is untouched.")
