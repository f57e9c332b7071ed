"""The statement of a search; it cannot be printed without a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.decision import Decision
from hygie.kernel.store.search.clauses import condition
from hygie.kernel.store.search.cursor import Cursor
from hygie.kernel.store.search.edge import depth, lead_of
from hygie.kernel.store.search.query import Query
from hygie.kernel.store.search.sort import Order, beyond, instant, orders
from hygie.kernel.store.search.sql import Known, Sql, any_of

MOST_COUNTED = 10_000
"""Without ``_total=accurate``, matches are counted up to here and no total is told beyond."""

LOOKED_AT = MOST_COUNTED
"""Matches among which those are looked for whom a count is about."""
COLUMNS = "r.key, r.rt, r.uid, r.rid, r.ver, r.upd, r.pat, r.label, r.body"

Statement = tuple[str, list[object]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A search and the decision that every one of its statements carries.

    ``mine`` are patients who hold all that the caller may see; None where nobody can say. They only
    drive the search: the decision stands beside them.
    """

    decision: Decision
    query: Query
    known: Known
    mine: Sequence[int] | None = None

    def page(self, *, limit: int, cursor: Cursor | None, edge: datetime | None = None) -> Statement:
        """Return the statement of one page: one row more than asked tells whether more follow.

        With an ``edge`` it holds nothing beyond, and the page is right where it is full.
        """
        sql = Sql()
        conditions = [*self._conditions(sql), *self._driver(sql, edge)]
        sorted_by = orders(sql, self.query.sort)
        if cursor is not None:
            conditions += _after(sql, sorted_by, cursor)
        if edge is not None:
            conditions.append(sorted_by[0].up_to(sql, edge))
        keys = "".join(f", {order.expression} AS k{n}" for n, order in enumerate(sorted_by))
        ordering = ", ".join([*(order.clause() for order in sorted_by), "r.key"])
        text = (
            f"SELECT {COLUMNS}{keys}, {self.decision.rule_name('r', sql.bind)} AS rule "
            f"FROM resource r WHERE {' AND '.join(conditions)} "
            f"ORDER BY {ordering} LIMIT {sql.bind(limit)}::bigint"
        )
        return text, sql.values

    def edge(self, *, limit: int, cursor: Cursor | None) -> Statement | None:
        """Return the statement of a sort value before which ``limit`` matches lie, if any do.

        None where no edge helps: patients do not drive, or the order is another's.
        """
        lead = lead_of(self.query)
        ended = cursor.values[0] if cursor is not None and lead is not None else ""
        if lead is None or not self.mine or ended is None:
            return None
        sql = Sql()
        conditions = ["r.pat = p.pat", *self._conditions(sql), lead.plain]
        if cursor is not None:
            conditions += _after(sql, orders(sql, self.query.sort), cursor)
            conditions += lead.onward(sql, instant(ended))
        direction = "DESC" if lead.descending else "ASC"
        text = (
            f"SELECT c.value FROM unnest({sql.bind(self.mine)}::integer[]) AS p (pat) "
            f"CROSS JOIN LATERAL (SELECT {lead.value} AS value FROM resource r "
            f"WHERE {' AND '.join(conditions)} ORDER BY {lead.nearest()} "
            f"LIMIT {sql.bind(depth(limit, self.mine))}::bigint) c "
            f"ORDER BY c.value {direction} LIMIT 1 OFFSET {sql.bind(limit - 1)}::bigint"
        )
        return text, sql.values

    def last(self) -> Statement:
        """Return the statement of the highest key that matches and the caller sees.

        It stands in paging links: the highest key of all would tell how much others write.
        """
        sql = Sql()
        where = " AND ".join([*self._conditions(sql), *self._driver(sql)])
        text = f"SELECT r.key FROM resource r WHERE {where} ORDER BY r.key DESC LIMIT 1"
        return text, sql.values

    def count(self, *, exact: bool) -> Statement:
        """Return the statement that counts the matches visible to the caller."""
        sql = Sql()
        where = " AND ".join([*self._conditions(sql), *self._driver(sql)])
        if exact:
            return f"SELECT count(*) FROM resource r WHERE {where}", sql.values
        most = sql.bind(MOST_COUNTED + 1)
        return (
            f"SELECT count(*) FROM (SELECT 1 FROM resource r WHERE {where} LIMIT {most}::bigint) c",
            sql.values,
        )

    def counted(self, *, most: int) -> Statement:
        """Return the statement of whose resources match, with the rule that permits: ``most``."""
        sql = Sql()
        where = " AND ".join([*self._conditions(sql), *self._driver(sql)])
        rule = self.decision.rule_name("r", sql.bind)
        limit = sql.bind(LOOKED_AT)
        text = (
            "SELECT c.pat, min(c.rule) AS rule, bit_and(c.label) AS label FROM "
            f"(SELECT r.pat, r.label, {rule} AS rule FROM resource r WHERE {where} "
            f"LIMIT {limit}::bigint) c GROUP BY c.pat LIMIT {sql.bind(most)}::bigint"
        )
        return text, sql.values

    def _conditions(self, sql: Sql) -> list[str]:
        return [
            f"r.rt = {sql.bind(type_number(self.query.rt))}::smallint",
            self.decision.predicate("r", sql.bind),
            *(condition(sql, self.known, clause) for clause in self.query.clauses),
        ]

    def _driver(self, sql: Sql, edge: datetime | None = None) -> list[str]:
        if self.mine is None:
            return []
        mine = f"{sql.bind(self.mine)}::integer[]"
        lead = lead_of(self.query) if edge is not None else None
        of_mine = f"r.pat = ANY ({mine})"
        found = [of_mine] if lead is None or edge is None else lead.within(sql, of_mine, edge)
        return [any_of([*(f"({one})" for one in found), f"r.others && {mine}"])]


def _after(sql: Sql, sorted_by: list[Order], cursor: Cursor) -> list[str]:
    """Return the conditions that a row comes after the page before, and was there when it was."""
    return [f"r.key <= {sql.long(cursor.limit)}", beyond(sql, sorted_by, cursor)]
