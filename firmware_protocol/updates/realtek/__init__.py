"""Realtek DFU (dfu.md 5): the watch takes images beside its application, into its other bank.

*Provisional* as a whole: the layouts come from device-side sources, no log of a whole transfer was
ever published, and nothing of it was tried on a watch.
"""

from typing import Final

from firmware_protocol.family import Advertisement
from firmware_protocol.images.realtek import TRANSPORT as NAME
from firmware_protocol.updates.realtek.dialect import UNPROVEN, RealtekDialect
from firmware_protocol.updates.realtek.gatt import GATT, INFORMATION_SERVICE, SERVICE
from firmware_protocol.updates.realtek.loader import RealtekLoader
from firmware_protocol.updates.transport import UpdateTransport, same_address

_LOADER_NAME: Final = "BeeTgt"  # 5.1
_GAP_S: Final = 10.0  # 9: between images


def is_loader(advertisement: Advertisement) -> bool:
    """Whether it advertises as in the normal update mode, or with one of the services (5.1)."""
    services = advertisement.service_uuids & {SERVICE, INFORMATION_SERVICE}
    return advertisement.name == _LOADER_NAME or bool(services)


TRANSPORT: Final = UpdateTransport(
    name=NAME,
    title="Realtek DFU",
    gatt=GATT,
    open_dialect=RealtekDialect,
    open_loader=RealtekLoader,
    leaves_application=False,
    is_loader=is_loader,
    loader_addresses=same_address,
    pause_between_parts_s=_GAP_S,
    provisional=UNPROVEN,
)
