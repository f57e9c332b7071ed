"""Whom somebody may act for now: the relations in another person's name that hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.ids import check_id, id_of, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hygie.kernel.store.repository import Repository

IN_THE_NAME = (
    Relation.PARENT,
    Relation.GUARDIAN,
    Relation.MANAGES,
    Relation.HELPER,
    Relation.HELPER_ADMINISTRATIVE,
)
"""Relations by which somebody reads, or decides, in the patient's name; the widest first."""
_HOLDING = f"""
SELECT c.pat, c.member, p.uid, p.rid, array_agg(DISTINCT c.kind) AS kinds,
  nullif(max(least(c.ends, coalesce(m.ends, c.ends))), 'infinity') AS ends
FROM care_relation c
JOIN party p ON p.num = c.pat
LEFT JOIN care_relation m ON m.pat = c.pat AND m.member = 0 AND m.kind = {int(Relation.MINOR)}
  AND c.kind = {int(Relation.PARENT)} AND now() >= m.starts AND now() < m.ends
WHERE c.member = ANY ($1::integer[]) AND c.kind = ANY ($2::smallint[])
  AND now() >= c.starts AND now() < c.ends
  AND (c.kind <> {int(Relation.PARENT)} OR m.pat IS NOT NULL)
  AND ($3::uuid IS NULL OR (p.uid = $3 AND p.rt = {type_number("Patient")}))
GROUP BY c.pat, c.member, p.uid, p.rid ORDER BY c.pat, c.member
"""


@dataclass(frozen=True, slots=True)
class InTheName:
    """In what relations somebody acts for a patient now.

    Attributes:
        patient: id of the Patient; ``pat`` its number.
        member: number of who acts.
        relations: those that hold, the widest first.
        ends: when the last of them ends, None where no end is known.
    """

    patient: str
    pat: int
    member: int
    relations: tuple[Relation, ...]
    ends: datetime | None


async def in_the_name(
    repository: Repository, members: Sequence[int], *, patient: str = ""
) -> list[InTheName]:
    """Return for whom some parties may act now, of one ``patient`` or of all.

    It reads relations, no health data, and leaves no trace: what follows is traced.
    """
    uid = key_of(check_id(patient))[0] if patient else None
    async with repository.database.connection() as connection:
        rows = await connection.fetch(
            _HOLDING, list(members), [int(one) for one in IN_THE_NAME], uid
        )
    return [
        InTheName(
            id_of(row["uid"], row["rid"]),
            row["pat"],
            row["member"],
            tuple(one for one in IN_THE_NAME if one in row["kinds"]),
            row["ends"],
        )
        for row in rows
    ]
