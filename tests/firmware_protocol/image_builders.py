"""Synthetic firmware files of every format, packed from the references' tables by their own code.

Nothing here uses the readers under test. No vendor's file was ever looked at for it.
"""

import binascii
import hashlib
import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BODY = bytes(range(256))  # of the worked examples
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def pem_of(key: PrivateKey) -> bytes:
    """The public half, as a file of a release folder holds it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# ---- MCUboot (dfu.md 6.4)


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("<BBH", kind, 0, len(value)) + value


def tlv_area(magic: int, entries: bytes) -> bytes:
    return struct.pack("<HH", magic, 4 + len(entries)) + entries


def mcuboot_header(
    body_bytes: int,
    *,
    version: tuple[int, int, int, int] = (1, 2, 3, 4),
    flags: int = 0,
    protected_bytes: int = 0,
    header_bytes: int = 32,
) -> bytes:
    head = struct.pack(
        "<4sIHHIIBBHII",
        bytes.fromhex("3db8f396"),
        *(0, header_bytes, protected_bytes, body_bytes, flags, *version, 0),
    )
    return head.ljust(header_bytes, b"\0")


def mcuboot_image(
    body: bytes = BODY,
    *,
    key: PrivateKey | None = None,
    protected: bytes = b"",
    extra: bytes = b"",
    flags: int = 0,
    version: tuple[int, int, int, int] = (1, 2, 3, 4),
    header_bytes: int = 32,
    pure: bool = False,
    algorithm: str = "sha256",
) -> bytes:
    """An image with its digest; signed where there is a key."""
    area = tlv_area(0x6908, protected) if protected else b""
    signed = (
        mcuboot_header(
            len(body),
            version=version,
            flags=flags,
            protected_bytes=len(area),
            header_bytes=header_bytes,
        )
        + body
        + area
    )
    digest = hashlib.new(algorithm, signed).digest()
    entries = tlv({"sha256": 0x10, "sha384": 0x11, "sha512": 0x12}[algorithm], digest)
    if key is not None:
        entries += tlv(0x01, key_hash(key))
        entries += mcuboot_signature(key, digest, signed if pure else digest)
        entries += tlv(0x25, b"\1") if pure else b""
    return signed + tlv_area(0x6907, entries + extra)


def key_hash(key: PrivateKey) -> bytes:
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    form = PublicFormat.PKCS1 if is_rsa else PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(Encoding.DER, form)).digest()


def mcuboot_signature(key: PrivateKey, digest: bytes, message: bytes) -> bytes:
    prehashed = utils.Prehashed(hashes.SHA256())
    match key:
        case ec.EllipticCurvePrivateKey():
            return tlv(0x22, key.sign(digest, ec.ECDSA(prehashed)) + b"\0\0")
        case ed25519.Ed25519PrivateKey():
            return tlv(0x24, key.sign(message))
        case _:
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            return tlv(0x20 if key.key_size == 2048 else 0x23, key.sign(digest, salted, prehashed))


# ---- Nordic (dfu.md 3.7, 3.8, 4.4, 4.5)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def field(number: int, value: int | bytes) -> bytes:
    """One protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


@dataclass
class InitFields:
    """What a Secure DFU init packet says; the defaults are those of example 7."""

    fw_version: int | None = 1
    hw_version: int | None = 52
    softdevices: Sequence[int] = (0x0100,)
    type: int = 0
    sd_size: int = 0
    bl_size: int = 0
    app_size: int = 256
    hash_type: int = 3
    digest: bytes | None = None
    validations: Sequence[int] = ()
    signature_type: int = 0
    op_code: int = 1


def init_command(said: InitFields, image: bytes) -> bytes:
    digest = said.digest
    if digest is None:
        digest = {3: hashlib.sha256, 4: hashlib.sha512}.get(said.hash_type, hashlib.sha256)(
            image
        ).digest()[::-1]
    out = b"" if said.fw_version is None else field(1, said.fw_version)
    out += b"" if said.hw_version is None else field(2, said.hw_version)
    out += field(3, b"".join(map(varint, said.softdevices)))
    out += field(4, said.type) + field(5, said.sd_size) + field(6, said.bl_size)
    out += field(7, said.app_size)
    out += field(8, field(1, said.hash_type) + field(2, digest)) + field(9, 0)
    return out + b"".join(field(10, field(1, kind) + field(2, b"")) for kind in said.validations)


def secure_init(
    image: bytes = BODY,
    said: InitFields | None = None,
    *,
    key: PrivateKey | None = None,
    signature: bytes | None = bytes(64),
) -> bytes:
    """An init packet; with no signature at all where `signature` is None."""
    said = said or InitFields(app_size=len(image))
    init = init_command(said, image)
    command = field(1, said.op_code) + field(2, init)
    if signature is None:
        return field(1, command)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        said.signature_type, signature = 1, key.sign(init)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(key.sign(init, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "little") + s.to_bytes(32, "little")
    return field(2, field(1, command) + field(2, said.signature_type) + field(3, signature))


def legacy_init(
    image: bytes = BODY,
    *,
    form: str = "basic",
    device_type: int = 0x0052,
    softdevices: Sequence[int] = (0x0064,),
) -> bytes:
    head = struct.pack("<HHI", device_type, 0xFFFF, 0xFFFFFFFF)
    head += struct.pack(f"<H{len(softdevices)}H", len(softdevices), *softdevices)
    crc = struct.pack("<H", binascii.crc_hqx(image, 0xFFFF))
    hashed = struct.pack("<I", len(image)) + hashlib.sha256(image).digest()
    tails = {
        "basic": crc,
        "extended_crc16": struct.pack("<I", 0) + crc,
        "extended_sha256": struct.pack("<I", 1) + hashed,
        "extended_ecdsa": struct.pack("<I", 2) + hashed + crc + bytes(64),
    }
    return head + tails[form]


def zip_of(
    members: Sequence[tuple[str, bytes]] | Mapping[str, bytes], *, packed: bool = True
) -> bytes:
    """An archive; a sequence may hold a name twice."""
    pairs = members.items() if isinstance(members, Mapping) else members
    target = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name twice is what some tests want
        for name, data in pairs:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def nordic_zip(
    images: Mapping[str, tuple[bytes, bytes]],
    *,
    extra_fields: Mapping[str, object] | None = None,
    extra_entries: Mapping[str, object] | None = None,
    extra_members: Mapping[str, bytes] | None = None,
) -> bytes:
    """A package of kinds with their image and init packet; extra fields go to every kind."""
    manifest: dict[str, object] = {}
    members: dict[str, bytes] = {}
    for kind, (image, init) in images.items():
        names = {"bin_file": f"{kind}.bin", "dat_file": f"{kind}.dat"}
        manifest[kind] = {**names, **(extra_fields or {})}
        members |= {names["bin_file"]: image, names["dat_file"]: init}
    manifest |= extra_entries or {}
    text = json.dumps({"manifest": manifest}).encode()
    return zip_of({"manifest.json": text, **members, **(extra_members or {})})


def secure_zip(
    image: bytes = BODY,
    said: InitFields | None = None,
    *,
    key: PrivateKey | None = None,
    kind: str = "application",
) -> bytes:
    return nordic_zip({kind: (image, secure_init(image, said, key=key))})


def infinitime_zip(image: bytes | None = None, **changes: object) -> bytes:
    """A legacy package with an MCUboot image inside (4.5); `changes` are of its packet data."""
    image = mcuboot_image(version=(1, 14, 0, 0)) if image is None else image
    said = {
        "application_version": 0xFFFFFFFF,
        "device_revision": 0xFFFF,
        "device_type": 0x52,
        "firmware_crc16": binascii.crc_hqx(image, 0xFFFF),
        "softdevice_req": [0x64],
    }
    return nordic_zip(
        {"application": (image, legacy_init(image))},
        extra_fields={"init_packet_data": said | changes},
        extra_entries={"dfu_version": 0.5},
    )


# ---- IDO (ido.md 11.2)


def ido_fw(body: bytes = BODY) -> bytes:
    return struct.pack("<II", len(body), zlib.crc32(body)) + body


def aota(
    files: Sequence[tuple[str, bytes]] = (("ota.xml", b"<ota/>"), ("TEMP.bin", BODY)),
    *,
    version: str = "1.02.07",
    board: str = "board_a",
    table_at: int = 0x200,
    from_start: bool = True,
    head_bytes: int = 0x400,
) -> bytes:
    """An `AOTA` file; its offsets count from its start, or from the end of the head."""
    body, table = b"", b""
    for name, data in files:
        at = len(body) + (1024 if from_start else 0)
        table += struct.pack("<16sIIII", name.encode(), at, len(data), 0, zlib.crc32(data))
        body += data
    head = struct.pack("<HHHHHH", 0x0100, head_bytes, len(files), 0, table_at, 0x0400)
    head += struct.pack("<II", 1024 + len(body), zlib.crc32(body))
    head = head.ljust(0x40 - 8, b"\0") + struct.pack("<32s32s", version.encode(), board.encode())
    head = (head.ljust(table_at - 8, b"\0") + table).ljust(1016, b"\0")[:1016]
    return b"AOTA" + struct.pack("<I", zlib.crc32(head)) + head + body


# ---- Realtek (dfu.md 5.5, 5.7, 5.8)


def version_word(major: int, minor: int, revision: int, build: int) -> int:
    return major | minor << 4 | revision << 12 | build << 27


def realtek_bee2(
    payload: bytes = BODY,
    *,
    image_id: int = 0x2793,
    ic: int = 5,
    crc16: int = 0x1234,
    flags: int = 0x0081,
    version: int = version_word(1, 2, 3, 4),
) -> bytes:
    head = struct.pack("<BBHHHI", ic, 0, flags, image_id, crc16, len(payload))
    head += bytes(16) + struct.pack("<IIII", 0, 0, 0, 0) + bytes(4 + 4 + 16 + 28)
    head += struct.pack("<II", version, 0) + b"app\0\0\0\0\0" + bytes(260)
    head += hashlib.sha256(payload).digest()
    return head.ljust(1024, b"\0") + payload


def realtek_87x2g(
    payload: bytes = BODY, *, image_id: int = 0x37A9, offset: int = 0, flags: int = 0
) -> bytes:
    head = struct.pack("<HBBHHI", 0, 0x0F, 0, flags, image_id, len(payload))
    return (bytes(offset) + head).ljust(1280, b"\0") + payload


def realtek_bbpro(payload: bytes = BODY, *, image_id: int = 0x0300) -> bytes:
    head = struct.pack("<BBHHHI", 4, 0, image_id, 7, 0x1234, len(payload))
    return head.ljust(1024, b"\0") + payload


def realtek_bee1(payload: bytes = BODY, *, image_id: int = 0x0200) -> bytes:
    head = struct.pack("<HHHHHBB", 0, image_id, 7, 0x1234, len(payload) // 4, 0, 0)
    return head.ljust(1024, b"\0") + payload


def realtek_pack(
    images: Mapping[int, bytes], *, pack_version: int = 2, is_long: bool = False, flags: int = 0x80
) -> bytes:
    """A pack of images by their bit of the bitmap."""
    size = 4 if pack_version <= 1 else 32
    directory = b"".join(
        struct.pack("<QQI" if is_long else "<III", 0x800000, len(image), 0)
        for _, image in sorted(images.items())
    )
    rest = struct.pack("<H", pack_version | (0x10 if is_long else 0) | flags | 5 << 8)
    rest += bytes(32) if pack_version > 4 else b""
    rest += sum(1 << bit for bit in images).to_bytes(size, "little") + directory
    rest += b"".join(image for _, image in sorted(images.items()))
    return b"GM" + struct.pack("<I", 38 + len(rest)) + hashlib.sha256(rest).digest() + rest


# ---- a plain binary's sidecar


def sidecar_toml(data: bytes, **changes: object) -> bytes:
    values: dict[str, object] = {
        "product": "Example Watch 2",
        "version": "1.4.0",
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    values |= changes
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()).encode()
