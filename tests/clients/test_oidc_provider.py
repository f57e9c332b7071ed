"""Our OpenID client against a provider that is not ours: ``oidc-provider`` of the Node world.

Discovery, code with PKCE, ES256 ID token, userinfo signed and encrypted, level, logout. Needs
``node`` and the package, in ``node_modules`` or in the folder of ``HYGIE_NODE_MODULES``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from joserfc.jwk import ECKey, RSAKey

from hygie.domains.federation.model.pivot import pivot_of
from hygie.domains.federation.model.providers import Kind, Provider
from hygie.domains.federation.service.openid import client
from hygie.domains.federation.service.openid.client import Attempt
from hygie.domains.federation.service.openid.metadata import Known
from hygie.kernel.errors import Forbidden
from hygie.testing.ports import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(os.environ.get("HYGIE_NODE_MODULES", ROOT / "node_modules"))
HERE = "http://127.0.0.1:8000/federation/independent"
SECRET = "a secret of this test alone, long enough"
CLAIMS = {
    "family_name": "BRUN",
    "given_name": "Jeanne Marie",
    "birthdate": "1971-03-09",
    "gender": "female",
    "birthplace": "41018",
    "birthcountry": "99100",
}


@pytest.fixture(
    scope="module", params=["client_secret_post", "client_secret_basic", "private_key_jwt"]
)
def known(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Known]:
    """Start the provider and give what we know of it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is absent: install Node 20 or later")
    if not (PACKAGES / "oidc-provider").exists():
        pytest.skip("oidc-provider is absent: `npm install oidc-provider`")
    folder, port = tmp_path_factory.mktemp("independent"), free_port()
    key = RSAKey.generate_key(2048, {"use": "enc", "alg": "RSA-OAEP"}, auto_kid=True)
    (folder / "key.pem").write_bytes(key.as_pem(private=True))
    signing = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    (folder / "signing.pem").write_bytes(signing.as_pem(private=True))
    (folder / "secret").write_text(SECRET)
    told = {
        "secret": SECRET,
        "redirect": f"{HERE}/callback/",
        "back": f"{HERE}/left/",
        "acr": "eidas2",
        "method": request.param,
        "claims": CLAIMS,
        "keys": [key.as_dict(private=False), signing.as_dict(private=False)],
    }
    script = str(Path(__file__).with_name("oidc_provider.mjs"))
    running = subprocess.Popen(  # noqa: S603 - our own script
        [node, script, str(PACKAGES), str(port), json.dumps(told)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield Known(
            Provider(
                name="independent",
                kind=Kind.FRANCECONNECT_PLUS,
                realm="test",
                issuer=f"http://127.0.0.1:{port}",
                client_id="hygie",
                authentication=request.param,
                secret_file=str(folder / "secret"),
                key_file=str(folder / "signing.pem"),
                decryption_key_file=str(folder / "key.pem"),
                scopes=("openid", "identite_pivot"),
                acr="eidas2",
                userinfo="encrypted",
            )
        )
    finally:
        running.terminate()
        running.wait(10)


def begin(known: Known) -> tuple[Attempt, dict[str, str]]:
    """Walk to the provider and back as a browser does."""
    address, attempt = client.begin(known, redirect_uri=f"{HERE}/callback/")
    with requests.Session() as browser:
        for _ in range(10):
            if address.startswith(HERE):
                return attempt, dict(parse_qsl(urlsplit(address).query))
            answer = browser.get(address, allow_redirects=False, timeout=10)
            assert answer.is_redirect, answer.text
            address = urljoin(address, answer.headers["location"])
    pytest.fail("the provider never sent the browser back")


def test_a_person_signs_in_at_a_provider_that_is_not_ours(known: Known) -> None:
    attempt, answer = begin(known)
    assert answer["state"] == attempt.state
    assert answer["iss"] == known.provider.issuer
    proven = client.finish(known, answer, attempt, at=datetime.now(UTC))
    assert (proven.subject, proven.acr) == ("jeanne", "eidas2")
    assert pivot_of(proven.claims).given == ("Jeanne", "Marie")


@pytest.mark.parametrize("changed", [{"nonce": "n" * 43}, {"verifier": "v" * 43}])
def test_what_was_not_sent_from_here_is_refused(known: Known, changed: dict[str, Any]) -> None:
    attempt, answer = begin(known)
    mine = {"state": attempt.state, "nonce": attempt.nonce, "verifier": attempt.verifier}
    other = Attempt(**{**mine, **changed}, redirect_uri=attempt.redirect_uri)
    with pytest.raises(Forbidden):
        client.finish(known, answer, other, at=datetime.now(UTC))


def test_a_code_is_used_once_there_too(known: Known) -> None:
    attempt, answer = begin(known)
    client.finish(known, answer, attempt, at=datetime.now(UTC))
    with pytest.raises(Forbidden):
        client.finish(known, answer, attempt, at=datetime.now(UTC))


def test_the_logout_is_understood(known: Known) -> None:
    attempt, answer = begin(known)
    proven = client.finish(known, answer, attempt, at=datetime.now(UTC))
    address = client.logout_address(known, proven.id_token, back=f"{HERE}/left/", state="s" * 32)
    page = requests.get(address, timeout=10)
    assert page.status_code == 200
    assert "invalid" not in page.text.lower()
