"""Composite clauses (FHIR R4, search.html#composite); see ``store.compose`` for what is stored."""

from __future__ import annotations

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.search.registry import Component, Parameter, parameters
from hygie.kernel.fhir.search.values import (
    parse_number,
    parse_quantity,
    parse_reference,
    parse_token,
    split_composite,
)
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import combined
from hygie.kernel.store.compose import ON_RESOURCE, PAIR, keyed_unit, pair_tokens
from hygie.kernel.store.search.ordered import compare, converted, date, in_numbers, quantity
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.sql import Known, Sql, any_of, has_token
from hygie.kernel.store.search.strings import string
from hygie.kernel.store.search.token_clauses import token


def composite(sql: Sql, known: Known, clause: Clause) -> str:
    """Return the condition of a composite clause.

    Raises:
        NotSupported: a part is neither a token, a reference nor a number and the composite stands
            on a repeated element.
    """
    one = clause.parameter
    return any_of(
        [
            _one(sql, known, part, split_composite(value, one.code, parts=len(one.components)))
            for value in clause.values
            for part in combined(one)
        ]
    )


def _one(sql: Sql, known: Known, one: Parameter, parts: list[str]) -> str:
    if one.code in ON_RESOURCE:
        return _by_parts(sql, known, one, parts)
    kinds = tuple(component.kind for component in one.components)
    if len(kinds) > PAIR:
        raise NotSupported(f"The composite {one.code} of three parts is not supported.")
    if kinds[0] == "token" and kinds[1] in ("quantity", "number"):
        return _keyed(sql, known, one, parts)
    forms = [
        [_form(component, part)] for component, part in zip(one.components, parts, strict=True)
    ]
    return has_token(sql, known, pair_tokens(one, forms))


def _by_parts(sql: Sql, known: Known, one: Parameter, parts: list[str]) -> str:
    """Print the parts as clauses of their own: the composite stands on the resource itself."""
    codes = one.code.split("-", 1)
    known_parameters = parameters(one.rt)
    clauses = [
        Clause(known_parameters[code], None, (part,))
        for code, part in zip(codes, parts, strict=True)
    ]
    printers = {"token": token, "quantity": quantity, "date": date, "string": string}
    texts = [printers[each.parameter.kind](sql, known, each) for each in clauses]
    return f"({' AND '.join(texts)})"


def _keyed(sql: Sql, known: Known, one: Parameter, parts: list[str]) -> str:
    value = parse_token(parts[0], one.code)
    if value.code is None:
        raise NotSupported(f"{one.code} needs a code in its first part.")
    form = _token_form(parts[0], one.code)
    if one.components[1].kind == "number":
        compared = compare(sql, parse_number(parts[1], one.code))
        keyed = f"(s.unit = {sql.long(keyed_unit(form, 0))} AND {compared})"
        return in_numbers(sql, one.number, keyed)
    asked = parse_quantity(parts[1], one.code)
    if asked.code is None and asked.system is None:
        number = parse_number(parts[1], one.code)
        units = [(unit, number) for unit in (0, *(each[0] for each in known.units))]
    else:
        units = converted(known, asked)
    if not units:
        return "FALSE"
    return in_numbers(
        sql,
        one.number,
        any_of(
            [
                f"(s.unit = {sql.long(keyed_unit(form, unit))} AND {compare(sql, number)})"
                for unit, number in units
            ]
        ),
    )


def _form(component: Component, part: str) -> int:
    if component.kind == "token":
        return _token_form(part, component.code)
    if component.kind == "reference":
        ref = parse_reference(part, component.code)
        return tokens.token("part", "ref", ref.url or f"{ref.type}/{ref.id}")
    raise NotSupported(f"A {component.kind} in this composite cannot be searched.")


def _token_form(part: str, name: str) -> int:
    value = parse_token(part, name)
    if value.code is None:
        raise NotSupported(f"{name} needs a code, not a system alone.")
    if value.system is None:
        return tokens.any_system("part", value.code)
    return tokens.code_token("part", value.system, value.code)
