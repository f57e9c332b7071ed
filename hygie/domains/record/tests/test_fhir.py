"""From FHIR resources to the model."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hygie.domains.record.fhir import sections
from hygie.domains.record.fhir import timeline as lines
from hygie.domains.record.fhir.elements import human_name, ins, label
from hygie.domains.record.model.summary import State
from hygie.testing.factories import (
    allergy,
    condition,
    immunization,
    observation,
    patient,
    prescription,
)

PARIS = ZoneInfo("Europe/Paris")
ME = "Patient/me"
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
SNOMED = "http://snomed.info/sct"


def _status(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


@pytest.mark.parametrize(
    ("system", "code", "state"),
    [
        (IPS, "no-known-allergies", State.NONE_KNOWN),
        (IPS, "no-known-medication-allergies", State.PARTLY_NONE),
        (IPS, "no-allergy-info", State.UNKNOWN),
        (SNOMED, "716186003", State.NONE_KNOWN),
        (SNOMED, "409137002", State.PARTLY_NONE),
        (SNOMED, "91936005", State.PRESENT),
    ],
)
def test_a_stated_absence_of_allergy_is_told_from_an_allergy(
    system: str, code: str, state: State
) -> None:
    stated = allergy(ME, "words", code={"coding": [{"system": system, "code": code}]})
    assert sections.allergies([stated], complete=True).state is state


@pytest.mark.parametrize(
    ("clinical", "verification", "shown", "confirmed"),
    [
        ("active", "confirmed", True, True),
        ("recurrence", "confirmed", True, True),
        ("active", "provisional", True, False),
        ("resolved", "confirmed", False, True),
        ("active", "refuted", False, True),
        ("active", "entered-in-error", False, True),
    ],
)
def test_a_problem_is_shown_while_it_lasts_and_stands(
    clinical: str, verification: str, shown: bool, confirmed: bool
) -> None:
    one = condition(
        ME, "Asthme", clinicalStatus=_status(clinical), verificationStatus=_status(verification)
    )
    found = sections.problems([one], zone=PARIS, complete=True)
    assert [entry.confirmed for entry in found.entries] == ([confirmed] if shown else [])


def test_the_gravest_allergy_comes_first() -> None:
    severe = {"reaction": [{"manifestation": [{"text": "Choc"}], "severity": "severe"}]}
    found = sections.allergies(
        [allergy(ME, "Arachide"), allergy(ME, "Venin", **severe)], complete=True
    )
    assert [one.title for one in found.entries] == ["Venin", "Arachide"]


def test_the_same_medicine_prescribed_twice_is_one_treatment() -> None:
    old = prescription(ME, "Metformine", "matin", authoredOn="2020-01-01")
    new = prescription(ME, "Metformine", "soir", authoredOn="2026-01-01")
    found = sections.treatments([new, old], medications={}, zone=PARIS, past=False)
    assert [one.dosage for one in found.entries] == ["soir"]


def test_a_medicine_is_named_by_the_resource_it_refers_to() -> None:
    request = prescription(ME, "x", medicationReference={"reference": "Medication/m"})
    del request["medicationCodeableConcept"]
    medications = {"Medication/m": {"code": {"text": "Amoxicilline"}}}
    found = sections.treatments([request], medications=medications, zone=PARIS, past=False)
    assert found.entries[0].title == "Amoxicilline"


def test_a_vaccine_knows_its_antigens() -> None:
    one = immunization(ME, "Repevax", atc="J07CA02", day="2024-06-03")
    found = sections.vaccines([one], zone=PARIS, complete=True)
    assert found.entries[0].antigens == {"dt", "pertussis", "polio"}


def test_a_quantity_in_two_units_shows_the_one_in_use_now() -> None:
    old = observation(ME, "HbA1c", "4548-4", value=Decimal(52), unit="mmol/mol", day="2020-01-01")
    new = observation(ME, "HbA1c", "4548-4", value=Decimal("6.90"), unit="%", day="2024-01-01")
    (found,) = sections.measures_of([new, old], zone=PARIS)
    assert (found.unit, found.last.text, len(found.points)) == ("%", "6.90", 1)


def test_an_observation_entered_in_error_is_not_shown() -> None:
    wrong = observation(ME, "Poids", "29463-7", value=Decimal(7), unit="kg", day="2024-01-01")
    wrong["status"] = "entered-in-error"
    assert sections.measures_of([wrong], zone=PARIS) == ()
    assert lines.item(wrong, zone=PARIS) is None


def test_a_person_without_ins_has_none() -> None:
    assert sections.person(patient(id="x", ins="")).ins == ""


def test_the_waiting_number_is_no_ins() -> None:
    assert ins([{"system": "urn:oid:1.2.250.1.213.1.4.9", "value": "1"}]) == ""


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([{"family": "Le Goff", "given": ["Anne", "Marie"]}], "Anne LE GOFF"),
        (
            [
                {"use": "official", "family": "Petit", "given": ["Anne"]},
                {"use": "usual", "family": "Le Goff", "given": ["Anne"]},
            ],
            "Anne LE GOFF",
        ),
        ([{"text": "Madame X"}], "Madame X"),
        ([], ""),
    ],
)
def test_a_name_is_the_one_in_use(names: list[dict[str, Any]], expected: str) -> None:
    assert human_name(names) == expected


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ({"text": "a", "coding": [{"display": "b"}]}, "a"),
        ({"coding": [{"code": "c"}, {"display": "b"}]}, "b"),
        ({"coding": [{"code": "c"}]}, "c"),
        (None, ""),
    ],
)
def test_the_words_of_a_concept(concept: dict[str, Any] | None, expected: str) -> None:
    assert label(concept) == expected


def test_the_rows_of_a_result_tell_value_and_range() -> None:
    one = observation(ME, "LDL", "13457-7", value=Decimal("1.10"), unit="g/L", day="2024-01-01")
    one["referenceRange"] = [{"high": {"value": Decimal("1.60"), "unit": "g/L"}}]
    assert dict(lines.rows(one, zone=PARIS)) == {
        "title": "LDL",
        "date": "2024-01-01",
        "value": "1.10 g/L",
        "range": "1.60 g/L",
    }
