from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.audit import proofs
from hygie.kernel.audit.merkle import (
    CompactRange,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    root_of,
)
from hygie.kernel.audit.proofs import Proofs

if TYPE_CHECKING:
    from asyncpg import Connection

LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(70_000)]
SIZES = (1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_793, 70_000)


@pytest.fixture
async def stored(owner: Connection) -> Connection:
    """Return a log of 70,000 leaves whose tiles are made afterwards."""
    await owner.execute(
        "INSERT INTO trace_leaf SELECT place - 1, place, now(), leaf, leaf "
        "FROM unnest($1::bytea[]) WITH ORDINALITY AS given (leaf, place)",
        LEAVES,
    )
    await owner.execute("UPDATE trace_tree SET size = $1", len(LEAVES))
    await proofs.backfill(owner)
    return owner


async def test_a_proof_of_the_stored_log_is_the_one_of_its_leaves(stored: Connection) -> None:
    for size in SIZES:
        made = Proofs(stored)
        root = root_of(LEAVES[:size])
        assert await made.root(size) == root
        for place in {0, size // 3, size - 1}:
            (path,) = await made.inclusion([place], size)
            assert path == inclusion_proof(LEAVES[:size], place)
            assert is_included(LEAVES[place], place, size=size, proof=path, root=root)
        for old in {1, size // 2 or 1, size}:
            proof = await made.consistency(old, size)
            assert proof == consistency_proof(LEAVES[:size], old)
            assert is_consistent(
                old_size=old, old_root=root_of(LEAVES[:old]), size=size, root=root, proof=proof
            )


async def test_the_tiles_are_those_of_seventy_thousand_leaves(stored: Connection) -> None:
    counted = await stored.fetch(
        "SELECT level, count(*) AS n FROM trace_node GROUP BY 1 ORDER BY 1"
    )
    assert [(row["level"], row["n"]) for row in counted] == [(8, 273), (16, 1)]
    await stored.execute("TRUNCATE trace_node")
    await proofs.backfill(stored)
    await proofs.backfill(stored)
    assert await stored.fetchval("SELECT count(*) FROM trace_node") == 274


def test_leaves_added_together_or_one_by_one_make_the_same_tree() -> None:
    together, one_by_one = CompactRange(0, []), CompactRange(0, [])
    together.extend(LEAVES[:1000])
    for leaf in LEAVES[:1000]:
        one_by_one.append(leaf)
    assert together == one_by_one


async def test_an_empty_log_has_the_empty_root(stored: Connection) -> None:
    assert await Proofs(stored).root(0) == hashlib.sha256(b"").digest()
    assert await Proofs(stored).consistency(0, 5) == []
