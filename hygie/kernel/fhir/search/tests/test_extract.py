"""Each kind of search reads each type of element as FHIR R4, search.html, says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hygie.kernel.errors import TooLarge
from hygie.kernel.fhir.search.dates import FIRST, LAST
from hygie.kernel.fhir.search.extract import extract, patients
from hygie.kernel.fhir.search.references import Ref
from hygie.kernel.fhir.search.registry import parameter
from hygie.kernel.fhir.search.tests.given import extracted, observation, of, resource

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_every_coding_of_a_concept_is_a_token() -> None:
    code = {"coding": [{"system": "s1", "code": "a"}, {"code": "b"}, {"system": "s3"}]}
    out = extracted("Condition", subject={"reference": "Patient/1"}, code=code)
    assert of(out.tokens, "code") == [("s1", "a"), (None, "b"), ("s3", None)]


def test_an_identifier_is_a_token_of_system_and_value() -> None:
    out = extracted("Patient", identifier=[{"system": "urn:oid:1", "value": "12"}, {"value": "3"}])
    assert of(out.tokens, "identifier") == [("urn:oid:1", "12"), (None, "3")]


def test_an_identifier_is_kept_with_each_of_its_types() -> None:
    kind = {"text": "INS", "coding": [{"system": "v2", "code": "NI"}, {"code": "X"}]}
    out = extracted("Patient", identifier=[{"type": kind, "system": "urn:oid:1", "value": "12"}])
    assert of(out.typed_identifiers, "identifier") == [("v2", "NI", "12"), (None, "X", "12")]


def test_a_code_or_boolean_is_a_token_without_system() -> None:
    out = extracted("Patient", gender="female", active=True)
    assert of(out.tokens, "gender") == [(None, "female")]
    assert of(out.tokens, "active") == [(None, "true")]


def test_contact_points_are_sorted_by_their_system() -> None:
    telecom = [{"system": "phone", "value": "0102"}, {"system": "email", "value": "a@b.fr"}]
    out = extracted("Patient", telecom=telecom)
    assert of(out.tokens, "phone") == [("phone", "0102")]
    assert of(out.tokens, "email") == [("email", "a@b.fr")]
    assert len(of(out.tokens, "telecom")) == 2


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020-01-01"}, "true"),
    ],
)
def test_deceased_always_has_an_answer(fields: dict[str, Any], answer: str) -> None:
    assert of(extracted("Patient", **fields).tokens, "deceased") == [(None, answer)]


@pytest.mark.parametrize(
    ("reference", "ref"),
    [
        ("Patient/1", Ref("Patient", "1")),
        ("Patient/1/_history/2", Ref("Patient", "1", "2")),
        ("http://a.org/fhir/Patient/1", Ref("Patient", "1", None, "http://a.org/fhir/Patient/1")),
        ("urn:uuid:0a", Ref(None, None, None, "urn:uuid:0a")),
    ],
)
def test_references_keep_how_they_are_written(reference: str, ref: Ref) -> None:
    out = extracted("Observation", **observation(subject={"reference": reference}))
    assert of(out.references, "subject") == [(ref,)]


def test_a_reference_to_a_contained_resource_is_present_without_target() -> None:
    out = extracted("Observation", **observation(subject={"reference": "#p"}))
    assert of(out.references, "subject") == []
    assert out.present & parameter("Observation", "subject").mask


def test_a_parameter_limited_to_patients_leaves_other_targets() -> None:
    out = extracted("Observation", **observation(subject={"reference": "Group/1"}))
    assert of(out.references, "subject") == [(Ref("Group", "1"),)]
    assert of(out.references, "patient") == []
    assert not out.present & parameter("Observation", "patient").mask


def test_a_logical_reference_is_kept_by_its_identifier() -> None:
    subject = {"type": "Patient", "identifier": {"system": "urn:oid:1", "value": "9"}}
    out = extracted("Observation", **observation(subject=subject))
    assert of(out.reference_identifiers, "patient") == [("urn:oid:1", "9")]


def test_a_canonical_keeps_its_version_apart() -> None:
    out = extracted(
        "QuestionnaireResponse", status="completed", questionnaire="http://a.org/Questionnaire/q|2"
    )
    assert of(out.references, "questionnaire") == [
        (Ref("Questionnaire", "q", "2", "http://a.org/Questionnaire/q"),)
    ]


def test_a_document_bundle_points_to_its_composition_only() -> None:
    entry = {
        "fullUrl": "urn:uuid:0b8a7a1e-5b0c-4b5e-8a39-1f3a4a0f0f0f",
        "resource": {
            "resourceType": "Composition",
            "id": "c",
            "status": "final",
            "type": {"text": "t"},
            "date": "2020",
            "author": [{"reference": "Practitioner/1"}],
            "title": "t",
        },
    }
    out = extracted("Bundle", type="collection", entry=[entry])
    assert of(out.references, "composition") == [(Ref("Composition", "c"),)]
    assert of(out.references, "message") == []


def test_each_part_of_a_name_is_a_string() -> None:
    name = {"text": "É. Roy", "family": "Roy", "given": ["Élise", "Anne"], "prefix": ["Mme"]}
    out = extracted("Patient", name=[name])
    assert of(out.strings, "name") == [("É. Roy",), ("Roy",), ("Élise",), ("Anne",), ("Mme",)]
    assert of(out.strings, "phonetic") == of(out.strings, "name")
    assert of(out.strings, "family") == [("Roy",)]


def test_each_part_of_an_address_is_a_string() -> None:
    out = extracted("Patient", address=[{"line": ["1 rue A"], "city": "Brest", "postalCode": "29"}])
    assert of(out.strings, "address") == [("1 rue A",), ("Brest",), ("29",)]
    assert of(out.strings, "address-city") == [("Brest",)]


@pytest.mark.parametrize(
    ("field", "value", "low", "high"),
    [
        ("effectiveDateTime", "2024-07-01", "2024-07-01T00:00+02:00", "2024-07-02T00:00+02:00"),
        ("effectiveDateTime", "2024", "2024-01-01T00:00+01:00", "2025-01-01T00:00+01:00"),
        (
            "effectiveInstant",
            "2024-07-01T10:00:00.5Z",
            "2024-07-01T10:00:00.500Z",
            "2024-07-01T10:00:00.600Z",
        ),
        (
            "effectivePeriod",
            {"start": "2024-07-01T10:00:00Z", "end": "2024-07-01T11:00:00Z"},
            "2024-07-01T10:00:00Z",
            "2024-07-01T11:00:01Z",
        ),
        (
            "effectiveTiming",
            {"event": ["2024-07-03", "2024-07-01"]},
            "2024-07-01T00:00+02:00",
            "2024-07-04T00:00+02:00",
        ),
    ],
)
def test_dates_are_half_open_intervals(field: str, value: Any, low: str, high: str) -> None:
    out = extracted("Observation", **observation(**{field: value}))
    assert of(out.dates, "date") == [(at(low), at(high))]


def test_an_open_period_reaches_the_end_of_time() -> None:
    out = extracted("Observation", **observation(effectivePeriod={"start": "2024-07-01T10:00:00Z"}))
    assert of(out.dates, "date") == [(at("2024-07-01T10:00:00Z"), LAST)]
    out = extracted("Observation", **observation(effectivePeriod={"end": "2024-07-01T10:00:00Z"}))
    assert of(out.dates, "date") == [(FIRST, at("2024-07-01T10:00:01Z"))]


def test_a_date_without_zone_is_in_the_zone_given() -> None:
    given = resource("Patient", birthDate="2000-01-01")
    assert of(extract(given, zone=UTC).dates, "birthdate")[0][0] == at("2000-01-01T00:00Z")


def test_a_quantity_keeps_its_digits_and_unit() -> None:
    value = {"value": 1.10, "comparator": "<", "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
    out = extracted("Observation", **observation(valueQuantity=value))
    assert of(out.quantities, "value-quantity") == [(Decimal("1.1"), "<", UCUM, "mg/dL", "mg/dL")]


def test_a_range_gives_both_ends() -> None:
    onset = {"low": {"value": 10, "code": "a"}, "high": {"value": 12, "code": "a"}}
    out = extracted("Condition", subject={"reference": "Patient/1"}, onsetRange=onset)
    assert [entry[0] for entry in of(out.quantities, "onset-age")] == [10, 12]


def test_money_is_a_quantity_of_its_currency() -> None:
    out = extracted("Invoice", status="issued", totalGross={"value": 30.5, "currency": "EUR"})
    assert of(out.quantities, "totalgross") == [
        (Decimal("30.5"), None, "urn:iso:std:iso:4217", "EUR", None)
    ]


def test_sampled_data_gives_its_bounds() -> None:
    data = {
        "origin": {"value": 100, "unit": "uV"},
        "period": 10,
        "factor": 2,
        "dimensions": 1,
        "lowerLimit": -50,
        "data": "3 E 20 L",
    }
    out = extracted("Observation", **observation(valueSampledData=data))
    assert [entry[0] for entry in of(out.quantities, "value-quantity")] == [0, 140]


def test_integers_and_decimals_are_numbers() -> None:
    out = extracted(
        "ChargeItem",
        status="billed",
        code={"text": "x"},
        subject={"reference": "Patient/1"},
        factorOverride=0.8,
    )
    assert of(out.numbers, "factor-override") == [(Decimal("0.8"),)]


def test_a_place_gives_its_position() -> None:
    out = extracted("Location", position={"longitude": 2.35, "latitude": 48.85})
    assert of(out.positions, "near") == [(Decimal("2.35"), Decimal("48.85"))]


def test_the_profile_is_a_uri_and_the_tag_a_token() -> None:
    meta = {"profile": ["http://a.org/p|1"], "tag": [{"system": "t", "code": "x"}]}
    out = extracted("Basic", code={"text": "x"}, meta=meta)
    assert of(out.uris, "_profile") == [("http://a.org/p|1",)]
    assert of(out.tokens, "_tag") == [("t", "x")]


def test_what_the_server_owns_is_not_extracted() -> None:
    out = extracted(
        "Basic", id="1", code={"text": "x"}, meta={"lastUpdated": "2024-01-01T00:00:00Z"}
    )
    assert of(out.tokens, "_id") == []
    assert out.dates == []


def test_a_composite_pairs_values_of_one_component() -> None:
    def component(code: str, value: int) -> dict[str, Any]:
        quantity = {"value": value, "system": UCUM, "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity}

    components = [component("8480-6", 120), component("8462-4", 80)]
    out = extracted("Observation", **observation(component=components))
    assert of(out.composites, "component-code-value-quantity") == [
        (((LOINC, "8480-6"), (Decimal(120), None, UCUM, "mm[Hg]", None)),),
        (((LOINC, "8462-4"), (Decimal(80), None, UCUM, "mm[Hg]", None)),),
    ]


def test_a_composite_without_all_its_parts_is_absent() -> None:
    out = extracted("Observation", **observation())
    assert not out.present & parameter("Observation", "code-value-quantity").mask
    assert out.composites == []


def test_a_composite_of_documents_pairs_relation_and_target() -> None:
    out = extracted(
        "DocumentReference",
        status="current",
        content=[{"attachment": {}}],
        relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/1"}}],
    )
    assert of(out.composites, "relationship") == [
        (((None, "replaces"), (Ref("DocumentReference", "1"),)),)
    ]


def test_a_part_of_a_composite_may_come_from_the_whole_resource() -> None:
    out = extracted(
        "MolecularSequence",
        coordinateSystem=0,
        referenceSeq={"chromosome": {"coding": [{"code": "1"}]}, "windowStart": 1, "windowEnd": 9},
        variant=[{"start": 3, "end": 4}],
    )
    assert of(out.composites, "chromosome-variant-coordinate") == [
        (((None, "1"), (Decimal(3),), (Decimal(4),)),)
    ]


def test_a_flood_of_pairs_is_refused() -> None:
    concept = {"coding": [{"code": str(n)} for n in range(101)]}
    flood = resource("Observation", status="final", code=concept, valueCodeableConcept=concept)
    with pytest.raises(TooLarge):
        extract(flood)


def test_presence_follows_the_elements() -> None:
    present = extracted("Patient", birthDate="2000").present
    assert present & parameter("Patient", "birthdate").mask
    assert not present & parameter("Patient", "name").mask


@pytest.mark.parametrize(
    ("rt", "fields", "expected"),
    [
        ("Patient", {"id": "1"}, ["1"]),
        (
            "Patient",
            {"id": "1", "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}]},
            ["1", "2"],
        ),
        ("Observation", observation(subject={"reference": "Patient/3"}), ["3"]),
        ("Observation", observation(subject={"reference": "Group/3"}), []),
        (
            "Observation",
            observation(
                subject={"reference": "Patient/3"},
                performer=[{"reference": "Patient/3"}, {"reference": "Patient/4"}],
            ),
            ["3", "4"],
        ),
        ("Organization", {"id": "o", "name": "H"}, []),
    ],
)
def test_a_resource_belongs_to_the_compartments_of_its_patients(
    rt: str, fields: dict[str, Any], expected: list[str]
) -> None:
    assert patients(resource(rt, **fields)) == [Ref("Patient", rid) for rid in expected]
