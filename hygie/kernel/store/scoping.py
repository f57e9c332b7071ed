"""Granular scopes over the store: which search tokens a constraint asks a row for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hygie.kernel.errors import Forbidden, HygieError, InvalidRequest, NotFound
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.fhir.search.values import parse_token
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.decision import searched
from hygie.kernel.security.limits import Limit, LimitSql, limit_columns
from hygie.kernel.security.scopes import InvalidScope
from hygie.kernel.store.change import Change, Current, Effect
from hygie.kernel.store.columns import combined, stored_name
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.index import Indexed
from hygie.kernel.store.search.token_clauses import token_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

NO_TOKENS: Final = "NULL::bigint[]"
"""The tokens of an earlier version: none is kept, so that no constrained scope reaches one."""


def constraint(rt: str, name: str, value: str) -> int:
    """Return the search token that rows must carry for ``rt?name=value``.

    Raises:
        InvalidScope: the type has no such parameter, it takes no code, or the value is none.
    """
    one = parameters(rt).get(name)
    if one is None or one.kind != "token" or len(combined(one)) > 1:
        raise InvalidScope(
            f"{rt}?{name}: constrain a scope by a parameter that takes a code, such as category."
        )
    try:
        return token_of(stored_name(rt, name), one, parse_token(value, name))
    except InvalidRequest as error:
        raise InvalidScope(str(error)) from error


def tokens_of(indexed: Indexed) -> list[int]:
    """Return every search token of new content, as ``SEARCHED`` reads them of a stored row."""
    code = [] if indexed.code is None else [indexed.code]
    return [*indexed.toks, *indexed.frequent, *code]


_REACHED = """
SELECT a.n FROM (
  SELECT t.part, t.key, t.types::smallint[] AS types, t.patients::integer[] AS patients,
    t.sets::text[] AS sets, t.n
  FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS t (part, key, types, patients, sets, n)
) a JOIN resource r ON r.part = a.part AND r.key = a.key WHERE {condition}
"""
_LIMIT = LimitSql("a.types", "a.patients", "a.sets")
_READABLE = _REACHED.format(condition=_LIMIT.condition("r", tokens=searched("r")))
_WRITABLE = _REACHED.format(condition=_LIMIT.condition("r", tokens=searched("r"), alone=True))
LETTERS: Final = {"create": "c", "update": "u", "delete": "d", "relabel": "u"}
"""What each method asks of a scope."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A change of an application, and what stands now."""

    limit: Limit
    change: Change
    current: Current | None
    refused: bool
    """Whether the access rules refuse it already."""

    @property
    def letter(self) -> str:
        """Return what its scopes must allow."""
        return LETTERS[self.change.method]


async def scoped(
    connection: Connection,
    effects: Sequence[Effect],
    numbers: Mapping[PartyRef, int],
    *,
    callers: Sequence[Caller],
    judged: Sequence[tuple[Change, Current | None]],
) -> list[Effect]:
    """Return the effects, refused where the scopes of an application do not reach them.

    What stands now must be within reach, and what shall stand too. What an application may not
    even read answers as if it were not there, whatever the access rules would have said of it.
    """
    found = list(effects)
    limited = {
        place: _Judged(caller.limit, *judged[place], isinstance(effects[place], HygieError))
        for place, caller in enumerate(callers)
        if caller.limit is not None
    }
    if not limited:
        return found
    standing = {
        place: one for place, one in limited.items() if one.current and not one.current.deleted
    }
    writable = await _reached(connection, _WRITABLE, standing)
    rest = {place: one for place, one in standing.items() if place not in writable}
    readable = await _reached(connection, _READABLE, rest)
    for place, one in limited.items():
        try:
            _check(one, numbers, writable=place in writable, readable=place in readable)
        except HygieError as refused:
            found[place] = refused
    return found


def _check(
    one: _Judged, numbers: Mapping[PartyRef, int], *, writable: bool, readable: bool
) -> None:
    change, limit = one.change, one.limit
    limit.check(one.letter, change.rt)
    if one.current is not None and one.current.deleted:
        writable = limit.reaches_gone(one.letter, change.rt, one.current.pat)
    if one.current is not None and not (writable or readable):
        raise NotFound(f"{change.rt}/{change.rid} is not known here.")
    if one.refused and (one.current is None or writable):
        return  # of what is absent or within reach, the rules have said enough
    new = change.prepared.indexed if change.prepared else None
    patients = [numbers[ref] for ref in new.patients] if new else []
    tokens = frozenset(tokens_of(new)) if new else frozenset[int]()
    stands = one.current is None or writable
    if not stands or (new and not limit.reaches_new(one.letter, change.rt, patients, tokens)):
        raise Forbidden(
            f"The scopes of your token do not reach this {change.rt}: they are limited to a "
            "patient or to some codes."
        )


async def _reached(
    connection: Connection, statement: str, judged: Mapping[int, _Judged]
) -> set[int]:
    """Return the places of what stands now and the scopes reach, to write it or to read it."""
    if not judged:
        return set()
    places = list(judged)
    currents = [one.current for one in judged.values() if one.current]
    letters = [one.letter if statement is _WRITABLE else "rs" for one in judged.values()]
    rows = await connection.fetch(
        statement,
        [current.part for current in currents],
        [current.key for current in currents],
        *limit_columns([one.limit for one in judged.values()], letters),
    )
    return {places[row["n"] - 1] for row in rows}
