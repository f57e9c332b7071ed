"""A small hospital with a real store, and a log whose days the tests choose."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from hygie.domains.oversight.service import daily
from hygie.kernel.audit.events import event_id
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.fhir.names import type_number
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Caller, Kind, Right
from hygie.kernel.store import Repository, open_repository
from hygie.testing import stories
from hygie.testing.database import ScratchDatabase

DAY = date(2026, 11, 18)
AT = datetime(2026, 11, 19, 3, 0, tzinfo=UTC)
REVIEWER = Caller(
    Kind.ADMINISTRATOR, 0, "account/7", purpose="HOPERAT", rights=frozenset({Right.REVIEW})
)
HOSPITAL = "hospital"
_LOG = """
INSERT INTO trace
  (at, place, request, kind, party, pat, agent, purpose, interaction, outcome, rule, rt)
SELECT $1, count(*), $2, 2, $3, $4, $5, 'TREAT', $6, 200, 'care-team', $7 FROM trace RETURNING id
"""


@dataclass(slots=True)
class Ward:
    """Writes people and accesses."""

    repository: Repository
    log: Database
    numbers: dict[str, int] = field(default_factory=dict)

    async def write(self, resource: dict[str, Any]) -> None:
        raw = msgspec.json.encode(resource)
        await self.repository.update(SYSTEM, resource["resourceType"], resource["id"], raw)

    async def number(self, reference: str) -> int:
        return await self.repository.party_number(reference)

    async def patient(self, rid: str, family: str = "Morel", line: str = "", **more: Any) -> int:
        address = [{"line": [line], "postalCode": "56000"}] if line else []
        await self.write(
            {
                "resourceType": "Patient",
                "id": rid,
                "name": [{"use": "official", "family": family, "given": [rid.capitalize()]}],
                "birthDate": "1980-02-03",
                **({"address": address} if address else {}),
                **more,
            }
        )
        return await self.number(f"Patient/{rid}")

    async def professional(self, rid: str, family: str = "Briand", line: str = "") -> int:
        address = [{"line": [line], "postalCode": "56000"}] if line else []
        await self.write({"resourceType": "Organization", "id": HOSPITAL, "name": "Hôpital"})
        await self.write(
            {
                "resourceType": "Practitioner",
                "id": rid,
                "name": [{"family": family, "given": [rid.capitalize()]}],
                **({"address": address} if address else {}),
            }
        )
        await self.write(
            {
                "resourceType": "PractitionerRole",
                "id": f"role-{rid}",
                "active": True,
                "practitioner": {"reference": f"Practitioner/{rid}"},
                "organization": {"reference": f"Organization/{HOSPITAL}"},
                "code": [{"coding": [{"system": stories.PROFESSIONS, "code": "60"}]}],
            }
        )
        return await self.number(f"Practitioner/{rid}")

    async def look(
        self, who: str, whose: str, *, day: date = DAY, hour: int = 10, wrote: bool = False
    ) -> str:
        """Log one access and return the id of its AuditEvent."""
        at = datetime.combine(day, time(hour), UTC)
        party = await self.number(f"Practitioner/{who}")
        pat = await self.number(f"Patient/{whose}")
        kind = "create" if wrote else "read"
        rt = type_number("Observation")
        async with self.log.connection() as connection:
            number = await connection.fetchval(
                _LOG, at, uuid.uuid4(), party, pat, f"Practitioner/{who}", kind, rt
            )
        return event_id(at, number)

    async def score(self, day: date = DAY) -> dict[tuple[int, int], tuple[float, list[str]]]:
        """Run the job on a day; return score and reasons of what it listed."""
        await daily.score_day(self.repository, day, at=AT)
        async with self.repository.database.transaction(system=True) as connection:
            rows = await connection.fetch("SELECT * FROM oversight_item WHERE day = $1", day)
        return {(row["party"], row["pat"]): (row["score"], row["reasons"]) for row in rows}

    async def person(self, rid: str) -> Caller:
        number = await self.number(f"Patient/{rid}")
        return Caller(Kind.PATIENT, number, f"Patient/{rid}", purpose="PATRQT")

    async def doctor(self, rid: str) -> Caller:
        number = await self.number(f"Practitioner/{rid}")
        return Caller(Kind.PROFESSIONAL, number, f"Practitioner/{rid}")


@pytest.fixture
async def ward(fresh_database: ScratchDatabase) -> AsyncIterator[Ward]:
    platform = Platform(fresh_database.settings)
    discover(platform, "hygie.domains")
    repository = await open_repository(fresh_database.settings, law=platform.law)
    log = await Database.open(fresh_database.dsn, role=roles.OWNER, size=1)
    yield Ward(repository, log)
    await log.close()
    await repository.database.close()


def ago(days: int) -> date:
    return DAY - timedelta(days=days)
