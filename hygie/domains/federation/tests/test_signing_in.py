"""Pages: from a provider to a session, and every way in which none opens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import requests
from django.test import Client

from hygie.kernel.security.caller import SYSTEM
from hygie.testing.portal import Site
from hygie.testing.simulators.people import write_people
from hygie.testing.simulators.serving import CITIZENS, PROFESSIONALS, Outside

T = TypeVar("T")
CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
TEST_NIR = "urn:oid:1.2.250.1.213.1.4.10"
JEANNE = CITIZENS[0]


def run(site: Site, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(20)


def put(site: Site, *resources: dict[str, Any]) -> None:
    records = site.platform.repository
    assert records is not None
    for one in resources:
        raw = msgspec.json.encode(one)
        run(site, records.update(SYSTEM, one["resourceType"], one["id"], raw))


def person(rid: str, **changed: Any) -> dict[str, Any]:
    """Return Jeanne as the store may know her."""
    told = {
        "family": "Brun Été",
        "given": "Jeanne Marie-Lou",
        "status": "QUAL",
        "system": TEST_NIR,
        "birth": "1971-03-09",
        "place": "41018",
        **changed,
    }
    return {
        "resourceType": "Patient",
        "id": rid,
        "active": True,
        "identifier": [{"system": told["system"], "value": JEANNE.ins}],
        "extension": [
            {
                "url": f"{CORE}fr-core-identity-reliability",
                "extension": [{"url": "identityStatus", "valueCoding": {"code": told["status"]}}],
            },
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {
                    "extension": [
                        {
                            "url": f"{CORE}fr-core-address-insee-code",
                            "valueCoding": {"code": told["place"]},
                        }
                    ]
                },
            },
        ],
        "name": [
            {
                "use": "official",
                "family": told["family"],
                "given": [told["given"].split()[0]],
                "extension": [
                    {
                        "url": f"{CORE}fr-core-patient-birth-list-given-name",
                        "valueString": told["given"],
                    }
                ],
            }
        ],
        "gender": "female",
        "birthDate": told["birth"],
    }


@pytest.fixture
def world(site: Site, outside: Outside) -> Iterator[Outside]:
    """Give the simulators without fault, and a portal that knows nobody from outside."""
    outside.forget()
    _forget(site)
    yield outside
    outside.forget()
    _forget(site)


def _forget(site: Site) -> None:
    from django.contrib.auth import get_user_model

    from hygie.domains.federation.orm import Begun, Case, Link

    for model in (Link, Case, Begun):
        model.objects.all().delete()
    get_user_model().objects.filter(fhir_reference__endswith="-outside").delete()
    for rid in ("jeanne-outside", "other-outside"):
        put(site, {**person(rid), "active": False})
    iris = {"resourceType": "Practitioner", "id": "iris-outside", "active": True}
    rpps = {"system": "https://rpps.esante.gouv.fr", "value": PROFESSIONALS[0].rpps}
    put(site, {**iris, "identifier": [rpps], "name": [{"family": "Faure", "given": ["Iris"]}]})


def through(client: Client, provider: str, who: str, **form: str) -> Any:
    """Go to a provider, choose somebody, come back; return the answer of our callback."""
    address = client.get(f"/federation/{provider}/start/", form).headers["Location"]
    answer = requests.post(address, data={"who": who}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["location"])
    return client.get(back.path, dict(parse_qsl(back.query)))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_sign_in_page_shows_a_door_for_each_provider(site: Site, world: Outside) -> None:
    text = site.client().get("/sign-in/?next=/patient/record/").content.decode()
    for words in ("FranceConnect", "FranceConnect+", "Pro Santé Connect", "carte Vitale"):
        assert f"S’identifier avec {words}" in text or "appli carte Vitale" in text
    assert "/federation/franceconnect/start/?next=%2Fpatient%2Frecord%2F" in text


@pytest.mark.parametrize("provider", ["franceconnect", "franceconnect-plus", "apcv"])
def test_an_exact_qualified_identity_opens_an_account_and_a_session(
    site: Site, world: Outside, provider: str
) -> None:
    put(site, person("jeanne-outside"))
    client = site.client()
    answer = through(client, provider, "jeanne")
    assert answer.headers["Location"] == "/home/"
    assert client.get("/patient/").status_code == 200
    again = site.client()
    through(again, provider, "jeanne")
    assert again.session["_auth_user_id"] == client.session["_auth_user_id"]


def test_the_link_signs_in_without_looking_for_the_person_again(site: Site, world: Outside) -> None:
    put(site, person("jeanne-outside"))
    through(site.client(), "franceconnect", "jeanne")
    put(site, person("jeanne-outside", family="Married"))
    client = site.client()
    through(client, "franceconnect", "jeanne")
    assert is_signed_in(client)


def test_the_page_that_was_wanted_is_shown_and_a_foreign_one_never(
    site: Site, world: Outside
) -> None:
    put(site, person("jeanne-outside"))
    wanted = through(site.client(), "franceconnect", "jeanne", next="/patient/record/")
    assert wanted.headers["Location"] == "/patient/record/"
    for foreign in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"):
        answer = through(site.client(), "franceconnect", "jeanne", next=foreign)
        assert answer.headers["Location"] == "/home/"


@pytest.mark.parametrize(
    "changed",
    [
        {"family": "Brun"},
        {"given": "Jeanne"},
        {"given": "Marie-Lou Jeanne"},
        {"birth": "1971-03-10"},
        {"place": "41019"},
        {"status": "PROV"},
        {"status": "HOMD"},
        {"status": "DOUT"},
        {"status": "FICT"},
        {"system": "urn:oid:1.2.250.1.213.1.4.8"},
    ],
)
def test_a_doubtful_identity_opens_nothing_and_goes_to_a_human(
    site: Site, world: Outside, changed: dict[str, str]
) -> None:
    from hygie.domains.federation.orm import Case

    put(site, person("jeanne-outside", **changed))
    client = site.client()
    answer = through(client, "franceconnect", "jeanne")
    assert answer.headers["Location"] == "/federation/waiting/"
    assert not is_signed_in(client)
    page = client.get("/federation/waiting/").content.decode()
    assert "accueil" in page
    assert Case.objects.filter(state="waiting").count() == 1
    assert "Brun" not in Case.objects.get().sealed


def test_two_exact_people_go_to_a_human(site: Site, world: Outside) -> None:
    from hygie.domains.federation.orm import Case

    put(site, person("jeanne-outside"), person("other-outside"))
    through(site.client(), "franceconnect", "jeanne")
    assert Case.objects.get().reason == "several"


def test_nobody_is_linked_by_an_e_mail_address(site: Site, world: Outside) -> None:
    from django.contrib.auth import get_user_model

    get_user_model().objects.create(
        username="same-mail", email="nobody@example.org", display_name="x", kind="patient"
    )
    client = site.client()
    through(client, "franceconnect", "nobody")
    assert not is_signed_in(client)
    get_user_model().objects.filter(username="same-mail").delete()


def test_a_closed_account_does_not_enter(site: Site, world: Outside) -> None:
    from hygie.domains.federation.orm import Link

    put(site, person("jeanne-outside"))
    through(site.client(), "franceconnect", "jeanne")
    account = Link.objects.get().account
    account.is_active = False
    account.save()
    client = site.client()
    assert through(client, "franceconnect", "jeanne").status_code == 403
    assert not is_signed_in(client)


def test_a_card_with_the_matricule_of_somebody_else_goes_to_a_human(
    site: Site, world: Outside
) -> None:
    other = msgspec.structs.replace(JEANNE, ins="271034101800231")
    write_people(world.folder / "people.json", [other], PROFESSIONALS)
    put(site, person("jeanne-outside"))
    client = site.client()
    through(client, "apcv", "jeanne")
    assert not is_signed_in(client)


def test_a_return_in_another_browser_signs_nobody_in(site: Site, world: Outside) -> None:
    put(site, person("jeanne-outside"))
    mine, other = site.client(), site.client()
    other.get("/federation/franceconnect/start/")
    address = mine.get("/federation/franceconnect/start/").headers["Location"]
    answer = requests.post(address, data={"who": "jeanne"}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["location"])
    assert other.get(back.path, dict(parse_qsl(back.query))).status_code == 403
    assert not is_signed_in(other)


def test_a_return_is_answered_once(site: Site, world: Outside) -> None:
    put(site, person("jeanne-outside"))
    client = site.client()
    address = client.get("/federation/franceconnect/start/").headers["Location"]
    answer = requests.post(address, data={"who": "jeanne"}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["location"])
    assert client.get(back.path, dict(parse_qsl(back.query))).status_code == 302
    assert client.get(back.path, dict(parse_qsl(back.query))).status_code == 403


@pytest.mark.parametrize("state", ["", "somebody-elses"])
def test_a_return_without_our_state_is_refused(site: Site, world: Outside, state: str) -> None:
    client = site.client()
    client.get("/federation/franceconnect/start/")
    asked = {"code": "stolen", "state": state}
    assert client.get("/federation/franceconnect/callback/", asked).status_code == 403


def test_the_answer_of_one_provider_is_not_taken_at_the_address_of_another(
    site: Site, world: Outside
) -> None:
    client = site.client()
    address = client.get("/federation/franceconnect/start/").headers["Location"]
    answer = requests.post(address, data={"who": "jeanne"}, allow_redirects=False, timeout=5)
    sent = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert client.get("/federation/apcv/callback/", sent).status_code == 403


def test_a_sign_in_that_took_too_long_is_over(site: Site, world: Outside) -> None:
    from django.utils import timezone

    from hygie.domains.federation.orm import Begun

    client = site.client()
    address = client.get("/federation/franceconnect/start/").headers["Location"]
    Begun.objects.update(expires=timezone.now())
    answer = requests.post(address, data={"who": "jeanne"}, allow_redirects=False, timeout=5)
    sent = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert client.get("/federation/franceconnect/callback/", sent).status_code == 403


def test_who_cancels_is_told_that_nothing_was_sent(site: Site, world: Outside) -> None:
    client = site.client()
    address = client.get("/federation/franceconnect/start/").headers["Location"]
    answer = requests.post(address, data={"refuse": "1"}, allow_redirects=False, timeout=5)
    sent = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    page = client.get("/federation/franceconnect/callback/", sent)
    assert "Rien n’a été transmis" in page.content.decode()


def test_signing_out_goes_on_to_the_provider_once(site: Site, world: Outside) -> None:
    put(site, person("jeanne-outside"))
    client = site.client()
    through(client, "franceconnect", "jeanne")
    going = client.post("/sign-out/").headers["Location"]
    assert not is_signed_in(client)
    page = client.get(going).content.decode()
    assert "/simulators/franceconnect/session/end?id_token_hint=" in page
    assert client.get(going).status_code == 404


def test_a_password_session_ends_here_alone(site: Site, world: Outside) -> None:
    assert site.client("nora").post("/sign-out/").headers["Location"] == "/"


def test_an_unknown_provider_is_nowhere(site: Site, world: Outside) -> None:
    assert site.client().get("/federation/nobody/start/").status_code == 404


def test_a_provider_that_is_gone_is_told_plainly(site: Site, world: Outside) -> None:
    world.simulators["franceconnect"].faults.add("no-acr")
    client = site.client()
    page = through(client, "franceconnect", "jeanne")
    assert page.status_code == 403
    assert "Recommencez" in page.content.decode()


def test_the_proof_carries_the_level_of_the_provider(site: Site, world: Outside) -> None:
    put(site, person("jeanne-outside"))
    for provider, acr in (("franceconnect", "eidas1"), ("franceconnect-plus", "eidas2")):
        client = site.client()
        through(client, provider, "jeanne")
        (proof,) = client.session["hygie_proofs"]["list"]
        assert (proof["method"], proof["acr"]) == ("franceconnect", acr)
    assert site.client().get("/federation/franceconnect-plus/keys/").json()["keys"][0]["n"]


def test_no_token_is_kept_in_clear(site: Site, world: Outside) -> None:
    from django.contrib.sessions.models import Session

    from hygie.domains.federation.orm import Begun

    put(site, person("jeanne-outside"))
    client = site.client()
    client.get("/federation/franceconnect/start/")
    through(client, "franceconnect", "jeanne")
    assert client.session["hygie_outside_session"]
    kept = [str(one.get_decoded()) for one in Session.objects.all()]
    kept += [one.sealed for one in Begun.objects.all()]
    assert len(kept) > 1
    token = world.simulators["franceconnect"].last_id_token
    signature = token.rpartition(".")[2]
    assert signature
    assert not any(signature in one or "eyJ" in one for one in kept)
