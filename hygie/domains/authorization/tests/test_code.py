"""The code flow: what is granted, what is told, what a code may be used for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joserfc import jws

from hygie.domains.authorization.tests.conftest import (
    App,
    allow,
    code_of,
    consent_page,
    pick,
    sent,
    signed_in,
)
from hygie.testing.portal import Site
from hygie.testing.stories import NORA

Provider = Callable[..., App]


def test_a_person_grants_and_the_application_reads(site: Site, app: App) -> None:
    told: Any = app.redeem(code_of(site, app)).json()
    assert told["token_type"] == "Bearer"
    assert told["patient"] == NORA
    assert told["need_patient_banner"] is True
    assert told["expires_in"] == 599 or told["expires_in"] == 600
    assert "patient/*.rs" in told["scope"].split()
    claims = __import__("json").loads(jws.extract_compact(told["id_token"].encode()).payload)
    assert claims["iss"] == site.platform.settings.base_url
    assert claims["aud"] == app.client_id
    assert claims["sub"] == f"Patient/{NORA}"
    assert claims["nonce"] == "a-nonce-nobody-guesses"
    assert claims["acr"] == "eidas1"
    assert claims["amr"] == ["pwd"]
    assert claims["name"] == "Nora Martin"
