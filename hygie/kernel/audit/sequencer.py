"""Give pending traces their place in the Merkle tree and sign its head, within a second.

Any number of sequencers may run: a round belongs to whoever locks the one row of ``trace_tree``,
and the lock also fences a sequencer that was paused. Traces take their places in the order of
their ids among those that are committed; a late commit takes a later place and delays nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import leaf
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.merkle import CompactRange, leaf_hash
from hygie.kernel.audit.trace import ensure_partitions
from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
BATCH = 5_000
PAUSE = 0.25
"""Seconds between two rounds when nothing is pending."""

_TREE = "SELECT origin, size, subtrees FROM trace_tree FOR UPDATE SKIP LOCKED"
_LAST_HEAD = "SELECT size, root, checkpoint FROM trace_head ORDER BY size DESC LIMIT 1"
_PENDING = f"SELECT {leaf.COLUMNS} FROM trace WHERE place IS NULL ORDER BY id LIMIT $1"
# The bounds on `at` let PostgreSQL open only the partitions concerned.
_PLACE = """
UPDATE trace SET place = given.place
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS given (place, id, at)
WHERE trace.at = given.at AND trace.id = given.id AND trace.place IS NULL
  AND trace.at BETWEEN $4 AND $5
"""
_LEAVES = """
INSERT INTO trace_leaf (place, id, at, body_hash, leaf_hash)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bytea[], $5::bytea[])
"""
_GROW = "UPDATE trace_tree SET size = $1, subtrees = $2"
_HEAD = "INSERT INTO trace_head (size, root, checkpoint) VALUES ($1, $2, $3)"


async def run(
    database: Database,
    key: Ed25519PrivateKey,
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
) -> None:
    """Sequence until ``stop`` is set, and each day make the partitions of the months to come.

    ``database`` is opened with role ``hygie_sequencer``. A lost database is waited for.

    Raises:
        ConfigurationError: the log was signed by another key, or its last head was changed.
    """
    clock = clock or SystemClock()
    prepared: date | None = None
    while not stop.is_set():
        placed, today = 0, clock.now().date()
        try:
            async with database.connection() as connection:
                if prepared != today:
                    await ensure_partitions(connection, today=today)
                    prepared = today
                placed = await sequence(connection, key)
        except Unavailable:
            log.warning("sequencer.database_lost")
        except asyncpg.LockNotAvailableError:
            log.warning("sequencer.partitions_delayed")
        if placed < BATCH:
            await _sleep(stop)


async def sequence(connection: Connection, key: Ed25519PrivateKey, *, batch: int = BATCH) -> int:
    """Place one batch of pending traces and sign the new head, in one transaction.

    Returns the number of traces placed; 0 also when another sequencer is at work.

    Raises:
        ConfigurationError: the log was signed by another key, or its last head was changed.
    """
    async with connection.transaction():
        tree = await connection.fetchrow(_TREE)
        rows = await connection.fetch(_PENDING, batch) if tree else []
        if not tree or not rows:
            return 0
        signer = Signer(tree["origin"], key)
        compact = CompactRange.from_bytes(tree["size"], tree["subtrees"])
        _check_goes_on(await connection.fetchrow(_LAST_HEAD), compact, signer)
        await _store(connection, rows, _leaves(rows), compact)
        root = compact.root()
        await connection.execute(_GROW, compact.size, compact.to_bytes())
        await connection.execute(_HEAD, compact.size, root, signer.sign(compact.size, root))
    return len(rows)


def _check_goes_on(head: Record | None, compact: CompactRange, signer: Signer) -> None:
    if head is None and compact.size == 0:
        return
    size, root = compact.size, compact.root()
    if head is None or not signer.has_signed(head["checkpoint"], size=size, root=root):
        raise ConfigurationError(
            "The access log does not go on from its last signed head: either the key in "
            "data/keys/log-ed25519 is not the one that signed it (restore that key), or the log "
            "was changed (verify an export of it with hygie_verify). Nothing more is signed."
        )


def _leaves(rows: Sequence[Record]) -> list[tuple[bytes, bytes]]:
    """Return the body hash and the leaf hash of each row."""
    hashes = [leaf.body_hash(row["salt"], leaf.body(row)) for row in rows]
    return [
        (hashed, leaf_hash(leaf.header(row, hashed)))
        for row, hashed in zip(rows, hashes, strict=True)
    ]


async def _store(
    connection: Connection,
    rows: Sequence[Record],
    leaves: Sequence[tuple[bytes, bytes]],
    compact: CompactRange,
) -> None:
    places = list(range(compact.size, compact.size + len(rows)))
    ids, instants = [row["id"] for row in rows], [row["at"] for row in rows]
    bounds: tuple[Any, Any] = (min(instants), max(instants))
    await connection.execute(_PLACE, places, ids, instants, *bounds)
    body_hashes, leaf_hashes = zip(*leaves, strict=True)
    await connection.execute(_LEAVES, places, ids, instants, body_hashes, leaf_hashes)
    for hashed in leaf_hashes:
        compact.append(hashed)


async def _sleep(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), PAUSE)
    except TimeoutError:
        return
