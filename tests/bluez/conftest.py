"""A real bluetoothd in a guest, its radio and its watches on the host.

`make test-bluez` builds the guest and names it in $KSOS_BLUEZ_GUEST. QEMU, the radio and the
pairing agent run on an event loop in a thread of their own, so that tests may block, run programs
or use loops as they like.
"""

import asyncio
import collections
import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from bumble import hci
from bumble.transport.unix import open_unix_client_transport
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusUInt32
from dbus_fast.auth import AuthExternal
from dbus_fast.service import ServiceInterface, dbus_method

from firmware_protocol.watch_session import WatchSession
from ksos_link.virtual_watch.peripheral import VirtualPeripheral, WatchIdentity
from ksos_link.virtual_watch.radio import LinkShape, RadioController, ShapedLink

T = TypeVar("T")
BOOT_TIMEOUT_S: Final = 90.0  # about 6 s on an idle machine
CALL_TIMEOUT_S: Final = 30.0
ADAPTER_PATH: Final = "/org/bluez/hci0"
# the kernel drops notifications silently when they come faster than any radio could send them
SHAPE: Final = LinkShape(interval_s=0.0075, packets_per_event=4)
# bumble cannot send the events that these features promise to a Linux host
UNKEPT_PROMISES: Final = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING


class Agent(ServiceInterface):
    """Says yes to pairing, as a desktop's agent does after a click."""

    def __init__(self) -> None:
        super().__init__("org.bluez.Agent1")

    @dbus_method()
    def Release(self) -> None:  # noqa: N802  # BlueZ's names
        pass

    @dbus_method()
    def RequestConfirmation(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:  # noqa: N802
        pass

    @dbus_method()
    def RequestAuthorization(self, device: DBusObjectPath) -> None:  # noqa: N802
        pass

    @dbus_method()
    def Cancel(self) -> None:  # noqa: N802
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def qemu_command(guest: Path, hci_socket: Path, bus_port: int, attach_port: int) -> list[str]:
    accelerator = os.environ.get("KSOS_QEMU_ACCEL", "tcg,thread=multi")
    return [
        *("setpriv", "--pdeathsig", "KILL"),  # a killed test run leaves no machine behind
        *("qemu-system-x86_64", "-M", "q35", "-accel", accelerator, "-cpu", "max"),
        *("-m", "192", "-smp", "1", "-nodefaults", "-no-reboot", "-display", "none"),
        *("-serial", "stdio", "-kernel", str(guest / "vmlinuz")),
        *("-initrd", str(guest / "appliance.gz")),
        *("-append", "console=ttyS0 quiet panic=-1 mitigations=off cryptomgr.notests"),
        "-netdev",
        "user,id=n,restrict=on"
        f",hostfwd=tcp:127.0.0.1:{bus_port}-:5555,hostfwd=tcp:127.0.0.1:{attach_port}-:5556",
        *("-device", "virtio-net-pci,netdev=n,romfile="),
        *("-chardev", f"socket,id=hci,path={hci_socket},server=on,wait=off"),
        *("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=hci"),
    ]


class Guest:
    """The machine with bluetoothd, the air around it and the watches on that air."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scratch = Path(tempfile.mkdtemp(prefix="ksos-bluez-"))
        self._bus_port, self._attach_port = free_port(), free_port()
        self.environment = {
            "DBUS_SYSTEM_BUS_ADDRESS": f"tcp:host=127.0.0.1,port={self._bus_port}",
            "BLEAK_DBUS_AUTH_UID": "0",
        }
        self.console: collections.deque[str] = collections.deque(maxlen=200)
        self._stack = contextlib.AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="guest", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = CALL_TIMEOUT_S) -> T:
        """Run `work` on the guest's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        self.call(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._scratch)

    async def boot(self) -> None:
        async with asyncio.timeout(BOOT_TIMEOUT_S):
            await self._start_machine()
            await self._start_radio()
            await self._attach()
            await self._power_on()

    async def _start_machine(self) -> None:
        command = qemu_command(
            self._folder, self._scratch / "hci", self._bus_port, self._attach_port
        )
        machine = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        up = asyncio.Event()
        reading = asyncio.create_task(self._read_console(machine, up))

        async def stop() -> None:
            with contextlib.suppress(ProcessLookupError):
                machine.kill()  # this very process, by its handle
            await machine.wait()
            await reading

        self._stack.push_async_callback(stop)
        await up.wait()

    async def _read_console(self, machine: asyncio.subprocess.Process, up: asyncio.Event) -> None:
        assert machine.stdout is not None
        async for line in machine.stdout:
            self.console.append(line.decode(errors="replace").rstrip())
            if "APPLIANCE-UP" in self.console[-1]:
                up.set()

    async def _start_radio(self) -> None:
        transport = await open_unix_client_transport(str(self._scratch / "hci"))
        self._stack.push_async_callback(transport.close)
        self.link = ShapedLink(SHAPE)
        controller = RadioController(
            "bluez", self.link, transport.source, transport.sink, public_address="C0:FF:EE:00:00:01"
        )
        controller.le_features &= ~UNKEPT_PROMISES
        self._stack.callback(controller.leave)

    async def _attach(self) -> None:
        """Have the guest attach its HCI; the connection must stay, and its listener may lag."""
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._attach_port)
            try:
                async with asyncio.timeout(1):
                    ended = not await reader.read(1)
            except TimeoutError:
                ended = False
            if not ended:
                self._stack.push_async_callback(writer.wait_closed)
                self._stack.callback(writer.close)
                return
            writer.close()
            await asyncio.sleep(0.1)

    async def _power_on(self) -> None:
        bus = MessageBus(
            bus_address=self.environment["DBUS_SYSTEM_BUS_ADDRESS"], auth=AuthExternal(uid=0)
        )
        self._bus = await bus.connect()
        self._stack.push_async_callback(bus.wait_for_disconnect)
        self._stack.callback(bus.disconnect)
        while not await self._is_powered():  # noqa: ASYNC110  # another machine's state
            await asyncio.sleep(0.05)
        bus.export("/agent", Agent())
        manager = "/org/bluez", "org.bluez.AgentManager1"
        await self._ask(*manager, "RegisterAgent", "os", "/agent", "NoInputNoOutput")
        await self._ask(*manager, "RequestDefaultAgent", "o", "/agent")

    async def _is_powered(self) -> bool:
        with contextlib.suppress(BusError):
            return bool(await self.get_property(ADAPTER_PATH, "org.bluez.Adapter1", "Powered"))
        return False

    async def get_property(self, path: str, interface: str, name: str) -> Any:
        properties = "org.freedesktop.DBus.Properties"
        return (await self._ask(path, properties, "Get", "ss", interface, name))[0].value

    async def forget_device(self, address: str) -> None:
        """Remove a device and its bond."""
        with contextlib.suppress(BusError):  # was never seen
            await self._ask(
                ADAPTER_PATH, "org.bluez.Adapter1", "RemoveDevice", "o", device_path(address)
            )

    async def _ask(
        self, path: str, interface: str, member: str, signature: str, *values: object
    ) -> list[Any]:
        message = Message("org.bluez", path, interface, member, signature=signature)
        message.body = list(values)
        reply = await self._bus.call(message)
        if reply is None or reply.message_type is not MessageType.METHOD_RETURN:
            raise BusError(reply and reply.error_name)
        return list(reply.body)

    async def put_on_air(
        self, session: WatchSession, identity: WatchIdentity, encrypted_uuids: frozenset[str]
    ) -> VirtualPeripheral:
        peripheral = VirtualPeripheral(
            session, identity, self.link, encrypted_uuids=encrypted_uuids
        )
        await peripheral.start()
        return peripheral


class BusError(Exception):
    """bluetoothd answered with an error, or is not there yet."""


def device_path(address: str) -> str:
    return f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}"


@dataclass(frozen=True)
class BluezWatch:
    """A watch that BlueZ can reach."""

    guest: Guest
    peripheral: VirtualPeripheral
    address: str

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to speak to the guest's bluetoothd."""
        return self.guest.environment

    def cut(self) -> None:
        """Lose the link at once."""

        async def drop() -> None:
            self.peripheral.drop_link()

        self.guest.call(drop())

    def make(self, gesture: str) -> None:
        """Its wearer does something."""

        async def do() -> None:
            self.peripheral.make(gesture)

        self.guest.call(do())

    def device_property(self, name: str) -> Any:
        """Read a property of org.bluez.Device1, such as `Bonded`."""
        return self.guest.call(
            self.guest.get_property(device_path(self.address), "org.bluez.Device1", name)
        )


@pytest.fixture(scope="session")
def bluez_guest() -> Iterator[Guest]:
    folder = os.environ.get("KSOS_BLUEZ_GUEST")
    if not folder:
        pytest.skip("needs the guest of `make test-bluez`")
    guest = Guest(Path(folder))
    try:
        guest.call(guest.boot(), BOOT_TIMEOUT_S + 5)
    except BaseException:
        print(*guest.console, sep="\n")  # noqa: T201  # shown by pytest with the failure
        raise
    else:
        yield guest
    finally:
        guest.close()


class PutOnAir:
    """Puts a session on the guest's air for one test: `watch = put_on_air(session, identity)`."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._watches: list[BluezWatch] = []

    def __call__(
        self,
        session: WatchSession,
        identity: WatchIdentity,
        encrypted_uuids: frozenset[str] = frozenset(),
    ) -> BluezWatch:
        peripheral = self._guest.call(self._guest.put_on_air(session, identity, encrypted_uuids))
        self._watches.append(BluezWatch(self._guest, peripheral, identity.address))
        return self._watches[-1]

    def close(self) -> None:
        for watch in self._watches:
            self._guest.call(watch.peripheral.close())
            self._guest.call(self._guest.forget_device(watch.address))


@pytest.fixture
def put_on_air(bluez_guest: Guest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PutOnAir]:
    """Also points this process and its children to the guest's bluetoothd."""
    for name, value in bluez_guest.environment.items():
        monkeypatch.setenv(name, value)
    air = PutOnAir(bluez_guest)
    yield air
    air.close()


@pytest.fixture
def bluez_watch(put_on_air: PutOnAir) -> BluezWatch:
    """An IDO watch with a short day in it."""
    from ksos_link.virtual_watch.scenarios import open_virtual_watch

    session, identity = open_virtual_watch(
        "ido", {"scenario": "short"}, now=datetime.now().astimezone(), now_s=time.monotonic()
    )
    return put_on_air(session, identity)
