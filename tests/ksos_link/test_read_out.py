"""Stretches of local days."""

from datetime import date

import pytest

from ksos_link.errors import UsageError
from ksos_link.operations.read_out import Span, span_of_days

DAY_S = 86_400


def test_a_day_is_whole_and_open_ends_stay_open() -> None:
    span = span_of_days(date(2026, 3, 8), date(2026, 3, 8))
    assert span.start_utc_s is not None
    assert span.end_utc_s is not None
    assert span.end_utc_s - span.start_utc_s in (DAY_S - 3600, DAY_S, DAY_S + 3600)
    assert span_of_days(None, None) == Span()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 9), date(2026, 3, 8)),
        (date(1, 1, 1), None),
        (None, date(9999, 12, 31)),
    ],
)
def test_days_that_make_no_stretch_are_refused(first: date | None, last: date | None) -> None:
    with pytest.raises(UsageError):
        span_of_days(first, last)
