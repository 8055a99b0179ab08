"""What the parts of a `Store` share: its database, and the right to write to it."""

import contextlib
from collections.abc import Iterator

from ksos_link.config import Home
from ksos_link.store import swap
from ksos_link.store.dbapi import Database
from ksos_link.store.locks import FileLock


class StorePart:
    """The database of a home. A store is a reader until its first write."""

    def __init__(self, home: Home, database: Database, busy_wait_s: float) -> None:
        self.home = home
        self.database = database
        self._busy_wait_s = busy_wait_s
        self._writer = FileLock(home.writer_lock)

    def claim_writer(self) -> None:
        """Become the one writer until `close`; the first write does this by itself.

        Raises:
            StoreError: another program still writes after a short wait.
        """
        if not self._writer.is_held:
            self._writer.take("Another ksos is writing to the store.", wait_s=self._busy_wait_s)
            swap.abandon(self.home)  # a copy that a crash left must not outlive what is erased now

    def release_writer(self) -> None:
        """Let others write; the next write claims it again."""
        self._writer.release()

    @contextlib.contextmanager
    def _writing_briefly(self) -> Iterator[None]:
        """One transaction, after which others may write again if they could before."""
        claimed = self._writer.is_held
        try:
            with self._writing():
                yield
        finally:
            if not claimed:
                self.release_writer()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all that is written meanwhile: all or nothing."""
        with self._writing():
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, or a share of the one that is under way."""
        if self.database.in_transaction:
            yield
            return
        self.claim_writer()
        with self.database.transaction():
            yield
