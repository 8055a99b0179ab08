"""The D1 file transfer as the watch takes it (ido.md 4.10).

It knows two kinds of files: dials (`.iwf.lz`) and firmware (`.fw`). Layouts, receipts, sums and the
codes 09 and 0B are as captured or seen live; all other refusals are provisional. There is no
resume: with the link an open transfer is gone.
"""

import struct
from typing import Final

from firmware_protocol.families.ido.watch.dials import BUILT_IN_STEM, LARGEST_KB, NAME_BYTES
from firmware_protocol.families.ido.watch.gestures import notice
from firmware_protocol.families.ido.watch.options import FRAGMENTED
from firmware_protocol.families.ido.watch.state import WatchState
from firmware_protocol.families.ido.watch.transfer import Transfer
from firmware_protocol.families.ido.watch.unpacking import (
    NotReadableError,
    expanded_dial,
    is_firmware,
)
from firmware_protocol.families.ido.watch.update import LEAST_BATTERY_PCT

_GROUP: Final = 0xD1
FIRMWARE: Final = ".fw"
DIAL_END: Final = ".iwf.lz"
PIPE_PLATFORMS: Final = (30, 40, 50, 80, 90)  # 11.1: those whose application takes `.fw`
LARGEST_FIRMWARE_BYTES: Final = 16 << 20
LARGEST_DATA_BYTES: Final = 134  # 137 with what stands before it
MOST_PACKETS: Final = 10  # captured; what a watch makes of more is not known
_BY_NAME, _FASTLZ = 0xFF, 2
_OK, _NOT_SUPPORTED, _BAD_PARAMETER, _BAD_STATE, _BAD_LENGTH = 0, 6, 7, 8, 9
_BAD_DATA, _DATA_SIZE, _FORBIDDEN, _BUSY = 11, 12, 15, 17
_NO_SPACE, _BATTERY_LOW, _BAD_NAME, _FRAGMENTED = 21, 22, 23, 24
_SPACE_REORGANISED: Final = 33  # 8.7


def answer_transfer(state: WatchState, frame: bytes) -> list[bytes]:
    """The frames that answer a written one of group D1."""
    key, body = frame[1], frame[2:]
    match key:
        case 0x01:
            return _open(state, body)
        case 0x02:
            return _take(state, body)
        case 0x03:
            return [bytes((_GROUP, key, _end(state, body)))]
        case 0x05:
            return [bytes((_GROUP, key, _set_interval(state.transfer, body)))]
    return []


def _open(state: WatchState, body: bytes) -> list[bytes]:
    state.transfer = None
    status = _BAD_LENGTH
    if len(body) > 6:
        kind, size_bytes, compression = struct.unpack_from("<BIB", body)
        name = body[6:].decode("ascii", "replace")
        is_known = kind == _BY_NAME and compression == _FASTLZ
        status = _refusal(state, name, size_bytes) if is_known else _BAD_PARAMETER
        if status == _OK:
            state.transfer = Transfer(name, size_bytes)
    reply = bytes((_GROUP, 1, status))
    if status != _FRAGMENTED:
        return [reply]
    state.reorganised = True
    return [reply, notice(_SPACE_REORGANISED, 0)]


def _refusal(state: WatchState, name: str, size_bytes: int) -> int:
    """Why a file is not taken, as far as its name and size tell."""
    if not size_bytes:
        return _DATA_SIZE
    if name == FIRMWARE:
        return _firmware_refusal(state, size_bytes)
    shown = name.removesuffix(".lz")
    if not name.endswith(DIAL_END) or not shown.isascii() or len(shown) > NAME_BYTES:
        return _BAD_NAME
    if shown.startswith(BUILT_IN_STEM):
        return _FORBIDDEN
    if not state.dials.has_place_for(shown) or not state.dials.has_room_for(size_bytes):
        return _NO_SPACE
    if FRAGMENTED in state.traits.options and not state.reorganised:
        return _FRAGMENTED
    return _OK


def _firmware_refusal(state: WatchState, size_bytes: int) -> int:
    if state.platform not in PIPE_PLATFORMS:
        return _NOT_SUPPORTED
    if state.battery_pct < LEAST_BATTERY_PCT:
        return _BATTERY_LOW
    return _OK if size_bytes <= LARGEST_FIRMWARE_BYTES else _DATA_SIZE


def _set_interval(transfer: Transfer | None, body: bytes) -> int:
    if transfer is None or transfer.data:
        return _BAD_STATE
    if len(body) != 1 or not 0 < body[0] <= MOST_PACKETS:
        return _BAD_PARAMETER
    transfer.interval = body[0]
    return _OK


def _take(state: WatchState, body: bytes) -> list[bytes]:
    """One packet. After a wrong one the transfer is over, and each further one is told so."""
    transfer, content = state.transfer, body[1:]
    if transfer is None:
        return [Transfer("", 0).receipt(_BAD_LENGTH)]
    status = _packet_status(state, transfer, body)
    if status != _OK:
        state.transfer = None
        return [transfer.receipt(status)]
    transfer.data += content
    transfer.sum = (transfer.sum + sum(content)) & 0xFFFFFFFF
    transfer.packets += 1
    if transfer.packets < transfer.interval:
        return []
    transfer.packets = 0
    state.receipt_waits = True
    return [transfer.receipt(_OK)]


def _packet_status(state: WatchState, transfer: Transfer, body: bytes) -> int:
    if not transfer.interval:
        return _BAD_STATE
    if state.receipt_waits:  # the companion did not wait for it
        return _BUSY
    if body[:1] != b"\x00":
        return _BAD_PARAMETER
    if not 0 < len(body) - 1 <= LARGEST_DATA_BYTES:
        return _BAD_LENGTH
    return _OK if len(transfer.data) + len(body) - 1 <= transfer.size_bytes else _DATA_SIZE


def _end(state: WatchState, body: bytes) -> int:
    """Compare size and sum, then use the file; whatever comes of it, the transfer is over."""
    transfer, state.transfer = state.transfer, None
    if transfer is None:
        return _BAD_DATA
    if len(transfer.data) != transfer.size_bytes or len(body) != 4:
        return _BAD_LENGTH
    if int.from_bytes(body, "little") != transfer.sum:
        return _BAD_DATA
    data = bytes(transfer.data)
    if transfer.name == FIRMWARE:
        return _install(state, data)
    return _keep_dial(state, transfer.name.removesuffix(".lz"), data)


def _keep_dial(state: WatchState, name: str, data: bytes) -> int:
    try:
        dial = expanded_dial(data, LARGEST_KB << 10)
    except NotReadableError:
        return _BAD_DATA
    if not state.dials.has_room_for(len(dial)):
        return _NO_SPACE
    state.dials.put(name, dial)
    state.screen.show(f"dial {name}")
    return _OK


def _install(state: WatchState, data: bytes) -> int:
    """Checked firmware is started anew, which ends the link (11.1, V)."""
    if not is_firmware(data):
        return _BAD_DATA
    state.installed = data
    state.link_must_drop = True
    state.screen.show("installing")
    return _OK
