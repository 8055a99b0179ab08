"""What can go wrong between a watch and its central, as switches by name.

    lose@N            the link is lost instead of notification N
    drop@N            notification N never arrives
    delay@N           notification N comes only with the next write, or ten seconds late
    duplicate@N       notification N comes twice
    reorder@N         notification N comes after the next one
    corrupt@N         one bit of notification N is flipped
    reboot@N          the watch restarts instead of notification N: link lost, reboot flag set
    wrong-sequence@N  the reply that notification N belongs to carries another sequence number
    lose-write@N      the link is lost before the watch sees write N
    cut-power@N       the watch loses its power before it sees write N, and starts anew
    refuse-bind       the watch says that it belongs to somebody else
    low-battery       five percent
    noise             random bytes are notified before and after each answer
    silent            the watch answers nothing

N counts from 0 through the whole life of the virtual watch: notifications as the watch makes them,
before any fault, or writes. A fault at N fires once. `wrong-sequence`, `refuse-bind` and
`low-battery` are traits of the watch (`traits_with`), the others are done by `FaultySession`.

Not every fault can be noticed by a central. Bluetooth itself never reorders, repeats or alters
anything. On the IDO wire a flipped bit is caught in a V3 message, but not in a classic frame, nor
in a health record (V3 04 has no CRC) unless it breaks the sums of a step day or of a night; a
chunk inside such a record that is missing, late or swapped shows in its length or not at all.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from firmware_protocol.watch_session import OnAir, WatchSession, WatchTraits
from ksos_link.errors import UsageError

DELAY_S: Final = 10.0  # longer than a client waits for an answer before it asks again
_LOW_BATTERY_PCT = 5
_LONGEST_NOISE_BYTES = 20
_COUNTED: Final = (
    *("lose", "drop", "delay", "duplicate", "reorder", "corrupt", "reboot", "wrong-sequence"),
    "lose-write",
    "cut-power",
)
_PLAIN: Final = ("refuse-bind", "low-battery", "noise", "silent")
_Notification = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """One switch; `at` is the index of a counted one."""

    kind: str
    at: int | None = None


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Read faults joined by commas; an empty text means none.

    Raises:
        UsageError: an unknown fault, or an index that is missing or too much.
    """
    return tuple(_parse_fault(part.strip()) for part in text.split(",") if part.strip())


def traits_with(faults: Sequence[Fault], traits: WatchTraits) -> WatchTraits:
    """The traits of a watch that has these faults; a watch that refuses us is not ours."""
    kinds = {fault.kind for fault in faults}
    if "refuse-bind" in kinds:
        traits = replace(traits, refuse_bind=True, bound=False)
    if "low-battery" in kinds:
        traits = replace(traits, battery_pct=_LOW_BATTERY_PCT)
    wrong = {f"wrong_sequence@{fault.at}" for fault in faults if fault.kind == "wrong-sequence"}
    return replace(traits, options=traits.options | wrong)


class FaultySession(WatchSession):
    """A watch session whose link has faults.

    Whoever carries it takes `data_to_send` after each call and sends it, then looks at
    `link_must_drop`; when that is True the link goes down and `link_lost` follows. What comes
    after the loss is never handed out. Notifications held back by `delay` come out with the first
    `data_to_send` after the next write, or after a `release_delayed` once they are `DELAY_S` old.
    """

    def __init__(
        self,
        session: WatchSession,
        faults: Sequence[Fault],
        *,
        seed: int = 0,
        started_s: float | None = None,
    ) -> None:
        """Wrap `session`. It is told the seconds since `started_s`, or since the first call."""
        self._session = session
        self._kinds = {fault.kind for fault in faults}
        self._at = {(fault.kind, fault.at) for fault in faults if fault.at is not None}
        self._random = Random(seed)  # noqa: S311  noise on the link, no secret
        self._started_s = started_s
        self._now_s = 0.0
        self._notifications = 0
        self._writes = 0
        self._lost = False
        self._restarts = False
        self._due: list[_Notification] = []
        self._delayed: deque[tuple[float, _Notification]] = deque()
        self._overtaken: list[_Notification] = []

    @property
    def link_must_drop(self) -> bool:
        """The link is to be lost once all that was handed out has been sent."""
        return self._lost or self._session.link_must_drop

    def link_opened(self, now_s: float) -> None:
        """A central connected."""
        self._session.link_opened(self._since_start(now_s))

    def subscribed(self, uuid: str, now_s: float) -> None:
        """The central enabled notifications on a characteristic."""
        self._session.subscribed(uuid, self._since_start(now_s))

    @property
    def gestures(self) -> tuple[str, ...]:
        """See `WatchSession.gestures`."""
        return self._session.gestures

    def make(self, gesture: str, now_s: float) -> None:
        """See `WatchSession.make`."""
        self._session.make(gesture, self._since_start(now_s))

    def settings_held(self) -> dict[str, bytes]:
        """See `WatchSession.settings_held`."""
        return self._session.settings_held()

    def take_shown(self) -> list[str]:
        """See `WatchSession.take_shown`."""
        return self._session.take_shown()

    @property
    def on_air(self) -> OnAir | None:
        """See `WatchSession.on_air`."""
        return self._session.on_air

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Hand a write to the watch, unless the link is lost with it."""
        since_start_s = self._since_start(now_s)
        self._restarts |= ("cut-power", self._writes) in self._at
        self._lost |= self._restarts or ("lose-write", self._writes) in self._at
        self._writes += 1
        if not self._lost:
            self._release(len(self._delayed))
            self._session.receive_write(uuid, data, since_start_s)

    def read_value(self, uuid: str, now_s: float) -> bytes:
        """The value of a readable characteristic."""
        return self._session.read_value(uuid, self._since_start(now_s))

    @property
    def write_was_lost(self) -> bool:
        """Whether the last write was lost with the link, so that nobody answers it."""
        return self._lost

    def data_to_send(self) -> list[_Notification]:
        """Take the notifications that are due, with their faults."""
        made = self._session.data_to_send()
        for notification in made:
            self._pass_on(notification)
        due, self._due = self._due, []
        if "silent" in self._kinds:
            return []
        if "noise" in self._kinds and due:
            uuid = due[0][0]
            return [(uuid, self._noise()), *due, (uuid, self._noise())]
        return due

    def link_lost(self, now_s: float) -> None:
        """The link is gone, and what was on its way with it; a due restart happens now."""
        self._lost = False
        self._due.clear()
        self._delayed.clear()
        self._overtaken.clear()
        since_start_s = self._since_start(now_s)
        self._session.link_lost(since_start_s)
        if self._restarts:
            self._restarts = False
            self._session.restart(since_start_s)

    def restart(self, now_s: float) -> None:
        """Restart the watch."""
        self._restarts = True
        self.link_lost(now_s)

    def release_delayed(self, now_s: float) -> None:
        """Let go what was held back for `DELAY_S`."""
        since_start_s = self._since_start(now_s)
        self._release(sum(held_s + DELAY_S <= since_start_s for held_s, _ in self._delayed))

    def _since_start(self, now_s: float) -> float:
        if self._started_s is None:
            self._started_s = now_s
        self._now_s = now_s - self._started_s
        return self._now_s

    def _release(self, count: int) -> None:
        self._due += [self._delayed.popleft()[1] for _ in range(count)]

    def _pass_on(self, notification: _Notification) -> None:
        """Put one notification on the link, or do to it what the faults say."""
        index = self._notifications
        self._notifications += 1
        self._restarts |= ("reboot", index) in self._at
        self._lost |= self._restarts or ("lose", index) in self._at
        if self._lost or ("drop", index) in self._at:
            return
        if ("corrupt", index) in self._at:
            notification = _flip_bit(notification)
        if ("delay", index) in self._at:
            self._delayed.append((self._now_s, notification))
        elif ("reorder", index) in self._at:
            self._overtaken.append(notification)
        else:
            copies = 2 if ("duplicate", index) in self._at else 1
            self._due += [notification] * copies + self._overtaken
            self._overtaken.clear()

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randint(1, _LONGEST_NOISE_BYTES))


def _flip_bit(notification: _Notification) -> _Notification:
    """Flip the lowest bit of the byte in the middle."""
    uuid, data = notification
    middle = len(data) // 2
    return uuid, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _parse_fault(text: str) -> Fault:
    kind, at, number = text.partition("@")
    if kind in _COUNTED and number.isascii() and number.isdecimal():
        return Fault(kind, int(number))
    if kind in _PLAIN and not at:
        return Fault(kind)
    known = [*(f"{name}@N" for name in _COUNTED), *_PLAIN]
    raise UsageError(f"There is no fault {text!r}.", f"Choose from {', '.join(known)}.")
