"""While the access log cannot be written nothing is shown or stored, on any path (F08, R3)."""

from __future__ import annotations

import asyncio
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from hygie.kernel.audit import emergency
from hygie.kernel.database import roles
from hygie.kernel.database.session import SEARCH_PATH
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.service import Service

SECRET = "Nobody-must-read-this"
PERSON = {"resourceType": "Patient", "id": "outage", "name": [{"family": SECRET}]}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"request": {"method": "GET", "url": "Patient/outage"}}],
}
ASKED = [
    ("GET", "Patient/outage", None),
    ("GET", "Patient/outage/_history", None),
    ("GET", "Patient/outage/_history/1", None),
    ("GET", "Patient?family=Nobody", None),
    ("GET", "Patient?_total=accurate&_summary=count", None),
    ("GET", "Observation?patient=outage&_include=Observation:subject", None),
    ("GET", "AuditEvent", None),
    ("GET", "Patient/absent", None),
    ("PUT", "Patient/outage", {**PERSON, "active": True}),
    ("POST", "Patient", {"resourceType": "Patient", "name": [{"family": SECRET}]}),
    ("DELETE", "Patient/outage", None),
    ("POST", "", BUNDLE),
    ("POST", "", {**BUNDLE, "type": "batch"}),
]


def ask(service: Service, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Ask as the local operator; return status and body."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{service.base}/{path}".rstrip("/"),
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {service.token()}",
            "Content-Type": "application/fhir+json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - same
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def as_owner(service: Service, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(
            service.repository.database.dsn,
            server_settings={"role": roles.OWNER, "search_path": SEARCH_PATH},
        )
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute())


@pytest.fixture
def outage(service: Service) -> Iterator[None]:
    """Let the application read everything and trace nothing."""
    assert ask(service, "PUT", "Patient/outage", PERSON)[0] in (200, 201)
    as_owner(service, "REVOKE INSERT (request) ON trace FROM hygie_app")
    yield
    as_owner(service, "GRANT INSERT (request) ON trace TO hygie_app")


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_what_cannot_be_traced_is_not_answered(
    service: Service, method: str, path: str, body: object
) -> None:
    status, told = ask(service, method, path, body)
    if body is not None and isinstance(body, dict) and body.get("type") == "batch":
        assert json.loads(told)["entry"][0]["response"]["status"].startswith("503")
    else:
        assert status == 503
    assert SECRET not in told


@pytest.mark.usefixtures("outage")
def test_in_an_emergency_reads_go_on_and_each_is_in_the_spool(service: Service) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        emergency.arm(data)
        try:
            emergency.turn_on(data, reason="Disk full", hours=1, at=datetime.now(UTC))
            status, told = ask(service, "GET", "Patient/outage")
            assert (status, SECRET in told) == (200, True)
            (spool,) = (data / "spool").glob("*.spool")
            assert spool.read_text().count('"interaction":"read"') == 1
            emergency.turn_off(data)
            assert ask(service, "GET", "Patient/outage")[0] == 503
        finally:
            emergency.disarm()


def test_the_operator_is_traced_again_once_the_log_is_back(service: Service) -> None:
    assert SYSTEM.reference == "system"
    assert ask(service, "PUT", "Patient/outage", PERSON)[0] in (200, 201)
    assert ask(service, "GET", "Patient/outage")[0] == 200
