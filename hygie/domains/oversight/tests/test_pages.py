"""The pages of the queue, the report and the questions, in both languages."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from hygie.domains.oversight.service import reporting
from hygie.kernel.audit.events import event_id
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Kind
from hygie.testing.portal import Site
from hygie.testing.stories import HELENE, NORA

WORDS = "Je ne connais pas ce médecin."
_LOG = """
INSERT INTO trace (at, request, kind, party, pat, agent, purpose, interaction, outcome, rule, rt)
VALUES ($1, $2, 2, $3, $4, $5, 'TREAT', 'read', 200, 'care-team', $6) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """An access that Nora reported, and another that she did not."""

    number: int
    other: str


@pytest.fixture
def reported(site: Site) -> Iterator[Reported]:
    yield asyncio.run_coroutine_threadsafe(_report(site), site.loop).result(30)
    asyncio.run_coroutine_threadsafe(clear(site), site.loop).result(30)


async def _report(site: Site) -> Reported:
    repository = site.platform.repository
    assert repository
    nora = await repository.party_number(f"Patient/{NORA}")
    at = datetime.now(UTC)
    events = []
    log = await Database.open(repository.database.dsn, role=roles.OWNER, size=1)
    async with log.connection() as connection:
        doctor = await repository.party_number(f"Practitioner/{HELENE}")
        rest = (doctor, nora, f"Practitioner/{HELENE}", type_number("Observation"))
        for _ in range(2):
            number = await connection.fetchval(_LOG, at, uuid.uuid4(), *rest)
            events.append(event_id(at, number))
    await log.close()
    caller = Caller(Kind.PATIENT, nora, f"Patient/{NORA}", purpose="PATRQT")
    await reporting.report_access(repository, caller, events[0], words=WORDS, at=at)
    async with repository.database.transaction(system=True) as connection:
        number = await connection.fetchval("SELECT max(id) FROM oversight_item")
    return Reported(number, events[1])


async def clear(site: Site) -> None:
    assert site.platform.repository
    log = await Database.open(site.platform.repository.database.dsn, role=roles.OWNER, size=1)
    async with log.transaction(system=True) as connection:
        await connection.execute("DELETE FROM oversight_item")
    await log.close()


@pytest.mark.parametrize(
    ("language", "told"),
    [("fr", "Signalé par le patient"), ("en", "Reported by the patient")],
)
def test_the_queue_says_who_and_whose_without_a_name_of_the_patient(
    site: Site, reported: Reported, language: str, told: str
) -> None:
    client = site.client("relectrice", language)
    page = client.get("/establishment/reviews/").content.decode()
    assert told in page
    assert "Dr Hélène Petit → N.M." in page
    one = client.get(f"/establishment/reviews/{reported.number}/").content.decode()
    assert WORDS in one
    assert "Martin" not in one


def test_a_review_goes_from_the_queue_to_the_decision(site: Site, reported: Reported) -> None:
    client = site.client("relectrice")
    address = f"/establishment/reviews/{reported.number}/"
    assert client.post(address, {"action": "take"}).status_code == 302
    refused = client.post(address, {"action": "abnormal", "words": ""})
    assert refused.status_code == 400
    assert "Écrivez de 3 à 2000 caractères." in refused.content.decode()
    client.post(address, {"action": "ask", "words": "Pourquoi ce dossier ?"})
    doctor = site.client("dr.petit")
    assert "Pourquoi ce dossier ?" in doctor.get("/professional/oversight/").content.decode()
    doctor.post(f"/professional/oversight/{reported.number}/", {"words": "Un résultat à lire."})
    assert "Aucune question" in doctor.get("/professional/oversight/").content.decode()
    assert "Un résultat à lire." in client.get(address).content.decode()
    client.post(address, {"action": "abnormal", "words": "Sans lien de soin."})
    assert "anormal" in client.get(address).content.decode()
    assert client.post(address, {"action": "close"}).status_code == 302


def test_a_person_reports_an_access_once(site: Site, reported: Reported) -> None:
    client = site.client("nora")
    for address in (
        f"/patient/oversight/report/{reported.other}/",
        f"/patient/oversight/report/{NORA}/{reported.other}/",
    ):
        assert client.get(address).status_code == 200
    assert client.post(address, {"words": "x"}).status_code == 400
    assert client.post(address, {"words": WORDS}).status_code == 302
    assert "Vous avez signalé cet accès." in client.get(address).content.decode()


@pytest.mark.parametrize("login", ["paul", "operateur"])
def test_nobody_else_reports_it(site: Site, reported: Reported, login: str) -> None:
    address = f"/patient/oversight/report/{reported.other}/"
    assert site.client(login).get(address).status_code in {403, 404}


def test_an_unknown_act_or_item_is_not_found(site: Site, reported: Reported) -> None:
    client = site.client("relectrice")
    assert client.get("/establishment/reviews/999999/").status_code == 404
    unknown = client.post(f"/establishment/reviews/{reported.number}/", {"action": "delete"})
    assert unknown.status_code == 404
