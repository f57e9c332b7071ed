"""Invite somebody to help: the person's decision is written at once and opens nothing yet."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from hygie.domains.helping import fhir
from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import (
    Invited,
    State,
    Wish,
    check_change,
    check_wish,
    new_code,
    shown,
)
from hygie.domains.helping.orm import Invitation
from hygie.domains.helping.service import records
from hygie.kernel.errors import Conflict, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.secret import secret_key
from hygie.kernel.store import Repository
from hygie.kernel.web.bridge import ask, platform

if TYPE_CHECKING:
    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation that was just made; its code is shown once and kept nowhere."""

    invitation: Invitation
    code: str


def invite(
    repository: Repository, caller: Caller, patient: str, wish: Wish, *, at: datetime
) -> Made:
    """Invite somebody in the name of who decides for the record.

    Raises:
        InvalidRequest: the end is past or too far, or the scope is not the caller's to give.
        Conflict: too many invitations wait, or too many people help already.
        Forbidden: the caller may not decide this.
        NotFound: the caller may not know the person.
    """
    check_wish(wish, own=caller.reference == f"Patient/{patient}", at=at)
    most = limits.amount("invitations-open", "invitations", at=at.date())
    if waiting(patient).count() >= most:
        raise Conflict(f"{most} invitations wait already: withdraw one first.")
    consent, person = ask(_propose(repository, caller, patient, wish, at=at))
    code = new_code(secrets.choice)
    made = Invitation.objects.create(
        patient=patient,
        person=person,
        inviter=caller.reference,
        level=caller.level,
        name=wish.invited.name,
        scope=wish.scope.value,
        until=wish.until,
        code=digest(code),
        said=digest_of(code, wish.invited),
        consent=consent,
        created=at,
        expires=at + limits.days("invitation-valid", at=at.date()),
    )
    return Made(made, shown(code))


def withdraw(
    repository: Repository, caller: Caller, patient: str, number: int, *, at: datetime
) -> None:
    """Withdraw an invitation that waits.

    Raises:
        NotFound: there is none of this record.
        Conflict: it was answered.
        Forbidden: the caller may not decide this.
    """
    found = Invitation.objects.filter(pk=number, patient=patient).first()
    if found is None:
        raise NotFound("There is no such invitation.")
    check_change(State(found.state), State.WITHDRAWN)
    ask(_close(repository, caller, found.consent, status="inactive", at=at))
    change(found, State.WITHDRAWN, at=at)


def drop(repository: Repository, found: Invitation, state: State, *, at: datetime) -> None:
    """End an invitation that its helper declined, or whose traits were wrong too often."""
    change(found, state, at=at)
    ask(_close(repository, SYSTEM, found.consent, status="rejected", at=at))


def change(found: Invitation, state: State, *, at: datetime) -> None:
    """Pass an invitation to another state, once: of two at the same time, one wins.

    Raises:
        Conflict: somebody else answered or withdrew it meanwhile.
    """
    before = State(found.state)
    check_change(before, state)
    with transaction.atomic():
        held = Invitation.objects.filter(pk=found.pk, state=before.value)
        if not held.update(state=state.value, answered=at):
            raise Conflict("This invitation was answered or withdrawn already.")
    found.state, found.answered = state.value, at


def waiting(patient: str) -> QuerySet[Invitation]:
    """Return the invitations of a record that somebody may still accept."""
    return Invitation.objects.filter(
        patient=patient, state=State.SENT.value, expires__gt=timezone.now()
    ).order_by("-created")


def digest(code: str) -> bytes:
    """Return what is kept of a code: without the secret of the installation nobody guesses it."""
    return _keyed(f"code|{code}")


def digest_of(code: str, invited: Invited) -> bytes:
    """Return what is kept of who is invited."""
    return _keyed(f"said|{code}|{invited.said()}")


def _keyed(text: str) -> bytes:
    key = hashlib.sha256(f"hygie invitation {secret_key(platform().settings)}".encode()).digest()
    return hmac.digest(key, text.encode(), "sha256")


async def _propose(
    repository: Repository, caller: Caller, patient: str, wish: Wish, *, at: datetime
) -> tuple[str, str]:
    """Write the proposed Consent; return its id and the name of the person."""
    person = await records.patient_of(repository, caller, patient)
    records.check_old_enough(person, caller, at=at)
    consents = await records.every(repository, caller, "Consent", [("patient", patient)])
    helping = {
        who.reference
        for body in consents
        for who, quality in fhir.delegates(body)
        if quality in fhir.CHOSEN and (fhir.ends_of(body) or wish.until) > at
    }
    most = limits.amount("helpers-most", "people", at=at.date())
    if len(helping) >= most:
        raise Conflict(f"{most} people help already: end one of these helps first.")
    given = fhir.Delegation(
        patient,
        caller.reference,
        fhir.Named("", wish.invited.name),
        wish.scope.value,
        at,
        wish.until,
    )
    body = fhir.consent(given, status="proposed")
    return await records.create(repository, caller, body), fhir.name_of(person)


async def _close(
    repository: Repository, caller: Caller, consent: str, *, status: str, at: datetime
) -> None:
    before = await records.stored(repository, caller, "Consent", consent)
    body = fhir.closed(records.body_of(before), status, at=at)
    await records.replace(repository, caller, before, body)
