"""The store of a home: one object that operations hold, and how it is opened."""

import os
from typing import Final, Self

from ksos_link.config import Home, is_there
from ksos_link.errors import NotFoundError, StoreError
from ksos_link.store import swap
from ksos_link.store.archives import ArchivePart
from ksos_link.store.campaigns import CampaignPart
from ksos_link.store.dbapi import BUSY_WAIT_S, KEY_BYTES, Database, touch_owner_only
from ksos_link.store.devices import DevicePart
from ksos_link.store.key_file import read_key_file, write_key_file
from ksos_link.store.keys import SecretSource
from ksos_link.store.locks import FileLock
from ksos_link.store.migrations import SCHEMA_VERSION, check_not_newer, migrate
from ksos_link.store.records import RecordPart
from ksos_link.store.settings import SettingPart
from ksos_link.store.sharing import SharePart
from ksos_link.store.upkeep import UpkeepPart
from ksos_link.store.uploads import UploadPart

_PLAIN_SQLITE: Final = b"SQLite format 3\x00"
_OPEN_ELSEWHERE: Final = "Another ksos has the store open."


class Store(
    ArchivePart,
    CampaignPart,
    DevicePart,
    RecordPart,
    SettingPart,
    SharePart,
    UpkeepPart,
    UploadPart,
):
    """An open store. Many may read at once; the first write makes this the one writer."""

    def __init__(
        self, home: Home, database: Database, presence: FileLock, busy_wait_s: float
    ) -> None:
        super().__init__(home, database, busy_wait_s)
        self._presence = presence
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and give up every lock; closing twice is nothing."""
        self.close_database()
        self._writer.release()

    def close_database(self) -> None:
        """Close the database but stay the one writer, for an exchange of its files."""
        if self._is_open:
            self._is_open = False
            self.database.close()
            self._presence.release()


def open_store(
    home: Home, secrets: SecretSource, *, create: bool = True, busy_wait_s: float = BUSY_WAIT_S
) -> Store:
    """Open the store of a home; make it first where there is none and `create` allows.

    Raises:
        NotFoundError: there is no store and none shall be made.
        StoreError: wrong secret, damaged, newer, in use, or the disk refuses; nothing was changed.
    """
    if create:
        home.create()
    elif not (is_there(home.key_file) or _has_data(home) or swap.is_pending(home)):
        raise NotFoundError("There is no store yet.", "Pair a watch first: ksos watch pair.")
    presence = FileLock(home.open_lock)
    try:
        _settle(home, presence, busy_wait_s)
        if not _has_data(home):
            _create(home, secrets, busy_wait_s)
        database = _open_database(home, secrets, busy_wait_s)
        store = Store(home, database, presence, busy_wait_s)
    except BaseException:
        presence.release()
        raise
    try:
        if check_not_newer(database) < SCHEMA_VERSION:
            store.claim_writer()
            migrate(database)
    except BaseException:
        store.close()
        raise
    return store


def hold_alone(home: Home, wait_s: float) -> FileLock:
    """Lock the store against everybody who would open it, its last exchange finished.

    Raises:
        StoreError: somebody has it open, or the disk refuses.
    """
    lock = FileLock(home.open_lock)
    lock.take(_OPEN_ELSEWHERE, wait_s=wait_s)
    try:
        if swap.is_pending(home):
            swap.finish(home)
    except BaseException:
        lock.release()
        raise
    return lock


def _settle(home: Home, presence: FileLock, wait_s: float) -> None:
    """Take the shared open lock on a home whose last exchange is finished."""
    presence.take(_OPEN_ELSEWHERE, wait_s=wait_s, shared=True)
    while swap.is_pending(home):
        presence.release()
        hold_alone(home, wait_s).release()
        presence.take(_OPEN_ELSEWHERE, wait_s=wait_s, shared=True)


def _create(home: Home, secrets: SecretSource, wait_s: float) -> None:
    """Make key file and empty database; after a crash in between the next try goes on."""
    writer = FileLock(home.writer_lock)
    writer.take("Another ksos is making the store.", wait_s=wait_s)
    try:
        if not is_there(home.key_file):
            key = os.urandom(KEY_BYTES)
            write_key_file(home.key_file, secrets.wrap_new(key))
        if not _has_data(home):
            database = _open_database(home, secrets, wait_s)
            try:
                database.rows("PRAGMA journal_mode = WAL")  # readers never wait for the writer
                migrate(database)
            finally:
                database.close()
    finally:
        writer.release()


def _open_database(home: Home, secrets: SecretSource, busy_wait_s: float) -> Database:
    try:
        with home.store_file.open("rb") as file:
            if file.read(len(_PLAIN_SQLITE)) == _PLAIN_SQLITE:
                raise StoreError(
                    "The file store.db is a plain SQLite database, not a store of ksos.",
                    "Move it away, or choose another home.",
                )
    except FileNotFoundError:
        touch_owner_only(home.store_file)
    except OSError as error:
        raise StoreError("The store cannot be read.", "Check who owns its files.") from error
    key = secrets.unwrap(read_key_file(home.key_file))
    return Database(home.store_file, key, busy_wait_s=busy_wait_s)


def _has_data(home: Home) -> bool:
    """Whether there is a database that holds something; an empty file is one being made."""
    return is_there(home.store_file) and home.store_file.stat().st_size > 0
