"""What commands share that talk to a watch: which one, what is known of it, one job."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import Invocation
from ksos_link.cli.run import run
from ksos_link.errors import NotFoundError, RefusedError

if TYPE_CHECKING:
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.setting_book import SettingBook
    from ksos_link.operations.target import Target
    from ksos_link.store.database import Store

Result = TypeVar("Result")
Experimental = Annotated[
    bool,
    typer.Option("--experimental", help="Try what is not proven, or what the watch does not list."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail where the watch takes less than what was asked.")
]


def at_watch(
    call: Invocation, job: "Callable[[OpenWatch], Awaitable[Result]]", *, bound: bool = True
) -> Result:
    """Connect to the watch of this run, do one job, let it go.

    With `bound` a watch that says it belongs to nobody is refused before anything is sent.

    Raises:
        NotFoundError, BluetoothError, RefusedError: see `open_watch`.
    """
    with watch_and_book(call) as (target, book):
        return run(_held_open(call, target, book, job, bound=bound))


@contextlib.contextmanager
def watch_and_book(call: Invocation) -> "Iterator[tuple[Target, SettingBook]]":
    """The way to the watch of this run, and what the store knows of its settings.

    A watch that is named by its address and was never paired has a book of its own that is
    forgotten at the end.
    """
    from ksos_link.operations.setting_book import MemoryBook, StoreBook
    from ksos_link.operations.target import target_of

    named = call.named_target()
    with contextlib.ExitStack() as open_things:
        try:
            store = open_things.enter_context(call.open_store(create=False))
            device = call.chosen_device(store)
        except NotFoundError:
            if named is None:
                raise
            yield named, MemoryBook()
            return
        target = named or target_of(device.address)
        open_things.enter_context(alone_with(target, store))
        yield target, StoreBook(store, device)


@contextlib.contextmanager
def alone_with(target: "Target", store: "Store | None") -> "Iterator[None]":
    """No other ksos of this home has a job with that watch meanwhile.

    Raises:
        StoreError: another one has.
    """
    from ksos_link.operations.target import address_of

    address = address_of(target)
    if store is None or not address:
        yield
        return
    with store.watch_to_oneself(address):
        yield


async def _held_open(
    call: Invocation,
    target: "Target",
    book: "SettingBook",
    job: "Callable[[OpenWatch], Awaitable[Result]]",
    *,
    bound: bool,
) -> Result:
    from ksos_link.operations.open_watch import open_watch

    async with open_watch(target, call.link_options(), book) as watch:
        if bound and watch.info.bound is False:
            raise RefusedError("The watch is not bound.", "Bind it first: ksos watch pair ADDRESS")
        return await job(watch)


def tell_remarks(remarks: Sequence[str], call: Invocation) -> None:
    """Tell what came up beside the result."""
    for text in remarks:
        render.note(f"remark     {text}", quiet=call.quiet)
