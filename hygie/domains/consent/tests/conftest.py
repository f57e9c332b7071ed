"""A repository under the rules of the shared record, and a few people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from hygie.domains import consent
from hygie.kernel.platform import Platform
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase

Json = dict[str, Any]
G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"


@dataclass(frozen=True, slots=True)
class Desk:
    """The repository, and who asks it."""

    repository: Repository

    async def write(self, resource: Json) -> None:
        """Write as the operator, under the resource's own id."""
        raw = msgspec.json.encode(resource)
        await self.repository.update(SYSTEM, resource["resourceType"], resource["id"], raw)

    async def person(self, rid: str) -> Caller:
        """Return somebody with a record."""
        return await self._caller(Kind.PATIENT, f"Patient/{rid}", "PATRQT")

    async def professional(self, rid: str) -> Caller:
        """Return a professional who treats."""
        return await self._caller(Kind.PROFESSIONAL, f"Practitioner/{rid}", "TREAT")

    async def _caller(self, kind: Kind, reference: str, purpose: str) -> Caller:
        number = await self.repository.party_number(reference)
        return replace(Caller(kind, number, reference), purpose=purpose)

    async def new_person(self, rid: str, birth: str = "1950-05-05", **more: Any) -> Caller:
        """Write a Patient and return the person."""
        await self.write({"resourceType": "Patient", "id": rid, "birthDate": birth, **more})
        return await self.person(rid)

    async def new_professional(self, rid: str, profession: str = "10") -> Caller:
        """Write a Practitioner with a profession of TRE_G15 and return the professional."""
        coding = {"system": G15, "code": profession}
        await self.write(
            {
                "resourceType": "Practitioner",
                "id": rid,
                "name": [{"text": f"Dr {rid.capitalize()}"}],
                "qualification": [{"code": {"coding": [coding]}}],
            }
        )
        return await self.professional(rid)


@pytest.fixture(scope="module")
async def desk(database: ScratchDatabase) -> AsyncIterator[Desk]:
    """Give a repository under the whole law of the product."""
    platform = Platform(database.settings)
    consent.register(platform)
    repository = await open_repository(database.settings, law=platform.law)
    try:
        yield Desk(repository)
    finally:
        await repository.database.close()
