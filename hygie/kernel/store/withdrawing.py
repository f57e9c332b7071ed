"""Withdraw earlier versions: what was corrected at a person's demand, and what was deleted.

Column ``label`` of ``resource_history`` carries the bit ``Label.WITHDRAWN``, set in the transaction
of the correction or the deletion. It is no label of the resource: it stands in no body, reaches
nothing else and is never lifted, not even where the id is used again. A deletion itself is not
withdrawn: whoever could read the resource may learn that it is gone.

The rules say who still reads such a version (docs/adr/0023-withdrawn-versions.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hygie.kernel.security.labels import Label
from hygie.kernel.store.rows import Version

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

# One statement each: what sets the belt aside must not depend on the order in a plan. Earlier
# versions may be out of sight of who corrects or deletes.
_OPEN = "SELECT set_config('hygie.system', 'true', TRUE)"
_CLOSE = "SELECT set_config('hygie.system', $1, TRUE)"
_IS_OPEN = "SELECT coalesce(nullif(current_setting('hygie.system', TRUE), ''), 'false')"
_WITHDRAW = f"""
UPDATE resource_history h SET label = h.label | {int(Label.WITHDRAWN)},
  own_label = h.own_label | {int(Label.WITHDRAWN)}
FROM unnest($1::bigint[], $2::integer[]) AS a (key, ver)
WHERE h.key = a.key AND h.ver < a.ver AND NOT h.deletion
  AND (h.label & {int(Label.WITHDRAWN)}) = 0
"""


async def withdraw(connection: Connection, versions: Sequence[Version]) -> None:
    """Withdraw what stood before those of these versions that correct or delete."""
    chosen = [one for one in versions if _withdraws(one)]
    if not chosen:
        return
    before = await connection.fetchval(_IS_OPEN)
    await connection.execute(_OPEN)
    await connection.execute(
        _WITHDRAW, [one.key for one in chosen], [one.permit.version for one in chosen]
    )
    await connection.execute(_CLOSE, before)


def _withdraws(version: Version) -> bool:
    change = version.permit.change
    return change.method == "delete" or change.withdraws
