"""The init packet of Nordic Legacy DFU, basic and extended (dfu.md 4.4; example 9).

*Provisional:* that the SHA-256 of the extended forms stands in its own order of bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from construct import Bytes, Const, ConstructError, Int16ul, Int32ul, PrefixedArray, Struct

from firmware_protocol.checksums import crc16_ccitt_false
from firmware_protocol.errors import DecodeError
from firmware_protocol.images.image import Check, Result, digest_check, number_check, sum_check

HEAD: Final = Struct(
    "device_type" / Int16ul,
    "device_revision" / Int16ul,
    "application_version" / Int32ul,
    "softdevices" / PrefixedArray(Int16ul, Int16ul),
)
_FIXED_BYTES: Final = 10  # before the SoftDevices
_HASH_BYTES: Final = 32
# each form by what follows the SoftDevices; their sizes all differ
FORMS: Final = {
    "basic": Struct("crc16" / Int16ul),
    "extended_crc16": Struct("packet_id" / Const(0, Int32ul), "crc16" / Int16ul),
    "extended_sha256": Struct(
        "packet_id" / Const(1, Int32ul), "image_bytes" / Int32ul, "sha256" / Bytes(_HASH_BYTES)
    ),
    "extended_ecdsa": Struct(
        "packet_id" / Const(2, Int32ul),
        "image_bytes" / Int32ul,
        "sha256" / Bytes(_HASH_BYTES),
        "crc16" / Int16ul,
        "signature" / Bytes(64),
    ),
}


@dataclass(frozen=True, slots=True)
class LegacyInit:
    """A legacy init packet, read. What its form does not have is None or empty."""

    form: str
    device_type: int
    device_revision: int
    application_version: int
    softdevices: tuple[int, ...]
    crc16: int | None
    image_bytes: int | None
    sha256: bytes
    is_signed: bool

    @property
    def facts(self) -> dict[str, object]:
        """What it says, ready for JSON."""
        return {
            "init_form": self.form,
            "device_type": f"{self.device_type:04X}",
            "device_revision": f"{self.device_revision:04X}",
            "application_version": f"{self.application_version:08X}",
            "softdevices": [f"{number:04X}" for number in self.softdevices],
        }


def decode(data: bytes) -> LegacyInit:
    """Read a legacy init packet.

    Raises:
        DecodeError: its length fits none of the forms.
    """
    try:
        head = HEAD.parse(data)
        rest = data[_FIXED_BYTES + 2 * len(head.softdevices) :]
        form, tail = _tail(rest)
    except ConstructError:
        raise DecodeError("no legacy init packet") from None
    return LegacyInit(
        form=form,
        device_type=head.device_type,
        device_revision=head.device_revision,
        application_version=head.application_version,
        softdevices=tuple(head.softdevices),
        crc16=tail.get("crc16"),
        image_bytes=tail.get("image_bytes"),
        sha256=tail.get("sha256", b""),
        is_signed="signature" in tail,
    )


def checks_of(init: LegacyInit, kind: str, image: bytes) -> list[Check]:
    """What the bootloader will check of the image."""
    checks = []
    if init.crc16 is not None:
        checks.append(sum_check("crc", crc16_ccitt_false(image), init.crc16, kind, digits=4))
    if init.image_bytes is not None:
        checks.append(number_check("size", "bytes:", len(image), init.image_bytes, kind))
        checks.append(digest_check("sha256", image, init.sha256, kind))
    return checks


def manifest_check(init: LegacyInit, said: Mapping[str, object], kind: str) -> Check:
    """Compare with what a manifest says of the packet (`init_packet_data`, dfu.md 4.5)."""
    real: dict[str, object] = {
        "application_version": init.application_version,
        "device_revision": init.device_revision,
        "device_type": init.device_type,
        "firmware_crc16": init.crc16,
        "softdevice_req": list(init.softdevices),
    }
    wrong = [name for name, value in said.items() if name in real and real[name] != value]
    if wrong:
        text = f"the manifest and the init packet differ in {', '.join(wrong)}"
        return Check("manifest", Result.FAILED, text, kind)
    return Check("manifest", Result.PASSED, "says the same as the init packet", kind)


def _tail(rest: bytes) -> tuple[str, Any]:  # construct's containers are untyped
    for form, layout in FORMS.items():
        if layout.sizeof() == len(rest):
            return form, layout.parse(rest)
    raise DecodeError("a legacy init packet of none of the known lengths")
