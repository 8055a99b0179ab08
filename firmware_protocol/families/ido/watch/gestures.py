"""What the wearer of a virtual IDO watch can do, and what it tells of it (ido.md 4.7, 8.7)."""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from firmware_protocol.families.ido.watch.state import ALARM_BYTES, WatchState

_KEYS: Final = {  # 07 01
    "play": 1,
    "pause": 2,
    "stop": 3,
    "previous": 4,
    "next": 5,
    "photo": 6,
    "volume_up": 8,
    "volume_down": 9,
    "camera_open": 10,
    "camera_close": 11,
    "answer": 12,
    "reject": 13,
    "mute": 14,
}
_FRAMES: Final = {  # other events without a state
    "find_phone": "07020000",
    "find_phone_stop": "07020100",
    "sos": "07030000",
    "sos_stop": "07030100",
    "key_short": "0711010000",
    "key_long": "0711020000",
    "update_check": "07a0",
}
_CHANGES: Final = {  # 07 40 by its data type (8.7)
    "unbind_on_watch": 1,
    "weather_wanted": 14,
    "steps_grew": 15,
    "sleep_ended": 16,
    "workout_done": 19,
    "restarted": 31,
}
_ALARM_CHANGED, _HEART_RATE_CHANGED = 9, 2
_BRIGHTNESS_FLAG, _DND_FLAG = 0x04, 0x10
_ON, _OFF, _SHOWN, _EVERY_DAY = 0xAA, 0x55, 0x55, 0xFF
_BRIGHTER, _FULL = 10, 100


def notice(data_type: int, notify_type: int) -> bytes:
    """A 07 40 event of seven bytes, the length that an ID208 sends (4.7)."""
    return b"\x07\x40" + struct.pack("<HBBB", data_type, notify_type, 0, 0)


def make(state: WatchState, gesture: str) -> list[bytes] | None:
    """Do what the wearer does; the frames that tell it, None for an unknown gesture."""
    if gesture in _KEYS:
        return [bytes((0x07, 0x01, _KEYS[gesture]))]
    if gesture in _FRAMES:
        return [bytes.fromhex(_FRAMES[gesture])]
    if gesture in _CHANGES:
        if gesture == "unbind_on_watch":
            state.bound = False
        state.restarted |= gesture == "restarted"
        return [notice(_CHANGES[gesture], 0)]
    return _CHANGING[gesture](state) if gesture in _CHANGING else None


def names() -> tuple[str, ...]:
    """Every gesture there is."""
    return (*_KEYS, *_FRAMES, *_CHANGES, *_CHANGING)


def _edit_alarm(state: WatchState) -> list[bytes]:
    """The wearer sets the last slot to 06:30 each day."""
    slot = bytes((10, _SHOWN, 0, 6, 30, _EVERY_DAY, 0, 10, 0, 1)).ljust(ALARM_BYTES, b"\x00")
    state.settings.alarms = state.settings.alarms[:-ALARM_BYTES] + slot
    return [notice(_ALARM_CHANGED, 0)]


def _set_dnd(state: WatchState, byte: int) -> list[bytes]:
    state.settings.quiet = bytes([byte]) + state.settings.quiet[1:]
    return [notice(0, _DND_FLAG)]


def _brighten(state: WatchState) -> list[bytes]:
    level = min(_FULL, state.settings.brightness[0] + _BRIGHTER)
    state.settings.brightness = bytes([level]) + state.settings.brightness[1:]
    return [notice(0, _BRIGHTNESS_FLAG)]


def _heart_rate_off(state: WatchState) -> list[bytes]:
    mode = state.settings.heart_rate_mode
    state.settings.heart_rate_mode = mode[:4] + b"\xaa" + mode[5:]
    return [notice(_HEART_RATE_CHANGED, 0)]


def _run_down(state: WatchState) -> list[bytes]:
    """No event is known for it: only what 02 01 and 02 05 say from now on."""
    state.low_battery = True
    return []


_CHANGING: Final[Mapping[str, Callable[[WatchState], list[bytes]]]] = {
    "alarm_edited": _edit_alarm,
    "dnd_on": lambda state: _set_dnd(state, _ON),
    "dnd_off": lambda state: _set_dnd(state, _OFF),
    "brightness_up": _brighten,
    "heart_rate_off": _heart_rate_off,
    "battery_low": _run_down,
}
