"""Group 03: what the watch lets itself be told (ido.md 4.3).

A SET without its whole payload is acknowledged and carried out with what the receive buffer still
holds, as an A200 does (ido.md 3.2, L).
"""

import contextlib
import struct
from datetime import UTC, datetime
from typing import Final

from firmware_protocol.families.ido.watch.state import WatchState

NOTICE: Final = b"\x07\x40"
_DND_CHANGED, _BRIGHTNESS_CHANGED, _RAISE_CHANGED = 0x10, 0x04, 0x08
_HEART_RATE_MODE_CHANGED = 2
_SUB_SWITCHES = 0x88
_SLOW, _FAST = 2, 1
_BAD_PARAMETER = 7

# what is acknowledged without a trace, and what follows `03 key` in the acknowledgement
_ACKNOWLEDGED: Final = {
    **dict.fromkeys((0x02, 0x03, 0x04, 0x10, 0x11, 0x20, 0x21, 0x22, 0x23, 0x25, 0x26), b""),
    **dict.fromkeys((0x2A, 0x2C, 0x2D, 0x31, 0x40, 0x41, 0x42, 0x43, 0x45, 0x47), b""),
    **dict.fromkeys((0x49, 0x60), b""),
    **dict.fromkeys((0x2B, 0x44), b"\x00"),
    0xE3: b"\x01",
}


def answer_set(state: WatchState, frame: bytes, now_s: float) -> list[bytes]:
    """Carry out a SET; the frames to send: notices first, then the acknowledgement."""
    head, key = frame[:2], frame[1]
    if key in _ACKNOWLEDGED:
        return [head + _ACKNOWLEDGED[key]]
    status = _carry_out(state, key, now_s)
    return _set_shown(state, frame) if status is None else [head + status]


def _carry_out(state: WatchState, key: int, now_s: float) -> bytes | None:
    """What follows `03 key` in the acknowledgement; None for a key that is not handled here."""
    match key:
        case 0x01:
            _set_clock(state, state.body(14), now_s)
        case 0x24:
            state.settings.zones_bpm = tuple(sorted(state.body(18)[4:9]))
        case 0x30:
            return _set_notices(state, state.body(18))
        case 0x35:
            return _set_link_speed(state, state.body(10)[0])
        case 0xD1:
            state.bound = False
        case _:
            return None
    return b""


def _set_shown(state: WatchState, frame: bytes) -> list[bytes]:
    """Settings that the watch shows as well: it tells of the change before it acknowledges."""
    head, settings = frame[:2], state.settings
    match frame[1]:
        case 0x28:
            settings.raise_to_wake = state.body(7)
            status = b"\x00" if len(frame) > 2 else b"\x02"
            return [_notice(0, _RAISE_CHANGED), head + status]
        case 0x29:
            settings.quiet = state.body(12)
            return [_notice(0, _DND_CHANGED), head]
        case 0x32:
            settings.brightness = state.body(10)
            return [_notice(0, _BRIGHTNESS_CHANGED), head]
        case 0x63:  # R21 (ido.md 4.3, L)
            return [_notice(_HEART_RATE_MODE_CHANGED, 0), head + b"\x00"]
    return []


def _notice(data_type: int, notify_type: int) -> bytes:
    """A 07 40 event of seven bytes, the length that an ID208 sends (ido.md 4.7)."""
    return NOTICE + struct.pack("<HBBB", data_type, notify_type, 0, 0)


def _set_clock(state: WatchState, body: bytes, now_s: float) -> None:
    year, month, day, hour, minute, second, _, utc_s, _ = struct.unpack("<H6BIH", body)
    with contextlib.suppress(ValueError):  # no such time: acknowledged, the clock stays
        civil = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        state.clock.set(civil, utc_s, now_s)
    state.restarted = False


def _set_notices(state: WatchState, body: bytes) -> bytes:
    kept = state.settings.notices
    if body[0] == _SUB_SWITCHES:
        state.settings.notices = kept[:1] + body[1 : len(kept)]
    else:
        state.settings.notices = body[:1] + kept[1:]
    return bytes((body[0], 1, 0))


def _set_link_speed(state: WatchState, mode: int) -> bytes:
    """Answers with the mode in force before (ido.md 4.3, C)."""
    before = _FAST if state.fast_link else _SLOW
    if mode not in (_FAST, _SLOW):
        return bytes((before, _BAD_PARAMETER))
    state.fast_link = mode == _FAST
    return bytes((before, 0))
