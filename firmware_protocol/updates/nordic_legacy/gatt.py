"""Where legacy DFU speaks (dfu.md 4.1, V2)."""

from typing import Final

from firmware_protocol.family import GattProfile

_BASE: Final = "0000{}-1212-efde-1523-785feabcd123"
SERVICE: Final = _BASE.format("1530")
CONTROL: Final = _BASE.format("1531")
PACKET: Final = _BASE.format("1532")
REVISION: Final = _BASE.format("1534")
PROFILE: Final = GattProfile(SERVICE, (CONTROL,))
