"""JSON that is written item by item, so that memory does not grow with the data."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ksos_link.export.target import Target, open_target

# objects of JSON; Any, because they nest as the receivers' formats say
JsonObject = dict[str, Any]
_ENCODE: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def write_json_array(
    target: Target, head: Mapping[str, Any], name: str, items: Iterable[JsonObject]
) -> None:
    """Write one object: the members of `head`, then `name` with all the items, one a line.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    with open_target(target) as file:
        file.write(f'{_ENCODE(dict(head))[:-1]},"{name}":[\n')
        separator = ""
        for item in items:
            file.write(f"{separator}{_ENCODE(item)}")
            separator = ",\n"
        file.write("\n]}\n")


def write_json_objects(target: Target, items: Iterable[JsonObject]) -> None:
    """Write one object a line.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    with open_target(target) as file:
        file.writelines(f"{_ENCODE(item)}\n" for item in items)
