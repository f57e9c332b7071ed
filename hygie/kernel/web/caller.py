"""From a signed-in account to the kernel's Caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from hygie.kernel.errors import Unauthenticated
from hygie.kernel.security.caller import Caller, Exercise, Kind, Right
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.authentication import level_of, proofs_of
from hygie.kernel.web.bridge import ask, repository

if TYPE_CHECKING:
    from django.http import HttpRequest

PURPOSE = {Kind.PATIENT: "PATRQT", Kind.PROFESSIONAL: "TREAT", Kind.RESEARCHER: "HRESCH"}
"""Codes of http://terminology.hl7.org/CodeSystem/v3-ActReason; the others act for HOPERAT."""
PARTY = "hygie_party"
EXERCISE = "hygie_exercise"
"""Where the session keeps the exercise that a professional chose: role and structure number."""


class Account(Protocol):
    """What the pages need of an account; ``sign_in.User`` has it."""

    pk: int
    is_authenticated: bool
    kind: str
    fhir_reference: str
    rights: Sequence[str]

    def portal(self) -> str:
        """Return the name of the portal this account enters."""
        ...

    def has_strong_factor(self) -> bool:
        """Tell whether it has a second factor that it can be asked for."""
        ...


def account_of(request: HttpRequest) -> Account | None:
    """Return the signed-in account, or None."""
    account = cast("Account", request.user)
    return account if account.is_authenticated else None


def caller_of(request: HttpRequest) -> Caller:
    """Return who asks: the person of the account, or ``account/<n>`` for who is nobody in a record.

    Who acts for somebody asks as who they are beside that person, with no right of the account.
    The party number never changes, so the session keeps it after the first request.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    account = account_of(request)
    if account is None:
        raise Unauthenticated("Sign in first.")
    level = max(1, level_of(proofs_of(request)))
    if acting := acting_of(request):
        return Caller(Kind.PATIENT, acting.party, acting.reference, purpose="PATRQT", level=level)
    kind = Kind[account.kind.upper()]
    rights = frozenset(Right(right) for right in account.rights)
    purpose = PURPOSE.get(kind, "HOPERAT")
    nobody = not account.fhir_reference
    return Caller(
        kind,
        0 if nobody else _party(request, account),
        f"account/{account.pk}" if nobody else account.fhir_reference,
        purpose=purpose,
        rights=rights,
        level=level,
        exercise=_exercise(request),
    )


def choose_exercise(request: HttpRequest, exercise: Exercise | None) -> None:
    """Act in one exercise until the end of the session; None acts in all of them."""
    chosen = None if exercise is None else [exercise.role, exercise.structure]
    request.session[EXERCISE] = chosen


def _exercise(request: HttpRequest) -> Exercise | None:
    kept = request.session.get(EXERCISE)
    return Exercise(*kept) if kept else None


def _party(request: HttpRequest, account: Account) -> int:
    """Return the number of the account's person; that of whom it stood for before is not theirs."""
    kept = request.session.get(PARTY)
    if isinstance(kept, list) and kept[0] == account.fhir_reference:
        return int(kept[1])
    number: int = ask(repository().party_number(account.fhir_reference))
    request.session[PARTY] = [account.fhir_reference, number]
    return number
