"""Write firmware to a watch: preflight, its loader, the images, and the watch as it then is.

Whatever breaks, the error says in which state the watch is, and the next safe command. Nothing is
activated that the watch did not verify; nothing is confirmed that did not come back.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from firmware_protocol.events import WatchInfo
from firmware_protocol.family import UpdatePath
from firmware_protocol.jobs import ConfirmImage, EnterLoader, InstallImage, SendFile
from firmware_protocol.updates.registry import transport_named
from firmware_protocol.updates.transport import UpdateTransport
from ksos_link.connection.retry import MAX_ATTEMPTS, wait_before_s
from ksos_link.connection.watch import Loader, Peer, Watch
from ksos_link.errors import (
    BluetoothError,
    KsosError,
    LinkLostError,
    NotFoundError,
    PreflightError,
    RefusedError,
    UnsupportedError,
)
from ksos_link.operations.firmware_preflight import objections_half_way, objections_of_watch
from ksos_link.operations.firmware_state import held_images
from ksos_link.operations.firmware_wish import (
    FirmwareEvent,
    FirmwareReport,
    FirmwareWish,
    LoaderMet,
    Preflighted,
    Restarting,
    UploadNotes,
    same_version,
)
from ksos_link.operations.link_events import Connected
from ksos_link.operations.preflight import BATTERY_FLOOR_PCT, Objection, refuse
from ksos_link.operations.route import LinkOptions, Route, open_route
from ksos_link.operations.target import Target
from ksos_link.operations.uploading import upload

BOOT_ATTEMPTS: Final = 6  # each looks for the watch as long as `--timeout-s` says
_KEEPS_OLD: Final = (  # also true where the watch was the faster one, and its last word was lost
    "The watch keeps its old firmware until it has all of the new one. Run the same command again."
)


async def write_firmware(
    target: Target, wish: FirmwareWish, options: LinkOptions, notes: UploadNotes | None = None
) -> AsyncGenerator[FirmwareEvent, None]:
    """Write firmware; the last event is the `FirmwareReport`.

    Raises:
        PreflightError: objections stand and nothing was sent; or the watch came back with other
            firmware than was written.
        RefusedError, MalformedError, PolicyError: the watch or its loader refused.
        BluetoothError, NotFoundError: the link was lost for good, or the watch is not there.
    """
    async with (
        _opened(target, wish, options, notes) as writing,
        contextlib.aclosing(writing.write()) as events,
    ):
        async for event in events:
            yield event


async def resume_firmware(
    target: Target,
    wish: FirmwareWish,
    options: LinkOptions,
    address: str,
    notes: UploadNotes | None = None,
) -> AsyncGenerator[FirmwareEvent, None]:
    """Finish what was begun on the watch with this address, from its loader; else as `write`.

    Raises:
        NotFoundError: neither its loader nor its application is on the air.
        Others as `write_firmware`.
    """
    async with (
        _opened(target, wish, options, notes) as writing,
        contextlib.aclosing(writing.resume(address)) as events,
    ):
        async for event in events:
            yield event


@contextlib.asynccontextmanager
async def _opened(
    target: Target, wish: FirmwareWish, options: LinkOptions, notes: UploadNotes | None
) -> AsyncGenerator["_Writing", None]:
    report = FirmwareReport()

    def found(rssi_dbm: int) -> None:
        report.rssi_dbm = rssi_dbm
        if options.found is not None:
            options.found(rssi_dbm)

    async with open_route(target, replace(options, found=found)) as route:
        yield _Writing(route, wish, report, notes)


@dataclass(slots=True)
class _Writing:
    """One update of one watch. `state` says in words how the watch is now."""

    route: Route
    wish: FirmwareWish
    report: FirmwareReport
    notes: UploadNotes | None
    address: str = ""
    state: str = "Nothing was written."

    async def write(self, *, resumes: bool = False) -> AsyncGenerator[FirmwareEvent, None]:
        """From the running application; whoever resumes is done where it runs that version."""
        try:
            watch = await self._meet_application()
        except NotFoundError as error:
            error.hint = f"{error.hint} If an update of it was cut: ksos firmware resume"
            raise
        try:
            self._remember(watch)
            yield Connected(watch.info)
            if resumes and same_version(watch.info.firmware_version, self.wish.version):
                self.report.confirmed = True
                self.report.version_after = watch.info.firmware_version
                self._forget_begun()
                yield self.report
                return
            path = watch.family.update_path(watch.info)
            lifted = self._preflight(watch.info, path)
            yield Preflighted(lifted)
            if self.wish.dry_run:
                yield self.report
                return
            if self.notes is not None:
                self.notes.begun(self.address, self.wish)
            with self._failing_truly():
                async with contextlib.aclosing(self._send(watch, path)) as events:
                    async for event in events:
                        yield event
        finally:
            await watch.close()

    async def resume(self, address: str) -> AsyncGenerator[FirmwareEvent, None]:
        """From the loader, where it is on the air; a trial that goes on is brought to its end."""
        self.address = address
        way = transport_named(self.wish.transport)
        if way is not None and way.on_trial and await self._is_on_trial():
            self._preflight_half_way()
            with self._failing_truly():
                await self._come_back(way)
            yield self.report
            return
        loader = None
        if way is not None and way.leaves_application:
            with contextlib.suppress(NotFoundError):
                loader = await self._patiently(
                    lambda: self.route.meet_loader(way, self._loader_addresses(way))
                )
        if way is None or loader is None:
            async with contextlib.aclosing(self.write(resumes=True)) as events:
                async for event in events:
                    yield event
            return
        self.report.counts.links += 1
        yield LoaderMet(loader.info)
        self._preflight_half_way()
        self.state = self._in_loader
        with self._failing_truly():
            async with contextlib.aclosing(self._install(way, loader)) as events:
                async for event in events:
                    yield event

    def _preflight(self, info: WatchInfo, path: UpdatePath) -> tuple[Objection, ...]:
        if path.refusal:
            raise RefusedError(f"This watch gets no firmware from ksos: {path.refusal}.")
        return self._judge(objections_of_watch(self.wish, info, path, self.report.rssi_dbm))

    def _preflight_half_way(self) -> None:
        self._judge(objections_half_way(self.wish, self.report.rssi_dbm))

    def _judge(self, found: Collection[Objection]) -> tuple[Objection, ...]:
        lifted = refuse(found, self.wish.allow, unsigned=self.wish.unsigned)
        self.report.lifted = tuple(dict.fromkeys(each.name for each in lifted))
        return lifted

    async def _send(self, watch: Watch, path: UpdatePath) -> AsyncGenerator[FirmwareEvent, None]:
        """By the family's own pipe, or by the loader of the platform."""
        if path.file_name:
            self.state = _KEEPS_OLD
            jobs = [SendFile(path.file_name, part.data) for part in self.wish.parts]
            counts = self.report.counts
            async with contextlib.aclosing(upload(self._meet_again, jobs, counts, watch)) as sent:
                async for told in sent:
                    yield told
            yield Restarting()
            await self._come_back(None)
            yield self.report
            return
        way = transport_named(self.wish.transport)
        if way is None:
            raise RefusedError(f"ksos does not speak {self.wish.transport}.")
        self.state = self._in_loader if way.leaves_application else _KEEPS_OLD
        if path.enters_loader:
            await self._enter(watch, way)
        await watch.close()
        async with contextlib.aclosing(self._install(way, None)) as events:
            async for event in events:
                yield event

    async def _enter(self, watch: Watch, way: UpdateTransport) -> None:
        code = self.wish.parts[0].facts.get("ido_device_id")  # ido.md 11.3: 01 03 wants it
        try:
            await _run(watch, EnterLoader(code if isinstance(code, int) else None))
        except UnsupportedError:
            if not way.entries:
                raise
            await watch.close()
            await self._enter_by_service(way)

    async def _enter_by_service(self, way: UpdateTransport) -> None:
        """The first of the transport's own services that the application has (dfu.md 3.2, 4.3)."""
        for entry in way.entries:
            try:
                doorway = await self.route.meet_doorway(entry)
            except RefusedError:
                continue  # this one is not there
            try:
                return await _run(doorway, EnterLoader())
            finally:
                await doorway.close()
        raise RefusedError("This watch has no way into its loader that ksos knows.")

    async def _install(
        self, way: UpdateTransport, loader: Loader | None
    ) -> AsyncGenerator[FirmwareEvent, None]:
        wish = self.wish
        jobs = [
            InstallImage(part, part is wish.parts[-1], wish.experimental, wish.loader_key)
            for part in wish.parts
        ]

        async def meet() -> Loader:
            return await self._meet_loader(way)

        if loader is None:
            loader = await self._patiently(meet)
            self.report.counts.links += 1
            yield LoaderMet(loader.info)
        counts, pause_s = self.report.counts, way.pause_between_parts_s
        async with contextlib.aclosing(upload(meet, jobs, counts, loader, pause_s=pause_s)) as sent:
            async for event in sent:
                yield event
        yield Restarting()
        await self._come_back(way)
        yield self.report

    async def _come_back(self, way: UpdateTransport | None) -> None:
        """Meet the application again, compare what it says it is, and keep it."""
        self.report.written = True
        self.state = "The watch was told to start the new firmware. See: ksos firmware show"
        watch = await self._meet_application(BOOT_ATTEMPTS)
        await watch.close()
        self.address = watch.address  # who resumed may have known only where the loader was
        trial = way if way is not None and way.on_trial else None
        if trial is None:
            self._forget_begun()
        info, wanted = watch.info, self.wish.version
        self.report.version_after = info.firmware_version
        self.report.battery_after_pct = info.battery_pct
        self.report.confirmed = same_version(info.firmware_version, wanted)
        if self.report.confirmed is False:
            raise PreflightError(
                f"The watch came back with firmware {info.firmware_version}, not {wanted}."
            )
        if trial is not None:
            self.state = (
                "The new firmware was started on trial; the watch goes back to the old one when it "
                f"restarts, unless it is confirmed: ksos firmware resume {self._file_name}"
            )
            await self._confirm(trial)
            self._forget_begun()

    async def _is_on_trial(self) -> bool:
        """Whether the watch runs the image, and waits to be told that it may keep it."""
        watch = await self.route.meet()
        await watch.close()
        self._remember(watch)
        path = watch.family.update_path(watch.info)
        images = await held_images(self.route, path, self.address)
        digest = self.wish.parts[-1].digests.get("sha256")
        return any(image.on_trial and image.digest == digest for image in images)

    def _forget_begun(self) -> None:
        if self.notes is not None:
            self.notes.ended(self.address)

    async def _confirm(self, way: UpdateTransport) -> None:
        """Again where the link is lost; it asks each time whether the new image runs."""
        for attempt in range(1, MAX_ATTEMPTS):
            with contextlib.suppress(LinkLostError, NotFoundError):
                return await self._confirm_once(way)
            await asyncio.sleep(wait_before_s(attempt))
        return await self._confirm_once(way)

    async def _confirm_once(self, way: UpdateTransport) -> None:
        loader = await self._meet_loader(way)
        try:
            await _run(loader, ConfirmImage(self.wish.parts[-1].digests["sha256"]))
            self.report.confirmed = True
        finally:
            await loader.close()

    async def _meet_application(self, attempts: int = 1) -> Watch:
        """Where the watch restarts, it is looked for more than once."""
        for attempt in range(1, attempts):
            with contextlib.suppress(NotFoundError, BluetoothError, RefusedError):
                return await self.route.meet()
            await asyncio.sleep(wait_before_s(attempt))
        return await self.route.meet()

    async def _meet_again(self) -> Watch:
        """After a lost link; a battery that fell meanwhile ends it before more is written."""
        watch = await self._meet_application()
        battery_pct = watch.info.battery_pct
        if battery_pct is not None and battery_pct < BATTERY_FLOOR_PCT:
            await watch.close()
            raise PreflightError(
                f"The battery fell below {BATTERY_FLOOR_PCT} % meanwhile.", "Charge the watch."
            )
        return watch

    async def _meet_loader(self, way: UpdateTransport) -> Loader:
        """The loader; an application that started again in its place is sent back there."""
        addresses = self._loader_addresses(way)
        if not way.leaves_application:
            return await self.route.meet_loader(way, addresses)
        with contextlib.suppress(NotFoundError):
            return await self.route.meet_loader(way, addresses)
        watch = await self._meet_again()
        try:
            await self._enter(watch, way)
        finally:
            await watch.close()
        return await self.route.meet_loader(way, addresses)

    @staticmethod
    async def _patiently(meet: Callable[[], Awaitable[Loader]]) -> Loader:
        """A link that is lost while the loader is greeted is made again, as later ones are."""
        for lost in range(MAX_ATTEMPTS - 1):
            with contextlib.suppress(LinkLostError):
                return await meet()
            await asyncio.sleep(wait_before_s(lost))
        return await meet()

    def _loader_addresses(self, way: UpdateTransport) -> tuple[str, ...]:
        """Where its loader may be; anywhere, where the watch's own address is not known."""
        return way.loader_addresses(self.address) if self.address else ()

    @property
    def _in_loader(self) -> str:
        """A link that broke leaves it open whether the watch went there, or is there still."""
        return (
            "The watch may be in its loader, where it runs no application until an update is "
            f"finished: ksos firmware resume {self._file_name}"
        )

    @property
    def _file_name(self) -> str:
        return self.wish.files[0].path.name

    def _remember(self, watch: Watch) -> None:
        self.report.counts.links += 1
        self.address = watch.address
        self.report.version_before = watch.info.firmware_version
        self.report.battery_before_pct = watch.info.battery_pct

    @contextlib.contextmanager
    def _failing_truly(self) -> Iterator[None]:
        """Say with every failure how the watch is now, and what may be done next."""
        try:
            yield
        except KsosError as error:
            error.hint = f"{self.state} {error.hint}".strip()
            raise


async def _run(peer: Peer, job: EnterLoader | ConfirmImage) -> None:
    """A job that tells nothing but its end."""
    async with contextlib.aclosing(peer.run(job)) as events:
        async for _ in events:
            pass
