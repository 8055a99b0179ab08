"""Days as people name them on a command line."""

from datetime import date, timedelta
from typing import Annotated

import typer

from ksos_link.errors import UsageError
from ksos_link.operations.local_time import local_now

METAVAR = "DAY"
Day = Annotated[
    str | None, typer.Option(metavar=METAVAR, help="One local day: 2026-01-31, today, yesterday.")
]
FirstDay = Annotated[str | None, typer.Option("--from", metavar=METAVAR, help="First local day.")]
LastDay = Annotated[str | None, typer.Option("--to", metavar=METAVAR, help="Last local day.")]


def day_from(text: str | None, option: str) -> date | None:
    """Read the day that an option names; None stays None.

    Raises:
        UsageError: it names none.
    """
    if text is None:
        return None
    today = local_now().date()
    if text.lower() in ("today", "yesterday"):
        return today - timedelta(days=text.lower() == "yesterday")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text} is no day.", f"Write it as {today.isoformat()}, today or yesterday."
        ) from error
