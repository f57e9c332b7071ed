"""What a person decides about the record: one use case each, written as the person.

Each takes the repository, who decides (the person, or a parent, guardian or representative), the id
of the Patient and the instant ``at``. The rules and the guard judge the write; a decision that
changes nothing writes nothing.

Raises, all of them:
    Forbidden: the caller may not decide this; the sentence says who may.
    NotFound: the caller may not read the choices of this record.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hygie.domains.consent.fhir import writing
from hygie.domains.consent.fhir.codes import Json
from hygie.domains.consent.fhir.consents import OF_THE_RECORD
from hygie.domains.consent.fhir.proofs import SOURCE
from hygie.domains.consent.model.choices import (
    Choice,
    Choices,
    FirstVisit,
    Naming,
    Party,
    Span,
    Standing,
)
from hygie.domains.consent.model.constants import longest_access, opening_mode, usual_access
from hygie.domains.consent.model.events import DESIGNATION, WITHDRAWAL
from hygie.domains.consent.model.states import RecordState, check_change
from hygie.domains.consent.service.choices import Record, read_record, without_meta
from hygie.kernel.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored


async def record_notice(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> None:
    """Keep that the person was told of the opening of the record, and how it opens by that date.

    Raises:
        Conflict: the notice was already given.
    """
    record = await _record(repository, caller, patient, at=at)
    if record.choices.opening is not None:
        raise Conflict("The notice of opening was already given to this person.")
    statement = writing.Statement(patient, caller.reference, at)
    await _create(repository, caller, writing.opening(statement, opening_mode(at.date())))


async def first_visit_choice(
    repository: Repository, caller: Caller, patient: str, *, answer: FirstVisit, at: datetime
) -> None:
    """Write the answers to the two questions of the first visit."""
    for choice in (Choice.BREAK_GLASS, Choice.CENTRE_15):
        await _switch(
            repository, caller, patient, choice=choice, states=not answer.emergencies, at=at
        )
    # Last, since it is this one which tells that the questions were answered.
    await _switch(
        repository, caller, patient, choice=Choice.CARE_TEAM, states=answer.care_team, at=at
    )


async def consent_to_team(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> None:
    """Let the care team read the record."""
    await _switch(repository, caller, patient, choice=Choice.CARE_TEAM, states=True, at=at)


async def withdraw_from_team(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> None:
    """Let the care team read nothing from the next request on."""
    await _switch(repository, caller, patient, choice=Choice.CARE_TEAM, states=False, at=at)


async def refuse_emergency(
    repository: Repository, caller: Caller, patient: str, *, refused: bool, at: datetime
) -> None:
    """Refuse that an emergency opens the record, or allow it again."""
    await _switch(repository, caller, patient, choice=Choice.BREAK_GLASS, states=refused, at=at)


async def refuse_centre_15(
    repository: Repository, caller: Caller, patient: str, *, refused: bool, at: datetime
) -> None:
    """Refuse that Centre 15 opens the record, or allow it again."""
    await _switch(repository, caller, patient, choice=Choice.CENTRE_15, states=refused, at=at)


async def refuse_research(
    repository: Repository, caller: Caller, patient: str, *, refused: bool, at: datetime
) -> None:
    """Object to secondary use, or allow it again."""
    await _switch(repository, caller, patient, choice=Choice.RESEARCH, states=refused, at=at)


async def restrict(
    repository: Repository, caller: Caller, patient: str, *, restricted: bool, at: datetime
) -> None:
    """Restrict the processing of the record (GDPR, article 18), or end the restriction."""
    await _switch(repository, caller, patient, choice=Choice.RESTRICTION, states=restricted, at=at)


async def close(repository: Repository, caller: Caller, patient: str, *, at: datetime) -> None:
    """Close the record: nobody but the person reads it; it is kept ten years.

    Raises:
        Conflict: it is not open.
    """
    await _change_state(repository, caller, patient, after=RecordState.CLOSED, at=at)


async def reopen(repository: Repository, caller: Caller, patient: str, *, at: datetime) -> None:
    """Reopen a closed record, with the choices it had.

    Raises:
        Conflict: it is not closed.
    """
    await _change_state(repository, caller, patient, after=RecordState.REOPENED, at=at)


async def oppose(repository: Repository, caller: Caller, patient: str, *, at: datetime) -> None:
    """Oppose the opening of the record.

    Raises:
        Conflict: it was closed, or is already opposed.
    """
    await _change_state(repository, caller, patient, after=RecordState.OPPOSED, at=at)


async def accept(repository: Repository, caller: Caller, patient: str, *, at: datetime) -> None:
    """Withdraw the opposition: the record opens.

    Raises:
        Conflict: the person did not oppose it.
    """
    await _change_state(repository, caller, patient, after=RecordState.OPENED, at=at)


async def give_access(
    repository: Repository,
    caller: Caller,
    patient: str,
    *,
    who: Party,
    until: datetime | None = None,
    at: datetime,
) -> str:
    """Give a professional or a structure outside the care team access; return the key.

    Without ``until`` it lasts a day: the law asks for consent at each visit.

    Raises:
        InvalidRequest: the end is not after now, or too far.
    """
    _check_professional(who)
    await _record(repository, caller, patient, at=at)
    ends = until or at + usual_access(at.date())
    if not at < ends <= at + longest_access(at.date()):
        raise InvalidRequest(
            f"Choose an end within {longest_access(at.date()).days} days from today."
        )
    statement = writing.Statement(patient, caller.reference, at)
    body = writing.consent(statement, Choice.ACCESS, permit=True, span=Span(at, ends), actor=who)
    return await _create(repository, caller, body)


async def end_access(
    repository: Repository, caller: Caller, patient: str, *, key: str, at: datetime
) -> None:
    """End an explicit access from the next request on."""
    await _end(repository, caller, patient, key=key, at=at)


async def block(
    repository: Repository, caller: Caller, patient: str, *, who: Party, at: datetime
) -> str:
    """Let a professional, or a structure, read nothing of the record; return the key."""
    _check_professional(who)
    record = await _record(repository, caller, patient, at=at)
    known = [one.key for one in record.choices.blocks if one.who.reference == who.reference]
    if known:
        return known[0]
    statement = writing.Statement(patient, caller.reference, at)
    body = writing.consent(statement, Choice.BLOCK, permit=False, actor=who)
    return await _create(repository, caller, body)


async def unblock(
    repository: Repository, caller: Caller, patient: str, *, key: str, at: datetime
) -> None:
    """End a block."""
    await _end(repository, caller, patient, key=key, at=at)


async def name_helper(
    repository: Repository, caller: Caller, patient: str, *, naming: Naming, at: datetime
) -> str:
    """Let somebody read, do the paperwork, or decide in the person's name; return the key.

    Raises:
        InvalidRequest: it is the person, a professional account, a parent or a guardian (the desk
            records those), or the end is not after now.
    """
    if naming.standing in (Standing.PARENT, Standing.GUARDIAN):
        raise InvalidRequest("Parents and guardians are recorded at the desk, upon proof.")
    if not naming.who.reference.startswith(("Patient/", "RelatedPerson/")):
        raise InvalidRequest("A helper is a person with an account of their own.")
    if naming.who.reference == f"Patient/{patient}":
        raise InvalidRequest("Choose somebody else: this is your own record.")
    if naming.until is not None and naming.until <= at:
        raise InvalidRequest("Choose an end after today.")
    await _record(repository, caller, patient, at=at)
    statement = writing.Statement(patient, caller.reference, at)
    span = Span(at, naming.until)
    body = writing.delegate(statement, naming.who, naming.standing, span)
    return await _create(repository, caller, body)


async def end_helper(
    repository: Repository, caller: Caller, patient: str, *, key: str, at: datetime
) -> None:
    """End what a helper or representative may do, from the next request on."""
    await _end(repository, caller, patient, key=key, at=at)


async def add_member(
    repository: Repository,
    caller: Caller,
    patient: str,
    *,
    who: Party,
    until: datetime | None = None,
    at: datetime,
) -> None:
    """Add a professional or a structure to the care team, by the person's own choice."""
    _check_professional(who)
    if until is not None and until <= at:
        raise InvalidRequest("Choose an end after today.")
    record = await _record(repository, caller, patient, at=at)
    joining = writing.participant(who, Span(at, until), DESIGNATION)
    teams = [one for ref, one in sorted(record.stored.items()) if ref.startswith("CareTeam/")]
    team = next((one for one in teams if _is_persons_own(_json(one))), None)
    if team is None:
        statement = writing.Statement(patient, caller.reference, at)
        body = {**writing.care_team(statement), "participant": [joining]}
        await _create(repository, caller, body)
        return
    body = _json(team)
    members = [one for one in body.get("participant", ()) if not _runs(one, who, record.choices)]
    await _update(repository, caller, team, {**body, "participant": [*members, joining]})


async def end_membership(
    repository: Repository, caller: Caller, patient: str, *, key: str, at: datetime
) -> None:
    """End a membership of the care team; ``key`` is that of a ``Member``.

    Raises:
        NotFound: no membership has this key.
    """
    record = await _record(repository, caller, patient, at=at)
    team, _, place = key.partition("/")
    stored = _stated(record, f"CareTeam/{team}")
    body = _json(stored)
    members = list(body.get("participant", ()))
    if not place.isdecimal() or int(place) >= len(members):
        raise NotFound("This membership is not known; show the page again.")
    members[int(place)] = writing.ended_participant(members[int(place)], at, WITHDRAWAL)
    await _update(repository, caller, stored, {**body, "participant": members})


async def _record(repository: Repository, caller: Caller, patient: str, *, at: datetime) -> Record:
    """Return the record to decide about; a child's parents decide until the child may."""
    record = await read_record(repository, caller, patient, at=at)
    if record.choices.decides_from is not None and caller.reference == f"Patient/{patient}":
        raise Forbidden("Your parents decide about your record until you are older; ask them.")
    return record


def _is_persons_own(team: Json) -> bool:
    """Tell whether a team is active and not that of an appointment, an order or a stay."""
    proven = any(one.get("system") == SOURCE for one in team.get("identifier", ()))
    return team.get("status") == "active" and not proven


def _runs(participant: Json, who: Party, choices: Choices) -> bool:
    """Tell whether a participant is a bounded membership that the new one takes over."""
    named: bool = participant.get("member", {}).get("reference") == who.reference
    return named and any(one.who.reference == who.reference for one in choices.members)


async def _switch(
    repository: Repository,
    caller: Caller,
    patient: str,
    *,
    choice: Choice,
    states: bool,
    at: datetime,
) -> None:
    """Write a choice that holds once per record; ``states``: whether its relation holds."""
    record = await _record(repository, caller, patient, at=at)
    await _write_switch(repository, caller, record, choice=choice, states=states)


async def _write_switch(
    repository: Repository, caller: Caller, record: Record, *, choice: Choice, states: bool
) -> None:
    needed, at = OF_THE_RECORD[choice][0], record.choices.at
    permit = (needed == "permit") == states
    statement = writing.Statement(record.choices.patient, caller.reference, at)
    body = writing.consent(statement, choice, permit=permit)
    known = record.choices.standing.get(choice, ())
    if not known and (states or choice is Choice.CARE_TEAM):
        await _create(repository, caller, body)
    for rid in known:
        stored = _stated(record, f"Consent/{rid}")
        if _json(stored).get("provision", {}).get("type") != body["provision"]["type"]:
            await _update(repository, caller, stored, {**_json(stored), **body})


async def _change_state(
    repository: Repository, caller: Caller, patient: str, *, after: RecordState, at: datetime
) -> None:
    record = await _record(repository, caller, patient, at=at)
    check_change(record.choices.state, after)
    choice, states = {
        RecordState.CLOSED: (Choice.CLOSURE, True),
        RecordState.REOPENED: (Choice.CLOSURE, False),
        RecordState.OPPOSED: (Choice.OPPOSITION, True),
        RecordState.OPENED: (Choice.OPPOSITION, False),
    }[after]
    await _write_switch(repository, caller, record, choice=choice, states=states)


async def _end(
    repository: Repository, caller: Caller, patient: str, *, key: str, at: datetime
) -> None:
    record = await _record(repository, caller, patient, at=at)
    stored = _stated(record, f"Consent/{key}")
    body = _json(stored)
    if body.get("status") == "active":
        await _update(repository, caller, stored, writing.ended(body, at))


def _stated(record: Record, reference: str) -> Stored:
    stored = record.stored.get(reference)
    if stored is None:
        raise NotFound("This choice is not known; show the page again.")
    return stored


def _check_professional(who: Party) -> None:
    if not who.reference.startswith(("Practitioner/", "Organization/")):
        raise InvalidRequest("Choose a professional or a structure of the directory.")


def _json(stored: Stored) -> Json:
    body: Json = msgspec.json.decode(stored.body or b"{}")
    return body


async def _create(repository: Repository, caller: Caller, body: Json) -> str:
    written = await repository.create(caller, body["resourceType"], msgspec.json.encode(body))
    return written.stored.rid


async def _update(repository: Repository, caller: Caller, stored: Stored, body: Json) -> None:
    raw = msgspec.json.encode(without_meta({**body, "id": stored.rid}))
    await repository.update(caller, stored.rt, stored.rid, raw, if_match=stored.version)
