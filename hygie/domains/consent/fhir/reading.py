"""Read choices back from the resources that state them, as the screens show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.domains.consent.fhir.codes import (
    EMERGENCY_ACCESS,
    ENDING_EVENT,
    OPENING_MODE,
    STARTING_EVENT,
)
from hygie.domains.consent.fhir.consents import (
    OF_THE_RECORD,
    PERSONS,
    PROFESSIONALS,
    choices_of,
    names_delegate,
    standing_of,
)
from hygie.domains.consent.fhir.elements import codes_of, extension_code, party, period
from hygie.domains.consent.fhir.emergencies import place_of, reason_of
from hygie.domains.consent.fhir.teams import MEMBERS
from hygie.domains.consent.model.choices import (
    Choice,
    Choices,
    Delegate,
    Emergency,
    Given,
    Member,
    OpeningNotice,
    Party,
    Span,
    Standing,
)
from hygie.domains.consent.model.constants import (
    Opening,
    birthday,
    majority_of,
    may_oppose_until,
    own_access_from,
    retention_years,
)
from hygie.domains.consent.model.states import RecordState
from hygie.kernel.fhir.search.dates import FIRST, LAST, interval


@dataclass(slots=True)
class _Found:
    """What the Consents of a record say, while they are read.

    ``single`` keeps, of each choice that holds once per record, the Consents by which it holds, or
    the last one where none does: one is enough for the rules.
    """

    single: dict[Choice, list[tuple[Any, bool]]] = field(default_factory=dict)
    opening: Any = None
    accesses: list[Given] = field(default_factory=list)
    blocks: list[Given] = field(default_factory=list)
    delegates: list[Delegate] = field(default_factory=list)


def choices(
    patient: Any,
    consents: Iterable[Any],
    teams: Iterable[Any],
    *,
    at: datetime,
    zone: tzinfo,
) -> Choices:
    """Return everything decided about a record, at an instant.

    ``patient`` is the Patient; ``consents`` and ``teams`` are its Consents and CareTeams.
    """
    found = _Found()
    for consent in sorted(consents, key=_stated_on):
        _add(found, consent, at=at, zone=zone)
    minor_until, decides_from = _ages(patient, at, zone)
    members = [one for team in teams for one in _members(team, zone)]
    current = [one for one in members if _current(one.span, at)]
    opening = _opening(found.opening, zone)
    state = _state(found, opening, at)
    closed = _since(found, Choice.CLOSURE, zone) if state is RecordState.CLOSED else None
    return Choices(
        patient=patient.id,
        at=at,
        state=state,
        opening=opening,
        answered=Choice.CARE_TEAM in found.single,
        care_team_agreed=_since(found, Choice.CARE_TEAM, zone),
        members=tuple(current),
        former_members=tuple(one for one in members if one not in current),
        accesses=tuple(found.accesses),
        blocks=tuple(found.blocks),
        delegates=tuple(_until_majority(found.delegates, minor_until)),
        emergency_allowed=not _holds(found, Choice.BREAK_GLASS),
        centre_15_allowed=not _holds(found, Choice.CENTRE_15),
        research_allowed=not _holds(found, Choice.RESEARCH),
        restricted=_holds(found, Choice.RESTRICTION),
        closed_on=closed,
        destroyed_after=birthday(closed.astimezone(zone).date(), retention_years(at.date()))
        if closed
        else None,
        minor_until=minor_until,
        decides_from=decides_from,
        standing={
            choice: tuple(one.id for one, _ in said) for choice, said in found.single.items()
        },
    )


def emergency(task: Any, zone: tzinfo) -> Emergency | None:
    """Return the emergency that a Task declares, None for any other Task."""
    declared = set(codes_of(task.code, EMERGENCY_ACCESS))
    patient = party(task.for_, {"Patient"})
    if not declared or patient is None:
        return None
    return Emergency(
        key=task.id,
        patient=patient[1],
        professional=_named(task.requester),
        centre_15="centre-15" in declared,
        reason=reason_of(task),
        place=place_of(task),
        span=_span(task.executionPeriod, zone),
        reviewed=task.businessStatus is not UNSET,
    )


def _stated_on(consent: Any) -> str:
    return consent.dateTime if consent.dateTime is not UNSET else ""


def _add(found: _Found, consent: Any, *, at: datetime, zone: tzinfo) -> None:
    if consent.status != "active":
        return
    chosen = choices_of(consent)
    if Choice.OPENING in chosen:
        found.opening = consent
    if consent.provision is UNSET:
        return
    span = _span(consent.provision.period, zone)
    for choice in chosen:
        if choice in OF_THE_RECORD:
            states = consent.provision.type == OF_THE_RECORD[choice][0]
            _add_single(found.single, choice, consent, holds=states and span.holds(at))
    if _current(span, at):
        _add_people(found, consent, chosen, span)


def _add_single(
    single: dict[Choice, list[tuple[Any, bool]]], choice: Choice, consent: Any, *, holds: bool
) -> None:
    holding = [one for one in single.get(choice, ()) if one[1]]
    if holds:
        single[choice] = [*holding, (consent, True)]
    else:
        single[choice] = holding or [(consent, False)]


def _add_people(found: _Found, consent: Any, chosen: list[Choice], span: Span) -> None:
    actors = () if consent.provision.actor is UNSET else consent.provision.actor
    for actor in actors:
        who = _named(actor.reference)
        if party(actor.reference, PROFESSIONALS) is not None:
            given = Given(consent.id, who, span)
            if Choice.ACCESS in chosen and consent.provision.type == "permit":
                found.accesses.append(given)
            elif Choice.BLOCK in chosen and consent.provision.type == "deny":
                found.blocks.append(given)
        elif party(actor.reference, PERSONS) is not None and names_delegate(consent, chosen):
            standing = standing_of(actor, chosen[0] if chosen else None)
            found.delegates.append(Delegate(consent.id, who, standing, span))


def _until_majority(delegates: Iterable[Delegate], minor_until: date | None) -> Iterator[Delegate]:
    for one in delegates:
        if one.standing is not Standing.PARENT:
            yield one
        elif minor_until is not None:
            yield replace(one, ends_at_majority=True)


def _members(team: Any, zone: tzinfo) -> Iterator[Member]:
    if team.status not in ("active", UNSET) or team.participant is UNSET:
        return
    whole = period(team.period, zone)
    for place, one in enumerate(team.participant):
        if party(one.member, MEMBERS) is None:
            continue
        own = period(one.period, zone)
        yield Member(
            key=f"{team.id}/{place}",
            who=_named(one.member),
            role_fr=_role(one),
            span=_open(max(whole[0], own[0]), min(whole[1], own[1])),
            since_event=extension_code(one, STARTING_EVENT),
            until_event=extension_code(one, ENDING_EVENT),
        )


def _role(participant: Any) -> str:
    for concept in () if participant.role is UNSET else participant.role:
        if concept.text is not UNSET:
            text: str = concept.text
            return text
    return ""


def _opening(consent: Any, zone: tzinfo) -> OpeningNotice | None:
    if consent is None:
        return None
    modes = list(codes_of(consent.policyRule, OPENING_MODE))
    given = None if consent.dateTime is UNSET else interval(consent.dateTime, zone)[0]
    on_consent = Opening.ON_CONSENT.value in modes
    mode = Opening.ON_CONSENT if on_consent else Opening.UNLESS_OPPOSED
    until = None if given is None or on_consent else may_oppose_until(given)
    return OpeningNotice(mode, given, until)


def _state(found: _Found, opening: OpeningNotice | None, at: datetime) -> RecordState:
    if _holds(found, Choice.CLOSURE):
        return RecordState.CLOSED
    if _holds(found, Choice.OPPOSITION):
        return RecordState.OPPOSED
    if Choice.CLOSURE in found.single:
        return RecordState.REOPENED
    if Choice.CARE_TEAM in found.single or opening is None:
        return RecordState.OPENED
    if opening.mode is Opening.ON_CONSENT:
        return RecordState.PENDING
    waiting = opening.may_oppose_until is not None and at < opening.may_oppose_until
    return RecordState.PENDING if waiting else RecordState.OPENED


def _holds(found: _Found, choice: Choice) -> bool:
    return any(holds for _, holds in found.single.get(choice, ()))


def _since(found: _Found, choice: Choice, zone: tzinfo) -> datetime | None:
    if not _holds(found, choice):
        return None
    consent = found.single[choice][0][0]
    starts = period(consent.provision.period, zone)[0]
    if starts == FIRST and consent.dateTime is not UNSET:
        return interval(consent.dateTime, zone)[0]
    return starts


def _ages(patient: Any, at: datetime, zone: tzinfo) -> tuple[date | None, date | None]:
    """Return the day of majority, and that of deciding alone; None where it was reached."""
    born = FIRST if patient.birthDate is UNSET else interval(patient.birthDate, zone)[0]
    if born == FIRST:
        return None, None
    day, today = born.astimezone(zone).date(), at.astimezone(zone).date()
    majority, alone = majority_of(day), own_access_from(day)
    return majority if today < majority else None, alone if today < alone else None


def _named(reference: Any) -> Party:
    known = "" if reference is UNSET or reference.reference is UNSET else reference.reference
    shown = "" if reference is UNSET or reference.display is UNSET else reference.display
    return Party(known, shown)


def _span(element: Any, zone: tzinfo) -> Span:
    return _open(*period(element, zone))


def _open(starts: datetime, ends: datetime) -> Span:
    return Span(None if starts == FIRST else starts, None if ends == LAST else ends)


def _current(span: Span, at: datetime) -> bool:
    """Tell whether it holds, or is to come."""
    empty = span.starts is not None and span.ends is not None and span.ends <= span.starts
    return not empty and (span.ends is None or at.astimezone(UTC) < span.ends)
