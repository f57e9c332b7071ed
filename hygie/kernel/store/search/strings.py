"""String clauses (FHIR R4, search.html#string): case and accents matter to ``:exact`` only."""

from __future__ import annotations

from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.values import parse_string
from hygie.kernel.store.search.query import Clause
from hygie.kernel.store.search.sql import Known, Sql, any_of


def string(sql: Sql, _known: Known, clause: Clause) -> str:
    """Return the condition of a string clause: starts with, ``:contains`` or ``:exact``."""
    one = clause.parameter
    alternatives = []
    for value in clause.values:
        text = parse_string(value, one.code)
        folded = fold(text)
        if clause.modifier == "exact":
            alternatives.append(
                f"(s.norm = {sql.bind(folded)} AND coalesce(s.raw, s.norm) = {sql.bind(text)})"
            )
        else:
            start = "%" if clause.modifier == "contains" else ""
            pattern = f"{start}{like(folded)}%"
            alternatives.append(f"s.norm LIKE {sql.bind(pattern)}")
    return (
        "(r.part, r.key) IN (SELECT s.part, s.key FROM s_string s "
        f"WHERE s.param = {sql.bind(one.number)}::smallint AND {any_of(alternatives)})"
    )


def like(text: str) -> str:
    r"""Return a text in which LIKE finds no wildcard.

    >>> like("50%_a")
    '50\\%\\_a'
    """
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
