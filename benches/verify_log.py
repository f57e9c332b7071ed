"""Verifying an export of the access log offline: events per second.

    python benches/verify_log.py [EVENTS]

The baseline, in the same run, is reading and decoding the lines without verifying anything.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import leaf
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.merkle import CompactRange, leaf_hash
from hygie_verify.note import VerifierKey
from hygie_verify.walk import verify

EVENTS_A_HEAD = 1_000
PROTOTYPE = 64_500
ROUNDS = 3


def export(events: int, signer: Signer) -> Iterable[bytes]:
    """Return an export of reads, as the platform writes it."""
    tree = CompactRange(0, [])
    yield line({"hygie_log": 2, "origin": signer.origin, "key": signer.verifier_key})
    for place in range(events):
        row = event(place)
        salt = UUID(int=place)
        body = leaf.body(row)
        header = leaf.header(row, leaf.body_hash(salt, body))
        hashed = leaf_hash(header)
        tree.append(hashed)
        yield line(
            {
                "place": place,
                "leaf": hashed.hex(),
                "header": header.decode(),
                "salt": salt.bytes.hex(),
                "body": body.decode(),
            }
        )
        if tree.size % EVENTS_A_HEAD == 0 or tree.size == events:
            yield line({"head": signer.sign(tree.size, tree.root())})
    yield line({"end": {"leaves": events, "heads": -(-events // EVENTS_A_HEAD)}})


def event(place: int) -> dict[str, object]:
    """Return a row of the log."""
    return {
        "id": place,
        "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=37 * place),
        "request": UUID(int=place),
        "kind": 2,
        "interaction": "read",
        "outcome": 200,
        "purpose": "TREAT",
        "rule": "care_team",
        "rt": 3,
        "agent": f"Practitioner/{UUID(int=place)}",
        "detail": None,
        "party": place % 3_000,
        "pat": place % 50_000,
        "peer": "192.0.2.7",
        "query": None,
        "uid": UUID(int=place),
        "ver": 1,
        "v": 2,
        "label": 0,
        "flags": 0,
        "agent_role": "10",
        "agent_structure": place % 200,
        "pats": None,
    }


def line(value: object) -> bytes:
    """Return a line of an export."""
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def best(act: Callable[[], object]) -> float:
    """Return the shortest of some rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if sys.argv[1:] else 100_000
    seed = hashlib.sha256(b"bench").digest()
    signer = Signer("hygie/trace/bench", Ed25519PrivateKey.from_private_bytes(seed))
    lines = list(export(events, signer))
    key = VerifierKey.parse(signer.verifier_key)
    assert verify(lines, key=key).is_whole
    bare = best(lambda: [json.loads(one) for one in lines])
    whole = best(lambda: verify(lines, key=key))
    size = sum(map(len, lines)) / events
    print(f"{events:,} events of {size:.0f} bytes")
    print(f"decode only (baseline)   {events / bare:10,.0f} events/s")
    print(f"verify                   {events / whole:10,.0f} events/s   ratio {bare / whole:.2f}")
    print(f"prototype                {PROTOTYPE:10,} events/s")


if __name__ == "__main__":
    main()
