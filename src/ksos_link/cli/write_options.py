"""Options of all commands that write a file to a watch: who signed it, what may be overlooked."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.release_keys import ReleaseKey
    from ksos_link.operations.release_manifest import Channel as Channels

PublicKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key", metavar="FILE", help="Verify the release with it; may be given again."
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Lift an objection by its name; may be given again."),
]
Unsigned = Annotated[
    bool, typer.Option("--unsigned", help="Write what no key that was given has signed.")
]
Channel = Annotated[
    str,
    typer.Option(metavar="CHANNEL", help="Which releases: internal, public or formal."),
]
Region = Annotated[
    str | None, typer.Option(metavar="CC", help="Your country, for releases with such a rule.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask all that is asked, write nothing.")]


def channel_from(text: str) -> "Channels":
    """The channel of `--channel`.

    Raises:
        UsageError: there is none of that name.
    """
    from ksos_link.operations.release_manifest import Channel as Channels

    if text not in list(Channels):
        raise UsageError("There is no such channel.", f"Choose from: {', '.join(Channels)}.")
    return Channels(text)


def region_from(text: str | None) -> str | None:
    """The country of `--region`.

    Raises:
        UsageError: that is no code of one.
    """
    from ksos_link.operations.countries import read_country

    return None if text is None else read_country(text)


def allowed_from(names: Sequence[str] | None) -> frozenset[str]:
    """The names of `--allow`.

    Raises:
        UsageError: one is no objection, or one that nobody may lift.
    """
    from ksos_link.operations.preflight import check_allowed

    check_allowed(names or ())
    return frozenset(names or ())


def keys_from(paths: Sequence[Path] | None) -> "list[ReleaseKey]":
    """The keys of `--public-key`."""
    from ksos_link.operations.release_keys import read_release_key

    return [read_release_key(path) for path in paths or ()]
