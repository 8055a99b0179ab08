"""Nordic legacy DFU (dfu.md 4), also that of InfiniTime."""

from typing import Final

from firmware_protocol.family import Advertisement
from firmware_protocol.updates.nordic_legacy import gatt
from firmware_protocol.updates.nordic_legacy.dialect import NAME, LegacyDialect
from firmware_protocol.updates.nordic_legacy.loader import LegacyLoader
from firmware_protocol.updates.transport import Entry, UpdateTransport, addresses_beside

__all__ = ["TRANSPORT"]


def _is_loader(seen: Advertisement) -> bool:
    return gatt.SERVICE in seen.service_uuids


TRANSPORT: Final = UpdateTransport(
    name=NAME,
    title="Nordic legacy DFU",
    gatt=gatt.PROFILE,
    open_dialect=LegacyDialect,
    open_loader=LegacyLoader,
    leaves_application=True,
    is_loader=_is_loader,
    loader_addresses=addresses_beside,
    entries=(Entry(gatt.PROFILE, LegacyDialect),),
)
