"""JSON from strangers: nothing twice, nothing that is no JSON, no depth that would break us."""

import json
from collections.abc import Sequence

from firmware_protocol.errors import DecodeError


def read(data: bytes, what: str) -> object:
    """Read a JSON document of a size that the caller has limited.

    Raises:
        DecodeError: `what` is no JSON, or an object in it names something twice.
    """
    try:
        return json.loads(data, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise DecodeError(f"{what} is no JSON, or names something twice") from None


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
