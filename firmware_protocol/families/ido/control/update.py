"""Entering the update mode (ido.md 4.1). Dangerous: read ido.md 11.4 before sending any of it."""

from typing import Final

from construct import Int8ul, Int16ul, Struct

from firmware_protocol.families.ido.message_type import exchange
from firmware_protocol.wire import Code

_ENTER: Final = Code(
    Int8ul, {0: "ok", 1: "battery_low", 2: "not_supported", 3: "invalid_parameter"}
)
_AUTHORISE: Final = Code(
    Int8ul, {0: "ok", 1: "id_mismatch", 2: "version_refused", 3: "battery_low", 4: "other"}
)

MESSAGES: Final = (
    *exchange("ido.update.enter", "01 01", reply=Struct("result" / _ENTER)),  # V L
    *exchange("ido.update.enter_forced", "01 02"),  # V
    *exchange(
        "ido.update.authorise",  # V
        "01 03",
        Struct("device_id" / Int16ul, "version" / Int8ul),
        Struct("result" / _AUTHORISE),
    ),
)
