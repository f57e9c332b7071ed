"""A card whose key is in a PKCS#11 token and never leaves it, as in a chip."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hygie.domains.cards.model.installation import Vitale
from hygie.domains.cards.model.presentation import Asked, from_bytes
from hygie.domains.cards.service.vitale import verify
from hygie.domains.cards.tests.people import INES, asked, professional, state_of
from hygie.testing.card_authority import VITALE_POLICY, CardAuthority
from hygie.testing.cards import CardPlace
from hygie.testing.portal import Site
from hygie.testing.simulators.vitale_card import VitaleCard, certify, seal_of
from hygie.testing.token_key import CardToken, module, new_token

ENGINES = tuple(Path("/usr/lib").glob("*/engines-3/pkcs11.so"))


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> CardToken:
    if not module() or not shutil.which("softhsm2-util"):
        pytest.skip("SoftHSM2 is not installed: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="pip install hygie[pkcs11]")
    return new_token(tmp_path_factory.mktemp("card") / "token")


def test_a_card_in_a_token_signs_in(
    site: Site, card_listener: CardPlace, token: CardToken, tmp_path: Path
) -> None:
    if not shutil.which("curl") or not ENGINES:
        pytest.skip("curl has no PKCS#11 engine: apt-get install libengine-pkcs11-openssl")
    card_listener.forget()
    professional(site)
    card = card_listener.authority.issue(INES, public_key=token.make("cps", "rsa"))
    (tmp_path / "card.pem").write_bytes(card.pem())
    client = site.client()
    state = state_of(client.get("/cards/").content.decode())
    told = subprocess.run(  # noqa: S603 - fixed words
        ["curl", "--silent", "--show-error", "--max-time", "20",  # noqa: S607 - where the system has it
         "--output", "/dev/null",
         "--write-out", "%{http_code} %{redirect_url}", "--cacert",
         str(card_listener.folder / "authorities.pem"), "--engine", "pkcs11", "--key-type", "ENG",
         "--key", token.address("cps"), "--cert", str(tmp_path / "card.pem"),
         "--resolve", f"localhost:{card_listener.port}:127.0.0.1",
         f"{card_listener.address}/card/?state={state}"],
        env={**token.environment, "PKCS11_MODULE_PATH": module()},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, _, location = told.stdout.partition(" ")
    assert status == "303", told
    assert client.get("/cards/back/", {"ticket": asked(location, "ticket")}).status_code == 302
    assert "_auth_user_id" in client.session


def test_a_carte_vitale_in_a_token_answers_a_challenge(token: CardToken, tmp_path: Path) -> None:
    authority = CardAuthority("VITALE")
    authority.write(tmp_path)
    content = b"""{"card": "TEST1", "insured": "259055512345691", "regime": "01", "fund": "411",
        "centre": "0001", "beneficiaries": [{"ins": "259055512345691",
        "ins_oid": "1.2.250.1.213.1.4.10", "family": "MARTIN", "given": "Nora",
        "birth_date": "1959-05-03"}]}"""
    card = VitaleCard(
        "TEST1",
        content,
        certify(authority, "TEST1", token.make("vitale", "ec")),
        lambda statement: token.sign("vitale", statement),
        seal_of(authority, content),
    )
    vitale = Vitale(
        authorities=tmp_path / "authorities.pem",
        revocation=(tmp_path / "crl",),
        policies=(VITALE_POLICY,),
    )
    question = Asked("CHALLENGE", "TERMINAL", datetime.now(UTC))
    answer = from_bytes(card.answer("CHALLENGE", "TERMINAL", at=question.at))
    verified = verify(answer, vitale, question, realm="test")
    assert verified.content.beneficiaries[0].family == "MARTIN"
