"""Callers and what they ask as rows of a query: one statement for many of them."""

from __future__ import annotations

from collections.abc import Sequence

from hygie.kernel.security.decision import CALLER_COLUMNS
from hygie.kernel.security.limits import LIMIT_COLUMNS

Columns = Sequence[tuple[str, str]]


def asked(columns: Columns, *, limited: bool = False) -> str:
    """Return a sub-select of arrays ``$1``, ``$2``..., one a column, then the callers' columns.

    Where an application is among the callers, ``limited``, the limits of all of them come last.

    Its rows are numbered from 1 in column ``n``. Arrays of arrays travel as literals, since unnest
    flattens them.

    >>> asked([("uid", "uuid")])[:45]
    '(SELECT t.uid, t.party, t.own::integer[] AS o'
    """
    every = [*columns, *CALLER_COLUMNS, *(LIMIT_COLUMNS if limited else ())]
    names = ", ".join(name for name, _ in every)
    chosen = ", ".join(
        f"t.{name}::{kind} AS {name}" if kind.endswith("[]") else f"t.{name}"
        for name, kind in every
    )
    inputs = ", ".join(
        f"${place}::{'text' if kind.endswith('[]') else kind}[]"
        for place, (_, kind) in enumerate(every, 1)
    )
    return f"(SELECT {chosen}, t.n FROM unnest({inputs}) WITH ORDINALITY AS t ({names}, n)) AS a"
