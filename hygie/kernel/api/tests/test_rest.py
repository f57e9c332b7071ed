"""FHIR REST over a real port, with a plain HTTP client."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from hygie.kernel.api.tests.client import Client
from hygie.kernel.security.caller import Kind, Right
from hygie.testing.service import Service

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Le Goff", "given": ["Anaïs"]}],
    "birthDate": "1980-02-29",
}


def test_a_created_resource_is_found_at_its_location(call: Client) -> None:
    created = call("POST", "Patient", PATIENT)
    assert created.status == 201
    assert created.headers["etag"] == 'W/"1"'
    version = call("GET", created.headers["location"])
    assert version.json == created.json
    read = call("GET", f"Patient/{created.json['id']}")
    assert (read.status, read.body) == (200, created.body)
    assert read.headers["content-type"] == "application/fhir+json; charset=utf-8"


def test_a_known_version_is_not_sent_again(call: Client) -> None:
    rid = call("POST", "Patient", PATIENT).json["id"]
    reply = call("GET", f"Patient/{rid}", headers={"If-None-Match": 'W/"1"'})
    assert (reply.status, reply.body) == (304, b"")


def test_update_delete_and_history(call: Client) -> None:
    created = call("POST", "Patient", PATIENT).json
    rid = created["id"]
    created["birthDate"] = "1981"
    updated = call("PUT", f"Patient/{rid}", created, {"If-Match": 'W/"1"'})
    assert (updated.status, updated.headers["etag"]) == (200, 'W/"2"')
    stale = call("PUT", f"Patient/{rid}", created, {"If-Match": 'W/"1"'})
    assert (stale.status, stale.issue["code"]) == (412, "conflict")
    assert call("DELETE", f"Patient/{rid}").status == 204
    gone = call("GET", f"Patient/{rid}")
    assert (gone.status, gone.issue["code"]) == (410, "deleted")
    history = call("GET", f"Patient/{rid}/_history").json
    methods = [entry["request"]["method"] for entry in history["entry"]]
    assert (history["total"], methods) == (3, ["DELETE", "PUT", "POST"])
    assert call("GET", f"Patient/{rid}/_history/1").json["birthDate"] == "1980-02-29"


def test_type_and_system_histories_page_to_the_end(call: Client) -> None:
    for _ in range(3):
        call("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}})
    seen = []
    url = "Basic/_history?_count=2"
    while url:
        page = call("GET", url).json
        seen += [entry["fullUrl"] for entry in page.get("entry", [])]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert len(seen) == len(set(seen)) == 3
    assert call("GET", "_history?_count=1").json["type"] == "history"


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("transaction", "AuditEvent?_count=1"),
        ("transaction", "Patient/1/_history/1"),
        ("transaction", "Patient?_revinclude=AuditEvent:patient"),
        ("batch", "AuditEvent?_count=1"),
    ],
)
def test_a_bundle_never_denies_what_it_cannot_read(call: Client, kind: str, url: str) -> None:
    entry = {"request": {"method": "GET", "url": url}}
    answer = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]}).json
    outcome = answer["entry"][0]["response"]["outcome"] if kind == "batch" else answer
    assert outcome["issue"][0]["code"] == "not-supported"


def test_digits_of_other_scripts_are_no_numbers(call: Client) -> None:
    rid = call("POST", "Patient", PATIENT).json["id"]
    assert call("GET", f"Patient/{rid}/_history/%C2%B2").status == 404
    assert call("GET", "Patient/_history?_count=%C2%B2").status == 400


def test_an_unknown_class_of_document_is_no_class(call: Client) -> None:
    coding = {"system": "urn:oid:1.2.250.1.213.1.1.4.1", "code": "99999"}
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "category": [{"coding": [coding]}],
        "content": [{"attachment": {"title": "x"}}],
    }
    assert call("POST", "DocumentReference", document).status == 201


def test_search_by_get_and_by_post_agree(call: Client) -> None:
    call("POST", "Patient", {**PATIENT, "name": [{"family": "Éluard"}]})
    by_get = call("GET", "Patient?family=eluard")
    form = urlencode({"family": "eluard"}).encode()
    by_post = call(
        "POST",
        "Patient/_search",
        form,
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert by_get.json["total"] == by_post.json["total"] == 1
    assert by_get.json["entry"] == by_post.json["entry"]


def test_an_unknown_parameter_is_refused_unless_lenient(call: Client) -> None:
    refused = call("GET", "Patient?colour=blue")
    assert (refused.status, refused.issue["code"]) == (400, "invalid")
    lenient = call("GET", "Patient?colour=blue&_count=0", headers={"Prefer": "handling=lenient"})
    assert lenient.status == 200
    assert "colour" not in lenient.json["link"][0]["url"]


def test_preferences_choose_what_a_write_answers(call: Client) -> None:
    minimal = call("POST", "Patient", PATIENT, {"Prefer": "return=minimal"})
    assert (minimal.status, minimal.body) == (201, b"")
    told = call("POST", "Patient", PATIENT, {"Prefer": "return=OperationOutcome"})
    assert told.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "structure"),
        (b'{"resourceType":"Patient","birthDate":"1980-02-30"}', 400, None),
        (b'{"resourceType":"Patient","active":true,"active":false}', 400, None),
        (b'{"resourceType":"Observation","code":{"text":"x"},"status":"done"}', 400, None),
        (b'{"resourceType":"Patient","gender":"man"}', 422, "code-invalid"),
    ],
)
def test_bad_bodies_get_an_outcome(
    call: Client, body: bytes, status: int, code: str | None
) -> None:
    reply = call("POST", "Patient", body)
    assert reply.status == status
    assert reply.json["resourceType"] == "OperationOutcome"
    if code:
        assert reply.issue["code"] == code


def test_wrong_paths_and_methods_are_refused(call: Client) -> None:
    assert call("GET", "Patients").status == 404
    assert call("GET", "Patient/x/y/z/w").status == 404
    assert call("PATCH", "Patient/x", {}).status == 405
    assert call("GET", "Patient/$everything").status == 400
    assert call("GET", "Patient/not_an_id").status == 400
    assert call("GET", "Patient", headers={"Accept": "application/fhir+xml"}).status == 406
    assert call("POST", "Patient", b"<a/>", {"Content-Type": "application/xml"}).status == 415


def test_no_token_no_answer(service: Service) -> None:
    anonymous = Client(service, None)
    refused = anonymous("GET", "Patient/x")
    assert (refused.status, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert anonymous("GET", "Patient").status == 401
    assert anonymous("POST", "", {"resourceType": "Bundle", "type": "batch"}).status == 401
    assert anonymous("GET", "metadata").status == 200


def test_a_transaction_resolves_its_references(call: Client) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:3fdc72f4-a11d-4a9d-9260-a9f745779e1d",
                "resource": PATIENT,
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"text": "poids"},
                    "subject": {"reference": "urn:uuid:3fdc72f4-a11d-4a9d-9260-a9f745779e1d"},
                },
                "request": {"method": "POST", "url": "Observation"},
            },
            {"request": {"method": "GET", "url": "Observation?code:missing=true"}},
        ],
    }
    answer = call("POST", "", bundle)
    assert answer.status == 200, answer.body
    patient, observation, found = answer.json["entry"]
    assert patient["response"]["status"] == "201"
    reference = observation["resource"]["subject"]["reference"]
    assert reference == f"Patient/{patient['resource']['id']}"
    assert found["resource"]["type"] == "searchset"


def test_a_refused_transaction_writes_nothing(call: Client) -> None:
    organization = {"resourceType": "Organization", "name": "Rien du tout"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": organization, "request": {"method": "POST", "url": "Organization"}},
            {"request": {"method": "DELETE", "url": "Organization/nobody"}},
        ],
    }
    refused = call("POST", "", bundle)
    assert refused.status == 404
    assert refused.issue["expression"] == ["Bundle.entry[1]"]
    assert call("GET", "Organization?name=Rien").json["total"] == 0


def test_a_batch_answers_entry_by_entry(call: Client) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
            {"request": {"method": "GET", "url": "Patient/nobody"}},
        ],
    }
    answer = call("POST", "", bundle).json
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201", "404"]
    assert answer["entry"][1]["response"]["outcome"]["issue"][0]["code"] == "not-found"


def test_summary_and_elements_keep_parts(call: Client) -> None:
    rid = call("POST", "Patient", {**PATIENT, "contact": [{"name": {"text": "x"}}]}).json["id"]
    summary = call("GET", f"Patient/{rid}?_summary=true").json
    assert "contact" not in summary
    assert summary["meta"]["tag"][0]["code"] == "SUBSETTED"
    elements = call("GET", f"Patient?_id={rid}&_elements=birthDate").json["entry"][0]["resource"]
    assert set(elements) == {"resourceType", "id", "meta", "birthDate"}


def test_pretty_keeps_the_digits(call: Client) -> None:
    raw = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.10}}'
    )
    rid = call("POST", "Observation", raw).json["id"]
    assert b'"value": 1.10' in call("GET", f"Observation/{rid}?_pretty=true").body


def test_the_capability_statement_is_a_valid_resource(call: Client) -> None:
    statement = call("GET", "metadata")
    types = {each["type"] for each in statement.json["rest"][0]["resource"]}
    assert {"Patient", "AuditEvent"} <= types
    stored = call("POST", "CapabilityStatement", statement.body)
    assert stored.status == 201, stored.body


def test_reads_are_found_in_the_access_log(call: Client, service: Service) -> None:
    rid = call("POST", "Patient", PATIENT).json["id"]
    me = Client(service, service.token(service.caller(Kind.PATIENT, f"Patient/{rid}")))
    assert me("GET", f"Patient/{rid}").status == 200
    events = me("GET", f"AuditEvent?patient=Patient/{rid}").json
    subtypes = [entry["resource"]["subtype"][0]["code"] for entry in events["entry"]]
    assert {"read", "create"} <= set(subtypes)
    assert me("POST", "AuditEvent", {}).status == 405


def test_the_words_of_a_posted_search_are_in_the_access_log(call: Client, service: Service) -> None:
    """A form hides its words from the address, not from the log."""
    rid = call("POST", "Patient", PATIENT).json["id"]
    form = urlencode({"family": "Le Goff", "_id": rid}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    found = call("POST", "Patient/_search?birthdate=1980-02-29", form, headers).json
    assert found["total"] == 1
    event = call("GET", f"AuditEvent?patient=Patient/{rid}&action=E&_count=1").json["entry"][0]
    (query,) = [one["query"] for one in event["resource"]["entity"] if "query" in one]
    assert b64decode(query) == b"birthdate=1980-02-29&" + form


def test_introspection_tells_active_tokens(call: Client, service: Service) -> None:
    form = urlencode({"token": service.token()}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call("POST", "/oauth/introspect", form, headers).json["active"] is True
    unknown = urlencode({"token": "x"}).encode()
    assert call("POST", "/oauth/introspect", unknown, headers).json == {"active": False}
    discovery = call("GET", "/.well-known/oauth-authorization-server").json
    assert discovery["introspection_endpoint"].endswith("/oauth/introspect")


def test_identify_answers_identity_only_to_those_who_may(call: Client, service: Service) -> None:
    ins = "255069934103894"
    identifier = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": ins}
    stranger = {**PATIENT, "identifier": [identifier], "address": [{"city": "Vannes"}]}
    rid = call("POST", "Patient", stranger).json["id"]
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "ins", "valueString": ins}],
    }
    doctor = service.caller(Kind.PROFESSIONAL, "Practitioner/identify-1")
    without = Client(service, service.token(doctor))
    refused = without("POST", "Patient/$identify", asked)
    assert (refused.status, refused.issue["code"]) == (403, "forbidden")
    assert without("GET", f"Patient/{rid}").status == 404
    allowed = replace(doctor, rights=frozenset({Right.IDENTIFY}))
    found = Client(service, service.token(allowed))("POST", "Patient/$identify", asked)
    assert found.json["total"] == 1
    patient = found.json["entry"][0]["resource"]
    assert set(patient) == {"resourceType", "id", "meta", "name", "birthDate", "gender"}
    wrong = {"resourceType": "Parameters", "parameter": [{"name": "colour", "valueString": "x"}]}
    assert without("POST", "Patient/$identify", wrong).status == 400
