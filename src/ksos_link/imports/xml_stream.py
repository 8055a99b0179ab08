"""Hostile XML, read as a stream: no document type, no entities, no network, no growing tree."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from ksos_link.errors import MalformedError

_MOST_UNASKED_BYTES: Final = 16_000_000
_NOT_READABLE: Final = "The file is no XML that can be read."
_NOTHING_KEPT: Final = "Nothing of it was kept."


def xml_events(stream: BinaryIO, *names: str) -> Iterator[tuple[str, Any]]:
    """Elements of these local names, at their start and at their end, in any namespace.

    What was read is forgotten at the end of each element that is given. At the start of an
    element only its attributes are known.

    Raises:
        MalformedError: it is no XML, is not whole, or brings a document type of its own.
    """
    from lxml import etree

    metered = _Metered(stream)
    events = etree.iterparse(
        metered,
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,  # the library's own limits of depth and length hold
    )
    try:
        for event, element in events:
            if element.getroottree().docinfo.doctype:
                raise MalformedError("The file brings a document type; such are not read.")
            metered.since_event_bytes = 0
            yield event, element
            if event == "end":
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise MalformedError(_NOT_READABLE, _NOTHING_KEPT) from error


class _Metered:
    """A stream that ends the reading where too much comes that nobody asked for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.since_event_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Some bytes.

        Raises:
            MalformedError: nothing of use came for too long; all of it is in memory.
        """
        data = self._stream.read(size)
        self.since_event_bytes += len(data)
        if self.since_event_bytes > _MOST_UNASKED_BYTES:
            raise MalformedError("The file holds too much that is none of its format.")
        return data


def local_name(element: Any) -> str:
    """The name of an element without its namespace; empty for what is no element."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""


def text_of(element: Any) -> str:
    """The text of an element without white space around it."""
    return str(element.text or "").strip()


def number_of(element: Any) -> float | None:
    """The number in an element, None where it holds none."""
    try:
        return float(text_of(element))
    except ValueError:
        return None


def instant_of(text: str) -> tuple[int, int | None] | None:
    """UTC seconds of a time, and what local time was ahead where the text tells an offset.

    `Z` tells none: it is how programs write UTC. None where it is no time.
    """
    if len(text) < len("2026-11-21T07"):
        return None  # a day is no instant
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        offset = at.utcoffset()
        told = None if offset is None or text[-1:] in "Zz" else int(offset.total_seconds())
        return int(at.timestamp() // 1), told
    except (ValueError, OverflowError):
        return None


def _forget(element: Any) -> None:
    """Empty an element and drop what stood before it; a parent grows no larger than one child."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
