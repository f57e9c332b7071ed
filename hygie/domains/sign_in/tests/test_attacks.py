"""What somebody tries around the pages of sign-in: redirects, forged forms, former sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from hygie.domains.sign_in.tests.conftest import Make, is_in
from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

SignIn = Callable[..., Any]
NEW = "quatre moulins pres du canal"
ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "data:text/html,x",
    "javascript:alert(1)",
    "\x00//evil.example",
    " //evil.example",
    "/\t/evil.example",
    "https://testserver@evil.example/",
    "//testserver:80@evil.example",
]
CHANGES = [
    "/sign-in/shared/",
    "/account/lock/",
    "/account/security/sessions/",
    "/account/security/language/",
    "/account/security/notices/",
    "/account/security/stop/",
    "/account/security/paper-codes/",
    "/account/security/recovery-codes/",
    "/account/security/phone/",
    "/account/security/application/",
    "/account/security/remove/totp/",
]


def host_of(answer: Any) -> str:
    return str(urlsplit(answer.headers.get("Location", "").strip()).netloc)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_a_sign_in(
    client: Client, account: Make, sign_in: SignIn, address: str
) -> None:
    made = account()
    answer = sign_in(made, next=address)
    assert is_in(client)
    assert host_of(answer) == ""
    assert not answer.headers["Location"].startswith(("//", "/\\", "data:", "javascript:"))


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_elsewhere_by_a_confirmation_or_a_lock(
    client: Client, account: Make, sign_in: SignIn, address: str
) -> None:
    sign_in(account())
    query = f"?next={quote(address)}"
    confirmed = client.post(f"/account/confirm/{query}", {"password": PASSWORD})
    assert host_of(confirmed) == ""
    client.post("/account/lock/", {"next": address})
    opened = client.post(f"/account/locked/{query}", {"password": PASSWORD})
    assert host_of(opened) == ""


@pytest.mark.parametrize("page", CHANGES)
def test_a_form_of_another_site_changes_nothing(
    site: Site, account: Make, sign_in: SignIn, page: str
) -> None:
    from django.test import Client as Browser

    made = account()
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(made)
    answer = browser.post(page)
    assert answer.status_code == 403, (page, answer.status_code)


def test_a_session_planted_before_the_sign_in_is_not_the_one_after(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    client.post("/sign-in/shared/")
    planted = client.session.session_key
    assert planted
    sign_in(account())
    assert is_in(client)
    assert client.session.session_key != planted


def test_proofs_of_one_account_are_none_of_the_next(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    from hygie.kernel.web.authentication import PROOFS

    first, second = account(), account()
    sign_in(first)
    client.force_login(second)
    assert client.session.get(PROOFS, {}).get("account") != first.pk
    answer = client.post("/account/security/paper-codes/")
    assert "confirm" in answer.headers["Location"]


def test_a_locked_session_shows_and_does_nothing_in_another_tab(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    made = account()
    sign_in(made)
    client.post("/account/lock/", {"next": "/home/"})
    for page in ("/account/security/", "/home/", "/account/confirm/"):
        assert "/account/locked/" in client.get(page).headers["Location"]
    answer = client.post("/account/security/language/", {"language": "en"})
    assert "/account/locked/" in answer.headers["Location"]
    made.refresh_from_db()
    assert made.language != "en"


def test_a_practice_takes_no_account_that_its_person_enters_by_another_door(
    site: Site, client: Client
) -> None:
    from django.utils import timezone

    from hygie.domains.sign_in.orm import User
    from hygie.testing.stories import NORA

    former = User.objects.get(username="nora")
    User.objects.filter(pk=former.pk).update(password="!", last_login=timezone.now())
    try:
        client.post("/sign-in/", {"login": "dr.petit", "password": PASSWORD})
        client.post(f"/professional/accounts/{NORA}/")
        assert not former.codes.exists()
    finally:
        User.objects.filter(pk=former.pk).update(password=former.password)


def test_a_sheet_opens_nothing_once_its_person_came_by_another_door(
    client: Client, account: Make
) -> None:
    from django.utils import timezone

    from hygie.domains.sign_in.service import codes

    made = account(password="!", last_login=None)
    code = codes.print_sheet(made, date(1958, 5, 3), by=made)
    type(made).objects.filter(pk=made.pk).update(last_login=timezone.now())
    client.post(
        "/sign-in/activate/",
        {"code": code, "birth": "03/05/1958", "password1": NEW, "password2": NEW},
    )
    assert not is_in(client)
    made.refresh_from_db()
    assert not made.has_usable_password()
