"""The dials of a watch: which there are, which is shown, away with one."""

from firmware_protocol.events import DialRemoved, DialShown, DialsRead
from firmware_protocol.jobs import ReadDials, RemoveDial, ShowDial
from ksos_link.errors import LinkLostError, NotFoundError, PreflightError, RefusedError
from ksos_link.operations.open_watch import OpenWatch


async def read_dials(watch: OpenWatch) -> DialsRead:
    """Ask which dials are there.

    Raises:
        RefusedError: the watch has none that can be named, or did not answer.
    """
    return await watch.ask(ReadDials(), DialsRead)


async def show_dial(watch: OpenWatch, name: str) -> str:
    """Put a dial on the screen; return its full name.

    Raises:
        NotFoundError: there is none of that name.
        RefusedError: the watch refused.
    """
    found = _named(watch, await read_dials(watch), name)
    await watch.ask(ShowDial(found), DialShown)
    return found


async def remove_dial(watch: OpenWatch, name: str) -> str:
    """Delete a dial, and see that it is gone; return its full name.

    Raises:
        NotFoundError: there is none of that name.
        RefusedError: the watch came with it, or refused.
        PreflightError: it is still there.
        BluetoothError: the link was lost, and it is still there.
    """
    held = await read_dials(watch)
    found = _named(watch, held, name)
    if found in held.builtin:
        raise RefusedError(f"The watch came with {found}; it cannot be removed.")
    lost: LinkLostError | None = None
    try:
        await watch.ask(RemoveDial(found), DialRemoved, repeat=False)
    except LinkLostError as error:  # it may have been done: the list says so
        lost = error
    if found in (await read_dials(watch)).dials:
        raise lost or PreflightError(f"The watch says that {found} is gone, and still lists it.")
    return found


def _named(watch: OpenWatch, held: DialsRead, name: str) -> str:
    """The dial that a person means, with or without the suffix of dials."""
    form = watch.family.dial_format
    suffixed = name if form is None else f"{name}{form.suffix}"
    for candidate in (name, suffixed):
        if candidate in held.dials:
            return candidate
    raise NotFoundError(
        "The watch has no dial of that name.", f"It has: {', '.join(held.dials) or 'none'}."
    )
