"""IdoWatchSession: the A200's end of the wire, from bytes written to bytes notified.

It packs what it says with its own code from the reference; only frames and check values are
shared with the companion's side.
"""

import contextlib

from firmware_protocol.errors import LocalProtocolError, RemoteProtocolError
from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.framing import (
    V3_MARK,
    FrameAssembler,
    V3Frame,
    chunk,
    encode_v3,
)
from firmware_protocol.families.ido.watch import gestures
from firmware_protocol.families.ido.watch.classic import answer_classic
from firmware_protocol.families.ido.watch.legacy import LegacyShelf
from firmware_protocol.families.ido.watch.options import (
    LEGACY,
    MIDNIGHT,
    RECORD_CRC,
    check_options,
    wrong_sequence_at,
)
from firmware_protocol.families.ido.watch.shelf import HealthShelf
from firmware_protocol.families.ido.watch.state import WatchState
from firmware_protocol.families.ido.watch.v3 import answer_v3
from firmware_protocol.families.ido.watch.wall_clock import WallClock
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits

_CHUNK_BYTES = 137  # rx_mtu of the captured 02 F0
_HEALTH_RECORD = 0x04
_ON_SUBSCRIBE = bytes.fromhex("0330550100")  # captured after every subscription (ido.md 2.5)
_OTHER_SEQUENCE = 0x0100  # how far off a reply with a wrong sequence number is


class IdoWatchSession(WatchSession):
    """A watch like the captured A200; `memory` loses what the central confirms."""

    def __init__(self, memory: WatchMemory, traits: WatchTraits) -> None:
        check_options(traits.options)
        self._state = WatchState(
            traits=traits,
            shelf=HealthShelf(memory, midnight=MIDNIGHT in traits.options),
            clock=WallClock(traits.wall_offset_s),
            bound=traits.bound,
            restarted=traits.restarted,
        )
        if traits.firmware_version is not None:
            self._state.firmware_version = traits.firmware_version
        self._legacy = LegacyShelf(memory) if LEGACY in traits.options else None
        self._wrong_sequence_at = wrong_sequence_at(traits.options)
        self._assembler = FrameAssembler("TX")
        self._subscribed: set[str] = set()
        self._notified = 0
        self._due: list[tuple[str, bytes]] = []

    @property
    def link_must_drop(self) -> bool:
        """True after a command that ends the link: of group F0, or for an update."""
        return self._state.link_must_drop

    def link_opened(self, now_s: float) -> None:
        """A central connected; the link is slow and nothing is subscribed."""
        self._begin_link()

    def subscribed(self, uuid: str, now_s: float) -> None:
        """Notifications are on; the A200 at once tells the state of its notices."""
        self._subscribed.add(uuid)
        if uuid == gatt.COMMAND_NOTIFY:
            self._notify(uuid, _ON_SUBSCRIBE)

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Answer what was written; silence for what an A200 does not know."""
        state = self._state
        if uuid == gatt.COMMAND_WRITE and data[:1] == bytes([V3_MARK]):
            if self._legacy is None:
                self._receive_v3(data, now_s)
        elif uuid == gatt.COMMAND_WRITE:
            for frame in answer_classic(state, data, now_s):
                self._notify(gatt.COMMAND_NOTIFY, frame)
        elif uuid == gatt.HEALTH_WRITE and self._legacy is not None:
            wall_s, zones_bpm = state.clock.wall_s(now_s), state.settings.zones_bpm
            for packet in self._legacy.answer(data, wall_s, zones_bpm):
                self._notify(gatt.HEALTH_NOTIFY, packet)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """No capture shows what the characteristics hold when read: nothing."""
        return b""

    @property
    def gestures(self) -> tuple[str, ...]:
        """See `WatchSession.gestures`."""
        return gestures.names()

    def make(self, gesture: str, now_s: float) -> None:
        """The wearer does something; it is told where a central listens."""
        frames = gestures.make(self._state, gesture)
        if frames is None:
            raise LocalProtocolError(
                f"this watch knows no gesture {gesture!r}: {', '.join(gestures.names())}"
            )
        for frame in frames:
            self._notify(gatt.COMMAND_NOTIFY, frame)

    def take_shown(self) -> list[str]:
        """See `WatchSession.take_shown`."""
        return self._state.screen.take()

    def settings_held(self) -> dict[str, bytes]:
        """See `WatchSession.settings_held`; by the rows of the reference that set them."""
        held = self._state.settings
        sets = {f"03 {key:02X}": body for key, body in held.sets.items()}
        return {
            **sets,
            "V3 09": held.heart_rate_mode,
            "V3 0C": held.sports,
            "V3 0E": held.alarms,
        }

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Take the notifications that are due."""
        due, self._due = self._due, []
        self._state.receipt_waits = False
        return due

    def link_lost(self, now_s: float) -> None:
        """The link is gone: subscriptions, offers and half a message with it."""
        self._begin_link()

    def restart(self, now_s: float) -> None:
        """Set the reboot flag; memory, bind, settings, dials and clock stay."""
        self.link_lost(now_s)
        self._state.restarted = True
        self._state.wants_loader, self._state.installed = False, None

    @property
    def wants_loader(self) -> bool:
        """See `WatchSession.wants_loader`."""
        return self._state.wants_loader

    @property
    def installed(self) -> bytes | None:
        """See `WatchSession.installed`."""
        return self._state.installed

    def starts_with(self, firmware_version: int) -> None:
        """See `WatchSession.starts_with`."""
        self._state.firmware_version = firmware_version

    def _begin_link(self) -> None:
        state = self._state
        state.link_must_drop = state.fast_link = False
        state.challenge = state.transfer = None
        state.receipt_waits = False
        state.shelf.link_lost()
        if self._legacy is not None:
            self._legacy.link_lost()
        self._assembler = FrameAssembler("TX")
        self._subscribed.clear()
        self._due.clear()

    def _receive_v3(self, data: bytes, now_s: float) -> None:
        # a message with a wrong length or CRC gets no reply (ido.md 6.1, L)
        with contextlib.suppress(RemoteProtocolError):
            frames = self._assembler.receive(gatt.COMMAND_WRITE, data)
            for frame in (whole for whole in frames if isinstance(whole, V3Frame)):
                self._answer_v3(frame, now_s)

    def _answer_v3(self, frame: V3Frame, now_s: float) -> None:
        payload = answer_v3(self._state, frame.command, frame.payload, now_s)
        if payload is None:
            return
        with_crc = frame.command != _HEALTH_RECORD or RECORD_CRC in self._state.traits.options
        message = encode_v3(frame.command, frame.sequence, payload, with_crc=with_crc)
        chunks = chunk(message, _CHUNK_BYTES)
        if self._wrong_sequence_at.intersection(
            range(self._notified, self._notified + len(chunks))
        ):
            other = (frame.sequence + _OTHER_SEQUENCE) & 0xFFFF
            message = encode_v3(frame.command, other, payload, with_crc=with_crc)
            chunks = chunk(message, _CHUNK_BYTES)
        for part in chunks:
            self._notify(gatt.COMMAND_NOTIFY, part)

    def _notify(self, uuid: str, data: bytes) -> None:
        """Queue a notification, where the central subscribed to it."""
        if uuid in self._subscribed:
            self._notified += 1
            self._due.append((uuid, data))
