"""An agent of a desk assists somebody who is present, upon a mandate signed on paper for this act.

Until the paper is signed nothing is open. Then the agent reads what is administrative, as a
RelatedPerson of this person, until the minutes are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hygie.domains.helping import fhir
from hygie.domains.helping.model.desk import Stage, check_minutes, check_stage
from hygie.domains.helping.orm import DeskMandate
from hygie.domains.helping.service import records
from hygie.domains.helping.service.people import standing_of
from hygie.kernel.errors import Conflict, Forbidden, HygieError, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Right
from hygie.kernel.store import Person, Repository
from hygie.kernel.web.acting import Acting
from hygie.kernel.web.bridge import ask
from hygie.kernel.web.caller import Account

SIGNED = "desk-mandate"
ENDED = "desk-mandate-ended"
QUALITY = "helper-administrative"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who assists: the account, as which caller, and how they are called."""

    account: Account
    caller: Caller
    name: str


@dataclass(frozen=True, slots=True)
class Assistance:
    """What the person asks the agent to do, where, and how long it takes."""

    act: str
    place: str
    minutes: int


def check_may_assist(caller: Caller) -> None:
    """Check that somebody is an agent of a desk.

    Raises:
        Forbidden: the account has not the right ``desk``.
    """
    if Right.DESK not in caller.rights:
        raise Forbidden("Your account does not assist people at a desk; ask for the right.")


def prepare(agent: Agent, person: Person, wanted: Assistance, *, at: datetime) -> DeskMandate:
    """Keep what the form of a mandate says, before it is printed and signed.

    Raises:
        Forbidden: the account has not the right ``desk``.
        InvalidRequest: it would last too long.
    """
    check_may_assist(agent.caller)
    check_minutes(wanted.minutes, at=at.date())
    return DeskMandate.objects.create(
        account_id=agent.account.pk,
        patient=person.reference.partition("/")[2],
        person=f"{person.given} {person.family.upper()}".strip(),
        birth=person.birth_date,
        act=wanted.act,
        place=wanted.place,
        minutes=wanted.minutes,
        created=at,
    )


def mandate_of(agent: Agent, number: int) -> DeskMandate:
    """Return one mandate of this agent.

    Raises:
        Forbidden: the account has not the right ``desk``.
        NotFound: there is none of this agent.
    """
    check_may_assist(agent.caller)
    found = DeskMandate.objects.filter(pk=number, account_id=agent.account.pk).first()
    if found is None:
        raise NotFound("There is no such mandate of yours.")
    return found


def sign(
    repository: Repository, agent: Agent, mandate: DeskMandate, *, text: str, at: datetime
) -> Acting:
    """Open what the signed paper allows, for its minutes; return how the session acts.

    ``text`` is the form as it was printed: it is kept in the record of the person.

    Raises:
        Conflict: it was signed or dropped already.
        NotFound: the person is not known any more.
    """
    ends = at + timedelta(minutes=mandate.minutes)
    reference = standing_of(repository, agent.account, mandate.patient, agent.name)
    if not reference.startswith("RelatedPerson/"):
        raise Conflict("An agent assists from an account of the desk, not from their own record.")
    change(mandate, Stage.SIGNED, at=at, ends=ends)
    try:
        document, consent = ask(_open(repository, agent, mandate, reference=reference, text=text))
    except HygieError:
        held = DeskMandate.objects.filter(pk=mandate.pk)
        held.update(state=Stage.PRINTED.value, starts=None, ends=None)
        raise
    DeskMandate.objects.filter(pk=mandate.pk).update(document=document, consent=consent)
    party = ask(repository.party_number(reference))
    return Acting(mandate.patient, mandate.person, "desk", party, reference, ends.timestamp())


def end(repository: Repository, agent: Agent, patient: str, *, at: datetime) -> None:
    """End at once what the running mandates of this agent open for a person."""
    running = DeskMandate.objects.filter(
        account_id=agent.account.pk, patient=patient, state=Stage.SIGNED.value
    )
    for mandate in running:
        change(mandate, Stage.ENDED, at=at, ends=min(at, mandate.ends or at))
        ask(_end(repository, agent, mandate, at=at))


def change(mandate: DeskMandate, stage: Stage, *, at: datetime, ends: datetime | None) -> None:
    """Pass a mandate to another stage, once.

    Raises:
        Conflict: it passed meanwhile.
    """
    before = Stage(mandate.state)
    check_stage(before, stage)
    values = {"state": stage.value, "ends": ends}
    if stage is Stage.SIGNED:
        values["starts"] = at
    if not DeskMandate.objects.filter(pk=mandate.pk, state=before.value).update(**values):
        raise Conflict("This mandate was signed, dropped or ended already.")
    for name, value in values.items():
        setattr(mandate, name, value)


async def _open(
    repository: Repository, agent: Agent, mandate: DeskMandate, *, reference: str, text: str
) -> tuple[str, str]:
    """Keep the paper and write the Consent it stands for; return their ids."""
    starts = mandate.starts
    if starts is None:
        raise Conflict("This mandate is not signed.")
    # Under the agent's name first: who asked for it stands in the log whatever follows.
    await records.note(repository, agent.caller, mandate.patient, SIGNED)
    title = f"Mandat pour une démarche : {mandate.act}"
    paper = fhir.paper(mandate.patient, title=title, text=text, at=starts)
    document = await records.create(repository, SYSTEM, paper)
    given = fhir.Delegation(
        mandate.patient,
        f"Patient/{mandate.patient}",
        fhir.Named(reference, agent.name),
        QUALITY,
        starts,
        mandate.ends,
    )
    body = fhir.upon(fhir.consent(given, status="active"), document=document)
    consent = await records.create(repository, SYSTEM, body)
    party = await repository.party_number(f"Patient/{mandate.patient}")
    notice = {"what": SIGNED, "party": party, "about": party, "by": reference, "item": document}
    await records.tell(repository, notice, key=str(mandate.pk))
    return document, consent


async def _end(repository: Repository, agent: Agent, mandate: DeskMandate, *, at: datetime) -> None:
    # The agent may still act for the person: the trace is the agent's own, from the desk.
    await records.note(repository, agent.caller, mandate.patient, ENDED)
    before = await records.stored(repository, SYSTEM, "Consent", mandate.consent)
    body = records.body_of(before)
    if body.get("status") == "active":
        await records.replace(repository, SYSTEM, before, fhir.closed(body, "inactive", at=at))
