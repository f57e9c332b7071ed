"""Which vaccines are due, from a dated calendar table and the doses that were written down."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from hygie.domains.record.model.summary import Vaccine

BOOSTER_FROM_MONTH = 60
BOOSTER_EARLY_MONTHS = 12
"""A booster given up to a year early counts for its age."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the calendar. Months of age; ``until_month`` is None when there is no limit."""

    id: str
    antigen: str
    label_fr: str
    label_en: str
    from_month: int
    until_month: int | None
    doses_by_month: tuple[int, ...]
    repeat_years: int | None


@dataclass(frozen=True, slots=True)
class Due:
    """A vaccine that is due. ``since`` is when it became so; ``last`` the last dose, if any.

    ``history`` is False when the record holds no vaccine at all: then nobody knows, and the
    reader is asked to check instead of told to act.
    """

    rule: Rule
    since: date
    last: str
    history: bool


def due(birth: date, given: Sequence[Vaccine], calendar: Iterable[Rule], *, at: date) -> list[Due]:
    """Return what is due on a day, oldest first."""
    age = months_between(birth, at)
    found = []
    for rule in calendar:
        if age < rule.from_month or (rule.until_month is not None and age >= rule.until_month):
            continue
        doses = _doses_that_count(rule, birth, given)
        since = (
            _repeat_due(rule, birth, doses) if rule.repeat_years else _dose_due(rule, birth, doses)
        )
        if since is not None and since <= at:
            last = max((dose.day for dose in given if _protects(dose, rule.antigen)), default="")
            found.append(Due(rule, since, last, history=bool(given)))
    return sorted(found, key=lambda one: (one.since, one.rule.id))


def months_between(birth: date, at: date) -> int:
    """Return the age in whole months.

    >>> months_between(date(2020, 1, 31), date(2020, 3, 1))
    1
    """
    return (at.year - birth.year) * MONTHS + at.month - birth.month - (at.day < birth.day)


def add_months(day: date, months: int) -> date:
    """Return the same day of the month some months later, or the last one before it.

    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * MONTHS + day.month - 1 + months, MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _protects(dose: Vaccine, antigen: str) -> bool:
    # A vaccine against ACWY protects against C (calendar 2024, note of the MenC line).
    return antigen in dose.antigens or (antigen == "menc" and "menacwy" in dose.antigens)


def _doses_that_count(rule: Rule, birth: date, given: Sequence[Vaccine]) -> list[date]:
    booster = rule.from_month >= BOOSTER_FROM_MONTH and len(rule.doses_by_month) == 1
    early = add_months(birth, rule.from_month - BOOSTER_EARLY_MONTHS) if booster else birth
    if rule.repeat_years:
        early = birth
    days = [_first_day(dose.day) for dose in given if _protects(dose, rule.antigen) and dose.day]
    return sorted(day for day in days if day >= early)


def _dose_due(rule: Rule, birth: date, doses: list[date]) -> date | None:
    missing = rule.doses_by_month[len(doses) :]
    return add_months(birth, missing[0]) if missing else None


def _repeat_due(rule: Rule, birth: date, doses: list[date]) -> date:
    first = add_months(birth, rule.from_month)
    if not doses or rule.repeat_years is None:
        return first
    return max(first, add_months(doses[-1], rule.repeat_years * MONTHS))


def _first_day(text: str) -> date:
    """Return the first day that a FHIR date may mean: a doubt never hides a dose."""
    year, month, day = (*text.split("-"), "1", "1")[:3]
    return date(int(year), int(month), int(day))
