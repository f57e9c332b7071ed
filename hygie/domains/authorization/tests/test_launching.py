"""SMART launches: from the open record, once, by the one who opened it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hygie.kernel.platform import Launching
from hygie.testing.applications import (
    App,
    allow,
    code_of,
    consent_page,
    offered,
    people_of,
    sent,
    signed_in,
    text,
)
from hygie.testing.portal import Site
from hygie.testing.stories import NORA, PAUL

Provider = Callable[..., App]
SCOPE = "openid fhirUser launch launch/encounter online_access patient/Observation.rs"


@pytest.fixture
def app(provider: Provider) -> App:
    return provider(
        audience="professional", asked=SCOPE, launch_uri="https://app.example.org/launch"
    )


def launched(browser: Any, app: App, patient: str = NORA) -> Any:
    answer = browser.post(f"/professional/apps/record/{patient}/", {"client": app.client_id})
    assert answer.status_code == 302, text(answer)
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query["iss"] == [app.site.platform.settings.fhir_base]
    return query["launch"][0]


def asked(app: App, launch: str) -> dict[str, str]:
    return {"scope": SCOPE, "launch": launch}


def test_an_application_opens_on_the_open_record(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.petit")
    page = consent_page(browser, app, **asked(app, launched(browser, app)))
    assert not people_of(page)
    code = sent(allow(browser, page, scope=offered(page)))["code"]
    told: Any = app.redeem(code).json()
    assert told["patient"] == NORA
    assert "encounter" not in told
    assert told["smart_style_url"].endswith("/oauth/style.json")


def test_what_was_granted_once_serves_the_next_record(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.petit")
    page = consent_page(browser, app, **asked(app, launched(browser, app)))
    allow(browser, page, scope=offered(page))
    following = consent_page(browser, app, **asked(app, launched(browser, app, PAUL)))
    told: Any = app.redeem(sent(following)["code"]).json()
    assert told["patient"] == PAUL


def test_a_launch_serves_once(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.petit")
    launch = launched(browser, app)
    assert consent_page(browser, app, **asked(app, launch)).status_code == 200
    assert sent(consent_page(browser, app, **asked(app, launch)))["error"] == "invalid_request"


def test_a_launch_serves_the_one_who_made_it(site: Site, app: App) -> None:
    launch = launched(signed_in(site, "dr.petit"), app)
    other = signed_in(site, "marc.vidal")
    assert consent_page(other, app, **asked(app, launch)).status_code == 403


def test_a_launch_serves_its_application(site: Site, app: App, provider: Provider) -> None:
    browser = signed_in(site, "dr.petit")
    other = provider(
        audience="professional", asked=SCOPE, launch_uri="https://app.example.org/other"
    )
    told = sent(consent_page(browser, other, **asked(other, launched(browser, app))))
    assert told["error"] == "invalid_request"


def test_a_launch_grows_old_in_two_minutes(site: Site, app: App) -> None:
    from hygie.domains.authorization.orm import Launch

    browser = signed_in(site, "dr.petit")
    launch = launched(browser, app)
    last = Launch.objects.latest("pk")
    Launch.objects.filter(pk=last.pk).update(expires=last.expires - timedelta(minutes=2))
    assert sent(consent_page(browser, app, **asked(app, launch)))["error"] == "invalid_request"


def test_a_scope_of_launch_wants_a_launch(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.petit")
    assert sent(consent_page(browser, app, scope=SCOPE))["error"] == "invalid_request"


def test_a_record_that_is_not_open_is_not_launched_on(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.lang")
    address = f"/professional/apps/record/{NORA}/"
    assert browser.post(address, {"client": app.client_id}).status_code == 404


def test_a_professional_picks_among_their_patients(site: Site, provider: Provider) -> None:
    app = provider(audience="professional", asked="openid launch/patient user/Observation.rs")
    browser = signed_in(site, "dr.petit")
    page = consent_page(browser, app, scope="openid launch/patient user/Observation.rs")
    assert {NORA, PAUL} <= set(people_of(page))
    here = page.wsgi_request.get_full_path()
    assert people_of(browser.get(f"{here}&q=durand")) == [PAUL]
    code = code_of(site, app, login="dr.petit", scope="openid launch/patient user/Observation.rs")
    assert app.redeem(code).status_code == 200


def test_another_domain_opens_an_application_by_the_platform(site: Site, app: App) -> None:
    from hygie.kernel.web.launching import launch

    browser = signed_in(site, "dr.petit")
    request: Any = browser.get("/professional/patients/").wsgi_request
    address = launch(request, Launching(app.client_id, NORA))
    assert address.startswith("https://app.example.org/launch?iss=")
