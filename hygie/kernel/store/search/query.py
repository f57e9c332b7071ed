"""Read the parameters of a search into clauses and instructions (FHIR R4, search.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from hygie.kernel.errors import InvalidRequest, NotSupported, TooCostly
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.registry import Parameter, parameters
from hygie.kernel.fhir.search.values import split_or
from hygie.kernel.store.prepare import NOT_STORED

Total = Literal["none", "estimate", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]

DEFAULT_COUNT = 50
LARGEST_COUNT = 1000
MOST_CLAUSES = 60
MOST_VALUES = 1000
MOST_SORT_KEYS = 8
MOST_INCLUDES = 40
"""Of each direction; each ``_revinclude`` is a statement of its own."""

IGNORED = frozenset({"_format", "_pretty"})
_LATER = frozenset({"_filter", "_query", "_contained", "_containedType", "_score", "_type"})
_WHOLE = re.compile(r"[0-9]{1,18}")
_NAME = re.compile(r"(?P<code>[^:.]+)(?::(?P<modifier>[^.]+))?")

SUPPORTED_MODIFIERS: dict[str, frozenset[str]] = {
    "string": frozenset({"exact", "contains", "missing"}),
    "token": frozenset({"not", "of-type", "missing"}),
    "reference": frozenset({"identifier", "missing"}),
    "date": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "quantity": frozenset({"missing"}),
    "uri": frozenset({"missing"}),
    "composite": frozenset({"missing"}),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One search parameter: its values are alternatives, clauses are all required.

    ``modifier`` is None, a modifier name, or for a reference the type it must have.
    """

    parameter: Parameter
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of ``_sort``."""

    parameter: Parameter
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """One ``_include`` or ``_revinclude``: ``source:parameter[:target]``."""

    source: str
    parameter: Parameter
    target: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """A search that was understood.

    ``kept`` are the parameters as received, those that were refused under lenient handling left
    out: they make the self link.
    """

    rt: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[SortKey, ...] = ()
    count: int = DEFAULT_COUNT
    total: Total | None = None
    summary: Summary = "false"
    elements: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    cursor: str | None = None
    kept: tuple[tuple[str, str], ...] = field(default=())


def read_query(rt: str, pairs: Iterable[tuple[str, str]], *, lenient: bool = False) -> Query:
    """Return the query.

    Raises:
        InvalidRequest: a parameter is unknown or a value has the wrong form. Under lenient handling
            (``Prefer: handling=lenient``) unknown parameters are left out instead.
        NotSupported: the standard has it and Hygie has not.
        TooCostly: there are too many parameters or values.
    """
    if rt in NOT_STORED:
        # An empty answer would say that there is nothing.
        raise NotSupported(f"{rt} is searched at its own address alone: GET {rt}?...")
    query = Query(rt)
    kept: list[tuple[str, str]] = []
    for name, value in pairs:
        if name in IGNORED:
            continue
        try:
            query = _add(query, name, value)
        except _Unknown as unknown:
            if lenient:
                continue
            raise unknown.error from unknown
        if name != "_cursor":
            kept.append((name, value))
        _check_cost(query)
    return replace(query, kept=tuple(kept))


def _check_cost(query: Query) -> None:
    for found, most, what in (
        (query.clauses, MOST_CLAUSES, "parameters"),
        (query.sort, MOST_SORT_KEYS, "sort keys"),
        (query.includes, MOST_INCLUDES, "_include"),
        (query.revincludes, MOST_INCLUDES, "_revinclude"),
    ):
        if len(found) > most:
            raise TooCostly(f"A search takes at most {most} {what}; narrow it.")


class _Unknown(Exception):
    """A parameter that lenient handling leaves out.

    Only those: a wrong value or an unsupported modifier left out would widen the answer
    (FHIR R4, search.html#modifiers: "servers SHALL reject").
    """

    def __init__(self, error: InvalidRequest | NotSupported) -> None:
        super().__init__(str(error))
        self.error = error


def _add(query: Query, name: str, value: str) -> Query:
    base = name.partition(":")[0]
    if base in _INSTRUCTIONS:
        return _INSTRUCTIONS[base](query, name, value)
    if base in _LATER:
        raise _Unknown(NotSupported(f"The search parameter {base} is not supported."))
    return replace(query, clauses=(*query.clauses, _read_clause(query.rt, name, value)))


def _read_clause(rt: str, name: str, value: str) -> Clause:
    if "." in name or name.startswith("_has"):
        raise _Unknown(NotSupported("Chained parameters and _has are not supported."))
    match = _NAME.fullmatch(name)
    found = parameters(rt).get(match["code"]) if match else None
    if match is None or found is None:
        raise _Unknown(
            InvalidRequest(
                f"{rt} has no search parameter {name!r}; the CapabilityStatement lists those it "
                "has."
            )
        )
    if found.kind == "special" or not found.expression:
        raise _Unknown(NotSupported(f"The search parameter {found.code} is not supported."))
    modifier = _modifier(found, match["modifier"])
    values = tuple(split_or(value))
    if not value or not all(values):
        raise InvalidRequest(f"The parameter {name} has no value.")
    if len(values) > MOST_VALUES:
        raise TooCostly(f"The parameter {name} takes at most {MOST_VALUES} values.")
    return Clause(found, modifier, values)


def _modifier(found: Parameter, modifier: str | None) -> str | None:
    if modifier is None or modifier in SUPPORTED_MODIFIERS[found.kind]:
        return modifier
    if found.kind == "reference" and modifier in RESOURCE_TYPES:
        if modifier not in found.targets:
            raise InvalidRequest(f"{found.code} never refers to {modifier}.")
        return modifier
    raise NotSupported(f"The modifier :{modifier} is not supported on {found.code}.")


def _count(query: Query, name: str, value: str) -> Query:
    if not _WHOLE.fullmatch(value):
        raise InvalidRequest(f"{name} takes a whole number, 0 or more.")
    return replace(query, count=min(int(value), LARGEST_COUNT))


def _total(query: Query, name: str, value: str) -> Query:
    if value not in ("none", "estimate", "accurate"):
        raise InvalidRequest(f"{name} is none, estimate or accurate.")
    return replace(query, total=value)  # type: ignore[arg-type]


def _total_method(query: Query, name: str, value: str) -> Query:
    """Read the spelling that Aidbox and its client fhirpy use for an accurate ``_total``."""
    if value != "count":
        raise NotSupported(f"{name} is not of the standard; use _total.")
    return replace(query, total="accurate")


def _summary(query: Query, name: str, value: str) -> Query:
    if value not in ("true", "text", "data", "count", "false"):
        raise InvalidRequest(f"{name} is true, text, data, count or false.")
    return replace(query, summary=value)  # type: ignore[arg-type]


def _elements(query: Query, name: str, value: str) -> Query:
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    if not names:
        raise InvalidRequest(f"{name} takes a comma-separated list of elements.")
    return replace(query, elements=(*query.elements, *names))


def _sort(query: Query, name: str, value: str) -> Query:
    keys = []
    for part in value.split(","):
        code = part.strip().removeprefix("-")
        found = parameters(query.rt).get(code)
        if found is None:
            raise InvalidRequest(f"{name} names {code!r}, which {query.rt} has not.")
        if found.kind not in ("date", "string", "number", "quantity") and code != "_id":
            raise NotSupported(
                f"{name} by {code} is not supported: sort by a date, text or number."
            )
        keys.append(SortKey(found, part.strip().startswith("-")))
    return replace(query, sort=(*query.sort, *keys))


def _include(query: Query, name: str, value: str) -> Query:
    source, code, target = _include_parts(name, value)
    if source != query.rt:
        raise InvalidRequest(f"{name}={value}: an _include begins with {query.rt}.")
    include = Include(source, _reference_parameter(source, code), target)
    return replace(query, includes=(*query.includes, include))


def _revinclude(query: Query, name: str, value: str) -> Query:
    source, code, target = _include_parts(name, value)
    if source in NOT_STORED:
        raise NotSupported(f"{name} of {source} is not supported: search {source} itself.")
    include = Include(source, _reference_parameter(source, code), target)
    if query.rt not in include.parameter.targets or target not in (None, query.rt):
        raise InvalidRequest(f"{name}={value}: {source}.{code} never refers to {query.rt}.")
    return replace(query, revincludes=(*query.revincludes, include))


def _include_parts(name: str, value: str) -> tuple[str, str, str | None]:
    if ":" in name:
        raise NotSupported(f"{name} is not supported.")
    parts = value.split(":")
    if len(parts) not in (2, 3) or parts[0] not in RESOURCE_TYPES or parts[1] == "*":
        raise InvalidRequest(f"{name} is written Type:parameter or Type:parameter:TargetType.")
    source, code, *target = parts
    return source, code, target[0] if target else None


def _reference_parameter(rt: str, code: str) -> Parameter:
    found = parameters(rt).get(code)
    if found is None or found.kind != "reference":
        raise InvalidRequest(f"{rt} has no reference parameter {code!r}.")
    return found


def _cursor(query: Query, _name: str, value: str) -> Query:
    return replace(query, cursor=value)


_INSTRUCTIONS: dict[str, Callable[[Query, str, str], Query]] = {
    "_count": _count,
    "_total": _total,
    "_totalMethod": _total_method,
    "_summary": _summary,
    "_elements": _elements,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _revinclude,
    "_cursor": _cursor,
}
INSTRUCTIONS = frozenset(_INSTRUCTIONS)
"""Parameters that select nothing: they say how the answer looks."""
