"""Where a Realtek watch speaks of updates (dfu.md 5.1)."""

from typing import Final

from firmware_protocol.family import GattProfile

_VENDOR: Final = "0000{:04x}-3c17-d293-8e48-14fe2e4da212"
_SIG: Final = "0000{:04x}-0000-1000-8000-00805f9b34fb"

INFORMATION_SERVICE: Final = _VENDOR.format(0xD0FF)
DEVICE_INFO: Final = _SIG.format(0xFFF1)
PROTOCOL_TYPE: Final = _SIG.format(0xFFF3)
SERVICE: Final = _VENDOR.format(0x6287)
DATA: Final = _VENDOR.format(0x6387)
CONTROL: Final = _VENDOR.format(0x6487)

GATT: Final = GattProfile(service_uuid=SERVICE, notify_uuids=(CONTROL,))
