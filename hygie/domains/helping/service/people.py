"""Whom an account helps, who helps a person, and who an account is beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from hygie.domains.helping import fhir
from hygie.domains.helping.fhir import Json
from hygie.domains.helping.model.invitations import State
from hygie.domains.helping.orm import Invitation, Standing
from hygie.domains.helping.service import records
from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository
from hygie.kernel.store.standing import InTheName, in_the_name
from hygie.kernel.web.bridge import ask
from hygie.kernel.web.caller import Account

QUALITIES = {
    Relation.PARENT: "parent",
    Relation.GUARDIAN: "guardian",
    Relation.MANAGES: "mandate",
    Relation.HELPER: "helper",
    Relation.HELPER_ADMINISTRATIVE: "helper-administrative",
}
LEFT = "mandate-left"


@dataclass(frozen=True, slots=True)
class Helped:
    """Somebody whom an account may act for.

    ``reference`` and ``party`` are who the account is beside that person; ``ends`` is not included,
    None where nothing is planned; ``quality`` is the widest that holds.
    """

    patient: str
    name: str
    quality: str
    ends: datetime | None
    reference: str
    party: int


@dataclass(frozen=True, slots=True)
class Helping:
    """Somebody who may act for a person. ``key`` is the id of the Consent."""

    key: str
    reference: str
    name: str
    quality: str
    ends: datetime | None


def whom(repository: Repository, account: Account, *, patient: str = "") -> list[Helped]:
    """Return whom an account may act for now, of one ``patient`` or of all.

    Whoever the rules do not let it know is left out: a closed record, a child of age.
    """
    references = _references(account, patient)
    return ask(_whom(repository, references, patient)) if references else []


def one_of(repository: Repository, account: Account, patient: str) -> Helped:
    """Return one person whom an account may act for.

    Raises:
        NotFound: it may not.
    """
    found = whom(repository, account, patient=patient)
    if not found:
        raise NotFound("You act for nobody of this name.")
    return found[0]


async def who_helps(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> list[Helping]:
    """Return who may act for a person now, as the person's own choices say.

    Raises:
        NotFound: the caller may not know the person.
    """
    await records.patient_of(repository, caller, patient)
    found = await records.every(repository, caller, "Consent", [("patient", patient)])
    return [one for body in found for one in _helping(body, at)]


def standing_of(repository: Repository, account: Account, patient: str, name: str) -> str:
    """Return who an account is beside a person; a RelatedPerson is made where it is nobody yet."""
    if account.fhir_reference:
        return account.fhir_reference
    with transaction.atomic():
        held = Standing.objects.select_for_update().filter(account_id=account.pk, patient=patient)
        known = held.first()
        if known is not None:
            return known.reference
        body = fhir.related_person(patient, name, account=account.pk)
        reference = f"RelatedPerson/{ask(records.create(repository, SYSTEM, body))}"
        Standing.objects.create(account_id=account.pk, patient=patient, reference=reference)
        return reference


def leave(repository: Repository, account: Account, patient: str, *, at: datetime) -> None:
    """Stop helping somebody, at once; parents and guardians stop at the desk.

    Raises:
        NotFound: the account helps nobody so, or only as a parent or a guardian.
    """
    references = _references(account, patient)
    ended = ask(_leave(repository, references, patient, at)) if references else []
    if not ended:
        raise NotFound("There is no help that you may end here.")
    held = Invitation.objects.filter(consent__in=ended, state=State.ACCEPTED.value)
    held.update(state=State.LEFT.value, answered=at)


def _references(account: Account, patient: str) -> list[str]:
    found = Standing.objects.filter(account_id=account.pk)
    if patient:
        found = found.filter(patient=patient)
    beside = list(found.values_list("reference", flat=True))
    return [account.fhir_reference, *beside] if account.fhir_reference else beside


async def _whom(repository: Repository, references: Sequence[str], patient: str) -> list[Helped]:
    numbers = {await repository.party_number(one): one for one in references}
    found = await in_the_name(repository, list(numbers), patient=patient)
    held: list[Helped] = []
    for number, reference in numbers.items():
        mine = {one.patient: one for one in found if one.member == number}
        if not mine:
            continue
        caller = await records.person_caller(repository, reference)
        people = await records.every(repository, caller, "Patient", [("_id", ",".join(mine))])
        held += [_helped(one, mine[one["id"]], reference) for one in people if one["id"] in mine]
    return sorted(held, key=lambda one: one.name)


def _helped(person: Json, held: InTheName, reference: str) -> Helped:
    quality = QUALITIES[held.relations[0]]
    name = fhir.name_of(person)
    return Helped(held.patient, name, quality, held.ends, reference, held.member)


def _helping(body: Json, at: datetime) -> list[Helping]:
    ends = fhir.ends_of(body)
    if ends is not None and ends <= at:
        return []
    return [
        Helping(body["id"], who.reference, who.name, quality, ends)
        for who, quality in fhir.delegates(body)
        if who.reference != body.get("patient", {}).get("reference")
    ]


async def _leave(
    repository: Repository, references: Sequence[str], patient: str, at: datetime
) -> list[str]:
    """End the Consents that name who leaves; return their ids."""
    ended = []
    consents = await records.every(repository, SYSTEM, "Consent", [("patient", patient)])
    for body in consents:
        named = [who.reference for who, quality in fhir.delegates(body) if quality in fhir.CHOSEN]
        mine = [one for one in named if one in references]
        if not mine:
            continue
        caller = await records.person_caller(repository, mine[0])
        # Under the helper's name first: who asked for it stands in the log whatever follows.
        await records.note(repository, caller, patient, LEFT)
        before = await records.stored(repository, SYSTEM, "Consent", body["id"])
        left = fhir.left(records.body_of(before), mine, at=at)
        await records.replace(repository, SYSTEM, before, left)
        party = await repository.party_number(f"Patient/{patient}")
        notice = {"what": LEFT, "party": party, "about": party, "by": mine[0]}
        await records.tell(repository, notice, key=body["id"])
        ended.append(str(body["id"]))
    return ended
