"""The OpenID client against the simulators: what it accepts, and every trap it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from hygie.domains.federation.model.providers import Kind, Provider, read_providers
from hygie.domains.federation.service.openid import backchannel, client
from hygie.domains.federation.service.openid.client import Attempt, Proven
from hygie.domains.federation.service.openid.metadata import PATIENCE, Known
from hygie.kernel.errors import ConfigurationError, Forbidden, InvalidRequest, Unavailable
from hygie.testing.simulators.serving import Outside

HERE = "http://127.0.0.1:8000"
KINDS = [kind.value for kind in Kind]


@pytest.fixture
def world(outside: Outside) -> Iterator[Outside]:
    """Give the simulators without fault."""
    outside.forget()
    yield outside
    outside.forget()


def provider(world: Outside, name: str) -> Provider:
    listed = read_providers(world.described(), realm="demonstration")
    return next(one for one in listed if one.name == name)


def known(world: Outside, name: str = "franceconnect") -> Known:
    return Known(provider(world, name))


def callback(name: str) -> str:
    return f"{HERE}/federation/{name}/callback/"


def begin(one: Known, who: str = "") -> tuple[Attempt, dict[str, str]]:
    """Go to the provider as a browser does; return what comes back."""
    name = one.provider.name
    who = who or ("iris" if one.provider.kind.of_professionals else "jeanne")
    address, attempt = client.begin(one, redirect_uri=callback(name))
    answer = requests.post(address, data={"who": who}, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return attempt, dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def sign_in(one: Known, who: str = "") -> Proven:
    attempt, answer = begin(one, who)
    assert answer["state"] == attempt.state
    return client.finish(one, answer, attempt, at=datetime.now(UTC))


@pytest.mark.parametrize("name", KINDS)
def test_each_provider_signs_a_person_in(world: Outside, name: str) -> None:
    proven = sign_in(known(world, name))
    assert proven.claims["family_name"] in {"BRUN-ÉTÉ", "FAURE"}
    assert proven.acr == provider(world, name).acr
    assert len(proven.subject) == 66


def test_the_request_carries_pkce_nonce_state_and_level(world: Outside) -> None:
    one = known(world)
    address, attempt = client.begin(one, redirect_uri=callback("franceconnect"))
    sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert sent["code_challenge_method"] == "S256"
    assert sent["acr_values"] == "eidas1"
    assert (sent["state"], sent["nonce"]) == (attempt.state, attempt.nonce)
    assert attempt.verifier not in address
    assert min(len(sent["state"]), len(sent["nonce"]), len(attempt.verifier)) >= 43


ID_TOKEN_FAULTS = [
    "no-acr",
    "unknown-acr",
    "wrong-nonce",
    "no-nonce",
    "nonce-unsupported",
    "wrong-issuer",
    "wrong-audience",
    "wrong-azp",
    "expired",
    "no-expiry",
    "old",
    "future",
    "no-subject",
    "other-access-token",
    "alg-none",
    "alg-hs256",
    "other-key",
    "unknown-kid",
    "other-sub",
]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
def test_a_token_with_a_fault_signs_nobody_in(world: Outside, name: str, fault: str) -> None:
    world.simulators[name].faults.add(fault)
    with pytest.raises(Forbidden):
        sign_in(known(world, name))


@pytest.mark.parametrize(
    "fault", ["unsigned-userinfo", "userinfo-issuer", "userinfo-key", "userinfo-none"]
)
@pytest.mark.parametrize("name", ["franceconnect", "franceconnect-plus", "apcv"])
def test_userinfo_that_the_provider_did_not_sign_is_refused(
    world: Outside, name: str, fault: str
) -> None:
    world.simulators[name].faults.add(fault)
    with pytest.raises(Forbidden):
        sign_in(known(world, name))


def test_userinfo_that_must_be_encrypted_is_refused_in_clear(world: Outside) -> None:
    world.simulators["franceconnect-plus"].faults.add("unencrypted-userinfo")
    with pytest.raises(Forbidden, match="encrypted"):
        sign_in(known(world, "franceconnect-plus"))


def test_a_level_below_the_one_asked_for_is_refused(world: Outside) -> None:
    world.simulators["franceconnect-plus"].faults.add("low-acr")
    with pytest.raises(Forbidden):
        sign_in(known(world, "franceconnect-plus"))


def test_a_higher_level_than_asked_for_is_accepted(world: Outside) -> None:
    one = known(world, "franceconnect-plus")
    attempt, answer = begin(one)
    asked_less = Known(replace(one.provider, acr="eidas2"))
    assert client.finish(asked_less, answer, attempt, at=datetime.now(UTC)).acr == "eidas2"


def test_the_id_token_of_another_sign_in_is_refused(world: Outside) -> None:
    one = known(world)
    sign_in(one)
    world.simulators["franceconnect"].faults.add("replay")
    with pytest.raises(Forbidden, match="nonce"):
        sign_in(one)


def test_a_code_is_used_once(world: Outside) -> None:
    one = known(world)
    attempt, answer = begin(one)
    client.finish(one, answer, attempt, at=datetime.now(UTC))
    with pytest.raises(Forbidden):
        client.finish(one, answer, attempt, at=datetime.now(UTC))


def test_a_stolen_code_is_worth_nothing_without_its_verifier(world: Outside) -> None:
    one = known(world)
    attempt, answer = begin(one)
    thief = replace(attempt, verifier="v" * 43)
    with pytest.raises(Forbidden):
        client.finish(one, answer, thief, at=datetime.now(UTC))


def test_an_answer_of_another_issuer_is_a_mix_up(world: Outside) -> None:
    world.simulators["franceconnect"].faults.add("mix-up")
    one = known(world)
    attempt, answer = begin(one)
    with pytest.raises(Forbidden, match="asked"):
        client.finish(one, answer, attempt, at=datetime.now(UTC))


def test_a_provider_that_promises_its_issuer_must_give_it(world: Outside) -> None:
    one = known(world)
    attempt, answer = begin(one)
    del answer["iss"]
    with pytest.raises(Forbidden, match="asked"):
        client.finish(one, answer, attempt, at=datetime.now(UTC))


def test_an_answer_without_code_is_refused(world: Outside) -> None:
    one = known(world)
    attempt, answer = begin(one)
    with pytest.raises(Forbidden):
        client.finish(one, {**answer, "code": ""}, attempt, at=datetime.now(UTC))


def test_a_description_of_another_issuer_is_refused(world: Outside) -> None:
    other = replace(
        provider(world, "franceconnect"),
        issuer=f"{world.base}/simulators/../simulators/franceconnect",
    )
    with pytest.raises((ConfigurationError, Unavailable)):
        Known(other).metadata()


def test_new_keys_are_read_at_once_and_forged_ones_do_not_make_us_knock(world: Outside) -> None:
    now = 0.0
    one = Known(provider(world, "franceconnect"), clock=lambda: now)
    sign_in(one)
    world.simulators["franceconnect"].keys.rotate()
    sign_in(one)
    assert one.fetches == 2
    world.simulators["franceconnect"].faults.add("unknown-kid")
    for _ in range(3):
        with pytest.raises(Forbidden):
            sign_in(one)
    assert one.fetches == 2
    world.forget()
    world.simulators["franceconnect"].keys.rotate()
    now += PATIENCE + 1
    sign_in(one)
    assert one.fetches == 3


def test_the_client_secret_is_needed(world: Outside) -> None:
    one = known(world)
    wrong = world.folder / "wrong"
    wrong.write_text("not the secret")
    thief = Known(replace(one.provider, secret_file=str(wrong)))
    attempt, answer = begin(one)
    with pytest.raises(Forbidden):
        client.finish(thief, answer, attempt, at=datetime.now(UTC))


def test_a_provider_that_is_gone_is_said_so(world: Outside) -> None:
    gone = replace(provider(world, "franceconnect"), issuer="http://127.0.0.1:9/x")
    with pytest.raises(Unavailable):
        Known(gone).metadata()


def test_the_logout_names_the_session_and_comes_back(world: Outside) -> None:
    one = known(world)
    proven = sign_in(one)
    back = f"{HERE}/federation/franceconnect/left/"
    address = client.logout_address(one, proven.id_token, back=back, state="s" * 32)
    answer = requests.get(address, allow_redirects=False, timeout=5)
    assert answer.headers["location"] == f"{back}?state={'s' * 32}"
    elsewhere = client.logout_address(one, proven.id_token, back="https://x.example/", state="s")
    assert requests.get(elsewhere, allow_redirects=False, timeout=5).status_code == 200


def test_a_telephone_approves_and_the_computer_is_signed_in(world: Outside) -> None:
    one = known(world, "pro-sante-connect")
    asked = backchannel.ask(one, who="810000000017")
    at = datetime.now(UTC)
    assert backchannel.poll(one, asked, at=at) is None
    _decide(world, asked.request, "approved")
    found = backchannel.poll(one, asked, at=at)
    assert found is not None
    assert found.claims["SubjectNameID"] == "810000000017"
    with pytest.raises(Forbidden):
        backchannel.poll(one, asked, at=at)


def test_a_telephone_refuses(world: Outside) -> None:
    one = known(world, "pro-sante-connect")
    asked = backchannel.ask(one, who="810000000017")
    _decide(world, asked.request, "refused")
    with pytest.raises(Forbidden):
        backchannel.poll(one, asked, at=datetime.now(UTC))


def test_an_unknown_number_calls_no_telephone(world: Outside) -> None:
    one = known(world, "pro-sante-connect")
    with pytest.raises(Forbidden):
        backchannel.ask(one, who="800000000000")
    with pytest.raises(InvalidRequest):
        backchannel.ask(one, who="8' OR 1=1")


def _decide(world: Outside, number: str, decision: str) -> None:
    requests.post(
        f"{world.base}/simulators/pro-sante-connect/phone",
        data={"request": number, "who": "810000000017", "decision": decision},
        timeout=5,
    )


def test_every_page_of_a_simulator_says_that_it_is_one(world: Outside) -> None:
    for name in KINDS:
        address, _ = client.begin(known(world, name), redirect_uri=callback(name), language="en")
        text = requests.get(address, timeout=5).text
        assert "Simulator" in text.partition("</title>")[0]
        assert "Demonstration simulator" in text
        assert "<script" not in text


def test_a_simulator_never_redirects_to_an_address_that_is_not_registered(world: Outside) -> None:
    address, _ = client.begin(known(world), redirect_uri="https://evil.example.org/")
    answer = requests.get(address, allow_redirects=False, timeout=5)
    assert answer.status_code == 400


def test_the_secret_is_never_in_an_address(world: Outside) -> None:
    secret = (world.folder / "secret").read_text()
    address, _ = client.begin(known(world), redirect_uri=callback("franceconnect"))
    assert secret not in address
    assert secret not in json.dumps(known(world).metadata())
