"""Who may be the person that an outside identity names: candidates, with their strict traits.

Looser than ``identifying``, which answers one person or nobody: near matches come too, so that
somebody can compare and decide. Identity only, never a record; each question leaves a trace under
rule ``identify``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.dates import interval
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Access, Caller, Kind, Right
from hygie.kernel.store.identifying import Identifier, birth_place
from hygie.kernel.store.matricule import INS_SYSTEMS
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import starts_with
from hygie.kernel.store.tracing import Request

MATCHING_JOB = "job/identity-matching"
"""The one job that may look for strangers: it compares an outside identity with the store's."""
MOST = 50
_FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
_GIVEN_LIST = f"{_FR_CORE}fr-core-patient-birth-list-given-name"
_RELIABILITY = f"{_FR_CORE}fr-core-identity-reliability"
_STATUSES = frozenset({"identityStatus", "identityReliability"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sought:
    """Traits to look near: names as written, the days of birth that may be meant."""

    family: str
    given: Sequence[str]
    births: Sequence[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the store, by their strict traits (RNIV; FR Core Patient INS).

    Attributes:
        given: every given name of birth; the first alone where the list is not known.
        complete: whether ``given`` is the whole list.
        ins: the official matricule and ``ins_system`` its OID, empty where there is none.
        statuses: reliability codes of the identity.
    """

    reference: str
    family: str
    given: tuple[str, ...]
    complete: bool
    birth_date: str
    sex: str
    birth_place: str
    ins: str
    ins_system: str
    statuses: frozenset[str]


async def candidates(
    identifier: Identifier, access: Access, request: Request, *, sought: Sought
) -> list[Candidate]:
    """Return who was born on one of the days and shares a name, inactive records left out.

    Raises:
        Forbidden: the caller has not the right *identify*.
    """
    found = await identifier.near(
        access, request, check=check_may_compare, statement=_statement(sought, identifier.zone)
    )
    return [candidate_of(reference, patient) for reference, patient in found]


def check_may_compare(caller: Caller) -> None:
    """Check that the caller may compare identities.

    Raises:
        Forbidden: they may not.
    """
    people = {Kind.PROFESSIONAL, Kind.ADMINISTRATOR}
    if caller.kind == Kind.SYSTEM or caller.reference == MATCHING_JOB:
        return
    if caller.kind not in people or Right.IDENTIFY not in caller.rights:
        raise Forbidden("Your account may not compare identities: it wants the right identify.")


def candidate_of(reference: str, patient: Mapping[str, Any]) -> Candidate:
    """Return the strict traits that a Patient states."""
    names = patient.get("name", [])
    birth: Json = next((one for one in names if one.get("use") == "official"), {})
    birth = birth or next((one for one in names if "use" not in one), {})
    listed = _list_of_given(birth)
    ins: Json = next(
        (one for one in patient.get("identifier", []) if one.get("system") in INS_SYSTEMS), {}
    )
    return Candidate(
        reference=reference,
        family=birth.get("family", ""),
        given=listed or tuple(birth.get("given", [])),
        complete=bool(listed),
        birth_date=patient.get("birthDate", ""),
        sex=patient.get("gender", "unknown"),
        birth_place=birth_place(dict(patient)) or "",
        ins=ins.get("value", ""),
        ins_system=ins.get("system", ""),
        statuses=frozenset(_statuses(patient)),
    )


def _list_of_given(name: Json) -> tuple[str, ...]:
    for one in name.get("extension", []):
        if one.get("url") == _GIVEN_LIST:
            return tuple(str(one.get("valueString", "")).split())
    return ()


def _statuses(patient: Mapping[str, Any]) -> list[str]:
    return [
        str(inner.get("valueCoding", {}).get("code", ""))
        for one in patient.get("extension", [])
        if one.get("url") == _RELIABILITY
        for inner in one.get("extension", [])
        if inner.get("url") in _STATUSES
    ]


def _statement(sought: Sought, zone: tzinfo) -> tuple[str, list[object]]:
    sql = Sql()
    known = parameters("Patient")
    days = [interval(one, zone)[0] for one in sought.births]
    born = " OR ".join(f"r.d = {sql.instant(day)}" for day in days)
    first = fold(sought.given[0]) if sought.given else ""
    alike = [
        f"(s.param = {sql.bind(known[name].number)}::smallint AND {starts_with(sql, text)})"
        for name, text in (("family", fold(sought.family)), ("given", first))
        if text
    ]
    text = (
        "SELECT r.rt, r.uid, r.rid, r.ver, r.pat, r.body FROM resource r "
        f"WHERE r.rt = {sql.bind(type_number('Patient'))}::smallint AND ({born}) "
        "AND (r.part, r.key) IN (SELECT s.part, s.key FROM s_string s "
        f"WHERE {' OR '.join(alike)}) ORDER BY r.key LIMIT {MOST}"
    )
    return text, sql.values
