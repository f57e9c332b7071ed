"""Surrogate numbers of patients, practitioners and structures.

A number never changes and is never given twice, so it is kept in memory for ever. Numbers are made
in a statement of their own: a write that fails later leaves at worst an unused number.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.ids import id_of, key_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_FIND = """
SELECT p.num, p.rt, p.uid FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN party p ON p.rt = a.rt AND p.uid = a.uid
"""
# Sorted, so that two writers who make the same numbers wait for one another in one order.
_MAKE = """
INSERT INTO party (rt, uid, rid)
SELECT a.rt, a.uid, a.rid FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS a (rt, uid, rid)
ORDER BY a.rt, a.uid
ON CONFLICT (rt, uid) DO NOTHING
"""
_NAMES = "SELECT num, rt, uid, rid FROM party WHERE num = ANY ($1::integer[])"


class Parties:
    """The numbers known to this process."""

    def __init__(self, *, limit: int = 500_000) -> None:
        self._numbers: dict[tuple[int, uuid.UUID], int] = {}
        self._limit = limit

    async def ensure(
        self, connection: Connection, references: Iterable[PartyRef], *, lasting: bool = True
    ) -> Mapping[PartyRef, int]:
        """Return the number of each reference, making those that have none.

        ``lasting`` is False inside a transaction that may be rolled back: new numbers are then
        not remembered.
        """
        keys = {ref: (type_number(ref[0]), *key_of(ref[1])) for ref in set(references)}
        if not lasting:
            apart = Parties()
            apart._numbers = dict(self._known(keys.values()))
            return await apart.ensure(connection, keys)
        missing = sorted(
            {key for key in keys.values() if key[:2] not in self._numbers},
            key=lambda key: key[:2],
        )
        if missing:
            await self._load(connection, missing)
            new = [key for key in missing if key[:2] not in self._numbers]
            if new:
                await connection.execute(_MAKE, *map(list, zip(*new, strict=True)))
                await self._load(connection, new)
        return {ref: self._numbers[key[0], key[1]] for ref, key in keys.items()}

    async def find(self, connection: Connection, reference: PartyRef) -> int | None:
        """Return the number of one reference, or None when nothing here ever named it."""
        key = (type_number(reference[0]), *key_of(reference[1]))
        if key[:2] not in self._numbers:
            await self._load(connection, [key])
        return self._numbers.get((key[0], key[1]))

    async def references(
        self, connection: Connection, numbers: Iterable[int]
    ) -> dict[int, PartyRef]:
        """Return who the numbers stand for."""
        rows = await connection.fetch(_NAMES, list(numbers))
        return {row["num"]: (type_name(row["rt"]), id_of(row["uid"], row["rid"])) for row in rows}

    def _known(
        self, keys: Iterable[tuple[int, uuid.UUID, str | None]]
    ) -> Iterable[tuple[tuple[int, uuid.UUID], int]]:
        for rt, uid, _ in keys:
            if (rt, uid) in self._numbers:
                yield (rt, uid), self._numbers[rt, uid]

    async def _load(
        self, connection: Connection, keys: list[tuple[int, uuid.UUID, str | None]]
    ) -> None:
        rows = await connection.fetch(_FIND, [key[0] for key in keys], [key[1] for key in keys])
        if len(self._numbers) > self._limit:
            self._numbers.clear()
        for row in rows:
            self._numbers[row["rt"], row["uid"]] = row["num"]
