"""Each structure has its register, its texts and its clock; a breach is told from the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hygie.domains.rights.model.measures import measures, switched_on
from hygie.domains.rights.model.register import flows
from hygie.domains.rights.service.breach import breach_report
from hygie.domains.rights.service.controllers import (
    controllers,
    register,
    retention_clock,
    texts,
    write_text,
)
from hygie.domains.rights.service.papers import assessment_paper, breach_paper, register_paper
from hygie.domains.rights.tests.conftest import AT, person, put
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository
from hygie.testing.database import ScratchDatabase
from hygie.testing.factories import document, patient
from hygie.testing.stories import NORA

ADMINISTRATOR = Caller(Kind.ADMINISTRATOR, 0, "account/1", purpose="HOPERAT")
HOSPITAL = "Organization/hospital"


@pytest.fixture(scope="module", autouse=True)
async def hospital(repository: Repository) -> None:
    await put(repository, {"resourceType": "Organization", "id": "hospital", "name": "CH de Tours"})
    for who, day in (("old", "1990-02-01"), ("recent", "2026-02-01")):
        await put(repository, patient("Suivi", who, id=f"clock-{who}", ins=""))
        letter = document(f"Patient/clock-{who}", "Lettre", day=f"{day}T10:00:00+01:00")
        await put(repository, letter | {"custodian": {"reference": HOSPITAL}})


async def test_each_organization_is_a_controller(repository: Repository) -> None:
    found = await controllers(repository, ADMINISTRATOR)
    assert (HOSPITAL, "CH de Tours") in [(one.reference, one.name) for one in found]


async def test_only_who_administers_sees_the_register(repository: Repository) -> None:
    nora = await person(repository, NORA)
    with pytest.raises(Forbidden):
        await controllers(repository, nora)
    with pytest.raises(Forbidden):
        await write_text(repository, nora, HOSPITAL, part="dpo", body="moi")
    with pytest.raises(Forbidden):
        await retention_clock(repository, nora, at=AT)


async def test_the_clock_counts_files_and_names_nobody(repository: Repository) -> None:
    clocks = {
        one.controller: one for one in await retention_clock(repository, ADMINISTRATOR, at=AT)
    }
    mine = clocks[HOSPITAL]
    assert (mine.patients, mine.over, mine.soon) == (2, 1, 0)


async def test_a_structure_writes_its_own_texts(
    repository: Repository, database: ScratchDatabase
) -> None:
    await write_text(repository, ADMINISTRATOR, HOSPITAL, part="dpo", body=" Mme Roy ")
    assert await texts(repository, HOSPITAL) == {"dpo": "Mme Roy"}
    found = await register(
        repository, ADMINISTRATOR, HOSPITAL, settings=database.settings, at=AT.date()
    )
    assert "Mme Roy" in register_paper(found, language="fr", at=AT.date())
    await write_text(repository, ADMINISTRATOR, HOSPITAL, part="dpo", body=" ")
    assert await texts(repository, HOSPITAL) == {}


async def test_unknown_parts_and_structures_are_refused(
    repository: Repository, database: ScratchDatabase
) -> None:
    with pytest.raises(InvalidRequest):
        await write_text(repository, ADMINISTRATOR, HOSPITAL, part="other", body="x")
    with pytest.raises(NotFound):
        await register(
            repository,
            ADMINISTRATOR,
            "Organization/none",
            settings=database.settings,
            at=AT.date(),
        )


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_assessment_has_the_outline_of_the_cnil_and_says_what_is_missing(
    repository: Repository, database: ScratchDatabase, language: str
) -> None:
    found = await register(
        repository, ADMINISTRATOR, HOSPITAL, settings=database.settings, at=AT.date()
    )
    paper = assessment_paper(found, language=language, at=AT.date())  # type: ignore[arg-type]
    headings = [line for line in paper.splitlines() if line.startswith("## ")]
    assert len(headings) == 4
    assert ("À compléter" if language == "fr" else "to complete") in paper


async def test_a_measure_is_told_as_it_is(database: ScratchDatabase) -> None:
    plain = {one.title[1]: one.active for one in measures(database.settings)}
    secure = {
        one.title[1]: one.active
        for one in measures(replace(database.settings, url="https://hygie.example.org"))
    }
    assert (plain["Encryption in transit"], secure["Encryption in transit"]) == (False, True)
    assert not plain["Encryption of the rest of the database"]


def test_a_flow_is_on_only_where_its_setting_is(database: ScratchDatabase) -> None:
    day = date(2026, 11, 22)
    off = replace(database.settings, database_url="")
    assert not any(on for _, on in switched_on(off, at=day))
    on = {flow.key: on for flow, on in switched_on(database.settings, at=day)}
    assert on["database"] == bool(database.settings.database_url)
    assert all(flow.value.country for flow in flows().rows)


async def test_a_breach_is_told_from_the_log_in_one_go(repository: Repository) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    nora = await person(repository, NORA)
    for _ in range(3):
        await repository.read(nora, "Patient", NORA)
    with pytest.raises(NotFound):
        await repository.read(nora, "Patient", "clock-old")
    until = datetime.now(UTC) + timedelta(minutes=1)
    breach = await breach_report(repository, since=since, until=until, agent=f"Patient/{NORA}")
    assert (breach.accesses >= 3, breach.refusals >= 1, breach.people) == (True, True, 1)
    assert ("Patient", 3) in breach.types
    paper = breach_paper(breach, language="fr", at=AT)
    for heading in ("Nature", "Personnes", "Catégories", "Conséquences", "Mesures"):
        assert heading in paper
    assert "Martin" not in paper


async def test_reading_the_log_for_a_breach_is_traced(repository: Repository) -> None:
    now = datetime.now(UTC)
    await breach_report(repository, since=now - timedelta(hours=1), until=now)
    async with repository.database.transaction(system=True) as connection:
        query = await connection.fetchval("SELECT query FROM trace ORDER BY id DESC LIMIT 1")
    assert query is None or b"breach-report" in query


async def test_a_period_that_ends_before_it_begins_is_refused(repository: Repository) -> None:
    with pytest.raises(InvalidRequest):
        await breach_report(repository, since=AT, until=AT - timedelta(days=1))
