"""Nordic Secure DFU (dfu.md 3): the companion's side, and a virtual bootloader."""

from typing import Final

from firmware_protocol.family import Advertisement
from firmware_protocol.updates.nordic_secure import gatt
from firmware_protocol.updates.nordic_secure.buttonless import ButtonlessDialect
from firmware_protocol.updates.nordic_secure.dialect import NAME, SecureDialect
from firmware_protocol.updates.nordic_secure.loader import NordicSecureLoader
from firmware_protocol.updates.transport import Entry, UpdateTransport, addresses_beside


def _is_loader(seen: Advertisement) -> bool:
    return gatt.SERVICE in seen.service_uuids


TRANSPORT: Final = UpdateTransport(
    name=NAME,
    title="Nordic Secure DFU",
    gatt=gatt.LOADER,
    open_dialect=SecureDialect,
    open_loader=NordicSecureLoader,
    leaves_application=True,
    is_loader=_is_loader,
    loader_addresses=addresses_beside,
    entries=(
        Entry(gatt.ENTRY, lambda _: ButtonlessDialect(gatt.BUTTONLESS)),
        Entry(gatt.ENTRY_BONDED, lambda _: ButtonlessDialect(gatt.BUTTONLESS_BONDED), bond=True),
    ),
)
