"""Dated tables: what a law, a convention or a guide can change is a row, never a constant.

Each row says from which day to which day it holds, where it comes from and how sure we are of it.
A value is chosen by the date of the act, of the deposit or of the access, never by "today".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Generic, TypeVar

from hygie.kernel.errors import ConfigurationError, NotFound

T = TypeVar("T")
Key = tuple[str, ...]
Columns = Mapping[str, str]

MARKS = frozenset({"verified", "read", "to confirm"})
"""``verified``: checked in a machine-readable source; ``read``: read in a text; ``to confirm``:
a cautious value until somebody reads the text itself."""
DATING = ("valid_from", "valid_to", "source", "source_date", "mark")
_ONE_DAY = timedelta(days=1)


class BrokenTable(ConfigurationError):
    """A dated table that cannot be relied on: the sentence names the table, the line and why."""


@dataclass(frozen=True, slots=True)
class Validity:
    """When one row holds, and where it comes from.

    Attributes:
        first: first day it holds.
        last: last day it holds, None where no end is known.
        source: the text or data set it comes from.
        source_date: day or year of that source, as written there.
        mark: one of ``MARKS``.
    """

    first: date
    last: date | None
    source: str
    source_date: str
    mark: str

    @property
    def confirmed(self) -> bool:
        """Tell whether the value was read or verified in its source."""
        return self.mark != "to confirm"

    def holds(self, day: date) -> bool:
        """Tell whether it holds on a day; both of its bounds are included."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One dated value of one key."""

    key: Key
    value: T
    validity: Validity


@dataclass(frozen=True)
class DatedTable(Generic[T]):
    """The rows of one file, checked: the days of a key have neither overlap nor gap."""

    name: str
    rows: tuple[Row[T], ...]

    @cached_property
    def by_key(self) -> Mapping[Key, tuple[Row[T], ...]]:
        """Return the rows of each key, oldest first."""
        grouped: dict[Key, list[Row[T]]] = {}
        for row in self.rows:
            grouped.setdefault(row.key, []).append(row)
        return {
            key: tuple(sorted(rows, key=lambda row: row.validity.first))
            for key, rows in grouped.items()
        }

    def row(self, *key: str, at: date) -> Row[T]:
        """Return the row of a key that holds on a day.

        Raises:
            NotFound: the key is unknown, or has no row on that day.
        """
        for row in reversed(self.by_key.get(key, ())):
            if row.validity.holds(at):
                return row
        raise NotFound(
            f"The table {self.name} says nothing of {' '.join(key)} on {at.isoformat()}; "
            "add a dated row with its source."
        )

    def value(self, *key: str, at: date) -> T:
        """Return the value of a key on a day.

        Raises:
            NotFound: the key is unknown, or has no row on that day.
        """
        return self.row(*key, at=at).value

    def holding(self, at: date) -> dict[Key, T]:
        """Return the value of every key that has one on a day."""
        return {row.key: row.value for row in self.rows if row.validity.holds(at)}

    def latest(self) -> dict[Key, T]:
        """Return the newest value of every key, retired ones too: what is stored stays readable."""
        return {key: rows[-1].value for key, rows in self.by_key.items()}

    def unconfirmed(self) -> list[Row[T]]:
        """Return the rows that are still to be confirmed, for the administrator."""
        return [row for row in self.rows if not row.validity.confirmed]


def load(
    package: str, path: str, *, key: Sequence[str], make: Callable[[Columns], T]
) -> DatedTable[T]:
    """Load a CSV file of a package, such as ``definitions/constants.csv``.

    ``key`` names the columns that identify what a row is about; ``make`` turns the columns of one
    row into its value and may raise ``ValueError``.

    Raises:
        BrokenTable: a column is missing, a line cannot be read, or the days of a key overlap or
            leave a gap.
    """
    return read(files(package).joinpath(path).read_text("utf-8"), path, key=key, make=make)


def read(
    text: str, name: str, *, key: Sequence[str], make: Callable[[Columns], T]
) -> DatedTable[T]:
    """Read a table from the text of its CSV file; see ``load``."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    missing = {*key, *DATING} - set(reader.fieldnames or ())
    if missing:
        raise BrokenTable(f"{name} lacks the columns {', '.join(sorted(missing))}.")
    table = DatedTable(name, tuple(_rows(reader, name, key=key, make=make)))
    for rows in table.by_key.values():
        _check_days(name, rows)
    return table


def _rows(
    reader: csv.DictReader[str], name: str, *, key: Sequence[str], make: Callable[[Columns], T]
) -> Iterator[Row[T]]:
    for columns in reader:
        try:
            _check_cells(columns)
            identity = tuple(columns[column] for column in key)
            yield Row(identity, make(columns), _validity(columns))
        except (ValueError, KeyError) as error:
            raise BrokenTable(f"{name}, line {reader.line_num}: {error}.") from error


def _check_cells(columns: Columns) -> None:
    if None in columns or None in columns.values():
        raise ValueError("it has not as many cells as there are columns")


def _validity(columns: Columns) -> Validity:
    first = date.fromisoformat(columns["valid_from"])
    last = date.fromisoformat(columns["valid_to"]) if columns["valid_to"] else None
    if last is not None and last < first:
        raise ValueError(f"it ends on {last} before it begins on {first}")
    if columns["mark"] not in MARKS:
        raise ValueError(f"the mark {columns['mark']!r} is none of {', '.join(sorted(MARKS))}")
    if not columns["source"]:
        raise ValueError("it names no source")
    return Validity(first, last, columns["source"], columns["source_date"], columns["mark"])


def _check_days(name: str, rows: Sequence[Row[T]]) -> None:
    for before, after in pairwise(rows):
        last, first = before.validity.last, after.validity.first
        about = f"{name}: the rows of {' '.join(before.key)}"
        if last is None or first <= last:
            raise BrokenTable(f"{about} overlap on {first}; end the older one the day before.")
        if first != last + _ONE_DAY:
            raise BrokenTable(
                f"{about} leave a gap from {last + _ONE_DAY} to {first - _ONE_DAY}; "
                "say what held then."
            )
