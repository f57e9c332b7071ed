"""What may change of numbers and lengths: the table ``definitions/limits.csv``."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from hygie.kernel.errors import ConfigurationError
from hygie.kernel.security.dated import Columns, DatedTable, load


def amount(key: str, unit: str, *, at: date) -> int:
    """Return a limit in its unit.

    >>> amount("invitations-open", "invitations", at=date(2026, 6, 1))
    5

    Raises:
        ConfigurationError: the table gives it in another unit.
    """
    value, held = _limits().value(key, at=at)
    if held != unit:
        raise ConfigurationError(f"limits.csv gives {key} in {held}, not in {unit}.")
    return value


def days(key: str, *, at: date) -> timedelta:
    """Return a limit in days."""
    return timedelta(days=amount(key, "days", at=at))


def birthday(birth: date, years: int) -> date:
    """Return the birthday of an age; of a 29 February, the last day of that month.

    Source: code of civil procedure, article 641 (no such day: the last day of the month).

    >>> birthday(date(2008, 2, 29), 16).isoformat()
    '2024-02-29'
    """
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return birth.replace(year=birth.year + years, day=28)


def decides_alone(birth: date, *, at: date) -> bool:
    """Tell whether somebody is old enough to choose about the own record.

    >>> decides_alone(date(2010, 5, 3), at=date(2026, 5, 2))
    False
    """
    return birthday(birth, amount("own-choices-age", "years", at=at)) <= at


@cache
def _limits() -> DatedTable[tuple[int, str]]:
    return load("hygie.domains.helping", "definitions/limits.csv", key=("key",), make=_limit)


def _limit(columns: Columns) -> tuple[int, str]:
    return int(columns["value"]), columns["unit"]
