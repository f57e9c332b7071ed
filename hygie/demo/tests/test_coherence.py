"""Clinical and administrative coherence, on several seeds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from statistics import mean
from typing import Any

import pytest
from stdnum.fr import nir

from hygie.demo import population
from hygie.demo.rows import Measure
from hygie.demo.tables import rows

TODAY = date(2026, 6, 30)
Resource = dict[str, Any]
EVENTS = {
    "Encounter",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "Immunization",
    "Procedure",
    "AllergyIntolerance",
    "DocumentReference",
}
DAY = re.compile(r"^\d{4}-\d{2}-\d{2}(T|$)")


class Chart:
    """One record with its patient and its resources by type and by reference."""

    def __init__(self, resources: list[Resource]) -> None:
        self.resources = resources
        self.by_reference = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        (self.patient,) = self.all("Patient")

    def all(self, name: str) -> list[Resource]:
        return [one for one in self.resources if one["resourceType"] == name]


@pytest.fixture(scope="module", params=[1, 2, 3])
def charts(request: pytest.FixtureRequest) -> list[Chart]:
    records = list(population(request.param, 36, today=TODAY))[1:]
    return [Chart([json.loads(raw) for raw in record]) for record in records]


def days(value: Any, name: str = "") -> Iterator[str]:
    """Yield the dates of a resource, but for the expected date of a birth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in {"valueDateTime", "data"}:
                yield from days(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from days(inner, name)
    elif isinstance(value, str) and DAY.match(value):
        yield value[:10]


def test_nothing_happens_before_birth_after_death_or_from_today_on(charts: list[Chart]) -> None:
    for chart in charts:
        birth = chart.patient["birthDate"]
        end = chart.patient.get("deceasedDateTime", TODAY.isoformat())[:10]
        for one in chart.resources:
            if one["resourceType"] in EVENTS:
                for day in days(one):
                    assert birth <= day < end, (one["resourceType"], day, birth, end)


def test_every_condition_was_recorded_at_a_visit(charts: list[Chart]) -> None:
    for chart in charts:
        for condition in chart.all("Condition"):
            visit = chart.by_reference[condition["encounter"]["reference"]]
            assert condition["onsetDateTime"] <= visit["period"]["start"][:10]
            reasons = [reason["reference"] for reason in visit["reasonReference"]]
            assert f"Condition/{condition['id']}" in reasons


def test_a_treatment_is_ordered_after_its_diagnosis(charts: list[Chart]) -> None:
    for chart in charts:
        for order in chart.all("MedicationRequest"):
            (reason,) = order["reasonReference"]
            condition = chart.by_reference[reason["reference"]]
            assert condition["onsetDateTime"] <= order["authoredOn"][:10]


def test_the_dead_have_no_active_treatment(charts: list[Chart]) -> None:
    for chart in charts:
        if "deceasedDateTime" in chart.patient:
            assert all(order["status"] != "active" for order in chart.all("MedicationRequest"))


def test_a_class_of_medicines_is_current_once(charts: list[Chart]) -> None:
    for chart in charts:
        current = [
            order["medicationCodeableConcept"]["coding"][1]["code"]
            for order in chart.all("MedicationRequest")
            if order["status"] == "active" and "180" in json.dumps(order["dispenseRequest"])
        ]
        classes = [code[:3] if code.startswith("C09") else code[:5] for code in current]
        assert len(classes) == len(set(classes)), classes


def test_no_medicine_is_ordered_against_a_known_allergy(charts: list[Chart]) -> None:
    for chart in charts:
        known = [
            allergy["code"]["coding"][0]["code"]
            for allergy in chart.all("AllergyIntolerance")
            if "coding" in allergy["code"]
        ]
        for order in chart.all("MedicationRequest"):
            atc = order["medicationCodeableConcept"]["coding"][1]["code"]
            assert not any(atc.startswith(code) for code in known)


def test_test_numbers_have_the_right_key_and_agree_with_the_traits(charts: list[Chart]) -> None:
    for chart in charts:
        (identifier,) = chart.patient["identifier"]
        number, birth = identifier["value"], chart.patient["birthDate"]
        assert nir.validate(number) == number
        assert number[0] == {"female": "2", "male": "1"}[chart.patient["gender"]]
        assert number[1:5] == birth[2:4] + birth[5:7]
        place = chart.patient["extension"][1]["valueAddress"]["extension"][0]["valueCoding"]
        assert number[5:10] == place["code"]
        assert identifier["system"] == "urn:oid:1.2.250.1.213.1.4.10"


def test_results_stay_in_what_a_body_shows_and_flags_tell_the_truth(charts: list[Chart]) -> None:
    bounds = {row.loinc: (row.floor, row.ceiling) for row in rows("measures.csv", Measure)}
    for chart in charts:
        for one in chart.all("Observation"):
            code = one["code"]["coding"][0]["code"]
            if code not in bounds or "valueQuantity" not in one:
                continue
            value = one["valueQuantity"]["value"]
            low, high = bounds[code]
            assert low - 0.5 <= value <= high + 0.5
            if "interpretation" in one:
                assert one["interpretation"][0]["coding"][0]["code"] == _flag(one)


def _flag(one: Resource) -> str:
    (bounds,) = one["referenceRange"]
    value = one["valueQuantity"]["value"]
    if "low" in bounds and value < bounds["low"]["value"]:
        return "L"
    return "H" if "high" in bounds and value > bounds["high"]["value"] else "N"


def test_glycated_haemoglobin_follows_diabetes(charts: list[Chart]) -> None:
    diabetic = [chart for chart in charts if _onset(chart, "E11.9")]
    values = [
        one["valueQuantity"]["value"]
        for chart in diabetic
        for one in chart.all("Observation")
        if one["code"]["coding"][0]["code"] == "4548-4"
    ]
    assert len(values) >= 12
    assert 6.2 < mean(values) < 9.5


def test_filtration_falls_with_kidney_disease(charts: list[Chart]) -> None:
    sick: list[float] = []
    well: list[float] = []
    for chart in charts:
        onset = _onset(chart, "N18.3")
        for one in chart.all("Observation"):
            if one["code"]["coding"][0]["code"] == "62238-1":
                found = sick if onset and onset < one["effectiveDateTime"][:10] else well
                found.append(one["valueQuantity"]["value"])
    assert mean(well) > 70
    assert not sick or mean(sick) < 60


def _onset(chart: Chart, code: str) -> str | None:
    found = [one for one in chart.all("Condition") if one["code"]["coding"][0]["code"] == code]
    return found[0]["onsetDateTime"] if found else None


def test_children_grow(charts: list[Chart]) -> None:
    for chart in charts:
        if chart.patient["birthDate"] < "2009-01-01":
            continue
        heights = sorted(
            (one["effectiveDateTime"], one["valueQuantity"]["value"])
            for one in chart.all("Observation")
            if one["code"]["coding"][0]["code"] == "8302-2"
        )
        sizes = [size for _, size in heights]
        assert sizes == sorted(sizes)


def test_documents_say_the_size_the_hash_and_the_class_of_their_content(
    charts: list[Chart],
) -> None:
    for chart in charts:
        assert chart.all("DocumentReference") or len(chart.resources) < 40
        for one in chart.all("DocumentReference"):
            attachment = one["content"][0]["attachment"]
            content = base64.b64decode(attachment["data"])
            assert content.startswith(b"%PDF-")
            assert attachment["size"] == len(content)
            digest = hashlib.sha1(content, usedforsecurity=False).digest()
            assert base64.b64decode(attachment["hash"]) == digest
            assert one["category"][0]["coding"][0]["system"].endswith("1.4.1")
            assert one["custodian"]["reference"].startswith("Organization/")


def test_family_members_share_an_address_and_a_child_has_its_parents(charts: list[Chart]) -> None:
    for chart in charts[9:]:
        for relative in chart.all("RelatedPerson"):
            assert relative["address"] == chart.patient["address"]
        if chart.patient["birthDate"] > "2009-01-01":
            codes = {
                code["coding"][0]["code"]
                for relative in chart.all("RelatedPerson")
                for code in relative["relationship"]
            }
            assert codes & {"MTH", "FTH"}


def test_the_secret_visit_of_the_teenager_is_hidden_from_his_parents(charts: list[Chart]) -> None:
    teenager = charts[6]
    labels = [
        coding["code"]
        for one in teenager.all("DocumentReference")
        for label in one["securityLabel"]
        for coding in label["coding"]
    ]
    assert labels.count("INVISIBLE_REPRESENTANTS_LEGAUX") == 1
    visits = [one for one in teenager.all("Encounter") if "security" in one["meta"]]
    assert [one["meta"]["security"][0]["code"] for one in visits] == [
        "INVISIBLE_REPRESENTANTS_LEGAUX"
    ]
