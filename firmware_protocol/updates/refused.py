"""Firmware transports that are told by what they show on the air, and that are not spoken here.

Cypress and SiFli show nothing that is known: only what a watch says of its platform names them, or
the file (`firmware_protocol.images.strangers`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SIG: Final = "0000{}-0000-1000-8000-00805f9b34fb"
_ONLY_ITS_SIGN: Final = "no more than its service is known"


@dataclass(frozen=True, slots=True)
class RefusedTransport:
    """A scheme, its marks, and why it is refused.

    A UUID begins with one of `uuids` (lower case; of some schemes only the beginning is known).
    `names` are what its loader advertises as. `rows` are the reference's.
    """

    name: str
    title: str
    reason: str
    uuids: tuple[str, ...]
    rows: str
    names: tuple[str, ...] = ()


REFUSED: Final = (
    RefusedTransport(
        "telink",
        "Telink OTA",
        "only its packets are known, not how it verifies, starts or refuses an image",
        (
            "00010203-0405-0607-0809-0a0b0c0d1912",
            "00010203-0405-0607-0809-0a0b0c0d2b12",
        ),
        "dfu.md 8.3, ido.md 11.1",
        ("tlwota",),
    ),
    RefusedTransport(
        "jieli",
        "JieLi RCSP OTA",
        "its files are bound to the key of one chip, and a wrong one leaves a dead watch",
        (_SIG.format("ae00"), _SIG.format("ae30")),
        "dfu.md 7",
        ("JLOTA",),
    ),
    RefusedTransport(
        "freqchip",
        "Freqchip FRK",
        "how one must authenticate before it erases its flash is not known",
        ("02f00000-0000-0000-0000-00000000fe00",),
        "dfu.md 8.1, 13",
    ),
    RefusedTransport(
        "starmax",
        "Starmax DFU",
        "no watch that is known here takes it",
        (_SIG.format("0ff0"),),
        "dfu.md 8.2",
    ),
    RefusedTransport(
        "bes",
        "BES OTA",
        "it is spoken by a vendor library only",
        (_SIG.format("0800"),),
        "ido.md 11.1",
    ),
    RefusedTransport("phyplus", "PhyPlus OTA", _ONLY_ITS_SIGN, ("5833ff01-",), "dfu.md 8.3"),
    RefusedTransport(
        "beken",
        "Beken OTA",
        _ONLY_ITS_SIGN,
        ("f000ffc0-0451-4000-b000-000000000000",),
        "dfu.md 8.3",
    ),
    RefusedTransport(
        "dialog-suota",
        "Dialog SUOTA",
        _ONLY_ITS_SIGN,
        (
            _SIG.format("fef5"),
            "8082caa8-41a6-4021-91c6-56f9b954cc34",
            "457871e8-d516-4ca1-9116-57d0b17b9cb2",
            "5f78df94-798c-46f5-990a-b3eb6a065c88",
        ),
        "dfu.md 8.3",
    ),
)


def refused_transport(uuids: Iterable[str], name: str | None = None) -> RefusedTransport | None:
    """Tell a scheme that is not spoken, by services or characteristics, or the advertised name."""
    shown = [uuid.lower() for uuid in uuids]
    for each in REFUSED:
        if name in each.names or any(uuid.startswith(each.uuids) for uuid in shown):
            return each
    return None
