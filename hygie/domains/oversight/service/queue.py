"""Work through the queue: read it, take an item, ask the professional, decide, close.

Every reading leaves a trace for each patient it tells about, and every change is checked against
the states under a lock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.oversight.fhir import name_of
from hygie.domains.oversight.model.queue import Item, check_words
from hygie.domains.oversight.model.states import DECISIONS, State, check_change
from hygie.domains.oversight.policy import check_can_decide, check_can_review
from hygie.domains.oversight.service.notices import Notice, announce
from hygie.domains.oversight.service.rows import item_of
from hygie.kernel.errors import Conflict, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection

MOST = 100
_OPEN = f"""
SELECT * FROM oversight_item WHERE state < {int(State.JUSTIFIED)}
ORDER BY kind DESC, due, score DESC, id LIMIT {MOST}
"""
_DECIDED = f"""
SELECT * FROM oversight_item WHERE state >= {int(State.JUSTIFIED)}
ORDER BY decided DESC, id DESC LIMIT {MOST}
"""
_ONE = "SELECT * FROM oversight_item WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits, the patients' reports first, and what was decided lately."""

    waiting: tuple[Item, ...]
    decided: tuple[Item, ...]


async def read_queue(repository: Repository, caller: Caller) -> Queue:
    """Return the queue.

    Raises:
        Forbidden: the account has not the right *review*.
    """
    async with repository.reading(caller, Request("search-type")) as reading:
        check_can_review(reading.caller)
        waiting = [item_of(row) for row in await reading.connection.fetch(_OPEN)]
        decided = [item_of(row) for row in await reading.connection.fetch(_DECIDED)]
        reading.seen(item.pat for item in (*waiting, *decided))
    return Queue(tuple(waiting), tuple(decided))


async def read_item(repository: Repository, caller: Caller, number: int) -> Item:
    """Return one item.

    Raises:
        Forbidden: the account has not the right *review*.
        NotFound: there is none of this number.
    """
    async with repository.reading(caller, Request("read")) as reading:
        check_can_review(reading.caller)
        item = await _one(reading.connection, number)
        reading.seen([item.pat])
    return item


async def take(repository: Repository, caller: Caller, number: int, *, at: datetime) -> None:
    """Begin a review: the item is the caller's from then on."""
    async with _changing(repository, caller, number, State.IN_REVIEW) as (connection, _):
        await connection.execute(
            "UPDATE oversight_item SET state = $2, reviewer = $3, taken = $4 WHERE id = $1",
            *(number, int(State.IN_REVIEW), caller.reference, at),
        )


async def give_back(repository: Repository, caller: Caller, number: int) -> None:
    """Return an item to the queue, for somebody else."""
    async with _changing(repository, caller, number, State.PROPOSED) as (connection, _):
        await connection.execute(
            "UPDATE oversight_item SET state = $2, reviewer = NULL, taken = NULL WHERE id = $1",
            *(number, int(State.PROPOSED)),
        )


async def ask(repository: Repository, caller: Caller, number: int, *, question: str) -> None:
    """Ask the professional for an explanation; a notice tells them.

    Raises:
        Conflict: nobody of the directory opened the record, so nobody can be asked.
    """
    words = check_words(question)
    async with _changing(repository, caller, number, State.ASKED) as (connection, item):
        if item.party is None:
            raise Conflict("Nobody of the directory opened this record: there is nobody to ask.")
        await connection.execute(
            "UPDATE oversight_item SET state = $2, asked = $3, answer = NULL, answered = NULL "
            "WHERE id = $1",
            *(number, int(State.ASKED), words),
        )
        await announce(connection, Notice.EXPLANATION_ASKED, item)


async def decide(
    repository: Repository,
    caller: Caller,
    number: int,
    decision: State,
    *,
    note: str,
    at: datetime,
) -> None:
    """Decide, with a reason; an abnormal access is told to the patient by a notice.

    Raises:
        InvalidRequest: the decision is neither justified nor abnormal, or it has no reason.
        Conflict: the item is not under review.
    """
    if decision not in DECISIONS:
        raise InvalidRequest("A review ends as justified or as abnormal.")
    words = check_words(note)
    async with _changing(repository, caller, number, decision) as (connection, item):
        await connection.execute(
            "UPDATE oversight_item SET state = $2, decision = $2, note = $3, decided = $4 "
            "WHERE id = $1",
            *(number, int(decision), words, at),
        )
        if decision == State.ABNORMAL:
            await announce(connection, Notice.ABNORMAL_ACCESS, item)
        elif item.words:
            await announce(connection, Notice.REPORT_ANSWERED, item)


async def close(repository: Repository, caller: Caller, number: int, *, at: datetime) -> None:
    """Close a decided item once what follows from it is done."""
    async with _changing(repository, caller, number, State.CLOSED) as (connection, _):
        await connection.execute(
            "UPDATE oversight_item SET state = $2, closed = $3 WHERE id = $1",
            *(number, int(State.CLOSED), at),
        )


@asynccontextmanager
async def _changing(
    repository: Repository, caller: Caller, number: int, after: State
) -> AsyncIterator[tuple[Connection, Item]]:
    """Lock an item that the caller may change to a state, in a traced transaction."""
    async with repository.reading(caller, Request("update")) as reading:
        # Row-level security lets nobody lock what they may not decide: the reason is told before.
        check_can_decide(reading.caller, await _one(reading.connection, number))
        item = await _one(reading.connection, number, lock=True)
        check_can_decide(reading.caller, item)
        check_change(item.state, after)
        reading.seen([item.pat])
        yield reading.connection, item


async def _one(connection: Connection, number: int, *, lock: bool = False) -> Item:
    row = await connection.fetchrow(f"{_ONE} FOR UPDATE" if lock else _ONE, number)
    if row is None:
        raise NotFound("There is no such review.")
    return item_of(row)


async def names(repository: Repository, caller: Caller, items: tuple[Item, ...]) -> dict[str, str]:
    """Return the names of those who opened the records, by reference."""
    ids = {item.agent.partition("/")[2] for item in items if item.agent.startswith("Practitioner/")}
    if not ids:
        return {}
    query = [("_id", ",".join(sorted(ids))), ("_count", str(len(ids)))]
    found = await repository.search(caller, "Practitioner", query)
    return {
        entry.stored.reference: name_of(msgspec.json.decode(entry.stored.body or b"{}"))
        for entry in found.entries
    }
