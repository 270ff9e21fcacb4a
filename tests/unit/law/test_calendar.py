"""Legal days: fixed examples of the published calendar, and properties for any start."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.law.amounts import Duration, parse_amount
from fengsui.law.calendar import before, due, is_workday, known
from fengsui.moment import LEGAL_ZONE

STARTS = st.datetimes(datetime(2025, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        ("2026-11-24T03:00", "1d", "2026-11-26T00:00"),  # the day of the start is not counted
        ("2026-11-24T03:00", "0d", "2026-11-25T00:00"),
        ("2026-11-27T18:00", "3wd", "2026-12-03T00:00"),  # over a weekend
        ("2026-09-30T10:00", "1wd", "2026-10-09T00:00"),  # over the National Day holiday, 1–7 October; the 8th counts
        ("2026-11-24T23:59:59", "15min", "2026-11-25T00:14:59"),
    ],
)
def test_examples(start: str, amount: str, end: str) -> None:
    found = due(local(start), parse_amount(amount))
    assert found.at == local(end)
    assert not found.provisional


def test_beyond_the_last_published_year_the_date_is_provisional() -> None:
    found = due(local("2030-03-04T09:00"), Duration(workdays=5))
    assert found.provisional and found.at == local("2030-03-12T00:00")
    assert not known(date(2030, 3, 4)) and "chinesecalendar" in found.calendar
    assert not due(local("2030-03-04T09:00"), Duration(days=5)).provisional


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        due(datetime(2026, 11, 24), Duration(days=1))


@given(STARTS, st.integers(0, 400))
def test_calendar_days_end_at_midnight_of_the_legal_zone(start: datetime, days: int) -> None:
    end = due(start, Duration(days=days)).at.astimezone(LEGAL_ZONE)
    assert (end.hour, end.minute, end.second) == (0, 0, 0)
    assert end.date() - start.astimezone(LEGAL_ZONE).date() == timedelta(days=days + 1)


@given(STARTS, st.integers(1, 60))
def test_exactly_so_many_workdays_lie_between(start: datetime, count: int) -> None:
    first = start.astimezone(LEGAL_ZONE).date()
    last = due(start, Duration(workdays=count)).at.astimezone(LEGAL_ZONE).date() - timedelta(days=1)
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(map(is_workday, between)) == count
    assert is_workday(last)


@given(STARTS, st.integers(0, 30), st.integers(0, 30))
def test_more_time_is_never_due_earlier(start: datetime, few: int, more: int) -> None:
    for unit in ("workdays", "days", "seconds"):
        assert due(start, Duration(**{unit: few})).at <= due(start, Duration(**{unit: few + more})).at


@given(STARTS, st.integers(1, 20))
def test_before_is_earlier_and_keeps_the_time_of_day(moment: datetime, count: int) -> None:
    for length in (Duration(workdays=count), Duration(days=-count)):
        found = before(moment, length)
        assert found < moment
        assert found.astimezone(LEGAL_ZONE).time() == moment.astimezone(LEGAL_ZONE).time()


@given(st.integers(-500, 500), st.sampled_from(["s", "min", "h", "d", "wd"]))
def test_amounts_are_read_as_written(number: int, unit: str) -> None:
    found = parse_amount(f"{number}{unit}")
    given_ones = [value for value in (found.seconds, found.days, found.workdays) if value is not None]
    factor = {"s": 1, "min": 60, "h": 3600, "d": 1, "wd": 1}[unit]
    assert given_ones == [number * factor]


@given(st.text(max_size=12))
def test_any_other_text_is_refused_by_name(text: str) -> None:
    try:
        parse_amount(text)
    except ValueError as wrong:
        assert repr(text) in str(wrong)
