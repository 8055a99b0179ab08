"""Classic frames: which group answers, and how (ido.md 4)."""

from typing import Final

from firmware_protocol.families.ido.watch.binding import answer_bind
from firmware_protocol.families.ido.watch.dials import DialShelf
from firmware_protocol.families.ido.watch.files import answer_transfer
from firmware_protocol.families.ido.watch.getters import answer_get
from firmware_protocol.families.ido.watch.setters import answer_set
from firmware_protocol.families.ido.watch.state import Settings, WatchState
from firmware_protocol.families.ido.watch.update import answer_update

# commands of groups 05, 06 and 0A that are acknowledged by their first two bytes
_PLAIN: Final = frozenset(
    (b"\x05\x02", b"\x06\x01", b"\x06\x02", b"\x06\x04", b"\x06\x07", b"\x0a\x01", b"\x0a\x02")
)
_TEXTS: Final = frozenset((b"\x05\x01", b"\x05\x03"))
_RESTART, _DROP_LINK, _POWER_OFF, _FACTORY_RESET, _CLEAR_CACHE = 1, 2, 3, 4, 5
_RESETS: Final = {
    _RESTART: "restarting",
    _DROP_LINK: "link dropped",
    _POWER_OFF: "switched off",
    _FACTORY_RESET: "erased",
}


def answer_classic(state: WatchState, frame: bytes, now_s: float) -> list[bytes]:
    """The frames that answer a written one; none for what an A200 does not know."""
    if len(frame) < 2:
        return []
    state.receive(frame)
    head = frame[:2]
    match frame[0]:
        case 0x01:
            payload = answer_update(state, frame[1], len(frame))
        case 0xD1:
            return answer_transfer(state, frame)
        case 0x02:
            payload = answer_get(state, frame[1], now_s)
        case 0x03:
            return answer_set(state, frame, now_s)
        case 0x04:
            payload = answer_bind(state, frame[1], now_s)
        case 0xF0:
            payload = _answer_reset(state, frame[1])
        case _:
            return _answer_control(state, head, frame)
    return [] if payload is None else [head + payload]


def _answer_control(state: WatchState, head: bytes, frame: bytes) -> list[bytes]:
    if head in _PLAIN:
        _show_control(state, head, frame)
        return [head]
    if head in _TEXTS and len(frame) > 4:
        state.screen.take_piece(frame)
        return [frame[:4] + b"\x00"]
    return []


def _show_control(state: WatchState, head: bytes, frame: bytes) -> None:
    """What groups 05, 06 and 0A make appear (4.5, 4.6, 4.8)."""
    first = state.body(1)[0]
    match head:
        case b"\x05\x02":
            state.screen.show("missed call" if first == 2 else "call ended")
        case b"\x06\x01":
            state.screen.show("music stopped" if first else "music playing")
        case b"\x06\x02":
            state.screen.show("camera key off" if first else "camera key on")
        case b"\x06\x04":
            state.finding = not first
            state.screen.show("ringing" if state.finding else "silent again")
        case b"\x06\x07":
            state.screen.show("phone found")
        case b"\x0a\x01":
            state.screen.show_weather(state.body(max(7, len(frame) - 2)))
        case _:
            city = state.body(17)
            state.screen.show(f"city {city[1 : 1 + city[0]].decode('utf-8', 'replace')}")


def _answer_reset(state: WatchState, key: int) -> bytes | None:
    """Group F0 (ido.md 4.8, V)."""
    if key == _CLEAR_CACHE:
        return b"\x01"
    if key not in (_RESTART, _DROP_LINK, _POWER_OFF, _FACTORY_RESET):
        return None
    state.link_must_drop = True
    state.restarted |= key != _DROP_LINK
    if key == _FACTORY_RESET:
        state.shelf.erase()
        state.bound = False
        state.settings = Settings()
        state.dials = DialShelf()
    state.screen.show(_RESETS[key])
    return b"\x00" if key == _RESTART else b""
