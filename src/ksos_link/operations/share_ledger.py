"""The words with which the ledger says how a share ended, and what it lists (K083, K129)."""

from datetime import UTC, datetime
from typing import Final

from ksos_link.errors import UsageError
from ksos_link.store.database import Store
from ksos_link.store.sharing import Share

BEGUN: Final = "begun"  # the program ended before it knew more
SENT: Final = "sent"
ALREADY_THERE: Final = "already there"
REFUSED: Final = "refused"
DRAFTED: Final = "written as a draft"
UNKNOWN: Final = "unknown"  # it left, and nobody said that it arrived


def shares_of_year(store: Store | None, year: int | None) -> list[Share]:
    """What was shared in a calendar year of UTC, or ever.

    Raises:
        UsageError: a year that no calendar has.
    """
    if store is None:
        return []
    if year is None:
        return store.shares()
    try:
        first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise UsageError("There is no such year.") from error
    return store.shares(int(first.timestamp()), int(last.timestamp()))
