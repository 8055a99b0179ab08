"""Bind, challenge and unbind (ido.md 4.4, 5)."""

from typing import Final

from construct import GreedyRange, Int8ul, Prefixed, Struct

from firmware_protocol.families.ido.message_type import NOTHING, exchange, put
from firmware_protocol.wire import Address, Code, Filler, Hex, Maybe, reserved

# which byte is the clean flag, the system, its version is open: sent verbatim (C L)
_GREETING: Final = bytes.fromhex("F1 01 01 02 02 01 00")
_SYSTEM: Final = Code(Int8ul, {1: "ios", 2: "android"})

_BIND_RESULT: Final = Code(
    Int8ul,
    {
        0: "ok",
        1: "failed",
        2: "already_bound",
        3: "timeout",
        4: "new_account_agreed",
        5: "new_account_refused",
        6: "new_account_unanswered",
        7: "waits_for_result",
    },
)
_CHALLENGE_RESULT: Final = Code(
    Int8ul, {0: "ok", 1: "refused", 2: "check_failed", 3: "already_bound"}
)
_CODE_RESULT: Final = Code(Int8ul, {0: "ok", 1: "failed", 2: "wrong_code"})

MESSAGES: Final = (
    *exchange(
        "ido.bind.start",
        "04 01",
        Struct(Filler(_GREETING)),
        Struct(
            "result" / _BIND_RESULT,
            "auth_bytes" / Int8ul,  # 0 bound at once, 12 challenge, 8 code on the watch
            "encryption_version" / Maybe(Int8ul),
            "address" / Maybe(Address()),
            "challenge" / Maybe(Hex(6)),  # the watch's clock, short-lived
        ),
    ),
    *exchange("ido.bind.stop", "04 02", Struct(Filler(_GREETING))),  # P: some clients send no body
    *exchange(
        "ido.bind.code",
        "04 03",
        Struct(
            "clean" / Int8ul,
            "system" / _SYSTEM,
            "system_version" / Int8ul,
            "digits" / Prefixed(Int8ul, GreedyRange(Int8ul)),
        ),
        Struct("result" / _CODE_RESULT),
    ),
    *exchange(
        "ido.bind.challenge",
        "04 05",
        Struct(
            "auth_bytes" / Int8ul,
            "encryption_version" / Int8ul,
            "challenge" / Hex(6),
            "proof" / Hex(6),  # challenge XOR address
        ),
        Struct("result" / _CHALLENGE_RESULT, reserved(1)),
    ),
    *exchange("ido.bind.result", "04 06", NOTHING, NOTHING),  # layout open
    *put("phone_system", 0x23, Struct("system" / _SYSTEM, "system_version" / Int8ul)),
    *exchange("ido.bind.clear", "03 D1"),
)
