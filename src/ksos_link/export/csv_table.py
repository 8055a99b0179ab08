"""CSV for spreadsheets and data frames: a header row, empty where there is no value."""

import csv
from collections.abc import Sequence
from typing import Final

from firmware_protocol.samples import Metric, Value
from ksos_link.export.cells import exported_columns, exported_names
from ksos_link.export.source import ColumnSource
from ksos_link.export.target import Target, open_target

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def write_csv(source: ColumnSource, metric: Metric, target: Target) -> int:
    """Write samples of one metric, in UTC and in local time as it was lived; return how many.

    A text that a spreadsheet would run as a formula gets an apostrophe in front. Sleep stages and
    quality are written by name.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    texts = {"device", *(column.name for column in metric.columns if column.kind == "text")}
    names = exported_names(metric)
    count = 0
    with open_target(target) as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for page in source.pages(metric.name):
            columns = exported_columns(source, metric, page)
            guarded = [
                _guarded(column) if name in texts else column
                for name, column in zip(names, columns, strict=True)
            ]
            writer.writerows(zip(*guarded, strict=True))
            count += page.samples
    return count


def _guarded(texts: Sequence[Value]) -> list[Value]:
    guarded = {
        text: f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA_STARTS) else text
        for text in set(texts)
    }
    return [guarded[text] for text in texts]
