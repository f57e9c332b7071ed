"""The details of http.html: conditions, links, headers, methods, formats, subsets."""

from __future__ import annotations

from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hygie.kernel.api.tests.client import Client, Reply

PATIENT = {
    "resourceType": "Patient",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">K</div>'},
    "name": [{"family": "Kerjean"}],
    "birthDate": "1950-01-01",
    "contact": [{"name": {"text": "Ann"}}],
}


def links(reply: Reply) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in reply.json["link"]}


@pytest.fixture(scope="module")
def known(call: Client) -> str:
    """Return the address of a resource in its second version."""
    created = call("POST", "Patient", PATIENT).json
    address = f"Patient/{created['id']}"
    assert call("PUT", address, created | {"active": True}).status == 200
    return address


@pytest.mark.parametrize(
    ("etag", "status"),
    [
        ('W/"2"', 304),
        ('"2"', 304),
        ('W/"1", W/"2"', 304),
        ("*", 304),
        ('W/"1"', 200),
        ("2", 200),
        ("garbage", 200),
        ('W/"22"', 200),
    ],
)
def test_if_none_match_compares_weakly(call: Client, known: str, etag: str, status: int) -> None:
    reply = call("GET", known, headers={"If-None-Match": etag})
    assert (reply.status, reply.headers["etag"]) == (status, 'W/"2"')
    assert bool(reply.body) == (status == 200)


def test_if_modified_since_counts_whole_seconds_and_yields_to_etags(
    call: Client, known: str
) -> None:
    modified = call("GET", known).headers["last-modified"]
    assert call("GET", known, headers={"If-Modified-Since": modified}).status == 304
    before = format_datetime(parsedate_to_datetime(modified).replace(year=2000), usegmt=True)
    for since in (before, "yesterday", "", "\xff"):
        assert call("GET", known, headers={"If-Modified-Since": since}).status == 200
    both = {"If-Modified-Since": modified, "If-None-Match": 'W/"1"'}
    assert call("GET", known, headers=both).status == 200


@pytest.mark.parametrize("etag", ['W/"2"', '"2"'])
def test_if_match_takes_the_version_in_both_forms(call: Client, etag: str) -> None:
    created = call("POST", "Patient", PATIENT).json
    rid = created["id"]
    assert call("PUT", f"Patient/{rid}", created | {"active": True}).status == 200
    stale = call("PUT", f"Patient/{rid}", created, {"If-Match": 'W/"1"'})
    assert (stale.status, stale.issue["code"]) == (412, "conflict")
    assert call("PUT", f"Patient/{rid}", created, {"If-Match": etag}).status == 200


@pytest.mark.parametrize("header", ["If-None-Match", "If-Unmodified-Since"])
def test_a_write_refuses_a_condition_nobody_would_check(
    call: Client, known: str, header: str
) -> None:
    for method, path in (("PUT", known), ("DELETE", known), ("POST", "Patient")):
        refused = call(method, path, PATIENT, {header: "*"})
        assert (refused.status, refused.issue["code"]) == (400, "not-supported")
    assert call("DELETE", "Patient?family=Kerjean", headers={"If-Match": '"1"'}).status == 400


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", "POST"),
        ("_history", "GET, HEAD"),
        ("metadata", "GET, HEAD"),
        ("Patient", "DELETE, GET, HEAD, POST, PUT"),
        ("Patient/_search", "POST"),
        ("Patient/_history", "GET, HEAD"),
        ("Patient/1", "DELETE, GET, HEAD, PUT"),
        ("Patient/1/_history", "GET, HEAD"),
        ("Patient/1/_history/1", "GET, HEAD"),
        ("Patient/$identify", "POST"),
        ("AuditEvent", "GET, HEAD"),
        ("AuditEvent/1", "GET, HEAD"),
        ("/oauth/introspect", "POST"),
        ("/.well-known/oauth-authorization-server", "GET, HEAD"),
    ],
)
def test_a_refused_method_learns_those_of_the_path(call: Client, path: str, methods: str) -> None:
    refused = call("PATCH", path, b"{}")
    assert (refused.status, refused.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("path", ["Patient/", "/fhir//Patient//", "metadata/", "_history/"])
def test_a_slash_at_the_end_changes_nothing(call: Client, path: str) -> None:
    assert call("GET", path).status == 200


@pytest.mark.parametrize("query", ["", "?_count=1", "/_history"])
def test_head_tells_the_headers_of_get(call: Client, known: str, query: str) -> None:
    path = known + query if query == "/_history" else f"Patient{query}" if query else known
    got, head = call("GET", path), call("HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("chosen", "status"),
    [
        ("json", 200),
        ("application/json", 200),
        ("application/fhir+json", 200),
        ("application/fhir%2Bjson", 200),
        ("text/json", 200),
        ("application/fhir%2Bjson;charset=utf-8", 200),
        ("xml", 406),
        ("application/fhir%2Bxml", 406),
        ("ttl", 406),
        ("", 406),
    ],
)
def test_format_overrides_accept(call: Client, known: str, chosen: str, status: int) -> None:
    for path in (known, "Patient", "metadata", f"{known}/_history", "AuditEvent"):
        reply = call("GET", f"{path}?_format={chosen}", headers={"Accept": "application/xml"})
        assert reply.status == status, path


def test_a_write_tells_where_the_version_is(call: Client) -> None:
    created = call("POST", "Patient", PATIENT)
    rid = created.json["id"]
    assert created.headers["location"].endswith(f"/fhir/Patient/{rid}/_history/1")
    assert created.headers["last-modified"].endswith("GMT")
    minimal = call("PUT", f"Patient/{rid}", created.json, {"Prefer": "return=minimal"})
    assert (minimal.status, minimal.body, minimal.headers["content-length"]) == (200, b"", "0")
    assert minimal.headers["preference-applied"] == "return=minimal"


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("true", {"name", "birthDate", "active"}),
        ("text", {"text", "active"}),  # a modifier element always stays
        ("data", {"name", "birthDate", "active", "contact"}),
        ("false", {"name", "birthDate", "active", "contact", "text"}),
    ],
)
def test_a_summary_is_the_same_on_a_read_and_in_a_search(
    call: Client, known: str, summary: str, kept: set[str]
) -> None:
    read = call("GET", f"{known}?_summary={summary}").json
    rid = known.partition("/")[2]
    found = call("GET", f"Patient?_id={rid}&_summary={summary}").json["entry"][0]["resource"]
    assert read == found
    assert set(read) - {"resourceType", "id", "meta"} == kept
    assert ("tag" in read["meta"]) == (summary != "false")


def test_elements_also_cut_what_is_included(call: Client, known: str) -> None:
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": known},
    }
    rid = call("POST", "Observation", body).json["id"]
    path = f"Observation?_id={rid}&_include=Observation:subject&_elements=status"
    match, included = call("GET", path).json["entry"]
    assert match["search"]["mode"] == "match"
    assert set(match["resource"]) == {"resourceType", "id", "meta", "status", "code"}
    assert included["search"]["mode"] == "include"
    assert set(included["resource"]) == {"resourceType", "id", "meta", "active"}


def test_totals_are_told_as_asked(call: Client, known: str) -> None:
    del known
    whole = call("GET", "Patient?_count=0").json["total"]
    for total in ("accurate", "estimate"):
        assert call("GET", f"Patient?_total={total}&_count=1").json["total"] == whole
    assert "total" not in call("GET", "Patient?_total=none&_count=1").json
    counted = call("GET", "Patient?_summary=count").json
    assert (counted["total"], "entry" in counted) == (whole, False)


def test_links_repeat_what_was_asked(call: Client, known: str) -> None:
    asked = "birthdate=ge1900&_sort=-birthdate&_count=1&name=k%C3%A9"
    page = call("GET", f"Patient?{asked}")
    assert parse_qs(urlsplit(links(page)["self"]).query) == parse_qs(asked)
    history = call("GET", f"{known}/_history?_count=1&_since=2020")
    assert links(history)["self"].endswith("?_count=1&_since=2020")
    following: Any = call("GET", links(history)["next"])
    assert following.json["entry"][0]["response"]["etag"] == 'W/"1"'
    assert "next" not in links(following)


def test_a_history_without_news_is_empty_and_that_of_nothing_is_not_found(
    call: Client, known: str
) -> None:
    empty = call("GET", f"{known}/_history?_since=2999").json
    assert (empty["total"], "entry" in empty) == (0, False)
    assert call("GET", "Patient/nobody/_history").status == 404


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_entry_refuses_a_condition_nobody_would_check(call: Client, kind: str) -> None:
    request = {"method": "PUT", "url": "Patient/x", "ifNoneMatch": "*"}
    entry = {"resource": {**PATIENT, "id": "x"}, "request": request}
    refused = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
    assert (refused.status, refused.issue["code"]) == (400, "not-supported")
    assert call("GET", "Patient/x").status == 404
