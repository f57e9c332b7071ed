"""Levels of assurance that providers state (``acr``), in an ordered and dated table.

A level that the table does not know is below all others: nothing is compared as text (eIDAS
regulation 2015/1502; OpenID Connect Core 1.0, section 2).
"""

from __future__ import annotations

from datetime import date
from functools import cache

from hygie.domains.federation.model.providers import Kind
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.dated import Columns, DatedTable, load


def check_level(kind: Kind, received: object, *, asked: str, at: date) -> str:
    """Return the level received when it is at least the one asked for.

    Raises:
        Forbidden: it is lower, missing, or unknown.
    """
    ranks = {acr: rank for (of, acr), rank in _ranks().holding(at).items() if of == kind.value}
    if asked not in ranks or not isinstance(received, str) or received not in ranks:
        raise Forbidden("The provider states no level of assurance that is known for it.")
    if ranks[received] < ranks[asked]:
        raise Forbidden("The provider proved the identity at a lower level than was asked for.")
    return received


@cache
def _ranks() -> DatedTable[int]:
    return load("hygie.domains.federation", "definitions/acr.csv", key=("kind", "acr"), make=_rank)


def _rank(columns: Columns) -> int:
    return int(columns["rank"])
