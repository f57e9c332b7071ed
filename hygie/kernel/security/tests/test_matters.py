"""Matters: every document type has a stable number, every patient type a place."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.matters import (
    ADMINISTRATIVE,
    BILLING,
    BY_CODE,
    CODED_BY,
    MATTERS,
    PERSONAL,
    UNKNOWN,
    holds,
    mask,
    matter_of,
)

DEFINITIONS = files("hygie.kernel.security").joinpath("definitions")


def test_the_value_set_jdv_j07_is_there_with_its_114_types() -> None:
    current = [one for number, one in MATTERS.items() if number <= 114]
    assert len(current) == 114
    assert sum(one.system == "http://loinc.org" for one in current) == 78
    assert sum(one.system == "urn:oid:1.2.250.1.213.1.1.4.12" for one in current) == 35


@pytest.mark.parametrize(
    ("code", "number", "document_class"),
    [
        ("ATTEST-ASS-COMPL", 1, "95"),
        ("11369-6", 36, "52"),
        ("75496-0", 85, "10"),
        ("E1762", 114, "99"),
        ("10213-7", 130, "10"),
        ("IDENTITY", 150, "own"),
        ("EMERGENCY_DECLARATION", 153, "own"),
    ],
)
def test_a_number_is_never_given_to_another_code(
    code: str, number: int, document_class: str
) -> None:
    assert BY_CODE[code].number == number
    assert BY_CODE[code].document_class == document_class


@pytest.mark.parametrize(
    ("rt", "codes", "matter"),
    [
        ("DocumentReference", ["60591-5"], "60591-5"),
        ("DocumentReference", ["34133-0", "EXPPAT_3"], "EXPPAT_3"),
        ("DocumentReference", ["10213-7"], "10213-7"),
        ("Composition", ["SYNTH"], "SYNTH"),
        ("Observation", ["laboratory"], "11502-2"),
        ("Observation", ["vital-signs"], "29274-8"),
        ("Observation", [], "11488-4"),
        ("DiagnosticReport", ["GE"], "51969-4"),
        ("ServiceRequest", ["108252007"], "PRESC-BIO"),
        ("Task", ["break-glass"], "EMERGENCY_DECLARATION"),
        ("Task", ["centre-15"], "EMERGENCY_DECLARATION"),
        ("Task", ["fulfill"], "18776-5"),
        ("Consent", ["helper"], "CHOICES"),
        ("CareTeam", [], "CARE_TEAM"),
        ("Patient", [], "IDENTITY"),
        ("ExplanationOfBenefit", ["institutional"], "REMB"),
        ("Organization", [], "DIRECTORY"),
    ],
)
def test_a_resource_is_placed_by_its_codes_then_by_its_type(
    rt: str, codes: list[str], matter: str
) -> None:
    assert matter_of(rt, codes) == BY_CODE[matter].number


@pytest.mark.parametrize(
    ("rt", "codes"),
    [
        ("DocumentReference", []),
        ("DocumentReference", ["34133-0"]),
        ("DocumentReference", ["IDENTITY"]),
        ("Basic", []),
        ("Binary", ["60591-5"]),
    ],
)
def test_what_no_table_places_is_unknown(rt: str, codes: list[str]) -> None:
    assert matter_of(rt, codes) == UNKNOWN


def test_flags_are_sets_of_matters() -> None:
    assert holds(PERSONAL, BY_CODE["EXPPAT_3"].number)
    assert holds(PERSONAL, BY_CODE["DOCPAT05"].number)
    assert not holds(PERSONAL, BY_CODE["11502-2"].number)
    assert holds(BILLING, BY_CODE["REMB"].number)
    assert not holds(BILLING, BY_CODE["60591-5"].number)
    assert holds(ADMINISTRATIVE, BY_CODE["AGENDA"].number)
    assert not holds(ADMINISTRATIVE, BY_CODE["CHOICES"].number)


def test_nothing_clinical_is_administrative_or_billing() -> None:
    shared = {
        one.code
        for one in MATTERS.values()
        if (one.administrative or one.billing) and one.document_class not in {"95", "60", "own"}
    }
    assert not shared


def test_a_set_is_read_as_postgresql_reads_it() -> None:
    assert mask([0, 1, 8, 255]).hex() == "0301" + "00" * 29 + "80"


def test_the_tables_name_fhir_types_and_one_element_each() -> None:
    with DEFINITIONS.joinpath("type_matters.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(type_number(row["type"]) for row in rows)
    assert {row["element"] for row in rows} == {"", "type", "category", "code"}
    assert all(bool(row["element"]) == bool(row["code"]) for row in rows)
    assert CODED_BY["Task"] == "code"
    assert CODED_BY["DocumentReference"] == "type"
