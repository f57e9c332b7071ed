"""Accounts for the tests of factors: made for one test, never those that other tests share."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

_numbers = itertools.count(1)
Make = Callable[..., Any]


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """Give a client, with the counters of tries at zero."""
    from django.core.cache import cache

    cache.clear()
    yield site.client()
    cache.clear()


@pytest.fixture
def account(client: Client) -> Make:
    """Give what makes an account of a kind, with the password of the tests."""
    from hygie.domains.sign_in.model import Kind
    from hygie.domains.sign_in.orm import User
    from hygie.domains.sign_in.service import NewAccount, open_accounts

    def make(kind: str = "patient", **more: Any) -> Any:
        name = f"somebody{next(_numbers)}"
        new = NewAccount(name, name.title(), Kind(kind), email=f"{name}@example.org")
        open_accounts([new], password=PASSWORD)
        User.objects.filter(username=name).update(**more)
        return User.objects.get(username=name)

    return make


@pytest.fixture
def sign_in(client: Client) -> Callable[..., Any]:
    """Give what signs in with the password, from a client of its own or the shared one."""

    def enter(account: Any, *, by: Any = None, password: str = PASSWORD, **more: str) -> Any:
        sent = {"login": account.username, "password": password, **more}
        return (by or client).post("/sign-in/", sent)

    return enter


def is_in(client: Client) -> bool:
    """Tell whether a client is signed in."""
    return "_auth_user_id" in client.session


def codes_of(page: Any) -> list[str]:
    """Return the codes of a page that lists them."""
    return re.findall(r"<li>\d+\. ([0-9-]+)</li>", page.content.decode())
