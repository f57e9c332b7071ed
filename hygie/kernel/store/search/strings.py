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
            whole = f"coalesce(s.raw, s.norm) = {sql.bind(text)}"
            alternatives.append(f"({HEAD} = {sql.bind(folded[:HEAD_LENGTH])} AND {whole})")
        elif clause.modifier == "contains":
            alternatives.append(f"s.norm LIKE {sql.bind(f'%{like(folded)}%')}")
        else:
            alternatives.append(starts_with(sql, folded))
    return (
        "(r.part, r.key) IN (SELECT s.part, s.key FROM s_string s "
        f"WHERE s.param = {sql.bind(one.number)}::smallint AND {any_of(alternatives)})"
    )


HEAD_LENGTH = 200
HEAD = f"left(s.norm, {HEAD_LENGTH})"
"""What of a text stands in the index: a whole one may be longer than an index entry."""


def starts_with(sql: Sql, folded: str) -> str:
    """Return the condition that a text of ``s_string s`` starts with a folded one."""
    head = f"{HEAD} LIKE {sql.bind(f'{like(folded[:HEAD_LENGTH])}%')}"
    if len(folded) <= HEAD_LENGTH:
        return head
    return f"({head} AND s.norm LIKE {sql.bind(f'{like(folded)}%')})"


def like(text: str) -> str:
    r"""Return a text in which LIKE finds no wildcard.

    >>> like("50%_a")
    '50\\%\\_a'
    """
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
