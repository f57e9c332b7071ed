"""Official examples and Synthea records, compared with an independent validator."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirkit
import msgspec
import pytest

from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.validate import parse
from hygie.testing.shared import shared_path

NOT_R4 = {
    "bundle-questionnaire.json": "an item has no linkId",
    "devicemetric-example.json": "parent refers to a DeviceDefinition",
    "deviceusestatement-example.json": "reasonReference refers to a Procedure",
    "explanationofbenefit-example.json": "items have no productOrService",
    "medicationrequest0301.json": "dispenseRequest.performer refers to a Practitioner",
    "patient-name-extensions.json": "given and _given differ in length",
}
"""Examples of other FHIR versions or with a fault, and the fault."""


def examples() -> list[Path]:
    return sorted(shared_path("conformance/fhir-r4/examples").glob("*.json"))


def synthea() -> Iterator[bytes]:
    for path in sorted(shared_path("data/synthea_r4").glob("*.json.gz")):
        bundle = gzip.decompress(path.read_bytes())
        yield bundle
        entries = msgspec.json.decode(bundle, type=dict[str, msgspec.Raw])["entry"]
        for entry in msgspec.json.decode(entries, type=list[dict[str, msgspec.Raw]]):
            yield bytes(entry["resource"])


def accepted(raw: bytes) -> bool:
    try:
        parse(raw)
    except HygieError:
        return False
    return True


def test_every_valid_example_is_accepted() -> None:
    refused = [path.name for path in examples() if not accepted(path.read_bytes())]
    assert refused == sorted(NOT_R4)


def test_every_synthea_resource_is_accepted() -> None:
    refused = [raw[:200] for raw in synthea() if not accepted(raw)]
    assert refused == []


def test_what_we_accept_the_other_validator_accepts() -> None:
    raws = [*synthea(), *(path.read_bytes() for path in examples())]
    assert [raw[:80] for raw in raws if accepted(raw) and fhirkit.validate(raw)] == []


def test_damaged_resources_are_refused_by_us_when_the_other_validator_refuses() -> None:
    missed = [raw[:80] for raw in damaged() if accepted(raw) and fhirkit.validate(raw)]
    assert missed == []


def test_only_documented_faults_are_refused_by_us_alone() -> None:
    ours = {refusal(raw) for raw in damaged() if not accepted(raw) and not fhirkit.validate(raw)}
    assert ours <= OURS_ALONE


OURS_ALONE = {
    "An object is empty; remove it or fill it.",
    "An array is never empty in FHIR; remove it or fill it.",
    "The code is not in the required value set of this element; use one of its codes.",
    "The text does not have the form of its datatype; correct it.",
    "A code of a required value set is missing.",
    "A narrative is not XHTML.",
    "A reference names a wrong type.",
}
"""Faults that fhirkit-rs 0.1.0 lets through."""


def refusal(raw: bytes) -> str:
    with pytest.raises(HygieError) as caught:
        parse(raw)
    text = str(caught.value)
    for mark, sentence in SENTENCES.items():
        if mark in text:
            return sentence
    return text


SENTENCES = {
    "needs a code of its required value set": "A code of a required value set is missing.",
    "must be one <div": "A narrative is not XHTML.",
    "must refer to one of": "A reference names a wrong type.",
}


def damaged() -> Iterator[bytes]:
    """Return each resource of the corpus with one random fault; the seed is fixed."""
    chance = random.Random(20_260_101)  # noqa: S311 - reproducible faults, no secret
    raws = [raw for raw in synthea() if b'"Bundle"' not in raw[:60]]
    for raw in chance.sample(raws, 500) + [path.read_bytes() for path in examples()]:
        if accepted(raw):
            yield json.dumps(damage(json.loads(raw), chance)).encode()


def damage(resource: Any, chance: random.Random) -> Any:
    owner, key = chance.choice(list(places(resource)))
    kind = chance.randrange(len(FAULTS) + 2)
    if kind < len(FAULTS):
        owner[key] = FAULTS[kind]
    elif kind == len(FAULTS) or isinstance(owner, list):
        del owner[key]
    else:
        owner[f"{key}x"] = owner.pop(key)
    return resource


FAULTS: tuple[Any, ...] = (None, 1, "", [], {}, "zz  zz", [1], True, 1.5)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    else:
        keys = list(range(len(value))) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        yield from places(value[key])
