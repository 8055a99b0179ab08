"""The families we speak, in an explicit tuple, and how to find the one for a watch."""

from typing import Final

from firmware_protocol.families import ido
from firmware_protocol.family import Advertisement, Family, Recognised

FAMILIES: Final[tuple[Family, ...]] = (ido.FAMILY,)


def family_named(name: str) -> Family | None:
    """Return the family of that name, or None."""
    return next((family for family in FAMILIES if family.name == name), None)


def recognise(advertisement: Advertisement) -> Recognised | None:
    """Return what the first family that knows this advertisement makes of it."""
    for family in FAMILIES:
        if found := family.recognise(advertisement):
            return found
    return None
