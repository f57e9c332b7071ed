"""What a session proved, and the caller an application acts as."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hygie.domains.authorization.model.levels import amr
from hygie.domains.authorization.model.lifetimes import SESSION
from hygie.domains.authorization.orm import Family, Visit
from hygie.domains.authorization.service.places import now, subject_of
from hygie.kernel.security.caller import Caller, Exercise, Kind, Right
from hygie.kernel.web.authentication import Proof, level_of, proofs_of
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import PURPOSE
from hygie.kernel.web.visits import visit_name

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Proven:
    """What a session proved: how strongly, by what, and when last."""

    level: int
    amr: list[str]
    auth_time: datetime


def proven(request: HttpRequest) -> Proven:
    """Return what the session of a signed-in person proved."""
    proofs = (*proofs_of(request), *_recorded(request))
    at = max((one.at for one in proofs), default=None)
    signed_in = getattr(request.user, "last_login", None) or now()
    when = datetime.fromtimestamp(at, UTC) if at is not None else signed_in
    return Proven(max(1, level_of(proofs)), amr(one.method for one in proofs), when)


def _recorded(request: HttpRequest) -> tuple[Proof, ...]:
    """Return the passwords that the sign-in library recorded; no other method is its own."""
    # The sign-in library cannot be imported before Django is configured.
    from allauth.account.authentication import get_authentication_records  # noqa: PLC0415

    records = get_authentication_records(request, request.user)
    return tuple(Proof("password", one["at"]) for one in records if one.get("method") == "password")


def visit_of(request: HttpRequest) -> uuid.UUID:
    """Return the name of this session in ID tokens, made when it is first needed."""
    name = visit_name(request)
    known = {"account_id": request.user.pk, "expires": now() + SESSION}
    Visit.objects.get_or_create(pk=name, defaults=known)
    return name


def is_online(visit: uuid.UUID | None) -> bool:
    """Tell whether the session of an ``online_access`` goes on."""
    if visit is None:
        return False
    return Visit.objects.filter(pk=visit, ended=None, expires__gt=now()).exists()


def caller_for(account: Any, family: Family) -> Caller:
    """Return who acts through an application: the person, as of now, with what was proven then.

    ``exercise`` keeps the application in the role the person had chosen.
    """
    kind = Kind[account.kind.upper()]
    reference = account.fhir_reference
    chosen = family.exercise
    return Caller(
        kind,
        ask(repository().party_number(reference)) if reference else 0,
        subject_of(account),
        purpose=PURPOSE.get(kind, "HOPERAT"),
        rights=frozenset(Right(right) for right in account.rights),
        level=family.level,
        exercise=Exercise(*chosen) if chosen else None,
    )
