"""When a lost link deserves another attempt. Pure: a function of the error and the attempt."""

from typing import Final

from ksos_link.errors import KsosError, LinkLostError

MAX_ATTEMPTS: Final = 5  # links of one job; each goes on from what is already stored
FIRST_BACKOFF_S: Final = 0.25  # lets the host's own stack finish its disconnect first
LONGEST_BACKOFF_S: Final = 4.0  # a controller frees its connection slot some seconds after close
_MOST_DOUBLINGS: Final = 10  # an absence of days must not overflow


def backoff_s(error: KsosError, attempt: int) -> float | None:
    """Return the wait before the next attempt, or None to give up. `attempt` counts from 1."""
    if attempt >= MAX_ATTEMPTS or not isinstance(error, LinkLostError):
        return None
    return wait_before_s(attempt - 1)


def wait_before_s(lost: int) -> float:
    """How long to wait for a link after `lost` attempts in a row that came to nothing."""
    doublings = min(lost, _MOST_DOUBLINGS)
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**doublings)
