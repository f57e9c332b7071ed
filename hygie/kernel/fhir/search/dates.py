"""Turn FHIR dates into half-open intervals of UTC instants (FHIR R4, search.html#date).

``2013-01`` is everything from the first instant of January to the first of February, not included,
in the zone of the structure; ``2013-01-10T10:00:00Z`` is one second. A missing end is open and
stands as ``FIRST`` or ``LAST``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

Interval = tuple[datetime, datetime]

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")

_SECOND = timedelta(seconds=1)
_SHAPE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<clock>\d\d:\d\d(?P<seconds>:\d\d)?)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?\Z",
    re.ASCII,
)


@lru_cache(maxsize=16_384)
def interval(text: str, zone: tzinfo) -> Interval:
    """Return the interval that a date, dateTime or instant covers, low included, high not.

    >>> low, high = interval("2024-02", UTC)
    >>> low.isoformat(), high.isoformat()
    ('2024-02-01T00:00:00+00:00', '2024-03-01T00:00:00+00:00')
    >>> low, high = interval("2024-07-01", PARIS)
    >>> low.isoformat()
    '2024-06-30T22:00:00+00:00'

    Raises:
        ValueError: the text is not a date of the FHIR forms, or not a day of the calendar.
    """
    shape = _SHAPE.match(text)
    if shape is None:
        raise ValueError(text)
    if shape["clock"] is None:
        first, after = _days(shape)
        return _instant(first, zone), LAST if after is None else _instant(after, zone)
    return _moment(text, shape, zone)


def _moment(text: str, shape: re.Match[str], zone: tzinfo) -> Interval:
    leap = shape["seconds"] == ":60"
    # FHIR lets a leap second be written; Python's clock has none, so it is the next second.
    low = datetime.fromisoformat(text.replace(":60", ":59", 1) if leap else text)
    try:
        low = (low if low.tzinfo else low.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return (FIRST, FIRST + _SECOND) if low.year == 1 else (LAST - _SECOND, LAST)
    if leap and low <= LAST - 2 * _SECOND:
        low += _SECOND
    if shape["seconds"] is None:
        return low, _after(low, timedelta(minutes=1))
    fraction = shape["fraction"]
    if fraction is None:
        return low, _after(low, _SECOND)
    digits = min(len(fraction) - 1, 6)
    return low, _after(low, timedelta(microseconds=10 ** (6 - digits)))


def _days(shape: re.Match[str]) -> tuple[date, date | None]:
    year = int(shape["year"])
    month, day = int(shape["month"] or 1), int(shape["day"] or 1)
    first = date(year, month, day)
    try:
        if shape["day"]:
            return first, first + timedelta(days=1)
        if shape["month"]:
            return first, date(year + month // 12, month % 12 + 1, 1)
        return first, date(year + 1, 1, 1)
    except (OverflowError, ValueError):
        return first, None


def _instant(day: date, zone: tzinfo) -> datetime:
    if day == date.min:
        return FIRST
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _after(low: datetime, width: timedelta) -> datetime:
    return LAST if LAST - width < low else low + width
