"""Attacks over HTTP: a hidden resource and another's record answer like none, whatever is asked."""

from __future__ import annotations

import http.client
import json
import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Kind
from hygie.kernel.store.law import Law
from hygie.testing import stories
from hygie.testing.database import ScratchServer
from hygie.testing.service import Service

Answer = tuple[int, dict[str, str], str]
ENCODER = msgspec.json.Encoder(decimal_format="number")
MOVING = re.compile(
    r'"(?:lastUpdated|lastModified|timestamp|id|location|fullUrl)":"[^"]*"|[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}'
)
SECRET = ("secret-visit", "secret-visiu")
OTHERS = (stories.NORA, "nora-martim")


@dataclass(frozen=True)
class Asked:
    """A request with ``{}`` where the id of the hidden or absent thing goes."""

    method: str
    path: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


@pytest.fixture(scope="module")
def law(database_server: ScratchServer) -> Law:
    """Give the law of the product."""
    platform = Platform(database_server.create().settings)
    discover(platform, "hygie.domains")
    return platform.law


@pytest.fixture(scope="module")
def told(service: Service) -> Service:
    """Give the service with Nora, Paul, Tom and who cares for them."""
    operator = service.token(SYSTEM)
    stories_told = (
        stories.diabetic_woman,
        stories.unknown_man,
        stories.care_team,
        stories.choices,
        stories.helping_daughter,
        stories.child,
    )
    for one in (one for story in stories_told for one in story()):
        path = f"/{one['resourceType']}/{one['id']}"
        assert call(service, operator, "PUT", path, ENCODER.encode(one))[0] in (200, 201)
    return service


def call(
    service: Service,
    token: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """Send a request; return status, headers and body."""
    base = urlsplit(service.base)
    known = {"content-type": "application/fhir+json"} if body is not None else {}
    if token:
        known["authorization"] = f"Bearer {token}"
    with closing(http.client.HTTPConnection(base.netloc, timeout=20)) as connection:
        connection.request(method, base.path + path, body=body, headers={**known, **dict(headers)})
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()


def about(service: Service, token: str, asked: Asked, rid: str) -> Answer:
    """Send a request about one id; return the answer without what moves."""
    body = None if asked.body is None else json.dumps(asked.body).replace("{}", rid).encode()
    headers = tuple((name, value.replace("{}", rid)) for name, value in asked.headers)
    place = asked.path.replace("{}", rid)
    status, told, text = call(service, token, asked.method, place, body, headers)
    fixed = ("date", "x-request-id", "etag", "last-modified", "location", "content-length")
    kept = {name: value for name, value in told.items() if name not in fixed or status >= 400}
    kept = {name: value for name, value in kept.items() if name not in ("date", "x-request-id")}
    kept.pop("content-length", None)
    return status, kept, MOVING.sub("", text.replace(rid, "…"))


def _visit(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{stories.TOM}"}, **more,
    }  # fmt: skip


_LABEL = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "MASQUE_PS"}
_META = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"security": [_LABEL]}}],
}


def _bundle(kind: str, *entries: tuple[str, str]) -> dict[str, Any]:
    requests = [{"request": {"method": method, "url": url}} for method, url in entries]
    return {"resourceType": "Bundle", "type": kind, "entry": requests}


def _reference(criteria: str) -> dict[str, Any]:
    body = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": criteria}}
    entry = {"resource": body, "request": {"method": "POST", "url": "Basic"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


ON_A_SECRET = [
    Asked("GET", "/Encounter/{}"),
    Asked("HEAD", "/Encounter/{}"),
    Asked("GET", "/Encounter/{}", headers=(("if-none-match", "*"),)),
    Asked("GET", "/Encounter/{}", headers=(("if-none-match", 'W/"1"'),)),
    Asked(
        "GET", "/Encounter/{}", headers=(("if-modified-since", "Wed, 01 Jan 2020 00:00:00 GMT"),)
    ),
    Asked("GET", "/Encounter/{}/_history"),
    Asked("GET", "/Encounter/{}/_history/1"),
    Asked("GET", "/Encounter/{}/_history/99"),
    Asked("PUT", "/Encounter/{}", _visit(id="{}")),
    Asked("PUT", "/Encounter/{}", _visit(id="{}"), (("if-match", 'W/"1"'),)),
    Asked("PUT", "/Encounter/{}", _visit(id="{}"), (("if-match", 'W/"7"'),)),
    Asked("DELETE", "/Encounter/{}"),
    Asked("DELETE", "/Encounter/{}", headers=(("if-match", 'W/"7"'),)),
    Asked("PATCH", "/Encounter/{}", []),
    Asked("POST", "/Encounter/{}/$meta-add", _META),
    Asked("POST", "/Encounter/{}/$meta-delete", _META),
    Asked("GET", "/Encounter?_id={}"),
    Asked("GET", "/Encounter?_id={}&_summary=count"),
    Asked("GET", "/Encounter?_id={}&_total=accurate&_sort=-_lastUpdated"),
    Asked("GET", "/Observation?encounter=Encounter/{}"),
    Asked("GET", "/AuditEvent?entity=Encounter/{}"),
    Asked("GET", f"/AuditEvent?patient={stories.TOM}&entity=Encounter/{{}}"),
    Asked("DELETE", "/Encounter?_id={}"),
    Asked("PUT", "/Encounter?_id={}", _visit()),
    Asked("POST", "", _bundle("batch", ("GET", "Encounter/{}"), ("DELETE", "Encounter/{}"))),
    Asked("POST", "", _bundle("transaction", ("GET", "Encounter/{}"))),
    Asked("POST", "", _reference("Encounter?_id={}")),
]
ON_ANOTHER = [
    Asked("GET", "/Patient/{}"),
    Asked("GET", "/Patient/{}/_history"),
    Asked("GET", "/Condition?patient={}"),
    Asked("GET", "/CareTeam?patient={}"),
    Asked("GET", "/AuditEvent?patient={}"),
    Asked("GET", "/Patient?_id={}&_revinclude=Condition:patient&_revinclude=CareTeam:patient"),
    Asked("POST", "/Observation", {"resourceType": "Observation", "status": "final",
          "code": {"text": "x"}, "subject": {"reference": "Patient/{}"}}),
    Asked("POST", "/Observation", {"resourceType": "Observation", "status": "final",
          "code": {"text": "x"}, "subject": {"reference": "Patient/{}"}},
          (("if-none-exist", "patient={}"),)),
    Asked("POST", "/Patient/{}/$meta-add", _META),
    Asked("POST", "", _bundle("batch", ("GET", "Patient/{}"), ("DELETE", "Patient/{}"))),
    Asked("POST", "", _bundle("transaction", ("GET", "Patient/{}"))),
    Asked("POST", "", _reference("Patient?_id={}")),
]  # fmt: skip


def test_a_secret_visit_answers_a_parent_like_none(told: Service) -> None:
    token = told.token(told.caller(Kind.PATIENT, f"Patient/{stories.LUCIE}"))
    for asked in ON_A_SECRET:
        hidden, absent = (about(told, token, asked, rid) for rid in SECRET)
        assert hidden == absent, asked


@pytest.mark.parametrize(
    ("kind", "who"),
    [(Kind.PROFESSIONAL, f"Practitioner/{stories.ZOE}"), (Kind.PATIENT, f"Patient/{stories.PAUL}")],
)
def test_the_record_of_another_answers_like_none(told: Service, kind: Kind, who: str) -> None:
    token = told.token(told.caller(kind, who))
    for asked in ON_ANOTHER:
        hidden, absent = (about(told, token, asked, rid) for rid in OTHERS)
        assert hidden == absent, asked


@pytest.mark.parametrize(
    "path",
    [
        "//Patient/{}", "/Patient/{}%2f_history", "/Patient/%2e%2e/Patient/{}", "/Patient/{};x",
        "/../fhir/Patient/{}", "/patient/{}", "/Patient/{}%00", "/Patient/{}/../{}", "/Patient//{}",
    ],
)  # fmt: skip
def test_no_odd_path_reaches_a_record(told: Service, path: str) -> None:
    token = told.token(told.caller(Kind.PROFESSIONAL, f"Practitioner/{stories.ZOE}"))
    status, _, body = call(told, token, "GET", path.replace("{}", stories.NORA))
    assert 400 <= status < 500
    assert "birthDate" not in body


def test_no_trick_with_tokens_and_methods_lets_in(told: Service) -> None:
    operator, path = told.token(SYSTEM), f"/Patient/{stories.NORA}"
    zoe = told.token(told.caller(Kind.PROFESSIONAL, f"Practitioner/{stories.ZOE}"))
    tricks = [
        ("", path, (("authorization", f"Basic {operator}"),), 401),
        ("", path, (("authorization", f"Bearer {zoe}, Bearer {operator}"),), 401),
        ("", path, (("cookie", f"access_token={operator}"),), 401),
        ("", f"{path}?access_token={operator}", (), 401),
        (zoe, f"{path}?access_token={operator}", (), 404),
        (zoe, path, (("x-http-method-override", "DELETE"),), 404),
        (zoe, path, (("x-purpose", "ETREAT"), ("x-forwarded-user", "system")), 404),
    ]
    for token, place, headers, status in tricks:
        answer = call(told, token, "GET", place, headers=headers)
        assert answer[0] in (status, 400), (place, headers)
        assert "birthDate" not in answer[2]


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Observation",' + b'"x":[' * 100_000,
        b'{"resourceType":"Observation","status":"final","status":"final"}',
        b'{"resourceType":"Observation","valueQuantity":{"value":1e999999999}}',
        b"\xff\xfe{}",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    ],
    ids=["deep", "twice", "huge number", "no text", "XML with an entity"],
)
def test_no_hostile_body_is_stored_or_breaks_anything(told: Service, body: bytes) -> None:
    helene = told.token(told.caller(Kind.PROFESSIONAL, f"Practitioner/{stories.HELENE}"))
    status, _, text = call(told, helene, "POST", "/Observation", body)
    assert 400 <= status < 500
    assert "root:" not in text
