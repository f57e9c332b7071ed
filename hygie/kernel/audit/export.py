"""Export the access log as NDJSON that ``hygie_verify`` reads offline.

::

    {"hygie_log":2,"origin":"…","key":"…"}            first line; the first key, as a claim
    {"place":0,"leaf":"…","header":"…","salt":"…","body":"…"}   no salt nor body once erased
    {"head":"…","cosignatures":"…","timestamp":"…"}   a checkpoint, after the leaf that ends it
    {"handover":"…"}                                   a change of key, after its head
    {"stray":7}                                        a trace that claims a place it was not given
    {"end":{"leaves":12,"heads":3}}                    last line, so that a cut is seen

``header`` and ``body`` are strings: their UTF-8 bytes are what was hashed. ``cosignatures`` are
the signature lines of witnesses, ``timestamp`` is an RFC 3161 answer in base64; a head has them
where they were given.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import leaf
from hygie.kernel.audit.checkpoint import Signer

if TYPE_CHECKING:
    from asyncpg import Connection

FORMAT = 2
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
_HEADS = """
SELECT h.size, h.checkpoint, t.token, k.handover,
  (SELECT string_agg(c.line, '' ORDER BY c.witness) FROM trace_cosignature c WHERE c.size = h.size)
    AS cosignatures
FROM trace_head h LEFT JOIN trace_timestamp t ON t.size = h.size
  LEFT JOIN trace_key k ON k.size = h.size
WHERE h.size > $1 AND h.size <= $2 ORDER BY h.size
"""

_encode = msgspec.json.Encoder().encode


async def export(connection: Connection, key: Ed25519PrivateKey) -> AsyncIterator[bytes]:
    """Yield the lines of the whole log, as one snapshot; needs role ``hygie_sequencer``."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        origin = await connection.fetchval("SELECT origin FROM trace_tree")
        first = await first_key(connection) or Signer(origin, key).verifier_key
        yield line({"hygie_log": FORMAT, "origin": origin, "key": first})
        place, heads = 0, 0
        while rows := await connection.fetch(_LEAVES, place):
            found = await connection.fetch(_HEADS, place, rows[-1]["leaf_place"] + 1)
            ends = {head["size"]: head for head in found}
            for row in rows:
                place = row["leaf_place"] + 1
                yield _leaf(row)
                if place in ends:
                    heads += 1
                    yield line(head_of(ends[place]))
                    if ends[place]["handover"]:
                        yield line({"handover": ends[place]["handover"]})
        for stray in await connection.fetch(_STRAYS):
            yield line({"stray": stray["id"]})
        leaves = await connection.fetchval("SELECT count(*) FROM trace_leaf")
        yield line({"end": {"leaves": leaves, "heads": heads}})


async def first_key(connection: Connection) -> str | None:
    """Return the verifier key that signed the first head, None where there is no head."""
    found: str | None = await connection.fetchval("SELECT key FROM trace_key WHERE size = 0")
    return found


def head_of(row: leaf.Row) -> dict[str, str]:
    """Return a head as an export tells it, with what witnesses and authority gave."""
    told = {"head": row["checkpoint"]}
    if row["cosignatures"]:
        told["cosignatures"] = row["cosignatures"]
    if row["token"]:
        told["timestamp"] = base64.b64encode(row["token"]).decode()
    return told


def _leaf(row: leaf.Row) -> bytes:
    told = {"place": row["leaf_place"], "leaf": row["leaf_hash"].hex()}
    if row["id"] is not None:
        told["header"] = leaf.header(row, row["body_hash"]).decode()
        if row["salt"] is not None:
            told["salt"] = row["salt"].bytes.hex()
            told["body"] = leaf.body(row).decode()
    return line(told)


def line(value: Mapping[str, Any]) -> bytes:
    """Return a line of an export."""
    return _encode(value) + b"\n"
