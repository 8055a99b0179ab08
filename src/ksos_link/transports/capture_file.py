"""Capture files: one packet per line, `<seconds> <TX|RX> <characteristic> <hex>`.

Seconds are optional, the characteristic is a 16-bit UUID in hex, a full UUID, or `-` where the
source does not say. `#` starts a comment. `REC` lines hold record bodies without a packet.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from firmware_protocol.family import CapturedPacket, Direction
from ksos_link.errors import MalformedError, NotFoundError

MAX_FILE_BYTES: Final = 256 * 1024 * 1024  # a day of traffic is under 10 MB
LINE_HINT: Final = "A line is: seconds, TX or RX, characteristic or -, hex"
_LINE: Final = re.compile(
    r"\s*(?:(?P<at>\d+(?:\.\d+)?)\s+)?(?P<direction>TX|RX)\s+"
    r"(?P<channel>-|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\s+"
    r"(?P<hex>(?:[0-9A-Fa-f]{2})+)\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture file holds. `broken_lines` could not be read; nothing is guessed of them."""

    packets: tuple[CapturedPacket, ...]
    broken_lines: tuple[int, ...] = ()
    record_lines: int = 0


def parse_capture(lines: Iterable[str]) -> Capture:
    """Read lines of the capture format; line numbers count from 1."""
    packets: list[CapturedPacket] = []
    broken: list[int] = []
    records = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("REC "):
            records += 1
        elif match := _LINE.fullmatch(line.rstrip("\r\n")):
            packets.append(
                CapturedPacket(
                    line=number,
                    direction=cast("Direction", match["direction"]),
                    channel=match["channel"].lower(),
                    data=bytes.fromhex(match["hex"]),
                    at_s=float(match["at"]) if match["at"] else None,
                )
            )
        else:
            broken.append(number)
    return Capture(tuple(packets), tuple(broken), records)


def read_capture(path: Path) -> Capture:
    """Read a capture file.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is no text, or far too large.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise MalformedError("The capture file is too large.", "Split it by hand.")
        with path.open("rb") as file:
            return read_stream(file)
    except OSError as error:
        raise NotFoundError(
            f"The file {path} cannot be read: {error.strerror}.", "Check its name and rights."
        ) from error


def read_stream(stream: Iterable[bytes]) -> Capture:
    """Read the lines of an open file or pipe.

    Raises:
        MalformedError: it is no text.
    """
    try:
        return parse_capture(line.decode("utf-8-sig") for line in stream)
    except UnicodeDecodeError as error:
        raise MalformedError(
            "The file is not a capture: it is no text.", f"{LINE_HINT}, as UTF-8 text."
        ) from error


def format_packet(packet: CapturedPacket) -> str:
    """One line of a capture file, without its line end."""
    at = "" if packet.at_s is None else f"{packet.at_s:.3f}"
    return f"{at} {packet.direction} {packet.channel} {packet.data.hex()}"
