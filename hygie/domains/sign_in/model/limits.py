"""How often something may be tried: the table ``definitions/limits.csv``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hygie.kernel.security.dated import Columns, DatedTable, load


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``amount`` tries in ``seconds``."""

    amount: int
    seconds: int


def rate_of(what: str, per: str, *, at: date) -> Rate:
    """Return how often ``what`` may be tried by one ``per``.

    >>> rate_of("failure", "device", at=date(2026, 1, 1))
    Rate(amount=5, seconds=300)
    """
    return _rates().value(what, per, at=at)


@cache
def _rates() -> DatedTable[Rate]:
    return load("hygie.domains.sign_in", "definitions/limits.csv", key=("what", "per"), make=_rate)


def _rate(columns: Columns) -> Rate:
    return Rate(int(columns["amount"]), int(columns["seconds"]))
