"""Group 03: what the watch lets itself be told (ido.md 4.3).

A SET without its whole payload is acknowledged and carried out with what the receive buffer still
holds, as an A200 does (ido.md 3.2, L).
"""

import contextlib
import struct
from datetime import UTC, datetime
from typing import Final

from firmware_protocol.families.ido.watch.gestures import notice
from firmware_protocol.families.ido.watch.state import WatchState

_ZONES: Final = 0x24
_DND_CHANGED, _BRIGHTNESS_CHANGED, _RAISE_CHANGED = 0x10, 0x04, 0x08
_HEART_RATE_MODE_CHANGED = 2
_SUB_SWITCHES = 0x88
_SLOW, _FAST = 2, 1
_BAD_PARAMETER = 7

# payloads of group 03, in bytes, as the reference has them (4.3)
_LENGTHS: Final = {
    0x02: 7,
    0x03: 15,
    0x04: 2,
    0x10: 8,
    0x11: 15,
    0x13: 1,
    0x20: 8,
    0x21: 1,
    0x22: 1,
    0x23: 2,
    0x24: 18,
    0x25: 1,
    0x26: 4,
    0x2A: 2,
    0x2B: 1,
    0x2C: 2,
    0x2D: 4,
    0x31: 5,
    0x40: 6,
    0x41: 12,
    0x42: 7,
    0x43: 18,
    0x44: 8,
    0x45: 14,
    0x47: 15,
    0x49: 9,
    0x60: 14,
    0xE3: 2,
}
# what follows `03 key` in the acknowledgement, where it is not empty
_STATUSES: Final = {0x2B: b"\x00", 0x44: b"\x00", 0xE3: b"\x01"}


def answer_set(state: WatchState, frame: bytes, now_s: float) -> list[bytes]:
    """Carry out a SET; the frames to send: notices first, then the acknowledgement."""
    head, key = frame[:2], frame[1]
    if key in _LENGTHS:
        _keep(state, key, _LENGTHS[key])
        return [head + _STATUSES.get(key, b"")]
    status = _carry_out(state, key, now_s)
    return _set_shown(state, frame) if status is None else [head + status]


def _carry_out(state: WatchState, key: int, now_s: float) -> bytes | None:
    """What follows `03 key` in the acknowledgement; None for a key that is not handled here."""
    match key:
        case 0x01:
            _set_clock(state, state.body(14), now_s)
        case 0x30:
            return _set_notices(state, state.body(18))
        case 0x35:
            return _set_link_speed(state, state.body(10)[0])
        case 0xD1:
            state.bound = False
        case _:
            return None
    return b""


def _keep(state: WatchState, key: int, size_bytes: int) -> bytes:
    """Hold a payload, and show that it came."""
    body = state.body(size_bytes)
    state.settings.sets[key] = body
    state.screen.show_set(key, body)
    if key == _ZONES:
        state.settings.zones_bpm = tuple(sorted(body[4:9]))
    return body


def _set_shown(state: WatchState, frame: bytes) -> list[bytes]:
    """Settings that the watch shows as well: it tells of the change before it acknowledges."""
    head, settings = frame[:2], state.settings
    match frame[1]:
        case 0x28:
            settings.raise_to_wake = _keep(state, 0x28, 7)
            status = b"\x00" if len(frame) > 2 else b"\x02"
            return [notice(0, _RAISE_CHANGED), head + status]
        case 0x29:
            settings.quiet = _keep(state, 0x29, 14)[:12]  # A200 reads back no more
            return [notice(0, _DND_CHANGED), head]
        case 0x32:
            settings.brightness = _keep(state, 0x32, 10)
            return [notice(0, _BRIGHTNESS_CHANGED), head]
        case 0x63:  # R21 (ido.md 4.3, L)
            _keep(state, 0x63, 14)
            return [notice(_HEART_RATE_MODE_CHANGED, 0), head + b"\x00"]
    return []


def _set_clock(state: WatchState, body: bytes, now_s: float) -> None:
    year, month, day, hour, minute, second, _, utc_s, _ = struct.unpack("<H6BIH", body)
    with contextlib.suppress(ValueError):  # no such time: acknowledged, the clock stays
        civil = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        state.clock.set(civil, utc_s, now_s)
        state.screen.show(f"clock {civil:%Y-%m-%d %H:%M}")
    state.restarted = False


def _set_notices(state: WatchState, body: bytes) -> bytes:
    state.settings.sets[0x30] = body
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
