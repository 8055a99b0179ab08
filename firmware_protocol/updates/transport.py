"""What a firmware transport must supply: how its loader is found, and how it speaks."""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_protocol.family import Advertisement, Dialect, GattProfile
from firmware_protocol.updates.loader import Flash, LoaderSession


@dataclass(frozen=True, slots=True)
class UpdateTransport:
    """A way by which an image gets into a watch; `name` is what `ImageInfo.transport` says.

    The dialect of `open_dialect` knows the jobs `Identify`, `ReadImages`, `InstallImage`, and, as
    the transport has them, `EnterLoader` and `ConfirmImage`. `InstallImage` asks how far the watch
    got and goes on from there by itself, so running it once more is how an upload is resumed.
    """

    name: str
    title: str
    gatt: GattProfile
    open_dialect: Callable[[int], Dialect]  # from the largest write that the link takes
    open_loader: Callable[[Flash], LoaderSession]  # the virtual one
    leaves_application: bool  # for a loader; else the application takes the image itself
    is_loader: Callable[[Advertisement], bool]  # whether a loader of this kind is on the air
    loader_addresses: Callable[[str], tuple[str, ...]]  # where it may be, by the application's
    entry: GattProfile | None = None  # a service of the application that opens the loader
    on_trial: bool = False  # the new image must be confirmed, or the watch goes back
    pause_between_parts_s: float = 0.0
    provisional: str = ""


def same_address(address: str) -> tuple[str, ...]:
    """For transports whose image goes in where the application is."""
    return (address,)
