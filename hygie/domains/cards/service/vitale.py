"""A carte Vitale or an apCV presentation: verified, its holder found, its rights kept.

The card in the hand of its holder stands in for the right *identify*: it opens the identity of the
people it names, under the name of the professional, with the trace of every such question. It opens
no record. Keeping the rights is an ordinary write of that professional, under the ordinary rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from hygie.domains.cards import fhir
from hygie.domains.cards.fhir import Reading
from hygie.domains.cards.model.authorities import check_use
from hygie.domains.cards.model.installation import Vitale
from hygie.domains.cards.model.presentation import Asked, Presentation, read
from hygie.domains.cards.model.read_out import Beneficiary, ReadOut
from hygie.domains.cards.service.trust import check_chain, read_certificate
from hygie.kernel.errors import Conflict, Forbidden, PreconditionFailed
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.security.caller import Caller, Kind, Right
from hygie.kernel.store import Person, Repository
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.matricule import REALM_SYSTEMS

PLACE = "urn:uuid:0b1f6a3e-6a53-4d7e-9a35-0c8d1b2f7e11"
"""The Coverage within its own transaction."""


class Verified(msgspec.Struct, frozen=True):
    """What a card said, after every check; it waits sealed in the session for a choice."""

    content: ReadOut
    kind: str
    proof: str


@dataclass(frozen=True, slots=True)
class Found:
    """Who a beneficiary is here.

    Attributes:
        person: the one with the card's INS, None where nobody has it.
        differs: whether the name or the birth date is not the card's: a human must look.
        mine: whether the professional has this person among their patients.
    """

    person: Person | None
    differs: bool = False
    mine: bool = False


def verify(one: Presentation, vitale: Vitale, asked: Asked, *, realm: str) -> Verified:
    """Return what was presented, with every check made.

    Raises:
        CardRefused: with the reason.
    """
    card = read_certificate(one.certificate)
    chain = check_chain(card, vitale.authorities, vitale.revocation, at=asked.at)
    check_use(card, vitale.policies)
    content, statement = read(one, asked, chain, systems=REALM_SYSTEMS[realm])
    return Verified(content, statement.kind, hashlib.sha256(one.statement).hexdigest())


async def find(repository: Repository, caller: Caller, one: Beneficiary) -> Found:
    """Return who a beneficiary is, by the INS as the card gives it.

    Raises:
        Forbidden: the caller is no professional.
    """
    if caller.kind != Kind.PROFESSIONAL:
        raise Forbidden("A carte Vitale is read by professionals.")
    shown = replace(caller, rights=caller.rights | {Right.IDENTIFY})
    try:
        person = await repository.identify(shown, ins=one.ins)
    except PreconditionFailed:  # two people have one INS: an error of identity, for a human
        return Found(None, differs=True)
    if person is None:
        return Found(None)
    mine = await repository.find_mine(caller, one.ins)
    known = any(each.reference == person.reference for each in mine)
    return Found(person, differs(person, one), known)


def differs(person: Person, one: Beneficiary) -> bool:
    """Tell whether a person of the store has another name or birth date than the card says."""
    names: Iterable[str] = (person.family, person.birth_family)
    return person.birth_date != one.birth_date.isoformat() or fold(one.family) not in {
        fold(name) for name in names if name
    }


async def keep(repository: Repository, caller: Caller, reading: Reading, *, at: datetime) -> str:
    """Keep the rights of a beneficiary in their record; return the person's reference.

    A later reading of the same card is a new version of the same Coverage.

    Raises:
        Conflict: nobody here has this INS, or not under this name and birth date.
        HygieError: the professional may not write in this record.
    """
    found = await find(repository, caller, reading.beneficiary)
    if found.person is None or found.differs:
        raise Conflict("The identity of the card and the one of the record must be the same first.")
    patient = found.person.reference
    told = fhir.coverage(reading, patient, at=at)
    named = f"{fhir.READ_OUT}|{fhir.identifier_of(reading)}"
    held = (await repository.search(caller, "Coverage", [("identifier", named)])).entries
    if held:
        target = held[0].stored.reference
        raw = msgspec.json.encode({**told, "id": held[0].stored.rid})
        first = Part(0, "PUT", "Coverage", held[0].stored.rid, (), None, raw)
    else:
        target, raw = PLACE, msgspec.json.encode(told)
        first = Part(0, "POST", "Coverage", None, (), PLACE, raw)
    source = fhir.provenance(reading, target, patient, who=caller.reference, at=at)
    second = Part(1, "POST", "Provenance", None, (), None, msgspec.json.encode(source))
    await repository.transaction(caller, (first, second))
    return patient
