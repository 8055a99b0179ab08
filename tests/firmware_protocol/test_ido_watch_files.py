"""How the virtual watch takes files, driven by raw bytes: no codec of the companion takes part."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.watch.unpacking import NotReadableError, expanded_dial
from tests.firmware_protocol.ido_uploads import WINDOW_BYTES, aota, dial, firmware, packed, watch

OK, NOT_FOUND, UNSUPPORTED, PARAMETER, STATE, LENGTH, DATA, SIZE = 0, 5, 6, 7, 8, 9, 11, 12
FORBIDDEN, BUSY, NO_SPACE, BATTERY, BAD_NAME, FRAGMENTED = 15, 17, 21, 22, 23, 24


class Central:
    """Writes frames and looks at what comes back."""

    def __init__(self, *options: str, **traits: int) -> None:
        self.session = watch(*options, **traits)
        self.connect()

    def connect(self) -> None:
        self.session.link_opened(0.0)
        self.session.subscribed(gatt.COMMAND_NOTIFY, 0.0)
        self.session.data_to_send()

    def write(self, *frames: bytes) -> list[bytes]:
        for frame in frames:
            self.session.receive_write(gatt.COMMAND_WRITE, frame, 0.0)
        return [data for _, data in self.session.data_to_send()]

    def open(self, name: str, size: int, kind: int = 0xFF, compression: int = 2) -> int:
        frame = b"\xd1\x01" + struct.pack("<BIB", kind, size, compression) + name.encode()
        (reply,) = self.write(frame)
        assert reply[:2] == b"\xd1\x01"
        return reply[2]

    def interval(self, packets: int = 10) -> int:
        (reply,) = self.write(bytes((0xD1, 5, packets)))
        assert reply[:2] == b"\xd1\x05"
        return reply[2]

    def end(self, data: bytes) -> int:
        (reply,) = self.write(b"\xd1\x03" + struct.pack("<I", sum(data)))
        assert reply[:2] == b"\xd1\x03"
        return reply[2]

    def send(self, data: bytes, name: str) -> int:
        """A whole transfer, receipts compared; the status of its end."""
        assert self.open(name, len(data)) == OK
        assert self.interval() == OK
        for at in range(0, len(data), WINDOW_BYTES):
            window = data[at : at + WINDOW_BYTES]
            frames = [packet(window[n : n + 134]) for n in range(0, len(window), 134)]
            receipts = self.write(*frames)
            come = at + len(window)
            expected = [receipt(OK, sum(data[:come]), come)] if len(frames) == 10 else []
            assert receipts == expected
        return self.end(data)

    def names(self) -> list[str]:
        return list(self.session._state.dials.names)


def packet(content: bytes) -> bytes:
    return b"\xd1\x02\x00" + content


def receipt(status: int, total: int = 0, received: int = 0) -> bytes:
    return b"\xd1\x02" + struct.pack("<BII", status, total, received)


def test_a_dial_is_expanded_kept_and_shown() -> None:
    made = dial()
    central = Central()
    assert central.send(packed(made), "new.iwf.lz") == OK
    state = central.session._state
    assert state.dials.loaded == {"new.iwf": made}
    assert state.dials.shown == "new.iwf"
    assert central.session.take_shown() == ["dial new.iwf"]
    # the only free place is taken now, but its own dial may be replaced
    assert central.open("other.iwf.lz", 100) == NO_SPACE
    changed = dial(shade=9)
    assert central.send(packed(changed), "new.iwf.lz") == OK
    assert state.dials.loaded == {"new.iwf": changed}
    central.write(b"\xf0\x04")  # factory reset
    assert central.names() == ["local_1", "local_2", "local_3"]


@pytest.mark.parametrize(
    ("name", "size", "kind", "compression", "status"),
    [
        ("new.iwf.lz", 0, 0xFF, 2, SIZE),
        ("new.iwf.lz", 9, 0x02, 2, PARAMETER),
        ("new.iwf.lz", 9, 0xFF, 0, PARAMETER),
        ("new.iwf.lz", 285 * 1024, 0xFF, 2, NO_SPACE),
        ("new.iwf", 9, 0xFF, 2, BAD_NAME),
        ("agps.ubx", 9, 0xFF, 2, BAD_NAME),
        ("", 9, 0xFF, 2, LENGTH),
        (f"{'n' * 27}.iwf.lz", 9, 0xFF, 2, BAD_NAME),
        ("n\u00e4.iwf.lz", 9, 0xFF, 2, BAD_NAME),
        (".fw", 17 << 20, 0xFF, 2, SIZE),
        (".fw", 9, 0xFF, 0, PARAMETER),
    ],
)
def test_what_is_not_taken_is_refused_at_once(
    name: str, size: int, kind: int, compression: int, status: int
) -> None:
    central = Central()
    assert central.open(name, size, kind, compression) == status
    assert central.interval() == STATE  # nothing is open
    assert central.write(packet(b"x")) == [receipt(LENGTH)]
    assert central.end(b"x") == DATA


def test_firmware_wants_a_battery_and_a_platform_that_takes_it() -> None:
    assert Central(battery_pct=30).open(".fw", 99) == BATTERY
    assert Central(battery_pct=31).open(".fw", 99) == OK
    for platform in (0, 1, 10, 20, 60, 98):
        assert Central(platform=platform).open(".fw", 99) == UNSUPPORTED


@pytest.mark.parametrize("image", [firmware(3000), firmware(9), aota(2000)])
def test_whole_firmware_is_installed_and_ends_the_link(image: bytes) -> None:
    central = Central()
    assert central.send(image, ".fw") == OK
    session = central.session
    assert (session.installed, session.link_must_drop) == (image, True)
    session.link_lost(0.0)
    assert (session.installed, session.link_must_drop) == (image, False)
    session.restart(0.0)
    session.starts_with(18)
    assert session.installed is None
    central.connect()
    (info,) = central.write(b"\x02\x01")
    assert info[4] == 18
    assert info[9] == 1, "it restarted"


@pytest.mark.parametrize(
    "image",
    [
        b"x" * 8,
        firmware(300)[:-1],
        firmware(300) + b"x",
        firmware(300)[:-1] + b"\0",
        aota(1100)[:-1],
        aota(1100)[:30] + b"\1" + aota(1100)[31:],
        aota(1100)[:-1] + b"\xff",
        b"AOTA" + bytes(100),
    ],
)
def test_damaged_firmware_is_not_installed(image: bytes) -> None:
    central = Central()
    assert central.send(image, ".fw") == DATA
    assert (central.session.installed, central.session.link_must_drop) == (None, False)


def test_the_order_of_a_transfer_is_kept() -> None:
    central = Central()
    assert central.open("new.iwf.lz", 500) == OK
    assert central.write(packet(b"x")) == [receipt(STATE)]  # no D1 05 before it
    assert central.write(packet(b"x")) == [receipt(LENGTH)]  # and that was its end
    assert central.open("new.iwf.lz", 500) == OK
    assert [central.interval(packets) for packets in (0, 11, 1, 2)] == [
        PARAMETER,
        PARAMETER,
        OK,
        OK,
    ]
    assert central.write(b"\xd1\x05") == [b"\xd1\x05\x07"]
    assert central.write(packet(b"ab"), packet(b"c")) == [receipt(OK, sum(b"abc"), 3)]
    assert central.interval() == STATE
    assert central.write(b"\xd1\x02\x01z") == [receipt(PARAMETER, sum(b"abc"), 3)]
    assert central.write(b"\xd1\x07", b"\xd1", b"\xd1\x08\0") == []


@pytest.mark.parametrize("content", [b"", bytes(135)])
def test_a_packet_has_content_and_fits(content: bytes) -> None:
    central = Central()
    central.open("new.iwf.lz", 500)
    central.interval()
    assert central.write(packet(content)) == [receipt(LENGTH)]


def test_more_than_was_announced_is_refused() -> None:
    central = Central()
    central.open("new.iwf.lz", 2)
    central.interval()
    assert central.write(packet(b"abc")) == [receipt(SIZE)]


def test_who_does_not_wait_for_a_receipt_is_refused() -> None:
    central = Central()
    central.open("new.iwf.lz", 500)
    central.interval(2)
    frames = [packet(b"a")] * 3
    assert central.write(*frames) == [receipt(OK, 2 * 97, 2), receipt(BUSY, 2 * 97, 2)]
    assert central.end(b"aaa") == DATA


def test_the_end_compares_size_and_sum() -> None:
    data = packed(dial())
    for sent, told, status in (
        (data[:-1], data[:-1], LENGTH),
        (data, data + b"\1", DATA),
    ):
        central = Central()
        central.open("new.iwf.lz", len(data))
        central.interval(10)
        for at in range(0, len(sent), 100):
            central.write(packet(sent[at : at + 100]))
        assert central.end(told) == status
        assert central.end(told) == DATA  # it is over, whatever came of it
        assert "new.iwf" not in central.names()
    central.open("new.iwf.lz", 1)
    central.interval()
    central.write(packet(b"x"))
    assert central.write(b"\xd1\x03x") == [b"\xd1\x03\x09"]


def test_a_lost_link_ends_a_transfer() -> None:
    data = packed(dial())
    central = Central()
    central.open("new.iwf.lz", len(data))
    central.interval()
    central.write(packet(data[:100]))
    central.session.link_lost(0.0)
    central.connect()
    assert central.write(packet(data[100:200])) == [receipt(LENGTH)]
    assert central.end(data) == DATA
    assert central.send(data, "new.iwf.lz") == OK


def test_a_dial_that_expands_to_too_much_finds_no_room() -> None:
    large = dial(width=400, height=400)
    assert len(large) > 284 * 1024
    assert Central().send(packed(large), "new.iwf.lz") == DATA  # more blocks than there may be
    barely = dial(width=380, height=383)
    assert 284 * 1024 < len(barely) < 285 * 1024
    assert Central().send(packed(barely), "new.iwf.lz") == NO_SPACE


def test_free_room_in_pieces_is_put_in_order_once() -> None:
    central = Central("fragmented")
    frame = b"\xd1\x01" + struct.pack("<BIB", 0xFF, 9, 2) + b"new.iwf.lz"
    told = [b"\xd1\x01" + bytes((FRAGMENTED,)), bytes.fromhex("07402100000000")]
    assert central.write(frame) == told
    assert central.write(frame) == [b"\xd1\x01\x00"]


def manage(central: Central, operate: int, name: str) -> tuple[int, bytes]:
    reply = central.session._state.dials.answer(bytes((operate,)) + name.encode().ljust(30, b"\0"))
    assert reply is not None
    assert reply[1] == operate
    return reply[0], reply[2:].rstrip(b"\0")


def test_dials_are_shown_and_removed() -> None:
    central = Central()
    assert manage(central, 3, "new.iwf") == (OK, b"local_1")
    central.send(packed(dial()), "new.iwf.lz")
    assert manage(central, 0, "") == (OK, b"new.iwf")
    assert manage(central, 3, "other.iwf") == (NO_SPACE, b"new.iwf")
    assert manage(central, 1, "local_2") == (OK, b"local_2")
    assert manage(central, 2, "local_2") == (UNSUPPORTED, b"local_2")
    assert manage(central, 4, "new.iwf") == (UNSUPPORTED, b"local_2")
    assert manage(central, 2, "new.iwf") == (OK, b"local_2")
    assert manage(central, 2, "new.iwf") == (NOT_FOUND, b"local_2")
    central.send(packed(dial()), "new.iwf.lz")
    assert manage(central, 2, "new.iwf") == (OK, b"local_1")  # what was shown is gone
    assert central.session._state.dials.answer(b"\0") is None


# ---- leaving for a loader


def test_a_nordic_watch_leaves_for_its_loader() -> None:
    central = Central(platform=0)
    assert central.write(b"\x01\x01") == [b"\x01\x01\x00"]
    session = central.session
    assert (session.wants_loader, session.link_must_drop) == (True, True)
    session.link_lost(0.0)
    assert (session.wants_loader, session.link_must_drop) == (True, False)
    session.restart(0.0)
    assert not session.wants_loader
    low = Central(platform=0, battery_pct=30)
    assert low.write(b"\x01\x01") == [b"\x01\x01\x01"]
    assert not low.session.wants_loader


def test_an_a200_says_yes_and_stays() -> None:
    central = Central()
    assert central.write(b"\x01\x01") == [bytes.fromhex("010100010700")]
    assert central.write(b"\x01\x03\x14\x02\x00") == []
    assert (central.session.wants_loader, central.session.link_must_drop) == (False, False)


@pytest.mark.parametrize(
    ("body", "battery_pct", "answer"),
    [
        ("140200", 64, 0),
        ("150200", 64, 1),
        ("140210", 64, 2),
        ("140211", 64, 0),
        ("140212", 64, 0),
        ("140200", 30, 3),
    ],
)
def test_a_realtek_watch_authorises(body: str, battery_pct: int, answer: int) -> None:
    central = Central(platform=10, battery_pct=battery_pct)
    assert central.write(b"\x01\x03" + bytes.fromhex(body)) == [bytes((1, 3, answer))]
    assert not central.session.wants_loader
    assert central.write(b"\x01\x03\x14") == []


def test_the_platform_and_the_firmware_are_told() -> None:
    (info,) = Central(platform=0, firmware_version=3).write(b"\x02\x01")
    assert (info[4], info[12]) == (3, 0)
    (info,) = Central().write(b"\x02\x01")
    assert (info[4], info[12]) == (17, 40)


# ---- anything at all


@given(st.binary(max_size=5000))
def test_the_watch_expands_what_we_packed(data: bytes) -> None:
    whole = b"iwf\0\1\0\0\0" + data
    assert expanded_dial(packed(whole), 1 << 20) == whole


def test_copies_as_other_encoders_write_them() -> None:
    head = b"iwf\0\1\0\0\0"
    block = bytes((0x20 | 7,)) + head + bytes((0xE0, 0xFF, 0x01, 0x00))  # the last byte 265 times
    assert expanded_dial(len(block).to_bytes(4) + block, 4096) == head + bytes(265)


@pytest.mark.parametrize(
    "block",
    [
        b"\x07iwf\0\1\0\0\0",  # level 1
        b"\x28iwf\0\1\0\0\0",  # cut
        b"\x27iwf\0\1\0\0\0\xe0\xff",
        b"\x27iwf\0\1\0\0\0\x20\x08",  # from before its start
        b"\x27iwf\0\1\0\0\0\x3f\xff\x00\x00",  # farther than any block is long
        b"\x27iwf\0\1\0\0\0\xe0\xff\xff\xff\xff\x00\x00",  # too long
        b"\x3f" + bytes(32) + (b"\x1f" + bytes(32)) * 32,  # too many literals
        b"\x27iwx\0\1\0\0\0",  # no dial
        b"\x27iwf\0\2\0\0\0",
        b"\x27iwf\0\1\0\1\0",
        b"\x29iwf\0\1\0",
    ],
)
def test_a_block_that_is_none(block: bytes) -> None:
    with pytest.raises(NotReadableError):
        expanded_dial(len(block).to_bytes(4) + block, 4096)


def test_streams_of_blocks_that_are_none() -> None:
    good = packed(b"iwf\0\1\0\0\0" + bytes(3000))
    row = b"iwf\0\1\0\1\0" + b"n".ljust(32, b"\0") + struct.pack("<II", 48, 1)
    for stream, most in (
        (b"", 4096),
        (b"\0\0", 4096),
        (good[:-1], 4096),
        (bytes(4) + good, 4096),
        (packed(b"iwf\0\1\0\0\0") + good, 4096),  # a short block before others
        (good, 1024),
        (packed(b"iwf\0\1\0\0\0" + bytes(3000), 4096), 1 << 20),  # of another block size
        (packed(row), 4096),  # a file that lies outside
    ):
        with pytest.raises(NotReadableError):
            expanded_dial(stream, most)


FRAMES = st.one_of(
    st.binary(max_size=20).map(lambda body: b"\xd1" + body),
    st.sampled_from((b"\xd1\x05\x01", b"\xd1\x05\x0a", b"\xd1\x03\0\0\0\0", packet(b"ab"))),
    st.binary(min_size=1, max_size=137).map(packet),
    st.builds(
        lambda size, name: b"\xd1\x01\xff" + struct.pack("<IB", size, 2) + name,
        st.sampled_from((1, 2, 200, 0xFFFFFFFF)),
        st.sampled_from((b".fw", b"a.iwf.lz", b"local_1.iwf.lz", b".iwf.lz", b"\xff.iwf.lz")),
    ),
)


@given(st.lists(st.tuples(FRAMES, st.booleans()), max_size=40))
@settings(max_examples=200, deadline=None)
def test_noise_installs_nothing(frames: list[tuple[bytes, bool]]) -> None:
    central = Central()
    for frame, loses_link in frames:
        central.write(frame)
        if loses_link:
            central.session.link_lost(0.0)
            central.connect()
    assert central.names() == ["local_1", "local_2", "local_3"]
    assert central.session.installed is None


@given(
    st.lists(
        st.sampled_from(("send", "lost link", "short", "flipped", "other name", "end", "open")),
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_only_whole_transfers_count(steps: list[str]) -> None:
    """After any attempts a dial is there if, and only if, one of them was right."""
    data = packed(dial(width=8, height=8))
    central, expected = Central(), set()
    for step in steps:
        if step == "send":
            assert central.send(data, "a.iwf.lz") == OK
            expected = {"a.iwf"}
        elif step == "lost link":
            central.open("a.iwf.lz", len(data))
            central.session.link_lost(0.0)
            central.connect()
        elif step in ("short", "flipped"):
            wrong = data[:-1] if step == "short" else data[:-1] + bytes((data[-1] ^ 1,))
            central.open("a.iwf.lz", len(data))
            central.interval()
            central.write(*(packet(wrong[at : at + 134]) for at in range(0, len(wrong), 134)))
            assert central.end(data) != OK
        elif step == "other name":
            assert central.open("local_1.iwf.lz", len(data)) != OK
        elif step == "end":
            assert central.end(data) != OK
        else:
            central.open("a.iwf.lz", len(data))
    assert set(central.session._state.dials.loaded) == expected
