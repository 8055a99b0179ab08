"""The capture line format: what is read, what is not guessed, what is written."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.family import CapturedPacket
from ksos_link.errors import MalformedError, NotFoundError
from ksos_link.transports import capture_file
from ksos_link.transports.capture_file import (
    format_packet,
    parse_capture,
    read_capture,
    read_stream,
)

UUID = "00000af6-0000-1000-8000-00805f9b34fb"


@pytest.mark.parametrize(
    ("line", "packet"),
    [
        ("0.123 TX 0af6 0201", CapturedPacket(1, "TX", "0af6", b"\x02\x01", 0.123)),
        (" RX - 33DA", CapturedPacket(1, "RX", "-", b"\x33\xda")),
        ("12 RX 0AF7 00\r\n", CapturedPacket(1, "RX", "0af7", b"\0", 12.0)),
        (f"\t1.5\tTX\t{UUID}\tff  ", CapturedPacket(1, "TX", UUID, b"\xff", 1.5)),
    ],
)
def test_a_packet(line: str, packet: CapturedPacket) -> None:
    assert parse_capture([line]).packets == (packet,)


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "0.1 TX 0af6",
        "0.1 TX 0af6 020",
        "0.1 TX 0af6 02 01",
        "0.1 TX 0af6 0x02",
        "0.1 tx 0af6 02",
        "0.1 TX af6 02",
        "-1 TX 0af6 02",
        "0.1 TX 0af6 02 # why",
        "0.1 XX 0af6 02",
        "١ TX 0af6 02",
    ],
)
def test_a_line_that_is_no_packet_is_named_not_guessed(line: str) -> None:
    capture = parse_capture(["# head", "", line, " TX - 01"])
    assert capture.broken_lines == (3,)
    assert [packet.line for packet in capture.packets] == [4]


def test_record_lines_are_counted() -> None:
    capture = parse_capture(["REC 04 header 0102", "REC 04 data 0304"])
    assert (capture.packets, capture.broken_lines, capture.record_lines) == ((), (), 2)


@given(
    st.builds(
        CapturedPacket,
        line=st.just(1),
        direction=st.sampled_from(("TX", "RX")),
        channel=st.sampled_from(("-", "0af6", UUID)),
        data=st.binary(min_size=1, max_size=300),
        at_s=st.none() | st.integers(0, 10**9).map(lambda ms: ms / 1000),
    )
)
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_again(packet: CapturedPacket) -> None:
    assert parse_capture([format_packet(packet)]).packets == (packet,)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_file_is_read_or_refused(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    with contextlib.suppress(MalformedError):
        capture = read_stream(lines)
        assert len(capture.packets) + len(capture.broken_lines) <= len(lines)


def test_line_numbers_are_those_of_an_editor(tmp_path: Path) -> None:
    file = tmp_path / "capture.txt"
    file.write_bytes(
        b"\xef\xbb\xbf# a mark of Windows, a page\x0c\x1c\xc2\x85 break\r\n\r\n TX - 01\r\n"
    )
    assert [packet.line for packet in read_capture(file).packets] == [3]


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.txt cannot be read: No such file"):
        read_capture(tmp_path / "gone.txt")
    with pytest.raises(NotFoundError, match="cannot be read"):
        read_capture(tmp_path)
    latin = tmp_path / "latin.txt"
    latin.write_bytes("# für".encode("latin-1"))
    with pytest.raises(MalformedError, match="no text"):
        read_capture(latin)
    monkeypatch.setattr(capture_file, "MAX_FILE_BYTES", 3)
    with pytest.raises(MalformedError, match="too large"):
        read_capture(latin)
