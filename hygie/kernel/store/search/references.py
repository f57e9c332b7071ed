"""Reference clauses (FHIR R4, search.html#reference)."""

from __future__ import annotations

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.references import Ref, localise
from hygie.kernel.fhir.search.registry import Parameter
from hygie.kernel.fhir.search.values import parse_reference, parse_token
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import columns_of, stored_name
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.index import NAMES_PATIENT
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.sql import Known, Sql, any_of, has_token


def reference(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a reference clause."""
    one = clause.parameter
    if clause.modifier == "identifier":
        return has_token(sql, known, [_identifier(one, value) for value in clause.values])
    refs = [
        localise(parse_reference(value, one.code), base=known.site.base) for value in clause.values
    ]
    targets = [target for ref in refs for target in _targets(one, ref, clause.modifier)]
    mine = [rid for rt, rid in targets if rt == "Patient"] if _by_patient(one) else []
    name = stored_name(one.rt, one.code)
    wanted = [tokens.reference_token(name, *target) for target in targets]
    wanted += [
        _url(name, ref)
        for ref in refs
        if ref.url is not None and clause.modifier in (None, ref.type)
    ]
    alternatives = [_patients(sql, mine)] if mine else []
    if not mine or len(mine) < len(wanted) or _repeats(one):
        alternatives.append(has_token(sql, known, wanted))
    return any_of(alternatives)


def _identifier(one: Parameter, value: str) -> int:
    name = stored_name(one.rt, one.code)
    system, code = parse_token(value, f"{one.code}:identifier")
    if code is None:
        raise InvalidRequest(f"{one.code}:identifier takes system|value or value.")
    if system is None:
        return tokens.reference_identifier_any(name, code)
    return tokens.reference_identifier(name, system, code)


def _targets(one: Parameter, ref: Ref, modifier: str | None) -> list[tuple[str, str]]:
    """Return the local resources that a value may mean: a bare id means any target type."""
    if ref.url is not None or ref.id is None:
        return []
    if ref.type is None:
        return [(rt, ref.id) for rt in ([modifier] if modifier else one.targets)]
    return [(ref.type, ref.id)] if modifier in (None, ref.type) else []


def _url(name: str, ref: Ref) -> int:
    return tokens.url_token(name, f"{ref.url}|{ref.version}" if ref.version else str(ref.url))


def _by_patient(one: Parameter) -> bool:
    return one.code in columns_of(one.rt).patient


def _repeats(one: Parameter) -> bool:
    """Tell whether one resource may refer to several patients by this parameter."""
    return one.rt in {"Account", "Appointment", "Contract", "Person", "Provenance"}


def names_patient(chosen: str) -> str:
    """Return the condition that parameter ``patient`` names the patient in column ``pat``."""
    return f"(r.pat {chosen} AND (r.flags & {NAMES_PATIENT}) <> 0)"


def _patients(sql: Sql, ids: list[str]) -> str:
    rt = sql.bind(type_number("Patient"))
    if len(ids) == 1:
        uid = sql.bind(key_of(ids[0])[0])
        chosen = f"= (SELECT p.num FROM party p WHERE p.rt = {rt} AND p.uid = {uid})"
    else:
        uids = f"{sql.bind([key_of(rid)[0] for rid in ids])}::uuid[]"
        chosen = f"IN (SELECT p.num FROM party p WHERE p.rt = {rt} AND p.uid = ANY ({uids}))"
    return names_patient(chosen)
