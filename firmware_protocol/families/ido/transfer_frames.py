"""Frames of the D1 file transfer (ido.md 4.10, C)."""

from typing import Final

from construct import Int8ul, Int32ul, Struct

from firmware_protocol.families.ido.message_type import NOTHING, RESULT, STATUS_CODE, exchange
from firmware_protocol.wire import TEXT_TO_END, Code, Hex, Maybe, reserved

_TYPE: Final = Code(
    Int8ul,
    {
        0x00: "invalid",
        0x01: "partition_table",
        0x02: "agps",
        0x03: "gps_firmware",
        0x1A: "offline_map",
        0x1B: "track",
        0x1C: "medicine_icon",
        0xFF: "by_name",
    },
)
_COMPRESSION: Final = Code(Int8ul, {0: "none", 1: "zlib", 2: "fastlz"})

MESSAGES: Final = (
    *exchange(
        "ido.transfer.open",
        "D1 01",
        Struct(
            "type" / _TYPE,
            "size_bytes" / Int32ul,
            "compression" / _COMPRESSION,
            "file_name" / Maybe(TEXT_TO_END),
        ),
        RESULT,
    ),
    *exchange(
        "ido.transfer.data",
        "D1 02",
        Struct(reserved(1), "content" / Maybe(Hex())),
        Struct("status" / STATUS_CODE, "sum" / Int32ul, "received_bytes" / Int32ul),
    ),
    *exchange("ido.transfer.end", "D1 03", Struct("sum" / Int32ul), RESULT),
    *exchange("ido.transfer.interval", "D1 05", Struct("packets" / Int8ul), RESULT),
    *exchange("ido.transfer.original_size", "D1 08", NOTHING, RESULT),  # V, layout open
)
