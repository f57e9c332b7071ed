"""What proves a membership of the care team: an appointment, an order, a prescription, a stay.

Each is read as it stands in the store; the membership it starts, or ends, is written by the job in
a CareTeam of its own, that carries the labels of its proof: a secret visit stays secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import msgspec
from msgspec import UNSET

from hygie.domains.consent.fhir.codes import BASE, ENDING_EVENT, Json
from hygie.domains.consent.fhir.elements import party
from hygie.domains.consent.fhir.writing import Statement, care_team, participant
from hygie.domains.consent.model.choices import Party, Span
from hygie.domains.consent.model.events import event, last_instant
from hygie.kernel.fhir.search.dates import interval
from hygie.kernel.store.facts import PartyRef

SOURCE: Final = f"{BASE}/NamingSystem/membership-proof"
"""System of the identifier by which the CareTeam of a proof is found again."""
_MEMBERS = frozenset({"Practitioner", "Organization"})
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SECOND = timedelta(seconds=1)
_REFERRALS = frozenset({"3457005", "referral"})


@dataclass(frozen=True, slots=True)
class Proof:
    """A membership that something proves.

    Attributes:
        patient: id of the Patient.
        members: who joins.
        starting: the event that starts it.
        starts: when it does.
        ending: the event that ended it, None while it lasts.
        ended: when that was, or will be; None where only the length of the event bounds it.
    """

    patient: str
    members: tuple[PartyRef, ...]
    starting: str
    starts: datetime
    ending: str | None = None
    ended: datetime | None = None

    def span(self) -> Span:
        """Return how long it lasts: by its event, and some days after what ends it."""
        last = last_instant(self.starting, self.starts)
        if self.ending is None or self.ended is None:
            return Span(self.starts, last)
        after = event(self.ending, at=self.ended.date()).length or timedelta()
        until = max(self.ended + after, self.starts)
        return Span(self.starts, until if last is None else min(until, last))


Reader = Callable[[Any, datetime, tzinfo], Proof | None]


def proof_of(resource: Any, written: datetime, zone: tzinfo) -> Proof | None:
    """Return the membership a resource proves; ``written`` is when its version was written."""
    reader = READERS.get(type(resource).__name__)
    return None if reader is None else reader(resource, written, zone)


def team_of(proof: Proof, resource: Any, reference: str) -> Json:
    """Return the CareTeam of a proof."""
    span = proof.span()
    members = [_joined(proof, one, span) for one in proof.members]
    body = care_team(Statement(proof.patient, "", proof.starts))
    body["identifier"] = [{"system": SOURCE, "value": reference}]
    body["participant"] = members
    if resource.meta is not UNSET and resource.meta.security is not UNSET:
        labels = msgspec.json.decode(msgspec.json.encode(resource.meta.security))
        body["meta"] = {"security": labels}
    return body


def _joined(proof: Proof, member: PartyRef, span: Span) -> Json:
    told = participant(Party("/".join(member), ""), span, proof.starting)
    if proof.ending is not None:
        told["extension"].append({"url": ENDING_EVENT, "valueCode": proof.ending})
    return told


def _appointment(one: Any, written: datetime, zone: tzinfo) -> Proof | None:
    actors = [part.actor for part in one.participant]
    patients = list(_parties(actors, frozenset({"Patient"})))
    members = tuple(_parties(actors, _MEMBERS))
    over = one.end if one.end is not UNSET else one.start
    if len(patients) != 1 or not members or over is UNSET:
        return None
    ended = interval(over, zone)[1]
    patient = patients[0][1]
    if one.status in ("booked", "arrived", "checked-in", "fulfilled"):
        starts = min(written, ended)
        return Proof(patient, members, "appointment", starts, "appointment-over", ended)
    if one.status in ("cancelled", "noshow", "entered-in-error"):
        starts = written - _SECOND  # a period that ends where it starts is none
        return Proof(patient, members, "appointment", starts, "appointment-cancelled", written)
    return None


def _order(one: Any, written: datetime, zone: tzinfo) -> Proof | None:
    del zone
    patient = party(one.subject, {"Patient"})
    performers = () if one.performer is UNSET else one.performer
    members = tuple(_parties(performers, _MEMBERS))
    if patient is None or not members or one.status != "active":
        return None
    categories = () if one.category is UNSET else one.category
    named = {coding.code for each in categories for coding in each.coding or ()}
    starting = "referral" if named & _REFERRALS else "order"
    return Proof(patient[1], members, starting, written)


def _prescription(one: Any, written: datetime, zone: tzinfo) -> Proof | None:
    del zone
    patient = party(one.subject, {"Patient"})
    if patient is None or one.status != "active" or one.dispenseRequest is UNSET:
        return None
    pharmacy = party(one.dispenseRequest.performer, _MEMBERS)
    return None if pharmacy is None else Proof(patient[1], (pharmacy,), "prescription", written)


def _stay(one: Any, written: datetime, zone: tzinfo) -> Proof | None:
    patient, place = party(one.subject, {"Patient"}), party(one.serviceProvider, _MEMBERS)
    if patient is None or place is None:
        return None
    code = one.class_.code if one.class_ is not UNSET else UNSET
    starts = written
    if one.period is not UNSET and one.period.start is not UNSET:
        starts = interval(one.period.start, zone)[0]
    if code == "VR" and one.status in ("in-progress", "finished"):
        return Proof(patient[1], (place,), "teleconsultation", starts)
    if code not in ("IMP", "ACUTE", "NONAC", "EMER", "SS"):
        return None
    if one.status in ("arrived", "triaged", "in-progress", "onleave"):
        return Proof(patient[1], (place,), "admission", starts)
    if one.status == "finished":
        ended = written
        if one.period is not UNSET and one.period.end is not UNSET:
            ended = interval(one.period.end, zone)[1]
        return Proof(patient[1], (place,), "admission", starts, "discharge", ended)
    return None


def _parties(references: Any, types: frozenset[str]) -> Iterator[PartyRef]:
    for one in references:
        found = party(one, types)
        if found is not None:
            yield found


READERS: Final[dict[str, Reader]] = {
    "Appointment": _appointment,
    "ServiceRequest": _order,
    "MedicationRequest": _prescription,
    "Encounter": _stay,
}
