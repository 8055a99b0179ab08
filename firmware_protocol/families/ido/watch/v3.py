"""V3 commands other than the wire: what their payloads ask for and what comes back (ido.md 6.5)."""

import struct
from typing import Final

from firmware_protocol.families.ido.watch.state import (
    ALARM_BYTES,
    ALARM_SLOTS,
    FACES,
    WatchState,
)
from firmware_protocol.families.ido.watch.tables import SCREEN, v3_table

_QUERY, _SET = 0, 1
_OK, _NOT_FOUND, _NOT_SUPPORTED = 0, 5, 6
_NAME_BYTES = 30
_FREE_FACES, _LARGEST_FACE_KB = 1, 284
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
            return _list_faces()
        case 0x07:
            return SCREEN
        case 0x08:
            return _handle_face(state, body)
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


def _list_faces() -> bytes:
    names = b"".join(struct.pack("<BI", 1, len(name)) + name.encode() for name in FACES)
    return struct.pack("<BHHH", 1, len(FACES), _FREE_FACES, _LARGEST_FACE_KB) + names


def _handle_face(state: WatchState, body: bytes) -> bytes | None:
    """V3 08: query and set as captured; the refusals are provisional."""
    if len(body) != 1 + _NAME_BYTES:
        return None
    operate, name = body[0], body[1:].rstrip(b"\x00").decode("ascii", "replace")
    error = _OK
    if operate == _SET:
        error = _OK if name in FACES else _NOT_FOUND
        state.settings.face = name if name in FACES else state.settings.face
    elif operate != _QUERY:
        error = _NOT_SUPPORTED
    shown = state.settings.face.encode().ljust(_NAME_BYTES, b"\x00")
    return bytes((error, operate)) + shown


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
