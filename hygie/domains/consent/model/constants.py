"""Delays and lengths of the record, by date: ``definitions/constants.csv``."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from hygie.kernel.fhir.search.dates import LAST
from hygie.kernel.security.dated import Columns, load


class Opening(StrEnum):
    """How a record opens: a dated setting of ``constants.csv``, shown on each record."""

    UNLESS_OPPOSED = "unless-opposed"
    ON_CONSENT = "on-consent"


_UNITS = frozenset({"hours", "days", "years", "mode", "answer"})


def _make(columns: Columns) -> tuple[str, str]:
    value, unit = columns["value"], columns["unit"]
    if unit not in _UNITS:
        raise ValueError(f"the unit {unit!r} is none of {', '.join(sorted(_UNITS))}")
    if unit == "mode":
        Opening(value)
    elif unit == "answer" and value not in ("yes", "no"):
        raise ValueError(f"the answer {value!r} is neither yes nor no")
    elif unit in ("hours", "days", "years") and int(value) <= 0:
        raise ValueError(f"{value} {unit} is no length")
    return value, unit


CONSTANTS = load("hygie.domains.consent", "definitions/constants.csv", key=("key",), make=_make)


def _amount(key: str, unit: str, at: date) -> int:
    value, found = CONSTANTS.value(key, at=at)
    if found != unit:
        raise ValueError(f"{key} is in {found}, not in {unit}")
    return int(value)


def emergency_length(at: date) -> timedelta:
    """Return how long a declared emergency lasts at most."""
    return timedelta(hours=_amount("break-glass-longest", "hours", at))


def representative_naming(at: date) -> timedelta:
    """Return for how long a representative may name a helper in the person's name, at most."""
    return timedelta(days=_amount("helper-by-representative-longest", "days", at))


def announcement_delay(at: date) -> timedelta:
    """Return after how long what awaits an announcement visit is shown to the person."""
    return timedelta(days=_amount("announcement-delay", "days", at))


def opposition_window(at: date) -> timedelta:
    """Return how long a person has, from the notice, to oppose before the record opens."""
    return timedelta(days=_amount("opposition-window", "days", at))


def may_oppose_until(notice: datetime) -> datetime | None:
    """Return until when a person told at an instant may oppose before the record opens.

    None where the record opened on consent only, or so far away that no calendar holds it.
    """
    window = CONSTANTS.holding(notice.date()).get(("opposition-window",))
    if window is None or notice > LAST - timedelta(days=int(window[0])):
        return None
    return notice + timedelta(days=int(window[0]))


def retention_years(at: date) -> int:
    """Return how many years a closed record is kept."""
    return _amount("retention", "years", at)


def longest_access(at: date) -> timedelta:
    """Return how long an explicit access outside the care team lasts at most."""
    return timedelta(days=_amount("explicit-consent-longest", "days", at))


def usual_access(at: date) -> timedelta:
    """Return how long an explicit access lasts where the person says nothing: one visit."""
    return timedelta(days=_amount("explicit-consent-usual", "days", at))


def opening_mode(at: date) -> Opening:
    """Return how a record that is made on a day opens."""
    return Opening(CONSTANTS.value("opening-mode", at=at)[0])


def needs_initial_consent(at: date) -> bool:
    """Tell whether the care team reads only once the person agreed."""
    return CONSTANTS.value("initial-team-consent", at=at)[0] == "yes"


def majority_of(birth: date) -> date:
    """Return the day a person comes of age.

    >>> majority_of(date(2008, 2, 29)).isoformat()
    '2026-02-28'
    """
    return birthday(birth, _amount("majority", "years", _LONG_AGO))


def own_access_from(birth: date) -> date:
    """Return the day from which a minor decides alone, and keeps visits from the parents.

    Of the age that holds on that day; before the first dated row its age held already.

    >>> own_access_from(date(2010, 6, 15)).isoformat()
    '2026-06-15'
    """
    rows = CONSTANTS.by_key["own-access-age",]
    for number, row in enumerate(rows):
        reached = birthday(birth, int(row.value[0]))
        day = max(reached, row.validity.first) if number else reached
        if row.validity.last is None or day <= row.validity.last:
            return day
    return majority_of(birth)


def birthday(birth: date, years: int) -> date:
    """Return the birthday of an age; of a 29 February, the last day of that month.

    Source: code of civil procedure, article 641 (no such day: the last day of the month).
    """
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return birth.replace(year=birth.year + years, day=28)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


_LONG_AGO = date(1974, 7, 5)
"""The majority of 18 years holds from this day on, for whoever was born since 1956."""
