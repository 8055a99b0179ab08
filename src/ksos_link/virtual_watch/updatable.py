"""A virtual watch with changing firmware: an application, and a loader beside or behind it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.updates.loader import Flash, LoaderSession, firmware_mark
from firmware_protocol.updates.registry import TRANSPORTS, transport_named
from firmware_protocol.updates.transport import UpdateTransport
from firmware_protocol.watch_session import OnAir, WatchSession, WatchTraits
from ksos_link.errors import UsageError
from ksos_link.virtual_watch.gatt_tables import IDO_A200

_APPLICATION_UUIDS: Final = frozenset(
    spec.uuid for service in IDO_A200.services for spec in service.characteristics
)
_LOADER_NAME: Final = "DfuTarg"  # as Nordic's own bootloaders are called
_NO_UPDATE_MODE: Final = "no_update_mode"  # an option of the IDO watch
_BUTTONLESS: Final = "8ec90003-f315-4f60-9fb8-838830daea50"  # dfu.md 3.1
_ENTER, _ENTER_ANSWER, _ENTERED, _UNKNOWN = 0x01, 0x20, 0x01, 0x02  # dfu.md 3.2, 3.4
_LOADERS: Final[Mapping[int, str]] = {  # ido.md 11.1; the other platforms take D1 or nothing
    0: "nordic-secure",
    1: "smp",
    10: "realtek",
}


def updatable_watch(
    application: WatchSession, on_air: OnAir, traits: WatchTraits, loader: str | None = None
) -> "UpdatableWatch":
    """Give an application the loader of its platform, or the one that is named.

    Raises:
        UsageError: there is no such loader, or it needs an extra that is not installed.
    """
    name = loader or _LOADERS.get(-1 if traits.platform is None else traits.platform, "")
    transport = transport_named(name)
    if loader and transport is None:
        names = ", ".join(each.name for each in TRANSPORTS)
        raise UsageError(f"There is no loader {loader!r}.", f"Choose one of {names}.")
    version = traits.firmware_version or 0
    flash = Flash(firmware_mark(version), version)
    if transport is not None and _NO_UPDATE_MODE in traits.options:
        on_air = replace(on_air, table="ido-buttonless")
    try:
        return UpdatableWatch(application, on_air, flash, transport)
    except LocalProtocolError as error:  # a loader whose library is not installed
        raise UsageError(f"This virtual watch cannot be opened: {error}.") from None


class UpdatableWatch(WatchSession):
    """Carries the application, and a loader where the platform has one, as one watch.

    `flash` is the truth about its firmware: tests look there. A power cut is `restart`.
    """

    def __init__(
        self,
        application: WatchSession,
        on_air: OnAir,
        flash: Flash,
        transport: UpdateTransport | None,
    ) -> None:
        self.flash = flash
        self._application = application
        self._application_on_air = on_air
        self._transport = transport
        self._loader: LoaderSession | None = transport.open_loader(flash) if transport else None
        self._in_loader = False
        self._runs = flash.firmware_version
        self._leaves = False  # told so at the buttonless service
        self._indications: list[tuple[str, bytes]] = []

    @property
    def on_air(self) -> OnAir:
        """See `WatchSession.on_air`; a loader is found one address further (dfu.md 3.2)."""
        application = self._application_on_air
        if self._transport is None:
            return application
        if not self._transport.leaves_application:
            return replace(application, table=f"ido-{self._transport.name}")
        if not self._in_loader:
            return application
        head, last = application.address[:-2], int(application.address[-2:], 16)
        return OnAir(
            address=f"{head}{(last + 1) & 0xFF:02X}",
            name=_LOADER_NAME,
            service_uuids=(self._transport.gatt.service_uuid,),
            table=f"{self._transport.name}-loader",
        )

    @property
    def link_must_drop(self) -> bool:
        """See `WatchSession.link_must_drop`."""
        return self._leaves or any(session.link_must_drop for session in self._running())

    def link_opened(self, now_s: float) -> None:
        """See `WatchSession.link_opened`."""
        for session in self._running():
            session.link_opened(now_s)

    def subscribed(self, uuid: str, now_s: float) -> None:
        """See `WatchSession.subscribed`."""
        if uuid != _BUTTONLESS:
            self._owner(uuid).subscribed(uuid, now_s)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """See `WatchSession.receive_write`."""
        if uuid != _BUTTONLESS:
            self._owner(uuid).receive_write(uuid, data, now_s)
            return
        self._leaves = data == bytes([_ENTER])
        result = _ENTERED if self._leaves else _UNKNOWN
        self._indications.append((uuid, bytes((_ENTER_ANSWER, *data[:1], result))))

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """See `WatchSession.read_value`."""
        return self._owner(uuid).read_value(uuid, now_s)

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """See `WatchSession.data_to_send`."""
        indications, self._indications = self._indications, []
        told = [each for session in self._running() for each in session.data_to_send()]
        return [*told, *indications]

    def link_lost(self, now_s: float) -> None:
        """See `WatchSession.link_lost`; this is also when the watch changes its firmware."""
        leaves = self._leaves or self._application.wants_loader
        image = self._application.installed
        self._leaves = False
        self._indications.clear()
        for session in self._running():
            session.link_lost(now_s)
        if image is not None:
            self.flash.install(image)
        if leaves and not self._in_loader:
            self._application.restart(now_s)
            self._in_loader = True
            return
        self._boot(now_s, restarts=image is not None)

    def restart(self, now_s: float) -> None:
        """See `WatchSession.restart`: a power cut, whatever was under way."""
        for session in self._running():
            session.restart(now_s)
        self._boot(now_s, restarts=False)

    @property
    def gestures(self) -> tuple[str, ...]:
        """See `WatchSession.gestures`."""
        return self._application.gestures

    def make(self, gesture: str, now_s: float) -> None:
        """See `WatchSession.make`; nobody answers in the loader."""
        if not self._in_loader:
            self._application.make(gesture, now_s)

    def settings_held(self) -> dict[str, bytes]:
        """See `WatchSession.settings_held`."""
        return self._application.settings_held()

    def take_shown(self) -> list[str]:
        """See `WatchSession.take_shown`."""
        return self._application.take_shown()

    def _boot(self, now_s: float, *, restarts: bool) -> None:
        """Start what the flash holds, where the loader does not wait for something better."""
        if not self.flash.boots:
            self._in_loader = True
            return
        if self._in_loader and self._loader is not None and self._loader.stays:
            return
        if self._in_loader or restarts or self._runs != self.flash.firmware_version:
            self._application.restart(now_s)
            self._application.starts_with(self.flash.firmware_version)
        self._in_loader = False
        self._runs = self.flash.firmware_version

    def _running(self) -> list[WatchSession]:
        if self._loader is None or self._transport is None:
            return [self._application]
        if self._transport.leaves_application:
            return [self._loader if self._in_loader else self._application]
        return [self._application, self._loader]

    def _owner(self, uuid: str) -> WatchSession:
        running = self._running()
        return running[0] if len(running) == 1 or uuid in _APPLICATION_UUIDS else running[1]
