"""Print one clause as a two-valued SQL condition on ``resource r``."""

from __future__ import annotations

from collections.abc import Callable

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.values import (
    parse_missing,
    parse_typed_identifier,
    parse_uri,
)
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.search.composites import composite
from hygie.kernel.store.search.ordered import date, last_updated, number, quantity
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.references import reference
from hygie.kernel.store.search.sql import Known, Sql, any_of, has_token, present
from hygie.kernel.store.search.strings import string
from hygie.kernel.store.search.token_clauses import token

Printer = Callable[[Sql, Known, Clause], str]


def condition(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a clause.

    Raises:
        InvalidRequest: a value has the wrong form.
        NotSupported: this kind of value cannot be searched.
    """
    one = clause.parameter
    if one.code == "_id":
        return _ids(sql, clause)
    if one.code == "_lastUpdated":
        return last_updated(sql, known, clause)
    if clause.modifier == "missing":
        wanted = {parse_missing(value, one.code) for value in clause.values}
        return any_of([present(sql, one.mask, missing=each) for each in sorted(wanted)])
    return _PRINTERS[one.kind](sql, known, clause)


def _ids(sql: Sql, clause: Clause) -> str:
    if clause.modifier is not None:
        raise NotSupported(f"The modifier :{clause.modifier} is not supported on _id.")
    uids = sql.bind([key_of(value)[0] for value in clause.values])
    rt = sql.bind(type_number(clause.parameter.rt))
    return (
        "(r.part, r.key) IN (SELECT k.part, k.key FROM resource_key k "
        f"WHERE k.rt = {rt}::smallint AND k.uid = ANY ({uids}::uuid[]))"
    )


def _uri(sql: Sql, known: Known, clause: Clause) -> str:
    one = clause.parameter
    name = stored_name(one.rt, one.code)
    wanted = [tokens.url_token(name, parse_uri(value, one.code)) for value in clause.values]
    return has_token(sql, known, wanted)


def _token(sql: Sql, known: Known, clause: Clause) -> str:
    if clause.modifier == "of-type":
        one = clause.parameter
        name = stored_name(one.rt, one.code)
        typed = [parse_typed_identifier(value, one.code) for value in clause.values]
        return has_token(sql, known, [tokens.typed_identifier(name, *value) for value in typed])
    found = token(sql, known, clause)
    return f"NOT coalesce({found}, FALSE)" if clause.modifier == "not" else found


_PRINTERS: dict[str, Printer] = {
    "string": string,
    "token": _token,
    "reference": reference,
    "date": date,
    "number": number,
    "quantity": quantity,
    "uri": _uri,
    "composite": composite,
}
