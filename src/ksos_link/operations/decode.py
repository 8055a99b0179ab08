"""Decode a capture: what every packet of it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from firmware_protocol import registry
from firmware_protocol.family import CapturedPacket, Family, PacketReport
from ksos_link.errors import UsageError
from ksos_link.transports.capture_file import Capture, read_capture


@dataclass(slots=True)
class MessageCount:
    """One row of the table: a message name and how its packets fared."""

    packets: int = 0
    messages: int = 0
    decoded: int = 0
    roundtrips: int = 0
    unknown_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DecodedCapture:
    """Reports of all packets in order of lines, and the sums per message name."""

    family: str
    capture: Capture
    reports: tuple[PacketReport, ...]
    table: dict[str, MessageCount] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether every packet decoded, came back the same, and held nothing unknown."""
        return not self.capture.broken_lines and all(
            report.roundtrip and not report.unknown_bytes and not report.error
            for report in self.reports
        )


def decode_capture(path: Path, family_name: str | None = None) -> DecodedCapture:
    """Decode a capture file. Without a name, by the family that reads the most of it.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: the file is no text.
        UsageError: there is no such family.
    """
    return decode(read_capture(path), family_name)


def decode(capture: Capture, family_name: str | None = None) -> DecodedCapture:
    """Decode what was read of a capture. See `decode_capture`."""
    if family_name is None:
        family = likeliest_family(capture.packets)
    else:
        found = registry.family_named(family_name)
        if found is None:
            names = ", ".join(family.name for family in registry.FAMILIES)
            raise UsageError(f"There is no family named {family_name}.", f"Choose from: {names}.")
        family = found
    reports = _inspect(family, capture.packets)
    return DecodedCapture(family.name, capture, tuple(reports), _table(reports))


def likeliest_family(packets: Sequence[CapturedPacket]) -> Family:
    """The family whose inspector decodes the most packets; the first one on a draw."""
    if len(registry.FAMILIES) == 1:
        return registry.FAMILIES[0]
    return max(
        registry.FAMILIES,
        key=lambda family: sum(report.error is None for report in _inspect(family, packets)),
    )


def _inspect(family: Family, packets: Sequence[CapturedPacket]) -> list[PacketReport]:
    inspector = family.open_inspector()
    for packet in packets:
        inspector.feed(packet.line, packet.direction, packet.channel, packet.data)
    return inspector.finish()


def _table(reports: Sequence[PacketReport]) -> dict[str, MessageCount]:
    table: dict[str, MessageCount] = {}
    starts = Counter(report.part_of for report in reports if report.part_of is not None)
    for report in reports:
        row = table.setdefault(report.message or "unknown", MessageCount())
        row.packets += 1
        row.messages += report.part_of is None or report.part_of == report.line
        row.decoded += report.error is None
        row.roundtrips += bool(report.roundtrip)
        if report.part_of is None or report.fields is not None or report.part_of not in starts:
            row.unknown_bytes += report.unknown_bytes
    return dict(sorted(table.items()))
