"""The firmware transports there are, by the names that images give."""

from typing import Final

from firmware_protocol.updates import nordic_legacy, nordic_secure, realtek, smp
from firmware_protocol.updates.transport import UpdateTransport

TRANSPORTS: Final[tuple[UpdateTransport, ...]] = (
    nordic_secure.TRANSPORT,
    nordic_legacy.TRANSPORT,
    smp.TRANSPORT,
    realtek.TRANSPORT,
)


def transport_named(name: str) -> UpdateTransport | None:
    """Return a transport, or None where there is none of that name."""
    return next((transport for transport in TRANSPORTS if transport.name == name), None)
