"""What all virtual bootloaders share: notifications that wait, and a link that they may drop."""

from firmware_protocol.watch_session import WatchSession


class Bootloader(WatchSession):
    """A session without a life of its own; subclasses answer writes.

    After a reset `restarted` is True until whoever carries it has looked: a real one may come back
    under another address or as the application.
    """

    def __init__(self) -> None:
        self._due: list[tuple[str, bytes]] = []
        self._subscribed: set[str] = set()
        self._must_drop = False
        self.restarted = False

    def link_opened(self, now_s: float) -> None:
        """A central connected."""
        self._forget_link()

    def subscribed(self, uuid: str, now_s: float) -> None:
        """Notifications are on."""
        self._subscribed.add(uuid)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """Most characteristics of a bootloader cannot be read."""
        return b""

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Take the notifications that are due."""
        due, self._due = self._due, []
        return due

    def link_lost(self, now_s: float) -> None:
        """The link is gone."""
        self._forget_link()

    @property
    def link_must_drop(self) -> bool:
        """True after a reset."""
        return self._must_drop

    def notify(self, uuid: str, data: bytes) -> None:
        """Queue a notification, where the central subscribed to it."""
        if uuid in self._subscribed:
            self._due.append((uuid, data))

    def reset(self) -> None:
        """Drop the link and start anew."""
        self._must_drop = True
        self.restarted = True

    def _forget_link(self) -> None:
        self._must_drop = False
        self._subscribed.clear()
        self._due.clear()
