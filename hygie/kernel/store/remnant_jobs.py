"""After erasures, clear the files of the database of what deleted rows leave there.

The job does what hinders nobody: it compacts the tables and writes over the journal. To write the
tables anew stops those who ask for them: the operator chooses when (``hygie clear-remnants``).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hygie.kernel.database.remnants import clear_journal, clear_tables
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.key_jobs import trace_upkeep

if TYPE_CHECKING:
    from hygie.kernel.store.repository import Repository

log = logging.getLogger(__name__)
CLEAR = "store.clear_remnants"
EVERY = 86_400.0
"""Seconds between two looks at whether something was erased."""
_PENDING = """
SELECT max(e.number) FROM hygie_keys.erasure e
WHERE NOT EXISTS (SELECT 1 FROM hygie_keys.cleared c WHERE c.erasure >= e.number)
"""
_LAST = "SELECT coalesce(max(number), 0) FROM hygie_keys.erasure"
_DONE = """
INSERT INTO hygie_keys.cleared (erasure, rewritten) VALUES ($1, $2)
ON CONFLICT (erasure) DO UPDATE
SET rewritten = hygie_keys.cleared.rewritten OR excluded.rewritten, at = now()
"""


async def is_pending(repository: Repository) -> bool:
    """Tell whether something was erased since the files were cleared."""
    async with repository.keyring.database.connection() as connection:
        return await connection.fetchval(_PENDING) is not None


async def clear_remnants(
    repository: Repository, caller: Caller, *, admin_dsn: str | None, rewrite: bool = False
) -> int | None:
    """Clear the files of the database; return how many files of the journal were written over.

    Args:
        repository: where resources were purged.
        caller: whom the trace names.
        admin_dsn: connects as the superuser of the embedded server; None for a server of one's
            own, whose journal its administrators clear.
        rewrite: write the tables anew, while requests wait.
    """
    async with repository.keyring.database.connection() as connection:
        last = await connection.fetchval(_LAST)
    await asyncio.to_thread(clear_tables, repository.database.dsn, rewrite=rewrite)
    files = await asyncio.to_thread(clear_journal, admin_dsn) if admin_dsn else None
    async with repository.keyring.database.connection() as connection:
        await connection.execute(_DONE, last, rewrite)
    how = "tables rewritten" if rewrite else "tables compacted"
    journal = f"{files} files of the journal written over" if files else "journal left"
    await trace_upkeep(repository.database, caller, f"remnants of erasures: {how}; {journal}")
    log.info("remnants.cleared", extra={"erasure": last, "rewritten": rewrite})
    return files
