"""What a Consent says about who may open a record (FHIR R4, consent.html).

``Consent.category`` names the choice, in our code system; ``provision.type`` says whether it
permits or denies. A Consent of no choice that lets a person read is one of a helper, or of a parent
where the actor's role is ``GUARD``: that is how such consents were written first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from msgspec import UNSET

from hygie.domains.consent.fhir.codes import CHOICE, REPRESENTATIVE, ROLE_CODE, SCOPE
from hygie.domains.consent.fhir.elements import Interval, codes, codes_of, party, period, texts
from hygie.domains.consent.model.choices import Choice, Standing
from hygie.domains.consent.model.constants import longest_access
from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import FIRST
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, PartyRef

PROFESSIONALS = frozenset({"Practitioner", "Organization"})
PERSONS = frozenset({"Patient", "RelatedPerson"})

OF_THE_RECORD: dict[Choice, tuple[str, Relation]] = {
    Choice.CARE_TEAM: ("permit", Relation.TEAM_CONSENT),
    Choice.BREAK_GLASS: ("deny", Relation.REFUSES_EMERGENCY),
    Choice.CENTRE_15: ("deny", Relation.REFUSES_CENTRE_15),
    Choice.RESEARCH: ("deny", Relation.REFUSES_RESEARCH),
    Choice.RESTRICTION: ("deny", Relation.RESTRICTED),
    Choice.CLOSURE: ("deny", Relation.CLOSED),
    Choice.OPPOSITION: ("deny", Relation.OPPOSED),
}
"""Choices that hold of the record itself: the type of provision that states the relation."""
OF_A_DELEGATE: dict[Standing, tuple[Relation, ...]] = {
    Standing.PARENT: (Relation.PARENT,),
    Standing.GUARDIAN: (Relation.GUARDIAN,),
    Standing.MANDATE: (Relation.HELPER, Relation.MANAGES),
    Standing.HELPER: (Relation.HELPER,),
    Standing.ADMINISTRATIVE: (Relation.HELPER_ADMINISTRATIVE,),
}


def consent_facts(consent: Any, zone: tzinfo) -> list[Fact]:
    """Return the facts that an active Consent states.

    Raises:
        Unprocessable: the choice is unknown, names nobody where it must, or has no end where it
            must have one.
    """
    patient = party(consent.patient, {"Patient"})
    provision = consent.provision
    if consent.status != "active":
        return []
    chosen = choices_of(consent)
    if patient is None:
        _check_of_elsewhere(chosen)
        return []
    if provision is UNSET:
        return []
    held = period(provision.period, zone)
    if names_delegate(consent, chosen) and not chosen:
        return list(_delegates(provision, patient, held, None))
    return [fact for choice in chosen for fact in _stated(choice, provision, patient, held)]


def choices_of(consent: Any) -> list[Choice]:
    """Return the choices a Consent is about.

    Raises:
        Unprocessable: a code of our system is none.
    """
    try:
        return [Choice(code) for code in codes(consent.category, CHOICE)]
    except ValueError as error:
        raise Unprocessable(
            f"Consent.category: {error}; write one of {', '.join(Choice)}.",
            expression="Consent.category",
        ) from error


def standing_of(actor: Any, choice: Choice | None) -> Standing:
    """Return in what quality an actor acts for the person.

    Raises:
        Unprocessable: a code of our system is none.
    """
    for code in codes_of(actor.role, REPRESENTATIVE):
        try:
            return Standing(code)
        except ValueError as error:
            raise Unprocessable(
                f"Consent.provision.actor.role: {error}; write one of {', '.join(Standing)}.",
                expression="Consent.provision.actor.role",
            ) from error
    if "GUARD" in codes_of(actor.role, ROLE_CODE):
        return Standing.PARENT
    return Standing.MANDATE if choice is Choice.REPRESENTATIVE else Standing.HELPER


def _check_of_elsewhere(chosen: list[Choice]) -> None:
    """Check that a Consent whose patient cannot be read states no choice: none would hold.

    Raises:
        Unprocessable: it states one.
    """
    if chosen:
        raise Unprocessable(
            "A choice names the person in Consent.patient as Patient/<id> of this server, without "
            "the address before it.",
            expression="Consent.patient",
        )


def _stated(choice: Choice, provision: Any, patient: PartyRef, held: Interval) -> Iterator[Fact]:
    if choice in OF_THE_RECORD:
        needed, relation = OF_THE_RECORD[choice]
        if provision.type == needed:
            yield Fact(patient, None, relation, *held)
    elif choice is Choice.ACCESS and provision.type == "permit":
        _check_access(held)
        yield from _named(provision, patient, held, Relation.CONSENTED)
    elif choice is Choice.BLOCK and provision.type == "deny":
        yield from _named(provision, patient, held, Relation.BLOCKED)
    elif choice in (Choice.HELPER, Choice.REPRESENTATIVE) and provision.type == "permit":
        yield from _delegates(provision, patient, held, choice)


def _check_access(held: Interval) -> None:
    starts, ends = held
    if starts == FIRST:
        raise Unprocessable(
            "An access outside the care team starts on a day: write provision.period.start.",
            expression="Consent.provision.period",
        )
    longest = longest_access(starts.date())
    if ends - starts > longest:
        raise Unprocessable(
            f"An access outside the care team ends after {longest.days} days at most: "
            "write provision.period.end.",
            expression="Consent.provision.period",
        )


def _named(provision: Any, patient: PartyRef, held: Interval, relation: Relation) -> Iterator[Fact]:
    members = [party(actor.reference, PROFESSIONALS) for actor in _actors(provision)]
    if not members or None in members:
        raise Unprocessable(
            "This choice is about somebody: name a Practitioner or an Organization of this server "
            "in each provision.actor, such as Practitioner/<id>.",
            expression="Consent.provision.actor",
        )
    for member in members:
        yield Fact(patient, member, relation, *held)


def _delegates(
    provision: Any, patient: PartyRef, held: Interval, choice: Choice | None
) -> Iterator[Fact]:
    for actor in _actors(provision):
        member = party(actor.reference, PERSONS)
        if member is None or member == patient:
            continue
        for relation in OF_A_DELEGATE[standing_of(actor, choice)]:
            yield Fact(patient, member, relation, *held)


def names_delegate(consent: Any, chosen: list[Choice]) -> bool:
    """Tell whether an active Consent lets somebody act in the person's name."""
    if consent.provision.type != "permit":
        return False
    if chosen:
        return Choice.HELPER in chosen or Choice.REPRESENTATIVE in chosen
    private = "patient-privacy" in codes_of(consent.scope, SCOPE)
    return private or "helper" in texts(consent.category)


def _actors(provision: Any) -> list[Any]:
    return [] if provision.actor is UNSET else list(provision.actor)
