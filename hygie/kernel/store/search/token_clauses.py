"""Token clauses (FHIR R4, search.html#token)."""

from __future__ import annotations

from hygie.kernel.fhir.search.registry import Parameter
from hygie.kernel.fhir.search.values import TokenValue, parse_token, within
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import columns_of, combined, stored_name
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.sql import Known, Sql, any_of, has_token, present


def token(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a token clause without ``:not``; it may be NULL for no match."""
    one = clause.parameter
    values = [parse_token(value, one.code) for value in clause.values]
    if any(value.code is None and value.system in one.implicit_systems for value in values):
        # Every code of this parameter belongs to that system.
        return f"({present(sql, one.mask, missing=False)})"
    return any_of([f"({_plain(sql, known, part, values)})" for part in combined(one)])


def _plain(sql: Sql, known: Known, one: Parameter, values: list[TokenValue]) -> str:
    columns = columns_of(one.rt)
    name = stored_name(one.rt, one.code)
    wanted = [token_of(name, one, value) for value in values]
    if one.code in columns.frequent:
        return f"coalesce(r.frequent && {sql.longs(wanted)}, FALSE)"
    promoted = [
        each for each, value in zip(wanted, values, strict=True) if value.system and value.code
    ]
    found = has_token(sql, known, wanted)
    if columns.code is None or name != stored_name(one.rt, columns.code) or not promoted:
        return found
    # As it is, so that both sides may use their index: NULL here where there is no code.
    return f"r.code = ANY ({sql.longs(promoted)}) OR {found}"


def token_of(name: str, one: Parameter, value: TokenValue) -> int:
    """Return the hashed token that rows with this value carry."""
    value = within(value, one.implicit_systems)
    if value.code is None:
        return tokens.any_code(name, value.system or "")
    if value.system is None or (not value.system and one.implicit_systems):
        return tokens.any_system(name, value.code)
    return tokens.code_token(name, value.system, value.code)
