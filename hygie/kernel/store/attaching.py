"""Let labels go along a reference only if who wrote the reference may move them there.

Labels go from a visit to what belongs to it, from a report to its results (``reach``). Whoever
writes their own item into a hidden visit hides their own item; but a report that names somebody
else's result, or a change that moves somebody else's item into a visit, would hide what its writer
may not hide, or show what they may not show. Such a write of a professional is refused:

- on update, labels that an item gains or loses by its references must be labels that the writer may
  add to it or remove from it;
- labels that go to what it names (``gives``) must be labels that the writer may add there. What the
  writer does not know of and what does not exist answer alike.

The person, who decides, the operator and jobs are not concerned. The records are held
(``spreading``), so that nobody relabels between this check and the write.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.kernel.errors import Forbidden, HygieError, Unprocessable
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Kind
from hygie.kernel.security.policies import Moves
from hygie.kernel.store import tokens
from hygie.kernel.store.change import Effect, Permit, moved_labels, told
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.reach import given_to, reaching
from hygie.kernel.store.spreading import ORIGIN_STANDS, Held, opened

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.index import Indexed
    from hygie.kernel.store.locking import States

Place = tuple[int, uuid.UUID]
_LABELS = """
SELECT r.rt, r.uid, r.label FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid AND NOT k.deleted
JOIN resource r ON r.part = k.part AND r.key = k.key
WHERE r.pat = ANY ($3::integer[]) OR r.others && $3::integer[]
"""
_GIVEN = """
SELECT bit_or(r.label) FROM resource r
WHERE r.toks && $1::bigint[] AND (r.pat = ANY ($2::integer[]) OR r.others && $2::integer[])
"""
# What a deleted resource reached stays as it was.
_KEPT = f"""
SELECT bit_or(l.label) FROM label_reach l
WHERE l.pat = ANY ($2::integer[]) AND l.key = $1 AND NOT {ORIGIN_STANDS}
"""
_TOKENS = "SELECT r.toks FROM resource r WHERE r.key = $1"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Labels that a write moves at a place, and the name of what stands there."""

    permit: Permit
    name: str
    place: Place
    moves: Moves


@dataclass(slots=True)
class _Write:
    """One write, with the labels its references bring to it and take along."""

    permit: Permit
    patients: list[int]
    label: int = 0
    old_tokens: frozenset[int] = frozenset()
    labels: dict[Place, int] = field(default_factory=dict)

    @property
    def indexed(self) -> Indexed:
        """Return what is kept of the new version."""
        prepared = self.permit.change.prepared
        if prepared is None:
            raise ValueError("a deletion attaches nothing")
        return prepared.indexed

    @property
    def before(self) -> int:
        """Return the labels it had, its own and those that reached it."""
        current = self.permit.current
        return 0 if current is None or self.permit.creates else reaching(current.label)

    def asked(self) -> Iterable[_Asked]:
        """Yield the labels that move by references, where they do."""
        change = self.permit.change
        if not self.permit.creates:
            own = moved_labels(change, self.permit.current)
            moves = Moves.between(self.before, self.label)
            moves = Moves(moves.adds & ~own.adds, moves.removes & ~own.removes)
            if moves:
                yield _Asked(self.permit, f"{change.rt}/{change.rid}", change.place, moves)
        for link, ref in self.indexed.gives:
            new = tokens.reference_token(link, *ref) not in self.old_tokens
            goes = self.label if new else self.label & ~self.before
            place = _place(ref)
            stands = self.labels.get(place, 0)
            # Asked whatever stands there: what is hidden must answer like what is not there.
            if goes:
                moves = Moves.between(stands, stands | goes)
                yield _Asked(self.permit, f"{ref[0]}/{ref[1]}", place, moves)


def _place(ref: PartyRef) -> Place:
    return type_number(ref[0]), key_of(ref[1])[0]


async def check_attached(
    connection: Connection,
    states: States,
    effects: Sequence[Effect],
    *,
    held: Held,
    numbers: Mapping[PartyRef, int],
) -> list[Effect]:
    """Return the effects, refused where a reference would move labels its writer may not move."""
    permits = [one for one in effects if isinstance(one, Permit)]
    writes = [one for permit in permits for one in _concerned(permit, held, numbers)]
    if not writes:
        return list(effects)
    async with opened(connection):
        for one in writes:
            await _look(connection, one)
    made = {(one.caller, one.change.place) for one in permits if one.creates}
    asked = [
        one
        for write in writes
        for one in write.asked()
        if (one.permit.caller, one.place) not in made
    ]
    if not asked:
        return list(effects)
    answers = await states.relabelling(
        connection,
        [one.place for one in asked],
        [one.permit.caller for one in asked],
        [one.moves for one in asked],
    )
    elsewhere = _elsewhere(writes)
    refused: dict[int, HygieError] = {}
    for what, (known, may) in zip(asked, answers, strict=True):
        if not known:
            refused.setdefault(id(what.permit), _unknown(what))
        elif what.moves and not may and (id(what.permit), what.place) not in elsewhere:
            refused.setdefault(id(what.permit), _refusal(what))
    return [refused.get(id(one), one) for one in effects]


def _concerned(permit: Permit, held: Held, numbers: Mapping[PartyRef, int]) -> Iterable[_Write]:
    """Yield the write of a professional in a record where labels stand, or will."""
    prepared = permit.change.prepared
    if permit.caller.kind != Kind.PROFESSIONAL or prepared is None:
        return
    patients = [numbers[ref] for ref in prepared.indexed.patients]
    if not held.labelled.isdisjoint(patients):
        yield _Write(permit, patients)


async def _look(connection: Connection, one: _Write) -> None:
    """Read the labels around a write: those it will have, and those of what it names."""
    indexed, change = one.indexed, one.permit.change
    takes = [_place(ref) for ref in indexed.takes]
    places = takes + [_place(ref) for _, ref in indexed.gives]
    rows = await connection.fetch(
        _LABELS, [rt for rt, _ in places], [uid for _, uid in places], one.patients
    )
    one.labels = {(row["rt"], row["uid"]): reaching(row["label"]) for row in rows}
    one.label = reaching(indexed.label)
    for place in takes:
        one.label |= one.labels.get(place, 0)
    names = [link.token(change.rt, change.rid) for link in given_to(change.rt)]
    if names and not one.permit.creates:
        one.label |= reaching(await connection.fetchval(_GIVEN, names, one.patients) or 0)
    current = one.permit.current
    if current is not None and not one.permit.creates:
        one.label |= reaching(await connection.fetchval(_KEPT, current.key, one.patients) or 0)
        one.old_tokens = frozenset(await connection.fetchval(_TOKENS, current.key) or ())


def _elsewhere(writes: Iterable[_Write]) -> set[tuple[int, Place]]:
    """Return what is named and stands in no record of the write: labels do not go there."""
    return {
        (id(one.permit), place)
        for one in writes
        for place in map(_place, (ref for _, ref in one.indexed.gives))
        if place not in one.labels
    }


def _unknown(one: _Asked) -> Unprocessable:
    return Unprocessable(
        f"{one.name} is not known here, and your confidentiality labels would reach it: name only "
        "what you may read, or leave the labels out."
    )


def _refusal(one: _Asked) -> Forbidden:
    return Forbidden(
        f"This reference would {told(one.moves)} {one.name}, which your account may not: leave the "
        "reference as it was, or ask the author of that item, or the patient."
    )
