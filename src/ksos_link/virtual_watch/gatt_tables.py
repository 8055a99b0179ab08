"""GATT tables of captured watches, as data: what a virtual peripheral offers, and where."""

from dataclasses import dataclass
from typing import Final

from bumble.core import UUID
from bumble.gatt import Characteristic

Properties = Characteristic.Properties

_BASE_UUID: Final = "-0000-1000-8000-00805f9b34fb"
_READ_WRITE: Final = Properties.READ | Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE
_READ_NOTIFY: Final = Properties.READ | Properties.NOTIFY


def _sig(uuid16: int) -> str:
    return f"0000{uuid16:04x}{_BASE_UUID}"


def air_uuid(uuid: str) -> UUID:
    """Return a UUID in the length that goes over the air: 16 bits where it has the base form."""
    short = uuid.startswith("0000") and uuid.endswith(_BASE_UUID)
    return UUID(uuid[4:8] if short else uuid)


@dataclass(frozen=True, slots=True)
class CharacteristicSpec:
    """One characteristic. A notifying one is followed by its CCCD.

    `handle` is that of the value, where a capture shows it.
    """

    uuid: str
    properties: Properties
    handle: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One primary service and its characteristics in order of their handles."""

    uuid: str
    characteristics: tuple[CharacteristicSpec, ...]


@dataclass(frozen=True, slots=True)
class GattTable:
    """All vendor services of a watch, behind the standard 1800 and 1801.

    `att_mtu` is the largest ATT MTU that the watch agrees to, and the one it asks for.
    """

    services: tuple[ServiceSpec, ...]
    att_mtu: int


# ido.md 2.2 and 2.4 (handles and MTU marked C): service 000E-0018, MTU 140. What lies below 000E
# was not recorded; the standard services that bumble brings fill exactly these 13 handles.
IDO_A200: Final = GattTable(
    services=(
        ServiceSpec(
            _sig(0x0AF0),
            (
                CharacteristicSpec(_sig(0x0AF6), _READ_WRITE, 0x0010),
                CharacteristicSpec(_sig(0x0AF7), _READ_NOTIFY, 0x0012),
                CharacteristicSpec(_sig(0x0AF2), _READ_NOTIFY, 0x0015),
                CharacteristicSpec(_sig(0x0AF1), _READ_WRITE, 0x0018),
            ),
        ),
    ),
    att_mtu=140,
)
