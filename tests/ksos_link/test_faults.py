"""Faults of the link: each of them seen from the central's side."""

import pytest

from firmware_protocol.watch_session import WatchSession, WatchTraits
from ksos_link.errors import UsageError
from ksos_link.virtual_watch.faults import (
    DELAY_S,
    Fault,
    FaultySession,
    parse_faults,
    traits_with,
)

UUID = "notify"


class Echo(WatchSession):
    """Answers each write with two notifications: the bytes, and the bytes reversed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []
        self.writes: list[bytes] = []
        self._due: list[tuple[str, bytes]] = []

    def link_opened(self, now_s: float) -> None:
        self.calls.append(("opened", now_s))

    def subscribed(self, uuid: str, now_s: float) -> None:
        self.calls.append(("subscribed", now_s))

    def receive_write(self, uuid: str, data: bytes, now_s: float) -> None:
        self.calls.append(("write", now_s))
        self.writes.append(data)
        self._due += [(UUID, data), (UUID, data[::-1])]

    def read_value(self, uuid: str, now_s: float) -> bytes:
        return f"{uuid} {now_s}".encode()

    def data_to_send(self) -> list[tuple[str, bytes]]:
        due, self._due = self._due, []
        return due

    def link_lost(self, now_s: float) -> None:
        self.calls.append(("lost", now_s))


class SwitchedOff(Echo):
    """Wants the link down after a write, and shows a restart."""

    @property
    def link_must_drop(self) -> bool:
        return bool(self.writes)

    def restart(self, now_s: float) -> None:
        self.calls.append(("restart", now_s))


def open_faulty(text: str, inner: WatchSession | None = None) -> FaultySession:
    session = FaultySession(inner or Echo(), parse_faults(text), seed=3)
    session.link_opened(100.0)
    return session


def wants_drop(session: WatchSession) -> bool:
    return session.link_must_drop


def exchange(session: FaultySession, data: bytes, now_s: float = 100.0) -> list[bytes]:
    session.receive_write("write", data, now_s)
    return [value for _, value in session.data_to_send()]


@pytest.mark.parametrize(
    ("fault", "first", "second"),
    [
        ("", [b"abc", b"cba"], [b"123", b"321"]),
        ("drop@1", [b"abc"], [b"123", b"321"]),
        ("duplicate@0", [b"abc", b"abc", b"cba"], [b"123", b"321"]),
        ("reorder@0", [b"cba", b"abc"], [b"123", b"321"]),
        ("reorder@1", [b"abc"], [b"123", b"cba", b"321"]),
        ("corrupt@2", [b"abc", b"cba"], [b"133", b"321"]),
        ("delay@0", [b"cba"], [b"abc", b"123", b"321"]),
        ("drop@0, duplicate@2", [b"cba"], [b"123", b"123", b"321"]),
        ("silent", [], []),
    ],
)
def test_what_arrives(fault: str, first: list[bytes], second: list[bytes]) -> None:
    session = open_faulty(fault)
    assert exchange(session, b"abc") == first
    assert exchange(session, b"123") == second
    assert not wants_drop(session)


def test_a_delayed_notification_comes_by_itself_in_the_end() -> None:
    session = open_faulty("delay@1")
    assert exchange(session, b"ab") == [b"ab"]
    session.release_delayed(100.0 + DELAY_S - 0.1)
    assert session.data_to_send() == []
    session.release_delayed(100.0 + DELAY_S)
    assert session.data_to_send() == [(UUID, b"ba")]
    assert exchange(session, b"xy") == [b"xy", b"yx"]


def test_a_lost_link_loses_what_follows_and_counts_on() -> None:
    session = open_faulty("lose@1,drop@3")
    assert exchange(session, b"ab") == [b"ab"]
    assert wants_drop(session)
    assert exchange(session, b"cd") == []
    session.link_lost(101.0)
    assert not wants_drop(session)
    session.link_opened(102.0)
    assert exchange(session, b"ef") == [b"ef"]
    assert exchange(session, b"gh") == [b"gh", b"hg"]


def test_a_lost_link_takes_what_was_held_back_with_it() -> None:
    session = open_faulty("delay@0,reorder@1")
    assert exchange(session, b"ab") == []
    session.link_lost(101.0)
    assert exchange(session, b"cd") == [b"cd", b"dc"]


def test_a_lost_write_never_reaches_the_watch() -> None:
    watch = Echo()
    session = open_faulty("lose-write@1", watch)
    assert exchange(session, b"ab") == [b"ab", b"ba"]
    assert exchange(session, b"cd") == []
    assert wants_drop(session)
    assert watch.writes == [b"ab"]
    session.link_lost(101.0)
    assert exchange(session, b"cd") == [b"cd", b"dc"]


def test_a_restart_happens_when_the_link_is_gone() -> None:
    watch = SwitchedOff()
    session = open_faulty("reboot@0", watch)
    assert exchange(session, b"ab") == []
    assert watch.calls == [("opened", 0.0), ("write", 0.0)]
    session.link_lost(101.0)
    session.link_lost(102.0)
    assert watch.calls[2:] == [("lost", 1.0), ("restart", 1.0), ("lost", 2.0)]


def test_a_watch_that_shows_no_restart_loses_its_link() -> None:
    watch = Echo()
    session = open_faulty("", watch)
    session.restart(103.0)
    assert watch.calls[1:] == [("lost", 3.0), ("lost", 3.0)]


def test_the_watch_itself_may_drop_the_link() -> None:
    session = open_faulty("", SwitchedOff())
    assert not wants_drop(session)
    assert exchange(session, b"ab") == [b"ab", b"ba"]
    assert wants_drop(session)


def test_noise_surrounds_each_answer_and_repeats_with_the_seed() -> None:
    first, second = (exchange(open_faulty("noise"), b"ab") for _ in range(2))
    assert first == second
    assert first[1:-1] == [b"ab", b"ba"]
    assert all(1 <= len(noise) <= 20 for noise in (first[0], first[-1]))
    session = open_faulty("noise")
    assert session.data_to_send() == []


def test_time_counts_from_the_start() -> None:
    watch = Echo()
    session = FaultySession(watch, (), started_s=90.0)
    session.link_opened(100.0)
    session.subscribed(UUID, 101.5)
    assert watch.calls == [("opened", 10.0), ("subscribed", 11.5)]
    assert session.read_value("x", 102.0) == b"x 12.0"


def test_traits_of_a_faulty_watch() -> None:
    traits = WatchTraits(address="F9:24:12:00:00:01", wall_offset_s=0, options=frozenset(("a",)))
    faults = parse_faults("refuse-bind,low-battery,wrong-sequence@7")
    changed = traits_with(faults, traits)
    assert (changed.refuse_bind, changed.bound, changed.battery_pct) == (True, False, 5)
    assert changed.options == {"a", "wrong_sequence@7"}
    assert traits_with((), traits) == traits


def test_parsing() -> None:
    assert parse_faults("") == ()
    assert parse_faults(" lose@12 ,noise,") == (Fault("lose", 12), Fault("noise"))


@pytest.mark.parametrize("text", ["lose", "lose@", "lose@x", "lose@-1", "noise@1", "burn", "@3"])
def test_nonsense_is_answered_with_the_list(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults(f"drop@1,{text}")
    assert "lose-write@N" in caught.value.hint
    assert "silent" in caught.value.hint
