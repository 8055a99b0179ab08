"""Where an SMP server speaks (dfu.md 6.1)."""

from typing import Final

from firmware_protocol.family import GattProfile

SERVICE: Final = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
CHARACTERISTIC: Final = "da2e7828-fbce-4e01-ae9e-261174997c48"  # written and notified

GATT: Final = GattProfile(service_uuid=SERVICE, notify_uuids=(CHARACTERISTIC,))
