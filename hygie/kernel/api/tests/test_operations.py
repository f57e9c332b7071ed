"""Domains register operations by their OperationDefinition; routes are made from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.kernel.api import operations, read
from hygie.kernel.api.routes import find_route, methods_of
from hygie.kernel.api.tests.client import Client
from hygie.kernel.config import Settings
from hygie.kernel.errors import MethodNotAllowed, NotFound, NotSupported
from hygie.kernel.fhir.operation import Operation
from hygie.kernel.fhir.validate import parse
from hygie.kernel.platform import Platform

RUN = "hygie.kernel.api.read:read"


def declared(*, below: str = "", **values: Any) -> Operation:
    definition = {
        "id": "patient-weigh",
        "code": "weigh",
        "resource": ["Patient"],
        "affectsState": False,
        "type": False,
        "instance": True,
        **values,
    }
    return Operation(definition, RUN, below)


def test_an_operation_on_a_resource_answers_there_and_nowhere_else() -> None:
    known = [declared()]
    route = find_route("GET", ("Patient", "1", "$weigh"), known)
    assert (route.code, route.run) == ("operation", read.read)
    for path in (("Patient", "$weigh"), ("Group", "1", "$weigh"), ("Patient", "1", "$weigh", "2")):
        with pytest.raises(NotSupported):
            find_route("GET", path, known)
    with pytest.raises(NotSupported):
        find_route("GET", ("Patient", "1", "$weigh"))


def test_an_operation_on_a_type_answers_there() -> None:
    known = [declared(type=True, instance=False)]
    assert methods_of(("Patient", "$weigh"), known) == ("GET", "HEAD", "POST")
    assert methods_of(("Patient", "1", "$weigh"), known) == ()


def test_what_changes_something_takes_no_get() -> None:
    with pytest.raises(MethodNotAllowed):
        find_route("GET", ("Patient", "1", "$weigh"), [declared(affectsState=True)])


def test_below_an_operation_its_own_requests_answer() -> None:
    known = [declared(below=RUN)]
    assert methods_of(("Patient", "1", "$weigh", "a", "b"), known) == ("DELETE", "GET", "HEAD")
    with pytest.raises(NotFound):
        find_route("GET", ("Nothing", "1", "$weigh", "a"), [declared(below=RUN, resource=["No"])])


def test_a_name_is_registered_once(tmp_path: Path) -> None:
    file = tmp_path / "weigh.json"
    file.write_bytes(msgspec.json.encode(declared().definition))
    platform = Platform(Settings(data=tmp_path))
    platform.add_operation(file, run=RUN)
    with pytest.raises(ValueError, match="already"):
        platform.add_operation(file, run=RUN)


def test_the_definitions_of_the_kernel_are_served_to_everybody(call: Client) -> None:
    for one in operations.OWN:
        found = call("GET", f"OperationDefinition/{one.id}", None, {"Authorization": ""})
        assert (found.status, found.json["code"]) == (200, one.code)
        parse(found.body, expect="OperationDefinition")


def test_other_definitions_are_stored_like_any_resource(call: Client) -> None:
    assert call("GET", "OperationDefinition/unknown").status == 404
    assert call("GET", "OperationDefinition/unknown", None, {"Authorization": ""}).status == 401
