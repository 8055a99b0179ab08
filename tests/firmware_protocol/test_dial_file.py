"""Dials of IDO watches: container, pictures, layout, objections, drawing; nothing hostile harms."""

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.dials import (
    MOST_DIAL_BYTES,
    DialLimits,
    DialMoment,
    DialPart,
    Picture,
    PlacedPicture,
)
from firmware_protocol.errors import DecodeError, LocalProtocolError
from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.dial_file import DIAL_FORMAT
from firmware_protocol.families.ido.dial_file.layout import read_layout
from firmware_protocol.families.ido.dial_file.raw_picture import (
    READ_FORMATS,
    PictureEncoding,
    decode_picture,
    encode_picture,
    encoding_from_text,
    fitting_encoding,
)

SCREEN = DialLimits(8, 8, 1 << 20)
MASKS = [name for name in READ_FORMATS if name.startswith("mask")]
COLOURED = [name for name in READ_FORMATS if not name.startswith("mask")]


def container(files: Mapping[str, bytes], version: int = 1) -> bytes:
    """A dial by ido.md 9.2, packed here and not by the code under test."""
    table, bodies = b"", b""
    for name, body in files.items():
        at = 8 + 40 * len(files) + len(bodies)
        table += struct.pack("<32sII", name.encode(), at, len(body))
        bodies += body
    return struct.pack("<4sHH", b"iwf", version, len(files)) + table + bodies


def raw(
    width: int, height: int, pixels: bytes, code: int = 0x85, mask: int = 0, told: int = 0
) -> bytes:
    """A picture by ido.md 9.3."""
    return struct.pack("<4sHHBBHI", b"RAW", width, height, code, mask, 0, told) + pixels


def full(width: int, height: int, pixel: bytes = b"\xf8\x00") -> bytes:
    return raw(width, height, pixel * (width * height))


def layout(**values: object) -> bytes:
    return json.dumps({"name": "made", "bkground": "back.png", **values}).encode()


def digits(font: str, body: bytes) -> dict[str, bytes]:
    return {f"{font}_{digit}": body for digit in range(10)}


GLYPH = raw(1, 2, b"\xff\xff\x00\x00\xf0", mask=0x66, told=4)
HOUR = {"widget": "custom", "type": "hour", "x": 1, "y": 2, "w": 6, "h": 2, "font": "num"}
FACE = {
    "iwf.json": layout(preview="small.bmp", item=[HOUR]),
    "back.png": full(8, 8),
    "small.bmp": full(4, 4, b"\x07\xe0"),
    "dot.bmp": raw(2, 1, b"\xf8", code=0x66),
    **digits("num", GLYPH),
    "notes": b"anything",
}


def named(data: bytes, limits: DialLimits = SCREEN) -> set[str]:
    return {one.name for one in DIAL_FORMAT.check(data, limits)}


def texts(data: bytes, limits: DialLimits = SCREEN) -> str:
    return "\n".join(one.text for one in DIAL_FORMAT.check(data, limits))


def picture(width: int, height: int, rgba: bytes) -> Picture:
    return Picture(width, height, rgba)


# ---- container and contents


def test_a_dial_is_taken_apart() -> None:
    data = container(FACE)
    contents = DIAL_FORMAT.read(data)
    assert (contents.title, contents.width_px, contents.height_px) == ("made", 8, 8)
    assert (contents.preview, contents.size_bytes, contents.block_bytes) == (
        "small.bmp",
        len(data),
        None,
    )
    kinds = {entry.name: (entry.kind, entry.encoding) for entry in contents.entries}
    assert list(kinds) == list(FACE)
    assert kinds["iwf.json"] == ("layout", "")
    assert kinds["back.png"] == ("picture", "rgb565a")
    assert kinds["dot.bmp"] == ("picture", "mask4")
    assert kinds["num_3"] == ("glyph", "rgb565a+mask4")
    assert kinds["notes"] == ("other", "")
    assert contents.remarks == ()
    assert set(contents.pictures) == set(FACE) - {"iwf.json", "notes"}
    assert contents.pictures["back.png"].rgba == b"\xff\0\0\xff" * 64
    assert contents.layout["bkground"] == "back.png"


def test_the_family_reads_dials() -> None:
    assert FAMILY.dial_format is DIAL_FORMAT
    packed = DIAL_FORMAT.pack(container(FACE), 1024)
    for data in (container(FACE), packed):
        assert DIAL_FORMAT.recognise(data)
    for data in (b"", b"PK\x03\x04", bytes(40), b"\0\0\0\x05\x21ab"):
        assert not DIAL_FORMAT.recognise(data)
    assert DIAL_FORMAT.read(packed).block_bytes == 1024


def test_taken_apart_and_put_together_is_the_same() -> None:
    data = container(FACE)
    parts = DIAL_FORMAT.take_apart(data)
    assert [part.name for part in parts] == list(FACE)
    assert DIAL_FORMAT.put_together(parts) == data
    redrawn = [
        DialPart(part.name, b"" if part.picture else part.data, part.picture, part.encoding)
        for part in parts
    ]
    assert sum(part.picture is not None for part in parts) == 13
    assert DIAL_FORMAT.put_together(redrawn) == data
    assert DIAL_FORMAT.put_together([DialPart("empty")]) == container({"empty": b""})


def test_a_picture_that_would_not_come_back_the_same_stays_bytes() -> None:
    body = raw(1, 1, b"\x0f", code=0x66)  # the second nibble belongs to no pixel
    assert DIAL_FORMAT.read(container({"odd": body})).pictures["odd"].rgba[3] == 0
    (part,) = DIAL_FORMAT.take_apart(container({"odd": body}))
    assert (part.picture, part.data) == (None, body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"iwf\0", "no IWF container"),
        (b"iwf\0\1\0\2\0" + bytes(79), "the table of files is cut"),
        (b"iwf\0\1\0\1\4" + bytes(50_000), "the table names 1025 files"),
        (b"iwf\0\1\0\0\0" + bytes(MOST_DIAL_BYTES), "larger than 16 MiB"),
        (b"", "the file is empty"),
    ],
)
def test_what_is_no_container_is_malformed(data: bytes, reason: str) -> None:
    for job in (DIAL_FORMAT.read, DIAL_FORMAT.take_apart, lambda d: DIAL_FORMAT.check(d, SCREEN)):
        with pytest.raises(DecodeError, match=reason):
            job(data)


def test_a_file_outside_is_told_and_cannot_be_taken_apart() -> None:
    data = container(FACE)[:-3]
    assert DIAL_FORMAT.read(data).remarks == ("notes: lies outside the file",)
    assert DIAL_FORMAT.read(data).entries[-1].kind == "other"
    assert named(data) == {"table-bounds"}
    with pytest.raises(DecodeError, match="'notes' lies outside"):
        DIAL_FORMAT.take_apart(data)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([DialPart("a", b"1"), DialPart("b", b"1"), DialPart("a", b"2")], "'a' is there twice"),
        ([DialPart("")], "1 to 32 bytes"),
        ([DialPart("a\0")], "1 to 32 bytes"),
        ([DialPart("ä" * 17)], "1 to 32 bytes"),
        ([DialPart("\ud800")], "is no text"),
        ([DialPart(str(number)) for number in range(1025)], "1024 files, not 1025"),
        ([DialPart("a", bytes(MOST_DIAL_BYTES))], "at most 16 MiB"),
        (
            [DialPart("a", picture=picture(1, 1, b"aaaa"), encoding="png")],
            "^'a': 'png' is no format",
        ),
    ],
)
def test_what_a_container_cannot_hold_is_refused(parts: list[DialPart], reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        DIAL_FORMAT.put_together(parts)


def test_a_name_may_fill_its_room_and_be_no_utf_8() -> None:
    name = (b"\xff" + b"n" * 31).decode("utf-8", "surrogateescape")
    data = DIAL_FORMAT.put_together([DialPart(name, b"1")])
    assert data[8:40] == b"\xff" + b"n" * 31
    assert DIAL_FORMAT.take_apart(data)[0].name == name


def test_pictures_of_a_folder_get_the_names_that_the_layout_gives_them() -> None:
    source = json.loads(
        layout(
            preview="small.bmp",
            item=[{"font": "num"}, {"bg": "num_9.png"}, {"widget": "watch", "hour": "h.bmp"}],
        )
    )
    assert {
        file: DIAL_FORMAT.part_name(source, file)
        for file in (
            *("back.png", "small.bmp.png", "num_5.png", "num_9.png", "h.bmp.png", "free.png"),
            "num/7.png",
        )
    } == {
        "back.png": "back.png",
        "small.bmp.png": "small.bmp",
        "num_5.png": "num_5",
        "num_9.png": "num_9.png",
        "h.bmp.png": "h.bmp",
        "free.png": "free.png",
        "num/7.png": "num_7",
    }


# ---- pictures


def test_colours_are_big_endian_and_masks_begin_with_the_high_nibble() -> None:
    body = raw(3, 1, b"\xf8\x00\x07\xe0\x00\x1f\x0f\x80", mask=0x66, told=6)
    found = decode_picture(body)
    assert found.rgba == b"\xff\0\0\0" + b"\0\xff\0\xff" + b"\0\0\xff\x88"


@pytest.mark.parametrize(
    ("code", "pixels", "rgba"),
    [
        (0x05, b"\xf8\x00", b"\xff\0\0\xff"),
        (0x45, b"\xf8\x00", b"\0\0\xff\xff"),
        (0xC5, b"\x00\x1f", b"\xff\0\0\xff"),
        (0x08, b"\1\2\3", b"\1\2\3\xff"),
        (0x88, b"\1\2\3", b"\1\2\3\xff"),
        (0xC8, b"\1\2\3", b"\3\2\1\xff"),
        (0x64, b"\x80", b"\xff\xff\xff\xff"),
        (0x65, b"\x40", b"\xff\xff\xff\x55"),
        (0x66, b"\x30", b"\xff\xff\xff\x33"),
        (0x67, b"\x12", b"\xff\xff\xff\x12"),
    ],
)
def test_every_format_keeps_its_pixels(code: int, pixels: bytes, rgba: bytes) -> None:
    body = raw(1, 1, pixels, code=code)
    found = decode_picture(body)
    assert found == Picture(1, 1, rgba)
    assert encode_picture(found, PictureEncoding(code)) == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"RAW\0", "its head is cut"),
        (raw(1, 1, b"", code=0x03), "format 03 hex is unknown"),
        (raw(1, 1, b"", code=0xFF), "format FF hex is unknown"),
        (raw(1, 1, b"", mask=0x01), "mask 01 hex is unknown"),
        (raw(1, 1, b"", code=0x66, mask=0x66), "mask 66 hex is unknown"),
        (raw(1, 1, b"", code=0x01), "how rgb111 packs its pixels is not known"),
        (raw(1, 1, b"", code=0xC2), "how bgr222a packs its pixels is not known"),
        (raw(0, 1, b""), "size 0x1 is impossible"),
        (raw(1, 4097, b""), "size 1x4097 is impossible"),
        (raw(1, 1, b"\0"), "17 bytes where its head wants 18"),
        (raw(1, 1, b"\0\0\0"), "19 bytes where its head wants 18"),
        (raw(1, 1, b"\0\0", told=2), "wrong about the bytes of its colours"),
        (raw(1, 1, b"\0\0\0", mask=0x66), "wrong about the bytes of its colours"),
    ],
)
def test_a_malformed_picture_is_told_and_kept_as_it_is(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_picture(body)
    data = container({"iwf.json": layout(), "back.png": full(8, 8), "wrong": body})
    contents = DIAL_FORMAT.read(data)
    assert "wrong" not in contents.pictures
    (remark,) = contents.remarks
    assert remark.startswith("wrong: ")
    assert DIAL_FORMAT.put_together(DIAL_FORMAT.take_apart(data)) == data
    wanted = "picture-format" if "unknown" in reason or "cut" in reason else "picture"
    assert named(data) == (set() if "packs" in reason else {wanted})


@pytest.mark.parametrize(
    ("rgba", "encoding", "reason"),
    [
        (b"\1\2\3\x80", "rgb565a", "transparent pixels, and rgb565a keeps none"),
        (b"\1\2\3\x80", "mask4", "has colours, and mask4 keeps none"),
        (b"", "rgb565a", "at most 4096 pixels a side"),
    ],
)
def test_what_a_format_would_lose_is_refused(rgba: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        encode_picture(picture(len(rgba) // 4, 1, rgba), encoding_from_text(encoding))


def test_unseen_pixels_may_have_any_colour() -> None:
    body = encode_picture(picture(1, 1, b"\1\2\3\0"), encoding_from_text("mask8"))
    assert decode_picture(body).rgba == b"\xff\xff\xff\0"


@pytest.mark.parametrize(
    "text",
    ["", "png", "rgb111", "rgb565+", "rgb565+rgb565", "mask4+mask4", "rgb565/x", "rgb565/12", "/0"],
)
def test_an_encoding_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="is no format"):
        encoding_from_text(text)


def test_a_new_picture_takes_the_captured_formats() -> None:
    assert str(fitting_encoding(picture(1, 1, b"\1\2\3\xff"))) == "rgb565a"
    assert str(fitting_encoding(picture(1, 1, b"\1\2\3\xfe"))) == "rgb565a+mask4"
    data = DIAL_FORMAT.put_together([DialPart("a", picture=picture(1, 1, b"\xff\0\0\xff"))])
    assert data == container({"a": full(1, 1)})


@st.composite
def encodings(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(list(READ_FORMATS)))
    mask = "" if name in MASKS else draw(st.sampled_from(["", *(f"+{mask}" for mask in MASKS)]))
    word = draw(st.sampled_from(["", "/ffff", "/0010"]))
    return f"{name}{mask}{word}"


@given(encodings(), st.integers(1, 9), st.integers(1, 9), st.randoms())
def test_any_picture_comes_back_from_its_pixels(
    text: str, width: int, height: int, random: Any
) -> None:
    encoding = encoding_from_text(text)
    assert str(encoding) == text
    count = width * height
    rgba = bytearray(random.randbytes(4 * count))
    if text.startswith("mask"):
        for place in range(3):
            rgba[place::4] = b"\xff" * count
    elif "mask" not in text:
        rgba[3::4] = b"\xff" * count
    body = encode_picture(picture(width, height, bytes(rgba)), encoding)
    found = decode_picture(body)
    assert encode_picture(found, encoding) == body  # rounded once, and never again
    near = 255 if "mask1" in text else 43 if "mask2" in text else 9
    assert all(
        abs(one - two) <= near for one, two in zip(rgba[3::4], found.rgba[3::4], strict=True)
    )
    if not text.startswith("mask"):
        pairs = [(rgba[place::4], found.rgba[place::4]) for place in range(3)]
        assert all(abs(a - b) <= 4 for one, two in pairs for a, b in zip(one, two, strict=True))


def test_shared_bodies_do_not_eat_memory() -> None:
    body = full(1024, 1024)
    rows = b"".join(
        struct.pack("<32sII", b"p%d" % number, 8 + 40 * 1000, len(body)) for number in range(1000)
    )
    data = b"iwf\0\1\0" + struct.pack("<H", 1000) + rows + body
    tracemalloc.start()
    contents = DIAL_FORMAT.read(data)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 60 << 20
    assert len(contents.pictures) == 8  # 8 Mi pixels
    assert contents.remarks[-1] == "p999: not read: the pictures together are too large"
    with pytest.raises(DecodeError, match="files lie in each other"):
        DIAL_FORMAT.take_apart(data)


# ---- objections


def test_nothing_speaks_against_a_sound_dial() -> None:
    assert DIAL_FORMAT.check(container(FACE), SCREEN) == ()
    assert DIAL_FORMAT.check(container(FACE), DialLimits()) == ()
    assert DIAL_FORMAT.check(container(FACE), DialLimits(width_px=1)) == ()


def moved(data: bytes, number: int, offset: int, size: int) -> bytes:
    at = 8 + 40 * number + 32
    return data[:at] + struct.pack("<II", offset, size) + data[at + 8 :]


def test_the_table_is_checked() -> None:
    data = container({"iwf.json": layout(), "back.png": full(8, 8), "more": b"1234"})
    assert named(data) == set()
    assert named(data + b"12") == {"trailing-bytes"}
    end = len(data)
    assert named(moved(data, 2, end - 6, 4)) == {"overlap", "trailing-bytes"}
    assert named(moved(data, 2, 4, 4)) == {"overlap", "trailing-bytes"}
    assert named(moved(data, 2, end - 3, 3)) == {"gap"}
    assert named(moved(data, 2, end, 0xFFFFFFFF)) == {"table-bounds"}
    assert named(moved(data, 1, end - 140, 0xFFFF)) == {"table-bounds", "no-picture"}
    assert named(moved(data, 2, end - 5, 0)) == {"trailing-bytes"}  # empty: it covers nothing
    assert named(container(dict(FACE), version=2)) == {"container-version"}


@pytest.mark.parametrize("name", ["", "../up", "c:\\x", ".", "..", "a\nb", "a/b", "\ud7ff"])
def test_names_with_paths_are_named(name: str) -> None:
    assert "file-name" in named(container({**FACE, name: b"1"}))


def test_a_doubled_name_is_named() -> None:
    data = container({**FACE, "noteX": b"1"}).replace(b"noteX", b"notes")
    assert named(data) == {"duplicate-name"}
    assert "2 files are called 'notes'" in texts(data)


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"back.png": full(8, 8)}, {"layout"}),
        ({"iwf.json": b"{"}, {"layout"}),
        ({"iwf.json": b"[1]"}, {"layout"}),
        ({"iwf.json": b"[" * 100_000}, {"layout"}),
        ({"iwf.json": b'{"x": ' + b"9" * 5000 + b"}"}, {"layout"}),
        ({"iwf.json": b"\xff\xfe"}, {"layout"}),
        ({"iwf.json": b" " * 300_000}, {"layout"}),
        ({"iwf.json": b"\xef\xbb\xbf{}"}, {"no-background"}),
        ({"iwf.json": layout()}, {"missing-file"}),
        ({"iwf.json": layout(), "back.png": b"\x89PNG"}, {"no-picture"}),
        ({"iwf.json": layout(item=[{"bg": "x"}]), "back.png": full(8, 8)}, {"missing-file"}),
        ({"iwf.json": layout(item=[HOUR]), "back.png": full(8, 8)}, {"missing-font"}),
        (
            {"iwf.json": layout(item=[HOUR]), "back.png": full(8, 8), "num_1": GLYPH},
            {"missing-glyph"},
        ),
        (
            {
                "iwf.json": layout(item=[{"type": "week", "font": "d"}]),
                "back.png": full(8, 8),
                "d_en_mon": GLYPH,
            },
            set(),
        ),
        (
            {
                "iwf.json": layout(item=[{"widget": "watch", "type": "time", "hour": "h.png"}]),
                "back.png": full(8, 8),
            },
            {"missing-file"},
        ),
    ],
)
def test_the_layout_is_checked(files: dict[str, bytes], wanted: set[str]) -> None:
    data = container(files)
    assert named(data) == wanted
    assert DIAL_FORMAT.read(data).size_bytes == len(data)


def test_sizes_are_checked_against_the_watch() -> None:
    data = container(FACE)
    assert named(data, DialLimits(8, 9)) == {"wrong-screen"}
    assert named(data, DialLimits(3, 3)) == {"wrong-screen", "picture-size"}
    assert named(data, DialLimits(8, 2)) == {"wrong-screen", "picture-size"}
    assert named(data, DialLimits(largest_bytes=len(data))) == set()
    assert named(data, DialLimits(largest_bytes=len(data) - 1)) == {"too-large"}


# ---- layout and drawing


def test_a_layout_is_believed_only_where_its_types_are_right() -> None:
    items: list[object] = [
        "no widget",
        {"x": "7", "y": float("nan"), "w": 1e999, "h": -(10**30), "type": 3, "font": None},
        {"x": True, "y": 2.9, "type": "Heart_Rate", "fgcolor": "0xFF00zz00", "bgcolor": 5},
        {"fgcolor": "0X80102030", "bgcolor": "#80102030", "widget": "watch", "hour": 1},
    ]
    found = read_layout({"name": 3, "item": items})
    assert (found.title, found.background, len(found.widgets)) == ("", "", 3)
    first, second, third = found.widgets
    assert (first.left_px, first.width_px, first.height_px) == (0, 4096, -4096)
    assert abs(first.top_px) <= 4096
    assert (second.left_px, second.top_px, second.kind) == (1, 2, "heartrate")
    assert (second.ink_argb, second.ground_argb) == (None, None)
    assert (third.ink_argb, third.ground_argb, third.hands) == (0x80102030, None, ())
    assert read_layout({"item": 5}).widgets == ()
    assert len(read_layout({"item": [{}] * 1000}).widgets) == 256


def placed(
    items: list[dict[str, object]], files: Mapping[str, bytes], moment: DialMoment | None = None
) -> tuple[list[PlacedPicture], tuple[str, ...]]:
    data = container({"iwf.json": layout(item=items), "back.png": full(8, 8), **files})
    scene = DIAL_FORMAT.compose(DIAL_FORMAT.read(data), moment or DialMoment())
    assert (scene.width_px, scene.height_px) == (8, 8)
    assert scene.placed[0] == PlacedPicture(picture(8, 8, b"\xff\0\0\xff" * 64), 0, 0)
    return list(scene.placed[1:]), scene.remarks


NUMBERED = {f"n_{digit}": raw(1 + digit % 2, 1, bytes((digit,)) * (2 + 2 * (digit % 2)))
            for digit in range(11)}  # fmt: skip  # odd digits are two pixels wide


def shown(widget: dict[str, object], moment: DialMoment | None = None) -> list[tuple[int, int]]:
    """Digits and places that a widget of the numbered font draws."""
    drawn, _ = placed([{"font": "n", "w": 20, "y": 3, **widget}], NUMBERED, moment)
    colours = {decode_picture(body).rgba: number for number, body in enumerate(NUMBERED.values())}
    assert all(one.top_px == 3 for one in drawn)
    return [(colours[one.picture.rgba], one.left_px) for one in drawn]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("hour", [1, 0]),
        ("min", [0, 8]),
        ("sec", [3, 6]),
        ("second", [3, 6]),
        ("day", [2, 4]),
        ("date", [1, 1, 10, 2, 4]),
        ("time", [1, 0, 10, 0, 8]),
        ("week", [2]),
        ("step", [1, 2, 8, 9, 5]),
        ("battery", [8, 0]),
        ("heart rate", [7, 2]),
        ("moon", []),
    ],
)
def test_a_widget_shows_its_digits(kind: str, wanted: list[int]) -> None:
    assert [digit for digit, _ in shown({"type": kind})] == wanted


def test_digits_stand_side_by_side_and_are_aligned() -> None:
    assert shown({"type": "hour", "x": 2}) == [(1, 2), (0, 4)]
    assert shown({"type": "hour", "x": 2, "align": "right"}) == [(1, 19), (0, 21)]
    assert shown({"type": "hour", "x": 2, "align": "center"}) == [(1, 10), (0, 12)]


def test_weekdays_may_have_english_names() -> None:
    drawn, remarks = placed([{"type": "week", "font": "n"}], {"n_en_tue": full(1, 1)})
    assert (len(drawn), remarks) == (1, ())


def test_what_the_file_does_not_say_is_remarked() -> None:
    drawn, remarks = placed([{"type": "bluetooth"}, {}, {"type": "hour", "font": "x"}], {})
    assert drawn == []
    assert remarks == ("bluetooth: not drawn", "a widget: not drawn", "hour: not drawn")
    with pytest.raises(DecodeError, match="no background"):
        DIAL_FORMAT.compose(DIAL_FORMAT.read(container({"iwf.json": layout()})), DialMoment())


def test_masks_take_the_colour_of_their_widget_and_pictures_keep_theirs() -> None:
    files = {
        "dot": raw(1, 1, b"\xf0", code=0x66),
        **{f"m_{digit}": raw(1, 1, b"\xf0", code=0x66) for digit in range(10)},
        "red": full(1, 1),
    }
    drawn, _ = placed(
        [
            {"bg": "dot", "bgcolor": "0xFF010203", "fgcolor": "0xFF040506"},
            {"bg": "dot", "fgcolor": "0x80040506"},
            {"bg": "dot"},
            {"bg": "red", "bgcolor": "0xFF010203"},
            {"type": "battery", "font": "m", "fgcolor": "0xFF070809"},
        ],
        files,
    )
    assert [one.picture.rgba for one in drawn] == [
        b"\1\2\3\xff",
        b"\4\5\6\x80",
        b"\xff\xff\xff\xff",
        b"\xff\0\0\xff",
        b"\7\x08\x09\xff",
        b"\7\x08\x09\xff",
    ]


def test_a_battery_fills_its_bar() -> None:
    bar: dict[str, object] = {"widget": "progressbar", "type": "battery", "x": 1, "w": 5, "h": 2}
    (one,), _ = placed([{**bar, "fgcolor": "0xFF102030"}], {})
    assert (one.picture, one.left_px) == (picture(4, 2, b"\x10\x20\x30\xff" * 8), 1)
    for widget in ({**bar, "w": 1}, {**bar, "h": 0}):
        assert placed([widget], {}) == ([], ("battery: not drawn",))


def test_hands_turn_around_their_anchor() -> None:
    watch: dict[str, object] = {"widget": "watch", "type": "time"}
    for name in ("hour", "minute", "second"):
        watch |= {name: f"{name}.png", f"{name}centerx": 1, f"{name}centery": 2}
        watch |= {f"{name}anchorx": 4, f"{name}anchory": 5}
    files = {"hour.png": full(2, 3), "second.png": full(2, 3)}
    (hour, second), _ = placed([watch], files, DialMoment(hour=15, minute=30, second=15))
    assert (hour.left_px, hour.top_px, hour.turn_x_px, hour.turn_y_px) == (3, 3, 4, 5)
    assert hour.turn_deg == pytest.approx(105.125)
    assert second.turn_deg == 90
    assert second.reach_px == 3
    far = {**watch, "hourcenterx": -3000, "secondcentery": 3000}
    assert placed([far], files) == ([], ("time: not drawn",))


def test_a_layout_that_draws_without_end_is_refused() -> None:
    data = container(
        {
            "iwf.json": layout(item=[{"bg": "large"}] * 40),
            "back.png": full(8, 8),
            "large": full(1024, 1024),
        }
    )
    with pytest.raises(DecodeError, match="draws more than any dial"):
        DIAL_FORMAT.compose(DIAL_FORMAT.read(data), DialMoment())


# ---- whatever comes


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(container(FACE))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(data)))
    return bytes(data[:cut]) if draw(st.booleans()) else bytes(data)


NOISE = st.binary(max_size=300)
FILES = st.one_of(
    mutated(),
    mutated().map(lambda data: DIAL_FORMAT.pack(data or b"x", 1024)),
    NOISE,
    NOISE.map(b"iwf\0".__add__),
)


@settings(max_examples=300)
@given(FILES)
def test_nothing_hostile_harms(data: bytes) -> None:
    DIAL_FORMAT.recognise(data)
    with contextlib.suppress(DecodeError):
        DIAL_FORMAT.check(data, SCREEN)
    with contextlib.suppress(DecodeError):
        DIAL_FORMAT.compose(DIAL_FORMAT.read(data), DialMoment())
    try:
        parts = DIAL_FORMAT.take_apart(data)
    except DecodeError:
        return
    try:
        built = DIAL_FORMAT.put_together(parts)
    except LocalProtocolError:
        assert named(data) & {"duplicate-name", "file-name"}
        return
    assert DIAL_FORMAT.take_apart(built) == parts
