"""The newest readings to a broker, as Home Assistant finds them: once, or again and again."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ksos_link.errors import KsosError, NotFoundError, RefusedError, UsageError
from ksos_link.logbook import silence_libraries
from ksos_link.operations.read_out import Span
from ksos_link.operations.share_consent import MQTT, Receiver, check_share, is_loopback
from ksos_link.operations.share_ledger import BEGUN, REFUSED, SENT, UNKNOWN
from ksos_link.operations.share_mqtt_sensors import (
    LOOKS_BACK_S,
    Message,
    availability_topic,
    empty_messages,
    messages,
)
from ksos_link.operations.share_secrets import home_id
from ksos_link.operations.share_source import consented_source
from ksos_link.operations.share_tls import tls_context
from ksos_link.store.database import Store

if TYPE_CHECKING:
    from aiomqtt import Client

Result = TypeVar("Result")
OpenStore = Callable[[], AbstractContextManager[Store]]
TLS_PORT: Final = 8883
PLAIN_PORT: Final = 1883
_WAIT_S: Final = 10.0
_ONLINE: Final = "online"
_OFFLINE: Final = "offline"
_ITEM: Final = "newest readings"
_BAD_LOGIN: Final = (4, 5)  # MQTT 3.1.1, table 3.1: the return codes of a refused login


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and how. Without TLS only this machine is spoken to (K110)."""

    host: str
    port: int
    tls: bool = True
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        """Check that readings pass no wire as they are.

        Raises:
            UsageError: they would.
        """
        if not self.tls and not is_loopback(self.host):
            raise UsageError(
                "Readings and passwords pass no network unencrypted.",
                "Let the broker use TLS, or make a tunnel to it and name the tunnel's end here.",
            )

    @property
    def receiver(self) -> Receiver:
        """As consents name it."""
        return Receiver(MQTT, self.host)


def publish(
    open_store: OpenStore,
    broker: Broker,
    device_name: str | None = None,
    *,
    every_s: float | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> int:
    """Tell the broker the newest readings; returns how many. With `every_s` until it is stopped.

    The store is open only while it is read, and the consent is looked at before each time.

    Raises:
        PolicyError: no consent, or no longer; nothing more was sent.
        NotFoundError: nothing to tell; or the broker is out of reach, or broke off.
        RefusedError: it lets us not in.
    """
    share = _Share(open_store, broker, device_name)
    first = share.gathered()

    async def job() -> int:
        async with _connected(broker, share.will if every_s else None) as client:
            count = await share.send(client, *first)
            tell(count)
            while every_s is not None:
                await asyncio.sleep(every_s)
                count = await share.send(client, *share.gathered())
                tell(count)
        return count

    try:
        return _run(job())
    except KsosError:
        share.ended()
        raise


def remove(open_store: OpenStore, broker: Broker) -> int:
    """Make the broker forget all that it keeps of this home; returns how many topics.

    Raises:
        PolicyError: no consent: without it no network is touched, not even for this.
        NotFoundError, RefusedError: see `publish`.
    """
    with open_store() as store:
        consent = check_share(store, broker.receiver)
        devices = consented_source(store, consent, None, Span()).devices
        empty = [*empty_messages(devices), Message(availability_topic(home_id(store.home)), "")]

    async def job() -> int:
        async with _connected(broker, None) as client:
            await _send(client, empty)
        return len(empty)

    return _run(job())


class _Share:
    """One run: what it sends, and its one line in the ledger."""

    def __init__(self, open_store: OpenStore, broker: Broker, device_name: str | None) -> None:
        self._open_store = open_store
        self._receiver = broker.receiver
        self._device_name = device_name
        self._number: int | None = None
        self._sent = 0
        self._began = False
        self.will: Message | None = None

    def gathered(self) -> tuple[list[Message], int]:
        """What is to be told now, and how many readings are in it."""
        now_utc_s = int(time.time())
        with self._open_store() as store:
            consent = check_share(store, self._receiver)
            device = store.device(self._device_name) if self._device_name else None
            span = Span(now_utc_s - LOOKS_BACK_S, now_utc_s + 1)
            source = consented_source(store, consent, device, span)
            home = home_id(store.home)
            told, count = messages(source, home, now_utc_s)
            if not count and self._number is None:
                raise NotFoundError(
                    "There is no reading of the last week that you let out.",
                    "Fetch some: ksos sync; or see `ksos share consents`.",
                )
            if self._number is None:
                self._number = store.begin_share(
                    self._receiver.name, consent.data, _ITEM, now_utc_s, BEGUN
                )
        availability = availability_topic(home)
        self.will = Message(availability, _OFFLINE)
        return [*told, Message(availability, _ONLINE)], count

    async def send(self, client: "Client", told: Sequence[Message], count: int) -> int:
        """Send it, and note it."""
        self._began = True
        outcome = UNKNOWN
        try:
            await _send(client, told)
            outcome = SENT
            self._sent += count
        finally:
            self._note(outcome)
        return count

    def ended(self) -> None:
        """Note that it failed; where it had begun to send, that is noted already."""
        if not self._began:
            self._note(REFUSED)

    def _note(self, outcome: str) -> None:
        if self._number is not None:
            with self._open_store() as store:
                store.end_share(self._number, outcome, self._sent)


async def _send(client: "Client", told: Sequence[Message]) -> None:
    for message in told:  # each is acknowledged before the next one
        await client.publish(message.topic, message.text, qos=1, retain=True)


@contextlib.asynccontextmanager
async def _connected(broker: Broker, will: Message | None) -> AsyncIterator["Client"]:
    """A connection that ends in its time; `will` is what others hear when it ends, however.

    Raises:
        NotFoundError, RefusedError: in plain words, without the broker's name.
    """
    try:
        from aiomqtt import Client, MqttError, Will
        from aiomqtt.exceptions import MqttConnectError
    except ImportError as error:
        raise UsageError(
            "Sharing by MQTT needs the extra `share`.",
            "Install it: pip install 'ksos-link[share]'",
        ) from error
    silence_libraries()
    client = Client(
        broker.host,
        broker.port,
        username=broker.user,
        password=broker.password,
        will=None if will is None else Will(will.topic, will.text, qos=1, retain=True),
        tls_context=tls_context(broker.ca_file) if broker.tls else None,
        timeout=_WAIT_S,
    )
    try:
        async with client:
            try:
                yield client
            finally:
                if will is not None:
                    with contextlib.suppress(MqttError):
                        await client.publish(will.topic, will.text, qos=1, retain=True)
    except MqttConnectError as error:
        raise _refusal(error.rc) from error
    except MqttError as error:
        raise _failure(error) from error


def _refusal(code: object) -> KsosError:
    number = getattr(code, "value", code)
    if number in _BAD_LOGIN or number in (134, 135):  # the same as MQTT 5 numbers them
        return RefusedError(
            "The broker does not know that user and password.",
            "Say --user, and give the password again; nothing was sent.",
        )
    return RefusedError("The broker does not let this program in.", "Nothing was sent.")


def _failure(error: BaseException) -> KsosError:
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return RefusedError(
            "The broker's certificate is signed by nobody whom this machine trusts.",
            "Name who signed it with --ca-file FILE; nothing was sent.",
        )
    return NotFoundError(
        "The broker cannot be reached, or broke off.",
        "Check host, port and TLS. Repeating is safe: the same readings take the same place.",
    )


def _run(job: Coroutine[Any, Any, Result]) -> Result:
    """In a loop that can wait for sockets: that of Windows cannot."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(job)
