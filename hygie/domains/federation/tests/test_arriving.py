"""Pages of professionals, of the telephone and of the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests
from django.test import Client

from hygie.domains.federation.tests.test_signing_in import (
    is_signed_in,
    person,
    put,
    run,
    through,
    world,
)
from hygie.kernel.database.connection import begin
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.portal import Site
from hygie.testing.simulators.people import write_people
from hygie.testing.simulators.serving import CABINET, CITIZENS, PROFESSIONALS, Outside

__all__ = ["world"]
IRIS = PROFESSIONALS[0]
OWN_ROLES = "https://hygie.example.org/fhir/CodeSystem/role"


@pytest.fixture(autouse=True)
def nobody_was_called(site: Site) -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def clerk(site: Site) -> Iterator[Client]:
    """Give an account of the establishment with the right identify, signed in just now."""
    from django.contrib.auth import get_user_model

    from hygie.kernel.web.authentication import PROOFS

    accounts = get_user_model().objects
    made = accounts.create(
        username="clerk", display_name="Clerk", kind="administrator", rights=["identify"]
    )
    client = site.client("clerk")
    session = client.session
    proof = {"method": "password", "at": time.time(), "acr": ""}
    session[PROOFS] = {"account": made.pk, "list": [proof]}
    session.save()
    yield client
    accounts.filter(username="clerk").delete()


def account_of_iris(site: Site) -> None:
    from django.contrib.auth import get_user_model

    get_user_model().objects.create(
        username="iris-outside",
        display_name="Iris Faure",
        kind="professional",
        fhir_reference="Practitioner/iris-outside",
    )


def one_exercise(world: Outside) -> None:
    (only,) = IRIS.exercises
    alone = msgspec.structs.replace(only, activities=(CABINET,))
    listed = [msgspec.structs.replace(IRIS, exercises=(alone,)), *PROFESSIONALS[1:]]
    write_people(world.folder / "people.json", CITIZENS, listed)


def test_a_professional_with_one_exercise_enters(site: Site, world: Outside) -> None:
    account_of_iris(site)
    one_exercise(world)
    client = site.client()
    answer = through(client, "pro-sante-connect", "iris")
    assert answer.headers["Location"] == "/home/"
    assert client.get("/professional/patients/").status_code == 200
    assert client.session["hygie_proofs"]["list"][0]["method"] == "pro-sante-connect"


def test_of_several_exercises_one_is_chosen_before_the_session_opens(
    site: Site, world: Outside
) -> None:
    account_of_iris(site)
    client = site.client()
    answer = through(client, "pro-sante-connect", "iris")
    assert answer.headers["Location"] == "/federation/choose/"
    assert not is_signed_in(client)
    page = client.get("/federation/choose/").content.decode()
    assert "Médecin, Cabinet de la Loire" in page
    assert "Hôpital de Blois" in page
    assert client.post("/federation/choose/", {"exercise": "9"}).status_code == 400
    assert not is_signed_in(client)
    client.post("/federation/choose/", {"exercise": "1"})
    assert is_signed_in(client)
    role, structure = client.session["hygie_exercise"]
    assert role == "10"
    assert structure > 0
    assert client.post("/federation/choose/", {"exercise": "0"}).headers["Location"] != "/home/"


@pytest.mark.parametrize("regulates", [True, False])
def test_the_role_of_a_regulator_counts_when_the_token_says_so(
    site: Site, world: Outside, regulates: bool
) -> None:
    account_of_iris(site)
    one_exercise(world)
    role = {
        "resourceType": "PractitionerRole",
        "id": "regulation-outside",
        "active": True,
        "practitioner": {"reference": "Practitioner/iris-outside"},
        "code": [{"coding": [{"system": OWN_ROLES, "code": "samu-regulator"}]}],
    }
    put(site, role)
    (only,) = IRIS.exercises
    alone = msgspec.structs.replace(only, activities=(CABINET,))
    told = msgspec.structs.replace(IRIS, exercises=(alone,), regulates=regulates)
    write_people(world.folder / "people.json", CITIZENS, [told])
    client = site.client()
    through(client, "pro-sante-connect", "iris")
    if regulates:
        assert "Régulation" in client.get("/federation/choose/").content.decode()
        client.post("/federation/choose/", {"exercise": "1"})
    assert client.session["hygie_exercise"][0] == ("samu-regulator" if regulates else "10")
    put(site, {**role, "active": False})


def test_who_is_struck_off_is_refused_in_every_session_at_the_next_request(
    site: Site, world: Outside
) -> None:
    account_of_iris(site)
    one_exercise(world)
    client = site.client()
    through(client, "pro-sante-connect", "iris")
    listed = client.get("/professional/patients/")
    assert listed.status_code == 200
    gone = msgspec.structs.replace(IRIS, exercises=())
    write_people(world.folder / "people.json", CITIZENS, [gone])
    other = site.client()
    page = through(other, "pro-sante-connect", "iris")
    assert page.status_code == 403
    assert "aucun exercice" in page.content.decode()
    assert not is_signed_in(other)
    records = site.platform.repository
    assert records is not None
    query = [("practitioner", "iris-outside")]
    found = run(site, records.search(SYSTEM, "PractitionerRole", query))
    bodies = [msgspec.json.decode(one.stored.body or b"{}") for one in found.entries]
    assert bodies
    assert not any(one["active"] for one in bodies)
    assert _roles_now(site) == frozenset()


def _roles_now(site: Site) -> frozenset[str]:
    from hygie.kernel.security.caller import Caller, Kind

    records = site.platform.repository
    assert records is not None
    number = run(site, records.party_number("Practitioner/iris-outside"))
    asked = Caller(Kind.PROFESSIONAL, number, "Practitioner/iris-outside")
    return run(site, records.authenticate(asked)).roles


@pytest.mark.parametrize("who", ["unknown", "iris"])
def test_a_professional_without_account_is_told_what_to_do(
    site: Site, world: Outside, who: str
) -> None:
    client = site.client()
    page = through(client, "pro-sante-connect", who)
    assert page.status_code == 403
    assert "RPPS" in page.content.decode()
    assert not is_signed_in(client)


def _phone(client: Client, number: str) -> Any:
    return client.post("/federation/pro-sante-connect/phone/", {"number": number})


def test_the_telephone_signs_a_professional_in(site: Site, world: Outside) -> None:
    account_of_iris(site)
    one_exercise(world)
    client = site.client()
    waiting = _phone(client, f"{IRIS.national_id[:3]} {IRIS.national_id[3:]}")
    assert waiting.headers["Location"] == "/federation/pro-sante-connect/phone/wait/"
    page = client.get(waiting.headers["Location"]).content.decode()
    ((number, kept),) = world.simulators["pro-sante-connect"].drawer.all("ciba").items()
    assert kept["binding_message"] in page
    _decide(world, number, "approved")
    assert client.post(waiting.headers["Location"]).headers["Location"] == "/home/"
    assert is_signed_in(client)


@pytest.mark.parametrize("number", ["", "8 99", "0' OR", "899999999999"])
def test_a_number_that_calls_nobody_signs_nobody_in(
    site: Site, world: Outside, number: str
) -> None:
    assert _phone(site.client(), number).status_code in {400, 403}


def test_a_telephone_is_not_called_all_night(site: Site, world: Outside) -> None:
    for _ in range(3):
        assert _phone(site.client(), IRIS.national_id).status_code == 302
    page = _phone(site.client(), IRIS.national_id)
    assert page.status_code == 403
    assert "plusieurs fois" in page.content.decode()


def test_a_telephone_that_refuses_is_told_to_the_computer(site: Site, world: Outside) -> None:
    account_of_iris(site)
    client = site.client()
    there = _phone(client, IRIS.national_id).headers["Location"]
    (number,) = world.simulators["pro-sante-connect"].drawer.all("ciba")
    _decide(world, number, "refused")
    page = client.post(there)
    assert page.status_code == 403
    assert "refusée sur le téléphone" in page.content.decode()


def _decide(world: Outside, number: str, decision: str) -> None:
    requests.post(
        f"{world.base}/simulators/pro-sante-connect/phone",
        data={"request": number, "who": IRIS.national_id, "decision": decision},
        timeout=5,
    )


@pytest.fixture
def doubtful(site: Site, world: Outside) -> tuple[Client, str]:
    """Give somebody whose identity waits, and the address of the case."""
    from hygie.domains.federation.orm import Case

    put(site, person("jeanne-outside", family="Brun"))
    client = site.client()
    through(client, "franceconnect", "jeanne")
    return client, f"/establishment/identities/{Case.objects.get().pk}/"


def test_the_queue_is_closed_to_who_has_not_the_right(
    site: Site, doubtful: tuple[Client, str]
) -> None:
    for login in ("operateur", "relectrice"):
        client = site.client(login)
        assert client.get("/establishment/identities/").status_code == 403
        assert client.get(doubtful[1]).status_code == 403
        assert client.post(doubtful[1], {"action": "refuse", "words": "x" * 20}).status_code == 403


def test_a_human_compares_side_by_side_and_recognises(
    site: Site, clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from hygie.domains.federation.orm import Case, Link

    client, address = doubtful
    assert "Demande" in clerk.get("/establishment/identities/").content.decode()
    page = clerk.get(address).content.decode()
    assert "BRUN-ÉTÉ" in page
    assert page.count("différent") == 1
    sent = {"action": "accept", "person": "Patient/jeanne-outside", "words": "Carte vue au guichet"}
    assert clerk.post(address, sent).status_code == 302
    case = Case.objects.get()
    assert (case.state, case.sealed, case.person) == ("accepted", "", "Patient/jeanne-outside")
    assert Link.objects.get().made == "human"
    assert "reconnu" in client.get("/federation/waiting/").content.decode()
    through(client, "franceconnect", "jeanne")
    assert is_signed_in(client)


def test_a_decision_wants_a_reason_and_a_person_that_was_shown(
    clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from hygie.domains.federation.orm import Link

    for sent in (
        {"action": "accept", "person": "Patient/jeanne-outside", "words": "ok"},
        {"action": "accept", "person": "Patient/nora-martin", "words": "Carte vue au guichet"},
        {"action": "accept", "words": "Carte vue au guichet"},
        {"action": "nothing", "words": "Carte vue au guichet"},
    ):
        assert clerk.post(doubtful[1], sent).status_code == 400
    assert not Link.objects.exists()


def test_a_decision_wants_a_fresh_proof_of_who_decides(
    clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from hygie.domains.federation.orm import Link
    from hygie.kernel.web.authentication import PROOFS

    session = clerk.session
    session.pop(PROOFS, None)
    session.save()
    sent = {"action": "accept", "person": "Patient/jeanne-outside", "words": "Carte vue au guichet"}
    answer = clerk.post(doubtful[1], sent)
    assert answer.headers["Location"].startswith("/account/confirm/")
    assert not Link.objects.exists()


def test_a_refused_identity_does_not_come_back_by_itself(
    clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from hygie.domains.federation.orm import Case

    client, address = doubtful
    clerk.post(address, {"action": "refuse", "words": "Ce n’est pas cette personne"})
    assert clerk.get(address).status_code == 404
    page = through(client, "franceconnect", "jeanne")
    assert page.status_code == 403
    assert "accueil" in page.content.decode()
    assert Case.objects.count() == 1


def test_the_person_is_asked_to_the_desk_and_recognised_there(
    clerk: Client, doubtful: tuple[Client, str]
) -> None:
    client, address = doubtful
    clerk.post(address, {"action": "desk", "words": "Il faut voir la pièce d’identité"})
    page = client.get("/federation/waiting/").content.decode()
    assert "Présentez-vous à l’accueil" in page
    sent = {"action": "accept", "person": "Patient/jeanne-outside", "words": "Carte vue au guichet"}
    assert clerk.post(address, sent).status_code == 302


def test_every_comparison_leaves_a_trace_under_the_name_of_who_compares(
    site: Site, clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from django.contrib.auth import get_user_model

    clerk.get(doubtful[1])
    number = get_user_model().objects.get(username="clerk").pk
    agents = run(site, _agents(site))
    assert f"account/{number}" in agents
    assert "job/identity-matching" in agents


async def _agents(site: Site) -> set[str]:
    records = site.platform.repository
    assert records is not None
    async with records.database.connection() as connection:
        await connection.execute(begin([], system=True))
        rows = await connection.fetch("SELECT agent FROM trace WHERE rule = 'identify'")
        await connection.execute("COMMIT")
    return {row["agent"] for row in rows}


def test_a_case_that_nobody_decides_is_destroyed(
    site: Site, clerk: Client, doubtful: tuple[Client, str]
) -> None:
    from datetime import timedelta

    from hygie.domains.federation.jobs import forget
    from hygie.domains.federation.orm import Begun, Case
    from hygie.domains.federation.service.queue import KEPT

    case = Case.objects.get()
    run(site, forget(site.platform))
    assert Case.objects.count() == 1
    Case.objects.filter(pk=case.pk).update(created=case.created - KEPT - timedelta(days=1))
    Begun.objects.update(expires=case.created - KEPT)
    run(site, forget(site.platform))
    assert not Case.objects.exists()
    assert not Begun.objects.exists()
    assert doubtful[0].get("/federation/waiting/").status_code == 302
