"""The CapabilityStatement says what works: all of it is called once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from hygie.kernel.api.tests.client import Client
from hygie.kernel.fhir.search.registry import Component, Parameter, parameters

VALUES = {
    "string": "a",
    "token": "urn:s|a",
    "reference": "Patient/1",
    "date": "ge2020-01-01",
    "number": "1",
    "quantity": "1||mg",
    "uri": "urn:x",
}
AT_ONCE = 200
Json = dict[str, Any]


@pytest.fixture(scope="module")
def statement(call: Client) -> dict[str, Json]:
    """Return what is said of each resource type."""
    return {one["type"]: one for one in call("GET", "metadata").json["rest"][0]["resource"]}


def value_of(one: Parameter | Component) -> str:
    if isinstance(one, Parameter) and one.kind == "composite":
        return "$".join(value_of(part) for part in one.components)
    if one.kind == "reference" and isinstance(one, Parameter) and one.targets:
        return f"{one.targets[0]}/1"
    return VALUES[one.kind]


def refusals(call: Client, urls: list[str]) -> list[tuple[str, str]]:
    """Return the addresses that do not answer 200, with the reason; asked in batches."""
    found = []
    for start in range(0, len(urls), AT_ONCE):
        asked = urls[start : start + AT_ONCE]
        entries = [{"request": {"method": "GET", "url": url}} for url in asked]
        answer = call("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        assert answer.status == 200, answer.body[:300]
        responses = [entry["response"] for entry in answer.json["entry"]]
        found += [
            (url, str(response.get("outcome")))
            for url, response in zip(asked, responses, strict=True)
            if response["status"] != "200"
        ]
    return found


def test_every_search_parameter_answers(call: Client, statement: dict[str, Json]) -> None:
    urls = [
        f"{rt}?{one['name']}={quote(value_of(parameters(rt)[one['name']]), safe='')}"
        for rt, said in statement.items()
        if rt != "AuditEvent"
        for one in said["searchParam"]
    ]
    assert len(urls) > 1000
    assert refusals(call, urls) == []


def test_every_include_answers(call: Client, statement: dict[str, Json]) -> None:
    urls = [
        f"{rt}?_count=1&{name}={value}"
        for rt, said in statement.items()
        for name, values in (
            ("_include", said.get("searchInclude", [])),
            ("_revinclude", said.get("searchRevInclude", [])[:5]),
        )
        for value in values
    ]
    assert refusals(call, urls) == []


def test_the_parameters_of_the_access_log_answer(call: Client, statement: dict[str, Json]) -> None:
    values = {"patient": "Patient/1", "agent": "Patient/1", "entity": "Patient/1",
              "date": "ge2020", "action": "R", "outcome": "0", "altid": "app"}  # fmt: skip
    for one in statement["AuditEvent"]["searchParam"]:
        reply = call("GET", f"AuditEvent?{one['name']}={values[one['name']]}")
        assert reply.status == 200, reply.body


ADDRESSES = {
    "read": ("GET", "{rt}/absent"),
    "vread": ("GET", "{rt}/absent/_history/1"),
    "history-instance": ("GET", "{rt}/absent/_history"),
    "history-type": ("GET", "{rt}/_history?_count=1"),
    "search-type": ("GET", "{rt}?_count=0"),
    "create": ("POST", "{rt}"),
    "update": ("PUT", "{rt}/absent"),
    "delete": ("DELETE", "{rt}/absent"),
}


@pytest.mark.parametrize("rt", ["Patient", "Binary", "Bundle", "Parameters", "AuditEvent", "Basic"])
def test_every_interaction_is_there_and_no_other(
    call: Client, statement: dict[str, Json], rt: str
) -> None:
    said = {one["code"] for one in statement[rt]["interaction"]}
    for code, (method, path) in ADDRESSES.items():
        body = b"{}" if method in ("POST", "PUT") else None
        status = call(method, path.format(rt=rt), body).status
        assert status < 500
        assert (status not in (404, 405) or (status == 404 and "absent" in path)) == (
            code in said
        ), (code, status)


def test_the_mode_of_the_statement_is_one_of_the_standard(call: Client) -> None:
    whole = call("GET", "metadata")
    assert call("GET", "metadata?mode=full").body == whole.body
    assert call("GET", "metadata?mode=normative").status == 200
    assert call("GET", "metadata?mode=terminology").issue["code"] == "not-supported"
    assert call("GET", "metadata?mode=all").status == 400
    refused = call("POST", "metadata", {})
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
