"""The steps that bring a store from any released schema to ours. A released step is never edited.

Each step and the number of its schema are one transaction.

A sample's row names the raw record that it came from, as part of its key: what a store holds is
then a function of its raw records alone. Where two records give the same instant, the later
record counts (`samples.py`). There is no foreign key on it, because a child key without an index
of its own makes each replaced record scan whole tables; `Store.check` looks for strays instead.
"""

from collections.abc import Callable
from typing import Final

from ksos_link.errors import StoreError
from ksos_link.store.dbapi import Database
from ksos_link.store.schemas import (
    CAMPAIGN_SCHEMA,
    FIRST_SCHEMA,
    FURTHER_METRICS_SCHEMA,
    SETTINGS_SCHEMA,
    SHARING_SCHEMA,
    UPLOAD_SCHEMA,
)


def _adds(schema: str) -> Callable[[Database], None]:
    """The step that runs the statements of a schema."""

    def step(database: Database) -> None:
        for statement in schema.split(";"):
            database.rows(statement)

    return step


_STEPS: Final[tuple[Callable[[Database], None], ...]] = (
    _adds(FIRST_SCHEMA),
    _adds(SETTINGS_SCHEMA),
    _adds(CAMPAIGN_SCHEMA),
    _adds(UPLOAD_SCHEMA),
    _adds(FURTHER_METRICS_SCHEMA),
    _adds(SHARING_SCHEMA),
)
SCHEMA_VERSION: Final = len(_STEPS)


def schema_version(database: Database) -> int:
    """Return the number of the schema that a store has; 0 while it is empty."""
    row = database.row("PRAGMA user_version")
    return int(row[0]) if row else 0


def check_not_newer(database: Database) -> int:
    """Return the schema's number.

    Raises:
        StoreError: it is newer than this program; nothing was touched.
    """
    version = schema_version(database)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The store was written by a newer ksos (schema {version}, this one knows "
            f"{SCHEMA_VERSION}).",
            "Install the newer ksos-link; nothing was changed.",
        )
    return version


def migrate(database: Database) -> None:
    """Bring a store to the newest schema, one transaction a step.

    Raises:
        StoreError: it is newer than this program, or cannot be written.
    """
    while check_not_newer(database) < SCHEMA_VERSION:
        with database.transaction():
            version = schema_version(database)  # again: another program may have been first
            if version < SCHEMA_VERSION:
                _STEPS[version](database)
                database.rows(f"PRAGMA user_version = {version + 1}")
