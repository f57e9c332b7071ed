"""What a reviewer reads of a declared emergency."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from hygie.domains.oversight.service import daily
from hygie.domains.oversight.tests.test_pages import clear
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.portal import Site
from hygie.testing.stories import HELENE, NORA

FIRST, LATER = "Patiente inconsciente, seule", "Suivi convenu avec la patiente"
CODE = {"system": "https://hygie.example.org/fhir/CodeSystem/emergency-access"}
T = TypeVar("T")


def run(site: Site, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(30)


@pytest.fixture
def rewritten(site: Site) -> Iterator[int]:
    """Give the item of a declaration whose author wrote another reason afterwards."""
    repository = site.platform.repository
    assert repository
    now = datetime.now(UTC).replace(microsecond=0)
    for reason in (FIRST, LATER):
        task = {
            "resourceType": "Task",
            "id": "declared-twice",
            "status": "in-progress",
            "intent": "order",
            "code": {"coding": [{**CODE, "code": "break-glass"}]},
            "for": {"reference": f"Patient/{NORA}"},
            "requester": {"reference": f"Practitioner/{HELENE}"},
            "authoredOn": now.isoformat(),
            "executionPeriod": {
                "start": now.isoformat(),
                "end": (now + timedelta(hours=4)).isoformat(),
            },
            "reasonCode": {"text": reason},
            "location": {"display": "Urgences"},
        }
        raw = msgspec.json.encode(task)
        run(site, repository.update(SYSTEM, "Task", "declared-twice", raw))
    assert run(site, daily.gather_emergencies(repository, at=now + timedelta(minutes=1))) == 1
    yield run(site, _item(site))
    run(site, clear(site))
    run(site, repository.delete(SYSTEM, "Task", "declared-twice"))


async def _item(site: Site) -> int:
    assert site.platform.repository
    async with site.platform.repository.database.transaction(system=True) as connection:
        return int(await connection.fetchval("SELECT max(id) FROM oversight_item"))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_first_declared_reason_is_what_the_reviewer_sees(
    site: Site, rewritten: int, language: str
) -> None:
    client = site.client("relectrice", language)
    page = client.get(f"/establishment/reviews/{rewritten}/").content.decode()
    assert FIRST in page
    assert LATER not in page
