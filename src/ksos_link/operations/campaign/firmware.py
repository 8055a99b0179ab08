"""Firmware of a step: opened from what the step names, and which files on the disk that touches."""

from dataclasses import replace
from pathlib import Path

from ksos_link.operations.campaign.model import FirmwareAsk
from ksos_link.operations.firmware_source import open_source
from ksos_link.operations.firmware_wish import FirmwareWish
from ksos_link.operations.release_keys import read_release_key, signature_path
from ksos_link.operations.release_manifest import Channel


def open_wish(ask: FirmwareAsk) -> FirmwareWish:
    """Read the firmware that a step names.

    Raises:
        NotFoundError, MalformedError, UsageError: see `open_source` and `read_release_key`.
    """
    keys = [read_release_key(path) for path in ask.public_keys]
    return replace(
        open_source(ask.file, keys),
        channel=Channel(ask.channel),
        region=ask.region or None,
        allow=ask.allow,
        unsigned=ask.unsigned,
        experimental=ask.experimental,
    )


def paths_of(ask: FirmwareAsk, wish: FirmwareWish) -> set[Path]:
    """Every file that was read for it."""
    paths = {ask.file, *ask.public_keys, *(file.path for file in wish.files)}
    paths |= {file.sidecar for file in wish.files if file.sidecar is not None}
    signature = signature_path(ask.file)
    if wish.release is not None and signature.is_file():
        paths.add(signature)
    return {path.resolve() for path in paths}
