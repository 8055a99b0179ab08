"""A watch session in this very process, without a radio: what a replayed capture runs on."""

from collections import deque

from firmware_protocol.family import GattProfile
from firmware_protocol.watch_session import WatchSession
from ksos_link.errors import LinkLostError


class MemoryTransport:
    """See `transports.base.Transport`. Nothing comes unless it is there, so no wait ever waits."""

    def __init__(self, session: WatchSession, gatt: GattProfile, address: str) -> None:
        self._session = session
        self._address = address
        self._received: deque[tuple[str, bytes]] = deque()
        self._now_s = 0.0
        self._closed = False
        session.link_opened(self._now_s)
        for uuid in gatt.notify_uuids:
            session.subscribed(uuid, self._now_s)

    @property
    def address(self) -> str:
        """The name that the opener gave."""
        return self._address

    @property
    def max_write_bytes(self) -> int:
        """The largest ATT value (Core specification, Vol 3 Part F 3.2.9)."""
        return 512

    async def write(self, uuid: str, data: bytes, *, with_response: bool) -> None:
        """See `Transport.write`."""
        self._raise_if_closed()
        self._session.receive_write(uuid, data, self._now_s)

    async def read_value(self, uuid: str) -> bytes:
        """See `Transport.read_value`."""
        self._raise_if_closed()
        return self._session.read_value(uuid, self._now_s)

    async def receive(self, timeout_s: float) -> tuple[str, bytes] | None:
        """See `Transport.receive`. None means that the session has nothing more to say."""
        self._raise_if_closed()
        self._received += self._session.data_to_send()
        if self._received:
            return self._received.popleft()
        self._now_s += timeout_s
        return None

    async def close(self) -> None:
        """See `Transport.close`."""
        if not self._closed:
            self._closed = True
            self._session.link_lost(self._now_s)

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise LinkLostError("The link to the watch is closed.")
