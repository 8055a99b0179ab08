"""Everything a virtual IDO watch remembers beside its health memory."""

from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.families.ido.watch.dials import DialShelf
from firmware_protocol.families.ido.watch.screen import Screen
from firmware_protocol.families.ido.watch.shelf import HealthShelf
from firmware_protocol.families.ido.watch.transfer import Transfer
from firmware_protocol.families.ido.watch.wall_clock import WallClock
from firmware_protocol.watch_session import WatchTraits

LOW_PCT: Final = 9  # captured with status "low" (ido.md 4.2)
ALARM_SLOTS, ALARM_BYTES = 10, 34
USUAL_PLATFORM, USUAL_FIRMWARE = 40, 17  # of the captured A200
_LONGEST_CLASSIC = 0x200  # no ATT value is longer
# bpm at which warm-up, fat burn, aerobic, anaerobic and extreme begin: as an ID208 had them (7.5)
_ZONES_BPM: Final = (98, 118, 138, 157, 177)


@dataclass(slots=True)
class Settings:
    """What SETs change, kept as the payload that the matching GET returns.

    The defaults are the captured replies of an A200 that nobody has set up.
    """

    notices: bytes = bytes.fromhex("aa0000550000000000")  # 02 10
    quiet: bytes = bytes.fromhex("550000000000005500000000")  # 02 30
    brightness: bytes = bytes.fromhex("0f010001000000000005")  # 02 B0
    raise_to_wake: bytes = bytes.fromhex("aa05010000173b")  # 02 B1
    heart_rate_mode: bytes = bytes(12)  # V3 09
    alarms: bytes = bytes(ALARM_SLOTS * ALARM_BYTES)  # V3 0F
    zones_bpm: tuple[int, ...] = _ZONES_BPM  # 03 24
    sports: bytes = b""  # V3 0C
    sets: dict[int, bytes] = field(default_factory=dict)  # group 03 by key, whole payloads


@dataclass(slots=True)
class WatchState:
    """`received` is the receive buffer: a SET that is too short reads on in what it still holds."""

    traits: WatchTraits
    shelf: HealthShelf
    clock: WallClock
    bound: bool
    restarted: bool
    fast_link: bool = False
    challenge: bytes | None = None
    link_must_drop: bool = False
    settings: Settings = field(default_factory=Settings)
    received: bytearray = field(default_factory=lambda: bytearray(_LONGEST_CLASSIC))
    screen: Screen = field(default_factory=Screen)
    low_battery: bool = False
    finding: bool = False
    error: tuple[int, int] = (0, 0)  # 02 40: reset reason and hardware fault
    firmware_version: int = USUAL_FIRMWARE
    dials: DialShelf = field(default_factory=DialShelf)
    transfer: Transfer | None = None
    receipt_waits: bool = False  # a receipt that is not on its way yet
    reorganised: bool = False
    installed: bytes | None = None
    wants_loader: bool = False

    @property
    def platform(self) -> int:
        """Whose chip it has (ido.md 11.1)."""
        return USUAL_PLATFORM if self.traits.platform is None else self.traits.platform

    @property
    def battery_pct(self) -> int:
        """What the watch reports; a low battery is low whatever it was made with."""
        return (
            min(self.traits.battery_pct, LOW_PCT) if self.low_battery else self.traits.battery_pct
        )

    def receive(self, frame: bytes) -> None:
        """Take a classic frame into the buffer."""
        self.received[: len(frame)] = frame

    def body(self, size_bytes: int) -> bytes:
        """The payload as the watch reads it, as long as it expects it (ido.md 3.2, L)."""
        return bytes(self.received[2 : 2 + size_bytes])

    def address_bytes(self) -> bytes:
        """The address in display order."""
        return bytes.fromhex(self.traits.address.replace(":", ""))
