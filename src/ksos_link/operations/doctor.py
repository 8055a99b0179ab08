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
INSTALLERS: Final = {
    "apt-get": "sudo apt-get install",
    "dnf": "sudo dnf install",
    "pacman": "sudo pacman -S",
    "zypper": "sudo zypper install",
}
_RADIO: Final = ("adapter", "dbus", "bluetoothd", "permission", "bluetooth")
Which = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` is a command or a step, empty where all is well."""

    name: str
    ok: bool
    says: str
    mend: str = ""
    required: bool = True


async def examine(home: Home, env: Mapping[str, str], *, can_ask: bool) -> list[Finding]:
    """Look at everything a real watch and the store need; nothing is changed.

    `can_ask` tells that a person can be asked for a passphrase.
    """
    findings = [*_python(), *_platform_findings(env)]
    if all(one.ok for one in findings if one.name in _RADIO):
        findings.append(await _scan())  # else it would only repeat what is known to be missing
    return [*findings, keys_finding(home, env, sys.platform, can_ask=can_ask), _home(home)]


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
    remote = bool(env.get("DBUS_SYSTEM_BUS_ADDRESS"))  # a bus elsewhere has its adapter there
    adapters = sorted(path.name for path in bluetooth_class.glob("hci*"))
    install = next((text for tool, text in INSTALLERS.items() if which(tool)), "install:")
    yield _finding(
        "adapter",
        remote or bool(adapters),
        ", ".join(adapters) or "that of a remote bus",
        "the kernel shows no Bluetooth adapter",
        "plug one in, or unblock it: rfkill unblock bluetooth",
    )
    bus = remote or system_bus.exists()
    yield _finding(
        "dbus",
        bus,
        "the system bus is there",
        "no system bus is running",
        f"{install} dbus && sudo systemctl start dbus",
    )
    daemon = next((path for path in BLUETOOTHD_PATHS if path.exists()), None) or which("bluetoothd")
    yield _finding(
        "bluetoothd",
        remote or daemon is not None,
        "BlueZ is installed",
        "BlueZ is not installed",
        f"{install} bluez && sudo systemctl enable --now bluetooth",
    )
    if bus:
        yield _finding(
            "permission",
            remote or os.access(system_bus, os.R_OK | os.W_OK),
            "this user may use the system bus",
            "this user may not use the system bus",
            "sudo usermod -aG bluetooth $USER, then log in again",
        )


def _finding(name: str, ok: bool, good: str, bad: str, mend: str) -> Finding:
    return Finding(name, ok, good if ok else bad, "" if ok else mend)


async def _scan() -> Finding:
    """Try what every command does first: a short scan. Nothing seen is kept."""
    from ksos_link.transports import ble

    try:
        async with contextlib.aclosing(ble.scan(ble.Radio(), SCAN_S)) as seen:
            count = len({advertisement.address async for advertisement, _ in seen})
    except BluetoothError as error:
        return Finding("bluetooth", ok=False, says=str(error), mend=power_on_step(sys.platform))
    return Finding("bluetooth", ok=True, says=f"a scan works; devices in range: {count}")


def power_on_step(system: str) -> str:
    """How Bluetooth is switched on and allowed, by `sys.platform`."""
    if system == "darwin":
        return (
            "System Settings > Bluetooth: switch it on; then Privacy & Security > Bluetooth: "
            "allow your terminal"
        )
    if system == "win32":
        return "start ms-settings:bluetooth, and switch Bluetooth on"
    return "sudo systemctl start bluetooth && bluetoothctl power on"


def keyring_step(system: str) -> str:
    """How a store gets a secret without a person, by `sys.platform`."""
    if system == "darwin":
        return "unlock the login keychain, or set KSOS_PASSPHRASE"
    if system == "win32":
        return "log in as the user whose store it is, or set KSOS_PASSPHRASE"
    return "set KSOS_PASSPHRASE, or unlock gnome-keyring or KWallet"


def keys_finding(home: Home, env: Mapping[str, str], system: str, *, can_ask: bool) -> Finding:
    """Whether there will be a secret for the store; its value is not looked at."""
    from ksos_link.store.keys import working_keyring

    if env.get("KSOS_PASSPHRASE") or env.get("KSOS_KEY_FILE"):
        return Finding("keyring", ok=True, says="not needed: the environment holds the secret")
    if working_keyring() is not None:
        return Finding("keyring", ok=True, says="the operating system's key store works")
    asked = "; ksos asks for a passphrase" if can_ask else ""
    return Finding(
        "keyring",
        ok=False,
        says=f"the operating system has no key store{asked}",
        mend=keyring_step(system),
        required=not can_ask,
    )


def _home(home: Home) -> Finding:
    folder = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "home",
            ok=False,
            says=f"{home.folder} cannot be written",
            mend="choose another one: --home FOLDER, or KSOS_HOME",
        )
    state = "holds a store" if home.store_file.exists() else "has no store yet"
    return Finding("home", ok=True, says=f"{home.folder} {state}")


def verdict(findings: list[Finding]) -> KsosError | None:
    """The error that a failed examination ends with, or None."""
    missing = {one.name for one in findings if one.required and not one.ok}
    if missing.intersection(_RADIO):
        return BluetoothError(
            "Bluetooth is not ready.",
            "Mend what is marked MISSING. Without a watch: ksos demo",
        )
    if missing:
        return StoreError("The store cannot be used yet.", "Mend what is marked MISSING.")
    return None
