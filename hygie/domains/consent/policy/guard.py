"""Who may change the facts that open a record."""

from __future__ import annotations

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store.facts import Stated


def guard(caller: Caller, rt: str, before: frozenset[Stated], after: frozenset[Stated]) -> None:
    """Check that the caller may change these facts.

    Raises:
        Forbidden: only the operator may.
    """
    del before, after
    if caller.kind != Kind.SYSTEM:
        raise Forbidden(f"{rt} decides who may open a record: only the operator writes it.")
