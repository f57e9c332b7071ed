"""Which search parameters stand in columns of their own, by resource type.

The choices are a table, ``definitions/main_columns.csv``: the main code and the main date drive
indexes of their own, author and structure are read by the access rules.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hygie.kernel.fhir.search.registry import Parameter, parameters

FREQUENT_CODES = frozenset({"category", "class", "clinical-status", "verification-status", "use"})
"""Token parameters that filter and never drive, besides those over plain codes and booleans."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The promoted parameters of one type; an empty tuple or None where there is none.

    ``patient`` names the parameters whose references to the resource's own patient are answered
    by column ``pat`` and leave no token.
    """

    code: str | None
    date: str | None
    author: tuple[str, ...]
    structure: tuple[str, ...]
    patient: frozenset[str]
    frequent: frozenset[str]


@cache
def columns_of(rt: str) -> Columns:
    """Return the promoted parameters of a resource type."""
    row = _table().get(rt, {})
    known = parameters(rt)
    return Columns(
        code=row.get("code") or None,
        date=row.get("date") or None,
        author=tuple(filter(None, row.get("author", "").split("|"))),
        structure=tuple(filter(None, row.get("structure", "").split("|"))),
        patient=frozenset(_patient_parameters(known.get("patient"), list(known.values()))),
        frequent=frozenset(code for code, one in known.items() if _is_frequent(one)),
    )


@cache
def stored_name(rt: str, code: str) -> str:
    """Return the name a parameter's tokens are hashed with: one name for all its aliases.

    >>> stored_name("Observation", "code")
    'Observation.code'
    """
    one = parameters(rt)[code]
    return f"{rt}.{min((code, *one.aliases))}"


@cache
def combined(one: Parameter) -> tuple[Parameter, ...]:
    """Return the parameters whose values together are this one's; itself for most.

    ``combo-code`` of Observation is ``code`` or ``component-code``; only those two are stored.
    """
    if one.rt != "Observation" or not one.code.startswith("combo-"):
        return (one,)
    known = parameters(one.rt)
    simple = one.code.removeprefix("combo-")
    return known[simple], known[f"component-{simple}"]


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("definitions/main_columns.csv").read_text("utf-8")
    return {row["type"]: row for row in csv.DictReader(text.splitlines())}


def _is_frequent(one: Parameter) -> bool:
    return one.kind == "token" and (bool(one.implicit_systems) or one.code in FREQUENT_CODES)


_RESOLVE = ".where(resolve() is Patient)"


def _patient_parameters(patient: Parameter | None, every: list[Parameter]) -> list[str]:
    if patient is None:
        return []
    branches = [branch.strip() for branch in patient.expression.split("|")]
    mine = [branch for branch in branches if branch.startswith(f"{patient.rt}.")]
    if len(mine) != 1:
        return []
    element = mine[0].removesuffix(_RESOLVE)
    return [
        one.code
        for one in every
        if one.kind == "reference" and _same_element(one.expression, element, patient.rt)
    ]


def _same_element(expression: str, element: str, rt: str) -> bool:
    branches = [branch.strip() for branch in expression.split("|")]
    mine = [branch.removesuffix(_RESOLVE) for branch in branches if branch.startswith(f"{rt}.")]
    return mine == [element]
