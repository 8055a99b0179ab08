"""Virtual watches that outlive the command that met them, as real ones do."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from ksos_link.virtual_watch import scenarios

WATCH: Final = "virtual:ido?scenario=empty"


def let_watches_last(patch: pytest.MonkeyPatch) -> None:
    """Meet the same watch again wherever the same address is named, within this test."""
    made: dict[tuple[object, ...], Any] = {}
    open_new = scenarios.open_virtual_watch

    def open_known(family: str, query: Mapping[str, str], **clock: Any) -> Any:
        key = (family, *sorted((name, value) for name, value in query.items() if name != "bound"))
        if key not in made:
            made[key] = open_new(family, query, **clock)
        return made[key]

    patch.setattr(scenarios, "open_virtual_watch", open_known)
