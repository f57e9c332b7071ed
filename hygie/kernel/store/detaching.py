"""Let a label leave what it reached only if who takes the way apart may lift it there.

Labels go from a visit to a report and from the report to its results. Whoever drops a result from
the report, takes the report out of the visit, or deletes it, shows the results. A professional may
do so only where they may remove the labels that are lost; what is written itself is checked beside
its own labels (``attaching``). Labels that their own resource loses take theirs along by right, and
those of a deleted resource stay where they are: neither is a loss here.

All writes of a transaction count together: a result that two reports name leaves both at once.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hygie.kernel.errors import Forbidden, HygieError
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import Kind
from hygie.kernel.security.policies import Moves
from hygie.kernel.store.change import Effect, Permit, told
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.reach import given_to, reaching, taken_by
from hygie.kernel.store.spreading import Held, opened

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.locking import States

# Everything the labels of a record reach, where one of what is written is among it.
_REACHED = """
SELECT l.pat, l.origin, l.key, l.label, r.rt, r.uid, r.rid, r.toks
FROM label_reach l JOIN resource r ON r.key = l.key
WHERE l.pat = ANY ($1::integer[])
  AND l.pat IN (SELECT w.pat FROM label_reach w WHERE w.key = ANY ($2::bigint[]))
"""


@dataclass(frozen=True, slots=True)
class _Node:
    """A resource that labels reach."""

    key: int
    rt: str
    uid: uuid.UUID
    rid: str
    rt_number: int
    toks: frozenset[int]

    def taking(self) -> Iterable[int]:
        """Yield the tokens of what takes from it."""
        return (link.token(self.rt, self.rid) for link in taken_by(self.rt))

    def given(self) -> Iterable[int]:
        """Yield the tokens of what gives to it."""
        return (link.token(self.rt, self.rid) for link in given_to(self.rt))


@dataclass(slots=True)
class _Record:
    """What labels reach in one record; ``origins`` are labels by the key they come from."""

    nodes: dict[int, _Node] = field(default_factory=dict)
    origins: dict[int, int] = field(default_factory=dict)

    def labels(self, nodes: Mapping[int, _Node]) -> dict[int, int]:
        """Return the labels of each node along the references that stand in ``nodes``."""
        onward = _edges(nodes.values())
        found: dict[int, int] = defaultdict(int)
        for origin, label in self.origins.items():
            frontier, seen = [origin], {origin}
            while frontier:
                key = frontier.pop()
                found[key] |= label
                new = onward[key] - seen
                seen |= new
                frontier += new
        return found

    def lost(self, written: Mapping[int, frozenset[int] | None]) -> dict[int, int]:
        """Return the labels that what is not written loses, by key.

        ``written`` holds the new tokens of each write; None for a deletion.
        """
        after = {key: one for key, one in self.nodes.items() if written.get(key, one) is not None}
        for key, toks in written.items():
            if key in after and toks is not None:
                after[key] = replace(after[key], toks=toks)
        # What a deleted origin reached stays: its own ways are walked as they were.
        for key in self.origins.keys() - after.keys():
            if key in self.nodes:
                after[key] = self.nodes[key]
        was, will = self.labels(self.nodes), self.labels(after)
        moved = {key: label & ~will.get(key, 0) for key, label in was.items() if key not in written}
        return {key: label for key, label in moved.items() if label}


async def check_detached(
    connection: Connection, states: States, effects: Sequence[Effect], *, held: Held
) -> list[Effect]:
    """Return the effects, refused where a label would leave what the writer may not show."""
    writes = [one for one in effects if isinstance(one, Permit) and _concerned(one, held)]
    if not writes:
        return list(effects)
    written = {one.current.key: _tokens(one) for one in writes if one.current is not None}
    async with opened(connection):
        records = await _records(connection, held, list(written))
    asked = []
    for record in records:
        lost = record.lost(written)
        for permit in writes:
            if permit.current is not None and permit.current.key in record.nodes:
                asked += [(permit, record.nodes[key], label) for key, label in lost.items()]
    if not asked:
        return list(effects)
    answers = await states.relabelling(
        connection,
        [(node.rt_number, node.uid) for _, node, _ in asked],
        [permit.caller for permit, _, _ in asked],
        [Moves.between(label, 0) for _, _, label in asked],
    )
    refused: dict[int, HygieError] = {}
    for (permit, node, label), (_, may) in zip(asked, answers, strict=True):
        if not may:
            refused.setdefault(id(permit), _refusal(node, Moves.between(label, 0)))
    return [refused.get(id(one), one) for one in effects]


def _concerned(permit: Permit, held: Held) -> bool:
    """Tell whether a professional changes or deletes something where labels stand."""
    return (
        permit.caller.kind == Kind.PROFESSIONAL
        and not permit.creates
        and permit.change.method != "relabel"
        and bool(held.labelled)
    )


def _tokens(permit: Permit) -> frozenset[int] | None:
    prepared = permit.change.prepared
    return None if prepared is None else frozenset(prepared.indexed.toks)


async def _records(connection: Connection, held: Held, written: Sequence[int]) -> list[_Record]:
    """Read what labels reach in the records where they reach what is written."""
    rows = await connection.fetch(_REACHED, sorted(held.labelled), written)
    found: dict[int, _Record] = defaultdict(_Record)
    for row in rows:
        record, rt = found[row["pat"]], type_name(row["rt"])
        record.nodes[row["key"]] = _Node(
            row["key"], rt, row["uid"], id_of(row["uid"], row["rid"]), row["rt"],
            frozenset(row["toks"]),
        )  # fmt: skip
        if row["origin"] == row["key"]:
            record.origins[row["key"]] = reaching(row["label"])
    for record in found.values():
        # What an origin that was deleted reached stays as it was: it is no way of anybody.
        record.origins = {key: one for key, one in record.origins.items() if key in record.nodes}
    return list(found.values())


def _edges(nodes: Iterable[_Node]) -> dict[int, set[int]]:
    """Return, by key, the keys to which labels go on."""
    every = list(nodes)
    holders: dict[int, set[int]] = defaultdict(set)
    for one in every:
        for token in one.toks:
            holders[token].add(one.key)
    onward: dict[int, set[int]] = defaultdict(set)
    for one in every:
        for token in one.taking():
            onward[one.key] |= holders.get(token, set())
        for token in one.given():
            for giver in holders.get(token, ()):
                onward[giver].add(one.key)
    return onward


def _refusal(node: _Node, moves: Moves) -> Forbidden:
    return Forbidden(
        f"Without this reference you would {told(moves)} {node.rt}/{node.rid}, which your account "
        "may not: leave it in place, or ask the author of that item, or the patient."
    )
