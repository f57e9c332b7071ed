"""Mandates of a desk, parents and guardians, on the real repository and the real templates."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from hygie.kernel.security.caller import SYSTEM
from hygie.testing.factories import condition, encounter, patient
from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import ADA, ADA_INS, PAUL

if TYPE_CHECKING:
    from django.test import Client

DESK = "/establishment/desk"
MINE = "/patient/helping"
ASKED = {"ins": ADA_INS, "act": "Retrouver une attestation", "place": "Sizun", "minutes": "20"}
YOUNG, MOTHER, FATHER = "young-mae", "mother-yuna", "father-alan"


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


def _run(site: Site, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(20)


def _put(site: Site, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    repository = site.platform.repository
    assert repository is not None
    _run(site, repository.update(SYSTEM, body["resourceType"], body["id"], raw))


def _mandate(site: Site, minutes: str = "20") -> tuple[Client, str]:
    agent = site.client("agent")
    answer = agent.post(f"{DESK}/", {**ASKED, "minutes": minutes})
    assert answer.status_code == 302, answer.content.decode()
    return agent, str(answer["Location"])


def test_an_agent_acts_once_the_person_signed_and_reads_no_health(site: Site) -> None:
    _put(site, condition(f"Patient/{ADA}", "Migraine", id="ada-migraine"))
    agent, paper = _mandate(site)
    assert "Retrouver une attestation" in _text(agent, paper)
    assert agent.get(f"/patient/record/{ADA}/").status_code == 403
    assert agent.post(paper).status_code == 422
    assert agent.post(paper, {"signed": "yes"})["Location"] == "/patient/"
    text = _text(agent, "/patient/")
    assert "Vous agissez pour Ada LEROY, agent du guichet" in text
    assert "jusqu’à" in text
    assert "Migraine" not in agent.get(f"/patient/record/{ADA}/").content.decode()
    assert "Cette page n’est pas de son dossier" in _text(agent, f"{DESK}/", 403)
    assert "Cette page n’est pas" in _text(agent, f"/patient/record/{PAUL}/", 403)
    assert agent.post(f"{MINE}/stop/")["Location"] == f"{DESK}/"
    assert agent.get(f"/patient/record/{ADA}/").status_code == 403


def test_the_signed_paper_and_both_names_stay_in_the_record(site: Site) -> None:
    agent, paper = _mandate(site)
    agent.post(paper, {"signed": "yes"})
    agent.get(f"/patient/record/{ADA}/")
    agent.post(f"{MINE}/stop/")
    ada = site.client("ada")
    assert "Mandat pour une démarche" in _text(ada, f"/patient/record/{ADA}/documents/")
    text = _text(ada, f"/patient/consent/{ADA}/accesses/")
    assert "Un mandat a été signé au guichet" in text
    assert "Léa Kervella" in text
    assert "Le mandat signé au guichet est fini" in text


def test_a_mandate_ends_by_itself(site: Site) -> None:
    agent, paper = _mandate(site, "1")
    agent.post(paper, {"signed": "yes"})
    session = agent.session
    session["hygie_acting"] = {**session["hygie_acting"], "ends": 1.0}
    session.save()
    assert "Cette aide est finie" in _text(agent, f"/patient/record/{ADA}/")
    assert agent.get(f"{DESK}/").status_code == 200


def test_a_mandate_is_of_one_agent_and_of_an_hour_at_most(site: Site) -> None:
    _agent, paper = _mandate(site)
    assert site.client("accueil").get(paper).status_code == 403
    assert site.client("agent").post(f"{DESK}/", {**ASKED, "minutes": "61"}).status_code == 422
    assert site.client("accueil").post(f"{DESK}/", ASKED).status_code == 403


def test_whoever_does_not_sign_opens_nothing(site: Site) -> None:
    agent, paper = _mandate(site)
    agent.post(paper, {"drop": "yes"})
    assert agent.post(paper, {"signed": "yes"}).status_code == 409


@pytest.fixture(scope="module")
def family(site: Site) -> None:
    """Write a girl of seventeen and her parents, whom nobody recorded yet."""
    today = timezone.localdate()
    born = today.replace(day=1) - timedelta(days=17 * 365 + 60)
    for rid, given, when, ins in (
        (YOUNG, "Maé", born.isoformat(), "209092901911132"),
        (MOTHER, "Yuna", "1980-03-01", "280032901911167"),
        (FATHER, "Alan", "1979-03-01", "179032901911122"),
    ):
        _put(site, patient("Kerdoncuff", given, id=rid, birthDate=when, ins=_with_key(ins)))
    accounts = import_module("hygie.domains.sign_in.service.accounts")
    kinds = import_module("hygie.domains.sign_in.model.accounts").Kind
    accounts.open_accounts(
        [
            accounts.NewAccount(login, login, kinds("patient"), f"Patient/{rid}")
            for login, rid in (("mae", YOUNG), ("yuna", MOTHER), ("alan", FATHER))
        ],
        password=PASSWORD,
    )


def _with_key(text: str) -> str:
    body = text[:13]
    return f"{body}{97 - int(body) % 97:02d}"


def _entered(site: Site, parent: str, measure: str = "filiation", **more: str) -> str:
    told = {
        "person-ins": _with_key("209092901911132"),
        "other-ins": _with_key(parent),
        "measure": measure,
        "document": "Livret de famille",
        **more,
    }
    answer = site.client("accueil").post(f"{DESK}/measures/enter/", told)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_a_parent_is_recorded_by_two_people(site: Site, family: None) -> None:
    measure = _entered(site, "280032901911167")
    assert site.client("yuna").post(f"{MINE}/{YOUNG}/act/").status_code == 404
    assert site.client("accueil").post(measure, {"action": "confirm"}).status_code == 403
    second = site.client("accueil.deux")
    assert "Livret de famille" in _text(second, measure)
    assert second.post(measure, {"action": "confirm"}).status_code == 302
    assert second.post(measure, {"action": "confirm"}).status_code == 409
    assert "Maé KERDONCUFF" in _text(site.client("yuna"), f"{MINE}/")
    assert site.client(f"yuna for {YOUNG}").get(f"/patient/record/{YOUNG}/").status_code == 200


def test_a_minor_of_seventeen_ends_what_one_parent_reads(site: Site, family: None) -> None:
    for parent in ("280032901911167", "179032901911122"):
        site.client("accueil.deux").post(_entered(site, parent), {"action": "confirm"})
    mae = site.client("mae")
    mae.post("/account/confirm/", {"password": PASSWORD})
    page = _text(mae, f"{MINE}/minor/")
    found = re.search(r'href="(/patient/helping/minor/[^"]+)">[^<]*<span[^>]*> Alan', page)
    assert found, page
    assert mae.post(found[1])["Location"].endswith("limited")
    assert site.client("alan").post(f"{MINE}/{YOUNG}/act/").status_code == 404
    yuna = site.client(f"yuna for {YOUNG}")
    assert yuna.get(f"/patient/record/{YOUNG}/").status_code == 200
    seen = yuna.get(f"/patient/consent/{YOUNG}/accesses/?own=on").content.decode()
    assert "mis fin à ce que lit un parent" not in seen


def test_a_minor_hides_a_visit_from_the_parents(site: Site, family: None) -> None:
    visit = encounter(f"Patient/{YOUNG}", "Consultation", "2026-05-18T09:30:00+02:00", "Entorse")
    _put(site, {**visit, "id": "visit-of-mae"})
    site.client("accueil.deux").post(_entered(site, "280032901911167"), {"action": "confirm"})
    page = f"/patient/record/{YOUNG}/Encounter/visit-of-mae/"
    assert site.client(f"yuna for {YOUNG}").get(page).status_code == 200
    mae = site.client("mae")
    hide = f"{MINE}/minor/hide/Encounter/visit-of-mae/"
    assert hide in _text(mae, f"{MINE}/minor/hide/")
    mae.post(hide, {"hidden": "yes"})
    assert "caché à mes parents" in _text(mae, f"{MINE}/minor/hide/")
    assert site.client(f"yuna for {YOUNG}").get(page).status_code == 404
    mae.post(hide, {"hidden": "no"})
    assert site.client(f"yuna for {YOUNG}").get(page).status_code == 200
    assert site.client("yuna").get(f"{MINE}/minor/hide/").status_code == 404


def test_a_judged_measure_wants_its_decision_and_a_lawful_end(site: Site, family: None) -> None:
    today = timezone.localdate()
    told = {
        "person-ins": ADA_INS,
        "other-ins": _with_key("280032901911167"),
        "measure": "tutelle",
        "document": "Copie du jugement",
        "judged": (today - timedelta(days=30)).isoformat(),
        "ends": (today + timedelta(days=40)).isoformat(),
    }
    accueil = site.client("accueil")
    assert accueil.post(f"{DESK}/measures/enter/", told).status_code == 422
    told |= {"court": "Tribunal judiciaire de Brest", "judgment": "26/00123"}
    late = {**told, "ends": (today + timedelta(days=9000)).isoformat()}
    assert accueil.post(f"{DESK}/measures/enter/", late).status_code == 422
    answer = accueil.post(f"{DESK}/measures/enter/", told)
    second = site.client("accueil.deux")
    second.post(answer["Location"], {"action": "confirm"})
    yuna = site.client(f"yuna for {ADA}")
    assert "tuteur" in _text(yuna, "/patient/")
    assert "pensez à la renouveler" in _text(site.client("yuna"), "/patient/")
    assert "à renouveler" in _text(accueil, f"{DESK}/measures/")
    second.post(answer["Location"], {"action": "end"})
    assert site.client("yuna").post(f"{MINE}/{ADA}/act/").status_code == 404


def test_nobody_is_a_parent_of_an_adult(site: Site, family: None) -> None:
    told = {
        "person-ins": ADA_INS,
        "other-ins": _with_key("280032901911167"),
        "measure": "filiation",
        "document": "Livret de famille",
    }
    assert site.client("accueil").post(f"{DESK}/measures/enter/", told).status_code == 422


def test_a_professional_guardian_is_named_by_the_login(site: Site, family: None) -> None:
    today = timezone.localdate()
    told = {
        "person-ins": ADA_INS,
        "login": "mandataire",
        "measure": "curatelle",
        "document": "Copie du jugement",
        "court": "Tribunal judiciaire de Brest",
        "judgment": "26/00124",
        "judged": (today - timedelta(days=30)).isoformat(),
        "ends": (today + timedelta(days=400)).isoformat(),
    }
    answer = site.client("accueil").post(f"{DESK}/measures/enter/", told)
    site.client("accueil.deux").post(answer["Location"], {"action": "confirm"})
    elise = site.client(f"mandataire for {ADA}")
    assert "Vous agissez pour Ada LEROY, aidant" in _text(elise, "/patient/")
    site.client("accueil").post(answer["Location"], {"action": "end"})
    assert "Cette aide est finie" in _text(elise, "/patient/")


def test_whoever_has_not_the_right_records_nobody(site: Site) -> None:
    assert site.client("agent").get(f"{DESK}/measures/enter/").status_code == 403
    assert "n’enregistre pas de parent" in _text(site.client("agent"), f"{DESK}/measures/")
