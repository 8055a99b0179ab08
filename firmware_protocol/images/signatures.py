"""Signatures of images, verified with a public key that somebody gave."""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from firmware_protocol.errors import DecodeError

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

ECDSA_P256: Final = "ECDSA P-256"
ED25519: Final = "Ed25519"
RSA_2048: Final = "RSA-2048 PSS"
RSA_3072: Final = "RSA-3072 PSS"
_RAW_SIGNATURE_BYTES: Final = 64


def public_key_from_pem(pem: bytes) -> PublicKey:
    """Read a public key of a kind that some image format uses.

    Raises:
        DecodeError: it is no PEM, a private key, or of another kind.
    """
    if b"PRIVATE KEY" in pem:
        raise DecodeError("that is a private key; only the public one is needed")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise DecodeError("that is no public key in PEM form") from None
    if isinstance(key, PublicKey) and kind_of_key(key) is not None:
        return key
    raise DecodeError("that key is none of ECDSA P-256, Ed25519, RSA-2048, RSA-3072")


def kind_of_key(key: object) -> str | None:
    """Which kind of signature a key verifies; None where no image format has that kind."""
    match key:
        case EllipticCurvePublicKey(curve=SECP256R1()):
            return ECDSA_P256
        case Ed25519PublicKey():
            return ED25519
        case RSAPublicKey(key_size=2048):
            return RSA_2048
        case RSAPublicKey(key_size=3072):
            return RSA_3072
        case _:
            return None


def key_digest(key: PublicKey) -> bytes:
    """SHA-256 of a public key's DER bytes, as images name the key they were signed with."""
    form = (
        PublicFormat.PKCS1 if isinstance(key, RSAPublicKey) else PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(key.public_bytes(Encoding.DER, form)).digest()


def der_from_raw(signature: bytes) -> bytes:
    """ECDSA as DER, from R then S of 32 bytes, each stored byte-reversed (dfu.md 3.7)."""
    half = _RAW_SIGNATURE_BYTES // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "little"), int.from_bytes(signature[half:], "little")
    )


def unpadded_der(signature: bytes) -> bytes:
    """A DER signature without the zeros that some signing tools fill it up with."""
    end = 2 + signature[1] if len(signature) > 1 else 0
    return signature[:end] if not any(signature[end:]) else signature


def verifies(key: PublicKey, signature: bytes, *, message: bytes, digest: bytes) -> bool:
    """Whether `signature` fits.

    ECDSA (DER) and RSA sign `digest`, the SHA-256 of what is protected; Ed25519 signs `message`.
    """
    sha256 = Prehashed(hashes.SHA256())
    try:
        match key:
            case EllipticCurvePublicKey():
                key.verify(signature, digest, ECDSA(sha256))
            case Ed25519PublicKey():
                key.verify(signature, message)
            case _:
                salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
                key.verify(signature, digest, salted, sha256)
    except InvalidSignature:
        return False
    return True
