"""Every failure a person can meet: one plain message, a hint, an exit code (architecture.md)."""

from typing import ClassVar


class KsosError(Exception):
    """Base of all expected failures. `str(error)` is one sentence; `hint` says what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KsosError):
    """The command line or an argument is wrong."""

    exit_code = 2


class NotFoundError(KsosError):
    """No such watch, record or file."""

    exit_code = 3


class BluetoothError(KsosError):
    """No adapter, no permission, or the link was lost after all retries."""

    exit_code = 4


class LinkLostError(BluetoothError):
    """The link to the watch broke; worth another attempt."""


class MalformedError(KsosError):
    """The watch or a file sent something malformed."""

    exit_code = 5


class RefusedError(KsosError):
    """The watch refused, or stayed silent when asked."""

    exit_code = 6


class UnsupportedError(RefusedError):
    """The watch, or its wire, has no such thing."""


class PreflightError(KsosError):
    """A check before or after writing failed; nothing active was changed."""

    exit_code = 7


class StoreError(KsosError):
    """The store: wrong key, damaged, locked, newer schema, no room."""

    exit_code = 8


class PolicyError(KsosError):
    """Consent or policy forbids it."""

    exit_code = 9
