"""`ksos decode`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation
from ksos_link.errors import MalformedError

if TYPE_CHECKING:
    from firmware_protocol.family import PacketReport
    from ksos_link.operations.decode import DecodedCapture

app = typer.Typer(rich_markup_mode=None)


@app.command()
def decode(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A capture: seconds, TX or RX, char, hex.")],
    family: Annotated[
        str | None, typer.Option(help="The dialect; guessed where it is not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per packet.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 5 if anything is unknown.")
    ] = False,
) -> None:
    """Say what every packet of a capture is; a table of sums goes to stderr."""
    from ksos_link.operations.decode import decode_capture

    call = invocation(ctx)
    decoded = decode_capture(file, family)
    for report in decoded.reports:
        if json:
            render.print_json(packet_json(report, decoded.family))
        else:
            render.print_line(_packet_line(report))
    if not call.quiet:
        _print_sums(decoded)
    if decoded.capture.broken_lines:
        lines = ", ".join(map(str, decoded.capture.broken_lines[:10]))
        raise MalformedError(
            f"{len(decoded.capture.broken_lines)} lines of the capture are no packets: {lines}.",
            "A line is: seconds, TX or RX, characteristic or -, hex.",
        )
    if strict and not decoded.is_clean:
        raise MalformedError("Not everything in the capture is known.", "See the table above.")


def packet_json(report: "PacketReport", family: str) -> dict[str, object]:
    """One packet as the documented JSON object."""
    return {
        "line": report.line,
        "dir": report.direction,
        "char": report.channel,
        "hex": report.data.hex(),
        "family": family,
        "message": report.message,
        "fields": report.fields,
        "part_of": report.part_of,
        "padding": report.padding,
        "roundtrip": report.roundtrip,
        "error": report.error,
    }


def _packet_line(report: "PacketReport") -> str:
    fields = "" if report.fields is None else _fields_text(report.fields)
    note = f"  ! {report.error}" if report.error else ""
    part = f" (part of line {report.part_of})" if report.part_of not in (None, report.line) else ""
    return (
        f"{report.line:>5} {report.direction} {report.message or '-'}{part} {fields}{note}".rstrip()
    )


def _fields_text(fields: object) -> str:
    import json

    text = json.dumps(fields, separators=(", ", "="))
    return text if len(text) <= MAX_FIELDS_TEXT else f"{text[:MAX_FIELDS_TEXT]}..."


MAX_FIELDS_TEXT = 160  # one glance; --json has all of it


def _print_sums(decoded: "DecodedCapture") -> None:
    columns = ("message", "packets", "messages", "decoded", "roundtrips", "unknown_bytes")
    rows = [
        (
            name,
            row.packets,
            row.messages,
            row.decoded,
            row.roundtrips,
            row.unknown_bytes,
        )
        for name, row in decoded.table.items()
    ]
    total = tuple(sum(int(str(row[place])) for row in rows) for place in range(1, 6))
    width = max((len(str(row[0])) for row in rows), default=8)
    for cells in (columns, *rows, ("total", *total)):
        numbers = "".join(f"{cell:>14}" for cell in cells[1:])
        sys.stderr.write(f"{cells[0]:<{width}}{numbers}\n")
    if decoded.capture.record_lines:
        sys.stderr.write(
            f"{decoded.capture.record_lines} REC lines hold record bodies, no packets: left out\n"
        )
