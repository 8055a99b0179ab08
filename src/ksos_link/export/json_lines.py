"""JSON Lines: one object per sample; a value that is absent has no key."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from firmware_protocol.samples import Metric, Value
from ksos_link.export.cells import Chunks, exported_columns, exported_names
from ksos_link.export.target import Target, open_target

_ENCODE: Final = json.JSONEncoder(allow_nan=False).encode  # ASCII: no reader sees a line too many


def write_json_lines(chunks: Chunks, metric: Metric, target: Target) -> int:
    """Write samples of one metric; return how many. Rows are as `Metric.row_names` says.

    Each object has `metric`, then the fields of the sample with UTC instants; sleep stages and
    quality are written by name.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    names = exported_names(metric)
    count = 0
    with open_target(target) as file:
        for rows in chunks:
            columns = exported_columns(metric, rows)
            members = map(_members, names, columns)
            head = f'{{"metric":"{metric.name}",'
            file.writelines(
                f"{head}{','.join(filter(None, row))}}}\n" for row in zip(*members, strict=True)
            )
            count += len(rows)
    return count


def _members(name: str, values: Sequence[Value]) -> Iterator[str]:
    """Each value with its key as JSON, empty where absent; equal values are encoded once."""
    encoded = {
        value: "" if value is None else f'"{name}":{_ENCODE(value)}' for value in set(values)
    }
    return map(encoded.__getitem__, values)
