"""What a link to one watch offers, whatever carries it."""

from typing import Protocol


class Transport(Protocol):
    """An open link with notifications on.

    All methods raise `LinkLostError` once the link is gone and `BluetoothError` for other faults
    of the link; a characteristic that the watch lacks or refuses is a `RefusedError`.
    """

    @property
    def address(self) -> str:
        """Where the other end is; for people, never for logs."""

    @property
    def max_write_bytes(self) -> int:
        """The largest value of one write without response; on GATT the ATT MTU minus 3."""

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        """Write a characteristic. Without response it returns when the link has taken the bytes."""

    async def read_value(self, uuid: str) -> bytes:
        """Read a characteristic."""

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        """Return the next notification as (UUID, value), or None when none comes in time.

        A transport that knows that nothing more will come may return None at once.
        """

    async def close(self) -> None:
        """Let go; harmless when already closed."""
