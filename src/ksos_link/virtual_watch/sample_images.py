"""Made-up firmware files of every format, which virtual watches take and no real watch would start.

Each is packed here from the references' tables and not by the readers' code. It carries the mark of
its version, a text that says what it is, and bytes that a seed decides, so the same call gives the
same file everywhere. What has a place for a signature is signed with a key that everybody has.
"""

import binascii
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware_protocol.updates.loader import firmware_mark

LARGEST_VERSION: Final = 255  # ido.md, 02 01: an A200 tells its firmware in one byte
HARDWARE_VERSION: Final = 52  # dfu.md 12, example 7
SOFTDEVICES: Final = (0x0100, 0xFFFE)  # example 7, and any (dfu.md 3.7)
LEGACY_DEVICE_TYPE: Final = 0x0001  # not 0052: that is InfiniTime's (dfu.md 4.5)
BEE2_DEVICE_ID: Final = 0x0214  # of the captured A200, which the virtual watches play
BOARD: Final = "virtual"

_NOTICE: Final = b"Made up for tests of ksos-link. No watch would start it.\n"
# Secret from nobody: it only shows that signatures are carried and verified.
_KEY: Final = ec.derive_private_key(0x6B736F73, ec.SECP256R1())


def sample_image(kind: str, version: int, size_bytes: int, seed: int = 0) -> bytes:
    """A file of one of `SAMPLE_KINDS`.

    Args:
        kind: the format.
        version: 0 to 255, what a virtual watch calls its firmware once it runs this.
        size_bytes: of what goes to the watch; a package around it comes on top.
        seed: decides the bytes behind the mark.

    Raises:
        ValueError: the version has no room in a byte, or the size none for the head and the mark.
    """
    if not 0 <= version <= LARGEST_VERSION:
        raise ValueError(f"no version between 0 and {LARGEST_VERSION}: {version}")
    return SAMPLE_KINDS[kind](version, size_bytes, seed)


def sample_public_key() -> bytes:
    """The PEM of the key that verifies the signatures of all sample images."""
    return _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _body(version: int, size_bytes: int, seed: int) -> bytes:
    """What stands for the code of an application."""
    mark = firmware_mark(version)
    if size_bytes < len(mark):
        raise ValueError(f"{len(mark) - size_bytes} bytes more are needed")
    filler = hashlib.shake_256(b"%d %d" % (seed, version)).digest(size_bytes)
    return (mark + _NOTICE + filler)[:size_bytes]


def _sign(message: bytes) -> bytes:
    """An ECDSA signature in DER. It has no random part, so that files come out the same."""
    return _KEY.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def _package(image: bytes, init: bytes, **fields: object) -> bytes:
    """A Nordic zip (dfu.md 3.8), stored: the filler cannot be packed."""
    names = {"bin_file": "application.bin", "dat_file": "application.dat"}
    manifest = json.dumps({"manifest": {"application": names, **fields}}, indent=1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in (
            ("manifest.json", manifest.encode()),
            (names["bin_file"], image),
            (names["dat_file"], init),
        ):
            archive.writestr(zipfile.ZipInfo(name), data)  # of no particular day
    return out.getvalue()


def _nordic_secure(version: int, size_bytes: int, seed: int) -> bytes:
    """dfu.md 3.7: a signed init packet with the reversed SHA-256 of the image."""
    image = _body(version, size_bytes, seed)
    digest = hashlib.sha256(image).digest()[::-1]
    init = (
        _field(1, version)
        + _field(2, HARDWARE_VERSION)
        + _field(3, b"".join(_varint(number) for number in SOFTDEVICES))
        + b"".join(_field(number, 0) for number in (4, 5, 6))
        + _field(7, len(image))
        + _field(8, _field(1, 3) + _field(2, digest))
        + _field(9, 0)
    )
    r, s = decode_dss_signature(_sign(init))
    signature = r.to_bytes(32, "little") + s.to_bytes(32, "little")
    command = _field(1, 1) + _field(2, init)
    packet = _field(2, _field(1, command) + _field(2, 0) + _field(3, signature))
    return _package(image, packet)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _field(number: int, value: int | bytes) -> bytes:
    """One protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _nordic_legacy(version: int, size_bytes: int, seed: int) -> bytes:
    """dfu.md 4.4: an init packet of the basic form."""
    image = _body(version, size_bytes, seed)
    head = struct.pack("<HHI", LEGACY_DEVICE_TYPE, 0xFFFF, version)
    head += struct.pack("<HHH", 1, 0xFFFE, binascii.crc_hqx(image, 0xFFFF))
    return _package(image, head, dfu_version=0.5)


def _mcuboot(version: int, size_bytes: int, seed: int) -> bytes:
    """dfu.md 6.4: header, image, and TLVs with the SHA-256, the key's and an ECDSA signature."""
    signature_bytes = 72  # the longest; shorter ones are padded with zeros
    tlv_bytes = 4 + (4 + 32) * 2 + 4 + signature_bytes
    body = _body(version, size_bytes - 32 - tlv_bytes, seed)
    head = struct.pack("<IIHHII", 0x96F3B83D, 0, 32, 0, len(body), 0)
    signed = head + struct.pack("<BBHII", version, 0, 0, 0, 0) + body
    digest = hashlib.sha256(signed).digest()
    key = _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    prehashed = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
    signature = _KEY.sign(digest, prehashed).ljust(signature_bytes, b"\0")
    entries = ((0x10, digest), (0x01, hashlib.sha256(key).digest()), (0x22, signature))
    tlvs = b"".join(struct.pack("<BBH", tlv, 0, len(value)) + value for tlv, value in entries)
    return signed + struct.pack("<HH", 0x6907, tlv_bytes) + tlvs


def _realtek_bee2(version: int, size_bytes: int, seed: int) -> bytes:
    """dfu.md 5.5: an application of the Bee2 family, of 1024 bytes of header and its payload.

    *Provisional:* that the SHA-256 in the header is of the payload alone.
    """
    payload = _body(version, size_bytes - 1024, seed)
    head = struct.pack("<BBHHHI", 0x05, 0, 0x0081, 0x2793, 0, len(payload))
    head += bytes(16 + 4 * 4 + 4 + 4 + 16 + 28)
    head += struct.pack("<II8s", 1 | version << 4 | BEE2_DEVICE_ID << 12, 0, BOARD.encode())
    head += bytes(260) + hashlib.sha256(payload).digest()
    return head.ljust(1024, b"\0") + payload


def _ido_fw(version: int, size_bytes: int, seed: int) -> bytes:
    """ido.md 11.2: the `.fw` of an 845."""
    body = _body(version, size_bytes - 8, seed)
    return struct.pack("<II", len(body), zlib.crc32(body)) + body


def _actions_aota(version: int, size_bytes: int, seed: int) -> bytes:
    """ido.md 11.2: an `AOTA` file with the two files that the reference saw."""
    note = b'<ota version="%d"/>\n' % version
    files = (("ota.xml", note), ("TEMP.bin", _body(version, size_bytes - 1024 - len(note), seed)))
    body, table = b"", b""
    for name, data in files:
        at = 1024 + len(body)
        table += struct.pack("<16sIIII", name.encode(), at, len(data), 0, zlib.crc32(data))
        body += data
    head = struct.pack("<HHHHHH", 0x0100, 1024, len(files), 0, 0x200, 0x0400)
    head = (head + struct.pack("<II", 1024 + len(body), zlib.crc32(body))).ljust(0x38, b"\0")
    head += struct.pack("<32s32s", f"{version}.00.00".encode(), BOARD.encode())
    head = (head.ljust(0x200 - 8, b"\0") + table).ljust(1024 - 8, b"\0")
    return b"AOTA" + struct.pack("<I", zlib.crc32(head)) + head + body


SAMPLE_KINDS: Final[Mapping[str, Callable[[int, int, int], bytes]]] = {
    "nordic-secure": _nordic_secure,
    "nordic-legacy": _nordic_legacy,
    "mcuboot": _mcuboot,
    "realtek-bee2": _realtek_bee2,
    "ido-fw": _ido_fw,
    "actions-aota": _actions_aota,
}
