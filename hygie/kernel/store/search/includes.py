"""Statements of ``_include`` and ``_revinclude`` (FHIR R4, search.html#include).

Each carries the decision: what the caller may not see is not there, whoever refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.decision import Decision
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import columns_of, stored_name
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.search.plan import COLUMNS, Statement
from hygie.kernel.store.search.query import Include
from hygie.kernel.store.search.references import names_patient
from hygie.kernel.store.search.sql import Sql

MOST_INCLUDED = 2_000
"""An answer includes at most so many resources; one more is refused as too costly."""


def by_reference(decision: Decision, targets: Iterable[tuple[str, str]]) -> Statement:
    """Return the statement that fetches resources by type and id."""
    wanted = list(targets)
    sql = Sql()
    rts = sql.bind([type_number(rt) for rt, _ in wanted])
    uids = sql.bind([key_of(rid)[0] for _, rid in wanted])
    text = (
        f"SELECT {COLUMNS}, {decision.rule_name('r', sql.bind)} AS rule "
        f"FROM unnest({rts}::smallint[], {uids}::uuid[]) AS a (rt, uid) "
        "JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid "
        "JOIN resource r ON r.part = k.part AND r.key = k.key "
        f"WHERE {decision.predicate('r', sql.bind)}"
    )
    return text, sql.values


def referring(
    decision: Decision, include: Include, matches: Iterable[tuple[str, str]]
) -> Statement:
    """Return the statement that fetches the resources which refer to the matches."""
    one = include.parameter
    wanted = list(matches)
    sql = Sql()
    name = stored_name(one.rt, one.code)
    found = [tokens.reference_token(name, rt, rid) for rt, rid in wanted]
    alternatives = [f"r.toks && {sql.longs(found)}"]
    patients = [rid for rt, rid in wanted if rt == "Patient"]
    if patients and one.code in columns_of(one.rt).patient:
        rt = sql.bind(type_number("Patient"))
        uids = sql.bind([key_of(rid)[0] for rid in patients])
        mine = f"SELECT p.num FROM party p WHERE p.rt = {rt} AND p.uid = ANY ({uids}::uuid[])"
        alternatives.append(names_patient(f"IN ({mine})"))
    text = (
        f"SELECT {COLUMNS}, {decision.rule_name('r', sql.bind)} AS rule FROM resource r "
        f"WHERE r.rt = {sql.bind(type_number(include.source))}::smallint "
        f"AND {decision.predicate('r', sql.bind)} AND ({' OR '.join(alternatives)}) "
        f"ORDER BY r.key LIMIT {sql.bind(MOST_INCLUDED + 1)}::bigint"
    )
    return text, sql.values
