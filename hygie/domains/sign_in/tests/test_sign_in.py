"""Signing in: argon2id, same answers for unknown users, limits, sessions."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest
from django.test import Client

from hygie.kernel.errors import InvalidRequest
from hygie.testing.portal import PASSWORD, Site


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """Give a client, with the counters of tries at zero."""
    from django.core.cache import cache

    cache.clear()
    yield site.client()
    cache.clear()


@pytest.mark.parametrize(
    ("login", "home"),
    [
        ("nora", "/patient/"),
        ("NORA", "/patient/"),
        ("nora@example.org", "/patient/"),
        ("dr.petit", "/professional/"),
    ],
)
def test_an_account_enters_its_portal_by_login_or_e_mail(
    client: Client, login: str, home: str
) -> None:
    answer = client.post("/sign-in/", {"login": login, "password": PASSWORD}, follow=True)
    assert (home, 302) in answer.redirect_chain


def test_the_password_is_kept_as_argon2id(client: Client) -> None:
    from hygie.domains.sign_in.orm import User

    assert User.objects.get(username="nora").password.startswith("argon2$argon2id$")


def test_an_unknown_login_and_a_wrong_password_get_the_same_answer(client: Client) -> None:
    pages = []
    for login in ("nora", "nobody"):
        answer = client.post("/sign-in/", {"login": login, "password": "not the password"})
        pages.append((answer.status_code, answer.content.decode().count("govuk-error-summary")))
    assert pages[0] == pages[1]
    assert pages[0][1] > 0


def test_an_account_is_closed_to_tries_after_five_failures(client: Client) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": "paul", "password": "not the password"})
    answer = client.post("/sign-in/", {"login": "paul", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert answer.status_code in {200, 429}


def test_the_session_key_changes_at_sign_in(client: Client) -> None:
    session = client.session
    session["before"] = "1"
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    client.post("/sign-in/", {"login": "nora", "password": PASSWORD})
    assert client.session.session_key != session.session_key
    assert "_auth_user_id" in client.session


def test_signing_out_ends_the_session(client: Client) -> None:
    client.post("/sign-in/", {"login": "nora", "password": PASSWORD})
    client.post("/sign-out/")
    assert client.get("/patient/").status_code == 302


def test_nobody_registers_from_outside(client: Client) -> None:
    for path in ("/sign-up/", "/signup/", "/accounts/signup/", "/account/signup/"):
        assert client.get(path).status_code == 404


def test_a_closed_account_does_not_enter(client: Client) -> None:
    from hygie.domains.sign_in.model import Kind
    from hygie.domains.sign_in.service import NewAccount, close_account, open_accounts

    account = NewAccount("leaver", "Leaver", Kind.PATIENT)
    open_accounts([account], password=PASSWORD)
    assert close_account("LEAVER")
    client.post("/sign-in/", {"login": "leaver", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_accounts_are_made_once_and_a_weak_password_is_refused(client: Client) -> None:
    from hygie.domains.sign_in.model import Kind
    from hygie.domains.sign_in.service import NewAccount, open_accounts

    account = NewAccount("twice", "Twice", Kind.PROFESSIONAL, rights=("identify",))
    assert open_accounts([account], password=PASSWORD) == 1
    assert open_accounts([account], password=PASSWORD) == 0
    with pytest.raises(InvalidRequest):
        open_accounts([account], password="password")


def test_a_stranger_is_brought_back_to_the_page_they_wanted(client: Client) -> None:
    answer = client.get("/patient/record/")
    assert answer.headers["Location"] == "/sign-in/?next=%2Fpatient%2Frecord%2F"
    sent = {"login": "nora", "password": PASSWORD, "next": "/patient/record/"}
    assert client.post("/sign-in/", sent).headers["Location"] == "/patient/record/"


def test_a_foreign_address_is_never_followed_after_sign_in(client: Client) -> None:
    sent = {"login": "nora", "password": PASSWORD, "next": "https://example.org/"}
    assert client.post("/sign-in/", sent).headers["Location"] == "/home/"


def test_at_most_two_passwords_are_hashed_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from hygie.kernel.web.passwords import AT_ONCE, CappedArgon2

    present, most, guard = 0, 0, threading.Lock()

    def slow(self: object, password: str, salt: str) -> str:
        nonlocal present, most
        with guard:
            present += 1
            most = max(most, present)
        threading.Event().wait(0.02)
        with guard:
            present -= 1
        return "hash"

    monkeypatch.setattr(Argon2PasswordHasher, "encode", slow)
    threads = [threading.Thread(target=CappedArgon2().encode, args=("p", "salt")) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == AT_ONCE


@pytest.mark.skipif(sys.platform != "linux", reason="Linux gives each thread its own priority")
def test_hashing_stands_behind_the_reads_of_others(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from hygie.kernel.web.passwords import NICENESS, CappedArgon2

    def priority(*_ignored: object) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()
    monkeypatch.setattr(Argon2PasswordHasher, "encode", priority)
    hashing: object = CappedArgon2().encode("p", "salt")
    assert hashing == NICENESS
    assert priority() == before
