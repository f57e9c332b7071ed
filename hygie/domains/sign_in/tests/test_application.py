"""The authenticator application: each code once, whoever brings it; the secret is never clear."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.sign_in.model.steps import SECONDS, accepted_step, code_at, new_secret
from hygie.domains.sign_in.tests.conftest import Make, codes_of, is_in
from hygie.testing.portal import Site

if TYPE_CHECKING:
    from django.test import Client

NOON = 1_800_000_000.0
Enrol = Callable[..., tuple[Any, str]]


@pytest.fixture
def clock(client: Client, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give the clock that codes are compared with."""
    from hygie.domains.sign_in.service import proving

    told = SimpleNamespace(now=NOON)
    monkeypatch.setattr(proving, "time", SimpleNamespace(time=lambda: told.now))
    return told


@pytest.fixture
def enrolled(account: Make) -> Enrol:
    """Give what makes an account with an application, and the secret of it."""
    from allauth.mfa.models import Authenticator

    from hygie.domains.sign_in.service.keys import seal

    def enrol(kind: str = "patient") -> tuple[Any, str]:
        made, secret = account(kind), new_secret()
        Authenticator.objects.create(user=made, type="totp", data={"secret": seal(secret)})
        return made, secret

    return enrol


def _code(secret: str, *, now: float = NOON) -> str:
    return code_at(secret, int(now) // SECONDS)


def _shown(page: Any) -> str:
    found = re.search(r"<strong>([A-Z2-7-]{32,})</strong>", page.content.decode())
    assert found
    return found[1].replace("-", "")


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804")])
def test_the_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B, with six digits."""
    assert _code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", now=at) == code


@pytest.mark.parametrize(("late", "accepted"), [(0, True), (29, True), (59, True), (95, False)])
def test_a_clock_may_drift_by_one_step(late: int, accepted: bool) -> None:
    secret = new_secret()
    found = accepted_step(secret, _code(secret), now=NOON + late)
    assert (found is not None) == accepted


def test_a_password_alone_does_not_enter_where_there_is_an_application(
    client: Client, enrolled: Enrol, sign_in: Callable[..., Any], clock: SimpleNamespace
) -> None:
    account, secret = enrolled()
    assert sign_in(account).headers["Location"] == "/sign-in/code/"
    assert not is_in(client)
    client.post("/sign-in/code/", {"code": "000000"})
    assert not is_in(client)
    client.post("/sign-in/code/", {"code": _code(secret)})
    assert is_in(client)


@pytest.mark.parametrize("after", [0, 5, 40, 70])
def test_a_code_never_opens_twice(
    site: Site, enrolled: Enrol, sign_in: Callable[..., Any], clock: SimpleNamespace, after: int
) -> None:
    """RFC 6238, 5.2; a code accepted before its time must not come back after it."""
    account, secret = enrolled()
    code = _code(secret, now=NOON + SECONDS)
    first, second = site.client(), site.client()
    sign_in(account, by=first)
    first.post("/sign-in/code/", {"code": code})
    assert is_in(first)
    clock.now = NOON + after
    sign_in(account, by=second)
    second.post("/sign-in/code/", {"code": code})
    assert not is_in(second)


def test_of_two_posts_at_once_one_enters(
    site: Site, enrolled: Enrol, sign_in: Callable[..., Any], clock: SimpleNamespace
) -> None:
    from django.db import connection

    account, secret = enrolled()
    clients = [site.client() for _ in range(4)]
    for one in clients:
        sign_in(account, by=one)
    start = threading.Barrier(len(clients))

    def post(one: Any) -> None:
        start.wait()
        one.post("/sign-in/code/", {"code": _code(secret)})
        connection.close()

    threads = [threading.Thread(target=post, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [is_in(one) for one in clients].count(True) == 1


SECOND_PROCESS = """
import asyncio, sys
from pathlib import Path
from hygie.kernel.config import Settings
from hygie.kernel.web import bridge, portal
from hygie.testing.portal import compose
platform = compose(Settings(data=Path(sys.argv[1]), secret=sys.argv[2], demo=4))
portal.configure(platform, dsn=sys.argv[3])
from hygie.domains.sign_in.orm import User
from hygie.domains.sign_in.service import proving
print(proving.proven_by(User.objects.get(username=sys.argv[4]), sys.argv[5]))
portal.close()
"""


def test_a_second_process_refuses_a_code_that_was_used(
    site: Site, enrolled: Enrol, tmp_path: Any
) -> None:
    from django.conf import settings

    from hygie.domains.sign_in.service import proving

    account, secret = enrolled()
    now = time.time()
    used, fresh = _code(secret, now=now), _code(secret, now=now + SECONDS)
    assert proving.proven_by(account, used) == proving.Given("totp")
    kept = settings.DATABASES["default"]
    named = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    parts = {name: kept[key] for name, key in named.items() if kept[key]}
    dsn = " ".join(f"{name}={value}" for name, value in parts.items())

    def elsewhere(code: str) -> str:
        words = [str(tmp_path), settings.SECRET_KEY, dsn, account.username, code]
        run = [sys.executable, "-c", SECOND_PROCESS, *words]
        done = subprocess.run(run, capture_output=True, text=True, check=True)  # noqa: S603 - our own
        return done.stdout.strip().splitlines()[-1]

    assert elsewhere(used) == "None"
    assert elsewhere(fresh) == "Given(method='totp')"


def test_enrolling_shows_a_drawing_and_the_key_and_wants_a_first_code(
    client: Client, account: Make, sign_in: Callable[..., Any]
) -> None:
    made = account()
    sign_in(made)
    page = client.get("/account/security/application/")
    shown = page.content.decode()
    assert "<svg" in shown
    assert "style=" not in shown
    secret = _shown(page)
    refused = client.post("/account/security/application/", {"code": "000000"})
    assert "govuk-error-summary" in refused.content.decode()
    assert _shown(refused) == secret
    done = client.post("/account/security/application/", {"code": _code(secret, now=time.time())})
    assert len(codes_of(done)) == 10
    assert made.has_strong_factor()


def test_neither_the_table_nor_the_session_holds_the_secret(
    client: Client, account: Make, sign_in: Callable[..., Any]
) -> None:
    from allauth.mfa.models import Authenticator
    from django.contrib.sessions.models import Session
    from django.db import connection

    made = account()
    sign_in(made)
    secret = _shown(client.get("/account/security/application/"))
    kept = Session.objects.get(session_key=client.session.session_key).get_decoded()
    assert secret not in str(kept)
    sent = {"code": _code(secret, now=time.time())}
    codes = codes_of(client.post("/account/security/application/", sent))
    with connection.cursor() as cursor:
        table = Authenticator._meta.db_table
        cursor.execute(f"SELECT data::text FROM {table} WHERE user_id = %s", [made.pk])
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert secret not in rows
    assert not [code for code in codes if code.replace("-", "") in rows]


def test_a_code_that_enrolled_does_not_sign_in(
    site: Site, client: Client, account: Make, sign_in: Callable[..., Any]
) -> None:
    made = account()
    sign_in(made)
    secret = _shown(client.get("/account/security/application/"))
    code = _code(secret, now=time.time())
    client.post("/account/security/application/", {"code": code})
    other = site.client()
    sign_in(made, by=other)
    other.post("/sign-in/code/", {"code": code})
    assert not is_in(other)


def test_five_wrong_codes_are_the_most(
    client: Client, enrolled: Enrol, sign_in: Callable[..., Any], clock: SimpleNamespace
) -> None:
    account, secret = enrolled()
    sign_in(account)
    for _ in range(5):
        client.post("/sign-in/code/", {"code": "000000"})
    client.post("/sign-in/code/", {"code": _code(secret)})
    assert not is_in(client)
