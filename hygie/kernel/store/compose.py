"""Composite parameters that need rows of their own (FHIR R4, search.html#composite).

Most composites need none: where the composite stands on the resource itself and its parts occur
once, it says no more than its parts together (``code-value-quantity`` of an Observation). Those
that stand on a repeated element (``component-code-value-quantity``) keep what pairs with what:

- token and token: one hashed token for each pair of forms;
- token and ordered value: a row of ``s_number`` or ``s_date`` whose parameter is the composite's,
  keyed by the token.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any

from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.registry import Parameter
from hygie.kernel.store import tokens

NumberRow = tuple[int, Decimal, int]

PAIR = 2
"""Composites of three parts (variant coordinates) are not searched."""

ON_RESOURCE = frozenset(
    {
        "code-value-concept",
        "code-value-date",
        "code-value-quantity",
        "code-value-string",
        "combo-code-value-concept",
        "combo-code-value-quantity",
    }
)
"""Composites of Observation that are answered by their parts, or by others of the table."""


def is_searched(one: Parameter) -> bool:
    """Tell whether searches by a parameter are answered."""
    return one.kind != "special" and bool(one.expression) and len(one.components) <= PAIR


def composite_rows(found: Extracted) -> tuple[set[int], list[NumberRow]]:
    """Return the tokens and the number rows of the composites of one resource."""
    toks: set[int] = set()
    numbers: set[NumberRow] = set()
    for one, parts in found.composites:
        if one.code in ON_RESOURCE or len(one.components) > PAIR:
            continue
        kinds = tuple(part.kind for part in one.components)
        if kinds[0] == "token" and kinds[1] in ("quantity", "number"):
            numbers.update(_number_rows(one, parts))
        else:
            toks.update(pair_tokens(one, [_forms(k, p) for k, p in zip(kinds, parts, strict=True)]))
    return toks, sorted(numbers)


def pair_tokens(one: Parameter, forms: list[list[int]]) -> list[int]:
    """Return one token for each way of taking one form of each component."""
    name = f"{one.rt}.{one.code}"
    return [tokens.composite_token(name, *choice) for choice in product(*forms)]


def keyed_unit(token: int, unit: int) -> int:
    """Return the ``s_number.unit`` of a composite row: the token of the code, and of the unit."""
    return tokens.token("keyed", str(token), str(unit))


def part_forms(system: str | None, code: str | None) -> list[int]:
    """Return the tokens a coded component can be asked by."""
    forms = []
    if code is not None:
        forms += [tokens.any_system("part", code), tokens.code_token("part", system or "", code)]
    return forms


def unit_parts(system: str | None, code: str | None, name: str | None) -> tuple[str, str, str]:
    """Return system, code and name of a unit; the name stands for a code that is missing."""
    if not code:
        return system or "", name or "", ""
    return system or "", code, "" if name in (None, code) else str(name)


def _number_rows(one: Parameter, parts: tuple[tuple[Any, ...], ...]) -> list[NumberRow]:
    (system, code), (value, *unit) = parts[0][:2], parts[1]
    key = tokens.unit_token(*unit_parts(*unit[1:])) if unit else 0
    return [(one.number, value, keyed_unit(form, key)) for form in part_forms(system, code)]


def _forms(kind: str, part: tuple[Any, ...]) -> list[int]:
    if kind == "token":
        return part_forms(part[0], part[1])
    if kind == "reference":
        ref = part[0]
        return [tokens.token("part", "ref", ref.url or f"{ref.type}/{ref.id}")]
    return [tokens.token("part", kind, *(_text(value) for value in part))]


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
