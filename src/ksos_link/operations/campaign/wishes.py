"""What a step sends: opened from what it names, and which files on the disk that touches."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ksos_link.errors import UsageError
from ksos_link.operations.campaign.model import DialAsk, FirmwareAsk
from ksos_link.operations.dial_wish import DialWish, open_dial_source
from ksos_link.operations.firmware_source import open_source
from ksos_link.operations.firmware_wish import FirmwareWish
from ksos_link.operations.release_keys import ReleaseKey, read_release_key, signature_path
from ksos_link.operations.release_manifest import Channel


def open_firmware(ask: FirmwareAsk) -> FirmwareWish:
    """Read the firmware that a step names.

    Raises:
        NotFoundError, MalformedError, UsageError: see `open_source` and `read_release_key`.
    """
    return replace(
        open_source(ask.file, _keys(ask.public_keys)),
        channel=Channel(ask.channel),
        region=ask.region or None,
        allow=ask.allow,
        unsigned=ask.unsigned,
        experimental=ask.experimental,
    )


def open_dial(ask: DialAsk) -> DialWish:
    """Read the dial that a step pushes.

    Raises:
        NotFoundError, MalformedError, UsageError: see `open_dial_source` and `read_release_key`.
    """
    if ask.file is None:
        raise UsageError("The step names no dial file.")
    return replace(
        open_dial_source(ask.file, _keys(ask.public_keys)),
        name=ask.name,
        channel=Channel(ask.channel),
        region=ask.region or None,
        allow=ask.allow,
        accept=ask.accept,
        unsigned=ask.unsigned,
        replace=ask.replace,
    )


def firmware_paths(ask: FirmwareAsk) -> set[Path]:
    """Every file that is read for it. Raises as `open_firmware`."""
    wish = open_firmware(ask)
    sidecars = (file.sidecar for file in wish.files if file.sidecar is not None)
    return _paths(ask.file, (*ask.public_keys, *(file.path for file in wish.files), *sidecars))


def dial_paths(ask: DialAsk) -> set[Path]:
    """Every file that is read for it. Raises as `open_dial`."""
    path = open_dial(ask).dial.path
    return _paths(ask.file or path, (*ask.public_keys, path))


def _paths(source: Path, others: Iterable[Path]) -> set[Path]:
    """The source with its signature, where there is one, and the others."""
    return {path.resolve() for path in (source, signature_path(source), *others) if path.is_file()}


def _keys(paths: Iterable[Path]) -> list[ReleaseKey]:
    return [read_release_key(path) for path in paths]
