"""What may be erased now, what must be kept, until when and by which text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from hygie.kernel.errors import NotFound
from hygie.kernel.security.dated import DatedTable, load

MAJORITY = 18


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept: years after an event, with the text that says so."""

    years: int
    event: str
    label_fr: str
    label_en: str
    basis_fr: str
    basis_en: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What one controller holds of a person.

    Attributes:
        controller: reference of the Organization, empty where none is named.
        resources: how many resources.
        own: those among them that the person deposited.
        first: day of the first care, None where nothing is dated.
        last: day of the last care, None where nothing is dated.
    """

    controller: str
    resources: int
    own: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Life:
    """What of a person's life retention depends on; None where it is unknown or has not happened.

    ``today`` is the day of the decision.
    """

    today: date
    birth: date | None = None
    death: date | None = None
    closed: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about a holding.

    Attributes:
        key: row of the retention table that decided.
        controller: whose holding.
        count: how many resources it is about.
        erased: whether they may be erased now.
        until: first day on which they may be erased; None where that is now, or is not known.
    """

    key: str
    controller: str
    count: int
    erased: bool
    until: date | None = None


def table() -> DatedTable[Period]:
    """Return the dated retention table."""
    return load("hygie.domains.rights", "definitions/retention.csv", key=("key",), make=_period)


def decide(holdings: Iterable[Holding], life: Life, periods: DatedTable[Period]) -> list[Verdict]:
    """Return, for each holding, what may be erased and what must be kept.

    Own deposits may always be erased. A record closed for longer than its period may be erased
    whole. The rest is kept until its file's period ends.
    """
    closed = life.closed is not None and _end(life.closed, periods, "closed-record", life) <= (
        life.today
    )
    found: list[Verdict] = []
    for one in holdings:
        if one.own:
            found.append(Verdict("own-deposit", one.controller, one.own, erased=True))
        kept = one.resources - one.own
        if kept > 0 and closed:
            found.append(Verdict("closed-record", one.controller, kept, erased=True))
        elif kept > 0:
            key, until = kept_until(one, life, periods)
            found.append(_kept(key, one, until, life.today))
    return found


def kept_until(one: Holding, life: Life, periods: DatedTable[Period]) -> tuple[str, date | None]:
    """Return the rule that keeps a care file, and the day it ends; None where nothing is dated.

    A file without a date is kept: nobody can show that its period is over.
    """
    if life.death is not None:
        return "care-file-dead", _end(life.death, periods, "care-file-dead", life)
    if one.last is None:
        return "care-file", None
    key, until = "care-file", _end(one.last, periods, "care-file", life)
    if life.birth is not None and one.first is not None:
        minor = one.first < _after(life.birth, MAJORITY)
        birthday = _end(life.birth, periods, "care-file-minor", life)
        if minor and birthday > until:
            return "care-file-minor", birthday
    return key, until


def _kept(key: str, one: Holding, until: date | None, today: date) -> Verdict:
    """Return the verdict on a care file: it is erased once its period has ended."""
    over = until is not None and until <= today
    count = one.resources - one.own
    return Verdict(key, one.controller, count, over, None if over else until)


def _end(start: date, periods: DatedTable[Period], key: str, life: Life) -> date:
    return _after(start, periods.value(key, at=life.today).years)


def _after(day: date, years: int) -> date:
    """Return the day so many years later; 29 February becomes 1 March.

    >>> _after(date(2004, 2, 29), 20), _after(date(2004, 2, 29), 1)
    (datetime.date(2024, 2, 29), datetime.date(2005, 3, 1))
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _period(columns: Mapping[str, str]) -> Period:
    return Period(
        int(columns["years"]),
        columns["event"],
        columns["label_fr"],
        columns["label_en"],
        columns["basis_fr"],
        columns["basis_en"],
    )


def period(key: str, *, at: date) -> Period:
    """Return one row of the table on a day.

    Raises:
        NotFound: the table has no such row on that day.
    """
    found = table().holding(at).get((key,))
    if found is None:
        raise NotFound(f"The retention table says nothing of {key}.")
    return found
