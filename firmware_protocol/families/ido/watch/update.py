"""Group 01: leaving for the loader, or being told that an update comes (ido.md 4.1, 11.1).

That an A200 says yes to 01 01 and stays was seen live; the rest is from vendor sources.
"""

from typing import Final

from firmware_protocol.families.ido.watch.getters import DEVICE_ID
from firmware_protocol.families.ido.watch.options import NO_UPDATE_MODE
from firmware_protocol.families.ido.watch.state import WatchState

LEAST_BATTERY_PCT: Final = 31  # 11.2: more than 30 %
_NORDIC, _REALTEK = 0, 10  # platforms
_STAYS: Final = bytes.fromhex("00010700")
_OK, _LOW_BATTERY, _NOT_SUPPORTED = 0, 1, 2
_OTHER_DEVICE, _OLD_VERSION, _TOO_LOW = 1, 2, 3
_AUTHORISE_BYTES: Final = 5


def answer_update(state: WatchState, key: int, size_bytes: int) -> bytes | None:
    """The payload of the reply; None where the watch stays silent."""
    if key == 0x01:
        return _enter(state)
    if key == 0x03 and state.platform == _REALTEK and size_bytes == _AUTHORISE_BYTES:
        return bytes((_authorise(state, state.body(3)),))
    return None


def _enter(state: WatchState) -> bytes:
    if NO_UPDATE_MODE in state.traits.options:
        return bytes((_NOT_SUPPORTED,))
    if state.platform != _NORDIC:
        return _STAYS
    if state.battery_pct < LEAST_BATTERY_PCT:
        return bytes((_LOW_BATTERY,))
    state.wants_loader = state.link_must_drop = True
    return bytes((_OK,))


def _authorise(state: WatchState, body: bytes) -> int:
    """01 03; version 0 asks for no check."""
    if int.from_bytes(body[:2], "little") != DEVICE_ID:
        return _OTHER_DEVICE
    if body[2] and body[2] < state.firmware_version:
        return _OLD_VERSION
    return _OK if state.battery_pct >= LEAST_BATTERY_PCT else _TOO_LOW
