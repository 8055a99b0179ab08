"""Masking of what must not stand in logs and messages: addresses, payloads, keys.

Payloads of a watch are readings of its wearer, so a run of bytes is never shown, only its length.
"""

import logging
import re
from typing import Final

_ADDRESS: Final = re.compile(
    r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}(?:([:_-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f])"
)
_BYTES_LITERAL: Final = re.compile(r"""\bb(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
# six bytes (a bare address) or more as hex, run together or with spaces; shorter runs are codes
_HEX_RUN: Final = re.compile(
    r"(?<![0-9A-Za-z-])(?:0x)?(?:[0-9A-Fa-f]{2}[ ]?){5,}[0-9A-Fa-f]{2}(?![0-9A-Za-z-])"
)


def mask_address(address: str) -> str:
    """Return an address with all but its last byte hidden; enough to tell two watches apart."""
    return _ADDRESS.sub(_masked_address, address)


def mask(text: str) -> str:
    """Return a text without Bluetooth addresses, payload bytes and keys."""
    text = mask_address(text)
    text = _BYTES_LITERAL.sub("<bytes>", text)
    return _HEX_RUN.sub("<bytes>", text)


class RedactingFormatter(logging.Formatter):
    """Masks whatever a record would show, tracebacks and other libraries' words included."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        return mask(super().format(record))


def _masked_address(found: re.Match[str]) -> str:
    separator = found[1]
    return separator.join(["**"] * 5 + [found[0][-2:]])
