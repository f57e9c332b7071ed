"""Proofs about the stored log: from its tiles, a few hundred hashes whatever its size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hygie.kernel.audit.merkle import (
    EMPTY_ROOT,
    TILE_HEIGHT,
    CompactRange,
    Node,
    Span,
    consistency_spans,
    inclusion_spans,
    node_hash,
    root_of,
)

if TYPE_CHECKING:
    from asyncpg import Connection

_WIDTH = 1 << TILE_HEIGHT
_CHUNK = 100_000
_LEAVES = """
SELECT place, leaf_hash AS hash FROM unnest($1::bigint[]) AS tile
JOIN trace_leaf ON place BETWEEN tile * 256 AND tile * 256 + 255
"""
_NODES = """
SELECT place, hash FROM unnest($2::bigint[]) AS tile
JOIN trace_node ON level = $1 AND place BETWEEN tile * 256 AND tile * 256 + 255
"""
_INSERT = """
INSERT INTO trace_node (level, place, hash)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) ON CONFLICT DO NOTHING
"""


class Proofs:
    """Makes proofs of one log, remembering the tiles it read.

    Works for the roles ``hygie_app`` and ``hygie_sequencer``: hashes name nobody.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._hashes: dict[tuple[int, int], bytes] = {}
        self._tiles: set[tuple[int, int]] = set()

    async def root(self, size: int) -> bytes:
        """Return the root of the first ``size`` leaves."""
        if not size:
            return EMPTY_ROOT
        await self._load([(0, size)])
        return self._hash((0, size))

    async def inclusion(self, places: Sequence[int], size: int) -> list[list[bytes]]:
        """Return the audit path of each leaf in the tree of this size."""
        spans = [inclusion_spans(place, size) for place in places]
        await self._load(span for group in spans for span in group)
        return [[self._hash(span) for span in group] for group in spans]

    async def consistency(self, old_size: int, size: int) -> list[bytes]:
        """Return the proof that the tree of this size begins with the older one; none for 0."""
        spans = consistency_spans(old_size, size) if old_size else []
        await self._load(spans)
        return [self._hash(span) for span in spans]

    async def _load(self, spans: Iterable[Span]) -> None:
        nodes = {node for span in spans for node in _perfect(span)}
        wanted = {_tile_of(level, place) for level, place in nodes} - self._tiles
        for level in sorted({level for level, _ in wanted}):
            tiles = [tile for one, tile in wanted if one == level]
            if level:
                rows = await self._connection.fetch(_NODES, level, tiles)
            else:
                rows = await self._connection.fetch(_LEAVES, tiles)
            self._hashes.update({(level, row["place"]): row["hash"] for row in rows})
        self._tiles |= wanted

    def _hash(self, span: Span) -> bytes:
        hashes = [self._node(level, place) for level, place in _perfect(span)]
        root = hashes[-1]
        for left in reversed(hashes[:-1]):
            root = node_hash(left, root)
        return root

    def _node(self, level: int, place: int) -> bytes:
        known = self._hashes.get((level, place))
        if known is None:
            stored = level - level % TILE_HEIGHT
            shift = level - stored
            below = range(place << shift, (place + 1) << shift)
            known = root_of([self._hashes[stored, one] for one in below])
            self._hashes[level, place] = known
        return known


async def store(connection: Connection, nodes: Sequence[Node]) -> None:
    """Store subtrees that were completed."""
    if nodes:
        await connection.execute(_INSERT, *zip(*nodes, strict=True))


async def backfill(connection: Connection) -> None:
    """Make the tiles of a log that was written before there were any."""
    done = await connection.fetchval("SELECT max(place) + 1 FROM trace_node WHERE level = 8")
    size = await connection.fetchval("SELECT size FROM trace_tree")
    if (done or 0) >= (size or 0) >> TILE_HEIGHT:
        return
    compact = CompactRange(0, [])
    statement = "SELECT leaf_hash FROM trace_leaf WHERE place >= $1 ORDER BY place LIMIT $2"
    while rows := await connection.fetch(statement, compact.size, _CHUNK):
        await store(connection, compact.extend(row["leaf_hash"] for row in rows))


def _perfect(span: Span) -> list[tuple[int, int]]:
    """Return the perfect subtrees of a span, left to right, as level and index.

    A span of a proof begins where a subtree of its size may begin.
    """
    low, high = span
    found = []
    while low < high:
        level = (high - low).bit_length() - 1
        found.append((level, low >> level))
        low += 1 << level
    return found


def _tile_of(level: int, place: int) -> tuple[int, int]:
    stored = level - level % TILE_HEIGHT
    return stored, (place << (level - stored)) // _WIDTH
