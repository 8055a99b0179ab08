"""What happened, in daily files under the home; never what was measured, said or typed (K091).

One line per event: time, level, category and a few words. Every line passes the masks of
`redaction`, and a log that cannot be written never fails the job that it tells of.
"""

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from ksos_link.config import OWNER_ONLY_FILE, Home, create_folder
from ksos_link.errors import KsosError
from ksos_link.redaction import RedactingFormatter

LOGGER: Final = "ksos_link"
KEPT_DAYS: Final = 7
# what these say shows addresses and payloads, to a log or, without one, to stderr
CHATTY: Final = (
    *("bleak", "bleak_retry_connector", "bumble", "dbus_fast", "desktop_notifier"),
    *("mqtt", "stravalib", "urllib3"),
)
_NAME: Final = re.compile(r"ksos-(\d{4}-\d\d-\d\d)\.log")
_LINE: Final = "%(asctime)s %(levelname)s %(message)s"
_TIME: Final = "%Y-%m-%dT%H:%M:%S%z"


@contextlib.contextmanager
def open_logbook(
    home: Home | None, today: date, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Keep what `ksos_link`'s loggers say in today's file of the home, and give it to `tell` too.

    Files older than a week go. Without a home there is no file.
    """
    logger = logging.getLogger(LOGGER)
    handlers: list[logging.Handler] = [logging.NullHandler()]  # else warnings go to stderr as is
    if home is not None:
        handlers += _file_handlers(home.logs_folder, today)
    if tell is not None:
        handlers.append(_Teller(tell))
    for handler in handlers:
        logger.addHandler(handler)
    level, propagates = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagates
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def silence_libraries() -> None:
    """Keep the libraries that speak to radios and receivers from logging anything anywhere."""
    for name in CHATTY:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


class _File(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in the stubs
    """Today's file."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY_FILE)
        super().__init__(os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace"))
        self.setLevel(logging.INFO)
        self.setFormatter(RedactingFormatter(_LINE, _TIME))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 logging's name
        """A full disk is the job's affair, not the log's."""

    def close(self) -> None:
        """See `logging.Handler.close`."""
        with contextlib.suppress(OSError):
            self.stream.close()
        super().close()


class _Teller(logging.Handler):
    """What `--verbose` shows."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell
        self.setFormatter(RedactingFormatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        self._tell(self.format(record))


def _file_handlers(folder: Path, today: date) -> list[logging.Handler]:
    try:
        create_folder(folder)
        _remove_old(folder, today)
        return [_File(folder / f"ksos-{today.isoformat()}.log")]
    except (KsosError, OSError):
        return []


def _remove_old(folder: Path, today: date) -> None:
    for path in folder.iterdir():
        found = _NAME.fullmatch(path.name)
        with contextlib.suppress(OSError, ValueError):
            if found and (today - date.fromisoformat(found[1])).days > KEPT_DAYS:
                path.unlink()
