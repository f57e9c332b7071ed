"""Who can see a record, or one item of it, and why: the rules asked about everybody linked to it.

They are those of every other access, asked in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hygie.domains.consent.model.roles import labels
from hygie.domains.consent.model.visibility import Category, Viewer, Visibility, Way
from hygie.domains.consent.service.facts import (
    ItemFacts,
    Link,
    RecordFacts,
    caller_for,
    check_may_see_choices,
    item_facts,
    record_facts,
    with_practice,
)
from hygie.domains.consent.service.people import names_of
from hygie.domains.consent.service.reasons import refusal
from hygie.domains.consent.service.visiting import Opened
from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.fhir.search.dates import LAST
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.clauses import Language, Subject
from hygie.kernel.security.labels import Label
from hygie.kernel.security.matters import ADMINISTRATIVE, MATTERS, PERSONAL, holds
from hygie.kernel.security.policies import Policies
from hygie.kernel.security.relations import Relation

DOCTOR, REGULATOR = "10", "samu-regulator"
_DOCUMENTS = tuple(n for n, one in MATTERS.items() if one.document_class != "own")
_USUAL = next(n for n in _DOCUMENTS if not holds(ADMINISTRATIVE, n) and not holds(PERSONAL, n))
_PAPER = next(n for n in MATTERS if holds(ADMINISTRATIVE, n))
_WAYS: tuple[tuple[Relation, Way], ...] = (
    (Relation.BLOCKED, Way.UNBLOCK),
    (Relation.TREATING, Way.TREATING),
    (Relation.CARE_TEAM, Way.MEMBERSHIP),
    (Relation.CONSENTED, Way.ACCESS),
    (Relation.EMERGENCY, Way.EMERGENCY),
    (Relation.CENTRE_15, Way.EMERGENCY),
    (Relation.PARENT, Way.MAJORITY),
    (Relation.GUARDIAN, Way.DELEGATE),
    (Relation.HELPER, Way.DELEGATE),
    (Relation.MANAGES, Way.DELEGATE),
    (Relation.HELPER_ADMINISTRATIVE, Way.DELEGATE),
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What the rules are asked: about which record or item, on which day, in which language."""

    policies: Policies
    facts: RecordFacts
    item: ItemFacts | None
    names: dict[str, str]
    language: Language
    today: date

    def subjects(self, link: Link, caller: Caller) -> Iterator[Subject]:
        """Yield what to ask: the item, or for a whole record something that they may read."""
        bits = self.facts.bits_of({link.number, *link.structures}, link.principals)
        if self.item is not None:
            yield self.subject(bits, self.item)
            return
        readable = (n for n in _DOCUMENTS if holds(caller.matters, n) and not holds(PERSONAL, n))
        usual = next(readable, _USUAL)
        yield self.subject(bits, ItemFacts(matter=usual))
        if caller.kind == Kind.PATIENT:
            yield self.subject(bits, ItemFacts(matter=_PAPER))

    def subject(self, bits: int, item: ItemFacts) -> Subject:
        """Return what the rules judge."""
        return Subject(
            self.facts.patient, bits=bits, label=item.label, matter=item.matter, author=item.author
        )

    def matters(self, roles: Iterable[str]) -> bytes:
        """Return what roles may read today."""
        return self.policies.matrix.readable(set(roles), self.today)


async def who_can_see(
    opened: Opened,
    *,
    item: tuple[str, str] | None = None,
    language: Language = "fr",
    clock: Clock | None = None,
) -> Visibility:
    """Return who can see a record, or one item (type and id) of it, and why.

    Raises:
        NotFound: the caller neither is the person nor decides for the person, or may not read the
            item.
    """
    repository, visit, patient = opened.repository, opened.visit, opened.patient
    today = (clock or SystemClock()).now().astimezone(repository.site.zone).date()
    policies = repository.law.policies
    facts = await record_facts(visit, patient)
    check_may_see_choices(policies, visit.caller, facts)
    about = await item_facts(visit, facts, *item) if item else None
    await with_practice(visit, facts)
    names = await names_of(visit, _named(facts), patient=patient)
    asked = _Question(policies, facts, about, names, language, today)
    viewers = sorted((_viewer(asked, link) for link in facts.links.values()), key=_order)
    label = Label(about.label if about else 0)
    return Visibility(
        viewers=viewers,
        categories=[
            _category(asked, Relation.EMERGENCY, DOCTOR),
            _category(asked, Relation.CENTRE_15, REGULATOR),
        ],
        item="/".join(item) if item else "",
        masked=Label.MASKED_FROM_PROFESSIONALS in label,
        very_restricted=Label.VERY_RESTRICTED in label,
        unannounced=Label.HIDDEN_FROM_PATIENT in label,
        secret=Label.HIDDEN_FROM_REPRESENTATIVES in label,
    )


def _named(facts: RecordFacts) -> set[str]:
    links = facts.links.values()
    return {one.reference for one in links} | {
        place for one in links for place in one.structures.values()
    }


def _viewer(asked: _Question, link: Link) -> Viewer:
    facts, language = asked.facts, asked.language
    structure = link.reference.startswith("Organization/")
    roles = {DOCTOR} if structure else link.roles
    matters = asked.matters(roles)
    caller = caller_for(link, matters=matters, principals=sorted(link.principals))
    subjects = list(asked.subjects(link, caller))
    rule = next(
        (found for one in subjects if (found := asked.policies.read.allowing(caller, one))), None
    )
    through = [facts.links[one] for one in link.principals if one in facts.links]
    kinds = sum(holds(matters, n) for n in _DOCUMENTS)
    return Viewer(
        reference=link.reference,
        name=asked.names.get(link.reference, ""),
        role="" if structure else labels(link.roles, language),
        structures=[asked.names.get(one, "") for one in link.structures.values()],
        allowed=rule is not None,
        reason=rule.sentence(language) if rule else refusal(caller, subjects[0], language),
        relations=frozenset(link.relations),
        until=_until(facts, link),
        kinds=kinds if caller.kind == Kind.PROFESSIONAL and not structure else None,
        way=_way(link, facts),
        under=", ".join(asked.names.get(one.reference, "") for one in through),
    )


def _until(facts: RecordFacts, link: Link) -> datetime | None:
    ends = [end for kind, end in link.relations.items() if kind != Relation.BLOCKED]
    ends += link.principals.values()
    if set(link.relations) == {Relation.PARENT} and Relation.MINOR in facts.record:
        ends = [min(*ends, facts.record[Relation.MINOR])]
    last = max(ends, default=LAST)
    return None if last >= LAST else last


def _way(link: Link, facts: RecordFacts) -> Way | None:
    found = next((way for relation, way in _WAYS if relation in link.relations), None)
    if found is None and link.principals:
        return Way.PRINCIPAL
    if found is Way.MEMBERSHIP and Relation.TEAM_CONSENT not in facts.record:
        return Way.TEAM
    return found


def _category(asked: _Question, relation: Relation, role: str) -> Category:
    """Return what a declared emergency would open: usual matters, or this item."""
    matters = asked.matters({role})
    caller = Caller(Kind.PROFESSIONAL, -1, "Practitioner/-", matters=matters)
    bits = asked.facts.bits | relation.bit
    subject = asked.subject(bits, asked.item or ItemFacts(matter=_USUAL))
    rule = asked.policies.read.allowing(caller, subject)
    if rule is not None:
        return Category(relation, allowed=True, reason=rule.sentence(asked.language))
    return Category(relation, allowed=False, reason=_closed(asked, caller, subject))


def _closed(asked: _Question, caller: Caller, subject: Subject) -> str:
    said = {
        Relation.REFUSES_EMERGENCY: (
            "Vous avez refusé l’accès en urgence.",
            "You refused emergency access.",
        ),
        Relation.REFUSES_CENTRE_15: (
            "Vous avez refusé l’accès du Centre 15.",
            "You refused access by Centre 15.",
        ),
    }
    bits = subject.bits
    for emergency, refused in (
        (Relation.EMERGENCY, Relation.REFUSES_EMERGENCY),
        (Relation.CENTRE_15, Relation.REFUSES_CENTRE_15),
    ):
        if bits & emergency.bit and bits & refused.bit:
            return said[refused][asked.language == "en"]
    if holds(PERSONAL, subject.matter):
        return (
            "Une urgence n’ouvre jamais ce que vous avez déposé vous-même.",
            "An emergency never opens what you left yourself.",
        )[asked.language == "en"]
    return refusal(caller, subject, asked.language)


def _order(viewer: Viewer) -> tuple[int, str]:
    ranks: Sequence[Relation] = [relation for relation, _ in _WAYS]
    place = min((ranks.index(one) for one in viewer.relations if one in ranks), default=len(ranks))
    return place, viewer.name
