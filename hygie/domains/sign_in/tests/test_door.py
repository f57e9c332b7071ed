"""The door: guesses are slowed, nobody is locked out by a stranger, nothing is told of who is."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.sign_in.model.passwords import is_common
from hygie.domains.sign_in.tests.conftest import Make, is_in
from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

SignIn = Callable[..., Any]
WRONG = "not the password"
ROUNDS = 12


def _from(site: Site, address: str) -> Any:
    from django.test import Client

    return Client(REMOTE_ADDR=address, headers={"accept-language": "fr"})


def _attack(site: Site, account: Any) -> None:
    """Fail often enough from many addresses for the account to be slowed."""
    for place in range(21):
        sent = {"login": account.username, "password": WRONG}
        _from(site, f"192.0.2.{place}").post("/sign-in/", sent)


@pytest.fixture
def _free_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare passwords without a slow hash, where what is tested is the counting."""
    from hygie.kernel.web.passwords import CappedArgon2

    monkeypatch.setattr(
        CappedArgon2, "verify", lambda _self, password, _encoded: password == PASSWORD
    )
    monkeypatch.setattr(CappedArgon2, "must_update", lambda *_ignored: False)


@pytest.mark.usefixtures("_free_hash")
def test_a_stranger_does_not_lock_the_known_device_out(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    made = account()
    sign_in(made)
    assert is_in(client)
    client.post("/sign-out/")
    _attack(site, made)
    sign_in(made)
    assert is_in(client)


@pytest.mark.usefixtures("_free_hash")
def test_a_slowed_account_opens_to_a_new_device_that_brings_a_code(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    from hygie.domains.sign_in.service import codes

    made = account()
    code = codes.print_list(made)[0]
    _attack(site, made)
    refused = sign_in(made)
    assert 'name="code"' in refused.content.decode()
    sign_in(made, code="0000-0000")
    assert not is_in(client)
    sign_in(made, code=code)
    assert is_in(client)


@pytest.mark.usefixtures("_free_hash")
def test_a_slowed_account_looks_like_one_that_does_not_exist(site: Site, account: Make) -> None:
    class Nobody:
        username = "nobody-at-all"

    pages = []
    for who in (account(), Nobody()):
        _attack(site, who)
        sent = {"login": who.username, "password": PASSWORD}
        page = _from(site, "198.51.100.7").post("/sign-in/", sent)
        text = page.content.decode().replace(who.username, "")
        pages.append((page.status_code, text.count("govuk-error"), 'name="code"' in text))
    assert pages[0] == pages[1]


@pytest.mark.usefixtures("_free_hash")
def test_one_address_is_counted_and_a_declared_network_more_widely(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hygie.kernel.web import bridge

    settings = replace(bridge.platform().settings, networks=("203.0.113.0/24",))
    for address, expected in (("198.51.100.9", False), ("203.0.113.9", True)):
        monkeypatch.setattr(bridge.platform(), "settings", settings)
        ward = _from(site, address)
        for place in range(60):
            ward.post("/sign-in/", {"login": f"nurse{place}", "password": WRONG})
        ward.post("/sign-in/", {"login": "marc.vidal", "password": PASSWORD})
        assert is_in(ward) == expected


def test_tries_are_counted_before_anything_is_hashed(
    client: Client, account: Make, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hygie.kernel.web.passwords import CappedArgon2

    hashed: list[int] = []
    monkeypatch.setattr(CappedArgon2, "verify", lambda *_ignored: hashed.append(1))
    monkeypatch.setattr(CappedArgon2, "harden_runtime", lambda *_ignored: None)
    made = account()
    for _ in range(9):
        sign_in(made, password=WRONG)
    assert len(hashed) == 5


def test_absent_closed_and_passwordless_accounts_cost_one_hash_as_well(
    client: Client, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hygie.domains.sign_in.service.door import OneHash
    from hygie.kernel.web.passwords import CappedArgon2

    plain = CappedArgon2.verify
    hashed: list[str] = []

    def verify(self: Any, password: str, encoded: str) -> bool:
        hashed.append(encoded.split("$")[3])
        return plain(self, password, encoded)

    monkeypatch.setattr(CappedArgon2, "verify", verify)
    names = [
        account().username,
        account(is_active=False).username,
        account(password="!").username,
        "nobody-at-all",
    ]
    for name in names:
        assert OneHash().authenticate(None, username=name, password=WRONG) is None
    assert len(hashed) == len(names)
    assert len(set(hashed)) == 1


def test_a_closed_account_gets_the_answer_of_a_wrong_password(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    closed = sign_in(account(is_active=False))
    wrong = sign_in(account(), password=WRONG)
    assert closed.status_code == wrong.status_code == 200
    assert closed.content.count(b"govuk-error") == wrong.content.count(b"govuk-error")


@pytest.mark.long
@pytest.mark.parametrize("door", ["sign-in", "recover", "activate"])
def test_the_time_of_an_answer_tells_nothing_of_an_account(
    site: Site, account: Make, door: str
) -> None:
    """Medians of interleaved rounds: what one account costs more than another is under a fifth."""
    from django.core.cache import cache

    names = {"open": account().username, "closed": account(is_active=False).username, "absent": "x"}
    times: dict[str, list[float]] = {which: [] for which in names}
    for _ in range(ROUNDS):
        for which, name in names.items():
            cache.clear()
            began = time.perf_counter()
            _from(site, "192.0.2.1").post(
                f"/sign-in/{'' if door == 'sign-in' else door + '/'}", _tried(door, name)
            )
            times[which].append(time.perf_counter() - began)
    medians = {which: statistics.median(taken) for which, taken in times.items()}
    assert max(medians.values()) - min(medians.values()) < 0.2 * max(medians.values()), medians


def _tried(door: str, name: str) -> dict[str, str]:
    new = {"password1": "quatre moulins pres du canal", "password2": "quatre moulins pres du canal"}
    return {
        "sign-in": {"login": name, "password": WRONG},
        "recover": {"login": name, "recovery": "12345678", "code": "123456", **new},
        "activate": {"code": "AAAA-BBBB-CCCC-DDDD", "birth": "03/05/1958", **new},
    }[door]


@pytest.mark.parametrize(
    "password", ["password1234", "Azertyuiop2026", "m0tdepasse!!!!", "doudoudoudou", "111111111111"]
)
def test_a_password_of_the_lists_is_refused_even_disguised(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", [PASSWORD, "quatre moulins pres du canal", "girafe-violon-82"])
def test_a_short_sentence_is_accepted(password: str) -> None:
    assert not is_common(password)
