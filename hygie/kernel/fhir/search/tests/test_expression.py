"""The expressions of search are read whole, or refused."""

from __future__ import annotations

import pytest

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.search.branches import branches_of
from hygie.kernel.fhir.search.elements import Attribute, resolve
from hygie.kernel.fhir.search.expression import (
    As,
    Condition,
    Field,
    Item,
    Path,
    ResolvesTo,
    Step,
    Where,
    parse_expression,
)


@pytest.mark.parametrize(
    ("expression", "steps"),
    [
        ("Patient.name.family", (Field("name"), Field("family"))),
        ("(Observation.value as Quantity)", (Field("value"), As("Quantity"))),
        ("(Goal.start as Age).unit", (Field("start"), As("Age"), Field("unit"))),
        ("Condition.onset.as(Age)", (Field("onset"), As("Age"))),
        ("Observation.value.ofType(string)", (Field("value"), As("string"))),
        ("Patient.telecom.where(system='phone')", (Field("telecom"), Where("system", "phone"))),
        ("Task.for.where(resolve() is Patient)", (Field("for"), ResolvesTo("Patient"))),
        ("Bundle.entry[0].resource", (Field("entry"), Item(0), Field("resource"))),
        (
            "Patient.extension('http://a.org/x').value as code",
            (Field("extension"), Where("url", "http://a.org/x"), Field("value"), As("code")),
        ),
        ("$this", ()),
        ("%resource.status", (Field("status"),)),
    ],
)  # fmt: skip
def test_a_path_becomes_steps(expression: str, steps: tuple[Step, ...]) -> None:
    (path,) = parse_expression(expression)
    assert isinstance(path, Path)
    assert path.steps == steps


def test_a_union_becomes_branches() -> None:
    assert [b.root for b in parse_expression("Patient.name | (Person.name as HumanName)")] == [
        "Patient",
        "Person",
    ]


def test_a_boolean_expression_becomes_a_condition() -> None:
    (branch,) = parse_expression("Patient.deceased.exists() and Patient.deceased != false")
    assert isinstance(branch, Condition)
    assert [test.differs_from for test in branch.tests] == [None, False]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "Patient.",
        "Patient.name.first()",
        "Patient.name = 'x'",
        "(Patient.name",
        "Patient.a + 1",
    ],
)
def test_more_of_fhirpath_is_refused(expression: str) -> None:
    with pytest.raises(NotSupported):
        parse_expression(expression)


def test_only_the_branches_of_the_type_are_kept() -> None:
    kept = branches_of("AllergyIntolerance.code | Observation.code | Resource.id", "Observation")
    assert [branch.root for branch in kept] == ["Observation", "Resource"]


def test_a_choice_resolves_to_one_attribute_for_each_type() -> None:
    ways = resolve(Path("Goal", (Field("start"),)), "Goal")
    assert [(way.moves, way.type) for way in ways] == [
        ((Attribute("startDate"),), "date"),
        ((Attribute("startCodeableConcept"),), "CodeableConcept"),
    ]


def test_an_element_that_r4_does_not_have_is_refused() -> None:
    with pytest.raises(NotSupported):
        resolve(Path("Patient", (Field("blood"),)), "Patient")
