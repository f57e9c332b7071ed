"""Repeat the erasure ledger: keys are destroyed and resources removed again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from hygie.app import compose
from hygie.kernel.config import Settings
from hygie.kernel.errors import Conflict
from hygie.kernel.security.keys.ledger import Erasure, Ledger
from hygie.kernel.security.keys.shredding import every_erasure, repeat
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.purging import purge

WHY = "erasure ledger repeated"


def repeat_all(settings: Settings, dsn: str, *, more: Sequence[Erasure] = ()) -> Sequence[Erasure]:
    """Carry out every erasure ever recorded; return them.

    Resources go first and the table is written last: what is interrupted is begun again.

    Raises:
        ConfigurationError: two copies of the ledger contradict each other, or a line was changed.
    """
    ledger = Ledger.of(settings)
    erasures = every_erasure(dsn, ledger, more=more)
    if any(erasure.resources for erasure in erasures):
        asyncio.run(_remove(settings, dsn, erasures))
    return repeat(dsn, ledger, more=more, restored=True)


async def _remove(settings: Settings, dsn: str, erasures: Sequence[Erasure]) -> None:
    repository = await open_repository(settings, law=compose(settings).law, dsn=dsn)
    try:
        for erasure in erasures:
            await _remove_all(repository, erasure)
    finally:
        await repository.database.close()


async def _remove_all(repository: Repository, erasure: Erasure) -> None:
    try:
        await purge(repository, erasure.patient, erasure.resources, why=WHY)
    except Conflict:
        for reference in erasure.resources:
            # On the day of the backup, this one was about somebody else too: it is theirs.
            with contextlib.suppress(Conflict):
                await purge(repository, erasure.patient, [reference], why=WHY)
