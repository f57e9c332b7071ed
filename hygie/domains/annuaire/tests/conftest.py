"""An extraction written for a test, and a store that obeys the house's rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.domains.annuaire.model.entries import Remark
from hygie.domains.annuaire.model.nomenclature import columns
from hygie.domains.annuaire.service.importing import Outcome, Wish, import_extraction
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase

Json = dict[str, Any]
Row = Mapping[str, str]
DAY = date(2026, 11, 2)
NEXT = date(2026, 12, 7)
NAMED = {field: head for field, (head, _) in columns("activities", at=DAY).items()}
IRIS: Row = {
    "type": "8",
    "number": "10000000017",
    "national_id": "810000000017",
    "title": "DR",
    "civility": "MME",
    "family": "FAURE",
    "given": "Iris",
    "profession": "10",
    "category": "C",
    "skill": "SM04",
    "mode": "L",
    "siret": "12345678200010",
    "finess": "750712184",
    "structure": "F750712184",
    "name": "CABINET DE LA LOIRE",
    "way_number": "3",
    "way_type": "Rue",
    "way": "DES PONTS",
    "postal_code": "41000",
    "insee": "41018",
    "city": "BLOIS",
    "phone": "0254000000",
    "sector": "SA08",
}
TOM: Row = {
    "type": "8",
    "number": "10000000025",
    "national_id": "810000000025",
    "family": "LE GOFF",
    "given": "Thomas",
    "profession": "60",
    "mode": "S",
    "finess": "410000020",
    "structure": "F410000020",
    "name": "HOPITAL DE BLOIS",
    "postal_code": "41016",
    "insee": "41018",
    "city": "BLOIS CEDEX",
    "sector": "SA01",
}


def extraction(folder: Path, rows: Sequence[Row], name: str = "PS_LibreAcces.txt") -> Path:
    """Write an activities extraction with some lines and return its path."""
    lines = ["|".join(NAMED.values())]
    lines += ["|".join(row.get(field, "") for field in NAMED) for row in rows]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


async def imported(
    repository: Repository, path: Path, *, on: date = DAY, **how: bool
) -> tuple[Outcome, list[Remark]]:
    """Import a file and return what was done and told."""
    told: list[Remark] = []
    outcome = await import_extraction(repository, Wish(path, on, **how), tell=told.append)
    return outcome, told


async def put(repository: Repository, body: Json) -> None:
    """Write a resource as the operator."""
    raw = msgspec.json.encode(body)
    await repository.update(SYSTEM, body["resourceType"], body["id"], raw)


async def found(repository: Repository, rt: str, *query: tuple[str, str]) -> list[Json]:
    """Return the matches of a search as the operator sees them."""
    answer = await repository.search(SYSTEM, rt, list(query))
    return [msgspec.json.decode(one.stored.body or b"") for one in answer.entries]


@pytest.fixture
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give an empty store under the law that the domains make together."""
    platform = Platform(database.settings)
    discover(platform, "hygie.domains")
    opened = await open_repository(database.settings, law=platform.law)
    yield opened
    await opened.database.close()
    database.truncate()
