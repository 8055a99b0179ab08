"""Versions are numbers, and the way through releases skips nothing that it must not."""

from contextlib import suppress
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import DecodeError
from firmware_protocol.versions import Chain, Offer, Version, chain


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9", "1.10"),
        ("1.9.0", "1.10.0"),
        ("1.999.1", "1.1000.0"),
        ("1.2", "1.2.0.1"),
        ("9", "10"),
        ("1.2.3", "1.2.3+4"),
        ("1.2.3+9", "1.2.3.10"),
    ],
)
def test_order_is_numeric(older: str, newer: str) -> None:
    assert Version.parse(older) < Version.parse(newer)


@pytest.mark.parametrize("text", ["1.2.3", "V1.2.3", "v1.2.3", "1.2.3.0", "01.002.3", "1.2.3+0"])
def test_one_version_may_be_written_in_several_ways(text: str) -> None:
    assert Version.parse(text) == Version.parse("1.2.3")
    assert str(Version.parse(text)) == "1.2.3"


def test_nought_is_a_version() -> None:
    assert str(Version.parse("0.0.0")) == "0"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "V",
            "1.2b",
            "1..2",
            ".1",
            "1.",
            "vv1",
            "1.2-rc1",
            " 1",
            "1\n",
            "-1",
            "1+2+3",
            "1+2.3",
        ),
        *("\u0661.2", "1" * 65, "1,2"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="is no version in numbers"):
        Version.parse(text)


@given(st.text())
def test_any_text_is_a_version_or_refused(text: str) -> None:
    with suppress(DecodeError):
        version = Version.parse(text)
        assert Version.parse(str(version)) == version


@given(
    st.lists(st.integers(0, 2000), min_size=1, max_size=5),
    st.lists(st.integers(0, 2000), min_size=1, max_size=5),
)
def test_order_is_that_of_the_parts(one: list[int], other: list[int]) -> None:
    first, second = (Version.parse(".".join(map(str, parts))) for parts in (one, other))
    length = max(len(one), len(other))
    padded = [parts + [0] * (length - len(parts)) for parts in (one, other)]
    assert (first < second) is (padded[0] < padded[1])
    assert (first == second) is (padded[0] == padded[1])


# ---- the way to the newest


def offer(text: str, *, forced: bool = False, takes: set[str] | None = None) -> Offer[str]:
    accepted = None if takes is None else {Version.parse(each) for each in takes}
    return Offer(
        text,
        Version.parse(text),
        forced,
        lambda version: accepted is None or version in accepted,
    )


def walked(installed: str, *offers: Offer[str]) -> tuple[list[str], list[str]]:
    found = chain(Version.parse(installed), offers)
    return [each.release for each in found.steps], [each.release for each in found.unreached]


def test_optional_ones_are_dropped_but_the_last_and_forced_ones_are_kept() -> None:
    offers = [offer("1.10"), offer("1.8", forced=True), offer("1.9"), offer("1.7"), offer("1.5")]
    assert walked("1.6", *offers) == (["1.8", "1.10"], [])
    assert walked("1.8", *offers) == (["1.10"], [])
    assert walked("1.10.0", *offers) == ([], [])
    assert walked("1.0") == ([], [])


def test_an_optional_one_is_kept_where_the_next_needs_it() -> None:
    offers = [offer("1.5"), offer("1.6"), offer("2.0", takes={"1.5", "1.6"})]
    assert walked("1.0", *offers) == (["1.6", "2.0"], [])


def test_what_cannot_be_reached_is_named() -> None:
    offers = [offer("1.5"), offer("2.0", forced=True, takes={"1.4"}), offer("3.0")]
    assert walked("1.0", *offers) == (["1.5"], ["2.0", "3.0"])
    assert walked("1.4", *offers) == (["2.0", "3.0"], [])
    assert walked("1.0", offers[1]) == ([], ["2.0"])


def naive(installed: Version, offers: list[Offer[int]]) -> Chain[int]:
    """Try every subset."""
    newer = sorted((each for each in offers if each.version > installed), key=lambda o: o.version)
    good = []
    for length in range(len(newer) + 1):
        for steps in combinations(newer, length):
            versions = [installed, *(step.version for step in steps)]
            skipped = [each for each in newer if each not in steps and each.version < versions[-1]]
            allowed = all(step.takes(before) for before, step in zip(versions, steps, strict=False))
            if allowed and not any(each.forced for each in skipped):
                good.append(steps)
    best = max(
        good,
        key=lambda steps: (
            steps[-1].version if steps else installed,
            -len(steps),
            [step.version for step in reversed(steps)],
        ),
    )
    end = best[-1].version if best else installed
    return Chain(best, tuple(each for each in newer if each.version > end))


@st.composite
def many_offers(draw: st.DrawFn) -> list[Offer[int]]:
    numbers = draw(st.lists(st.integers(1, 9), unique=True, max_size=7))
    return [made_up(number, draw) for number in numbers]


def made_up(number: int, draw: st.DrawFn) -> Offer[int]:
    accepted = draw(st.none() | st.frozensets(st.integers(0, 9)))

    def takes(version: Version) -> bool:
        return accepted is None or version.parts[0] in accepted

    return Offer(number, Version((number,)), draw(st.booleans()), takes)


@given(st.integers(0, 9), many_offers())
def test_the_way_is_that_of_a_naive_search(installed: int, offers: list[Offer[int]]) -> None:
    start = Version((installed,))
    assert chain(start, offers) == naive(start, offers)
