"""Score one day that stands in the tables of ``model.scoring``, and choose what is listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import TYPE_CHECKING

from hygie.domains.oversight.model import scoring
from hygie.domains.oversight.model.tables import Weights

if TYPE_CHECKING:
    from asyncpg import Connection, Record

Values = Mapping[str, object]


def bound(statement: str, values: Values) -> tuple[str, list[object]]:
    """Return a statement with ``$1``... for its names in braces, and the values in that order.

    >>> bound("SELECT {day}::date - {back}::integer", {"back": 7, "day": "2026-11-20"})
    ('SELECT $1::date - $2::integer', ['2026-11-20', 7])
    """
    names = dict.fromkeys(name for _, name, _, _ in Formatter().parse(statement) if name)
    places = {name: f"${number}" for number, name in enumerate(names, 1)}
    return statement.format(**places), [values[name] for name in names]


async def execute(connection: Connection, statement: str, values: Values) -> None:
    """Run a statement with its named values."""
    text, arguments = bound(statement, values)
    await connection.execute(text, *arguments)


async def open_day(connection: Connection) -> None:
    """Make the tables that hold a day, for the length of the transaction."""
    await connection.execute(scoring.DAY)


async def score(connection: Connection, day: date, weights: Weights) -> int:
    """Score the day that was laid out and keep its candidates; return how many pairs it had.

    A day is scored once: a second time changes nothing.
    """
    await connection.execute(scoring.READY)
    await execute(connection, scoring.EXPLAIN, {"day": day, **_explanations(weights)})
    await connection.execute(scoring.OPENED)
    threshold = weights.numbers["threshold",]
    values = {
        "day": day,
        "unexplained": weights.numbers["unexplained",],
        "history": weights.whole("history"),
        "threshold": threshold,
        "least": threshold / weights.highest(),
        **_flags(weights),
    }
    for statement in (scoring.KEEP_HABITS, scoring.KEEP_LOOKS, scoring.RAISE, scoring.SCORE):
        await execute(connection, statement, values)
    pairs: int = await connection.fetchval("SELECT count(*) FROM opened")
    return pairs


async def choose(
    connection: Connection, day: date, weights: Weights, *, reviewers: int = 1
) -> list[Record]:
    """Return what enters the list of a day, best first: a number of items for each reviewer."""
    values = {
        "day": day,
        "window": weights.whole("window"),
        "quiet": weights.whole("quiet"),
        "per_person": weights.whole("per_person"),
        "items": weights.whole("items") * reviewers,
    }
    text, arguments = bound(scoring.CHOOSE, values)
    return await connection.fetch(text, *arguments)


async def forget(connection: Connection, day: date, weights: Weights) -> None:
    """Drop the habits and candidates that no later day is compared with."""
    values = {
        "day": day,
        "history": weights.whole("history"),
        "window": weights.whole("window"),
    }
    for statement in scoring.FORGET:
        await execute(connection, statement, values)


def _explanations(weights: Weights) -> Values:
    held = weights.explanations
    return {
        "codes": [code for code, _ in held],
        "throughs": [through for _, through in held],
        "weights": [one.weight for one in held.values()],
        "befores": [one.before for one in held.values()],
        "afters": [one.after for one in held.values()],
    }


def _flags(weights: Weights) -> Values:
    held = weights.flags
    return {
        "codes": [code for (code,) in held],
        "weights": [one.weight for one in held.values()],
        "leasts": [one.least for one in held.values()],
        "mosts": [one.most for one in held.values()],
    }
