"""Let a label leave what it reached only if who takes the way apart may lift it there.

Labels go from a visit to a report and from the report to its results. Whoever drops a result from
the report, takes the report out of the visit, or deletes it, shows the results. A professional may
do so only where they may remove the labels that are lost; what is written itself is checked beside
its own labels (``attaching``). Labels that their own resource loses take theirs along by right, and
those of a deleted resource stay where they are: neither is a loss here. What stays so is lifted
there, by who may (``relabelling``); but no delay announces it any more, so what others wait to be
announced with is not deleted before.

What is written again under a deleted id takes over what the deleted one reached: it must reach it
too. What moves to another record leaves this one, as a deletion does.

All writes of a transaction count together: a result that two reports name leaves both at once.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from hygie.kernel.errors import Conflict, Forbidden, HygieError
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.security.policies import Moves
from hygie.kernel.store.change import Effect, Permit, told
from hygie.kernel.store.facts import PartyRef
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
  AND l.pat IN (SELECT w.pat FROM label_reach w
                WHERE w.pat = ANY ($1::integer[])
                  AND (w.key = ANY ($2::bigint[]) OR w.origin = ANY ($2::bigint[])))
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


@dataclass(frozen=True, slots=True)
class _Written:
    """What a write leaves: the node it will be, in the records of ``patients``."""

    permit: Permit
    key: int
    node: _Node | None
    patients: frozenset[int]

    def within(self, pat: int) -> _Node | None:
        """Return the node it will be in a record, None where it will not stand there."""
        return self.node if pat in self.patients else None


@dataclass(slots=True)
class _Record:
    """What labels reach in one record.

    ``origins`` are labels by the key they come from; ``kept`` those that a deleted origin left, by
    origin and key.
    """

    pat: int
    nodes: dict[int, _Node] = field(default_factory=dict)
    origins: dict[int, int] = field(default_factory=dict)
    kept: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def holds(self, key: int) -> bool:
        """Tell whether a resource takes part in the labels of the record, or did."""
        return key in self.nodes or key in self.kept

    def lost(self, written: Iterable[_Written]) -> dict[int, int]:
        """Return the labels that what is not written loses, by key."""
        will_be = {one.key: one.within(self.pat) for one in written if self.holds(one.key)}
        after = {key: one for key, one in {**self.nodes, **will_be}.items() if one is not None}
        again = {key: _all(self.kept[key].values()) for key in self.kept.keys() & after.keys()}
        gone = {key: label for key, label in self.origins.items() if key not in after}
        stand = {key: label for key, label in self.origins.items() if key in after}
        was = _walk(self.nodes, self.origins)
        will = _walk(after, stand | again)
        # What an origin that goes reached stays, along the ways there were.
        for key, label in _walk(self.nodes, gone).items():
            will[key] |= label
        for origin, left in self.kept.items():
            for key, label in left.items():
                was[key] |= label
                will[key] |= 0 if origin in again else label
        lost = {key: label & ~will[key] for key, label in was.items() if key not in will_be}
        return {key: label for key, label in lost.items() if label and key in self.nodes}

    def waits_for(self, one: _Written) -> bool:
        """Tell whether something else waits to be announced with what is deleted here."""
        label = self.origins.get(one.key, 0) & Label.HIDDEN_FROM_PATIENT
        return (
            one.node is None and bool(label) and len(_walk(self.nodes, {one.key: int(label)})) > 1
        )


def _walk(nodes: Mapping[int, _Node], origins: Mapping[int, int]) -> defaultdict[int, int]:
    """Return the labels of each node that origins reach along the references of the nodes."""
    onward = _edges(nodes.values())
    found: defaultdict[int, int] = defaultdict(int)
    for origin, label in origins.items():
        frontier, seen = [origin], {origin}
        while frontier:
            key = frontier.pop()
            found[key] |= label
            new = onward[key] - seen
            seen |= new
            frontier += new
    return found


def _all(labels: Iterable[int]) -> int:
    return reduce(or_, labels, 0)


async def check_detached(
    connection: Connection,
    states: States,
    effects: Sequence[Effect],
    *,
    held: Held,
    numbers: Mapping[PartyRef, int],
) -> list[Effect]:
    """Return the effects, refused where a label would leave what the writer may not show."""
    written = [
        one
        for effect in effects
        if isinstance(effect, Permit) and (one := _concerned(effect, held, numbers))
    ]
    if not written:
        return list(effects)
    async with opened(connection):
        records = await _records(connection, held, [one.key for one in written])
    asked = [
        (one.permit, record.nodes[key], label)
        for record in records
        for key, label in record.lost(written).items()
        for one in written
        if record.holds(one.key)
    ]
    refused: dict[int, HygieError] = {
        id(one.permit): _waiting(one.permit)
        for record in records
        for one in written
        if record.waits_for(one)
    }
    if not asked and not refused:
        return list(effects)
    answers = await states.relabelling(
        connection,
        [(node.rt_number, node.uid) for _, node, _ in asked],
        [permit.caller for permit, _, _ in asked],
        [Moves.between(label, 0) for _, _, label in asked],
    )
    for (permit, node, label), (_, may) in zip(asked, answers, strict=True):
        if not may:
            refused.setdefault(id(permit), _refusal(node, Moves.between(label, 0)))
    return [refused.get(id(one), one) for one in effects]


def _concerned(permit: Permit, held: Held, numbers: Mapping[PartyRef, int]) -> _Written | None:
    """Return what a professional's write leaves, None where it can take no label away."""
    change, current = permit.change, permit.current
    if permit.caller.kind != Kind.PROFESSIONAL or current is None or not held.labelled:
        return None
    if change.method == "relabel":
        return None
    if change.prepared is None:
        return _Written(permit, current.key, None, frozenset())
    indexed, (number, uid) = change.prepared.indexed, change.place
    node = _Node(current.key, change.rt, uid, change.rid, number, frozenset(indexed.toks))
    patients = frozenset(numbers[ref] for ref in indexed.patients)
    return _Written(permit, current.key, node, patients)


async def _records(connection: Connection, held: Held, written: Sequence[int]) -> list[_Record]:
    """Read what labels reach in the records where they reach, or come from, what is written."""
    rows = await connection.fetch(_REACHED, sorted(held.labelled), written)
    found: dict[int, _Record] = {}
    for row in rows:
        record, rt = found.setdefault(row["pat"], _Record(row["pat"])), type_name(row["rt"])
        record.nodes[row["key"]] = _Node(
            row["key"],
            rt,
            row["uid"],
            id_of(row["uid"], row["rid"]),
            row["rt"],
            frozenset(row["toks"]),
        )
    for row in rows:
        record = found[row["pat"]]
        if row["origin"] == row["key"]:
            record.origins[row["key"]] = reaching(row["label"])
        elif row["origin"] not in record.nodes:
            record.kept[row["origin"]][row["key"]] = reaching(row["label"])
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


def _waiting(permit: Permit) -> Conflict:
    return Conflict(
        f"What belongs to {permit.change.rt}/{permit.change.rid} waits with it to be announced to "
        "the patient, and no delay would announce it any more: remove INVISIBLE_PATIENT from it "
        "first, or ask a doctor."
    )


def _refusal(node: _Node, moves: Moves) -> Forbidden:
    return Forbidden(
        f"Without this reference you would {told(moves)} {node.rt}/{node.rid}, which your account "
        "may not: leave it in place, or ask the author of that item, or the patient."
    )
