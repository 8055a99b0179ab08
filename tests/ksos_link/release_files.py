"""Release folders for tests: manifests written by their own code, beside made-up images."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tests.firmware_protocol import image_builders as build

IMAGE = build.mcuboot_image()


def toml_of(value: object) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {toml_of(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_of, value)) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def entry(name: str, data: bytes, **more: object) -> dict[str, object]:
    """A file as a manifest lists it."""
    return {
        "name": name,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **more,
    }


def manifest(version: str = "1.10", **changes: object) -> dict[str, object]:
    """A sound manifest of `app.bin`, with changes; None takes a field away."""
    values: dict[str, object] = {
        "product": "IDO 7890",
        "model_code": 7890,
        "kind": "firmware",
        "version": version,
        "channel": "formal",
        "status": "active",
        "files": [entry("app.bin", IMAGE)],
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def manifest_bytes(version: str = "1.10", **changes: object) -> bytes:
    values = manifest(version, **changes)
    return "".join(f"{name} = {toml_of(value)}\n" for name, value in values.items()).encode()


def put(folder: Path, name: str, version: str = "1.10", **changes: object) -> Path:
    """A manifest in a folder, its image beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "app.bin").write_bytes(IMAGE)
    (folder / name).write_bytes(manifest_bytes(version, **changes))
    return folder / name
