"""Where Nordic Secure DFU speaks (dfu.md 3.1, V2)."""

from typing import Final

from firmware_protocol.family import GattProfile

SERVICE: Final = "0000fe59-0000-1000-8000-00805f9b34fb"
_BASE: Final = "8ec9{}-f315-4f60-9fb8-838830daea50"
CONTROL_POINT: Final = _BASE.format("0001")  # of the loader: write, notify
PACKET: Final = _BASE.format("0002")  # of the loader: write without response
BUTTONLESS: Final = _BASE.format("0003")  # of the application: write, indicate
BUTTONLESS_BONDED: Final = _BASE.format("0004")  # the same where the host is bonded

LOADER: Final = GattProfile(SERVICE, (CONTROL_POINT,))
ENTRY: Final = GattProfile(SERVICE, (BUTTONLESS,))
ENTRY_BONDED: Final = GattProfile(SERVICE, (BUTTONLESS_BONDED,))
