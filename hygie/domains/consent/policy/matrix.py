"""The access matrix: which role may read which matter, on which day.

Source: the annex of the order of 26 October 2023, as far as it was read
(``definitions/SOURCE.md``). A line of ``matrix.csv`` allows classes of documents, then some matters
more, then some fewer; ``roles.csv`` says which line each role reads by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from hygie.domains.consent.model.roles import ROLES, duties
from hygie.kernel.security.caller import Duty
from hygie.kernel.security.dated import BrokenTable, Columns, DatedTable, load
from hygie.kernel.security.matters import BY_CODE, MATTERS, UNKNOWN, mask

_NAMED_UNKNOWN = "UNKNOWN"
_DAYS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the matrix, as it is written: classes, matters more, matters fewer."""

    classes: frozenset[str]
    also: frozenset[int]
    without: frozenset[int]

    def matters(self) -> frozenset[int]:
        """Return the numbers of the matters that may be read."""
        of_class = {n for n, one in MATTERS.items() if one.document_class in self.classes}
        return frozenset(of_class | self.also) - self.without


def _make(columns: Columns) -> Line:
    classes = frozenset(columns["classes"].split())
    unknown = classes - {one.document_class for one in MATTERS.values()}
    if unknown:
        raise ValueError(f"no matter is of class {' '.join(sorted(unknown))}")
    return Line(classes, _numbers(columns["also"]), _numbers(columns["except"]))


def _numbers(codes: str) -> frozenset[int]:
    return frozenset(_number(code) for code in codes.split())


def _number(code: str) -> int:
    if code == _NAMED_UNKNOWN:
        return UNKNOWN
    if code not in BY_CODE:
        raise ValueError(f"matters.csv knows no {code}")
    return BY_CODE[code].number


class Matrix:
    """The access matrix, by role and day."""

    def __init__(self, lines: DatedTable[Line] | None = None) -> None:
        self._lines = lines or LINES
        # A worker sees few sets of roles and one day at a time.
        self._readable = lru_cache(maxsize=_DAYS_KEPT)(self._union)
        self._duties = lru_cache(maxsize=_DAYS_KEPT)(_duties)

    def readable(self, roles: Collection[str], at: date) -> bytes:
        """Return 32 bytes: bit ``n`` is set where one of the roles may read matter ``n``.

        A role that no table names reads nothing.
        """
        return self._readable(frozenset(roles), at)

    def duties(self, roles: Collection[str], at: date) -> frozenset[Duty]:
        """Return what is reserved to one of the roles."""
        return self._duties(frozenset(roles), at)

    def _union(self, roles: frozenset[str], at: date) -> bytes:
        return mask({number for role in roles for number in self.matters(role, at)})

    def matters(self, role: str, at: date) -> frozenset[int]:
        """Return the matters that one role may read on a day."""
        known = ROLES.holding(at).get((role,))
        if known is None:
            return frozenset()
        line = self._held(at).get((known.line,))
        return frozenset() if line is None else line.matters()

    def _held(self, at: date) -> dict[tuple[str, ...], Line]:
        return self._lines.holding(at)

    @cached_property
    def unconfirmed(self) -> tuple[str, ...]:
        """Return the lines that rest on a cautious choice, for the administrator."""
        return tuple(sorted({row.key[0] for row in self._lines.unconfirmed()}))


def _duties(roles: frozenset[str], at: date) -> frozenset[Duty]:
    return duties(roles, at=at)


LINES = load("hygie.domains.consent", "definitions/matrix.csv", key=("line",), make=_make)


def check_lines(lines: Iterable[str]) -> None:
    """Check that every line a role names exists.

    Raises:
        BrokenTable: a role reads by a line that the matrix does not have.
    """
    missing = sorted(set(lines) - {key[0] for key in LINES.by_key})
    if missing:
        raise BrokenTable(f"roles.csv names lines that matrix.csv lacks: {', '.join(missing)}.")


def _named_lines() -> Iterator[str]:
    for row in ROLES.rows:
        yield row.value.line


check_lines(_named_lines())
