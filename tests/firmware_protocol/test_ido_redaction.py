"""Captures that will be shared: a person's data is masked, lengths and layouts stay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.families.ido.framing import ClassicFrame, FrameAssembler, chunk
from firmware_protocol.families.ido.messages import decode_frame, encode_message
from firmware_protocol.families.ido.redaction import redact
from firmware_protocol.family import Direction


@pytest.mark.parametrize(
    ("direction", "data", "masked"),
    [
        ("RX", "0204 F92412AABBCC", "0204 F92412000000"),
        ("RX", "0204 F92412AABBCC F92412AABBCD", "0204 F92412000000 F92412000000"),
        ("RX", "0204 F92412AABBCC" + "00" * 12, "0204 F92412000000" + "00" * 12),
        (
            "RX",
            "0401 00 0C 00 F460CCAABBCC EA0A0812193B",
            "0401 00 0C 00 F460CC000000 EA0A0812193B",
        ),
        ("RX", "0401 0000", "0401 0000"),
        ("RX", "0401 00", "0401 00"),
        (
            "TX",
            "0405 0C 00 EA0A0812193B 1E6AC4B8A2F7",
            "0405 0C 00 EA0A0812193B 1E6AC412193B",
        ),
        ("TX", "0405 0C 10 EA0A08", "0405 0C 10 000000"),
        ("TX", "0310 B4 401F 00 BC07 0C 1F", "0310 B4 401F 00 C607 01 01"),
        ("TX", "0310 B4 401F 00 BC07", "0310 B4 401F 00 C607"),
        ("TX", "0341 AA 05 1C EA07 0B 01 0E", "0341 AA 05 1C C607 01 01 0E"),
        ("TX", "0341 AA", "0341 AA"),
        ("TX", "0A02 06 4265726C696E 0000", "0A02 06 787878787878 0000"),
        (
            "TX",
            "0503 02 01 08 0B 00 10 48656C6C6F2066726F6D204C",
            "0503 02 01 08 0B 00 10 787878787878787878787878",
        ),
        (
            "TX",
            "0503 02 02 696E757848454C4C4F20574F524C4400",
            "0503 02 02 78787878787878787878787878787800",
        ),
        ("TX", "0501 01 01 03 02 313233 4869 00", "0501 01 01 03 02 787878 7878 00"),
        ("RX", "0206 4B533132333400", "0206 78787878787800"),
        ("TX", "03B4 416E6E61", "03B4 78787878"),
        ("RX", "02B4 416E6E61", "02B4 78787878"),
        ("RX", "0235 416E6E61", "0235 78787878"),
        ("RX", "0760 4869", "0760 7878"),
        ("RX", "0503 02 01 00", "0503 02 01 00"),
        ("RX", "0310", "0310"),
        ("TX", "0204", "0204"),
    ],
)
def test_masks(direction: Direction, data: str, masked: str) -> None:
    assert redact(direction, bytes.fromhex(data)) == bytes.fromhex(masked)


def test_a_masked_notice_still_decodes() -> None:
    fields = {"type": "sms", "phone": "+491234", "title": "Änne", "text": "secret words" * 5}
    pieces = chunk(encode_message("ido.notice.message", fields), 20)
    assembler = FrameAssembler("TX")
    frames = [frame for piece in pieces for frame in assembler.receive("-", redact("TX", piece))]
    assert decode_frame(frames[0], "TX").fields == {
        "type": "sms",
        "phone": "x" * 7,
        "title": "x" * 5,
        "text": "x" * 60,
    }


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["TX", "RX"]),
    st.sampled_from(["0204", "0401", "0405", "0310", "0a02", "0501", "0503", "0201", ""]),
    st.binary(max_size=30),
)
def test_lengths_stay_and_masking_twice_changes_nothing(
    direction: str, key: str, body: bytes
) -> None:
    side: Direction = "TX" if direction == "TX" else "RX"
    data = bytes.fromhex(key) + body
    masked = redact(side, data)
    assert len(masked) == len(data)
    assert masked[:2] == data[:2]
    assert redact(side, masked) == masked
    if len(data) >= 2:
        assert decode_frame(ClassicFrame(data), side).name == (
            decode_frame(ClassicFrame(masked), side).name
        )
