"""V3 commands other than the wire: what their payloads ask for and what comes back (ido.md 6.5)."""

import struct
from typing import Final

from firmware_protocol.families.ido.watch.state import (
    ALARM_BYTES,
    ALARM_SLOTS,
    WatchState,
)
from firmware_protocol.families.ido.watch.tables import SCREEN, v3_table

_OK = 0
_INTERVALS_S: Final = (5, 60, 180, 255, 300, 600, 900, 1800)  # accepted by an A200 (V3 09, L)
_MINUTE_MODES_A200 = 4


def answer_v3(state: WatchState, command: int, body: bytes, now_s: float) -> bytes | None:
    """The payload of the reply; None for an unknown command or a payload of the wrong length."""
    wall_s, zones_bpm = state.clock.wall_s(now_s), state.settings.zones_bpm
    match command:
        case 0x04:
            return state.shelf.answer_record(body, wall_s, zones_bpm)
        case 0x05:
            return state.shelf.answer_sizes(body, wall_s, zones_bpm)
        case 0x06:
            return state.dials.packed_list()
        case 0x07:
            return SCREEN
        case 0x08:
            return state.dials.answer(body)
        case 0x09:
            return _handle_heart_rate_mode(state, body)
        case 0x1A:
            return v3_table(state.traits.options)
    return _answer_lists(state, command, body)


def _answer_lists(state: WatchState, command: int, body: bytes) -> bytes | None:
    settings = state.settings
    match command:
        case 0x0C if body and len(body) == 1 + 2 * body[0]:
            settings.sports = body
            state.screen.show(f"{body[0]} sports in the list")
            return b""
        case 0x0E if len(body) == 2 + ALARM_SLOTS * ALARM_BYTES:
            settings.alarms = body[2:]
            shown = body[3::ALARM_BYTES].count(0x55)
            state.screen.show(f"{shown} alarms")
            return bytes([_OK])
        case 0x0F if len(body) == 1:
            return bytes((0, ALARM_SLOTS)) + settings.alarms
    return None


def _handle_heart_rate_mode(state: WatchState, body: bytes) -> bytes | None:
    """V3 09: mode 0 asks, another one sets; the update time is never given back (C)."""
    if len(body) != 12:
        return None
    if body[4]:
        interval_s = int.from_bytes(body[10:], "little")
        if interval_s:
            interval_s = min(_INTERVALS_S, key=lambda accepted: abs(accepted - interval_s))
        state.settings.heart_rate_mode = bytes(4) + body[4:10] + interval_s.to_bytes(2, "little")
    return state.settings.heart_rate_mode + struct.pack("<II", 0, _MINUTE_MODES_A200)
