"""What a virtual IDO watch holds, shows and forgets, driven by raw bytes and a simple model."""

from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware_protocol.families.ido import gatt
from firmware_protocol.families.ido.watch import open_watch
from firmware_protocol.watch_session import WatchMemory, WatchSession, WatchTraits

# payload lengths of group 03 (ido.md 4.3), those that are merely kept
LENGTHS = {
    0x03: 15,
    0x10: 8,
    0x11: 15,
    0x20: 8,
    0x22: 1,
    0x26: 4,
    0x2A: 2,
    0x2B: 1,
    0x2C: 2,
    0x2D: 4,
    0x31: 5,
    0x41: 12,
    0x42: 7,
    0x43: 18,
    0x44: 8,
    0x45: 14,
    0x47: 15,
    0x49: 9,
    0x60: 14,
    0x28: 7,
    0x29: 14,
    0x32: 10,
    0x63: 14,
    0xE3: 2,
}
READ_BACK = {0x28: (0xB1, 7), 0x29: (0x30, 12), 0x32: (0xB0, 10)}
TOLD = {0x28: 0x08, 0x29: 0x10, 0x32: 0x04}


def opened() -> WatchSession:
    session = open_watch(WatchMemory(), WatchTraits("F9:24:12:00:00:01", 1_800_000_000))
    session.link_opened(0.0)
    session.subscribed(gatt.COMMAND_NOTIFY, 0.0)
    session.data_to_send()
    return session


def ask(session: WatchSession, frame: bytes) -> list[bytes]:
    session.receive_write(gatt.COMMAND_WRITE, frame, 0.0)
    return [data for _, data in session.data_to_send()]


@pytest.mark.parametrize("key", LENGTHS)
def test_a_setting_is_held_whole_and_told_where_the_watch_shows_it(key: int) -> None:
    session = opened()
    body = bytes((key + place) & 0xFF for place in range(LENGTHS[key]))
    *told, answer = ask(session, bytes((3, key)) + body)
    assert answer[:2] == bytes((3, key))
    assert session.settings_held()[f"03 {key:02X}"] == body
    if key in TOLD:
        (notice,) = told
        assert notice == bytes((7, 0x40, 0, 0, TOLD[key], 0, 0))
    if key in READ_BACK:
        question, size = READ_BACK[key]
        assert ask(session, bytes((2, question))) == [bytes((2, question)) + body[:size]]


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        ("0329aa1700070002fe55170007000000", "do not disturb on, 23:00 to 07:00"),
        ("033228010001130006000005", "brightness 40 %"),
        ("0328aa05010000173b", "raise to wake on"),
        ("0311010101000201000200010101010101", "language English, 24 hours"),
        ("0311010101006302000200010101010101", "language number 99, 12 hours"),
        ("0310b4401f00c6070101", "wearer set"),
        ("0303001027000000006400010000000000", "goal 10000"),
        ("032daa000000", "setting 03 2D"),
        ("060200", "camera key on"),
        ("0a01020867076b5b0000", "weather: cloudy, 8, 7 to -3, 0 more days"),
        ("0a0163080907", "weather: picture 0x63, 8, 7 to 9, 0 more days"),
    ],
)
def test_what_appears_on_the_screen(frame: str, line: str) -> None:
    session = opened()
    ask(session, bytes.fromhex(frame))
    assert session.take_shown() == [line]
    assert session.take_shown() == []


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["0503010108020001416869"], ["notice whatsapp: A | hi"]),
        (["05030101630200014168 69"], ["notice app 0x63: A | hi"]),
        (["0503010108"], ["notice: empty"]),
        (
            ["05030201" + "01" + "14" + "00" * 2 + "61" * 12, "05030202" + "62" * 8],
            ["notice sms: " + "a" * 12 + "b" * 8],
        ),
        (
            ["05030201" + "01" + "14" + "00" * 2 + "61" * 12] * 2 + ["05030202" + "62" * 8],
            ["notice sms: " + "a" * 12 + "b" * 8],
        ),
        (
            [
                "05030301" + "01" + "24" + "00" * 2 + "61" * 12,
                *["05030302" + "62" * 16] * 2,
                "05030303" + "63" * 8,
            ],
            ["notice sms: " + "a" * 12 + "b" * 16 + "c" * 8],
        ),
        (["05030202" + "62" * 8], []),
        (
            [
                "05030201" + "01" + "14" + "00" * 2 + "61" * 12,
                "05030203" + "62" * 8,
                "05030202" + "62" * 8,
            ],
            [],
        ),
    ],
)
def test_a_notice_appears_when_its_pieces_came_in_order(
    pieces: list[str], lines: list[str]
) -> None:
    session = opened()
    for piece in pieces:
        frame = bytes.fromhex(piece)
        assert ask(session, frame) == [frame[:4] + b"\x00"]
    assert session.take_shown() == lines


def test_a_log_that_is_read_and_cleared() -> None:
    session = opened()
    assert ask(session, b"\x02\x40\x00") == [b"\x02\x40\x00\x00\x00"]
    assert ask(session, b"\x02\x40\x01") == [b"\x02\x40\x01\x00\x00"]


def test_a_low_battery_stays_low_over_links() -> None:
    session = opened()
    session.make("battery_low", 0.0)
    assert ask(session, b"\x02\x05")[0][5:7] == bytes((3, 9))
    session.link_lost(1.0)
    session.link_opened(1.0)
    session.subscribed(gatt.COMMAND_NOTIFY, 1.0)
    session.data_to_send()
    assert ask(session, b"\x02\x01")[0][6:8] == bytes((3, 9))


def test_a_gesture_reaches_nobody_without_a_listener() -> None:
    session = open_watch(WatchMemory(), WatchTraits("F9:24:12:00:00:01", 0))
    session.make("play", 0.0)
    assert session.data_to_send() == []


def test_a_restart_keeps_and_a_factory_reset_forgets() -> None:
    session = opened()
    ask(session, bytes.fromhex("033228010001130006000005"))
    ask(session, bytes.fromhex("0310b4401f00c6070101"))
    session.restart(0.0)
    assert session.settings_held()["03 10"]
    assert ask(opened(), b"\x02\xb0") == [bytes.fromhex("02b00f010001000000000005")]
    session.link_opened(0.0)
    session.subscribed(gatt.COMMAND_NOTIFY, 0.0)
    ask(session, b"\xf0\x04")
    assert "03 10" not in session.settings_held()


class AnySequence(RuleBasedStateMachine):
    """After any frames, whole, short or nonsense, the watch holds what a simple model holds."""

    @initialize()
    def begin(self) -> None:
        self.session = opened()
        self.received = bytearray(0x200)
        self.held: dict[int, bytes] = {}
        self.alarms = bytes(340)

    @rule(key=st.sampled_from(sorted(LENGTHS)), data=st.data())
    def set_whole(self, key: int, data: Any) -> None:
        size = LENGTHS[key]
        self.send(key, data.draw(st.binary(min_size=size, max_size=size)))

    @rule(key=st.sampled_from(sorted(LENGTHS)), body=st.binary(max_size=18))
    def set_short_or_long(self, key: int, body: bytes) -> None:
        self.send(key, body)

    def send(self, key: int, body: bytes) -> None:
        frame = bytes((3, key)) + body
        self.received[: len(frame)] = frame
        self.held[key] = bytes(self.received[2 : 2 + LENGTHS[key]])
        assert ask(self.session, frame)[-1][:2] == bytes((3, key))

    @rule(key=st.sampled_from((0x06, 0x08, 0x22, 0x99, 0xFE)), body=st.binary(max_size=4))
    def ask_unknown(self, key: int, body: bytes) -> None:
        frame = bytes((2, key)) + body
        self.received[: len(frame)] = frame
        assert ask(self.session, frame) == []

    @rule(frame=st.binary(max_size=1))
    def noise(self, frame: bytes) -> None:
        assert ask(self.session, frame) == []

    @rule()
    def lose_link(self) -> None:
        self.session.link_lost(0.0)
        self.session.link_opened(0.0)
        self.session.subscribed(gatt.COMMAND_NOTIFY, 0.0)
        self.session.data_to_send()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        held = self.session.settings_held()
        assert {row: body for row, body in held.items() if row.startswith("03 ")} == {
            f"03 {key:02X}": body for key, body in self.held.items()
        }
        for key, (question, size) in READ_BACK.items():
            if key in self.held:
                (answer,) = ask(self.session, bytes((2, question)))
                self.received[:2] = bytes((2, question))
                assert answer[2:] == self.held[key][:size]


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = hypothesis_settings(
    max_examples=40, stateful_step_count=25, deadline=None
)
