"""Firmware images of every transport, read offline: what they are, and whether they are whole."""

from firmware_protocol.images.image import (
    MAX_FILE_BYTES,
    MAX_PART_BYTES,
    MAX_PARTS,
    Check,
    ImageInfo,
    ImagePart,
    Result,
    problems,
)
from firmware_protocol.images.plain import ENDINGS as SIDECAR_ENDINGS
from firmware_protocol.images.plain import MAX_SIDECAR_BYTES, Sidecar, read_sidecar
from firmware_protocol.images.recognise import read_image
from firmware_protocol.images.signatures import PublicKey, public_key_from_pem

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PARTS",
    "MAX_PART_BYTES",
    "MAX_SIDECAR_BYTES",
    "SIDECAR_ENDINGS",
    "Check",
    "ImageInfo",
    "ImagePart",
    "PublicKey",
    "Result",
    "Sidecar",
    "problems",
    "public_key_from_pem",
    "read_image",
    "read_sidecar",
]
