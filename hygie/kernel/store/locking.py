"""Lock what is about to change, then read it under the lock."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asyncpg import Record

from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.decision import caller_columns, grouped_rule_name, live_rules
from hygie.kernel.security.policies import Moves, Policies
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.asked import asked
from hygie.kernel.store.change import Change, Current, moved_labels
from hygie.kernel.store.facts import Fact, PartyRef, Practice, Stated
from hygie.kernel.store.ids import id_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

# In one order for all writers, so that they wait for one another and never in a circle.
_LOCK = """
SELECT k.key FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
ORDER BY k.rt, k.uid FOR UPDATE OF k
"""
_HERE = (
    ("rt", "smallint"),
    ("uid", "uuid"),
    ("rules", "bigint"),
    ("write_rules", "bigint"),
)
# A statement of its own: one that waited for a lock would still see the rows of before the wait.
_CURRENT = """
SELECT a.n, k.key, k.part, k.deleted, k.former, v.ver, v.upd, v.pat, v.author, v.label,
       coalesce(v.own_label, v.label) AS own_label, {read} AS read_rule, {write} AS write_rule
FROM {asked}
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
LEFT JOIN LATERAL (
  SELECT r.ver, r.upd, r.pat, r.rt, r.others, r.label, r.own_label, r.author, r.matter
  FROM resource r WHERE NOT k.deleted AND r.part = k.part AND r.key = k.key
  UNION ALL
  (SELECT h.ver, h.upd, h.pat, h.rt, h.others, h.label, h.own_label, h.author, h.matter
   FROM resource_history h
   WHERE k.deleted AND h.part = k.part AND h.key = k.key ORDER BY h.ver DESC LIMIT 1)
) v ON TRUE
"""
_NEW = (
    ("pat", "integer"),
    ("rt", "smallint"),
    ("others", "integer[]"),
    ("label", "smallint"),
    ("author", "integer"),
    ("matter", "smallint"),
    ("rules", "bigint"),
)
_CONTENT = "SELECT a.n, {write} AS rule FROM {asked}"
_FACTS = """
SELECT f.source, p.rt AS patient_rt, p.uid AS patient_uid, p.rid AS patient_rid,
       m.rt AS member_rt, m.uid AS member_uid, m.rid AS member_rid, f.kind, f.starts, f.ends
FROM care_relation f JOIN party p ON p.num = f.pat LEFT JOIN party m ON m.num = f.member
WHERE f.source = ANY ($1::bigint[])
"""
_PRACTICES = """
SELECT f.source, m.rt AS member_rt, m.uid AS member_uid, m.rid AS member_rid, f.role,
       s.rt AS structure_rt, s.uid AS structure_uid, s.rid AS structure_rid, f.starts, f.ends
FROM practice f JOIN party m ON m.num = f.member LEFT JOIN party s ON s.num = f.structure
WHERE f.source = ANY ($1::bigint[])
"""


async def lock(connection: Connection, changes: Sequence[Change]) -> None:
    """Lock the ids of these changes until the transaction ends."""
    places = [change.place for change in changes]
    await connection.execute(_LOCK, [rt for rt, _ in places], [uid for _, uid in places])


class States:
    """Reads what stands now and judges what shall stand, under the locks."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._read = policies.read
        self._write = policies.write
        self._current = _CURRENT.format(
            read=grouped_rule_name(self._read, "v"),
            write=grouped_rule_name(self._write, "v", rules="a.write_rules"),
            asked=asked(_HERE),
        )
        # The same row judged by the rules of relabelling, for the few changes that touch labels.
        self._relabel = policies.relabel
        self._relabelled = _CURRENT.format(
            read="NULL::text",
            write=grouped_rule_name(self._relabel, "v", rules="a.write_rules"),
            asked=asked(_HERE),
        )
        self._known = _CURRENT.format(
            read=grouped_rule_name(self._read, "v"),
            write=grouped_rule_name(self._relabel, "v", rules="a.write_rules"),
            asked=asked(_HERE),
        )
        self._content = _CONTENT.format(
            write=grouped_rule_name(self._write, "a"), asked=asked(_NEW)
        )

    async def current(
        self, connection: Connection, changes: Sequence[Change], callers: Sequence[Caller]
    ) -> list[Current | None]:
        """Return what stands now under each id; None where nothing does."""
        places = [change.place for change in changes]
        rows = await connection.fetch(
            self._current,
            [rt for rt, _ in places],
            [uid for _, uid in places],
            live_rules(self._read, callers),
            live_rules(self._write, callers),
            *caller_columns(callers),
        )
        found: list[Current | None] = [None] * len(changes)
        for row in rows:
            found[row["n"] - 1] = _current(row)
        return await self._with_relabelling(connection, changes, callers, found)

    async def _with_relabelling(
        self,
        connection: Connection,
        changes: Sequence[Change],
        callers: Sequence[Caller],
        found: list[Current | None],
    ) -> list[Current | None]:
        """Add the rule of relabelling to what stands where a change touches labels."""
        numbers = [
            number
            for number, (change, current) in enumerate(zip(changes, found, strict=True))
            if current and (change.method == "relabel" or moved_labels(change, current))
        ]
        if not numbers:
            return found
        places = [changes[number].place for number in numbers]
        chosen = [callers[number] for number in numbers]
        live = [
            rules & self._policies.moving(moved_labels(changes[number], found[number]))
            for number, rules in zip(numbers, live_rules(self._relabel, chosen), strict=True)
        ]
        rows = await connection.fetch(
            self._relabelled,
            [rt for rt, _ in places],
            [uid for _, uid in places],
            live,
            live,
            *caller_columns(chosen),
        )
        for row in rows:
            number = numbers[row["n"] - 1]
            current = found[number]
            if current is not None:
                found[number] = replace(current, relabel_rule=row["write_rule"])
        return found

    async def relabelling(
        self,
        connection: Connection,
        places: Sequence[tuple[int, uuid.UUID]],
        callers: Sequence[Caller],
        moves: Sequence[Moves],
    ) -> list[tuple[bool, bool]]:
        """Return, for each place, whether the caller knows of it, and may move labels there."""
        live = live_rules(self._relabel, callers)
        rows = await connection.fetch(
            self._known,
            [rt for rt, _ in places],
            [uid for _, uid in places],
            live_rules(self._read, callers),
            [rules & self._policies.moving(one) for rules, one in zip(live, moves, strict=True)],
            *caller_columns(callers),
        )
        found = [(False, False)] * len(places)
        for row in rows:
            known = bool(row["ver"] and not row["deleted"] and row["read_rule"])
            found[row["n"] - 1] = known, known and row["write_rule"] is not None
        return found

    async def content_rules(
        self,
        connection: Connection,
        changes: Sequence[Change],
        callers: Sequence[Caller],
        numbers: Mapping[PartyRef, int],
    ) -> list[str | None]:
        """Return, for each change, the rule that permits its new content; None for a delete."""
        prepared = [change.prepared.indexed if change.prepared else None for change in changes]
        patients = [[numbers[ref] for ref in one.patients] if one else [] for one in prepared]
        rows = await connection.fetch(
            self._content,
            [mine[0] if mine else None for mine in patients],
            [change.place[0] for change in changes],
            [array(mine[1:]) for mine in patients],
            [one.label if one else 0 for one in prepared],
            [numbers[one.author] if one and one.author else None for one in prepared],
            [one.matter if one else 0 for one in prepared],
            live_rules(self._write, callers),
            *caller_columns(callers),
        )
        rules: list[str | None] = [None] * len(changes)
        for row in rows:
            rules[row["n"] - 1] = row["rule"]
        return rules


def _current(row: Record) -> Current:
    return Current(
        key=row["key"],
        part=row["part"],
        deleted=row["deleted"],
        former=tuple(row["former"] or ()),
        ver=row["ver"] or 0,
        upd=row["upd"],
        pat=row["pat"],
        label=row["label"] or 0,
        own_label=row["own_label"] or 0,
        read_rule=row["read_rule"] if row["ver"] else None,
        write_rule=row["write_rule"] if row["ver"] else None,
        author=row["author"],
    )


async def stated_by(connection: Connection, keys: Sequence[int]) -> dict[int, frozenset[Stated]]:
    """Return the facts that resources state now, by key; those that state none are left out."""
    found: dict[int, set[Stated]] = {}
    if not keys:
        return {}
    for row in await connection.fetch(_FACTS, keys):
        patient = _party(row, "patient")
        if patient is not None:
            fact = Fact(patient, _party(row, "member"), Relation(row["kind"]), *_period(row))
            found.setdefault(row["source"], set()).add(fact)
    for row in await connection.fetch(_PRACTICES, keys):
        member = _party(row, "member")
        if member is not None:
            practice = Practice(member, row["role"], _party(row, "structure"), *_period(row))
            found.setdefault(row["source"], set()).add(practice)
    return {key: frozenset(facts) for key, facts in found.items()}


def _period(row: Record) -> tuple[datetime, datetime]:
    """Return the bounds in UTC: asyncpg reads the two ends of time without a zone."""
    return row["starts"].replace(tzinfo=UTC), row["ends"].replace(tzinfo=UTC)


def _party(row: Record, name: str) -> PartyRef | None:
    number = row[f"{name}_rt"]
    if number is None:
        return None
    return type_name(number), id_of(row[f"{name}_uid"], row[f"{name}_rid"])


def array(values: Sequence[int | uuid.UUID]) -> str | None:
    """Return a PostgreSQL array literal, or None for an empty one."""
    return f"{{{','.join(map(str, values))}}}" if values else None
