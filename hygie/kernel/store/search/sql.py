"""The statement being printed: placeholders, and what the printers of clauses share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from hygie.kernel.store.site import Site


@dataclass(slots=True)
class Sql:
    """Collects the values of one statement; each gets the next placeholder."""

    values: list[object] = field(default_factory=list)

    def bind(self, value: object) -> str:
        """Return the placeholder of a value."""
        self.values.append(value)
        return f"${len(self.values)}"

    def longs(self, values: Iterable[int]) -> str:
        """Return the placeholder of an array of tokens."""
        return f"{self.bind(list(values))}::bigint[]"

    def long(self, value: int) -> str:
        """Return the placeholder of one 64-bit number."""
        return f"{self.bind(value)}::bigint"

    def instant(self, value: datetime) -> str:
        """Return the placeholder of an instant."""
        return f"{self.bind(value)}::timestamptz"


@dataclass(frozen=True, slots=True)
class Known:
    """What the database told before the statement is printed.

    Attributes:
        now: the instant that ``ap`` compares with.
        site: where the server stands: what is local, and the zone of dates without one.
        units: every unit stored: (token, system, code, name).
        frequent: tokens in so many rows that they may filter and never drive.
    """

    now: datetime
    site: Site
    units: tuple[tuple[int, str, str, str], ...] = ()
    frequent: frozenset[int] = frozenset()


def any_of(parts: list[str]) -> str:
    """Return the disjunction of SQL conditions."""
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]


def has_token(sql: Sql, known: Known, wanted: list[int]) -> str:
    """Return the condition that a row carries one of these tokens.

    A frequent token as ``= ANY (toks)`` cannot use GIN, which would build the bitmap of half the
    table; it filters the rows another clause found (performance rule of the engine).
    """
    if any(token in known.frequent for token in wanted):
        return any_of([f"{sql.long(token)} = ANY (r.toks)" for token in wanted])
    if len(wanted) == 1:
        return f"r.toks @> ARRAY[{sql.long(wanted[0])}]"
    return f"r.toks && {sql.longs(wanted)}"


def present(sql: Sql, mask: int, *, missing: bool) -> str:
    """Return the condition that the row has, or has not, a value for a parameter."""
    return f"(r.present & {sql.long(mask)}) {'=' if missing else '<>'} 0"
