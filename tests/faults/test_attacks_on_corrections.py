"""Attacks over HTTP on corrections, and races of labels: what is withdrawn or waits stays so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hygie.kernel.api.tests.client import Client, Reply
from tests.faults.test_rules_over_http import (
    ANNOUNCE,
    PATIENT,
    House,
    house,
    label,
    registering,
)

__all__ = ["house", "registering"]

Json = dict[str, Any]
WRONG = "wrong-word"
ROUNDS = 5


def to(reference: str) -> Json:
    return {"reference": reference}


def correct(client: Client, reference: str, body: Json, *, version: int) -> Reply:
    """Replace a resource and say that a version of it was wrong."""
    provenance = {
        "resourceType": "Provenance", "recorded": "2026-11-22T09:00:00+01:00",
        "target": [to(reference), to(f"Patient/{PATIENT}")],
        "agent": [{"who": to("Practitioner/rules-doctor")}],
        "entity": [{"role": "removal", "what": to(f"{reference}/_history/{version}")}],
    }  # fmt: skip
    entry = [
        {"resource": body, "request": {"method": "PUT", "url": reference}},
        {"resource": provenance, "request": {"method": "POST", "url": "Provenance"}},
    ]
    return client("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entry})


def statuses(client: Client, reference: str, *versions: int) -> list[int]:
    return [client("GET", f"{reference}/_history/{one}").status for one in versions]


def test_no_way_of_reading_tells_a_colleague_what_was_wrong(house: House) -> None:
    reference, author = house.result(), house.professional("rules-author")
    doctor, nurse = house.professional("rules-doctor"), house.professional("rules-nurse")
    body = {**author("GET", reference).json, "code": {"text": WRONG}}
    assert author("PUT", reference, body).status == 200
    assert correct(doctor, reference, {**body, "code": {"text": "right"}}, version=2).status == 200
    me = house.person(PATIENT)
    assert statuses(author, reference, 1, 2, 3) == statuses(me, reference, 1, 2, 3) == [200] * 3
    ways = (
        f"{reference}/_history",
        "Observation/_history?_count=500",
        "_history?_count=500",
        f"Observation?patient={PATIENT}&_count=500",
        f"Provenance?target={reference}&_include=Provenance:target&_include=Provenance:entity",
    )
    for client in (doctor, nurse):
        assert statuses(client, reference, 1, 2, 3) == [404, 404, 200]
        assert not [way for way in ways if WRONG in client("GET", way).body.decode()]
        assert client("GET", f"{reference}/_history").json["total"] == 1
        withdrawn, never = (client("GET", f"{reference}/_history/{one}") for one in (2, 9))
        assert (withdrawn.status, withdrawn.body) == (never.status, never.body)


def test_writing_again_under_a_deleted_id_opens_no_earlier_version(house: House) -> None:
    reference, nurse = house.result(), house.professional("rules-nurse")
    body = nurse("GET", reference).json
    assert nurse("DELETE", reference).status == 204
    mine = {**body, "performer": [to("Practitioner/rules-nurse")]}
    assert nurse("PUT", reference, mine).status == 201
    assert statuses(nurse, reference, 1, 2, 3) == [404, 410, 200]


def test_a_correction_that_races_with_a_change_leaves_nothing_wrong_to_read(house: House) -> None:
    doctor, nurse = house.professional("rules-doctor"), house.professional("rules-nurse")
    for _ in range(ROUNDS):
        reference = house.result()
        body = nurse("GET", reference).json
        with ThreadPoolExecutor(2) as pool:
            right = pool.submit(
                correct, doctor, reference, {**body, "code": {"text": "right"}}, version=1
            )
            other = pool.submit(nurse, "PUT", reference, {**body, "code": {"text": "other"}})
        if right.result().status == 200:
            assert statuses(nurse, reference, 1) == [404]
        assert other.result().status in (200, 409)


@pytest.mark.parametrize("drops", [False, True], ids=["attach", "drop"])
def test_a_label_that_races_with_a_reference_is_not_passed_by(house: House, drops: bool) -> None:
    author, nurse = house.professional("rules-author"), house.professional("rules-nurse")
    me = house.person(PATIENT)
    for _ in range(ROUNDS):
        result = house.result()
        named: Json = {"result": [to(result)]}
        bare: Json = {}
        report = author("POST", "DiagnosticReport", _report(**(named if drops else bare))).json
        place = f"DiagnosticReport/{report['id']}"
        changed = {**_report(**(bare if drops else named)), "id": report["id"]}
        with ThreadPoolExecutor(2) as pool:
            labelled = pool.submit(label, author, place, "add", ANNOUNCE)
            written = pool.submit(nurse, "PUT", place, changed)
        both = (labelled.result().status, written.result().status)
        seen = me("GET", result).status
        # Whichever came first holds: a nurse neither shows nor hides what the doctor labelled.
        assert both[0] == 200
        attached = drops != (both[1] == 200)
        assert seen == (404 if attached else 200), both


def _report(**more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"},
        "subject": to(f"Patient/{PATIENT}"), "performer": [to("Practitioner/rules-author")], **more,
    }  # fmt: skip


def test_a_correction_whose_provenance_names_no_patient_is_refused(house: House) -> None:
    reference, doctor = house.result(), house.professional("rules-doctor")
    provenance = {
        "resourceType": "Provenance", "recorded": "2026-11-22T09:00:00+01:00",
        "target": [to(reference)],
        "agent": [{"who": to("Practitioner/rules-doctor")}],
        "entity": [{"role": "removal", "what": to(f"{reference}/_history/1")}],
    }  # fmt: skip
    refused = doctor("POST", "Provenance", provenance)
    assert refused.status == 403
    assert "about no patient of yours" in refused.body.decode()
