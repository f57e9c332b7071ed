"""Acting under a named professional until a date: substitute, intern, student, secretary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hygie.domains.consent.model.choices import Party, Span
from hygie.domains.consent.model.roles import ROLES
from hygie.kernel.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody acts under a professional, in a role, until a date (not included).

    Attributes:
        who: Practitioner who acts.
        principal: Practitioner under whom.
        role: code of ``roles.csv`` of the own family: ``secretary``, ``intern``, ``student``; empty
            for a substitute, who keeps the profession they have.
        until: when it ends.
    """

    who: Party
    principal: Party
    role: str
    until: datetime

    def span(self, at: datetime) -> Span:
        """Return how long it lasts from now."""
        return Span(at, self.until)


def check_delegation(delegation: Delegation, at: datetime) -> None:
    """Check a delegation before it is written.

    Raises:
        InvalidRequest: it names one person twice, somebody else than a professional, an unknown
            role, or an end that is not after now.
    """
    named = (delegation.who.reference, delegation.principal.reference)
    if not all(one.startswith("Practitioner/") for one in named) or named[0] == named[1]:
        raise InvalidRequest("One acts under another professional of the directory.")
    known = ROLES.holding(at.date()).get((delegation.role,))
    if delegation.role and (known is None or known.family != "own" or not known.acts_under):
        raise InvalidRequest(
            f"{delegation.role} is no role of somebody who acts under another: choose secretary, "
            "intern or student, or none for a substitute."
        )
    if delegation.until <= at:
        raise InvalidRequest("Choose an end after today.")
