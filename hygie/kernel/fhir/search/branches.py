"""Split a search expression by resource type: a parameter of many types keeps one side of each."""

from __future__ import annotations

from functools import lru_cache

from hygie.kernel.fhir.search.expression import Branch, parse_expression

ABSTRACT = frozenset({"Resource", "DomainResource"})


def branches_of(expression: str, rt: str) -> tuple[Branch, ...]:
    """Return the branches of an expression that apply to a resource type.

    Branches without a root (``name | alias``) start from the resource itself.

    >>> [b.root for b in branches_of("Patient.name | Practitioner.name", "Practitioner")]
    ['Practitioner']
    """
    return tuple(b for b in _parsed(expression) if b.root in ABSTRACT or b.root in ("", rt))


@lru_cache(maxsize=2_048)
def _parsed(expression: str) -> tuple[Branch, ...]:
    return parse_expression(expression)
