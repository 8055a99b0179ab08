"""What a Realtek watch says of its chip before an update (dfu.md 5.4; V, of Bee2 also L)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from construct import Int8ul, Int16ul, Int32ul, Padding, Struct

from firmware_protocol.errors import DecodeError
from firmware_protocol.family import JobError
from firmware_protocol.wire import Kind

# FFF1 of spec 1 and 2
BEE2_INFO: Final = Struct(
    "ic" / Int8ul,
    "spec" / Int8ul,
    "secure" / Int8ul,
    "mode" / Int8ul,
    "buffer_bytes" / Int16ul,
    "temporary_bank" / Int8ul,
    Padding(1),
    "indicator" / Int32ul,
)
# FFF1 of spec 4 and later, protocol type 0010
BBPRO_INFO: Final = Struct(
    "ic" / Int8ul,
    "spec" / Int8ul,
    "mode" / Int8ul,
    "status" / Int8ul,
    "temporary_bank" / Int8ul,
    "active_bank" / Int8ul,
    "mtu" / Int16ul,
)
# FFF1 of 87x2G
RTL87X2G_INFO: Final = Struct(
    "ic" / Int8ul,
    "spec" / Int8ul,
    "mode" / Int8ul,
    Padding(1),
    "temporary_bank" / Int16ul,
    "active_bank" / Int8ul,
    "boot_patch_bank" / Int8ul,
    "secure_app_bank" / Int8ul,
    "control_header_offset" / Int16ul,
    Padding(1),
)

BEE: Final = 0x0000  # FFF3: protocol types
BBPRO_TYPES: Final = (0x0010, 0x0011)
RTL87X2G_TYPE: Final = 0x0015
_BEE1_CHIP: Final = 3
_BEE2_CHIPS: Final = (0x05, 0x09, 0x0C)
_RTL87X2G_CHIP: Final = 0x0F
_OLD_MODES: Final = ("buffer_check", "aes", "aes_every_block", "copy", "multiple", "two_ears")
_NEW_MODES: Final = ("buffer_check", "aes", "aes_every_block", "multiple", "normal_ota")
_NEW_SPEC: Final = 4
_SMALL_INFO_BYTES: Final = 1  # spec 0: one byte, and the chip can only be Bee1
_INDICATED_FROM: Final = 0x278E  # the image id whose place in the indicator is 0
_INDICATED: Final = range(0x2790, 0x279A)
_BANKS: Final = {1: 0, 2: 1}  # a value of two bits, in the indicator and as active bank


@unique
class Chips(StrEnum):
    """Chip families, by the names that `firmware_protocol.images.realtek` gives them."""

    BEE1 = "bee1"
    BEE2 = "bee2"
    BBPRO = "bbpro"
    RTL87X2G = "87x2g"


# 5.6 step 6: where the data begins, by chips and protocol type. Bee2 has the first 12 bytes by
# START. What is not here would be a guess, and a wrong one shifts the whole image by 12 bytes:
# 0012 is "probably" 12, 0014 is not known, and type 0010 (0 from spec 2 on) is of chips that
# nothing here can update.
START_OFFSETS: Final[Mapping[tuple[Chips, int], int]] = {
    (Chips.BEE2, BEE): 12,
    (Chips.RTL87X2G, RTL87X2G_TYPE): 0,
}


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """FFF1 and FFF3, read together. `modes` are names; `banks` is what the layout has of them."""

    chips: Chips
    ic: int
    protocol: int
    spec: int
    modes: frozenset[str] = frozenset()
    buffer_bytes: int = 0
    control_header_offset: int = 0
    indicator: int = 0
    active_bank_code: int = 0

    @property
    def has_new_commands(self) -> bool:
        """Whether validate and activate carry a byte more (5.2)."""
        return self.chips is Chips.RTL87X2G

    def start_offset(self, reported: int) -> int:
        """From which byte the watch takes an image, by the table and what it reported.

        Raises:
            JobError: nobody knows it for this protocol type.
        """
        if reported:
            return reported
        found = START_OFFSETS.get((self.chips, self.protocol))
        if found is None:
            which = f"{self.chips} with protocol type {self.protocol:04X}"
            raise JobError("unsupported", f"from which byte {which} takes an image is not known")
        return found

    def bank_of(self, image_id: int) -> int | None:
        """The bank where the running image of this kind lies; None where it is not told."""
        if self.chips is Chips.RTL87X2G:
            return _BANKS.get(self.active_bank_code)
        if self.chips is not Chips.BEE2 or image_id not in _INDICATED:
            return None
        return _BANKS.get(self.indicator >> 2 * (image_id - _INDICATED_FROM) & 0b11)

    @property
    def facts(self) -> dict[str, int | str]:
        """For people and for scripts."""
        facts: dict[str, int | str] = {
            "chips": str(self.chips),
            "ic_type": f"{self.ic:02X}",
            "protocol_type": f"{self.protocol:04X}",
            "spec": self.spec,
            "modes": ",".join(sorted(self.modes)),
        }
        if self.buffer_bytes:
            facts["buffer_bytes"] = self.buffer_bytes
        bank = self.bank_of(0x2793)
        if bank is not None:
            facts["active_bank"] = bank
        return facts


def parse_device_info(info: bytes, protocol_type: bytes) -> DeviceInfo:
    """Read FFF1, and FFF3 where it is there (an older watch has none).

    Raises:
        DecodeError: they are of no layout that the reference has.
    """
    if len(protocol_type) not in (0, 2):
        raise DecodeError(f"a protocol type of {len(protocol_type)} bytes")
    protocol = int.from_bytes(protocol_type, "little")
    if len(info) == _SMALL_INFO_BYTES:
        return DeviceInfo(Chips.BEE1, _BEE1_CHIP, protocol, spec=0)
    chips, layout = _layout_of(info[:1], protocol)
    if len(info) != layout.sizeof():
        raise DecodeError(f"a device information of {len(info)} bytes")
    fields = layout.parse(info)
    spec = fields.spec & 0xF
    names = _NEW_MODES if spec >= _NEW_SPEC else _OLD_MODES
    return DeviceInfo(
        chips,
        fields.ic,
        protocol,
        spec,
        frozenset(name for bit, name in enumerate(names) if fields.mode >> bit & 1),
        fields.get("buffer_bytes", 0),
        fields.get("control_header_offset", 0),
        fields.get("indicator", 0),
        fields.get("active_bank", 0),
    )


def _layout_of(ic: bytes, protocol: int) -> tuple[Chips, Kind]:
    if protocol in BBPRO_TYPES:
        return Chips.BBPRO, BBPRO_INFO
    if ic == bytes((_RTL87X2G_CHIP,)):
        return Chips.RTL87X2G, RTL87X2G_INFO
    if ic and ic[0] in _BEE2_CHIPS:
        return Chips.BEE2, BEE2_INFO
    raise DecodeError(f"a device information of chip {ic.hex() or 'none'}")
