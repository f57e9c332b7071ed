"""Conditional create, update and delete (FHIR R4, http.html#ccreate, #cond-update, #3.1.0.7.1).

The search and the write are one transaction. Writers with the same criteria take turns on an
advisory lock, so that two of them never both find nothing. Only visible resources match: a hidden
one answers like none at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hygie.kernel.errors import InvalidRequest, PreconditionFailed
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.model import Stored
from hygie.kernel.store.pairs import read_pairs
from hygie.kernel.store.search.query import IGNORED, INSTRUCTIONS, read_query
from hygie.kernel.store.searching import Searcher
from hygie.kernel.store.tracing import Touched

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

Pairs = Sequence[tuple[str, str]]


def read_criteria(text: str) -> Pairs:
    """Return the criteria of ``If-None-Exist`` or of a conditional address.

    Raises:
        InvalidRequest: they cannot be decoded, or there is no parameter in them: everything would
            match.
    """
    return check_criteria(read_pairs(text.removeprefix("?")))


def check_criteria(pairs: Pairs) -> Pairs:
    """Return the criteria.

    Raises:
        InvalidRequest: nothing in them selects, or an instruction for answers is among them:
            ``_summary=count`` would hide every match.
    """
    names = {name.partition(":")[0] for name, _ in pairs} - IGNORED
    if not names:
        raise InvalidRequest("A conditional request needs at least one search parameter.")
    if names & INSTRUCTIONS:
        raise InvalidRequest("A conditional request takes search parameters only.")
    return pairs


async def take_turn(connection: Connection, rt: str, pairs: Pairs) -> None:
    """Wait for other writers with the same criteria; until the transaction ends."""
    text = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    digest = hashlib.blake2b(f"{rt}?{text}".encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big", signed=True)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", number)


async def matches(
    searcher: Searcher,
    connection: Connection,
    caller: Caller,
    rt: str,
    *,
    pairs: Pairs,
    most: int = 2,
) -> list[tuple[Stored, Touched]]:
    """Return the visible resources that match, up to ``most``, with what their trace says.

    In the open transaction.
    """
    query = read_query(rt, [*pairs, ("_count", str(most)), ("_total", "none")])
    found, touched = await searcher.within(connection, caller, query)
    return [(entry.stored, one) for entry, one in zip(found.entries, touched, strict=False)]


def at_most_one(found: Sequence[Stored]) -> Stored | None:
    """Return the one match, or None.

    Raises:
        PreconditionFailed: there are several.
    """
    if len(found) > 1:
        raise PreconditionFailed("The criteria match several resources; make them select one.")
    return found[0] if found else None
