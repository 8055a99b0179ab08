"""Group 04: whose watch it is (ido.md 4.4, 5)."""

from firmware_protocol.families.ido.watch.options import CHALLENGE
from firmware_protocol.families.ido.watch.state import WatchState
from firmware_protocol.families.ido.watch.wall_clock import civil_from_wall

_OK, _ALREADY_BOUND, _CHECK_FAILED = 0, 2, 2
_KEY_BYTES = 12


def answer_bind(state: WatchState, key: int, now_s: float) -> bytes | None:
    """The payload of the reply; None where the watch stays silent."""
    match key:
        case 0x01:
            return _start(state, now_s)
        case 0x02:
            state.shelf.erase()
            state.bound = False
            return b""
        case 0x05:
            return _check_challenge(state, state.body(2 + _KEY_BYTES))
    return None


def _start(state: WatchState, now_s: float) -> bytes:
    if state.traits.refuse_bind:
        return bytes((_ALREADY_BOUND, 0))
    if CHALLENGE not in state.traits.options:
        state.bound = True
        return bytes((_OK, 0))
    civil = civil_from_wall(state.clock.wall_s(now_s))
    state.challenge = bytes(
        (civil.year & 0xFF, civil.month, civil.day, civil.hour, civil.minute, civil.second)
    )
    return bytes((_OK, _KEY_BYTES, 0)) + state.address_bytes() + state.challenge


def _check_challenge(state: WatchState, body: bytes) -> bytes:
    """Only the challenge given last counts, and once: an old one was refused (ido.md 5, L)."""
    expected = None
    if state.challenge is not None:
        pairs = zip(state.challenge, state.address_bytes(), strict=True)
        expected = state.challenge + bytes(one ^ other for one, other in pairs)
    state.challenge = None
    if body[2:] != expected:
        return bytes((_CHECK_FAILED, 0))
    state.bound = True
    return bytes((_OK, 0))
