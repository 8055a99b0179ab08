"""Which firmware a watch runs, how a new one would get in, and whether it is that of a file."""

import contextlib
from dataclasses import dataclass

from firmware_protocol.events import HeldImage, ImagesRead, WatchInfo
from firmware_protocol.family import UpdatePath
from firmware_protocol.jobs import ReadImages
from firmware_protocol.updates.registry import transport_named
from ksos_link.errors import BluetoothError, NotFoundError, PreflightError, RefusedError
from ksos_link.operations.firmware_wish import FirmwareWish, same_version
from ksos_link.operations.route import LinkOptions, Route, open_route
from ksos_link.operations.target import Target


@dataclass(frozen=True, slots=True)
class FirmwareState:
    """What a watch says of its firmware. `images` is empty where nothing beside it can be asked."""

    info: WatchInfo
    path: UpdatePath
    images: tuple[HeldImage, ...] = ()

    @property
    def running(self) -> HeldImage | None:
        """The image that runs, where the watch tells of images."""
        return next((image for image in self.images if "active" in image.state), None)


async def read_firmware_state(target: Target, options: LinkOptions) -> FirmwareState:
    """Ask the application, and what takes images beside it.

    Raises:
        NotFoundError, BluetoothError, RefusedError: see `Route.meet`.
    """
    async with open_route(target, options) as route:
        watch = await route.meet()
        path = watch.family.update_path(watch.info)
        address = watch.address
        await watch.close()
        return FirmwareState(watch.info, path, await held_images(route, path, address))


async def verify_firmware(
    target: Target, wish: FirmwareWish, options: LinkOptions
) -> FirmwareState:
    """Compare what the watch runs with what was read from files: by digest, else by version.

    Raises:
        PreflightError: it runs something else, or nothing can be compared.
        Others as `read_firmware_state`.
    """
    state = await read_firmware_state(target, options)
    running, digest = state.running, wish.parts[-1].digests.get("sha256")
    if running is not None and running.digest is not None and digest is not None:
        if running.digest == digest:
            _check_kept(running)
            return state
        raise PreflightError("The watch runs another image than that of the file.")
    told, wanted = state.info.firmware_version, wish.version
    same = same_version(told, wanted)
    if same is None:
        raise PreflightError(
            "Nothing can be compared: the watch says "
            f"{told or 'no version'}, the file {wanted or 'none'}.",
            "A release manifest tells the version: ksos firmware verify MANIFEST",
        )
    if not same:
        raise PreflightError(f"The watch runs firmware {told}, not {wanted}.")
    return state


def _check_kept(running: HeldImage) -> None:
    if running.on_trial:
        raise PreflightError(
            "The watch runs it on trial only, and goes back to the old one when it restarts.",
            "Let it keep it: ksos firmware resume FILE",
        )


async def held_images(route: Route, path: UpdatePath, address: str) -> tuple[HeldImage, ...]:
    """What a loader tells that serves beside the application; others are not disturbed."""
    for name in path.transports:
        way = transport_named(name)
        if way is None or way.leaves_application or path.enters_loader:
            continue
        with contextlib.suppress(NotFoundError, BluetoothError, RefusedError):
            loader = await route.meet_loader(way, way.loader_addresses(address))
            try:
                return (await loader.ask(ReadImages(), ImagesRead)).images
            finally:
                await loader.close()
    return ()
