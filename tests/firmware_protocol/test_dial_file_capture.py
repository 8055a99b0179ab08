"""The dial that the vendor's application sent to a real watch, taken out of its captured upload."""

import itertools
import os
from pathlib import Path

import pytest

from firmware_protocol.dials import DialLimits, DialMoment, DialPart
from firmware_protocol.families.ido.dial_file import DIAL_FORMAT
from firmware_protocol.families.ido.dial_file.blocks import unpack

CAPTURES = Path(os.environ.get("KSOS_CAPTURES") or Path(__file__).parents[3] / "shared/captures")
DATA = "d10200"  # ido.md 4.10


@pytest.fixture(scope="module")
def captured() -> bytes:
    path = CAPTURES / "ido/a200_dial_upload_then_sync.txt"
    if not path.exists():
        pytest.skip("no captures here; set KSOS_CAPTURES")
    packets = [line.split()[-1] for line in path.read_text("utf-8").splitlines() if " TX " in line]
    return b"".join(bytes.fromhex(hexes[6:]) for hexes in packets if hexes.startswith(DATA))


def test_it_is_what_the_reference_counted(captured: bytes) -> None:
    assert len(captured) == 53_802
    data, block_bytes = unpack(captured)
    assert (len(data), block_bytes, -(-len(data) // block_bytes)) == (220_007, 1024, 215)
    contents = DIAL_FORMAT.read(captured)
    assert (contents.title, contents.width_px, contents.height_px) == ("witch2", 120, 240)
    assert (len(contents.entries), len(contents.pictures)) == (26, 24)
    sizes = {entry.name: entry.size_bytes for entry in contents.entries}
    assert sizes["image1.png"] == 57_616
    assert sizes["preview_2.bmp"] == 33_504
    assert sizes["num_hour_min_0"] == 9600 + 2400 + 16
    assert sizes["num_steps_0"] == 360 + 90 + 16
    assert sizes["battery_4bit.bmp"] == 288 + 16
    assert contents.remarks == ()
    assert DIAL_FORMAT.check(captured, DialLimits(120, 240, 284 * 1024)) == ()


def test_its_pictures_come_back_to_the_byte(captured: bytes) -> None:
    data, _ = unpack(captured)
    parts = [
        DialPart(part.name, b"" if part.picture else part.data, part.picture, part.encoding)
        for part in DIAL_FORMAT.take_apart(captured)
    ]
    assert sum(part.picture is not None for part in parts) == 24
    assert DIAL_FORMAT.put_together(parts) == data


def test_its_masks_have_smooth_edges(captured: bytes) -> None:
    """The evidence for the high nibble: swapped pairs of pixels would tear every edge."""
    contents = DIAL_FORMAT.read(captured)
    masked = [entry.name for entry in contents.entries if "mask" in entry.encoding]
    assert len(masked) == 22
    for name in masked:
        picture = contents.pictures[name]
        alpha = picture.rgba[3::4]
        swapped = bytes(
            value for pair in zip(alpha[1::2], alpha[0::2], strict=True) for value in pair
        )
        assert steps(alpha, picture.width_px) < 0.85 * steps(swapped, picture.width_px), name


def steps(alpha: bytes, width: int) -> int:
    """How much neighbours in a row differ."""
    rows = [alpha[at : at + width] for at in range(0, len(alpha), width)]
    return sum(abs(a - b) for row in rows for a, b in itertools.pairwise(row))


def test_its_drawing_looks_like_its_own_preview(captured: bytes) -> None:
    contents = DIAL_FORMAT.read(captured)
    scene = DIAL_FORMAT.compose(contents, DialMoment())
    assert scene.remarks == ("bluetooth: not drawn", "sleep: not drawn")
    names = {picture.rgba: name for name, picture in contents.pictures.items()}
    drawn = [names.get(one.picture.rgba) for one in scene.placed]
    assert drawn[:6] == [
        "image1.png",
        *("num_hour_min_1", "num_hour_min_0", "num_hour_min_0", "num_hour_min_8"),
        "steps.png",
    ]
    assert drawn[6:11] == [f"num_steps_{digit}" for digit in "12895"]
    assert [(one.left_px, one.top_px) for one in scene.placed[1:5]] == [
        (0, 39),
        (60, 39),
        (0, 119),
        (60, 119),
    ]


@pytest.mark.parametrize("block_bytes", [1024, 4096])
def test_our_compression_is_no_worse_than_the_vendors(captured: bytes, block_bytes: int) -> None:
    data, _ = unpack(captured)
    packed = DIAL_FORMAT.pack(data, block_bytes)
    assert unpack(packed) == (data, block_bytes)
    assert len(packed) < 0.9 * len(captured)  # 47,706 and 37,250 bytes
