"""Random methods, paths, headers and bodies: whatever is asked, the service does not fail."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.api.tests.client import Client
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.registry import parameters

Pair = tuple[str, str]
FEW = ["Patient", "Observation", "Bundle", "Binary", "AuditEvent", "Flag", "Group", "Provenance"]
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
SEGMENTS = [
    "_history", "_search", "$identify", "$everything", "metadata", "1", "x.y-z", "", "..", "%00",
    "é", "a b", "\x7f", "9" * 70, "#", "?", "_", "$", ".well-known",
]  # fmt: skip
WORDS = [
    "", "1", "-1", "0", "a", "a,b", "|", "a|b", "a|b|c", "||", "$", "a$b", "\\", "\\,", "gt1",
    "ge2020", "2020-02-30", "9999-12-31T23:59:60Z", "0001-01-01", "ap1e300", "1e-300", "é", "💩",
    "%", "_", "*", "\x00", "\u2028", "Patient/1", "http://[", "urn:uuid:x", "#a", "true", "json",
    "Patient:link", "Observation:subject:Patient", "*:*", "-birthdate", "count", "accurate",
    "K\u0307",
]  # fmt: skip
INSTRUCTIONS = [
    "_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_cursor",
    "_format", "_pretty", "_since", "_before", "_after", "_at", "_list", "_type", "_text", "_has",
    "_filter", "_include:iterate", "_contained", "_id", "_lastUpdated", "_tag", "near", "",
]  # fmt: skip
HEADERS = [
    "Accept", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since", "If-None-Exist",
    "Prefer", "X-Request-Id", "X-Forwarded-For", "Range", "Expect", "Accept-Encoding", "Origin",
]  # fmt: skip
HEADER_VALUES = [
    "", "*", "*/*", "application/json", "text/html", 'W/"1"', "return=minimal", "handling=lenient",
    "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 99999 99:99:99", "bytes=0-1", "family=a", "?",
    "=", "identifier=a|b", "\xff", "name=%00", "_count=1", "q=;,=", '"',
    "application/x-www-form-urlencoded",
]  # fmt: skip

types = st.sampled_from(FEW) | st.sampled_from(sorted(RESOURCE_TYPES))
values = st.sampled_from(WORDS) | st.text(max_size=12).filter(str.isprintable)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    rt = draw(types)
    segments = [rt, *draw(st.lists(st.sampled_from(SEGMENTS), max_size=3))]
    segments = draw(st.sampled_from([segments, segments, [rt], segments[1:]]))
    names = st.sampled_from(INSTRUCTIONS) | st.sampled_from(sorted(parameters(rt)))
    suffixes = st.sampled_from(
        ["", "", "", ":exact", ":missing", ":not", ":of-type", ":Patient", "."]
    )
    pair = st.tuples(names, suffixes, values)
    pairs = draw(st.lists(pair, max_size=3))
    query = "&".join(f"{quote(n + s, safe=':')}={quote(v, safe='')}" for n, s, v in pairs)
    path = "/".join(quote(segment, safe="$%?#.") for segment in segments)
    return f"{path}?{query}" if query else path


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(values, inner, max_size=3),
    max_leaves=8,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]),
        "url": addresses(),
        "ifMatch": values,
        "ifNoneMatch": values,
        "ifNoneExist": values,
    },
)
entries = st.fixed_dictionaries(
    {"request": requests},
    optional={"resource": st.builds(lambda rt: {"resourceType": rt}, types), "fullUrl": values},
)
bundles = st.builds(
    lambda kind, entry: {"resourceType": "Bundle", "type": kind, "entry": entry},
    st.sampled_from(["batch", "transaction", "batch", "history"]),
    st.lists(entries, max_size=4),
)
resources = st.builds(
    lambda rt, more: {**more, "resourceType": rt},
    types,
    st.dictionaries(
        st.sampled_from(["id", "meta", "text", "name", "status", "code", "subject", "extension"]),
        anything,
        max_size=2,
    ),
)
bodies = st.one_of(
    bundles.map(lambda one: json.dumps(one).encode()),
    resources.map(lambda one: json.dumps(one).encode()),
    anything.map(lambda one: json.dumps(one).encode()),
    st.binary(max_size=30),
)
headers = st.dictionaries(
    st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES), max_size=2
).filter(lambda chosen: "Expect" not in chosen or not chosen["Expect"])
short = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@short
@given(st.sampled_from(METHODS), addresses(), headers, bodies)
def test_no_request_makes_the_service_fail(
    call: Client, method: str, path: str, chosen: dict[str, str], body: bytes
) -> None:
    reply = call(method, path, body if method in ("POST", "PUT", "PATCH") else None, chosen)
    assert reply.status < 500, (method, path, chosen, body, reply.body)
    if reply.status >= 400 and method != "HEAD":
        assert reply.json["resourceType"] == "OperationOutcome"


@short
@given(bundles)
def test_no_bundle_makes_the_service_fail(call: Client, bundle: dict[str, Any]) -> None:
    reply = call("POST", "", bundle)
    assert reply.status < 500, (bundle, reply.body)
    if reply.status == 200:
        statuses = [entry["response"]["status"] for entry in reply.json.get("entry", ())]
        assert all(int(status) < 500 for status in statuses), (bundle, statuses)
