"""Name what is missing for a watch to be reached and a store to be opened, and how to mend it."""

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ksos_link.config import Home
from ksos_link.errors import BluetoothError, KsosError, StoreError

BLUETOOTH_CLASS: Final = Path("/sys/class/bluetooth")
SYSTEM_BUS: Final = Path("/run/dbus/system_bus_socket")
BLUETOOTHD_PATHS: Final = (
    Path("/usr/libexec/bluetooth/bluetoothd"),
    Path("/usr/lib/bluetooth/bluetoothd"),
)
SCAN_S: Final = 2.0
Which = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` is a command or a step, empty where all is well."""

    name: str
    ok: bool
    says: str
    mend: str = ""
    required: bool = True


async def examine(home: Home, env: Mapping[str, str]) -> list[Finding]:
    """Look at everything a real watch and the store need; nothing is changed."""
    findings = [*_python(), *_platform_findings(env), await _adapter()]
    return [*findings, _keys(home, env), _home(home)]


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("python", ok=sys.version_info >= (3, 11), says=f"Python {version}")
    try:
        import bumble
    except ImportError:
        yield Finding(
            "virtual watch",
            ok=False,
            says="the extra `virtual` is not installed",
            mend="pip install 'ksos-link[virtual]'",
            required=False,
        )
    else:
        yield Finding("virtual watch", ok=bool(bumble), says="installed", required=False)


def _platform_findings(env: Mapping[str, str]) -> Iterator[Finding]:
    if sys.platform.startswith("linux"):
        yield from linux_findings(env, BLUETOOTH_CLASS, SYSTEM_BUS, shutil.which)


def linux_findings(
    env: Mapping[str, str], bluetooth_class: Path, system_bus: Path, which: Which
) -> Iterator[Finding]:
    """Adapter, D-Bus, bluetoothd and permission, from what the system shows without asking it."""
    adapters = sorted(path.name for path in bluetooth_class.glob("hci*"))
    yield Finding(
        "adapter",
        ok=bool(adapters),
        says=", ".join(adapters) or "the kernel shows no Bluetooth adapter",
        mend="" if adapters else "plug in a Bluetooth LE adapter, or: rfkill unblock bluetooth",
    )
    remote = bool(env.get("DBUS_SYSTEM_BUS_ADDRESS"))
    bus = remote or system_bus.exists()
    yield Finding(
        "dbus",
        ok=bus,
        says="the system bus is there" if bus else "no system bus is running",
        mend="" if bus else "sudo apt install dbus && sudo systemctl start dbus",
    )
    daemon = next((path for path in BLUETOOTHD_PATHS if path.exists()), None) or which("bluetoothd")
    yield Finding(
        "bluetoothd",
        ok=remote or daemon is not None,
        says="installed" if daemon else "BlueZ is not installed",
        mend=""
        if remote or daemon
        else "sudo apt install bluez && sudo systemctl enable --now bluetooth",
    )
    yield _permission(system_bus, remote=remote)


def _permission(system_bus: Path, *, remote: bool) -> Finding:
    allowed = remote or not system_bus.exists() or os.access(system_bus, os.R_OK | os.W_OK)
    return Finding(
        "permission",
        ok=allowed,
        says="this user may use the system bus" if allowed else "this user may not use the bus",
        mend="" if allowed else "sudo usermod -aG bluetooth $USER, then log in again",
    )


async def _adapter() -> Finding:
    """Try what every command does first: a short scan. Nothing seen is kept."""
    from ksos_link.transports import ble

    try:
        async with contextlib.aclosing(ble.scan(ble.Radio(), SCAN_S)) as seen:
            count = len({advertisement.address async for advertisement, _ in seen})
    except BluetoothError as error:
        return Finding("bluetooth", ok=False, says=str(error), mend=_power_on())
    return Finding("bluetooth", ok=True, says=f"a scan works; {count} devices in range")


def _power_on() -> str:
    if sys.platform == "darwin":
        return (
            "open System Settings > Bluetooth and switch it on; then Privacy & Security > "
            "Bluetooth and allow your terminal"
        )
    if sys.platform == "win32":
        return "Settings > Bluetooth & devices: switch Bluetooth on (start ms-settings:bluetooth)"
    return "sudo systemctl start bluetooth && bluetoothctl power on"


def _keys(home: Home, env: Mapping[str, str]) -> Finding:
    from ksos_link.store.keys import working_keyring

    if env.get("KSOS_PASSPHRASE") or env.get("KSOS_KEY_FILE"):
        return Finding("keyring", ok=True, says="not needed: the environment holds the secret")
    if working_keyring() is not None:
        return Finding("keyring", ok=True, says="the operating system's key store works")
    return Finding(
        "keyring",
        ok=False,
        says="there is no key store of the operating system",
        mend="set KSOS_PASSPHRASE or KSOS_KEY_FILE, or: sudo apt install gnome-keyring",
        required=not home.key_file.exists(),
    )


def _home(home: Home) -> Finding:
    folder = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "home", ok=False, says=f"{home.folder} cannot be written", mend="choose one: --home DIR"
        )
    state = "holds a store" if home.store_file.exists() else "has no store yet"
    return Finding("home", ok=True, says=f"{home.folder} {state}")


def verdict(findings: list[Finding]) -> KsosError | None:
    """The error that a failed examination ends with, or None."""
    missing = {one.name for one in findings if one.required and not one.ok}
    if missing & {"adapter", "dbus", "bluetoothd", "permission", "bluetooth"}:
        return BluetoothError(
            "Bluetooth is not ready.", "Mend what is marked above, then try again."
        )
    if missing:
        return StoreError("The store cannot be used yet.", "Mend what is marked above.")
    return None
