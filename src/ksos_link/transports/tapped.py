"""A link that tells of every packet: what a recording and a measurement listen to."""

from collections.abc import Callable

from firmware_protocol.family import Direction
from ksos_link.transports.base import Transport

# direction, UUID of the characteristic, value; told before a write goes out
Tap = Callable[[Direction, str, bytes], None]


class TappedTransport:
    """Passes everything on. See `transports.base.Transport`."""

    def __init__(self, link: Transport, tap: Tap) -> None:
        self._link = link
        self._tap = tap

    @property
    def address(self) -> str:
        """See `Transport.address`."""
        return self._link.address

    @property
    def max_write_bytes(self) -> int:
        """See `Transport.max_write_bytes`."""
        return self._link.max_write_bytes

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        """See `Transport.write`."""
        self._tap("TX", uuid, data)
        await self._link.write(uuid, data, with_response=with_response)

    async def read_value(self, uuid: str) -> bytes:
        """See `Transport.read_value`."""
        value = await self._link.read_value(uuid)
        self._tap("RX", uuid, value)
        return value

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        """See `Transport.receive`."""
        received = await self._link.receive(timeout_s)
        if received is not None:
            self._tap("RX", *received)
        return received

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._link.close()
