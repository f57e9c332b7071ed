from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hygie.commands.account import check_account
from hygie.commands.tests.conftest import Hygie
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect
from hygie.kernel.errors import InvalidRequest


def account(folder: Path, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: Django is configured once a process."""
    return subprocess.run(  # noqa: S603 - our own programme
        [sys.executable, "-m", "hygie", "account", *arguments, "--data", str(folder)],
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )


def active(folder: Path) -> list[tuple[object, ...]]:
    with (
        server.running(Settings(data=folder)) as ready,
        connect(ready.dsn, role=roles.PORTAL) as session,
    ):
        rows = session.execute("SELECT username, kind, is_active FROM portal.sign_in_user")
        return rows.fetchall()


def test_an_account_is_opened_and_closed(folder: Path, hygie: Hygie) -> None:
    opened = account(
        folder,
        *("open", "dr.dupont", "--kind", "professional"),
        *("--reference", "Practitioner/dupont", "--password-stdin"),
        password="une longue phrase de passe",
    )
    assert (opened.returncode, opened.stdout) == (0, "dr.dupont was opened.\n")
    assert active(folder) == [("dr.dupont", "professional", True)]
    assert hygie("token", "--as", "dr.dupont", "--data", folder)[0] == 0
    closed = account(folder, "close", "dr.dupont")
    assert (closed.returncode, closed.stdout) == (
        0,
        "dr.dupont can no longer sign in; tokens revoked: 1.\n",
    )
    assert active(folder) == [("dr.dupont", "professional", False)]


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        (None, ""),
        ("patient", ""),
        ("patient", "Practitioner/1"),
        ("professional", "Practitioner/"),
        ("researcher", "nobody"),
    ],
)
def test_an_account_says_who_it_stands_for(kind: str | None, reference: str) -> None:
    with pytest.raises(InvalidRequest):
        check_account(kind, reference)
