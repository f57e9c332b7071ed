"""Before the database is ready, and on the face that is not served: a sentence for everybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hygie.app import Application
from hygie.kernel.config import Settings

Answer = tuple[int, dict[str, str], str]


async def ask(settings: Settings, path: str, method: str = "GET") -> Answer:
    """Return what an application that never started its parts answers."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("no body is read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await Application(settings)(scope, receive, send)
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body["body"].decode()


async def test_machines_are_told_to_come_back(tmp_path: Path) -> None:
    for path in ("/fhir/Patient", "/fhir", "/.well-known/oauth-authorization-server"):
        status, headers, body = await ask(Settings(tmp_path), path)
        assert (status, headers["retry-after"]) == (503, "2")
        assert json.loads(body)["issue"][0]["code"] == "transient"


async def test_people_read_that_hygie_starts_in_french_and_english(tmp_path: Path) -> None:
    status, headers, body = await ask(Settings(tmp_path), "/patient/")
    assert (status, headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "Hygie démarre" in body
    assert '<p lang="en">Hygie is starting' in body
    assert (await ask(Settings(tmp_path), "/", "HEAD"))[2] == ""


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/metadata", "/oauth/introspect"])
async def test_a_portal_alone_has_no_machine_face(tmp_path: Path, path: str) -> None:
    status, _, body = await ask(Settings(tmp_path, only="portal"), path)
    assert (status, json.loads(body)["issue"][0]["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/", "/patient/", "/fhirs"])
async def test_a_machine_face_alone_has_no_pages(tmp_path: Path, path: str) -> None:
    status, headers, body = await ask(Settings(tmp_path, only="api"), path)
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "software only" in body


async def test_the_health_of_each_face_stands_at_the_same_place(tmp_path: Path) -> None:
    for only in ("all", "api", "portal"):
        status, _, body = await ask(Settings(tmp_path, only=only), "/healthz")
        assert (status, bool(json.loads(body)["reason"])) == (503, True)


async def test_websockets_are_refused(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await Application(Settings(tmp_path))({"type": "websocket", "path": "/ws"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
