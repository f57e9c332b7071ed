"""The rows a generated region leaves in the establishment's tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Access:
    """One look at one record.

    ``pattern`` is the planted kind of snooping, empty for an honest access; ``case`` numbers the
    incident it belongs to, 0 for an honest access.
    """

    at: datetime
    party: int
    pat: int
    wrote: bool = False
    emergency: bool = False
    pattern: str = ""
    case: int = 0


@dataclass(frozen=True, slots=True)
class Tie:
    """What the establishment recorded between a professional or structure and a patient.

    ``kind`` is one of care-team, treating, appointment, encounter, prescription, order, referral,
    document, result; both days are included.
    """

    party: int
    pat: int
    kind: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Practice:
    """Where a professional works (``structure``), or under whom (``principal``)."""

    member: int
    structure: int | None = None
    principal: int | None = None


@dataclass(frozen=True, slots=True)
class Resident:
    """Who somebody is, as the directory or the patient register writes it; empty: not known."""

    party: int
    family: str
    given: str
    birth: date | None
    postal: str
    line: str
