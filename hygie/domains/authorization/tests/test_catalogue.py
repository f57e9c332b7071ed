"""The catalogue: registered, decided with a reason, paired, followed, ended; and the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from hygie.testing.applications import (
    App,
    allow,
    code_of,
    follow,
    offered,
    pick,
    register,
    sent,
    signed_in,
    text,
)
from hygie.testing.portal import Site
from hygie.testing.stories import NORA

Provider = Callable[..., App]
FORM = {
    "name": "Tensiomètre",
    "publisher": "Mesures réunies",
    "contact": "dev@example.org",
    "purpose_fr": "Suivre la tension.",
    "purpose_en": "Follow blood pressure.",
    "privacy_url": "https://app.example.org/privacy",
    "audience": "patient",
    "proof": "client_secret_basic",
    "redirect_uris": "https://app.example.org/back",
    "asked": "openid launch/patient patient/Observation.rs patient/Observation.c",
}


def row(client: str) -> Any:
    from hygie.domains.authorization.orm import App as Row

    return Row.objects.get(client_id=client)


def test_an_integrator_registers_and_an_administrator_decides(site: Site) -> None:
    page = site.client().post("/developers/register/", FORM)
    assert page.status_code == 201, text(page)
    client = re.findall(r"<code>([0-9a-f]{32})</code>", text(page))[0]
    assert "n’est montré qu’ici" in text(page)
    follow = f"/developers/apps/{client}/"
    assert "En attente" in text(site.client().get(follow))
    admin = signed_in(site, "operateur")
    assert "Tensiomètre" in text(admin.get("/establishment/apps/"))
    here = f"/establishment/apps/{client}/"
    assert admin.post(here, {"state": "refused", "reason": " "}).status_code == 400
    assert admin.post(here, {"state": "refused", "reason": "Trop large."}).status_code == 302
    assert "Trop large." in text(site.client().get(follow))
    admin.post(here, {"state": "waiting"})
    admin.post(here, {"state": "approved", "scope": ["openid", "patient/Observation.rs"]})
    assert row(client).approved == ["openid", "patient/Observation.rs"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("purpose_en", ""),
        ("privacy_url", "javascript:alert(1)"),
        ("redirect_uris", "http://app.example.org/back"),
        ("redirect_uris", "https://app.example.org/back#x"),
        ("redirect_uris", "https://*.example.org/back"),
        ("redirect_uris", ""),
        ("asked", ""),
        ("asked", "email"),
        ("asked", "patient/Observation.sr"),
        ("asked", "patient/Nothing.rs"),
        ("audience", "everybody"),
        ("proof", "client_secret_post"),
        ("proof", "private_key_jwt"),
        ("launch_uri", "https://app.example.org/launch"),
        ("contact", "nobody"),
        ("name", "x" * 81),
    ],
)
def test_a_registration_that_breaks_a_rule_is_refused(site: Site, name: str, value: str) -> None:
    from django.core.cache import cache

    cache.clear()
    assert site.client().post("/developers/register/", FORM | {name: value}).status_code == 400


def test_registrations_are_bounded(site: Site) -> None:
    from django.core.cache import cache

    cache.clear()
    answers = [site.client().post("/developers/register/", {}).status_code for _ in range(21)]
    assert answers == [400] * 20 + [429]
    cache.clear()


def test_only_administrators_decide(site: Site, app: App) -> None:
    here = f"/establishment/apps/{app.client_id}/"
    assert signed_in(site, "nora").post(here, {"state": "ended"}).status_code == 403
    assert row(app.client_id).state == "approved"


def test_a_private_key_is_never_taken(site: Site) -> None:
    from joserfc.jwk import ECKey

    from hygie.kernel.errors import InvalidRequest

    key = ECKey.generate_key("P-384", {"kid": "k1"})
    small = ECKey.generate_key("P-256", {"kid": "k1"})
    import msgspec

    for one, private in ((key, True), (small, False)):
        jwks = msgspec.json.encode({"keys": [one.as_dict(private=private)]}).decode()
        with pytest.raises(InvalidRequest):
            register(site, proof="private_key_jwt", jwks=jwks)


def test_a_person_sees_what_an_application_did(site: Site, live: str, app: App) -> None:
    browser = signed_in(site, "nora")
    told: Any = app.redeem(code_of(site, app, browser=browser)).json()
    headers = {"authorization": f"Bearer {told['access_token']}"}
    found = requests.get(f"{live}/fhir/Observation?_count=1", headers=headers, timeout=10)
    assert found.status_code == 200, found.text
    rid = found.json()["entry"][0]["resource"]["id"]
    requests.get(f"{live}/fhir/Observation/{rid}", headers=headers, timeout=10)
    events = requests.get(
        f"{live}/fhir/AuditEvent?altid={app.client_id}", headers=headers, timeout=10
    )
    assert events.status_code == 200, events.text
    agents = events.json()["entry"][0]["resource"]["agent"]
    assert app.client_id in [one.get("altId") for one in agents]
    page = text(browser.get("/patient/apps/"))
    mine = re.findall(r'href="(/patient/apps/\d+/)">([^<]+)<', page)
    address = next(one for one, name in mine if name == row(app.client_id).name)
    shown = text(browser.get(address))
    assert "A cherché" in shown
    assert "A lu Observation" in shown
    browser.post(f"{address}end/")
    again = requests.get(f"{live}/fhir/Observation?_count=1", headers=headers, timeout=10)
    assert again.status_code == 401
    assert "Accès terminé" in text(browser.get(address))


def test_nobody_ends_the_pairing_of_another(site: Site, app: App) -> None:
    from hygie.domains.authorization.orm import Pairing

    code_of(site, app)
    last = Pairing.objects.latest("pk")
    other = signed_in(site, "paul")
    assert other.get(f"/patient/apps/{last.pk}/").status_code == 404
    assert other.post(f"/patient/apps/{last.pk}/end/").status_code == 404


def test_the_sandbox_comes_back_as_it_was(site: Site, live: str) -> None:
    from hygie.domains.authorization.service import sandbox

    assert site.client().post("/developers/sandbox/reset/").status_code == 302
    shown = text(site.client().get("/developers/"))
    assert sandbox.PATIENT_APP in shown
    token = sandbox_token(
        site, "bac.docteur", "launch/patient patient/*.rs patient/Observation.cud"
    )
    headers = {"authorization": f"Bearer {token}"}
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Essai"},
        "subject": {"reference": "Patient/sandbox-claire"},
    }
    made = requests.post(
        f"{live}/fhir/Observation",
        json=body,
        headers=headers | {"content-type": "application/fhir+json"},
        timeout=10,
    )
    assert made.status_code == 201, made.text
    sandbox.reset()
    gone = requests.get(f"{live}/fhir/Observation", headers=headers, timeout=10)
    assert gone.status_code == 401, "what was granted in it ended"
    token = sandbox_token(site, "bac.claire", "launch/patient patient/*.rs")
    headers = {"authorization": f"Bearer {token}"}
    found = requests.get(f"{live}/fhir/Observation", headers=headers, timeout=10).json()
    assert sorted(one["resource"]["id"] for one in found["entry"]) == [
        "sandbox-glucose",
        "sandbox-weight",
    ]


def sandbox_token(site: Site, login: str, scope: str) -> str:
    from hygie.domains.authorization.service import sandbox

    client = sandbox.DOCTOR_APP if login == "bac.docteur" else sandbox.PATIENT_APP
    app = App(client, "", site)
    browser = signed_in(site, login)
    asked = app.parameters(redirect_uri=sandbox.BACK, scope=scope)
    page = pick(browser, follow(browser, f"/oauth/authorize?{urlencode(asked)}"), "sandbox-claire")
    answer = page if page.status_code == 302 else allow(browser, page, scope=offered(page))
    told: Any = app.redeem(sent(answer)["code"], redirect_uri=sandbox.BACK).json()
    assert told["patient"] == "sandbox-claire"
    return str(told["access_token"])


def test_no_scope_opens_more_than_the_person_may(site: Site, live: str, provider: Provider) -> None:
    app = provider(asked="openid launch/patient user/*.cruds patient/*.cruds")
    code = code_of(site, app, login="paul", scope="openid launch/patient user/*.cruds")
    told: Any = app.redeem(code).json()
    headers = {"authorization": f"Bearer {told['access_token']}"}
    found = requests.get(f"{live}/fhir/Patient/{NORA}", headers=headers, timeout=10)
    assert found.status_code == 404
