"""Samples in, files out; one file of code per format. Nothing here opens a store."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from firmware_protocol.samples import Metric
from ksos_link.export.cells import Chunks
from ksos_link.export.csv_table import write_csv
from ksos_link.export.json_lines import write_json_lines


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write samples: what `--format` calls it, and how its files end."""

    name: str
    suffix: str
    write: Callable[[Chunks, Metric, Path | TextIO], int]


FORMATS: Final[tuple[Format, ...]] = (
    Format("csv", ".csv", write_csv),
    Format("jsonl", ".jsonl", write_json_lines),
)
