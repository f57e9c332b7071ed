"""The dated tables of cards: where a certificate says what, and how long things last."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from hygie.kernel.security.dated import Columns, DatedTable, load

PACKAGE = "hygie.domains.cards"


def field_oid(field: str, at: date) -> str:
    """Return the OID of the subject's attribute that holds a field, such as ``number``."""
    return _fields().holding(at)[field,]


def lasts(duration: str, at: date) -> timedelta:
    """Return how long something lasts, such as ``ticket``."""
    return _durations().holding(at)[duration,]


@cache
def _fields() -> DatedTable[str]:
    return load(PACKAGE, "definitions/fields.csv", key=("field",), make=lambda one: one["oid"])


@cache
def _durations() -> DatedTable[timedelta]:
    return load(PACKAGE, "definitions/durations.csv", key=("duration",), make=_seconds)


def _seconds(columns: Columns) -> timedelta:
    return timedelta(seconds=int(columns["seconds"]))
