"""The raw record of something imported: its series in an encoding of our own.

A foreign file may be large and hold much that is none of ours, so the store keeps what was taken
from it. The body is `KSI`, a version byte, then zlib-compressed JSON in ASCII:

    {"series": [{"metric": "heart_rate", "quality": 0, "start_utc_s": [1764000000, 60, 60],
                 "columns": {"bpm": [61, 62, 60]}}]}

Start times are the first instant, then the difference of each to the one before.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

from firmware_protocol.errors import DecodeError
from firmware_protocol.records import FILE_FAMILY, RawRecord
from firmware_protocol.samples import METRICS, Decoded, Quality, Series
from ksos_link.imports.importer import ImportedRecord

BODY_VERSION: Final = 1
_MAGIC: Final = b"KSI"
_MAX_TEXT_BYTES: Final = 256 << 20  # bodies come from archives too, and those from anywhere
_LEVEL: Final = 1  # most of the gain at a fraction of the time


def raw_record(imported: ImportedRecord) -> RawRecord:
    """The record as the store keeps it; the same series always give the same bytes."""
    series = [
        {
            "metric": each.metric,
            "quality": int(each.quality),
            "start_utc_s": _differences(each.start_utc_s),
            "columns": {
                name: list(each.columns[name]) for name in METRICS[each.metric].column_names
            },
        }
        for each in imported.decoded.series
    ]
    text = json.dumps({"series": series}, separators=(",", ":"), allow_nan=False)
    body = _MAGIC + bytes((BODY_VERSION,)) + zlib.compress(text.encode(), _LEVEL)
    return RawRecord(FILE_FAMILY, imported.kind, imported.key, body, BODY_VERSION)


def decode(record: RawRecord) -> Decoded:
    """What a kept body means. A column that its metric gained since is absent in it.

    Raises:
        DecodeError: the body is not one of ours, or of a newer version.
    """
    if record.body[:4] != _MAGIC + bytes((BODY_VERSION,)):
        raise DecodeError("not the body of an imported record")
    try:
        found = json.loads(_unpacked(record.body[4:]))
        return Decoded(tuple(_series(each) for each in found["series"]))
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DecodeError("the body of an imported record is damaged") from error


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, _MAX_TEXT_BYTES)
    if not unpacker.eof:
        raise ValueError("cut off, or too large")
    return text


def _series(fields: Mapping[str, Any]) -> Series:
    starts = list(accumulate(fields["start_utc_s"]))
    given = fields["columns"]
    names = METRICS[fields["metric"]].column_names
    columns = {name: given.get(name, [None] * len(starts)) for name in names}
    if any(len(column) != len(starts) for column in columns.values()):
        raise ValueError("columns differ in length")
    return Series(fields["metric"], starts, columns, Quality(fields["quality"]))


def _differences(instants: Sequence[int]) -> list[int]:
    return [*instants[:1], *(later - earlier for earlier, later in pairwise(instants))]
