"""From a pivot identity to a person of the store, on strict traits, through a named job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from hygie.domains.federation.model.pivot import Pivot
from hygie.domains.federation.policy import Reason, Verdict, judge, sought
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Caller, job
from hygie.kernel.store import Repository
from hygie.kernel.store.comparing import Candidate
from hygie.kernel.store.matricule import REALM_SYSTEMS, read_matricule, written_forms

CALLER = job("identity-matching")
"""It may compare identities and nothing else (``kernel/store/comparing.py``)."""


async def recognise(
    repository: Repository, pivot: Pivot, *, realm: str, at: date, matricule: str = ""
) -> Verdict:
    """Return who the pivot identity is, or why a human must say; traced for each person met.

    ``matricule`` is the one a card states beside the traits: it must be the person's own.
    """
    found = await repository.candidates(CALLER, sought(pivot))
    verdict = judge(pivot, found, realm=realm, at=at)
    if verdict.person is None or not matricule:
        return verdict
    same = verdict.person.ins in written_forms(read_matricule(matricule))
    return verdict if same else Verdict(reason=Reason.NEAR)


def matricule_of(claims: Mapping[str, object], *, realm: str) -> str:
    """Return the matricule that an e-carte Vitale states, empty for who states none.

    Raises:
        Forbidden: it is of another realm than this installation.
    """
    ins, oid = claims.get("ins"), claims.get("ins_oid")
    if not isinstance(ins, str) or not ins:
        return ""
    if f"urn:oid:{oid}" not in REALM_SYSTEMS[realm]:
        raise Forbidden("The card states a matricule of another realm than this installation.")
    return ins


async def compared(repository: Repository, caller: Caller, pivot: Pivot) -> list[Candidate]:
    """Return the people who may be meant, for a human who compares; traced under their name.

    Raises:
        Forbidden: the caller has not the right *identify*.
    """
    return await repository.candidates(caller, sought(pivot))
