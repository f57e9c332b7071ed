"""Give pending traces their place in the Merkle tree and sign its head, within a second.

Any number of sequencers may run: a round belongs to whoever locks the one row of ``trace_tree``,
and the lock also fences a sequencer that was paused. Traces take their places in the order of
their ids among those that are committed; a late commit takes a later place and delays nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import alarms, leaf
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.handover import is_handed_to
from hygie.kernel.audit.merkle import CompactRange, leaf_hash
from hygie.kernel.audit.proofs import backfill, store
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
_LAST_HEAD = """
SELECT h.size, h.root, h.checkpoint, h.at, k.size AS since, k.handover
FROM trace_head h LEFT JOIN (SELECT size, handover FROM trace_key ORDER BY size DESC LIMIT 1) k
  ON TRUE
ORDER BY h.size DESC LIMIT 1
"""
_NAMES = "SELECT origin, (SELECT key FROM trace_key ORDER BY size DESC LIMIT 1) FROM trace_tree"
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
_FIRST_KEY = "INSERT INTO trace_key (size, key, handover) VALUES (0, $1, '') ON CONFLICT DO NOTHING"
_GROW = "UPDATE trace_tree SET size = $1, subtrees = $2"
_HEAD = "INSERT INTO trace_head (size, root, checkpoint) VALUES ($1, $2, $3) RETURNING at"


KeyOf = Callable[[str, str | None], Ed25519PrivateKey]
"""From the log's origin and the verifier key of its last change of key, if any, to its key."""


async def run(
    database: Database,
    key_of: KeyOf,
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
) -> None:
    """Sequence until ``stop`` is set, and each day make the partitions of the months to come.

    ``database`` is opened with role ``hygie_sequencer``. A lost database is waited for; a key
    that was changed is read again.

    Raises:
        ConfigurationError: the log was signed by another key, or its last head was changed.
    """
    clock = clock or SystemClock()
    prepared: date | None = None
    key: Ed25519PrivateKey | None = None
    while not stop.is_set():
        placed, today = 0, clock.now().date()
        try:
            async with database.connection() as connection:
                if prepared != today:
                    await ensure_partitions(connection, today=today)
                    await backfill(connection)
                    prepared = today
                key = key or (await signer_of(connection, key_of)).key
                placed = await sequence(connection, key)
        except Unavailable:
            log.warning("sequencer.database_lost")
        except asyncpg.LockNotAvailableError:
            log.warning("sequencer.partitions_delayed")
        except ConfigurationError:
            async with database.connection() as connection:
                fresh = (await signer_of(connection, key_of)).key
            if key is None or fresh.private_bytes_raw() == key.private_bytes_raw():
                raise
            key = fresh
        if placed < BATCH:
            await _sleep(stop)


async def signer_of(connection: Connection, key_of: KeyOf) -> Signer:
    """Return what signs the log now."""
    row = await connection.fetchrow(_NAMES)
    if row is None:
        raise ConfigurationError("The access log has lost its row of trace_tree: restore it.")
    origin, handed_to = row
    return Signer(origin, key_of(origin, handed_to))


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
        last = await connection.fetchrow(_LAST_HEAD)
        _check_goes_on(last, compact, signer)
        if last is None or last["since"] is None:
            await connection.execute(_FIRST_KEY, signer.verifier_key)
        await _store(connection, rows, _leaves(rows), compact)
        root = compact.root()
        await connection.execute(_GROW, compact.size, compact.to_bytes())
        checkpoint = signer.sign(compact.size, root)
        at = await connection.fetchval(_HEAD, compact.size, root, checkpoint)
        if last is not None and at < last["at"]:
            told = (
                f"The head of size {compact.size} is dated {last['at'] - at} before the last one."
            )
            await alarms.sound(connection, "clock", str(compact.size), told)
    return len(rows)


def _check_goes_on(head: Record | None, compact: CompactRange, signer: Signer) -> None:
    if head is None and compact.size == 0:
        return
    size, root = compact.size, compact.root()
    if head is not None and head["since"] == size:
        goes_on = is_handed_to(signer, head["handover"], size=size, root=root)
    else:
        goes_on = head is not None and signer.has_signed(head["checkpoint"], size=size, root=root)
    if not goes_on:
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
    await store(connection, compact.extend(leaf_hashes))


async def _sleep(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), PAUSE)
    except TimeoutError:
        return
