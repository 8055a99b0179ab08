"""Function tables: what the watch can do (ido.md 8.1, C)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.capabilities import (
    BASE_TABLE,
    EXTENDED_TABLE,
    V3_TABLE,
    TableByte,
)
from firmware_protocol.families.ido.message_type import get, v3
from firmware_protocol.wire import Filler, Flags, Maybe, Zeros


def _table(table: tuple[TableByte, ...]) -> Struct:
    return Struct(
        *(
            byte.name / Maybe(Flags(Int8ul, byte.bits) if byte.bits is not None else Int8ul)
            for byte in table
        )
    )


MESSAGES: Final = (
    *get("function_table", 0x02, _table(BASE_TABLE)),
    *get("function_table_extended", 0x07, _table(EXTENDED_TABLE)),
    *v3(
        "ido.get.function_table_v3",
        0x1A,
        reply=Struct("version" / Int8ul, Filler(bytes(1)), *_table(V3_TABLE).subcons, Zeros()),
    ),
)
