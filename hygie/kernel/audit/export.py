"""Export the access log as NDJSON that ``hygie_verify`` reads offline.

::

    {"hygie_log":1,"origin":"…","key":"…"}            first line; the key is a claim
    {"place":0,"leaf":"…","header":"…","salt":"…","body":"…"}   no salt nor body once erased
    {"head":"…"}                                       a checkpoint, after the leaf that ends it
    {"stray":7}                                        a trace that claims a place it was not given
    {"end":{"leaves":12,"heads":3}}                    last line, so that a cut is seen

``header`` and ``body`` are strings: their UTF-8 bytes are what was hashed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import leaf
from hygie.kernel.audit.checkpoint import Signer

if TYPE_CHECKING:
    from asyncpg import Connection

FORMAT = 1
_CHUNK = 5_000
_LEAVES = f"""
SELECT leaf.*, trace.* FROM
  (SELECT place AS leaf_place, id AS leaf_id, at AS leaf_at, body_hash, leaf_hash FROM trace_leaf
   WHERE place >= $1 ORDER BY place LIMIT {_CHUNK}) AS leaf
  LEFT JOIN LATERAL (SELECT {leaf.COLUMNS} FROM trace
    WHERE trace.at = leaf.leaf_at AND trace.id = leaf.leaf_id) AS trace ON TRUE
ORDER BY leaf.leaf_place
"""
# Rows that claim a place which the tree gives to another, or to none.
_STRAYS = """
SELECT id FROM trace WHERE place IS NOT NULL AND NOT EXISTS (SELECT FROM trace_leaf
  WHERE trace_leaf.place = trace.place AND trace_leaf.id = trace.id AND trace_leaf.at = trace.at)
"""
_HEADS = "SELECT size, checkpoint FROM trace_head WHERE size > $1 AND size <= $2 ORDER BY size"

_encode = msgspec.json.Encoder().encode


async def export(connection: Connection, key: Ed25519PrivateKey) -> AsyncIterator[bytes]:
    """Yield the lines of the whole log, as one snapshot; needs role ``hygie_sequencer``."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        origin = await connection.fetchval("SELECT origin FROM trace_tree")
        signer = Signer(origin, key)
        yield _line({"hygie_log": FORMAT, "origin": origin, "key": signer.verifier_key})
        place, heads = 0, 0
        while rows := await connection.fetch(_LEAVES, place):
            ends = {
                head["size"]: head["checkpoint"]
                for head in await connection.fetch(_HEADS, place, rows[-1]["leaf_place"] + 1)
            }
            for row in rows:
                place = row["leaf_place"] + 1
                yield _leaf(row)
                if place in ends:
                    heads += 1
                    yield _line({"head": ends[place]})
        for stray in await connection.fetch(_STRAYS):
            yield _line({"stray": stray["id"]})
        leaves = await connection.fetchval("SELECT count(*) FROM trace_leaf")
        yield _line({"end": {"leaves": leaves, "heads": heads}})


def _leaf(row: leaf.Row) -> bytes:
    line = {"place": row["leaf_place"], "leaf": row["leaf_hash"].hex()}
    if row["id"] is not None:
        line["header"] = leaf.header(row, row["body_hash"]).decode()
        if row["salt"] is not None:
            line["salt"] = row["salt"].bytes.hex()
            line["body"] = leaf.body(row).decode()
    return _line(line)


def _line(value: Mapping[str, Any]) -> bytes:
    return _encode(value) + b"\n"
