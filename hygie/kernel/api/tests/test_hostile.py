"""Hostile requests: each is refused in a sentence, at once, and the service lives on."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import psutil
import pytest

from hygie.kernel.api.tests.client import Client, Reply

JSON = b"Content-Type: application/fhir+json\r\n"
OBSERVATION = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
QUANTITY = OBSERVATION + b'"valueQuantity":{"value":%s}}'
NAME = b'{"resourceType":"Patient","name":[{"text":"%s"}]}'
MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def alive(call: Client) -> Iterator[None]:
    """Check after each attack that the process is the same, answers, and kept its memory."""
    before = psutil.Process().memory_info().rss
    yield
    assert call("GET", "Patient/nobody").status == 404
    assert psutil.Process().memory_info().rss - before < 500 * MEBIBYTE


def refused(reply: Reply, *statuses: int) -> None:
    assert reply.status in (statuses or (400,)), reply.body[:300]
    assert reply.json["resourceType"] == "OperationOutcome"
    assert reply.issue["diagnostics"]


BODIES = {
    "depth": b'{"resourceType":"Patient","contact":' + b"[" * 100_000,
    "depth of objects": b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 100_000,
    "digits": QUANTITY % (b"1" * 5_000),
    "decimals": QUANTITY % (b"1." + b"1" * 5_000),
    "exponent": QUANTITY % b"1e999999999",
    "small exponent": QUANTITY % b"1e-999999999",
    "not a number": QUANTITY % b"NaN",
    "infinity": QUANTITY % b"-Infinity",
    "whole digits": OBSERVATION + b'"valueInteger":' + b"1" * 5_000 + b"}",
    "twice": b'{"resourceType":"Patient","active":true,"active":true}',
    "twice escaped": b'{"resourceType":"Patient","active":true,"\\u0061ctive":true}',
    "nul": NAME % b"a\0b",
    "nul escaped": NAME % b"a\\u0000b",
    "lone surrogate": NAME % b"a\\ud800b",
    "lone surrogate raw": NAME % b"a\xed\xa0\x80b",
    "not utf-8": NAME % b"\xff",
    "mark": b'\xef\xbb\xbf{"resourceType":"Patient"}',
    "utf-16": '{"resourceType":"Patient"}'.encode("utf-16"),
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "no type": b'{"resourceType":1}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_at_once(call: Client, name: str) -> None:
    kind = "Observation" if BODIES[name].startswith(OBSERVATION) else "Patient"
    started = time.monotonic()
    refused(call("POST", kind, BODIES[name]))
    assert time.monotonic() - started < 1


def test_a_body_over_the_limit_is_refused_before_it_is_read(call: Client) -> None:
    head = b"POST /fhir/Patient HTTP/1.1\r\n" + JSON
    announced = call.raw(head + b"Content-Length: %d" % (65 * MEBIBYTE), b" " * 1000)
    refused(announced, 413)
    chunk = b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
    chunked = call.raw(head + b"Transfer-Encoding: chunked", chunk * 65 + b"0\r\n\r\n")
    refused(chunked, 413)


def test_a_body_without_token_is_not_read(service: Any) -> None:
    anonymous = Client(service, None)
    refused(anonymous.raw(b"POST /fhir/Patient HTTP/1.1\r\nContent-Length: 1000", b""), 401)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 1000", b'{"resour'),
        (b"Transfer-Encoding: chunked", b"zz\r\n"),
        (b"Transfer-Encoding: chunked", b"5\r\n{}"),
    ],
)
def test_a_body_cut_short_is_refused(call: Client, head: bytes, body: bytes) -> None:
    reply = call.raw(b"POST /fhir/Patient HTTP/1.1\r\n" + JSON + head, body, cut=True)
    refused(reply, 400)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_of_100_000_entries_is_refused(call: Client, kind: str) -> None:
    entry = b'{"request":{"method":"GET","url":"Patient/1"}}'
    entries = b",".join([entry] * 100_000)
    body = b'{"resourceType":"Bundle","type":"%s","entry":[%s]}' % (kind.encode(), entries)
    refused(call("POST", "", body), 413)


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def posted(number: int, refers: int) -> dict[str, Any]:
    return {
        "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        "resource": {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "hasMember": [{"reference": f"urn:uuid:00000000-0000-4000-8000-{refers:012}"}],
        },
        "request": {"method": "POST", "url": "Observation"},
    }


def test_references_in_a_circle_are_stored_and_the_same_full_url_twice_is_not(
    call: Client,
) -> None:
    circle = call("POST", "", bundle(posted(1, 2), posted(2, 1)))
    assert circle.status == 200
    refused(call("POST", "", bundle(posted(1, 2), posted(1, 1))))


ADDRESSES = [
    "http://[", "//[", "Patient?name=%FF", "Patient?name=%00", "Patient/%00", "Patient/../x", "?",
    "Patient?" + "name=a&" * 3_000, "Patient/1/_history/" + "9" * 30, "Patients", "Patient/1/x",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("url", ADDRESSES, ids=lambda url: quote(url[:30]))
def test_a_hostile_address_in_a_bundle_is_refused(call: Client, kind: str, url: str) -> None:
    reply = call("POST", "", bundle({"request": {"method": "GET", "url": url}}, kind=kind))
    if reply.status == 200:
        assert reply.json["entry"][0]["response"]["status"] in ("400", "404")
    else:
        refused(reply, 400, 404)


@pytest.mark.parametrize("sent", ["application/xml", "text/html", "\xff", "a" * 4000, ";;;", ""])
def test_other_content_types_are_refused(call: Client, sent: str) -> None:
    refused(call("POST", "Patient", b"{}", {"Content-Type": sent}), 415)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (",,,", 200),
        ("*/*;q=0.1", 200),
        ("application/fhir+json;fhirVersion=4.0", 200),
        ("text/html, */*", 200),
        ("\xff/\xff", 406),
        ("application/xml", 406),
        ("a/b," * 2000, 406),
    ],
)
def test_any_accept_gets_json_or_a_refusal(call: Client, accept: str, status: int) -> None:
    assert call("GET", "Organization?_count=0", headers={"Accept": accept}).status == status


PATHS = [
    "Patient%00", "Patient/a%00b", "Patient/a%2Fb", "Patient/%2e%2e/x", "Patient/a%0d%0aX:y",
    "%FF", "Patient/" + "a" * 20_000, "Patient/%F0%9F%92%A9", "Patient/_history/_history",
    "Patient/$" + "x" * 5_000, "$x", "Patient/1/$x", "%24", "Patient/1/_history/-1",
    "Patient/1/_history/" + "9" * 400, "Patient?_id=%00", "Patient?name=%00",
    "Patient?name=%ED%A0%80", "Patient?name=%FF", "Patient?%00=1", "Patient?birthdate=%00",
    "Patient?identifier=a|%00", "Patient?name:exact=%00", "Patient?name:%00=a",
    "Patient?_sort=%00", "Patient?_profile=%00", "Patient?_cursor=%00", "Patient?_cursor=AAAA",
    "Patient?_count=-1", "Patient?_count=1e3", "Patient?_count=" + "9" * 5_000,
    "Patient?_count=%C2%B2", "Patient?_include=*", "Patient?_include=Patient:*",
    "Patient?_revinclude=*:*", "Patient?_include:iterate=Patient:link",
    "Patient?" + "_revinclude=Observation:subject&" * 100, "Patient?" + "name=a&" * 3_000,
    "Patient?" + "a=b&" * 500, "Patient?" + "_sort=birthdate&" * 100,
    "Patient?name=" + ",".join(["a"] * 1_001), "Patient?_summary=%00", "Patient?_total=lots",
    "Patient?birthdate=9999999-01-01", "Patient?birthdate=2020-13-45",
    "Observation?value-quantity=" + "9" * 5_000, "Observation?value-quantity=1e999999999",
    "Observation?value-quantity=NaN", "Observation?subject=" + "x" * 5_000,
    "RiskAssessment?probability=Infinity", "Patient/_history?_before=%00",
    "Patient/_history?_before=" + "9" * 30 + "-1", "Patient/_history?_since=%00",
    "Patient/_history?_since=0000", "Patient/_history?_count=x", "AuditEvent?_after=%00",
    "AuditEvent?patient=%00", "AuditEvent/" + "9" * 64, "AuditEvent/x", "metadata?mode=%00",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: quote(path[:40]))
def test_a_hostile_address_is_refused_at_once(call: Client, path: str) -> None:
    started = time.monotonic()
    reply = call("GET", path)
    assert time.monotonic() - started < 1
    if reply.status == 200:
        assert reply.json.get("total") == 0 or "_count=9" in path
    else:
        refused(reply, 400, 404, 413)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*" * 50, "a" * 26 + "!", "%" * 500, "_\\" * 300])
@pytest.mark.parametrize("modifier", ["", ":contains", ":exact"])
def test_patterns_are_plain_text_in_a_search(call: Client, modifier: str, text: str) -> None:
    started = time.monotonic()
    assert call("GET", f"Patient?name{modifier}={quote(text)}").status == 200
    assert time.monotonic() - started < 1


def test_headers_cannot_be_injected(call: Client) -> None:
    for value in ("x\xa0y", "not-a-uuid", "{" * 3000, "%0d%0aSet-Cookie: a=b"):
        reply = call("GET", "Patient/nobody", headers={"X-Request-Id": value})
        assert value not in reply.headers["x-request-id"]
        prefer = {"Prefer": f"return={value}; handling={value}"}
        reply = call("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}, prefer)
        assert (reply.status, "set-cookie" in reply.headers) == (201, False)
        assert "preference-applied" not in reply.headers


@pytest.mark.parametrize("etag", ["", "*", "x", 'W/"x"', 'W/"1", W/"2"', 'W/"' + "9" * 18 + '"',
                                  'W/"' + "9" * 99 + '"', 'W/"-1"', "\xff", 'W/""'])  # fmt: skip
def test_a_condition_that_cannot_be_read_never_writes(call: Client, etag: str) -> None:
    body = {"resourceType": "Basic", "code": {"text": "x"}}
    rid = call("POST", "Basic", body).json["id"]
    refused(call("PUT", f"Basic/{rid}", {**body, "id": rid}, {"If-Match": etag}), 400, 412)
    refused(call("DELETE", f"Basic/{rid}", headers={"If-Match": etag}), 400, 412)
    assert call("GET", f"Basic/{rid}").json["meta"]["versionId"] == "1"


def test_a_forged_cursor_gets_a_refusal_or_a_page(call: Client) -> None:
    largest = 2**63 - 1
    forgeries: list[object] = [
        [[], largest, largest, -1],
        [[], -largest, 0, None],
        [["x"], 1, 1, 1],
        {},
        "x",
    ]
    for forged in forgeries:
        text = base64.urlsafe_b64encode(msgspec.msgpack.encode(forged)).decode().rstrip("=")
        for sort in ("", "&_sort=birthdate", "&_sort=-_id", "&_sort=name"):
            assert call("GET", f"Patient?_cursor={text}{sort}").status in (200, 400)


KINDS = [
    "text/html", "image/svg+xml", "application/javascript", "application/xhtml+xml", "text/xml",
    "text/html;charset=utf-7",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_in_a_binary_never_runs_in_our_name(call: Client, kind: str) -> None:
    content = b"<script>alert(1)</script>"
    data = base64.b64encode(content).decode()
    body = {"resourceType": "Binary", "contentType": kind, "data": data}
    rid = call("POST", "Binary", body).json["id"]
    for accept in ("text/html", "image/*", "text/*", "application/javascript", "*/*", "text/xml"):
        reply = call("GET", f"Binary/{rid}?_pretty=true", headers={"Accept": accept})
        assert reply.headers["x-content-type-options"] == "nosniff"
        if reply.body == content:
            assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"
            assert reply.headers["content-disposition"] == "attachment"
        else:
            assert reply.headers["content-type"].startswith("application/fhir+json")


@pytest.mark.parametrize(
    "kind", ["text/☃", "text/a\nSet-Cookie: x", "text", "text/\u00e9", "a/b/c"]
)
def test_a_content_type_that_no_header_can_hold_is_not_sent(call: Client, kind: str) -> None:
    body = {"resourceType": "Binary", "contentType": kind, "data": "YQ=="}
    created = call("POST", "Binary", body)
    if created.status == 201:
        for accept in ("text/*", "a/*"):
            reply = call("GET", f"Binary/{created.json['id']}", headers={"Accept": accept})
            refused(reply, 406)
    else:
        refused(created, 400, 422)


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "FOO", "get"])
def test_other_methods_are_refused_with_those_of_the_path(call: Client, method: str) -> None:
    reply = call.raw(f"{method} /fhir/Patient/x HTTP/1.1".encode())
    refused(reply, 405)
    assert reply.headers["allow"] == "DELETE, GET, HEAD, PUT"


def test_an_error_repeats_nothing_that_was_sent_as_a_value(call: Client) -> None:
    secret = "Zébulon-1980"
    for path in (f"Patient?birthdate={quote(secret)}", f"Patient?_count={quote(secret)}"):
        assert secret not in json.dumps(call("GET", path).json, ensure_ascii=False)
