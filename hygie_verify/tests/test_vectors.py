from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import hygie_verify
from hygie_verify.note import VerifierKey
from hygie_verify.tests.sample import encoded
from hygie_verify.tests.vectors import vectors
from hygie_verify.trust import Trust
from hygie_verify.walk import verify

SHIPPED = Path(hygie_verify.__file__).parent / "vectors" / "vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(SHIPPED.read_text("utf-8"))


def test_the_shipped_vectors_are_those_that_are_made_here() -> None:
    assert json.loads(json.dumps(vectors())) == VECTORS


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector_is_judged_as_it_says(vector: dict[str, Any]) -> None:
    given = vector["given"]
    trust = Trust(
        key=VerifierKey.parse(given["key"]),
        witnesses=tuple(map(VerifierKey.parse, given["witness_keys"])),
        kept=tuple((one["checkpoint"], one["cosignature"]) for one in given.get("kept", ())),
        required=given["required"],
    )
    report = verify(encoded(vector["export"]), trust=trust)
    assert report.is_whole == (not vector["fault"]), report.faults
    assert not vector["fault"] or any(vector["fault"] in fault for fault in report.faults)
