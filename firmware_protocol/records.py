"""Raw records and watermarks: what a watch sent, and how far we got."""

from dataclasses import dataclass
from typing import Final

FILE_FAMILY: Final = "import"  # stands in place of a family where a file was imported


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record exactly as the watch sent it, without its frame; or what a file was read as.

    `kind` is the family's stable name (`health.heart_rate`); `key` names the record among its kind
    (such as a date and a first item), so that a later reply replaces an earlier one.
    """

    family: str
    kind: str
    key: str
    body: bytes
    decoder_version: int


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far one kind of record has been read. Opaque to all but the family that wrote it."""

    kind: str
    position: str
