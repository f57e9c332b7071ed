"""How far a sorted page looks over the records of many patients.

The best entries of each patient are read first, a few of each: the last of the best ``limit`` among
them is the edge. Whatever the page holds, it holds nothing beyond: as many matches lie before. The
indexes of a patient's records then give what lies before it, and no other row is read.

An edge drives and never decides. It is learned under the same decision, and a page that it leaves
short is asked for again without it: what ended in between can make it wrong, and no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hygie.kernel.store.columns import columns_of
from hygie.kernel.store.index import MANY_DATES
from hygie.kernel.store.search.ordered import MAIN_HIGH
from hygie.kernel.store.search.query import Clause, Query
from hygie.kernel.store.search.sql import Sql

SPARE = 2
"""Rows read for an edge are at least so many times those of the page, or one of each patient."""
_SEVERAL = f"(r.flags & {MANY_DATES}) <> 0"


@dataclass(frozen=True, slots=True)
class Lead:
    """How the first sort key of a search is found in the records of one patient.

    Attributes:
        value: the sort value, of rows that are ``plain``.
        plain: the condition that the row has such a value, and not several.
        descending: the direction.
        by_date: the key is the main date, which the indexes by patient follow.
    """

    value: str
    plain: str
    descending: bool
    by_date: bool

    def nearest(self) -> str:
        """Return the order of a patient's rows in which the best come first, or nearly."""
        return f"r.d {'DESC' if self.descending else 'ASC NULLS LAST'}"

    def onward(self, sql: Sql, ended: datetime) -> list[str]:
        """Return what an index skips of a patient's rows after a page that ended with a value."""
        if not self.by_date:
            return []
        # A low bound is never above the high one by which the newest come first.
        return [f"r.d {'<=' if self.descending else '>='} {sql.instant(ended)}"]

    def within(self, sql: Sql, mine: str, edge: datetime) -> list[str]:
        """Return alternatives, each under an index, that hold every row of patients up to an edge.

        Values leave an index only by comparisons of bare columns: others are not leakproof.
        """
        at = sql.instant(edge)
        if not self.by_date:
            return [f"{mine} AND r.upd {'>=' if self.descending else '<='} {at}"]
        if not self.descending:
            return [f"{mine} AND r.d <= {at}", f"{mine} AND {_SEVERAL}"]
        return [
            f"{mine} AND r.d >= {at} - interval '1 second'",
            f"{mine} AND r.dhi >= {at}",
            f"{mine} AND {_SEVERAL}",
        ]


def lead_of(query: Query) -> Lead | None:
    """Return how to find the edge of a search; None where another clause finds its rows.

    Clauses on dates, on presence and on frequent tokens leave so many rows of each patient that
    the best of them are found near the start.
    """
    if not query.sort or not all(_leaves_many(query.rt, clause) for clause in query.clauses):
        return None
    first = query.sort[0]
    if first.parameter.code == "_lastUpdated":
        return Lead("r.upd", "TRUE", first.descending, by_date=False)
    if first.parameter.code != columns_of(query.rt).date:
        return None
    value = MAIN_HIGH if first.descending else "r.d"
    plain = f"r.d IS NOT NULL AND (r.flags & {MANY_DATES}) = 0"
    return Lead(value, plain, first.descending, by_date=True)


def depth(limit: int, patients: Sequence[int]) -> int:
    """Return how many rows of each patient are read for the edge of a page.

    >>> depth(21, range(2_000)), depth(21, range(20)), depth(21, range(1))
    (1, 3, 21)
    """
    return min(limit, -(-SPARE * limit // len(patients)))


def _leaves_many(rt: str, clause: Clause) -> bool:
    if clause.modifier == "missing":
        return clause.values == ("false",)
    if clause.modifier is not None:
        return False
    one = clause.parameter
    return one.kind == "date" or one.code in columns_of(rt).frequent
