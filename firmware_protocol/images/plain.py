"""A plain binary with a sidecar manifest beside it: our own form, for images that say nothing.

The sidecar is TOML or JSON, named like the image with one more ending: `app.bin.toml` or
`app.bin.json`. Its fields: `product`, `version` (texts), `size_bytes`, `sha256` (64 hex digits),
and, if known, `transport` and `notes`. Any other field is refused.
"""

import string
import tomllib
from dataclasses import dataclass
from typing import Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.images import strict_json
from firmware_protocol.images.image import (
    Check,
    ImageInfo,
    ImagePart,
    digest_check,
    length_check,
    shown,
    unsigned_check,
    verdict,
)
from firmware_protocol.images.signatures import PublicKey

FORMAT: Final = "plain"
MAX_SIDECAR_BYTES: Final = 64 * 1024
ENDINGS: Final = (".toml", ".json")
TRANSPORTS: Final = ("ido-d1", "smp", "realtek")  # those that need no init packet
_FIELDS: Final = {
    "product": str,
    "version": str,
    "size_bytes": int,
    "sha256": str,
    "transport": str,
    "notes": str,
}
_NEEDED: Final = ("product", "version", "size_bytes", "sha256")
_SHA256_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar manifest says of the binary beside it."""

    product: str
    version: str
    size_bytes: int
    sha256: str
    transport: str = ""
    notes: str = ""

    @property
    def facts(self) -> dict[str, object]:
        """What it says, ready for JSON; what it leaves out is left out."""
        told = {name: getattr(self, name) for name in ("product", "version", "transport", "notes")}
        return {name: value for name, value in told.items() if value}


def read_sidecar(data: bytes, name: str) -> Sidecar:
    """Read a sidecar manifest; its name tells JSON from TOML.

    Raises:
        DecodeError: it is neither, a field is missing, unknown or of the wrong kind.
    """
    values = _values(data, name)
    for field, value in values.items():
        kind = _FIELDS.get(field)
        if kind is None:
            known = ", ".join(_FIELDS)
            raise DecodeError(f"{shown(field)} is no field of a sidecar manifest: {known}")
        if type(value) is not kind:
            raise DecodeError(f"{field} of the sidecar manifest is no {kind.__name__}")
    if missing := [field for field in _NEEDED if not values.get(field)]:
        raise DecodeError(f"the sidecar manifest lacks {', '.join(missing)}")
    digest = str(values["sha256"]).lower()
    if len(digest) != _SHA256_DIGITS or not set(digest) <= set(string.hexdigits):
        raise DecodeError("sha256 of the sidecar manifest is not 64 hex digits")
    size_bytes = values["size_bytes"]
    if not isinstance(size_bytes, int) or size_bytes < 0:
        raise DecodeError("size_bytes of the sidecar manifest is negative")
    return Sidecar(
        str(values["product"]),
        str(values["version"]),
        size_bytes,
        digest,
        str(values.get("transport", "")),
        str(values.get("notes", "")),
    )


def checks_of(data: bytes, sidecar: Sidecar, transport: str) -> list[Check]:
    """Compare a file of any format, which goes over `transport`, with the sidecar beside it."""
    checks = [
        length_check(data, sidecar.size_bytes, "sidecar"),
        digest_check("sha256", data, bytes.fromhex(sidecar.sha256), "sidecar"),
    ]
    if sidecar.transport and transport:
        fits = sidecar.transport == transport
        text = f"the file goes over {transport}, its sidecar says {shown(sidecar.transport)}"
        checks.append(verdict("transport", fits, transport, text, "sidecar"))
    return checks


def read(data: bytes, name: str, sidecar: Sidecar, key: PublicKey | None = None) -> ImageInfo:
    """A binary of which only its sidecar tells anything."""
    part = ImagePart(name, "application", data, b"", sidecar.version, {"sha256": sidecar.sha256})
    refusal = ""
    if sidecar.transport and sidecar.transport not in TRANSPORTS:
        named = shown(sidecar.transport)
        refusal = f"its sidecar names the transport {named}, which takes no plain binary"
    return ImageInfo(
        FORMAT,
        "" if refusal else sidecar.transport,
        (part,),
        {},
        (unsigned_check(key, "a plain binary"),),
        refusal,
    )


def _values(data: bytes, name: str) -> dict[str, object]:
    if len(data) > MAX_SIDECAR_BYTES:
        raise DecodeError(f"a sidecar manifest of more than {MAX_SIDECAR_BYTES} bytes")
    if name.lower().endswith(".json"):
        values = strict_json.read(data, "the sidecar manifest")
    else:
        values = _toml(data)
    if not isinstance(values, dict):
        raise DecodeError("the sidecar manifest is no table")
    return values


def _toml(data: bytes) -> object:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise DecodeError("the sidecar manifest is no TOML") from None
