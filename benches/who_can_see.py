"""Who can see a record: the page of a person with a large care team, against its promise.

    python benches/who_can_see.py [MEMBERS]

Fills an embedded server with one patient, MEMBERS professionals of ten structures in the care team
(40 unless said), twenty people who act under them, six helpers and two hundred documents; then
asks two hundred times who can see the whole record, and one document. Prints the median and the
95th percentile as shares of the 300 ms promised.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from harness import scratch

from hygie.domains.consent.service.visibility import who_can_see
from hygie.domains.consent.service.visiting import visiting
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.testing.factories import document, patient
from hygie.testing.stories import practitioner

PROMISED = 300.0
ASKED, DELEGATES, HELPERS, DOCUMENTS = 200, 20, 6, 200
CHOICE = "https://hygie.example.org/fhir/CodeSystem/choice"
Json = dict[str, Any]
_encode = msgspec.json.Encoder(decimal_format="number").encode


def main() -> None:
    """Measure and print."""
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with scratch() as (database, _folder):
        settings = replace(database.settings, demo=1)
        asyncio.run(_measure(settings, members))


async def _measure(settings: Any, members: int) -> None:
    platform = Platform(settings)
    discover(platform, "hygie.domains")
    records = await open_repository(settings, law=platform.law)
    for one in _people(members):
        await records.update(SYSTEM, one["resourceType"], one["id"], _encode(one))
    number = await records.party_number("Patient/me")
    me = Caller(Kind.PATIENT, number, "Patient/me", purpose="PATRQT")
    for name, item in (("whole record", None), ("document", ("DocumentReference", "paper-0"))):
        times = [await _once(records, me, item) for _ in range(ASKED)]
        middle, high = statistics.median(times), sorted(times)[int(ASKED * 0.95)]
        print(
            f"{name}, {members} members: median {middle:.1f} ms ({middle / PROMISED:.2f} of the "
            f"promise), 95th percentile {high:.1f} ms ({high / PROMISED:.2f})"
        )
    await records.database.close()


async def _once(records: Repository, me: Caller, item: tuple[str, str] | None) -> float:
    start = time.perf_counter()
    await visiting(records, me, "me", lambda opened: who_can_see(opened, item=item))
    return (time.perf_counter() - start) * 1000


def _people(members: int) -> list[Json]:
    places = [
        {"resourceType": "Organization", "id": f"place-{n}", "name": f"Structure {n}"}
        for n in range(10)
    ]
    staff = [
        one
        for n in range(members)
        for one in practitioner(
            f"pro-{n}",
            f"Nom{n}",
            f"Prénom{n}",
            profession=("10", "60", "21")[n % 3],
            at=f"place-{n % 10}",
        )
    ]
    under = [
        one
        for n in range(min(DELEGATES, members))
        for one in practitioner(
            f"aid-{n}",
            f"Aide{n}",
            "Jo",
            own="secretary",
            at=f"place-{n % 10}",
            under=f"pro-{n}",
        )
    ]
    papers = [
        {**document("Patient/me", f"Document {n}", day="2026-01-05T10:00:00Z"), "id": f"paper-{n}"}
        for n in range(DOCUMENTS)
    ]
    return [*places, patient(id="me"), *staff, *under, *_choices(members), *papers]


def _choices(members: int) -> list[Json]:
    named = [{"member": {"reference": f"Practitioner/pro-{n}"}} for n in range(members)]
    team = {
        "resourceType": "CareTeam",
        "id": "team",
        "status": "active",
        "subject": {"reference": "Patient/me"},
        "participant": named,
    }
    helpers = [patient("Aidant", f"H{n}", id=f"helper-{n}", ins="") for n in range(HELPERS)]
    agreed = _consent("agreed", "care-team")
    helped = [
        _consent(
            f"helped-{n}",
            "helper",
            actor={"reference": f"Patient/helper-{n}", "display": f"Aidant {n}"},
        )
        for n in range(HELPERS)
    ]
    return [*helpers, team, agreed, *helped]


def _consent(rid: str, category: str, *, actor: Json | None = None) -> Json:
    provision: Json = {"type": "permit"}
    if actor:
        provision["actor"] = [{"role": {"text": category}, "reference": actor}]
    return {
        "resourceType": "Consent",
        "id": rid,
        "status": "active",
        "scope": {"text": "privacy"},
        "category": [{"coding": [{"system": CHOICE, "code": category}]}],
        "patient": {"reference": "Patient/me"},
        "dateTime": datetime(2025, 11, 1, tzinfo=UTC).isoformat(),
        "policyRule": {"text": "choice"},
        "provision": provision,
    }


if __name__ == "__main__":
    main()
