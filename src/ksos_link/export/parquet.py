"""Parquet for data frames: `<metric>/<device>/<yyyy-mm>.parquet`, months in UTC, zstd."""

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_protocol.samples import Metric
from ksos_link.errors import NotFoundError, UsageError
from ksos_link.export.cells import offset_stretches
from ksos_link.export.source import ColumnSource

if TYPE_CHECKING:
    from ksos_link.export.parquet_months import MonthFiles

_MOST_WAITING: Final = 2  # pages in memory between the one who reads and the one who writes


def write_parquet(source: ColumnSource, folder: Path) -> Mapping[str, int]:
    """Write all chosen samples; return how many of each metric. No file is made for none.

    Pages are read in this thread while another one makes files of them: neither a database nor
    pyarrow holds the interpreter for long.

    Raises:
        UsageError: the extra `parquet` is not installed.
        NotFoundError: there are no samples in that time.
        StoreError: the disk is full.
    """
    try:
        from ksos_link.export.parquet_months import MonthFiles
    except ImportError as error:
        raise UsageError(
            "Parquet is not installed.", "Install it: pip install 'ksos-link[parquet]'."
        ) from error
    counts: dict[str, int] = {}
    for metric in source.metrics:
        with MonthFiles(folder, metric) as files:
            count = _write(source, metric, files)
        if count:
            counts[metric.name] = count
    if not counts:
        raise NotFoundError("There are no samples in that time.", "See: ksos store info")
    return counts


def _write(source: ColumnSource, metric: Metric, files: "MonthFiles") -> int:
    count = 0
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as writer:
        for page in source.pages(metric.name):
            if len(waiting) == _MOST_WAITING:
                waiting.popleft().result()
            stretches = offset_stretches(source, page)
            context = copy_context()  # whether targets are encrypted goes with it
            waiting.append(writer.submit(context.run, files.add, page, stretches))
            count += page.samples
        for one in waiting:
            one.result()
    return count
