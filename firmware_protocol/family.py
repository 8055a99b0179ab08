"""What a wire dialect must supply: its table of contents, its channels and its dialogue."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from firmware_protocol.clock import WatchClock
from firmware_protocol.dials import DialFormat
from firmware_protocol.events import Event, RecordReceived, WatchInfo
from firmware_protocol.jobs import Job
from firmware_protocol.records import RawRecord
from firmware_protocol.samples import Decoded
from firmware_protocol.settings import Setting
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits

Direction = Literal["TX", "RX"]  # TX = written by the central, RX = notified by the watch


@dataclass(frozen=True, slots=True)
class GattProfile:
    """Where a family speaks. UUIDs are full lower-case 128-bit strings."""

    service_uuid: str
    notify_uuids: tuple[str, ...]  # subscribed in this order


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a scan saw. `manufacturer_data` is keyed by the first two bytes, little-endian."""

    address: str
    name: str | None
    rssi_dbm: int
    service_uuids: frozenset[str] = frozenset()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What an advertisement gives away."""

    family: str
    product: str
    model_code: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes for one characteristic, within the size the family agreed with the watch."""

    uuid: str
    data: bytes
    with_response: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; its value comes back through `receive_data` on the same UUID.

    An `optional` one that the watch lacks, or does not let be read, comes back empty.
    """

    uuid: str
    optional: bool = False


Output = Write | Read


class Message(Protocol):
    """One whole decoded message of a family; sessions look only at its name."""

    @property
    def name(self) -> str:
        """The stable dotted name."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A step of a dialogue: send, then wait for the answer that `accepts` takes.

    Each of `attempts` calls `outputs()` anew (a resent message may need a new sequence number) and
    waits `timeout_s`. Without an answer the step gives None; the dialogue decides what that means.
    With `timeout_s` 0 nothing is awaited: the step is over once all is written, although the link
    may be lost by it.
    Once a part of an answer has come, the next part may take `gap_s` beyond that time.
    """

    outputs: Callable[[], Sequence[Output]]
    accepts: Callable[[Message], bool]
    timeout_s: float
    attempts: int = 1
    gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """A step that hands a fact to the application and goes on."""

    event: Event


@dataclass(frozen=True, slots=True)
class Deliver:
    """A step that hands over a record and waits until the application has committed it."""

    event: RecordReceived


Step = Exchange | Report | Deliver
Dialogue = Generator[Step, Message | None, None]
Answer = TypeVar("Answer")
Asking = Generator[Step, Message | None, Answer]  # a part of a dialogue that finds something out


class JobError(Exception):
    """Raised inside a dialogue to end its job; `kind` as in `JobFailed`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Dialect(ABC):
    """A family's state on one connection: reassembly, sequence numbers, agreed sizes.

    One object per connection. Pure: no I/O, no clock. Any family fits behind it: one that frames
    and one that does not, one that asks by write and one that asks by read.
    """

    @abstractmethod
    def receive_data(self, uuid: str, data: bytes) -> list[Message]:
        """Take one notification or read value; return the messages it completed.

        Raises:
            RemoteProtocolError: the bytes are malformed; the dialect is ready for the next frame.
        """

    @abstractmethod
    def dialogue(self, job: Job) -> Dialogue:
        """Open the dialogue that does `job`.

        Raises:
            JobError: this family or this watch cannot do it.
        """

    @abstractmethod
    def unsolicited(self, message: Message) -> tuple[list[Event], list[Output]]:
        """What a message that no step waited for means, and what must be answered to it."""


class Inspector(ABC):
    """Names and decodes every packet of a capture, both directions, for `ksos decode`."""

    @abstractmethod
    def feed(self, line: int, direction: Direction, channel: str, data: bytes) -> None:
        """Take the packet of one line; `channel` is a 16-bit UUID in hex or `-`."""

    @abstractmethod
    def finish(self) -> "list[PacketReport]":
        """Return one report per packet fed, in order of lines."""


@dataclass(slots=True)
class PacketReport:
    """What a packet was found to be. `fields` sits on the packet that completes its message."""

    line: int
    direction: Direction
    channel: str
    data: bytes
    message: str | None = None
    fields: Mapping[str, object] | None = None
    part_of: int | None = None
    padding: int = 0
    roundtrip: bool | None = None
    unknown_bytes: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CapturedPacket:
    """One line of a capture file. `at_s` is None where the source gives no time."""

    line: int
    direction: Direction
    channel: str
    data: bytes
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class SettingSupport:
    """How a family's wire carries one setting.

    `needs` names capabilities of which a watch must list one (none: every watch takes it, or the
    tables are known to be wrong about it). `rows` are the reference's rows; `provisional` says what
    is not proven, empty where all is. `shares` are settings that travel in the same message.
    `reads_back_with` is the capability without which an older watch cannot be asked.
    """

    rows: str
    readable: bool = False
    needs: tuple[str, ...] = ()
    provisional: str = ""
    shares: tuple[type[Setting], ...] = ()
    reads_back_with: str | None = None

    def reads_back(self, capabilities: Set[str]) -> bool:
        """Whether a watch that lists these capabilities can be asked for the setting."""
        return self.readable and self.reads_back_with in (None, *capabilities)


@dataclass(frozen=True, slots=True)
class UpdatePath:
    """How firmware gets into a watch.

    `transports` are those of `ImageInfo.transport` that fit: several where only the loader tells
    which it is. With `enters_loader` the watch must be sent there first (`EnterLoader`); with a
    `file_name` the family sends the image itself (`SendFile`) under that name. `refusal` says why
    there is no way, else is empty.
    """

    transports: tuple[str, ...] = ()
    enters_loader: bool = False
    file_name: str = ""
    refusal: str = ""


def _no_update_path(info: WatchInfo) -> UpdatePath:
    return UpdatePath(refusal=f"how firmware gets into a watch of {info.family} is not known")


@dataclass(frozen=True, slots=True)
class Family:
    """A wire dialect's table of contents."""

    name: str
    title: str
    gatt: GattProfile
    metrics: frozenset[str]
    recognise: Callable[[Advertisement], Recognised | None]
    open_dialect: Callable[[int], Dialect]  # from the largest write that the link takes
    samples: Callable[[RawRecord, WatchClock], Decoded]
    open_inspector: Callable[[], Inspector]
    open_watch: Callable[[WatchMemory, WatchTraits], WatchSession]
    open_replay: Callable[[Sequence[CapturedPacket]], WatchSession]
    redact: Callable[[Direction, bytes], bytes]  # one packet, for captures that will be shared
    settings: Mapping[type[Setting], SettingSupport] = field(default_factory=dict)
    sports: Mapping[int, str] = field(default_factory=dict)  # its codes, by the neutral names
    dial_format: DialFormat | None = None  # None: its dials are not known as files
    update_path: Callable[[WatchInfo], UpdatePath] = _no_update_path
