"""Forget people whose whole record was erased: what oversight keeps of them goes too."""

from __future__ import annotations

from hygie.domains.oversight.model.states import State
from hygie.domains.oversight.service.daily import NAME
from hygie.kernel.security.caller import job
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request

# A purge takes the key of a resource away; a mere deletion leaves it.
_GONE = f"""
SELECT p.num FROM party p
WHERE p.num IN (SELECT pat FROM oversight_look UNION SELECT pat FROM oversight_candidate
    UNION SELECT pat FROM oversight_protected
    UNION SELECT pat FROM oversight_item WHERE initials <> '' OR words <> ''
      OR state = {int(State.CLOSED)} AND coalesce(note, asked, answer) IS NOT NULL)
  AND NOT EXISTS (SELECT FROM resource_key k WHERE k.rt = p.rt AND k.uid = p.uid)
"""
_FORGET = (
    *(
        f"DELETE FROM oversight_{table} WHERE pat = ANY ($1::integer[])"
        for table in ("look", "candidate", "protected")
    ),
    # That somebody looked, and what was decided, stays: it is about who looked.
    "UPDATE oversight_item SET initials = '', words = '' WHERE pat = ANY ($1::integer[])",
    f"""
    UPDATE oversight_item SET asked = NULL, answer = NULL, note = NULL
    WHERE pat = ANY ($1::integer[]) AND state = {int(State.CLOSED)}
    """,
)


async def forget_the_erased(repository: Repository) -> int:
    """Remove what is kept of people whose Patient was purged; return how many there were."""
    async with repository.reading(job(NAME), Request("delete")) as reading:
        gone = [row["num"] for row in await reading.connection.fetch(_GONE)]
        if gone:
            for statement in _FORGET:
                await reading.connection.execute(statement, gone)
            reading.seen(gone)
    return len(gone)
