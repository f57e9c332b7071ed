"""What a caller may not see changes no answer: the same requests before and after it is stored.

The strongest property of access: no list of tricks is needed. Every answer (status, headers, body,
order, links, totals) is compared byte for byte; only clock values and fresh ids are masked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from hygie.kernel.api.tests.client import Client, Reply
from hygie.kernel.fhir.search.registry import Component, Parameter, parameters
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store.compose import is_searched
from hygie.testing.service import Service

Json = dict[str, Any]
SEED = 20261122
REQUESTS = 150
KINDS = ["patient", "professional", "administrator"]
TYPES = [
    "Patient", "Patient", *["Observation"] * 5, "Condition", "DocumentReference", "Encounter",
    "CareTeam", "Practitioner", "Organization", "Provenance", "Flag",
]  # fmt: skip
LIKELY = frozenset({"code", "status", "subject", "patient", "identifier", "date", "name", "family",
                    "value-quantity", "has-member", "performer", "birthdate", "_id"})  # fmt: skip
MINE, HERS, NEW = "Patient/d-mine", "Patient/d-hers", "Patient/d-new"
IDS = ["d-mine", "d-hers", "d-new", "d-mine-1", "d-mine-2", "d-hers-1", "d-new-1", "d-me", "d-t"]
VALUES = {
    "string": ["le", "Le Goff", "vannes", "a"],
    "token": ["urn:s|w", "w", "urn:s|", "|w", "final", "urn:i|common", "d-new-1", "d-mine", "true"],
    "reference": [MINE, HERS, NEW, "d-new", "Observation/d-mine-1", "Practitioner/d-me"],
    "date": ["2024", "ge2000-01-01", "lt2030", "2024-05-06"],
    "number": ["1", "gt0"],
    "quantity": ["70", "gt1||kg", "70|http://unitsofmeasure.org|kg"],
    "uri": ["urn:x", "http://example.org/profile"],
}


def patient(rid: str) -> Json:
    return {
        "resourceType": "Patient",
        "id": rid,
        "meta": {"profile": ["http://example.org/profile"]},
        "identifier": [{"system": "urn:i", "value": "common"}],
        "name": [{"family": "Le Goff", "given": ["Anaïs"]}],
        "birthDate": "1980-02-29",
        "address": [{"city": "Vannes"}],
        "generalPractitioner": [{"reference": "Organization/d-org"}],
    }


def observation(rid: str, subject: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "identifier": [{"system": "urn:i", "value": "common"}],
        "code": {"coding": [{"system": "urn:s", "code": "w"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2024-05-06",
        "performer": [{"reference": "Organization/d-org"}],
        "hasMember": [{"reference": "Observation/d-mine-1"}, {"reference": "Observation/d-new-1"}],
        "valueQuantity": {"value": 70, "unit": "kg", "code": "kg",
                          "system": "http://unitsofmeasure.org"},
    }  # fmt: skip


def others(rid: str, subject: str) -> list[Json]:
    about = {"subject": {"reference": subject}, "id": rid}
    code = {"code": {"coding": [{"system": "urn:s", "code": "w"}]}}
    team = {"participant": [{"member": {"reference": "Practitioner/d-stranger"}}]}
    return [
        {"resourceType": "Condition", **about, **code, "onsetDateTime": "2024"},
        {"resourceType": "Flag", **about, **code, "status": "active"},
        {"resourceType": "CareTeam", **about, "status": "active", **team},
        {"resourceType": "Encounter", **about, "status": "finished", "class": {"code": "AMB"}},
        {"resourceType": "DocumentReference", **about, "status": "current",
         "content": [{"attachment": {"title": "a", "data": "YWFh" * 20_000}}]},
    ]  # fmt: skip


def put(call: Client, *resources: Json) -> None:
    for one in resources:
        reply = call("PUT", f"{one['resourceType']}/{one['id']}", one)
        assert reply.status in (200, 201), reply.body


@pytest.fixture(scope="module")
def records(call: Client) -> Json:
    """Store what the callers may see, and a stranger's record; return the moment after."""
    team = {"status": "active", "subject": {"reference": MINE},
            "participant": [{"member": {"reference": "Practitioner/d-me"}}]}  # fmt: skip
    put(
        call,
        {"resourceType": "Organization", "id": "d-org", "name": "Le Centre"},
        {"resourceType": "Practitioner", "id": "d-me", "name": [{"family": "Le Meur"}]},
        patient("d-mine"),
        patient("d-hers"),
        {"resourceType": "CareTeam", "id": "d-t", **team},
        *(observation(f"d-mine-{n}", MINE) for n in range(1, 8)),
        observation("d-hers-1", HERS),
        *others("d-mine-1", MINE),
        *others("d-hers-1", HERS),
    )
    return {"before": datetime.now(UTC).isoformat()}


@pytest.fixture(scope="module")
def callers(service: Service, records: Json) -> dict[str, Client]:
    """Return a client of each kind of person."""
    del records
    known = {
        "patient": service.caller(Kind.PATIENT, MINE),
        "professional": service.caller(Kind.PROFESSIONAL, "Practitioner/d-me"),
        "administrator": Caller(Kind.ADMINISTRATOR, 0, "account/12"),
    }
    return {kind: Client(service, service.token(caller)) for kind, caller in known.items()}


def value_of(chance: random.Random, one: Parameter | Component) -> str:
    if isinstance(one, Parameter) and one.kind == "composite":
        return "$".join(value_of(chance, part) for part in one.components)
    return chance.choice(VALUES[one.kind])


def search(chance: random.Random, rt: str) -> str:
    known = [one for one in parameters(rt).values() if is_searched(one)]
    likely = [one for one in known if one.code in LIKELY]
    pairs = []
    for one in chance.sample(chance.choice([likely, likely, known]), chance.choice([0, 0, 1, 1])):
        modifier = chance.choice(["", "", "", ":missing"])
        value = "false" if modifier else value_of(chance, one)
        pairs.append((one.code + modifier, value))
    sortable = [one.code for one in known if one.kind in ("date", "string", "number")]
    referring = [one.code for one in known if one.kind == "reference"]
    options = [
        ("_count", chance.choice(["0", "1", "1", "2", "3"])),
        ("_total", chance.choice(["none", "accurate", "estimate"])),
        ("_summary", chance.choice(["true", "count", "text", "data"])),
        ("_elements", "status,name"),
        ("_sort", chance.choice(["", "-"]) + chance.choice([*sortable, "_id", "_lastUpdated"])),
        ("_include", f"{rt}:{chance.choice(referring or ['subject'])}"),
        ("_revinclude", chance.choice(["Observation:subject", "Observation:has-member",
                                       "Condition:subject", "CareTeam:patient"])),
    ]  # fmt: skip
    return f"{rt}?{urlencode(pairs + chance.sample(options, chance.choice([0, 1, 2, 3])))}"


def address(chance: random.Random, before: str) -> str:
    rt, rid = chance.choice(TYPES), chance.choice(IDS)
    shape = chance.choice(["search"] * 6 + ["read", "vread", "history", "types", "all", "log"])
    if shape == "search":
        return search(chance, rt)
    log = [("date", f"lt{before}"), ("_count", chance.choice(["2", "500"]))]
    if chance.random() < 0.5:
        log.append(("patient", chance.choice([MINE, HERS, NEW])))
    return {
        "read": f"{rt}/{rid}",
        "vread": f"{rt}/{rid}/_history/{chance.choice([1, 2])}",
        "history": f"{rt}/{rid}/_history?_count={chance.choice([1, 50])}",
        "types": f"{rt}/_history?_count={chance.choice([1, 3, 1000])}",
        "all": f"_history?_count={chance.choice([1, 3, 1000])}",
        "log": f"AuditEvent?{urlencode(log)}",
    }[shape]


FRESH = re.compile(rb'("resourceType":"Bundle","id":")[^"]+(","meta":\{"lastUpdated":")[^"]+')
MASKED = frozenset({"date", "x-request-id"})


def told(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in reply.headers.items() if name not in MASKED}
    return reply.status, headers, FRESH.sub(rb"\1\2", reply.body)


def asked(call: Client, before: str) -> Iterator[tuple[str, tuple[int, dict[str, str], bytes]]]:
    """Ask everything, following links, and as a batch; refused writes too."""
    chance = random.Random(SEED)  # noqa: S311 - test data
    urls = [address(chance, before) for _ in range(REQUESTS)]
    for url in urls:
        path = url
        for _ in range(3):
            reply = call("GET", path)
            yield path, told(reply)
            if reply.status != 200:
                break
            links = {link["relation"]: link["url"] for link in reply.json.get("link", ())}
            if "next" not in links:
                break
            path = links["next"]
    entries = [
        {"request": {"method": "GET", "url": url}} for url in urls if "AuditEvent" not in url
    ]
    for kind in ("batch", "transaction"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": entries[:40]}
        yield kind, told(call("POST", "", bundle))
    for rid in ("d-new-1", "d-hers-1", "d-absent"):
        place = f"Observation/{rid}"
        body = observation(rid, HERS)
        yield f"PUT {rid}", told(call("PUT", place, body))
        yield f"PUT {rid} 7", told(call("PUT", place, body, {"If-Match": 'W/"7"'}))
        yield f"DELETE {rid} 7", told(call("DELETE", place, headers={"If-Match": 'W/"7"'}))
        yield f"DELETE {rid}", told(call("DELETE", place))
        yield f"HEAD {rid}", told(call("HEAD", place))


def test_what_is_hidden_changes_no_answer(
    call: Client, callers: dict[str, Client], records: Json
) -> None:
    first = {kind: list(asked(callers[kind], records["before"])) for kind in KINDS}
    put(call, patient("d-new"), observation("d-new-1", NEW), *others("d-new-1", NEW))
    put(call, observation("d-hers-2", HERS), {**observation("d-hers-1", HERS), "status": "amended"})
    assert call("DELETE", "Flag/d-hers-1").status == 204
    assert call("GET", f"AuditEvent?patient={NEW}").json["entry"]
    for kind in KINDS:
        again = asked(callers[kind], records["before"])
        for (path, before), (path_after, after) in zip(first[kind], again, strict=True):
            assert (path, before) == (path_after, after), (kind, path)


def test_the_differential_requests_find_something(
    callers: dict[str, Client], records: Json
) -> None:
    """The comparison above would hold of a server that answers nothing."""
    answers = [answer for _, answer in asked(callers["professional"], records["before"])]
    assert sum(status == 200 for status, _, _ in answers) > REQUESTS // 2
    assert sum(b'"d-mine' in body for _, _, body in answers) > REQUESTS // 5


def test_a_conditional_create_does_not_find_what_is_hidden(
    call: Client, callers: dict[str, Client]
) -> None:
    hidden = {**observation("d-hers-9", HERS), "identifier": [{"system": "urn:i", "value": "only"}]}
    put(call, hidden)
    mine = {name: value for name, value in observation("x", MINE).items() if name != "id"}
    statuses = [
        callers["professional"]("POST", "Observation", mine, {"If-None-Exist": criteria}).status
        for criteria in ("identifier=urn:i|only", "identifier=urn:i|nobody")
    ]
    assert statuses == [201, 201]
    refused = [
        told(callers["patient"]("POST", "Observation", mine, {"If-None-Exist": criteria}))
        for criteria in ("identifier=urn:i|only", "identifier=urn:i|nobody")
    ]
    assert refused[0] == refused[1]
