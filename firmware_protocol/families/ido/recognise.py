"""Telling an IDO watch by what it advertises (ido.md 2.1)."""

from typing import Final

from firmware_protocol.families.ido.gatt import SERVICE
from firmware_protocol.families.ido.health.decoding import FAMILY_NAME
from firmware_protocol.families.ido.models import model_name
from firmware_protocol.family import Advertisement, Recognised

_ADDRESS_BYTES: Final = 6


def recognise(advertisement: Advertisement) -> Recognised | None:
    """Return what the advertisement gives away, None where it is no watch of this family.

    The service decides. Without it (some builds advertise `FD50`, which others use too) the
    manufacturer data must hold the watch's own address, as it does on every watch seen.
    """
    device_id = _device_id(advertisement)
    if SERVICE not in advertisement.service_uuids and not _tells_own_address(advertisement):
        return None
    return Recognised(FAMILY_NAME, model_name(device_id, advertisement.name), device_id)


def _device_id(advertisement: Advertisement) -> int | None:
    """Return the model: the first two bytes of the data are no company id here."""
    return next(
        (
            device_id
            for device_id, rest in advertisement.manufacturer_data.items()
            if len(rest) >= _ADDRESS_BYTES
        ),
        None,
    )


def _tells_own_address(advertisement: Advertisement) -> bool:
    """Look for the address wherever a layout has it: behind the model, later, or near the end."""
    try:
        address = bytes.fromhex(advertisement.address.replace(":", ""))
    except ValueError:
        return False  # macOS gives an identifier of its own instead of the address
    return len(address) == _ADDRESS_BYTES and any(
        address in rest for rest in advertisement.manufacturer_data.values()
    )
