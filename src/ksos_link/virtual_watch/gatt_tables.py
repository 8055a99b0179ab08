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

    `att_mtu` is the largest ATT MTU that the watch agrees to, and with `asks_for_mtu` the one that
    it asks for.
    """

    services: tuple[ServiceSpec, ...]
    att_mtu: int
    asks_for_mtu: bool = False


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
    asks_for_mtu=True,  # ido.md 2.4, C
)

_WRITE_BLIND: Final = Properties.WRITE_WITHOUT_RESPONSE
_WRITE_NOTIFY: Final = Properties.WRITE | Properties.NOTIFY
_MTU_WITH_DATA_LENGTH: Final = 247  # what fills one link-layer packet of 251 bytes

# dfu.md 3.1: the service of the bootloader
_SECURE: Final = "8ec9{}-f315-4f60-9fb8-838830daea50"
NORDIC_SECURE_LOADER: Final = GattTable(
    services=(
        ServiceSpec(
            _sig(0xFE59),
            (
                CharacteristicSpec(_SECURE.format("0001"), _WRITE_NOTIFY),
                CharacteristicSpec(_SECURE.format("0002"), _WRITE_BLIND),
            ),
        ),
    ),
    att_mtu=_MTU_WITH_DATA_LENGTH,
)
# dfu.md 3.2: an application with the buttonless entry
IDO_BUTTONLESS: Final = GattTable(
    services=(
        *IDO_A200.services,
        ServiceSpec(
            _sig(0xFE59),
            (CharacteristicSpec(_SECURE.format("0003"), Properties.WRITE | Properties.INDICATE),),
        ),
    ),
    att_mtu=_MTU_WITH_DATA_LENGTH,
)
# dfu.md 4.1
_LEGACY: Final = "0000{}-1212-efde-1523-785feabcd123"
NORDIC_LEGACY_LOADER: Final = GattTable(
    services=(
        ServiceSpec(
            _LEGACY.format("1530"),
            (
                CharacteristicSpec(_LEGACY.format("1531"), _WRITE_NOTIFY),
                CharacteristicSpec(_LEGACY.format("1532"), _WRITE_BLIND),
                CharacteristicSpec(_LEGACY.format("1534"), Properties.READ),
            ),
        ),
    ),
    att_mtu=_MTU_WITH_DATA_LENGTH,
)
# dfu.md 6.1, beside the service of the application
IDO_SMP: Final = GattTable(
    services=(
        *IDO_A200.services,
        ServiceSpec(
            "8d53dc1d-1db7-4cd3-868b-8a527460aa84",
            (
                CharacteristicSpec(
                    "da2e7828-fbce-4e01-ae9e-261174997c48", _WRITE_BLIND | Properties.NOTIFY
                ),
            ),
        ),
    ),
    att_mtu=_MTU_WITH_DATA_LENGTH,
)
# dfu.md 5.1: the DFU service seen in normal mode means silent OTA
_REALTEK: Final = "0000{}-3c17-d293-8e48-14fe2e4da212"
IDO_REALTEK: Final = GattTable(
    services=(
        *IDO_A200.services,
        ServiceSpec(
            _REALTEK.format("d0ff"),
            (
                CharacteristicSpec(_sig(0xFFD1), _WRITE_BLIND),
                CharacteristicSpec(_sig(0xFFD2), Properties.READ),
                CharacteristicSpec(_sig(0xFFD3), Properties.READ),
                CharacteristicSpec(_sig(0xFFD4), Properties.READ),
                CharacteristicSpec(_sig(0xFFE0), Properties.READ),
                CharacteristicSpec(_sig(0xFFF1), Properties.READ),
                CharacteristicSpec(_sig(0xFFF3), Properties.READ),
            ),
        ),
        ServiceSpec(
            _REALTEK.format("6287"),
            (
                CharacteristicSpec(_REALTEK.format("6387"), _WRITE_BLIND),
                CharacteristicSpec(_REALTEK.format("6487"), _WRITE_NOTIFY),
            ),
        ),
    ),
    att_mtu=_MTU_WITH_DATA_LENGTH,
)
TABLES: Final = {  # by the names that `OnAir.table` takes
    "ido": IDO_A200,
    "ido-smp": IDO_SMP,
    "ido-realtek": IDO_REALTEK,
    "ido-buttonless": IDO_BUTTONLESS,
    "nordic-secure-loader": NORDIC_SECURE_LOADER,
    "nordic-legacy-loader": NORDIC_LEGACY_LOADER,
}
