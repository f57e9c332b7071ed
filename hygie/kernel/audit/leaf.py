"""Canonical bytes of a trace: a header that names nobody, and a salted body that may be erased.

The leaf is the header; the header holds ``SHA-256(salt || body)``. Erasing the body and its salt
leaves every proof valid, and nobody can test a guess against the hash.

The bytes are JSON in one form: keys in alphabetical order, no spaces, absent values left out.
A row says in column ``v`` which columns its leaf commits to. Version 2 adds labels and flags to
the header, role and structure of who acted and the set of patients to the body; the bytes of
version 1 are the same without them.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

COLUMNS = """
id, at, place, request, salt, uid, party, pat, ver, rt, kind, outcome, interaction, purpose, rule,
agent, host(peer) AS peer, detail, query, v, label, flags, agent_role, agent_structure, pats
"""
"""What :func:`body` and :func:`header` read of a row of ``trace``."""


class Row(Protocol):
    """A row of ``trace`` with these columns."""

    def __getitem__(self, column: str, /) -> Any: ...


class _Body(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    agent: str | None = None
    agent_role: str | None = None
    agent_structure: int | None = None
    detail: str | None = None
    party: int | None = None
    pat: int | None = None
    pats: list[int] | None = None
    peer: str | None = None
    query: bytes | None = None
    uid: UUID | None = None
    ver: int | None = None


class _Header(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    at: datetime
    body: str
    flags: int = 0
    id: int
    interaction: str
    kind: int
    label: int = 0
    outcome: int
    purpose: str
    request: UUID
    rt: int | None = None
    rule: str = ""
    v: int


_encode = msgspec.json.Encoder().encode


def body(row: Row) -> bytes:
    """Return the bytes of what can name a person; query in base64."""
    return _encode(
        _Body(
            agent=row["agent"],
            agent_role=row["agent_role"],
            agent_structure=row["agent_structure"],
            detail=row["detail"],
            party=row["party"],
            pat=row["pat"],
            pats=row["pats"],
            peer=row["peer"],
            query=row["query"],
            uid=row["uid"],
            ver=row["ver"],
        )
    )


def body_hash(salt: UUID, body: bytes) -> bytes:
    """Return the salted hash of a body."""
    return hashlib.sha256(salt.bytes + body).digest()


def header(row: Row, body_hash: bytes) -> bytes:
    """Return the entry of the Merkle tree."""
    return _encode(
        _Header(
            at=row["at"],
            body=body_hash.hex(),
            flags=row["flags"],
            id=row["id"],
            interaction=row["interaction"],
            kind=row["kind"],
            label=row["label"],
            outcome=row["outcome"],
            purpose=row["purpose"],
            request=row["request"],
            rt=row["rt"],
            rule=row["rule"],
            v=row["v"],
        )
    )
