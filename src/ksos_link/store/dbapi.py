"""The only door to sqlcipher3: one connection, and every error of the engine as a `StoreError`."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from firmware_protocol.samples import Value
from ksos_link.config import OWNER_ONLY_FILE
from ksos_link.errors import StoreError

Parameter = Value | bytes
Row = tuple[Any, ...]  # what a column holds is known to the query, not to the type checker

KEY_BYTES: Final = 32
BUSY_WAIT_S: Final = 5.0  # a commit takes milliseconds; whoever holds the file longer is at work
_PRAGMAS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",  # a sort that spills must not write plaintext
    # a watch forgets a record once we said that we have it: a commit must survive a power cut
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # the same on macOS, where fsync alone does not reach the disk
    "PRAGMA journal_size_limit = 8388608",
)

# primary result codes of SQLite
_READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 8, 10, 11, 13, 14, 26
_BUSY, _LOCKED = 5, 6
_MESSAGES: Final = {
    _BUSY: (
        "Another ksos is writing to the store.",
        "Wait until it has ended, then run this again.",
    ),
    _READONLY: ("The store cannot be written.", "Check who owns its folder and the file system."),
    _IOERR: (
        "The disk failed or is full; nothing was changed.",
        "Make room, check the disk, then run this again.",
    ),
    _CORRUPT: (
        "The store is damaged.",
        "`ksos store check` says where; `ksos store restore` brings back a backup.",
    ),
    _FULL: ("The disk is full; nothing was changed.", "Make room, then run this again."),
    _CANTOPEN: (
        "The store cannot be opened.",
        "Check that its folder exists and that you may write there.",
    ),
    _NOTADB: (
        "The store's file is damaged, or belongs to another key file.",
        "`ksos store restore` brings back a backup.",
    ),
}
_MESSAGES[_LOCKED] = _MESSAGES[_BUSY]


class Database:
    """One open, keyed connection. Use it from the thread that opened it."""

    def __init__(self, path: Path, key: bytes, *, busy_wait_s: float = BUSY_WAIT_S) -> None:
        """Open or make an encrypted database file; a new one is readable to its owner only.

        Raises:
            StoreError: it cannot be opened, or this is not its key.
        """
        from sqlcipher3 import dbapi2  # 7 ms that commands without a store do not pay

        if len(key) != KEY_BYTES:  # any other length would be stretched as if it were a passphrase
            raise ValueError("a database key has 32 bytes")
        self._error: type[Exception] = dbapi2.Error
        self._connection: Any = None
        with self._told():
            touch_owner_only(path)
            self._connection = dbapi2.connect(
                str(path), timeout=busy_wait_s, isolation_level=None, cached_statements=256
            )
        try:
            self.rows("PRAGMA cipher_log_level = NONE")  # its words would go to stderr
            self._connection.set_key(b"x'" + key.hex().encode() + b"'")  # never traced, unlike SQL
            for pragma in _PRAGMAS:
                self.rows(pragma)
            self.rows("SELECT count(*) FROM sqlite_schema")  # the first read proves the key
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; what was not committed is dropped."""
        with self._told():
            self._connection.close()

    def rows(self, sql: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        with self._told():
            rows: list[Row] = self._connection.execute(sql, parameters).fetchall()
            return rows

    def row(self, sql: str, parameters: Sequence[Parameter] = ()) -> Row | None:
        """Run one statement and return its first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def chunks(self, sql: str, parameters: Sequence[Parameter], size: int) -> Iterator[list[Row]]:
        """Run one query and give its rows in lists of at most `size`."""
        with self._told():
            cursor = self._connection.execute(sql, parameters)
        try:
            while True:
                with self._told():
                    rows: list[Row] = cursor.fetchmany(size)
                if not rows:
                    return
                yield rows
        finally:
            with contextlib.suppress(self._error):  # a reader may outlive the store
                cursor.close()

    def insert(self, sql: str, parameters: Sequence[Parameter]) -> int:
        """Insert one row and return its row id."""
        with self._told():
            row_id: int = self._connection.execute(sql, parameters).lastrowid
            return row_id

    def change(self, sql: str, parameters: Sequence[Parameter] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        with self._told():
            changed: int = self._connection.execute(sql, parameters).rowcount
            return changed

    def change_many(self, sql: str, rows: Iterable[Sequence[Parameter]]) -> None:
        """Run one statement for each row of parameters."""
        with self._told():
            self._connection.executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        with self._told():
            return bool(self._connection.in_transaction)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. The write lock is taken at the start, so that no work is done in vain."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have ended it already
                self.rows("ROLLBACK")
            raise

    def copy_to(self, other: "Database") -> None:
        """Copy one consistent state into `other`, which keeps its own key."""
        with self._told():
            self._connection.backup(other._connection)  # noqa: SLF001 the same class

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            message, hint = _MESSAGES.get(
                code,
                (f"The store refused: {error}.", "This is a bug of ours; please report it."),
            )
            raise StoreError(message, hint) from error
        except OSError as error:
            raise StoreError(
                f"The store cannot be opened: {os.strerror(error.errno or 0)}.",
                "Check who owns its folder and the file system.",
            ) from error


def touch_owner_only(path: Path) -> None:
    """Make an empty file that only its owner may read, unless there is one.

    SQLite gives its journals the rights of the database file.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY_FILE))
