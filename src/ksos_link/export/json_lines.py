"""JSON Lines: one object per sample; a value that is absent has no key."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from firmware_protocol.samples import Metric, Value
from ksos_link.export.cells import exported_columns, exported_names
from ksos_link.export.source import ColumnSource
from ksos_link.export.target import Target, open_target

_ENCODE: Final = json.JSONEncoder(allow_nan=False).encode  # ASCII: no reader sees a line too many


def write_json_lines(source: ColumnSource, metric: Metric, target: Target) -> int:
    """Write samples of one metric; return how many.

    Each object has `metric`, then the fields of the sample with its start in UTC and in local time
    as it was lived; sleep stages and quality are written by name.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    names = exported_names(metric)
    count = 0
    with open_target(target) as file:
        for page in source.pages(metric.name):
            columns = exported_columns(source, metric, page)
            members = map(_members, names, columns)
            head = f'{{"metric":"{metric.name}",'
            file.writelines(
                f"{head}{','.join(filter(None, row))}}}\n" for row in zip(*members, strict=True)
            )
            count += page.samples
    return count


def _members(name: str, values: Sequence[Value]) -> Iterator[str]:
    """Each value with its key as JSON, empty where absent; equal values are encoded once."""
    encoded = {
        value: "" if value is None else f'"{name}":{_ENCODE(value)}' for value in set(values)
    }
    return map(encoded.__getitem__, values)
