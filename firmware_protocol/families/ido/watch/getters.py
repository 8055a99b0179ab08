"""Group 02: what the watch tells when asked (ido.md 4.2)."""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from firmware_protocol.families.ido.watch.day_records import visible_slots
from firmware_protocol.families.ido.watch.options import THREE_PART_VERSION
from firmware_protocol.families.ido.watch.state import Settings, WatchState
from firmware_protocol.families.ido.watch.tables import (
    FIXED_REPLIES,
    THREE_PART_VERSIONS,
    base_table,
    extended_table,
)
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall

DEVICE_ID, _NORMAL_MODE = 0x0214, 1
_FULL_PCT, _LOW_PCT = 100, 20  # the bound of "low" is provisional: seen at 13 %, not at 26 %
_TIME_ZONE_FIELD = 48  # as an A200 sends it; its unit is unknown
_NO_HEART_RATE = 0xF0
_LAST_READING_HOLDS_S = 600


def answer_get(state: WatchState, key: int, now_s: float) -> bytes | None:
    """The payload of the reply; None for a key that an A200 leaves unanswered."""
    if key in FIXED_REPLIES:
        return FIXED_REPLIES[key]
    if key in _SETTINGS:
        return _SETTINGS[key](state.settings)
    if key in _TIMED:
        return _TIMED[key](state, now_s)
    if key == 0xEB and THREE_PART_VERSION not in state.traits.options:
        return None
    return _FROM_STATE[key](state) if key in _FROM_STATE else None


def battery_status(battery_pct: int) -> int:
    """0 normal, 2 full, 3 low."""
    return 2 if battery_pct >= _FULL_PCT else 3 if battery_pct < _LOW_PCT else 0


def _device_information(state: WatchState) -> bytes:
    battery_pct = state.battery_pct
    return struct.pack(
        "<H13B",
        DEVICE_ID,
        *(state.firmware_version, _NORMAL_MODE, battery_status(battery_pct), battery_pct),
        *(state.bound, state.restarted, 1, 0, state.platform, 2, 1, 3, 3),
    )


def _device_time(state: WatchState, now_s: float) -> bytes:
    wall_s = state.clock.wall_s(now_s)
    civil = civil_from_wall(wall_s)
    return struct.pack(
        "<H6BIH",
        civil.year,
        *(civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.weekday()),
        wall_s - state.clock.utc_offset_s,
        _TIME_ZONE_FIELD,
    )


def _battery(state: WatchState) -> bytes:
    """Voltage on the line through the two captured points: 9 % 3716 mV, 64 % 3978 mV."""
    battery_pct = state.battery_pct
    voltage_mv = 3716 + (battery_pct - 9) * 262 // 55
    return struct.pack("<BHBB8x", 0, voltage_mv, battery_status(battery_pct), battery_pct)


def _live_data(state: WatchState, now_s: float) -> bytes:
    wall_s = state.clock.wall_s(now_s)
    day = state.shelf.today(wall_s)
    slots = visible_slots(day, wall_s) if day else []
    beats = [
        reading.value
        for reading in (day.heart_rate if day else ())
        if wall_s - _LAST_READING_HOLDS_S <= reading.wall_s <= wall_s
    ]
    return struct.pack(
        "<IIIIB",
        sum(slot.steps for slot in slots),
        sum(slot.energy_kcal for slot in slots),
        sum(slot.distance_m for slot in slots),
        sum(slot.active_min for slot in slots),
        beats[-1] if beats else _NO_HEART_RATE,
    )


def _error_record(state: WatchState) -> bytes:
    """02 40 (V): reads, or clears what it then no longer tells."""
    operate = state.body(1)[0]
    if operate == 1:
        state.error = (0, 0)
    return bytes((operate, *state.error))


_SETTINGS: Final[Mapping[int, Callable[[Settings], bytes]]] = {
    0x10: lambda settings: settings.notices,
    0x30: lambda settings: settings.quiet,
    0xB0: lambda settings: settings.brightness,
    0xB1: lambda settings: settings.raise_to_wake,
}
_FROM_STATE: Final[Mapping[int, Callable[[WatchState], bytes]]] = {
    0x01: _device_information,
    0x02: lambda state: base_table(state.traits.options),
    0x04: lambda state: state.address_bytes(),
    0x05: _battery,
    0x07: lambda state: extended_table(state.traits.options),
    0x40: _error_record,
    0xEB: lambda _: THREE_PART_VERSIONS,
}
_TIMED: Final[Mapping[int, Callable[[WatchState, float], bytes]]] = {
    0x03: _device_time,
    0xA0: _live_data,
}
