"""Who may change the facts that open a record, once the rules let them write the resource.

A change is judged by what it *widens*: a fact that no fact of the same patient, member and kind
held before for that long. Ending something early widens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hygie.domains.consent.model.constants import emergency_length, representative_naming
from hygie.domains.consent.model.events import Stater, longest_for
from hygie.domains.consent.model.roles import HEALTH_PROFESSIONS, family_of, may_declare
from hygie.kernel.clock import Clock
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, PartyRef, Practice, Stated

PERSONAL: Final = frozenset(
    {
        Relation.CARE_TEAM,
        Relation.HELPER,
        Relation.HELPER_ADMINISTRATIVE,
        Relation.CONSENTED,
        Relation.BLOCKED,
        Relation.TEAM_CONSENT,
        Relation.CLOSED,
        Relation.OPPOSED,
        Relation.REFUSES_EMERGENCY,
        Relation.REFUSES_CENTRE_15,
        Relation.RESTRICTED,
        Relation.REFUSES_RESEARCH,
    }
)
"""What the person decides, or who decides for the person."""
DECLARED: Final = frozenset({Relation.EMERGENCY, Relation.CENTRE_15})
MEMBERSHIP_JOB: Final = "job/membership"
PROFESSIONALS_JOB: Final = "job/professionals"
"""It writes the roles that a professional proves at sign-in, and no other fact."""
_HELPERS: Final = frozenset({Relation.HELPER, Relation.HELPER_ADMINISTRATIVE})
_CLOCKS_APART = timedelta(minutes=5)

_OWN_ONLY = "Only the person names who decides in the person's name; ask the person."
_PERSON_DECIDES = (
    "Only the person decides this, or a parent, a guardian or a representative; ask the person."
)
_DESK = "Parents and guardians are recorded at the desk, by the operator, upon proof."
_DIRECTORY = "Roles come from the health directory: only the operator writes them."
_TREATING = "The treating physician is declared to the health insurance; the operator records it."
_BIRTH = "The date of birth decides who is a minor: only the operator corrects it."
_PRINCIPAL = "Only the professional under whom somebody acts says so, or the operator."
_STARTS = "A membership keeps its start; a professional changes its end alone."
_FOR_ONESELF = "A professional declares an emergency for themself alone."
_STAYS = "A declared emergency stays in the record, to be reviewed; end it early instead."
_NOBODY = "Only the person, or the professionals of the record, may change who may open it."

_INSTEAD = {
    Relation.PARENT: _DESK,
    Relation.GUARDIAN: _DESK,
    Relation.TREATING: _TREATING,
    Relation.MINOR: _BIRTH,
    Relation.UNDER_16: _BIRTH,
    Relation.ACTS_UNDER: _PRINCIPAL,
    Relation.MANAGES: _OWN_ONLY,
    Relation.EMERGENCY: _FOR_ONESELF,
    Relation.CENTRE_15: _FOR_ONESELF,
}


@dataclass(frozen=True, slots=True)
class _Change:
    """What one write changes of the facts of a resource."""

    rt: str
    before: frozenset[Fact]
    gone: frozenset[Fact]
    new: frozenset[Fact]
    now: datetime

    def touched(self) -> Iterable[Fact]:
        return self.gone | self.new

    def widens(self, fact: Fact) -> bool:
        """Tell whether a new fact holds for longer than one before it."""
        return not any(
            _same(fact, one) and one.starts <= fact.starts and fact.ends <= one.ends
            for one in self.before
        )

    def shortens(self, fact: Fact) -> bool:
        """Tell whether a fact that goes leaves a shorter one in its place."""
        return any(_same(fact, one) and one.starts == fact.starts for one in self.new)

    def running(self, fact: Fact) -> Fact | None:
        """Return the same relation as it held just now before the change."""
        return next(
            (one for one in self.before if _same(fact, one) and one.starts <= self.now < one.ends),
            None,
        )


@dataclass(frozen=True, slots=True)
class ChoiceGuard:
    """The guard of the shared record; ``clock`` tells whether a membership still runs."""

    clock: Clock

    def __call__(
        self, caller: Caller, rt: str, before: frozenset[Stated], after: frozenset[Stated]
    ) -> None:
        """Check that a caller may change the facts a resource states.

        Raises:
            Forbidden: somebody else may; the sentence says who.
        """
        if caller.kind == Kind.SYSTEM or before == after:
            return
        if any(not isinstance(one, Fact) for one in before ^ after):
            _check_directory(caller, before ^ after)
            return
        old = frozenset(one for one in before if isinstance(one, Fact))
        new = frozenset(one for one in after if isinstance(one, Fact))
        change = _Change(rt, old, old - new, new - old, self.clock.now())
        _CHECKS.get(caller.kind, _check_nobody)(caller, change)


def _check_directory(caller: Caller, changed: frozenset[Stated]) -> None:
    proves_roles = caller.reference == PROFESSIONALS_JOB and caller.kind == Kind.JOB
    if not proves_roles or not all(_is_profession(one) for one in changed):
        raise Forbidden(_DIRECTORY)


def _is_profession(one: Stated) -> bool:
    """Tell whether it is a health profession; Hygie's own roles come from the operator."""
    return isinstance(one, Practice) and family_of(one.role) == HEALTH_PROFESSIONS


def _check_person(caller: Caller, change: _Change) -> None:
    own = _party(caller)
    for fact in change.touched():
        allowed = PERSONAL | {Relation.MANAGES} if fact.patient == own else PERSONAL
        widened = fact in change.new and change.widens(fact)
        if fact.member == own and not widened and fact.kind in PERSONAL | {Relation.MANAGES}:
            continue  # whoever acts for somebody may stop
        if fact.kind not in allowed:
            raise Forbidden(_INSTEAD.get(fact.kind, _PERSON_DECIDES))
        if fact.member == own:
            raise Forbidden("Nobody gives themself rights over another person's record.")
    for fact in change.new:
        if fact.patient != own and fact.kind in _HELPERS and change.widens(fact):
            _check_naming(change, fact)


def _check_naming(change: _Change, fact: Fact) -> None:
    """Check that a helper whom a representative names does not outlive the need for long."""
    last = change.now + representative_naming(change.now.date())
    if fact.ends > last:
        raise Forbidden(
            f"In another person's name a helper is named until {last.date().isoformat()} at most: "
            "give an end. Once of age, or free to decide, the person decides further."
        )


def _check_professional(caller: Caller, change: _Change) -> None:
    own = _party(caller)
    for fact in change.touched():
        widened = fact in change.new and change.widens(fact)
        if fact.kind == Relation.ACTS_UNDER:
            if fact.patient != own and (fact.member != own or widened):
                raise Forbidden(_PRINCIPAL)
        elif fact.kind not in DECLARED | {Relation.CARE_TEAM}:
            raise Forbidden(_INSTEAD.get(fact.kind, _PERSON_DECIDES))
        elif fact.member != own:
            raise Forbidden(
                _FOR_ONESELF
                if fact.kind in DECLARED
                else "A professional changes their own membership alone; the person changes others."
            )
        elif fact.kind in DECLARED:
            _check_declared(caller, change, fact, widened=widened)
        elif fact in change.new:
            _check_membership(change, fact, widened=widened)


def _check_declared(caller: Caller, change: _Change, fact: Fact, *, widened: bool) -> None:
    if widened:
        _check_declaration(caller, change, fact)
    elif fact in change.gone and not change.shortens(fact):
        raise Forbidden(_STAYS)


def _check_declaration(caller: Caller, change: _Change, fact: Fact) -> None:
    day = change.now.date()
    if change.rt != "Task":
        raise Forbidden("An emergency is declared by a Task, which says why and where.")
    if any(_same(fact, one) for one in change.before):
        raise Forbidden(
            "A declared emergency is never prolonged; declare another, with its reason."
        )
    if abs(fact.starts - change.now) > _CLOCKS_APART:
        raise Forbidden("An emergency starts when it is declared, not before and not later.")
    if fact.ends - fact.starts > emergency_length(day):
        raise Forbidden("An emergency access ends by itself after a few hours; shorten it.")
    centre_15 = fact.kind == Relation.CENTRE_15
    if not may_declare(caller.roles, centre_15=centre_15, at=day):
        raise Forbidden(
            "Only a regulating physician opens a record as Centre 15."
            if centre_15
            else "Your profession does not open records in an emergency; call a physician."
        )


def _check_membership(change: _Change, fact: Fact, *, widened: bool) -> None:
    """Check that a professional prolongs within the length of one event of care, from its start.

    The start stays: moved, it would begin that length anew, again and again.
    """
    if not widened:
        if not any(_same(fact, one) and one.starts == fact.starts for one in change.before):
            raise Forbidden(_STARTS)
        return
    former = change.running(fact)
    if former is None:
        raise Forbidden(
            "One joins a care team by the person's choice, or by an appointment, an order, a "
            "referral or a stay which the platform records."
        )
    if fact.starts != former.starts:
        raise Forbidden(_STARTS)
    longest = longest_for(Stater.PROFESSIONAL, change.now.date())
    if fact.ends - fact.starts > longest:
        raise Forbidden(
            f"A professional prolongs a membership up to {longest.days} days after its start. "
            "Further on, the person prolongs it, or an appointment, an order, a referral or a "
            "stay which the platform records."
        )


def _check_job(caller: Caller, change: _Change) -> None:
    allowed = caller.reference == MEMBERSHIP_JOB
    if not allowed or any(fact.kind != Relation.CARE_TEAM for fact in change.touched()):
        raise Forbidden(f"{caller.reference} may not change who opens a record.")


def _check_nobody(caller: Caller, change: _Change) -> None:
    del caller, change
    raise Forbidden(_NOBODY)


_CHECKS = {
    Kind.PATIENT: _check_person,
    Kind.PROFESSIONAL: _check_professional,
    Kind.JOB: _check_job,
}


def _party(caller: Caller) -> PartyRef:
    rt, _, rid = caller.reference.partition("/")
    return rt, rid


def _same(one: Fact, other: Fact) -> bool:
    return (one.patient, one.member, one.kind) == (other.patient, other.member, other.kind)
