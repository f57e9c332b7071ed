"""Bring each head to the witnesses, store their cosignatures, sound the alarms they give."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hygie.kernel.audit import alarms, note
from hygie.kernel.audit.note import VerifierKey
from hygie.kernel.audit.proofs import Proofs
from hygie.kernel.audit.sequencer import KeyOf, signer_of
from hygie.kernel.audit.witness.client import LOST, Remote, Reply
from hygie.kernel.audit.witness.cosigner import cosigned_at
from hygie.kernel.errors import InvalidRequest, Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
EVERY = 5.0
"""Seconds between two looks for a new head."""
REFRESH = 60.0
"""Seconds after which the same head is brought again: the witness would know of a longer log."""
MOST_TRIES = 4
OK, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROVED = 200, 403, 404, 409, 422

_HEAD = "SELECT size, checkpoint FROM trace_head ORDER BY size DESC LIMIT 1"
_KNOWN = "SELECT coalesce(max(size), 0) FROM trace_cosignature WHERE witness = $1 AND size <= $2"
_STORE = """
INSERT INTO trace_cosignature (size, witness, line) VALUES ($1, $2, $3)
ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line, at = clock_timestamp()
"""
_HANDOVERS = "SELECT size, handover FROM trace_key WHERE size >= $1 ORDER BY size"


async def run(
    database: Database,
    witnesses: Sequence[Remote],
    stop: asyncio.Event,
    *,
    key_of: KeyOf,
    every: float = EVERY,
) -> None:
    """Bring heads to the witnesses until ``stop``.

    ``database`` is opened with role ``hygie_sequencer``; ``key_of`` gives the log's key.
    """
    brought: dict[str, tuple[int, float]] = {}
    while not stop.is_set():
        for witness in witnesses:
            try:
                async with database.connection() as connection:
                    size = await connection.fetchval("SELECT size FROM trace_tree")
                    last, at = brought.get(witness.address, (0, 0.0))
                    if size and (size != last or time.monotonic() - at > REFRESH):
                        key = (await signer_of(connection, key_of)).verifier_key
                        await bring(connection, witness, key=key)
                        brought[witness.address] = size, time.monotonic()
            except Unavailable:
                log.warning("witness.database_lost")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


async def bring(connection: Connection, witness: Remote, *, key: str) -> bool:
    """Bring the last head to one witness; return whether it cosigned it.

    What it says of the log is an alarm: another history, a longer log, or no answer.
    """
    head = await connection.fetchrow(_HEAD)
    if head is None:
        return False
    try:
        signer = await asyncio.to_thread(witness.verifier_key)
        asking = _Asking(connection, witness, signer, key, head["size"], head["checkpoint"])
        refusal = await asking.run()
    except LOST as error:
        refusal = _Refusal("witness", f"It does not answer: {error}")
    except InvalidRequest as error:
        refusal = _Refusal("witness", f"It does not say its key: {error}")
    for kind in ("witness", "fork", "rollback"):
        if refusal is not None and refusal.kind == kind:
            await alarms.sound(connection, kind, witness.address, refusal.detail)
        elif refusal is None or kind == "witness":
            await alarms.end(connection, kind, witness.address)
    return refusal is None


async def check(connection: Connection, witness: Remote, key_of: KeyOf) -> str:
    """Bring the last head to one witness now; return a sentence on what it says."""
    signer = await signer_of(connection, key_of)
    size = await connection.fetchval("SELECT size FROM trace_tree")
    if not size:
        return f"{witness.address}: the log is empty."
    good = await bring(connection, witness, key=signer.verifier_key)
    said = f"cosigns the log of {size} events" if good else "does NOT cosign the log"
    return f"{witness.address}: {said}."


@dataclass(frozen=True, slots=True)
class _Refusal:
    kind: str
    detail: str


@dataclass(slots=True)
class _Asking:
    connection: Connection
    witness: Remote
    signer: VerifierKey
    key: str
    size: int
    checkpoint: str

    async def run(self) -> _Refusal | None:
        """Submit the head until the witness answers for good."""
        old = await self.connection.fetchval(_KNOWN, self.signer.name, self.size)
        for _ in range(MOST_TRIES):
            reply = await self._submit(old, self.size, self.checkpoint)
            if reply.status == OK:
                return await self._keep(reply.text)
            learnt = await self._learn(reply, old)
            if isinstance(learnt, _Refusal):
                return learnt
            old = learnt
        return _Refusal("witness", f"It does not take the head of size {self.size}.")

    async def _learn(self, reply: Reply, old: int) -> int | _Refusal:
        """Return the size to go on from, or why to stop."""
        if reply.status == CONFLICT:
            known = int(reply.text) if reply.text.strip().isdigit() else self.size
            if known > self.size:
                return _Refusal("rollback", _SHORTER.format(known=known, size=self.size))
            return known if known != old else _Refusal("fork", _OTHER.format(size=known))
        if reply.status == UNPROVED:
            return _Refusal("fork", _OTHER.format(size=old))
        if reply.status == NOT_FOUND:
            await asyncio.to_thread(self.witness.introduce, self.key)
            return old
        if reply.status == FORBIDDEN:
            return await self._hand_over(old)
        return _Refusal("witness", f"It refuses the head of size {self.size}: {reply.status}.")

    async def _submit(self, old: int, size: int, signed: str) -> Reply:
        proof = await Proofs(self.connection).consistency(old, size)
        return await asyncio.to_thread(self.witness.add_checkpoint, old, proof, signed)

    async def _keep(self, lines: str) -> _Refusal | None:
        text = note.split(self.checkpoint)[0]
        if cosigned_at(self.signer, text, lines) is None:
            return _Refusal("witness", "Its cosignature is wrong.")
        line = next(one for one in lines.splitlines() if f" {self.signer.name} " in one)
        await self.connection.execute(_STORE, self.size, self.signer.name, f"{line}\n")
        return None

    async def _hand_over(self, old: int) -> int:
        """Bring the changes of key that the witness has not seen; return the size it knows."""
        latest = await asyncio.to_thread(self.witness.latest, note.parse_key(self.key).name)
        known = note.read_checkpoint(note.split(latest.text)[0]) if latest.status == OK else None
        old = known.size if known is not None else old
        for row in await self.connection.fetch(_HANDOVERS, old):
            reply = await self._submit(old, row["size"], row["handover"])
            if reply.status == OK:
                old = row["size"]
        return old


_SHORTER = (
    "It cosigned a log of {known} events and the log has {size}: its tail was removed, or an old "
    "backup was restored. Export the log and verify it against the heads of the witness."
)
_OTHER = (
    "It cosigned another history of the first {size} events: the log was rewritten. Export the log "
    "and verify it against the heads of the witness."
)
