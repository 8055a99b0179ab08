"""A watch held open: its settings, its actions, and what it tells, one call each.

    async with open_watch(parse_target("AA:BB:CC:DD:EE:FF"), LinkOptions()) as watch:
        await watch.goal.write(Goal(steps=8000))
        for alarm in await watch.alarms.list():
            print(alarm.at, alarm.name)

A link that breaks is made again, as a sync does it; what was asked is asked once more.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from firmware_protocol import settings as page
from firmware_protocol.actions import Action
from firmware_protocol.events import Event, Remarked, SettingRead, SettingWritten, WatchInfo
from firmware_protocol.family import Family, SettingSupport
from firmware_protocol.jobs import Do, Job, ReadSetting, WriteSetting
from firmware_protocol.settings import Setting
from firmware_protocol.told import EVENT_NAMES, Told
from ksos_link.connection.retry import backoff_s
from ksos_link.connection.watch import Watch
from ksos_link.errors import LinkLostError, MalformedError, RefusedError
from ksos_link.operations.route import LinkOptions, Route, open_route
from ksos_link.operations.setting_book import MemoryBook, SettingBook
from ksos_link.operations.setting_noun import AlarmNoun, Change, SettingNoun, Shown
from ksos_link.operations.target import Target

SettingType = TypeVar("SettingType", bound=Setting)
EventType = TypeVar("EventType", bound=Event)
Result = TypeVar("Result")


class OpenWatch:
    """A watch that answers. Get it from `open_watch`."""

    def __init__(self, route: Route, options: LinkOptions, book: SettingBook) -> None:
        self._route = route
        self._options = options
        self._book = book
        self._watch: Watch | None = None
        self._told: deque[Told] = deque()
        self.goal = SettingNoun(self, page.Goal)
        self.units = SettingNoun(self, page.Units)
        self.language = SettingNoun(self, page.Language)
        self.wearer = SettingNoun(self, page.Wearer)
        self.dnd = SettingNoun(self, page.Dnd)
        self.sleep_time = SettingNoun(self, page.SleepTime)
        self.notices = SettingNoun(self, page.Notices)
        self.find_phone = SettingNoun(self, page.FindPhone)
        self.sitting = SettingNoun(self, page.SittingReminder)
        self.walking = SettingNoun(self, page.WalkReminder)
        self.drinking = SettingNoun(self, page.DrinkReminder)
        self.cycle = SettingNoun(self, page.Cycle)
        self.heart_rate = SettingNoun(self, page.HeartRateMeasuring)
        self.heart_rate_zones = SettingNoun(self, page.HeartRateZones)
        self.heart_rate_alarm = SettingNoun(self, page.HeartRateAlarm)
        self.spo2 = SettingNoun(self, page.Spo2Measuring)
        self.stress = SettingNoun(self, page.StressMeasuring)
        self.sport_detection = SettingNoun(self, page.SportDetection)
        self.sport_order = SettingNoun(self, page.SportOrder)
        self.brightness = SettingNoun(self, page.Brightness)
        self.raise_to_wake = SettingNoun(self, page.RaiseToWake)
        self.orientation = SettingNoun(self, page.Orientation)
        self.wrist = SettingNoun(self, page.Wrist)
        self.music = SettingNoun(self, page.MusicControl)
        self.weather = SettingNoun(self, page.WeatherDisplay)
        self.alarms = AlarmNoun(self)

    @property
    def info(self) -> WatchInfo:
        """Who the watch said it is."""
        return self._connected.info

    @property
    def family(self) -> Family:
        """Its wire."""
        return self._connected.family

    @property
    def supported(self) -> Mapping[type[Setting], SettingSupport]:
        """The settings that its wire carries and that it does not deny."""
        listed = self.info.capabilities
        return {
            kind: support
            for kind, support in self.family.settings.items()
            if not support.needs or listed.intersection(support.needs)
        }

    async def read(
        self, kind: type[SettingType], *, experimental: bool = False
    ) -> Shown[SettingType]:
        """A setting as the watch holds it, or as it was sent, or as it usually is.

        Raises:
            RefusedError: this watch has no such setting, or did not answer.
            BluetoothError: the link was lost more often than the policy allows.
        """
        support = self._support(kind)
        if support.reads_back(self.info.capabilities):
            events = await self.perform(ReadSetting(kind, experimental))
            answer = _last(events, SettingRead)
            return Shown(_of(kind, answer.setting), "watch", remarks=_remarks(events))
        sent = self._book.sent().get(kind)
        if sent is None:
            return Shown(kind(), "default")
        return Shown(_of(kind, sent.setting), "sent", sent.utc_s)

    async def write(
        self,
        setting: SettingType,
        *,
        before: SettingType | None = None,
        experimental: bool = False,
        others: Mapping[type[Setting], Setting] | None = None,
    ) -> Change[SettingType]:
        """Set a setting, read it back where the wire can, and remember it.

        `others` are settings that are about to be sent as well: a message that carries several
        takes them from here rather than from what was sent before.

        Raises:
            RefusedError: the watch has no such setting, refused it, or did not answer.
            BluetoothError: the link was lost more often than the policy allows.
        """
        kind = type(setting)
        self._support(kind)
        self._book.check_allowed(setting)
        known = {other: sent.setting for other, sent in self._book.sent().items()}
        known.update(others or {})
        events = await self.perform(WriteSetting(setting, known, experimental))
        written = _last(events, SettingWritten)
        sent = _of(kind, written.sent)
        held = None if written.held is None else _of(kind, written.held)
        self.note_sent(sent if held is None else held)
        return Change(before, setting, sent, held, _remarks(events))

    def sent(self, kind: type[SettingType]) -> SettingType | None:
        """A setting as it was sent to this watch, None where it never was."""
        found = self._book.sent().get(kind)
        return None if found is None else _of(kind, found.setting)

    def note_sent(self, setting: Setting) -> None:
        """Remember that the watch took a setting."""
        self._book.remember(setting, int(self.now().timestamp()))

    def note_clock(self, set_to: datetime) -> None:
        """Remember to what local time the watch's clock was set just now."""
        self._book.note_clock(self.now(), set_to)

    def now(self) -> datetime:
        """This machine's time, aware."""
        return self._options.now()

    async def do(self, action: Action, *, experimental: bool = False) -> list[Event]:
        """Make the watch do something now; returns what it and the job said.

        A lost link is not made again for an action: it might happen twice.

        Raises:
            RefusedError, PolicyError, UsageError: see `Watch.run`.
            BluetoothError: the link was lost.
        """
        return await self.perform(Do(action, experimental), repeat=False)

    async def ask(self, job: Job, answer: type[EventType], *, repeat: bool = True) -> EventType:
        """Run a job and return its one answer of that type; see `perform`."""
        return _last(await self.perform(job, repeat=repeat), answer)

    async def ask_action(
        self, action: Action, answer: type[EventType], *, experimental: bool = False
    ) -> EventType:
        """Do something that only asks, and return its one answer of that type."""
        return _last(await self.perform(Do(action, experimental)), answer)

    async def perform(self, job: Job, *, repeat: bool = True) -> list[Event]:
        """Run a job to its end; with `repeat` again on a new link where one breaks.

        Raises:
            RefusedError, PolicyError, UsageError, MalformedError: see `Watch.run`.
            BluetoothError: the link was lost more often than the policy allows.
        """

        async def once(watch: Watch) -> list[Event]:
            events: list[Event] = []
            try:
                async with contextlib.aclosing(watch.run(job)) as running:
                    async for event in running:
                        events.append(event)  # noqa: PERF401 those before a failure count too
                return events
            finally:  # what the watch told meanwhile counts, whatever became of the job
                self._keep_told(events)

        return await self._on_a_link(once, repeat=repeat)

    async def listen(self, for_s: float | None = None) -> AsyncGenerator[Told, None]:
        """Yield what the watch tells unasked, for a while or for ever.

        Raises:
            LinkLostError: the link broke; the next call makes a new one.
        """
        while self._told:
            yield self._told.popleft()
        watch = await self._meet()
        async with contextlib.aclosing(watch.listen(for_s)) as events:
            async for event in events:
                if type(event) in EVENT_NAMES:
                    yield event  # type: ignore[misc]  # the table has exactly the types of `Told`

    async def close(self) -> None:
        """Let the watch go; the next call connects again."""
        watch, self._watch = self._watch, None
        if watch is not None:
            await watch.close()

    async def connect(self) -> WatchInfo:
        """Make the first link, with the same patience as later ones.

        Raises:
            NotFoundError, BluetoothError, RefusedError: see `Route.meet`.
        """

        async def who(watch: Watch) -> WatchInfo:
            return watch.info

        return await self._on_a_link(who)

    async def _on_a_link(
        self, work: Callable[[Watch], Awaitable[Result]], *, repeat: bool = True
    ) -> Result:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await work(await self._meet())
            except LinkLostError as error:
                await self.close()
                wait_s = backoff_s(error, attempt) if repeat else None
                if wait_s is None:
                    raise
                await asyncio.sleep(wait_s)

    def _keep_told(self, events: Iterable[Event]) -> None:
        for event in events:
            if type(event) in EVENT_NAMES:
                self._told.append(event)  # type: ignore[arg-type]  # the table has just them

    async def _meet(self) -> Watch:
        if self._watch is None:
            self._watch = await self._route.meet()
            self._keep_told(self._watch.told_while_met)
        return self._watch

    @property
    def _connected(self) -> Watch:
        if self._watch is None:
            raise LinkLostError("The link to the watch is closed.", "Try again.")
        return self._watch

    def _support(self, kind: type[Setting]) -> SettingSupport:
        support = self.family.settings.get(kind)
        if support is None:
            raise RefusedError(
                f"Watches of family {self.family.name} have no setting {kind.NAME}.",
                "`ksos setting list` names those that this one has.",
            )
        return support


@contextlib.asynccontextmanager
async def open_watch(
    target: Target, options: LinkOptions | None = None, book: SettingBook | None = None
) -> AsyncGenerator[OpenWatch, None]:
    """Connect to a watch and hold it open.

    Without a `book` what the watch cannot read back is forgotten at the end.

    Raises:
        NotFoundError: the watch is not there, or no watch that we know.
        BluetoothError: the link could not be made.
        RefusedError: the watch did not answer.
    """
    chosen = options or LinkOptions()
    async with open_route(target, chosen) as route:
        watch = OpenWatch(route, chosen, book or MemoryBook())
        try:
            await watch.connect()
            yield watch
        finally:
            await watch.close()


def _last(events: list[Event], kind: type[EventType]) -> EventType:
    found = [event for event in events if isinstance(event, kind)]
    if not found:
        raise MalformedError("The watch ended the job without an answer.")
    return found[-1]


def _of(kind: type[SettingType], setting: Setting) -> SettingType:
    if not isinstance(setting, kind):
        raise MalformedError("The watch answered with another setting.")
    return setting


def _remarks(events: list[Event]) -> tuple[str, ...]:
    return tuple(event.text for event in events if isinstance(event, Remarked))
