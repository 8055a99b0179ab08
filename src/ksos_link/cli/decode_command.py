"""`ksos decode`."""

import json as jsons
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.errors import MalformedError

if TYPE_CHECKING:
    from firmware_protocol.family import PacketReport
    from ksos_link.operations.decode import DecodedCapture

app = open_app()
MOST_LINES_NAMED: Final = 10
HEADS: Final = (  # two lines keep the table within 80 columns
    ("", "", "", "", "round", "unknown"),
    ("message", "packets", "messages", "decoded", "trips", "bytes"),
)


@app.command(
    epilog=epilog("ksos decode capture.txt", "ksos decode capture.txt --json --strict > all.jsonl")
)
def decode(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A capture, or -; a line is: seconds, TX or RX, char, hex."
        ),
    ],
    family: Annotated[
        str | None,
        typer.Option(metavar="FAMILY", help="The dialect; without it, the one that fits best."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per packet.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 5 if anything stayed unknown.")
    ] = False,
) -> None:
    """Say what every packet of a capture is; a table of sums goes to stderr.

    A packet that is part of a longer message names the line where the message began; the
    message's fields stand at its last packet.
    """
    from ksos_link.operations import decode as operation
    from ksos_link.transports.capture_file import LINE_HINT, read_stream

    call = invocation(ctx)
    if str(file) == "-":
        decoded = operation.decode(read_stream(sys.stdin.buffer), family)
    else:
        decoded = operation.decode_capture(file, family)
    for report in decoded.reports:
        if json:
            render.print_json(packet_json(report, decoded.family))
        else:
            render.print_line(_packet_line(report))
    render.flush()  # before the table, where both go to one terminal
    if not call.quiet:
        _tell_sums(decoded)
    if broken := decoded.capture.broken_lines:
        raise MalformedError(_broken_text(broken), f"{LINE_HINT}.")
    if strict and not decoded.is_clean:
        raise MalformedError(
            "Not everything in the capture is known.", "The table names it; more with --json."
        )


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
    """One packet in words; cut at the right edge of a terminal, whole in a pipe."""
    part = f"(part of line {report.part_of})" if report.part_of not in (None, report.line) else ""
    fields = "" if report.fields is None else _fields_text(report.fields)
    error = f"! {report.error}" if report.error else ""
    words = (report.message or "unknown", part, fields, error)
    line = " ".join([f"{report.line:>5} {report.direction}", *filter(None, words)])
    columns = render.terminal_columns()
    if sys.stdout.isatty() and len(line) > columns:
        return f"{line[: columns - 1]}…"
    return line


def _fields_text(fields: Mapping[str, object]) -> str:
    return " ".join(
        f"{name}={value if isinstance(value, str) else jsons.dumps(value)}"
        for name, value in fields.items()
    )


def _broken_text(lines: tuple[int, ...]) -> str:
    if len(lines) == 1:
        return f"Line {lines[0]} of the capture is no packet."
    named = ", ".join(map(str, lines[:MOST_LINES_NAMED]))
    more = " ..." if len(lines) > MOST_LINES_NAMED else ""
    return f"{len(lines)} lines of the capture are no packets: {named}{more}"


def _tell_sums(decoded: "DecodedCapture") -> None:
    counts = [
        (row.packets, row.messages, row.decoded, row.roundtrips, row.unknown_bytes)
        for row in decoded.table.values()
    ]
    rows = [
        *HEADS,
        *((name, *map(str, row)) for name, row in zip(decoded.table, counts, strict=True)),
        ("total", *(str(sum(row[place] for row in counts)) for place in range(5))),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(6)]
    for name, *numbers in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        render.note(f"{name:<{widths[0]}}  {'  '.join(cells)}".rstrip())
    if count := decoded.capture.record_lines:
        lines = render.counted(
            count, "REC line holds a record body", "REC lines hold record bodies"
        )
        render.note(f"{lines}, no packet: left out")
