"""Every official search parameter is known, numbered for ever, and compiles."""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.resources import files

import pytest

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.compile import compile_type
from hygie.kernel.fhir.search.dates import PARIS
from hygie.kernel.fhir.search.elements import children, owners
from hygie.kernel.fhir.search.registry import parameter, parameters, rows

FIRST_NUMBERS = 1_711
"""Numbers given before the first database was filled."""


@pytest.mark.parametrize("rt", sorted(RESOURCE_TYPES))
def test_every_parameter_of_a_type_compiles(rt: str) -> None:
    assert callable(compile_type(parameters(rt).values(), PARIS))


def test_the_registry_holds_the_official_parameters() -> None:
    assert sum(row.url != "" for row in rows()) == 1_378
    pairs = {(base, row.code) for row in rows() if row.url for base in row.base}
    assert len(pairs) == 1_709


def test_each_type_has_all_its_parameters_and_those_of_all_types() -> None:
    for row in rows():
        for rt in RESOURCE_TYPES.intersection(row.base):
            assert row.code in parameters(rt)
    assert {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag", "_text"} <= set(
        parameters("Basic")
    )


def test_a_bundle_has_no_narrative_to_search() -> None:
    assert "_text" not in parameters("Bundle")


def test_numbers_and_bits_are_unique_and_fit_their_columns() -> None:
    for rt in RESOURCE_TYPES:
        known = parameters(rt).values()
        assert len({one.number for one in known}) == len({one.bit for one in known}) == len(known)
        assert all(0 <= one.bit < 63 and 0 < one.number < 2**15 for one in known)


def test_numbers_once_given_never_move() -> None:
    table = files("hygie.kernel.fhir.search").joinpath("definitions/numbers.csv")
    given = "\n".join(table.read_text("ascii").splitlines()[: FIRST_NUMBERS + 1])
    assert hashlib.sha256(given.encode()).hexdigest() == (
        "fc4988bd564d6a7b27a723899a96ee57f977f8326eabdbb00071294a051928cd"
    )


def test_parameters_of_all_types_share_one_number() -> None:
    assert {parameters(rt)["_tag"].number for rt in RESOURCE_TYPES} == {
        parameters("Patient")["_tag"].number
    }


def test_codes_know_their_implied_system() -> None:
    assert parameter("Patient", "gender").implicit_systems == (
        "http://hl7.org/fhir/administrative-gender",
    )
    assert parameter("Patient", "identifier").implicit_systems == ()


def test_parameters_with_one_expression_know_each_other() -> None:
    assert parameter("Patient", "phonetic").aliases == ("name",)


def test_composites_name_their_parts() -> None:
    parts = parameter("Observation", "code-value-quantity").components
    assert [(part.code, part.kind) for part in parts] == [
        ("code", "token"),
        ("value-quantity", "quantity"),
    ]


def test_what_the_store_answers_alone_is_special() -> None:
    assert {parameter("Patient", code).kind for code in ("_text", "_content", "_has", "_list")} == {
        "special"
    }


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Patient has no search parameter 'colour'"):
        parameter("Patient", "colour")


def test_every_element_of_the_table_is_an_attribute_of_the_generated_types() -> None:
    for owner in owners():
        words = owner.split(".")
        module = words[0].lower() if words[0] in RESOURCE_TYPES else "datatypes"
        name = "".join(word[0].upper() + word[1:] for word in words)
        struct = getattr(import_module(f"hygie.kernel.fhir.r4.{module}"), name)
        attributes = {move.name for move in children(owner)}
        assert attributes <= set(struct.__struct_fields__), owner


def test_only_what_the_store_answers_and_one_stranger_read_no_element() -> None:
    silent = {row.code for row in rows() if not row.expression and row.kind != "special"}
    assert silent == {"classification"}
