"""The wearer's time: what this machine's clock and calendar say."""

from datetime import datetime


def local_now() -> datetime:
    """This machine's time, aware."""
    return datetime.now().astimezone()
