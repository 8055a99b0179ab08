"""Restarting, switching off and erasing the watch (ido.md 4.8, V; 4.3, 03 27)."""

from typing import Final

from construct import Int8ul, Struct

from firmware_protocol.families.ido.message_type import NOTHING, exchange, put
from firmware_protocol.wire import Code, Maybe

_CLEARED: Final = Struct("result" / Maybe(Code(Int8ul, {1: "ok"})))

MESSAGES: Final = (
    *exchange("ido.reset.restart", "F0 01"),
    *exchange("ido.reset.drop_link", "F0 02"),
    *exchange("ido.reset.power_off", "F0 03"),
    *exchange("ido.reset.factory", "F0 04"),
    *exchange("ido.reset.clear_cache", "F0 05", reply=_CLEARED),
    *put("default_settings", 0x27, NOTHING),
)
