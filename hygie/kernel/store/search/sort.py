"""Sort keys as SQL, and going on after the last entry of a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store.columns import columns_of, combined
from hygie.kernel.store.index import MANY_DATES
from hygie.kernel.store.search.cursor import Cursor
from hygie.kernel.store.search.ordered import MAIN_HIGH
from hygie.kernel.store.search.query import SortKey
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import HEAD

MOST_DIGITS = 10_000

# A paging link carries the value, so texts sort by their first letters; in one order everywhere.
_TEXT = f'{HEAD} COLLATE "C"'
_SIDE = {
    "date": ("s_date", "s.lo", "s.hi", "timestamptz"),
    "string": ("s_string", _TEXT, _TEXT, "text"),
    "number": ("s_number", "s.val", "s.val", "numeric"),
    "quantity": ("s_number", "s.val", "s.val", "numeric"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key in SQL; entries without a value come last in both directions."""

    expression: str
    kind: str
    descending: bool

    def clause(self) -> str:
        """Return what stands in ORDER BY."""
        return f"{self.expression} {'DESC' if self.descending else 'ASC'} NULLS LAST"

    def after(self, sql: Sql, value: str | None) -> str:
        """Return the condition that a row comes strictly after a value; None is last."""
        if value is None:
            return "FALSE"
        sign = "<" if self.descending else ">"
        last = f"{sql.bind(_read(value, self.kind))}::{self.kind}"
        return f"({self.expression} {sign} {last} OR {self.expression} IS NULL)"

    def up_to(self, sql: Sql, edge: datetime) -> str:
        """Return the condition that a row comes at an instant or before it in the order."""
        return f"{self.expression} {'>=' if self.descending else '<='} {sql.instant(edge)}"

    def same(self, sql: Sql, value: str | None) -> str:
        """Return the condition that a row has the same value."""
        if value is None:
            return f"{self.expression} IS NULL"
        return f"{self.expression} = {sql.bind(_read(value, self.kind))}::{self.kind}"


def orders(sql: Sql, keys: tuple[SortKey, ...]) -> list[Order]:
    """Return the sort keys in SQL; a repeated value sorts by its lowest, descending its highest."""
    return [_order(sql, key) for key in keys]


def _order(sql: Sql, key: SortKey) -> Order:
    one = key.parameter
    if one.code == "_id":
        return Order('coalesce(r.rid, r.uid::text) COLLATE "C"', "text", key.descending)
    if one.code == "_lastUpdated":
        return Order("r.upd", "timestamptz", key.descending)
    table, low, high, kind = _SIDE[one.kind]
    chosen = f"max({high})" if key.descending else f"min({low})"
    numbers = sql.bind([part.number for part in combined(one)])
    expression = (
        f"(SELECT {chosen} FROM {table} s WHERE s.part = r.part AND s.key = r.key "
        f"AND s.param = ANY ({numbers}::smallint[]))"
    )
    if one.kind == "date" and one.code == columns_of(one.rt).date:
        main = MAIN_HIGH if key.descending else "r.d"
        many = f"(r.flags & {MANY_DATES}) <> 0"
        expression = f"CASE WHEN {many} THEN {expression} ELSE {main} END"
    return Order(expression, kind, key.descending)


def beyond(sql: Sql, sorted_by: list[Order], cursor: Cursor) -> str:
    """Return the condition that a row comes after the cursor in the whole order."""
    branches = []
    for place, order in enumerate(sorted_by):
        equal = [
            before.same(sql, value)
            for before, value in zip(sorted_by[:place], cursor.values, strict=False)
        ]
        branches.append(" AND ".join([*equal, order.after(sql, cursor.values[place])]))
    equal = [order.same(sql, value) for order, value in zip(sorted_by, cursor.values, strict=True)]
    branches.append(" AND ".join([*equal, f"r.key > {sql.long(cursor.key)}"]))
    return f"({' OR '.join(f'({branch})' for branch in branches)})"


def written(value: object) -> str | None:
    """Return a sort value as a cursor carries it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _read(value: str, kind: str) -> object:
    if kind == "timestamptz":
        return instant(value)
    try:
        return _finite(Decimal(value)) if kind == "numeric" else value
    except (ValueError, ArithmeticError) as error:
        raise InvalidRequest("The paging link is damaged; repeat the search.") from error


def instant(value: str) -> datetime:
    """Return the instant of a cursor.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return in_utc(datetime.fromisoformat(value))
    except ValueError as error:
        raise InvalidRequest("The paging link is damaged; repeat the search.") from error


def in_utc(instant: datetime) -> datetime:
    """Return an instant of the database: asyncpg gives open ends (infinity) without a zone."""
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
        raise ValueError(value)
    return value
