"""How a virtual Nordic bootloader judges an init packet (dfu.md 3.4, 3.7; V2).

It reads protobuf by its own few lines, as the companion's side has its own reader.
*Provisional:* which error a packet gets that lacks a field (04), is not signed well (result 06), or
is for an external application (04).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

APPLICATION: Final = 0
SOFTDEVICE: Final = 1
BOOTLOADER: Final = 2  # and 3 is both
_SIZE_FIELDS: Final = {0: (7,), 1: (5,), 2: (6,), 3: (5, 6)}  # of InitCommand, by its type
_OP_INIT: Final = 1
_SHA256: Final = 3
_DIGEST_BYTES: Final = 32
_ECDSA_P256: Final = 0
_SIGNATURE_BYTES: Final = 64
_ANY_SOFTDEVICE: Final = 0xFFFE
_VARINT: Final = 0
_BYTES: Final = 2

# results, and what follows result 0B (3.4)
INVALID_SIGNATURE: Final = b"\x06"
_INIT_INVALID: Final = b"\x0b\x04"
_VERSION_TOO_LOW: Final = b"\x0b\x05"
_OTHER_HARDWARE: Final = b"\x0b\x06"
_OTHER_SOFTDEVICE: Final = b"\x0b\x07"
_SIGNATURE_MISSING: Final = b"\x0b\x08"
_WRONG_HASH_TYPE: Final = b"\x0b\x09"
_WRONG_SIGNATURE_TYPE: Final = b"\x0b\x0b"
_NO_SPACE: Final = b"\x0b\x0d"


@dataclass(frozen=True, slots=True)
class SecureTraits:
    """What a virtual bootloader is like.

    With two banks the old application lives until the new one is whole; with one it is erased by
    the first byte of an image. Without a key every init packet is taken, signed or not.
    """

    hardware_version: int = 52  # dfu.md 12, example 7, as the SoftDevice
    softdevice: int = 0x0100
    bootloader_version: int = 1
    command_bytes: int = 512
    bank_bytes: int = 4 * 1024 * 1024
    dual_bank: bool = False
    public_key: EllipticCurvePublicKey | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a good init packet announces: an image of this kind, size and SHA-256."""

    kind: int
    version: int
    size_bytes: int
    digest: bytes


class InitRefusedError(Exception):
    """`code` is the result, with the extended error where there is one."""

    def __init__(self, code: bytes) -> None:
        super().__init__(code.hex())
        self.code = code


def read_order(
    packet: bytes, traits: SecureTraits, application_version: int, bootloader_version: int
) -> Order:
    """Judge an init packet as the bootloader does before it takes any of the image.

    Raises:
        InitRefusedError: with the code of the first fault.
    """
    try:
        command = _command_of(packet, traits.public_key)
        if _number(command, 1) != _OP_INIT:
            raise InitRefusedError(_INIT_INVALID)
        init = _fields(_bytes(command, 2))
        digest = _digest_of(_fields(_bytes(init, 8)))
        order = Order(_number(init, 4), _number(init, 1, 0), _size_of(init), digest)
        _check_versions(init, order, traits, application_version, bootloader_version)
    except (LookupError, ValueError):
        raise InitRefusedError(_INIT_INVALID) from None
    if order.size_bytes > traits.bank_bytes:
        raise InitRefusedError(_NO_SPACE)
    return order


_Fields = dict[int, list[int | bytes]]


def _command_of(packet: bytes, key: EllipticCurvePublicKey | None) -> _Fields:
    outer = _fields(packet)
    if 2 not in outer:
        if key is not None:
            raise InitRefusedError(_SIGNATURE_MISSING)
        return _fields(_bytes(outer, 1))
    signed = _fields(_bytes(outer, 2))
    command = _fields(_bytes(signed, 1))
    if key is not None:
        if _number(signed, 2) != _ECDSA_P256:
            raise InitRefusedError(_WRONG_SIGNATURE_TYPE)
        _check_signature(key, _bytes(signed, 3), _bytes(command, 2))
    return command


def _check_signature(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """R then S of 32 bytes, each turned round; of the InitCommand alone (3.7)."""
    if len(signature) != _SIGNATURE_BYTES:
        raise InitRefusedError(INVALID_SIGNATURE)
    half = _SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(part[::-1]) for part in (signature[:half], signature[half:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise InitRefusedError(INVALID_SIGNATURE) from None


def _digest_of(message: _Fields) -> bytes:
    if _number(message, 1) != _SHA256:
        raise InitRefusedError(_WRONG_HASH_TYPE)
    digest = _bytes(message, 2)[::-1]
    if len(digest) != _DIGEST_BYTES:
        raise InitRefusedError(_INIT_INVALID)
    return digest


def _size_of(init: _Fields) -> int:
    size_bytes = sum(_number(init, number, 0) for number in _SIZE_FIELDS[_number(init, 4)])
    if not size_bytes:
        raise InitRefusedError(_INIT_INVALID)
    return size_bytes


def _check_versions(
    init: _Fields,
    order: Order,
    traits: SecureTraits,
    application_version: int,
    bootloader_version: int,
) -> None:
    """The rules of 3.7; none is given for a SoftDevice alone."""
    if _number(init, 2) != traits.hardware_version:
        raise InitRefusedError(_OTHER_HARDWARE)
    if not {traits.softdevice, _ANY_SOFTDEVICE} & set(_softdevices(init)):
        raise InitRefusedError(_OTHER_SOFTDEVICE)
    if order.kind == SOFTDEVICE:
        return
    lowest = application_version if order.kind == APPLICATION else bootloader_version + 1
    if _number(init, 1) < lowest:
        raise InitRefusedError(_VERSION_TOO_LOW)


def _softdevices(init: _Fields) -> Iterator[int]:
    """Field 3, packed into bytes or one by one."""
    for value in init[3]:
        if isinstance(value, int):
            yield value
            continue
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            yield number


def _number(fields: _Fields, number: int, default: int | None = None) -> int:
    """The last value of a field, as protobuf has it."""
    match fields.get(number, [default])[-1]:
        case int(value):
            return value
    raise ValueError(f"field {number} is no number")


def _bytes(fields: _Fields, number: int) -> bytes:
    match fields.get(number, [0])[-1]:
        case bytes(value):
            return value
    raise ValueError(f"field {number} is no message")


def _fields(message: bytes) -> _Fields:
    """Take a protobuf message apart into its fields by number; it knows the two kinds it needs."""
    found: defaultdict[int, list[int | bytes]] = defaultdict(list)
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 0x07 == _VARINT:
            found[key >> 3].append(value)
        elif key & 0x07 == _BYTES and at + value <= len(message):
            found[key >> 3].append(message[at : at + value])
            at += value
        else:
            raise ValueError("a field of another kind, or cut short")
    return dict(found)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first; and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number without an end")
