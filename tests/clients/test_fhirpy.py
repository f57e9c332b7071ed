"""A real client, fhirpy: create, read, search, page, update, delete, transaction."""

from __future__ import annotations

from typing import Any

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from hygie.testing.service import Service


@pytest.fixture(scope="module")
def client(service: Service) -> Any:
    return SyncFHIRClient(service.base, authorization=f"Bearer {service.token()}")


def test_a_resource_lives_its_life(client: Any) -> None:
    patient = client.resource("Patient", name=[{"family": "Kermarrec", "given": ["Yves"]}])
    patient.save()
    assert patient.id
    patient["birthDate"] = "1950-03-04"
    patient.save()
    read = client.reference("Patient", patient.id).to_resource()
    assert read["birthDate"] == "1950-03-04"
    assert read["meta"]["versionId"] == "2"
    patient.delete()
    with pytest.raises((ResourceNotFound, OperationOutcome)):
        client.reference("Patient", patient.id).to_resource()


def test_a_search_pages_to_the_end(client: Any) -> None:
    for number in range(7):
        client.resource("Organization", name=f"Fhirpy {number}").save()
    found = client.resources("Organization").search(name="fhirpy").sort("name").limit(3)
    names = [one["name"] for one in found]
    assert names == [f"Fhirpy {number}" for number in range(7)]
    assert client.resources("Organization").search(name="fhirpy").count() == 7


def test_first_and_include(client: Any) -> None:
    patient = client.resource("Patient", name=[{"family": "Includé"}])
    patient.save()
    client.resource(
        "Observation",
        status="final",
        code={"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        subject=patient.to_reference(),
        valueQuantity={"value": 71.5, "unit": "kg"},
    ).save()
    bundle = (
        client.resources("Observation")
        .search(patient=patient.id, code="http://loinc.org|29463-7")
        .include("Observation", "subject")
        .fetch_raw()
    )
    types = sorted(entry["resource"]["resourceType"] for entry in bundle["entry"])
    assert types == ["Observation", "Patient"]
    assert client.resources("Patient").search(family="include").first().id == patient.id


def test_a_transaction_writes_all(client: Any) -> None:
    bundle = client.resource(
        "Bundle",
        type="transaction",
        entry=[
            {
                "fullUrl": "urn:uuid:b2d7f1c0-0000-4000-8000-000000000001",
                "request": {"method": "POST", "url": "Patient"},
                "resource": {"resourceType": "Patient", "name": [{"family": "Transact"}]},
            },
            {
                "request": {"method": "POST", "url": "Condition"},
                "resource": {
                    "resourceType": "Condition",
                    "subject": {"reference": "urn:uuid:b2d7f1c0-0000-4000-8000-000000000001"},
                    "code": {"text": "Rhume"},
                },
            },
        ],
    )
    bundle.save()
    patient = client.resources("Patient").search(family="Transact").first()
    condition = client.resources("Condition").search(subject=f"Patient/{patient.id}").get()
    assert condition["code"]["text"] == "Rhume"


def test_a_refusal_is_understood(client: Any) -> None:
    with pytest.raises(OperationOutcome) as refused:
        client.resource("Patient", gender="homme").save()
    assert refused.value.resource["issue"][0]["expression"] == ["Patient.gender"]
