from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from hygie.kernel.errors import Issue, Malformed
from hygie.kernel.fhir import definitions, structs
from hygie.kernel.fhir.names import RESOURCE_TYPES, type_name, type_number
from hygie.kernel.fhir.outcome import outcome
from hygie.kernel.fhir.validate import parse

R4 = files("hygie.kernel.fhir.r4")


def test_generated_files_are_as_the_generator_left_them() -> None:
    for line in R4.joinpath("CHECKSUMS.txt").read_text().splitlines():
        digest, name = line.split("  ")
        found = hashlib.sha256(R4.joinpath(name).read_bytes()).hexdigest()
        assert found == digest, f"{name} was edited by hand; run scripts/build_fhir_r4.py"


def test_no_file_escapes_the_checksums() -> None:
    named = {line.split("  ")[1] for line in R4.joinpath("CHECKSUMS.txt").read_text().splitlines()}
    folder = Path(str(R4))
    found = {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in {".py", ".xz"}
    }
    assert found == named


def test_there_are_146_resource_types() -> None:
    assert len(RESOURCE_TYPES) == 146


def test_numbers_of_resource_types_never_change() -> None:
    known = {
        "Account": 1,
        "Bundle": 12,
        "Observation": 96,
        "Patient": 103,
        "VisionPrescription": 146,
    }
    assert {name: type_number(name) for name in known} == known
    assert all(type_name(type_number(name)) == name for name in RESOURCE_TYPES)


def test_an_unknown_type_has_no_number() -> None:
    with pytest.raises(Malformed):
        type_number("Foo")


@pytest.mark.parametrize("resource_type", sorted(RESOURCE_TYPES))
def test_every_resource_type_has_a_decoder(resource_type: str) -> None:
    assert structs.decoder(resource_type).type.__name__ == resource_type


def test_all_search_parameters_are_there() -> None:
    parameters = definitions.search_parameters()
    assert len(parameters) == 1378
    assert {parameter["resourceType"] for parameter in parameters} == {"SearchParameter"}


@pytest.mark.parametrize(
    "name", ["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"]
)
def test_every_compartment_is_there(name: str) -> None:
    assert definitions.compartment(name)["code"] == name


def test_structures_are_those_of_r4() -> None:
    paths = [e["path"] for e in definitions.structure("Meta")["snapshot"]["element"]]
    assert paths == ["Meta", *(f"Meta.{name}" for name in META)]


META = ["id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"]


def test_a_value_set_is_found_with_its_version() -> None:
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert definitions.value_set(f"{url}|4.0.1")["url"] == url


def test_a_code_system_of_v3_is_found() -> None:
    found = definitions.code_system("http://terminology.hl7.org/CodeSystem/v3-ActCode")
    assert found["content"] == "complete"


def test_narrative_and_mappings_are_left_out() -> None:
    text = msgspec.json.encode(definitions.structure("Observation"))
    assert b'"text":{"status"' not in text
    assert b'"mapping"' not in text


def test_a_summary_keeps_what_r4_marks() -> None:
    found = definitions.summary_elements("Patient")
    assert {"name", "birthDate", "_birthDate", "deceasedBoolean"} <= found
    assert not {"photo", "text", "contact"} & found


def test_partial_answers_keep_mandatory_and_modifier_elements() -> None:
    found = definitions.mandatory_elements("Observation")
    assert {"status", "code", "modifierExtension"} <= found
    assert "subject" not in found


def test_an_outcome_is_a_valid_resource() -> None:
    raw = outcome([Issue("required", "Give the status.", "Observation.status")])
    issue = parse(raw, expect="OperationOutcome").resource.issue[0]
    assert (issue.code, issue.expression) == ("required", ["Observation.status"])
