"""What a firmware transport must supply: how its loader is found, and how it speaks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_protocol.family import Advertisement, Dialect, GattProfile
from firmware_protocol.updates.loader import Flash, LoaderSession

_ADDRESS_BYTES: Final = 6
_LAST_ADDRESS: Final = 0xFFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A service by which an application leaves for its loader, with a dialect of its own.

    It knows the jobs `Identify` and `EnterLoader`. With `bond` the host must be bonded: the loader
    could not be reached otherwise (dfu.md 9).
    """

    gatt: GattProfile
    open_dialect: Callable[[int], Dialect]
    bond: bool = False


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
    entries: tuple[Entry, ...] = ()  # services of an application that lead to the loader
    on_trial: bool = False  # the new image must be confirmed, or the watch goes back
    pause_between_parts_s: float = 0.0
    provisional: str = ""


def same_address(address: str) -> tuple[str, ...]:
    """For transports whose image goes in where the application is."""
    return (address,)


def addresses_beside(address: str) -> tuple[str, ...]:
    """Where a Nordic loader may be: the same, or one further without or with carry (ido.md 11.1).

    Where a platform hides addresses behind names of its own, only the same is known.
    """
    octets = address.split(":")
    try:
        value = bytes.fromhex("".join(octets))
    except ValueError:
        return (address,)
    if len(octets) != len(value) or len(value) != _ADDRESS_BYTES:
        return (address,)
    last = value[:-1] + bytes([(value[-1] + 1) & 0xFF])
    carried = ((int.from_bytes(value) + 1) & _LAST_ADDRESS).to_bytes(_ADDRESS_BYTES)
    places = (value, last, carried)
    return tuple(dict.fromkeys(place.hex(":").upper() for place in places))
