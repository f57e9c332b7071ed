"""Events that start and end a membership of the care team: ``membership_events.csv``.

An event that starts a membership bounds its length; one that ends it may leave some days after.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import LAST
from hygie.kernel.security.dated import Columns, load


class Stater(StrEnum):
    """Who may state an event."""

    PERSON = "person"
    """The person, or who decides for the person."""
    PROFESSIONAL = "professional"
    """A professional, of their own membership."""
    JOB = "job"
    """The job that reads the appointment, the order or the stay which proves it."""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Event:
    """A named event.

    Attributes:
        opens: whether it starts a membership; otherwise it ends one.
        ends_with: the event by which such a membership usually ends.
        length: of one that starts: how long the membership lasts at most; of one that ends: how
            long it still lasts afterwards. None where there is no bound.
        stated_by: who may state it.
        label_fr: its name.
        label_en: its name.
    """

    opens: bool
    ends_with: str | None
    length: timedelta | None
    stated_by: frozenset[Stater]
    label_fr: str
    label_en: str

    def label(self, language: str) -> str:
        """Return its name in ``fr`` or ``en``."""
        return self.label_fr if language == "fr" else self.label_en


def _make(columns: Columns) -> Event:
    if columns["part"] not in ("opens", "closes"):
        raise ValueError(f"an event opens or closes, not {columns['part']!r}")
    days = columns["days"]
    return Event(
        opens=columns["part"] == "opens",
        ends_with=columns["ends_with"] or None,
        length=timedelta(days=int(days)) if days else None,
        stated_by=frozenset(Stater(one) for one in columns["stated_by"].split()),
        label_fr=columns["label_fr"],
        label_en=columns["label_en"],
    )


EVENTS = load(
    "hygie.domains.consent", "definitions/membership_events.csv", key=("event",), make=_make
)
DESIGNATION: Final = "designation"
WITHDRAWAL: Final = "withdrawal"


def event(code: str, *, at: date) -> Event:
    """Return a named event.

    Raises:
        Unprocessable: no table names it.
    """
    found = EVENTS.holding(at).get((code,))
    if found is None:
        known = ", ".join(sorted(key[0] for key in EVENTS.holding(at)))
        raise Unprocessable(f"{code} is no event of a membership; write one of: {known}.")
    return found


def last_instant(code: str, starts: datetime) -> datetime | None:
    """Return when a membership that an event starts ends at the latest; None: without bound."""
    length = event(code, at=starts.date()).length
    # A start at the end of time would leave the calendar.
    return None if length is None or starts > LAST - length else starts + length


def check_membership(
    starting: str | None, ending: str | None, starts: datetime, ends: datetime
) -> None:
    """Check that the events of a membership allow its period.

    Raises:
        Unprocessable: an event is unknown, is used the wrong way, or the period is too long.
    """
    if ending is not None and event(ending, at=starts.date()).opens:
        raise Unprocessable(f"{ending} starts a membership; name an event that ends one.")
    if starting is None:
        return
    if not event(starting, at=starts.date()).opens:
        raise Unprocessable(f"{starting} ends a membership; name an event that starts one.")
    last = last_instant(starting, starts)
    if last is not None and ends > last:
        raise Unprocessable(
            f"A membership by {starting} ends by {last.date().isoformat()}; give it an end."
        )


def longest_for(stater: Stater, at: date) -> timedelta:
    """Return the longest bounded membership that somebody may state; none: zero."""
    lengths = [
        one.length
        for one in EVENTS.holding(at).values()
        if one.opens and stater in one.stated_by and one.length is not None
    ]
    return max(lengths, default=timedelta())
