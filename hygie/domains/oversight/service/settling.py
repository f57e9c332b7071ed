"""What follows from decisions: a declaration says that it was reviewed, justified items close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from hygie.domains.oversight.fhir import reviewed
from hygie.domains.oversight.model.states import Origin, State
from hygie.domains.oversight.service.daily import NAME
from hygie.kernel.security.caller import job
from hygie.kernel.store import Repository

KEPT_UP = timedelta(days=30)
"""How long after its decision a declaration is still brought up to date."""
_DECIDED = """
SELECT declared, decision FROM oversight_item
WHERE kind = $1 AND decision IS NOT NULL AND decided > $2 AND declared <> '' ORDER BY id
"""
_CLOSE = "UPDATE oversight_item SET state = $1, closed = $3 WHERE state = $2"


async def settle(repository: Repository, *, at: datetime) -> int:
    """Write the review into the declarations, close what is justified; return how many written."""
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(_DECIDED, int(Origin.EMERGENCY), at - KEPT_UP)
    written = 0
    for row in rows:
        decision = State(row["decision"])
        written += await _write(repository, row["declared"], decision)
    async with repository.database.transaction(system=True) as connection:
        await connection.execute(_CLOSE, int(State.CLOSED), int(State.JUSTIFIED), at)
    return written


async def _write(repository: Repository, declared: str, decision: State) -> bool:
    """Write the decision into one declaration, unless it is there already."""
    rt, _, rid = declared.partition("/")
    stored = await repository.read(job(NAME), rt, rid)
    task: dict[str, Any] = msgspec.json.decode(stored.body or b"{}")
    told = reviewed(decision)
    # Whoever declared may write there too: the decision of the review takes its place.
    if task.get("businessStatus") == told:
        return False
    body = msgspec.json.encode({**task, "businessStatus": told})
    await repository.update(job(NAME), rt, rid, body, if_match=stored.version)
    return True
