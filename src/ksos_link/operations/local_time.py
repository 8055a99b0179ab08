"""The wearer's time: what this machine's clock and calendar say; and instants in writing."""

from datetime import UTC, datetime


def local_now() -> datetime:
    """This machine's time, aware."""
    return datetime.now().astimezone()


def utc_text(utc_s: int) -> str:
    """A stored instant as UTC in ISO 8601."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
