"""JSON Lines: one object per sample; a value that is absent has no key."""

import json
from pathlib import Path
from typing import Final, TextIO

from firmware_protocol.samples import Metric
from ksos_link.export.cells import Chunks, exported_columns, exported_names
from ksos_link.export.target import open_target

_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False
).encode


def write_json_lines(chunks: Chunks, metric: Metric, target: Path | TextIO) -> int:
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
            file.writelines(
                _ENCODE(
                    {"metric": metric.name}
                    | {
                        name: value
                        for name, value in zip(names, values, strict=True)
                        if value is not None
                    }
                )
                + "\n"
                for values in zip(*exported_columns(metric, rows), strict=True)
            )
            count += len(rows)
    return count
