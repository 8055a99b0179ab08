"""What is missing, and the command that mends it, on each system."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ksos_link.config import open_home
from ksos_link.errors import BluetoothError, StoreError
from ksos_link.operations import doctor
from ksos_link.operations.doctor import (
    INSTALLERS,
    Finding,
    keyring_step,
    keys_finding,
    linux_findings,
    power_on_step,
    verdict,
)

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

Machine = Callable[..., dict[str, Finding]]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Examine a Linux that has what is named."""

    def examined(*has: str, **env: str) -> dict[str, Finding]:
        monkeypatch.setattr(doctor, "BLUETOOTHD_PATHS", ())
        adapters, bus = tmp_path / "bluetooth", tmp_path / "bus"
        adapters.mkdir(exist_ok=True)
        if "adapter" in has:
            (adapters / "hci0").mkdir()
        if "dbus" in has:
            bus.touch(0o600 if "permission" in has else 0o000)
        tools = {name: f"/usr/bin/{name}" for name in has}
        return {one.name: one for one in linux_findings(env, adapters, bus, tools.get)}

    return examined


def test_a_linux_with_nothing(machine: Machine) -> None:
    found = machine("apt-get")
    assert {name: one.ok for name, one in found.items()} == {
        "adapter": False,
        "dbus": False,
        "bluetoothd": False,
    }
    assert "rfkill unblock bluetooth" in found["adapter"].mend
    assert found["dbus"].mend == "sudo apt-get install dbus && sudo systemctl start dbus"
    assert found["bluetoothd"].mend.startswith("sudo apt-get install bluez && ")


@pytest.mark.parametrize("tool", INSTALLERS)
def test_each_linux_is_told_its_own_installer(machine: Machine, tool: str) -> None:
    assert machine(tool)["bluetoothd"].mend.startswith(f"{INSTALLERS[tool]} bluez")


def test_a_linux_with_everything(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine("adapter", "dbus", "bluetoothd", "permission")
    assert all(one.ok and not one.mend for one in found.values())
    assert found["adapter"].says == "hci0"
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may do all
    denied = machine("dbus")["permission"]
    assert (denied.ok, denied.mend) == (
        False,
        "sudo usermod -aG bluetooth $USER, then log in again",
    )


def test_a_bus_of_another_machine_has_its_adapter_there(machine: Machine) -> None:
    found = machine(DBUS_SYSTEM_BUS_ADDRESS="tcp:host=127.0.0.1,port=1")
    assert all(one.ok for one in found.values())


@pytest.mark.parametrize(
    ("system", "power", "keys"),
    [
        ("linux", "systemctl start bluetooth", "gnome-keyring"),
        ("darwin", "Privacy & Security > Bluetooth", "login keychain"),
        ("win32", "ms-settings:bluetooth", "log in as the user"),
    ],
)
def test_each_system_has_its_own_steps(system: str, power: str, keys: str) -> None:
    assert power in power_on_step(system)
    assert keys in keyring_step(system)
    assert "KSOS_PASSPHRASE" in keyring_step(system)


@pytest.mark.parametrize(
    ("env", "can_ask", "ok", "required"),
    [
        ({"KSOS_PASSPHRASE": "x"}, False, True, True),
        ({"KSOS_KEY_FILE": "x"}, False, True, True),
        ({}, False, False, True),
        ({}, True, False, False),  # a person can be asked
    ],
)
def test_the_secret(
    ksos: "CommandLine", env: dict[str, str], can_ask: bool, ok: bool, required: bool
) -> None:
    home = open_home({}, ksos.home)
    found = keys_finding(home, env, "linux", can_ask=can_ask)
    assert (found.ok, found.required) == (ok, required)
    assert ("asks for a passphrase" in found.says) == can_ask


def test_a_keyring_that_works(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ksos_link.store.keys.working_keyring", object)
    assert keys_finding(open_home({}, ksos.home), {}, "linux", can_ask=False).ok


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("adapter", BluetoothError),
        ("bluetooth", BluetoothError),
        ("keyring", StoreError),
        ("home", StoreError),
        ("virtual watch", None),
    ],
)
def test_the_verdict(missing: str, error: type | None) -> None:
    findings = [
        Finding(name, name != missing, "", required=name != "virtual watch")
        for name in ("adapter", "bluetooth", "keyring", "home", "virtual watch")
    ]
    assert type(verdict(findings)) is (error or type(None))


# ---- the command


def findings_of(text: str) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in map(json.loads, text.splitlines())}


@pytest.fixture
def scanning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which a scan works."""

    async def scan(*_: object) -> AsyncIterator[tuple[object, object]]:
        class Advertisement:
            address = "AA:BB:CC:DD:EE:FF"

        yield Advertisement(), None
        yield Advertisement(), None

    monkeypatch.setattr("ksos_link.transports.ble.scan", scan)
    monkeypatch.setattr(doctor, "_platform_findings", lambda _: [])


def test_a_machine_without_bluetooth(ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux only")
    monkeypatch.setattr(doctor, "SYSTEM_BUS", Path("/no/such/bus"))
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS", raising=False)
    said = ksos("doctor")
    assert said.code == 4
    assert "MISSING  dbus           no system bus is running\n         mend: " in said.out
    assert "hint: Mend what is marked MISSING." in said.err
    assert not ksos.home.exists()  # nothing is changed
    found = findings_of(ksos("doctor", "--json").out)
    assert set(found["dbus"]) == {"name", "ok", "required", "says", "mend"}
    assert "bluetooth" not in found  # no scan without a bus


def test_a_machine_that_is_ready(ksos: "CommandLine", scanning: None) -> None:
    said = ksos("doctor", "--json")
    assert said.code == 0
    found = findings_of(said.out)
    assert found["bluetooth"]["says"] == "a scan works; devices in range: 1"
    assert found["home"]["says"] == f"{ksos.home} has no store yet"
    ksos("sync", "--device", "virtual:ido?scenario=empty")
    assert findings_of(ksos("doctor", "--json").out)["home"]["says"] == f"{ksos.home} holds a store"


def test_bluetooth_that_is_off(
    ksos: "CommandLine", scanning: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def off() -> object:
        raise BluetoothError("Bluetooth is switched off.")

    async def scan(*_: object) -> AsyncIterator[object]:
        yield await off()

    monkeypatch.setattr("ksos_link.transports.ble.scan", scan)
    said = ksos("doctor")
    assert said.code == 4
    assert f"mend: {power_on_step(sys.platform)}" in said.out


def test_what_is_missing_for_the_store(
    ksos: "CommandLine", scanning: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ksos("doctor", KSOS_KEY_FILE="").code == 8
    (tmp_path / "file").touch()
    said = ksos("doctor", "--home", tmp_path / "file" / "home")
    assert said.code == 8
    assert "cannot be written" in said.out
    monkeypatch.setitem(sys.modules, "bumble", None)
    said = ksos("doctor")
    assert said.code == 0  # the virtual watch is for those who want it
    assert "absent   virtual watch" in said.out
