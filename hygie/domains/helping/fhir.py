"""What says that somebody acts for a person: Consent, RelatedPerson, the signed paper (FHIR R4).

A Consent of category ``helper`` or ``representative`` opens a record from the day its status is
``active``. Until the helper accepts it is ``proposed``: it keeps the person's decision, and opens
nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

Json = dict[str, Any]

BASE: Final = "https://hygie.example.org/fhir"
CHOICE: Final = f"{BASE}/CodeSystem/choice"
REPRESENTATIVE: Final = f"{BASE}/CodeSystem/representative"
POLICY: Final = f"{BASE}/policy/choices"
ACCOUNT: Final = f"{BASE}/account"
JUDGMENT: Final = f"{BASE}/judgment"
_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_LOINC = "http://loinc.org"
_READS = frozenset({"helper", "helper-administrative"})
CHOSEN: Final = frozenset({"helper", "helper-administrative", "mandate"})
"""Qualities that the person gives and takes back; parents and guardians come by a document."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody: a reference such as ``Patient/12``, empty where not known yet, and a name."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a Consent lets one person do in another's name.

    Attributes:
        patient: id of the Patient.
        by: reference of who decided; empty where a document did.
        who: who acts.
        quality: a code of the code system ``representative``.
        starts: from when.
        ends: until when, not included; None where nothing ends it.
    """

    patient: str
    by: str
    who: Named
    quality: str
    starts: datetime
    ends: datetime | None


def instant(at: datetime) -> str:
    """Return a FHIR dateTime in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def consent(given: Delegation, *, status: str) -> Json:
    """Return the Consent of a delegation, ``proposed`` or ``active``."""
    choice = "helper" if given.quality in _READS else "representative"
    told = {
        "resourceType": "Consent",
        "status": status,
        "scope": _concept(_SCOPE, "patient-privacy"),
        "category": [_concept(CHOICE, choice)],
        "patient": {"reference": f"Patient/{given.patient}"},
        "dateTime": instant(given.starts),
        "policy": [{"uri": POLICY}],
        "provision": {
            "type": "permit",
            "period": _period(given.starts, given.ends),
            "actor": [_actor(given.quality, given.who)],
        },
    }
    return {**told, "performer": [{"reference": given.by}]} if given.by else told


def accepted(body: Json, who: Named, *, at: datetime) -> Json:
    """Return the Consent that a helper accepted: it names them and holds from now on."""
    provision = body["provision"]
    quality = quality_of(provision["actor"][0])
    return {
        **body,
        "status": "active",
        "provision": {
            **provision,
            "period": {**provision["period"], "start": instant(at)},
            "actor": [_actor(quality, who)],
        },
        "verification": [
            {
                "verified": True,
                "verifiedWith": _reference(who),
                "verificationDate": instant(at),
            }
        ],
    }


def closed(body: Json, status: str, *, at: datetime) -> Json:
    """Return a Consent that opens nothing any more: ``rejected`` or ``inactive``."""
    provision = dict(body.get("provision", {}))
    period = dict(provision.get("period", {}))
    if body.get("status") == "active":
        period["end"] = max(instant(at - _SECOND), period.get("start", ""))
    return {**body, "status": status, "provision": {**provision, "period": period}}


def left(body: Json, references: Collection[str], *, at: datetime) -> Json:
    """Return a Consent without those who stop helping; over where it names nobody else."""
    provision = body["provision"]
    others = [
        one
        for one in provision["actor"]
        if one.get("reference", {}).get("reference") not in references
    ]
    if not others:
        return closed(body, "inactive", at=at)
    return {**body, "provision": {**provision, "actor": others}}


def delegates(body: Json) -> Iterator[tuple[Named, str]]:
    """Yield who an active Consent lets act in the person's name, and in what quality."""
    provision = body.get("provision", {})
    if body.get("status") != "active" or provision.get("type") != "permit":
        return
    chosen = {
        coding.get("code")
        for concept in body.get("category", ())
        for coding in concept.get("coding", ())
        if coding.get("system") == CHOICE
    }
    for actor in provision.get("actor", ()):
        told = actor.get("reference", {})
        known = told.get("reference", "")
        if known.startswith(("Patient/", "RelatedPerson/")) and (
            not chosen or chosen & {"helper", "representative"}
        ):
            usual = "mandate" if "representative" in chosen else "helper"
            yield Named(known, told.get("display", "")), quality_of(actor, usual)


def quality_of(actor: Json, usual: str = "helper") -> str:
    """Return in what quality an actor acts, ``usual`` where no code of ours says."""
    codings = actor.get("role", {}).get("coding", ())
    for coding in codings:
        if coding.get("system") == REPRESENTATIVE:
            return str(coding.get("code", usual))
    guard = any((one.get("system"), one.get("code")) == (_ROLES, "GUARD") for one in codings)
    return "parent" if guard else usual


def ends_of(body: Json) -> datetime | None:
    """Return when a Consent of ours ends, not included; None where nothing ends it."""
    end = body.get("provision", {}).get("period", {}).get("end")
    if not end:
        return None
    when = datetime.fromisoformat(end)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)) + _SECOND


def related_person(patient: str, name: str, *, account: int, birth: date | None = None) -> Json:
    """Return who an account without a record of its own is beside one person."""
    told: Json = {
        "resourceType": "RelatedPerson",
        "active": True,
        "identifier": [{"system": ACCOUNT, "value": str(account)}],
        "patient": {"reference": f"Patient/{patient}"},
        "name": [{"text": name}],
    }
    return {**told, "birthDate": birth.isoformat()} if birth else told


def paper(patient: str, *, title: str, text: str, at: datetime) -> Json:
    """Return the DocumentReference of a paper that was printed here and signed."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": _LOINC, "code": "59284-0", "display": "Consent Document"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": instant(at),
        "description": title,
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain;charset=UTF-8",
                    "language": "fr",
                    "title": title,
                    "data": base64.b64encode(text.encode()).decode(),
                    "creation": instant(at),
                }
            }
        ],
    }


def upon(body: Json, *, document: str = "", judgment: str = "") -> Json:
    """Return a Consent with what it stands on: a signed paper, or the number of a judgment."""
    if document:
        body = {**body, "sourceReference": {"reference": f"DocumentReference/{document}"}}
    if judgment:
        body = {**body, "identifier": [{"system": JUDGMENT, "value": judgment}]}
    return body


def name_of(body: Json) -> str:
    """Return the name of a Patient as it is said.

    >>> name_of({"name": [{"family": "Martin", "given": ["Nora", "Ida"]}]})
    'Nora MARTIN'
    """
    names = body.get("name", [])
    used = next((one for one in names if one.get("use") == "usual"), names[0] if names else {})
    if used.get("text") and not used.get("family"):
        return str(used["text"])
    return " ".join([*used.get("given", [])[:1], str(used.get("family", "")).upper()]).strip()


def names_of(body: Json) -> Iterator[tuple[str, str]]:
    """Yield every first given name and family name that a Patient bears, birth name included."""
    for one in body.get("name", ()):
        for given in one.get("given", ())[:1] or [""]:
            yield given, one.get("family", "")


def _actor(quality: str, who: Named) -> Json:
    return {"role": _concept(REPRESENTATIVE, quality), "reference": _reference(who)}


def _reference(who: Named) -> Json:
    shown = {"display": who.name} if who.name else {}
    return {"reference": who.reference, **shown} if who.reference else shown


def _period(starts: datetime, ends: datetime | None) -> Json:
    told = {"start": instant(starts)}
    return told if ends is None else {**told, "end": instant(ends - _SECOND)}


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}
