"""From a read-out to FHIR: a Coverage, and the Provenance that says which card said so.

This is the hand-over to insurance: who bills reads the Coverage of the person, and the Provenance
tells when, by whom and with what proof it was read (``docs/how-to/cards.md``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygie.domains.cards.model.read_out import Beneficiary, ReadOut

BASE = "https://hygie.example.org/fhir"
READ_OUT = f"{BASE}/sid/vitale-read-out"
"""Identifier of a Coverage: one per card and beneficiary, so that a new reading replaces it."""
PAYOR = f"{BASE}/sid/regime-fund-centre"
EXEMPTION = f"{BASE}/StructureDefinition/vitale-exemption"
SOURCES = f"{BASE}/CodeSystem/coverage-source"
CLASSES = "http://terminology.hl7.org/CodeSystem/coverage-class"
COVERAGES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
KINDS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
RELATIONSHIPS = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A verified read-out, for one of its beneficiaries.

    ``kind`` is ``card`` or ``apcv``; ``proof`` is the digest of the presentation, which tells one
    presentation from another and says nothing by itself.
    """

    content: ReadOut
    beneficiary: Beneficiary
    kind: str
    proof: str
    simulated: bool


def identifier_of(reading: Reading) -> str:
    """Return the value of the identifier: a digest, because the number of a card is nobody's."""
    named = f"{reading.content.card} {reading.beneficiary.ins} {reading.beneficiary.rank}"
    return hashlib.sha256(named.encode()).hexdigest()


def coverage(reading: Reading, patient: str, *, at: datetime) -> Json:
    """Return the Coverage of a beneficiary (FHIR R4, coverage.html).

    ``patient`` is the reference of who was found. It is active when rights are open that day.
    """
    one, content = reading.beneficiary, reading.content
    running = one.period_on(at.date())
    told: Json = {
        "resourceType": "Coverage",
        "meta": {"tag": _tags(reading)},
        "identifier": [{"system": READ_OUT, "value": identifier_of(reading)}],
        "status": "active" if running else "cancelled",
        "type": {"coding": [{"system": COVERAGES, "code": "PUBLICPOL"}]},
        "subscriberId": content.insured,
        "beneficiary": {"reference": patient},
        "dependent": str(one.rank),
        "relationship": {
            "coding": [{"system": RELATIONSHIPS, "code": "self" if one.insured else "other"}]
        },
        "payor": [
            {
                "identifier": {"system": PAYOR, "value": content.payor},
                "display": f"{content.regime} {content.fund} {content.centre}",
            }
        ],
        "class": [
            {
                "type": {"coding": [{"system": CLASSES, "code": "plan"}]},
                "value": content.regime,
                "name": "Régime",
            }
        ],
    }
    period = running or max(one.rights, key=lambda each: each.first, default=None)
    if period is not None:
        told["period"] = {"start": period.first.isoformat()}
        if period.last is not None:
            told["period"]["end"] = period.last.isoformat()
    if one.exemptions:
        told["extension"] = [{"url": EXEMPTION, "valueString": word} for word in one.exemptions]
    return told


def provenance(reading: Reading, target: str, patient: str, *, who: str, at: datetime) -> Json:
    """Return the Provenance of a read-out (FHIR R4, provenance.html).

    It names the person among its targets: that is what puts it in the record.
    """
    return {
        "resourceType": "Provenance",
        "meta": {"tag": _tags(reading)},
        "target": [{"reference": target}, {"reference": patient}],
        "recorded": at.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": ACTS, "code": "UPDATE"}]},
        "agent": [
            {
                "type": {"coding": [{"system": KINDS, "code": "enterer"}]},
                "who": {"reference": who},
            }
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {"system": f"{BASE}/sid/presentation", "value": reading.proof},
                    "display": "Carte Vitale" if reading.kind == "card" else "apCV",
                },
            }
        ],
    }


def _tags(reading: Reading) -> list[Json]:
    codes = [f"vitale-{reading.kind}", *(["simulator"] if reading.simulated else [])]
    return [{"system": SOURCES, "code": code} for code in codes]
