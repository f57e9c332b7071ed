"""What a reviewer sees: who opened whose record, when, why it is unusual; no clinical content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hygie.domains.oversight.model.states import Origin, State
from hygie.kernel.errors import InvalidRequest

SHORTEST, LONGEST = 3, 2000
"""Characters of a reason, a question, an answer or a report."""


@dataclass(frozen=True, slots=True)
class Item:
    """One access, or the accesses of one professional to one record on one day, under review.

    Attributes:
        origin: where it comes from.
        day: local day of the access.
        due: last day to decide.
        at: instant of the first access.
        event: id of its AuditEvent.
        party: number of the professional, None where nobody of the directory acted.
        agent: reference of who opened the record.
        pat: number of the patient.
        initials: of the patient; nothing else of the identity is kept.
        looks: accesses of the pair that day.
        types: FHIR types asked for.
        rule: name of the rule that permitted the access.
        reasons: codes of the flags, strongest first.
        words: what the person who reported it wrote.
        declared: reference of the declaration of an emergency, empty for the others.
        reviewer: reference of the account that took it.
        asked: the question to the professional, and ``answer`` what they said.
        decision: justified or abnormal, None before; ``note`` is its reason.
    """

    id: int
    origin: Origin
    state: State
    day: date
    due: date
    at: datetime
    event: str
    party: int | None
    agent: str
    pat: int
    initials: str
    looks: int
    types: tuple[str, ...]
    rule: str
    reasons: tuple[str, ...]
    words: str
    declared: str
    reviewer: str | None
    asked: str | None
    answer: str | None
    decision: State | None
    note: str | None

    def late(self, today: date) -> bool:
        """Tell whether its last day has passed without a decision."""
        return self.due < today and self.state < State.JUSTIFIED


def check_words(text: str) -> str:
    """Return a text that a person wrote, without the spaces around it.

    Raises:
        InvalidRequest: it says nothing, or too much.
    """
    words = text.strip()
    if not SHORTEST <= len(words) <= LONGEST:
        raise InvalidRequest(f"Write {SHORTEST} to {LONGEST} characters.")
    return words
