"""The facts that link people to one record now, read in one visit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hygie.kernel.errors import NotFound
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.fhir.search.dates import LAST
from hygie.kernel.security.caller import NO_MATTER, Caller, Kind
from hygie.kernel.security.clauses import Subject
from hygie.kernel.security.matters import CHOICE
from hygie.kernel.security.policies import Policies
from hygie.kernel.security.relations import OF_THE_RECORD, PRINCIPAL, Relation
from hygie.kernel.store import Visit
from hygie.kernel.store.ids import id_of, key_of

_NUMBER = "SELECT num FROM party WHERE rt = $1::smallint AND uid = $2::uuid"
_RELATIONS = """
SELECT c.member, c.kind, c.starts, c.ends, p.rt, p.uid, p.rid
FROM care_relation c LEFT JOIN party p ON p.num = c.member
WHERE c.pat = $1 AND now() >= c.starts AND now() < c.ends
"""
_DELEGATIONS = f"""
SELECT c.member, c.pat AS principal, c.ends, p.rt, p.uid, p.rid
FROM care_relation c JOIN party p ON p.num = c.member
WHERE c.pat = ANY ($1::integer[]) AND c.kind = {int(Relation.ACTS_UNDER)}
  AND now() >= c.starts AND now() < c.ends
"""
_PRACTICE = """
SELECT s.member, s.role, s.structure, p.rt, p.uid, p.rid
FROM practice s LEFT JOIN party p ON p.num = s.structure
WHERE s.member = ANY ($1::integer[]) AND now() >= s.starts AND now() < s.ends
"""
_ITEM = """
SELECT r.pat, r.others, r.label, r.matter, r.author
FROM resource_key k JOIN resource r ON r.part = k.part AND r.key = k.key
WHERE k.rt = $1::smallint AND k.uid = $2::uuid AND NOT k.deleted
"""


@dataclass(slots=True)
class Link:
    """What somebody is to the person now.

    Attributes:
        number: surrogate number of who it is about.
        reference: literal reference.
        relations: by kind, when it ends.
        principals: numbers of the professionals under whom they act, with the end of each.
        roles: codes of the access matrix.
        structures: references of the structures where they practise, by number.
    """

    number: int
    reference: str
    relations: dict[Relation, datetime] = field(default_factory=dict)
    principals: dict[int, datetime] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    structures: dict[int, str] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """Return the relations as the rules read them."""
        return sum(relation.bit for relation in self.relations)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """Everybody linked to one record now, and what holds of the record itself."""

    patient: int
    record: dict[Relation, datetime]
    links: dict[int, Link]

    @property
    def bits(self) -> int:
        """Return what holds of the record, as bits."""
        return sum(relation.bit for relation in self.record)

    def bits_of(self, parties: Iterable[int], principals: Iterable[int] = ()) -> int:
        """Return the relations of somebody, through all that speaks for them."""
        own = self.bits
        for one in parties:
            own |= self.links[one].bits if one in self.links else 0
        through = 0
        for one in principals:
            through |= self._bits_through(one)
        return own | through << PRINCIPAL

    def _bits_through(self, principal: int) -> int:
        """Return the relations of a professional, and the block of a structure of theirs."""
        link = self.links.get(principal)
        if link is None:
            return 0
        places = [self.links[one] for one in link.structures if one in self.links]
        blocked = any(Relation.BLOCKED in place.relations for place in places)
        return link.bits | (Relation.BLOCKED.bit if blocked else 0)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the rules read of one resource."""

    label: int = 1
    matter: int = 0
    author: int | None = None


async def patient_number(visit: Visit, patient: str) -> int:
    """Return the surrogate number of a Patient.

    Raises:
        NotFound: nothing here ever named them.
    """
    number: int | None = await visit.connection.fetchval(
        _NUMBER, type_number("Patient"), key_of(patient)[0]
    )
    if number is None:
        raise NotFound("There is no such record.")
    return number


async def record_facts(visit: Visit, patient: str) -> RecordFacts:
    """Return who is linked to a record now; nothing is decided here."""
    number = await patient_number(visit, patient)
    record: dict[Relation, datetime] = {}
    links: dict[int, Link] = {}
    for row in await visit.connection.fetch(_RELATIONS, number):
        kind, ends = Relation(row["kind"]), _instant(row["ends"])
        if row["member"] == OF_THE_RECORD:
            record[kind] = max(ends, record.get(kind, ends))
            continue
        reference = f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}"
        link = links.setdefault(row["member"], Link(row["member"], reference))
        link.relations[kind] = max(ends, link.relations.get(kind, ends))
    return RecordFacts(number, record, links)


def _instant(ends: datetime) -> datetime:
    # asyncpg gives the infinity of PostgreSQL as the last instant, without a zone.
    return LAST if ends.tzinfo is None else ends


async def with_practice(visit: Visit, facts: RecordFacts) -> None:
    """Add who acts under somebody of the record, and what everybody practises where."""
    for row in await visit.connection.fetch(_DELEGATIONS, list(facts.links)):
        reference = f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}"
        link = facts.links.setdefault(row["member"], Link(row["member"], reference))
        link.principals[row["principal"]] = _instant(row["ends"])
    for row in await visit.connection.fetch(_PRACTICE, list(facts.links)):
        link = facts.links[row["member"]]
        link.roles.add(row["role"])
        if row["structure"] is not None:
            place = f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}"
            link.structures[row["structure"]] = place


async def item_facts(visit: Visit, facts: RecordFacts, rt: str, rid: str) -> ItemFacts:
    """Return what the rules read of one resource of the record that the caller may read.

    Raises:
        NotFound: the caller may not read it, or it is not of this record.
    """
    await visit.read(rt, rid)
    row = await visit.connection.fetchrow(_ITEM, type_number(rt), key_of(rid)[0])
    if row is None or facts.patient not in (row["pat"], *(row["others"] or ())):
        raise NotFound("This item is not of this record.")
    return ItemFacts(row["label"], row["matter"], row["author"])


def check_may_see_choices(policies: Policies, caller: Caller, facts: RecordFacts) -> None:
    """Check that the caller may know whom a record is open to: the person, or who stands for them.

    Raises:
        NotFound: no rule lets them; the answer does not tell whether the record exists.
    """
    bits = facts.bits_of({caller.party, *caller.structures}, caller.principals)
    subject = Subject(facts.patient, bits=bits, matter=CHOICE)
    if policies.read.allowing(caller, subject) is None:
        raise NotFound("There is no such record.")


def caller_for(link: Link, *, matters: bytes = NO_MATTER, principals: Sequence[int] = ()) -> Caller:
    """Return the caller somebody would be, to ask the rules about them."""
    if link.reference.startswith(("Patient/", "RelatedPerson/")):
        return Caller(Kind.PATIENT, link.number, link.reference, purpose="PATRQT")
    return Caller(
        Kind.PROFESSIONAL,
        link.number,
        link.reference,
        roles=frozenset(link.roles),
        structures=frozenset(link.structures),
        principals=frozenset(principals),
        matters=matters,
    )
