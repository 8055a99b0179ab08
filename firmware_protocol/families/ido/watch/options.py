"""The switches that a virtual IDO watch knows, by name."""

from collections.abc import Iterable
from typing import Final

from firmware_protocol.errors import LocalProtocolError

CHALLENGE: Final = "challenge"  # binds as an ID208 does (ido.md 5)
FRAGMENTED: Final = "fragmented"  # must put its room in order before the first dial (ido.md 10)
LEGACY: Final = "legacy"  # no V3: the history of ido.md 7.11 on 0AF1 and 0AF2
MIDNIGHT: Final = "midnight"  # type 08 of today gives yesterday's head (ido.md 7.3)
NO_UPDATE_MODE: Final = "no_update_mode"  # 01 01 is not supported: the loader is entered otherwise
RECORD_CRC: Final = "record_crc"  # V3 04 replies carry a CRC (ido.md 6.1, P)
THREE_PART_VERSION: Final = "three_part_version"  # answers 02 EB (ido.md 4.2)
WRONG_SEQUENCE: Final = "wrong_sequence@"  # the V3 reply that holds notification N

_NAMES: Final = (
    CHALLENGE,
    FRAGMENTED,
    LEGACY,
    MIDNIGHT,
    NO_UPDATE_MODE,
    RECORD_CRC,
    THREE_PART_VERSION,
)


def check_options(options: Iterable[str]) -> None:
    """Refuse what no virtual IDO watch knows.

    Raises:
        LocalProtocolError: an unknown option, with the list of those there are.
    """
    for option in options:
        if option not in _NAMES and not wrong_sequence_at([option]):
            raise LocalProtocolError(f"an IDO watch has no option {option!r}: {', '.join(_NAMES)}")


def wrong_sequence_at(options: Iterable[str]) -> frozenset[int]:
    """Indices of notifications whose reply takes another sequence number."""
    numbers = (
        option.removeprefix(WRONG_SEQUENCE)
        for option in options
        if option.startswith(WRONG_SEQUENCE)
    )
    return frozenset(int(number) for number in numbers if number.isdecimal())
