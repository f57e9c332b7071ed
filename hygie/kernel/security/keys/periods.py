"""For how long key-encryption keys wrap and stand: a dated table (definitions/key_periods.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hygie.kernel.security import dated

_PACKAGE = "hygie.kernel.security"


@dataclass(frozen=True, slots=True)
class Periods:
    """What holds on a day.

    Attributes:
        rotate: how long a key-encryption key wraps.
        keep: how long a superseded one stands.
        late: how long after its time a rotation or a destruction sounds an alarm.
    """

    rotate: timedelta
    keep: timedelta
    late: timedelta


@cache
def periods(at: date) -> Periods:
    """Return the periods of a day.

    >>> periods(date(2026, 11, 22)).keep.days
    35
    """
    table = dated.load(
        _PACKAGE,
        "definitions/key_periods.csv",
        key=("name",),
        make=lambda columns: timedelta(days=int(columns["days"])),
    )
    return Periods(*(table.value(name, at=at) for name in ("rotate", "keep", "late")))
