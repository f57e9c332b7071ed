"""What a session has proven about its person, and how strongly: one list that every door feeds.

A proof is a method that succeeded, when, and what an outside provider said of it. The level is
deduced from what was done, never from what was asked (RFC 9470; eIDAS regulation 2015/1502).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django import conf
from django.contrib.auth import login

from hygie.kernel.security.dated import Columns, DatedTable, load

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest

PROOFS = "hygie_proofs"
"""Where the session keeps them."""
FRESH = timedelta(minutes=5)
"""How long a proof counts as fresh before a sensitive act."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One method that succeeded.

    Attributes:
        method: a word of ``definitions/levels.csv``, such as ``password`` or ``franceconnect``.
        at: when, in seconds since 1970.
        acr: the level an outside provider stated for it, empty where there is none.
    """

    method: str
    at: float
    acr: str = ""


def add_proof(request: HttpRequest, account: int, proof: Proof) -> None:
    """Keep a proof in the session, of this account and of no other."""
    kept = [*_proofs(request, account), proof]
    request.session[PROOFS] = {"account": account, "list": [asdict(one) for one in kept]}


def proofs_of(request: HttpRequest) -> tuple[Proof, ...]:
    """Return what the session proved about the signed-in account, oldest first."""
    return _proofs(request, request.user.pk) if request.user.is_authenticated else ()


def proofs_of_account(
    request: HttpRequest, account: int, *, within: timedelta | None = None
) -> tuple[Proof, ...]:
    """Return what the session proved about an account, before it is signed in as well."""
    since = 0.0 if within is None else datetime.now(UTC).timestamp() - within.total_seconds()
    return tuple(one for one in _proofs(request, account) if one.at >= since)


def required_level(kind: str, *, realm: str, at: date) -> int:
    """Return how strongly a kind of account is authenticated before it opens its portal.

    >>> required_level("professional", realm="production", at=date(2026, 1, 1))
    2
    """
    rows = _required().holding(at)
    return rows.get((kind, realm), rows.get((kind, "any"), 1))


def level_of(
    proofs: Sequence[Proof], *, at: datetime | None = None, within: timedelta | None = None
) -> int:
    """Return how strongly a person was authenticated: 1 low, 2 substantial, 3 high; 0 not at all.

    ``within`` counts only the proofs of that long before ``at`` (now).
    """
    now = at or datetime.now(UTC)
    since = (now - within).timestamp() if within is not None else float("-inf")
    counted = [one for one in proofs if one.at >= since]
    methods = {one.method for one in counted}
    acrs = {(one.method, one.acr) for one in counted}
    reached = [
        level
        for (words, acr), level in _levels().holding(now.date()).items()
        if set(words.split()) <= methods and (not acr or (words, acr) in acrs)
    ]
    return max(reached, default=0)


def enter(request: HttpRequest, account: AbstractBaseUser, proof: Proof) -> None:
    """Sign somebody in whom an outside provider or a card proved; the session gets a new key."""
    known: Any = account  # the kernel does not know the account model of sign_in
    login(request, known, backend=conf.settings.AUTHENTICATION_BACKENDS[0])
    add_proof(request, account.pk, proof)


def _proofs(request: HttpRequest, account: int) -> tuple[Proof, ...]:
    kept = request.session.get(PROOFS)
    if not isinstance(kept, dict) or kept.get("account") != account:
        return ()
    return tuple(Proof(**one) for one in kept["list"])


@cache
def _levels() -> DatedTable[int]:
    return load("hygie.kernel.web", "definitions/levels.csv", key=("methods", "acr"), make=_level)


@cache
def _required() -> DatedTable[int]:
    return load(
        "hygie.kernel.web", "definitions/required_levels.csv", key=("kind", "realm"), make=_level
    )


def _level(columns: Columns) -> int:
    level = int(columns["level"])
    if not 1 <= level <= 3:  # noqa: PLR2004 - the three levels of eIDAS
        raise ValueError("a level is 1, 2 or 3")
    return level
