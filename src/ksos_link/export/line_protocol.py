"""InfluxDB's line protocol: a measurement per metric, tags for device and quality, nanoseconds."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from firmware_protocol.samples import Metric, Value
from ksos_link.export.cells import NAMES, with_names
from ksos_link.export.source import ColumnPage, ColumnSource
from ksos_link.export.target import Target, open_target

_NS_PER_S: Final = 1_000_000_000
_TAG_ESCAPES: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_FIELD_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\""})
# a line ends at a control character, whatever stands around it
_NO_CONTROLS: Final = dict.fromkeys((*range(0x20), 0x7F), "\N{REPLACEMENT CHARACTER}")


def write_line_protocol(source: ColumnSource, metric: Metric, target: Target) -> int:
    """Write samples of one metric; return how many. A value that is absent has no field.

    The protocol has no place for local time. A sample without any value is left out.

    Raises:
        KsosError: the target cannot be written; see `open_target`.
    """
    count = 0
    with open_target(target) as file:
        for page in source.pages(metric.name):
            lines = list(_lines(metric, page))
            file.writelines(lines)
            count += len(lines)
    return count


def _lines(metric: Metric, page: ColumnPage) -> Iterator[str]:
    device = _tag("device", page.alias)
    quality = {
        value: f"{metric.name}{device}{_tag('quality', str(NAMES['quality'].get(value, value)))} "
        for value in set(page.values("quality"))
    }
    fields = [_fields(name, page.values(name)) for name in metric.column_names]
    samples = zip(page.values("quality"), page.starts_utc_s(), *fields, strict=True)
    for doubt, start_utc_s, *texts in samples:
        given = ",".join(filter(None, texts))
        if given:
            yield f"{quality[doubt]}{given} {start_utc_s * _NS_PER_S}\n"


def _tag(key: str, value: str) -> str:
    """A tag with its comma; an empty one cannot be written."""
    text = value.translate(_NO_CONTROLS)
    if text.endswith("\\"):
        text += " "  # which is escaped; the backslash would escape what follows
    return f",{key}={text.translate(_TAG_ESCAPES)}" if text else ""


def _fields(name: str, values: Sequence[Value]) -> Iterator[str]:
    """Each value as a field, empty where it is absent; equal values are written once."""
    shown = with_names(name, values)
    written = {value: _field(name, value) for value in set(shown)}
    once: Callable[[Value], str] = written.__getitem__
    return map(once, shown)


def _field(name: str, value: Value) -> str:
    if isinstance(value, int):
        return f"{name}={value}i"
    if isinstance(value, float):
        return f"{name}={value!r}" if math.isfinite(value) else ""
    if isinstance(value, str):
        return f'{name}="{value.translate(_NO_CONTROLS).translate(_FIELD_ESCAPES)}"'
    return ""
