"""The forms in which a person names a watch (architecture.md, Watch address forms)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from firmware_protocol.records import FILE_FAMILY
from ksos_link.errors import UsageError

_BLUETOOTH: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_CORE_BLUETOOTH: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
ALIAS: Final = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True)
class BluetoothTarget:
    """A watch on a real adapter; macOS gives UUIDs instead of addresses."""

    address: str


@dataclass(frozen=True, slots=True)
class VirtualTarget:
    """A virtual watch in this process: `virtual:ido?scenario=full-day`."""

    family: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NetworkTarget:
    """A virtual watch in another process: `virtual:tcp:127.0.0.1:PORT[/ADDRESS]`.

    Without an address it is the first watch seen there.
    """

    endpoint: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """A capture played as a watch: `replay:FILE`."""

    path: Path


Target = BluetoothTarget | VirtualTarget | NetworkTarget | ReplayTarget


def is_address(text: str) -> bool:
    """Whether this is an address form rather than an alias."""
    return text.startswith(("virtual:", "replay:")) or _is_bluetooth(text)


def _is_bluetooth(text: str) -> bool:
    return bool(_BLUETOOTH.fullmatch(text) or _CORE_BLUETOOTH.fullmatch(text))


def parse_target(text: str) -> Target:
    """Read an address form.

    Raises:
        UsageError: it is none.
    """
    if text.startswith("replay:") and text != "replay:":
        return ReplayTarget(Path(text.removeprefix("replay:")))
    if text.startswith("virtual:tcp:"):
        endpoint, slash, address = text.removeprefix("virtual:").partition("/")
        if not slash or _BLUETOOTH.fullmatch(address):
            return NetworkTarget(endpoint, address.upper() or None)
    if text.startswith("virtual:") and text != "virtual:":
        family, _, query = text.removeprefix("virtual:").partition("?")
        return VirtualTarget(family, dict(parse_qsl(query, keep_blank_values=True)))
    if _is_bluetooth(text):
        return BluetoothTarget(text.upper())
    raise UsageError(
        "That is no address of a watch.",
        "Give AA:BB:CC:DD:EE:FF (see `ksos watch scan`), virtual:ido, or replay:FILE.",
    )


def target_of(address: str) -> Target:
    """The way to a watch that was remembered.

    A virtual watch in this process lives no longer than the command that made it, so one that was
    remembered is met as one that was bound before.

    Raises:
        UsageError: it is no watch but what was imported.
    """
    if address.startswith(f"{FILE_FAMILY}:"):
        raise UsageError("That is an imported file, not a watch.", "See: ksos watch list")
    target = parse_target(address)
    if isinstance(target, VirtualTarget):
        return VirtualTarget(target.family, {"bound": "yes", **target.query})
    return target


def address_of(target: Target) -> str:
    """The Bluetooth address that a target names; empty where it names none."""
    match target:
        case BluetoothTarget(address):
            return address
        case NetworkTarget(address=address):
            return address or ""
        case VirtualTarget(query=query):
            return query.get("address", "").upper()
        case ReplayTarget():
            return ""


def check_alias(alias: str) -> str:
    """Return a name that a person may give a watch.

    Raises:
        UsageError: it is empty, too long, or could be taken for an address.
    """
    if not ALIAS.fullmatch(alias) or is_address(alias):
        raise UsageError(
            "That name cannot be used.", "Use up to 40 letters, digits, dots, dashes, underscores."
        )
    return alias
