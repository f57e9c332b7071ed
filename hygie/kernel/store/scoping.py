"""Granular scopes over the store: which search tokens a constraint asks a row for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hygie.kernel.errors import Forbidden, InvalidRequest
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.fhir.search.values import parse_token
from hygie.kernel.security.decision import searched
from hygie.kernel.security.limits import LimitSql, limit_columns
from hygie.kernel.security.scopes import InvalidScope
from hygie.kernel.store.change import Effect, Permit
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
""".format(
    condition=LimitSql("a.types", "a.patients", "a.sets").condition("r", tokens=searched("r"))
)
LETTERS: Final = {"create": "c", "update": "u", "delete": "d", "relabel": "u"}
"""What each method asks of a scope."""


async def scoped(
    connection: Connection, effects: Sequence[Effect], numbers: Mapping[PartyRef, int]
) -> list[Effect]:
    """Return the effects, refused where the scopes of an application do not reach them.

    What stands now must be within reach, and what shall stand too.
    """
    found = list(effects)
    limited = [
        (place, one)
        for place, one in enumerate(effects)
        if isinstance(one, Permit) and one.caller.limit is not None
    ]
    if not limited:
        return found
    reached = await _reached(connection, [permit for _, permit in limited])
    for place, permit in limited:
        try:
            _check(permit, numbers, stands=id(permit) in reached)
        except Forbidden as refused:
            found[place] = refused
    return found


def _check(permit: Permit, numbers: Mapping[PartyRef, int], *, stands: bool) -> None:
    limit, change = permit.caller.limit, permit.change
    if limit is None:
        return
    letter = LETTERS[change.method]
    limit.check(letter, change.rt)
    new = change.prepared.indexed if change.prepared else None
    patients = [numbers[ref] for ref in new.patients] if new else []
    tokens = frozenset(tokens_of(new)) if new else frozenset[int]()
    if not stands or (new and not limit.reaches_new(letter, change.rt, patients, tokens)):
        raise Forbidden(
            f"The scopes of your token do not reach this {change.rt}: they are limited to a "
            "patient or to some codes."
        )


async def _reached(connection: Connection, permits: Sequence[Permit]) -> set[int]:
    """Return the identities of the permits whose resource the scopes reach as it stands now.

    What does not stand yet is within reach.
    """
    found = {id(permit) for permit in permits if permit.creates}
    standing = [permit for permit in permits if permit.current and not permit.creates]
    if standing:
        rows = await connection.fetch(
            _REACHED,
            [permit.current.part for permit in standing if permit.current],
            [permit.current.key for permit in standing if permit.current],
            *limit_columns(
                [permit.caller.limit for permit in standing],
                [LETTERS[permit.change.method] for permit in standing],
            ),
        )
        found |= {id(standing[row["n"] - 1]) for row in rows}
    return found
