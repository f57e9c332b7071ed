"""Labels are added and removed over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from hygie.kernel.api.tests.client import Client
from hygie.kernel.security.caller import Kind
from hygie.testing.service import Service

BASIC = {"resourceType": "Basic", "code": {"text": "x"}}


def meta(*codes: str, **more: Any) -> dict[str, Any]:
    value = {"security": [{"code": code} for code in codes], **more}
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": value}]}


def returned(reply: Any) -> list[str]:
    (parameter,) = reply.json["parameter"]
    assert parameter["name"] == "return"
    return [one["code"] for one in parameter["valueMeta"].get("security", [])]


def test_a_label_is_added_then_removed(call: Client) -> None:
    rid = call("POST", "Basic", BASIC).json["id"]
    added = call("POST", f"Basic/{rid}/$meta-add", meta("MASQUE_PS", "V"))
    assert (added.status, added.headers["etag"]) == (200, 'W/"2"')
    assert sorted(returned(added)) == ["MASQUE_PS", "V"]
    removed = call("POST", f"Basic/{rid}/$meta-delete", meta("V"))
    assert returned(removed) == ["MASQUE_PS"]
    assert call("GET", f"Basic/{rid}").json["meta"]["security"] == [
        {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "MASQUE_PS"}
    ]


def test_another_version_refuses_it(call: Client) -> None:
    rid = call("POST", "Basic", BASIC).json["id"]
    stale = call("POST", f"Basic/{rid}/$meta-add", meta("V"), {"If-Match": 'W/"9"'})
    assert (stale.status, stale.issue["code"]) == (412, "conflict")


def test_what_the_caller_does_not_see_is_not_known(service: Service, call: Client) -> None:
    rid = call("POST", "Basic", BASIC).json["id"]
    patient = service.token(service.caller(Kind.PATIENT, "Patient/relabels"))
    stranger = Client(service, patient)
    replies = [stranger("POST", f"Basic/{one}/$meta-add", meta("V")) for one in (rid, "none")]
    assert {reply.status for reply in replies} == {404}
    assert replies[0].json["issue"][0]["code"] == replies[1].json["issue"][0]["code"]


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({"resourceType": "Parameters"}, "invalid"),
        (meta("UNKNOWN"), "not-supported"),
        (meta("V", tag=[{"code": "t"}]), "not-supported"),
        ({**meta(), "parameter": [{"name": "meta", "valueMeta": {"source": "urn:x"}}]}, "invalid"),
    ],
)
def test_anything_else_is_refused_with_the_reason(
    call: Client, body: dict[str, Any], issue: str
) -> None:
    rid = call("POST", "Basic", BASIC).json["id"]
    assert call("POST", f"Basic/{rid}/$meta-add", body).issue["code"] == issue


def test_the_statement_tells_both_operations(call: Client) -> None:
    types = {one["type"]: one for one in call("GET", "metadata").json["rest"][0]["resource"]}
    names = [one["name"] for one in types["Observation"]["operation"]]
    assert names == ["meta-add", "meta-delete"]
    assert "operation" not in types["AuditEvent"]
    assert call("POST", "AuditEvent/1/$meta-add", meta("V")).issue["code"] == "not-supported"
