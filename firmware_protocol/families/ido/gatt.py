"""Where an IDO watch speaks (ido.md 2.2, rows marked L)."""

from typing import Final

from firmware_protocol.family import GattProfile

_BASE: Final = "0000{:04x}-0000-1000-8000-00805f9b34fb"

SERVICE: Final = _BASE.format(0x0AF0)
COMMAND_WRITE: Final = _BASE.format(0x0AF6)
COMMAND_NOTIFY: Final = _BASE.format(0x0AF7)
HEALTH_WRITE: Final = _BASE.format(0x0AF1)
HEALTH_NOTIFY: Final = _BASE.format(0x0AF2)

GATT: Final = GattProfile(
    service_uuid=SERVICE,
    notify_uuids=(COMMAND_NOTIFY, HEALTH_NOTIFY),
)
