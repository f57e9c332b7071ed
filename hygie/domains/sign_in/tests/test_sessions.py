"""Sessions: limits, lock, list, end, the shared computer, and what a sensitive act asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.sign_in.model.sessions import limits_of
from hygie.domains.sign_in.tests.conftest import Make, codes_of, is_in
from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

SignIn = Callable[..., Any]
NOW = datetime(2026, 11, 1, tzinfo=UTC).date()
SECURITY = "/account/security/"


@pytest.fixture
def clock(client: Client, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give the clock of sessions, at the present instant."""
    from hygie.domains.sign_in.service import sessions

    told = SimpleNamespace(now=time.time())
    monkeypatch.setattr(sessions, "time", SimpleNamespace(time=lambda: told.now))
    return told


def _later(clock: SimpleNamespace, kind: str, what: str, share: float = 1.01) -> None:
    clock.now += getattr(limits_of(kind, at=NOW), what).total_seconds() * share


def test_an_idle_session_of_a_patient_ends(
    client: Client, account: Make, sign_in: SignIn, clock: SimpleNamespace
) -> None:
    sign_in(account())
    assert client.get(SECURITY).status_code == 200
    _later(clock, "patient", "idle", 0.9)
    assert client.get(SECURITY).status_code == 200
    _later(clock, "patient", "idle")
    answer = client.get(SECURITY)
    assert answer.headers["Location"].startswith("/sign-in/?ended=idle")
    assert not is_in(client)


def test_a_session_that_is_used_all_along_ends_as_well(
    client: Client, account: Make, sign_in: SignIn, clock: SimpleNamespace
) -> None:
    sign_in(account())
    client.get(SECURITY)
    for _ in range(10):
        _later(clock, "patient", "absolute", 0.11)
        from hygie.domains.sign_in.service.sessions import STATE

        session = client.session
        if STATE in session:
            session[STATE] = {**session[STATE], "seen": clock.now}
            session.save()
        answer = client.get(SECURITY)
    assert answer.headers["Location"].startswith("/sign-in/")
    assert not is_in(client)


def test_an_idle_session_of_a_professional_locks_and_the_password_opens_it(
    client: Client, account: Make, sign_in: SignIn, clock: SimpleNamespace
) -> None:
    sign_in(account("professional"))
    client.get("/professional/patients/")
    key = client.session.session_key
    _later(clock, "professional", "idle")
    answer = client.get("/professional/patients/?q=martin")
    locked = "/account/locked/?next=%2Fprofessional%2Fpatients%2F%3Fq%3Dmartin"
    assert answer.headers["Location"] == locked
    assert client.session.session_key != key
    for path in ("/professional/", SECURITY, "/account/confirm/", "/account/password/"):
        assert client.get(path).headers["Location"].startswith("/account/locked/")
    assert client.post(locked, {"password": "not the password"}).status_code == 200
    opened = client.post(locked, {"password": PASSWORD})
    assert opened.headers["Location"] == "/professional/patients/?q=martin"
    assert client.get("/professional/patients/").status_code == 200


def test_a_locked_screen_shows_nothing_to_somebody_else_who_signs_in(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    first, second = account("professional"), account("professional")
    sign_in(first)
    client.get("/professional/patients/")
    answer = client.post("/account/lock/", {"next": "/professional/patients/"})
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    client.post("/sign-out/")
    sign_in(second)
    assert str(client.session["_auth_user_id"]) == str(second.pk)
    assert "hygie_proofs" in client.session
    assert client.session["hygie_proofs"]["account"] == second.pk


def test_pages_hide_themselves_without_a_script_and_are_not_kept(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    sign_in(account("professional"))
    page = client.get("/professional/patients/")
    assert page.headers["Refresh"].startswith("905;url=/account/idle/?next=")
    assert "no-store" in page.headers["Cache-Control"]


def test_a_hidden_page_keeps_no_session_alive(
    client: Client, account: Make, sign_in: SignIn, clock: SimpleNamespace
) -> None:
    sign_in(account())
    client.get(SECURITY)
    for _ in range(3):
        _later(clock, "patient", "idle", 0.4)
        answer = client.get("/account/idle/?next=/patient/")
    assert answer.headers["Location"].startswith("/sign-in/?ended=idle&next=%2Fpatient%2F")


def test_sessions_are_listed_and_one_is_ended_from_another(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    from allauth.usersessions.models import UserSession

    made, other = account(), site.client()
    sign_in(made)
    sign_in(made, by=other)
    other.get(SECURITY)
    page = client.get(SECURITY).content.decode()
    assert page.count("Fermer cette session") == 1
    assert "Preuve : simple" in page
    row = UserSession.objects.get(session_key=other.session.session_key)
    client.post("/account/security/sessions/", {"session": row.pk})
    assert other.get(SECURITY).status_code == 302
    assert client.get(SECURITY).status_code == 200


def test_nobody_ends_the_session_of_somebody_else(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    from allauth.usersessions.models import UserSession

    other = site.client()
    sign_in(account(), by=other)
    other.get(SECURITY)
    sign_in(account())
    row = UserSession.objects.get(session_key=other.session.session_key)
    client.post("/account/security/sessions/", {"session": row.pk})
    assert other.get(SECURITY).status_code == 200


def test_a_new_password_signs_out_everywhere_else(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    made, other, new = account(), site.client(), "quatre moulins pres du canal"
    sign_in(made)
    sign_in(made, by=other)
    client.get(SECURITY)
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/account/password/", sent)
    assert other.get(SECURITY).status_code == 302
    assert client.get(SECURITY).status_code == 200


def test_a_shared_computer_keeps_nothing_and_ends_in_minutes(
    client: Client, account: Make, sign_in: SignIn, clock: SimpleNamespace
) -> None:
    client.post("/sign-in/shared/")
    assert "Ordinateur partagé" in client.get("/sign-in/").content.decode()
    answer = sign_in(account())
    assert "hygie_device" not in answer.cookies
    page = client.get("/patient/")
    assert "Terminer et tout effacer" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    lasting = [one.key for one in client.cookies.values() if one["max-age"] or one["expires"]]
    assert not lasting
    assert page.headers["Refresh"].startswith("305;")
    _later(clock, "desk", "idle")
    ended = client.get("/patient/")
    assert ended.headers["Location"] == "/sign-in/?ended=idle"
    assert "cookies" in ended.headers["Clear-Site-Data"]


def test_the_end_of_a_shared_session_tells_the_browser_to_forget(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    client.post("/sign-in/shared/")
    sign_in(account())
    answer = client.post("/sign-out/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


def test_a_sensitive_act_asks_the_password_of_who_has_no_more(
    site: Site, account: Make, client: Client
) -> None:
    client.force_login(account())
    asked = client.get("/account/security/application/")
    assert asked.headers["Location"].startswith("/account/confirm/?next=")
    page = client.get(asked.headers["Location"]).content.decode()
    assert 'name="password"' in page
    assert 'name="code"' not in page
    done = client.post(asked.headers["Location"], {"password": PASSWORD})
    assert done.headers["Location"] == "/account/security/application/"
    assert client.get("/account/security/application/").status_code == 200


def test_a_sensitive_act_asks_both_proofs_of_who_has_two(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import codes

    made = account()
    code = codes.print_list(made)[0]
    client.force_login(made)
    where = "/account/confirm/?next=/account/password/set/"
    client.post(where, {"password": PASSWORD, "code": "0000-0000"})
    assert client.get("/account/password/set/").status_code == 302
    client.post(where, {"password": PASSWORD, "code": code})
    assert client.get("/account/password/set/").status_code == 200


def test_a_proof_is_fresh_for_five_minutes(client: Client, account: Make, sign_in: SignIn) -> None:
    from hygie.kernel.web.authentication import PROOFS

    sign_in(account())
    assert client.get("/account/password/set/").status_code == 200
    session = client.session
    former = session[PROOFS]["list"][0]
    session[PROOFS] = {**session[PROOFS], "list": [{**former, "at": time.time() - 301}]}
    session.save()
    assert client.get("/account/password/set/").status_code == 302


def _in_production(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = replace(site.platform.settings, demo=None, realm="production")
    monkeypatch.setattr(site.platform, "settings", real)


def test_outside_the_demonstration_a_password_alone_opens_no_page_of_care(
    site: Site, client: Client, account: Make, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(account("professional"))
    assert client.get("/professional/patients/").status_code == 200
    _in_production(site, monkeypatch)
    asked = client.get("/professional/patients/")
    assert asked.headers["Location"].startswith("/account/security/needed/?next=")
    assert client.get(asked.headers["Location"]).status_code == 200
    code = codes_of(client.post("/account/security/paper-codes/"))[0]
    client.post("/account/confirm/", {"password": PASSWORD, "code": code})
    assert client.get("/professional/patients/").status_code == 200


def test_outside_the_demonstration_the_desk_asks_two_proofs_and_a_patient_one(
    site: Site, client: Client, account: Make, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_production(site, monkeypatch)
    for kind, home, expected in (
        ("administrator", "/establishment/", 302),
        ("patient", "/patient/", 200),
    ):
        sign_in(account(kind))
        assert client.get(home).status_code == expected
        client.post("/sign-out/")


def test_where_to_go_after_confirming_is_never_another_site(client: Client, account: Make) -> None:
    client.force_login(account())
    done = client.post("/account/confirm/?next=https://example.org/", {"password": PASSWORD})
    assert done.headers["Location"] == "/home/"


def test_the_lock_gives_the_whole_address_back_and_never_another_site(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    sign_in(account("professional"))
    client.get("/professional/patients/")
    wanted = "/professional/patients/?q=a&page=2"
    locked = client.post("/account/lock/", {"next": wanted}).headers["Location"]
    assert client.post(locked, {"password": PASSWORD}).headers["Location"] == wanted
    elsewhere = client.post("/account/lock/", {"next": "https://example.org/"}).headers["Location"]
    assert client.post(elsewhere, {"password": PASSWORD}).headers["Location"] == "/home/"
