"""Push a dial to a watch: preflight, the file, and the watch as it then is.

Whatever breaks, the error says which dials the watch has now, and the next safe command. A dial
counts as pushed only where the watch lists it and shows it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from firmware_protocol.dials import DialLimits
from firmware_protocol.events import DialRemoved, DialShown, DialsRead
from firmware_protocol.jobs import ReadDials, RemoveDial, SendFile, ShowDial
from ksos_link.connection.retry import backoff_s
from ksos_link.connection.watch import Watch
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    LinkLostError,
    NotFoundError,
    PreflightError,
    RefusedError,
)
from ksos_link.operations.dial_wish import (
    DialEvent,
    DialJudged,
    DialReplaced,
    DialReport,
    DialWish,
)
from ksos_link.operations.file_facts import WatchFacts, facts_of_dial
from ksos_link.operations.link_events import Connected, Reconnecting
from ksos_link.operations.preflight import Objection, preflight
from ksos_link.operations.release_keys import Signature
from ksos_link.operations.route import LinkOptions, Route, open_route
from ksos_link.operations.target import Target
from ksos_link.operations.uploading import upload

_FASTLZ: Final = "fastlz"  # ido.md 9.1: dials go compressed
_OPTIONS: Final = {
    "unsigned": "--unsigned",
    "file_unsound": "--accept NAME",
    "colour": "--accept colour",
    "dial_there": "--replace",
}
_AGAIN: Final = "Run the same command again."


class _ArrivedError(KsosError):
    """Another link shows that the dial is there: only the watch's word for it was lost."""


async def push_dial(
    target: Target, wish: DialWish, options: LinkOptions
) -> AsyncGenerator[DialEvent, None]:
    """Push a dial and show it; the last event is the `DialReport`.

    Raises:
        PreflightError: objections stand and nothing was sent; or the watch does not list or show
            what it took.
        RefusedError, MalformedError: the watch refused it.
        BluetoothError, NotFoundError: the link was lost for good, or the watch is not there.
    """
    heard: list[int] = []

    def found(rssi_dbm: int) -> None:
        heard.append(rssi_dbm)
        if options.found is not None:
            options.found(rssi_dbm)

    async with (
        open_route(target, replace(options, found=found)) as route,
        contextlib.aclosing(push_dial_over(route, wish, heard)) as events,
    ):
        async for event in events:
            yield event


async def push_dial_over(
    route: Route, wish: DialWish, heard: list[int] | None = None
) -> AsyncGenerator[DialEvent, None]:
    """Push over a route that is open already; `heard` are signals that it was received with."""
    pushing = _Pushing(route, wish, DialReport(wish.shown_name), [] if heard is None else heard)
    try:
        with pushing.failing_truly():
            async with contextlib.aclosing(pushing.events()) as events:
                async for event in events:
                    yield event
    finally:
        await pushing.close()


@dataclass(slots=True)
class _Pushing:
    """One push. `state` says in words how the watch is now."""

    route: Route
    wish: DialWish
    report: DialReport
    heard: list[int]
    watch: Watch | None = None
    held: DialsRead | None = None
    sending: bool = False
    state: str = ""

    async def events(self) -> AsyncGenerator[DialEvent, None]:
        """Everything from the first link to the report."""
        async with contextlib.aclosing(self._patiently(self._look)) as told:
            async for event in told:
                yield event
        watch, held = self._at_hand()
        yield Connected(watch.info)
        if watch.info.bound is False:
            raise RefusedError("The watch is not bound.", "Bind it first: ksos watch pair ADDRESS")
        judged = self._judge(watch, held)
        yield judged
        _refuse(judged)
        if self.wish.dry_run:
            yield self.report
            return
        packed = self._packed(held)
        for step in (self._make_way(), self._send(packed), self._see_it_shown()):
            async with contextlib.aclosing(step) as told:
                async for each in told:
                    yield each
        self.report.pushed = True
        yield self.report

    def _judge(self, watch: Watch, held: DialsRead) -> DialJudged:
        wish, info = self.wish, watch.info
        self.report.battery_pct = info.battery_pct
        self.report.rssi_dbm = self.heard[-1] if self.heard else None
        facts = WatchFacts(
            family=info.family,
            product=info.product,
            model_code=info.model_code,
            firmware_version=info.firmware_version,
            battery_pct=info.battery_pct,
            charging=info.charging,
            free_bytes=held.largest_bytes,
            width_px=held.width_px,
            height_px=held.height_px,
            rssi_dbm=self.report.rssi_dbm,
            region=wish.region,
        )
        found = (
            *preflight(
                facts,
                facts_of_dial(wish.dial, wish.sha256, wish.accept),
                None if wish.release is None else wish.release.release,
                Signature.ABSENT if wish.release is None else wish.release.signature,
                channel=wish.channel,
            ),
            *_of_place(wish, held),
            *_of_colour(wish, held),
        )
        lifting = {*wish.allow, *(("unsigned",) if wish.unsigned else ())}
        lifted = tuple(one for one in found if one.override and one.name in lifting)
        self.report.lifted = tuple(dict.fromkeys(one.name for one in lifted))
        return DialJudged(tuple(one for one in found if one not in lifted), lifted)

    def _packed(self, held: DialsRead) -> bytes:
        """The dial in blocks of the size that the watch wants."""
        data, form = self.wish.dial.data, self.wish.dial.format
        block_bytes = held.block_bytes or form.block_bytes[0]
        if block_bytes not in form.block_bytes:
            raise RefusedError(
                f"The watch wants blocks of {block_bytes} bytes, which nobody has seen.",
                "Nothing was written.",
            )
        whole = form.expand(data)
        fits = whole != data and form.read(data).block_bytes == block_bytes
        packed = data if fits else form.pack(whole, block_bytes)
        self.report.size_bytes = len(packed)
        return packed

    async def _make_way(self) -> AsyncGenerator[DialEvent, None]:
        """Remove the older one, where there is one: only so its place is free for sure."""
        name = self.wish.shown_name
        if name not in self._at_hand()[1].dials:
            return
        self.state = f"The older {name} was removed, or may be; the new one is not there."
        async with contextlib.aclosing(self._patiently(self._remove)) as told:
            async for event in told:
                yield event
        self.report.replaced = True
        yield DialReplaced(name)

    async def _send(self, packed: bytes) -> AsyncGenerator[DialEvent, None]:
        job = SendFile(self.wish.sent_name, packed, _FASTLZ)
        self.state, self.sending = self.state or "The watch has the dials that it had.", True
        counts = self.report.counts
        try:
            async with contextlib.aclosing(
                upload(self._meet, [job], counts, self.watch, keeps_link=True)
            ) as sent:
                async for event in sent:
                    yield event
        except _ArrivedError:
            counts.links += 1
        self.sending = False
        self.state = "The watch took the file; what it has now: ksos dial list."

    async def _see_it_shown(self) -> AsyncGenerator[DialEvent, None]:
        """Show it, then look: the list and the word of the watch decide, not our own count."""
        async with contextlib.aclosing(self._patiently(self._show)) as told:
            async for event in told:
                yield event
        yield DialShown(self.wish.shown_name)

    async def _look(self, watch: Watch) -> None:
        self.held = await watch.ask(ReadDials(), DialsRead)

    async def _remove(self, watch: Watch) -> None:
        await self._look(watch)
        if self.wish.shown_name in self._at_hand()[1].dials:  # not gone with an earlier link
            await watch.ask(RemoveDial(self.wish.shown_name), DialRemoved)

    async def _show(self, watch: Watch) -> None:
        name = self.wish.shown_name
        await self._look(watch)
        if name not in self._at_hand()[1].dials:
            raise PreflightError("The watch took the file, but does not list the dial.")
        await watch.ask(ShowDial(name), DialShown)
        await self._look(watch)
        if self._at_hand()[1].shown != name:
            raise PreflightError("The watch has the dial, but shows another one.")

    async def _patiently(
        self, work: Callable[[Watch], Awaitable[None]]
    ) -> AsyncGenerator[DialEvent, None]:
        """Do something that may be done twice, over as many links as it takes."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await work(self.watch or await self._meet())
            except LinkLostError as error:
                await self.close()
                wait_s = backoff_s(error, attempt)
                if wait_s is None:
                    raise
                yield Reconnecting(attempt, wait_s)
                await asyncio.sleep(wait_s)
            else:
                return

    async def _meet(self) -> Watch:
        """A link, the only one. While the file is sent, it is asked whether it got it already."""
        await self.close()
        self.watch = watch = await self.route.meet()
        if self.sending:
            await self._look(watch)
            if self.wish.shown_name in self._at_hand()[1].dials:
                raise _ArrivedError("The dial is there already.")
        else:
            self.report.counts.links += 1
        return watch

    def _at_hand(self) -> tuple[Watch, DialsRead]:
        """The watch that was met, and the dials that it had when it was asked last."""
        if self.watch is None or self.held is None:
            raise LinkLostError("The link to the watch is closed.", "Try again.")
        return self.watch, self.held

    async def close(self) -> None:
        """Let the watch go."""
        watch, self.watch = self.watch, None
        if watch is not None:
            await watch.close()

    @contextlib.contextmanager
    def failing_truly(self) -> Iterator[None]:
        """Say with every failure how the watch is now, and what may be done next."""
        try:
            yield
        except KsosError as error:
            worth_another = self.state and isinstance(error, BluetoothError | NotFoundError)
            parts = (self.state, _AGAIN if worth_another else "", error.hint)
            error.hint = " ".join(part for part in parts if part)
            raise


def _refuse(judged: DialJudged) -> None:
    """Fail where something stands, with the options that let it pass.

    Raises:
        PreflightError: it does.
    """
    names = list(dict.fromkeys(one.name for one in judged.standing))
    if not names:
        return
    liftable = {one.name: f"--allow {one.name}" for one in judged.standing if one.override}
    options = [_OPTIONS.get(name) or liftable.get(name, "") for name in names]
    final = [name for name, option in zip(names, options, strict=True) if not option]
    hint = f"Nothing lifts {', '.join(final)}."
    if not final:
        hint = f"To push it all the same: {' '.join(options)}"
    count = "1 objection" if len(names) == 1 else f"{len(names)} objections"
    raise PreflightError(f"Nothing was written. {count}: {', '.join(names)}.", hint)


def _of_place(wish: DialWish, held: DialsRead) -> Iterator[Objection]:
    """Whether the watch can keep it: its name, one of the same name, a free place."""
    name, longest = wish.shown_name, wish.dial.format.name_bytes
    if not wish.stem or not name.isascii() or not name.isprintable() or len(name) > longest:
        text = (
            f"a dial's name has up to {longest} plain ASCII letters, with {wish.dial.format.suffix}"
        )
        yield Objection("dial_name", text)
    if name in held.builtin:
        yield Objection("dial_name", f"the watch came with a dial called {name}, which stays")
    elif name in held.dials:
        if not wish.replace:
            yield Objection("dial_there", f"a dial called {name} is there already")
    elif held.free == 0:
        loaded = [each for each in held.dials if each not in held.builtin]
        names = f"; remove one of {', '.join(loaded)}" if loaded else ""
        count = len(held.dials)
        yield Objection("dial_places", f"all places for dials are taken, {count} of them{names}")


def _of_colour(wish: DialWish, held: DialsRead) -> Iterator[Objection]:
    """How pictures keep their pixels; `accept` lets it pass as other faults of the file."""
    for one in wish.dial.objections(DialLimits(colour=held.colour), wish.accept):
        if one.name == "colour":
            yield Objection("colour", one.text)
