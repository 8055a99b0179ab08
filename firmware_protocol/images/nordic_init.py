"""The init packet of Nordic Secure DFU, a protobuf message (dfu.md 3.7; V2, example 7).

The message types are made at run time from the reference's table; there is no generated code. What
stands inside another message and is signed is declared as bytes, so that it is seen as it was
written.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# protobuf carries no types for the checker, and its messages get their fields at run time: `Any`
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError as WireError  # type: ignore[import-untyped]

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import signatures
from firmware_protocol.images.image import Check, Result, digest_check, verdict
from firmware_protocol.images.signatures import PublicKey

MAX_INIT_BYTES: Final = 8 * 1024  # bootloaders take 256 or 512
KINDS: Final[Mapping[int, str]] = {
    0: "application",
    1: "softdevice",
    2: "bootloader",
    3: "softdevice_bootloader",
    4: "external_application",
}
SIZE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "application": ("app_size",),
    "softdevice": ("sd_size",),
    "bootloader": ("bl_size",),
    "softdevice_bootloader": ("sd_size", "bl_size"),
    "external_application": ("app_size",),
}
_OP_INIT: Final = 1
_HASHES: Final = ("none", "crc", "sha128", "sha256", "sha512")
_VALIDATIONS: Final = ("none", "crc", "sha256", "ecdsa")
_SIGNATURE_KINDS: Final = (signatures.ECDSA_P256, signatures.ED25519)
_RAW_SIGNATURE_BYTES: Final = 64

_Field = descriptor_pb2.FieldDescriptorProto
_NUMBER, _SWITCH, _BYTES = _Field.TYPE_UINT32, _Field.TYPE_BOOL, _Field.TYPE_BYTES
# name: (number, type, is it repeated), by message, as the table of 3.7 has them
_TABLE: Final[Mapping[str, Mapping[str, tuple[int, int, bool]]]] = {
    "Packet": {"command": (1, _BYTES, False), "signed_command": (2, _BYTES, False)},
    "SignedCommand": {
        "command": (1, _BYTES, False),
        "signature_type": (2, _NUMBER, False),
        "signature": (3, _BYTES, False),
    },
    "Command": {
        "op_code": (1, _NUMBER, False),
        "init": (2, _BYTES, False),
        "reset": (3, _BYTES, False),
    },
    "InitCommand": {
        "fw_version": (1, _NUMBER, False),
        "hw_version": (2, _NUMBER, False),
        "sd_req": (3, _NUMBER, True),
        "type": (4, _NUMBER, False),
        "sd_size": (5, _NUMBER, False),
        "bl_size": (6, _NUMBER, False),
        "app_size": (7, _NUMBER, False),
        "hash": (8, _BYTES, False),
        "is_debug": (9, _SWITCH, False),
        "boot_validation": (10, _BYTES, True),
    },
    "Hash": {"hash_type": (1, _NUMBER, False), "hash": (2, _BYTES, False)},
    "BootValidation": {"type": (1, _NUMBER, False), "bytes": (2, _BYTES, False)},
}


def _message_types() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="init_packet.proto", package="ksos", syntax="proto2"
    )
    for message_name, fields in _TABLE.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind, repeated) in fields.items():
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            field = message.field.add(name=name, number=number, type=kind, label=label)
            if repeated and kind == _NUMBER:
                field.options.packed = True
    pool = descriptor_pool.DescriptorPool()  # one of our own: names cannot clash with others
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"ksos.{name}"))
        for name in _TABLE
    }


MESSAGES: Final[Mapping[str, Any]] = _message_types()


@dataclass(frozen=True, slots=True)
class SecureInit:
    """An init packet, read. `signed_bytes` are those of the InitCommand, which the signature is of.

    `digest` has the order of the bytes turned round, as hashlib gives it. `leftover` names messages
    with fields that the reference does not have, or that stand twice.
    """

    kind: str
    fw_version: int | None
    hw_version: int | None
    softdevices: tuple[int, ...]
    sizes: Mapping[str, int]
    hash_type: str
    digest: bytes
    is_debug: bool
    validations: tuple[str, ...]
    signature_kind: str | None
    signature: bytes
    signed_bytes: bytes
    leftover: tuple[str, ...]

    @property
    def facts(self) -> dict[str, object]:
        """What it says, ready for JSON."""
        return {
            "fw_version": self.fw_version,
            "hw_version": self.hw_version,
            "softdevices": [f"{number:04X}" for number in self.softdevices],
            **self.sizes,
            "hash_type": self.hash_type,
            "debug": self.is_debug,
            "boot_validation": list(self.validations),
            "signature": self.signature_kind,
        }


def decode(data: bytes) -> SecureInit:
    """Read an init packet.

    Raises:
        DecodeError: it is no protobuf message of the reference's table, or starts no update.
    """
    reader = _Reader()
    packet = reader.read("Packet", data)
    signature_kind, signature, command_bytes = None, b"", packet.command
    if packet.HasField("signed_command"):
        if packet.HasField("command"):
            reader.leftover.append("Packet")
        signed = reader.read("SignedCommand", packet.signed_command)
        signature_kind = _named(_SIGNATURE_KINDS, signed.signature_type)
        signature, command_bytes = signed.signature, signed.command
    command = reader.read("Command", command_bytes)
    if not command.HasField("init") or command.op_code != _OP_INIT:
        raise DecodeError("no init command")
    init = reader.read("InitCommand", command.init)
    digest = reader.read("Hash", init.hash)
    validations = [reader.read("BootValidation", each) for each in init.boot_validation]
    return SecureInit(
        kind=KINDS.get(init.type, f"type_{init.type}"),
        fw_version=init.fw_version if init.HasField("fw_version") else None,
        hw_version=init.hw_version if init.HasField("hw_version") else None,
        softdevices=tuple(init.sd_req),
        sizes={name: getattr(init, name) for name in ("sd_size", "bl_size", "app_size")},
        hash_type=_named(_HASHES, digest.hash_type),
        digest=digest.hash[::-1],
        is_debug=init.is_debug,
        validations=tuple(_named(_VALIDATIONS, each.type) for each in validations),
        signature_kind=signature_kind,
        signature=signature,
        signed_bytes=command.init,
        leftover=tuple(reader.leftover),
    )


def checks_of(init: SecureInit, kind: str, image: bytes, key: PublicKey | None) -> list[Check]:
    """What the bootloader will check, and that the packet is as the reference has it."""
    unknown = ", ".join(init.leftover)
    fits = init.kind == kind or (kind, init.kind) == ("application", "external_application")
    return [
        verdict(
            "init_packet", not unknown, "every field is known", f"strange fields in {unknown}", kind
        ),
        verdict("kind", fits, init.kind, f"the init packet is for {init.kind}", kind),
        _size_check(init, kind, image),
        _digest_check(init, kind, image),
        _signature_check(init, kind, key),
    ]


class _Reader:
    """Reads messages and notes those that say more than their table."""

    def __init__(self) -> None:
        self.leftover: list[str] = []

    def read(self, name: str, data: bytes) -> Any:
        message = MESSAGES[name]()
        try:
            message.ParseFromString(data)
        except WireError:
            raise DecodeError(f"no {name} of an init packet") from None
        message.DiscardUnknownFields()
        if message.SerializeToString() != data:
            self.leftover.append(name)
        return message


def _size_check(init: SecureInit, kind: str, image: bytes) -> Check:
    expected = sum(init.sizes[name] for name in SIZE_FIELDS.get(init.kind, ()))
    text = f"the init packet says {expected} bytes, the image has {len(image)}"
    return verdict("size", expected == len(image), f"{len(image)} bytes", text, kind)


def _digest_check(init: SecureInit, kind: str, image: bytes) -> Check:
    if init.hash_type in hashlib.algorithms_guaranteed:
        return digest_check(init.hash_type, image, init.digest, kind)
    if init.hash_type == "none":
        return Check("digest", Result.FAILED, "the init packet holds no digest", kind)
    text = f"of the kind {init.hash_type}, whose layout is not known"
    return Check("digest", Result.SKIPPED, text, kind)


def _signature_check(init: SecureInit, kind: str, key: PublicKey | None) -> Check:
    """*Provisional:* that Ed25519 is of the same bytes, and not reversed."""
    if init.signature_kind is None:
        return Check("unsigned", Result.FAILED, "the init packet is not signed", kind)
    if init.signature_kind not in _SIGNATURE_KINDS:
        return Check("signature", Result.FAILED, f"of {init.signature_kind}", kind)
    if key is None:
        text = f"{init.signature_kind}, not verified: no public key was given"
        return Check("signature", Result.SKIPPED, text, kind)
    if signatures.kind_of_key(key) != init.signature_kind:
        text = f"{init.signature_kind}, but the key is of {signatures.kind_of_key(key)}"
        return Check("signature", Result.FAILED, text, kind)
    signature, message = init.signature, init.signed_bytes
    if init.signature_kind == signatures.ECDSA_P256 and len(signature) == _RAW_SIGNATURE_BYTES:
        signature = signatures.der_from_raw(signature)
    digest = hashlib.sha256(message).digest()
    good = signatures.verifies(key, signature, message=message, digest=digest)
    return verdict(
        "signature", good, f"{init.signature_kind} verified", "does not fit the key", kind
    )


def _named(names: tuple[str, ...], code: int) -> str:
    return names[code] if code < len(names) else f"type_{code}"
