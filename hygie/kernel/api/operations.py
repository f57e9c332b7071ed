"""Operations: those of the kernel and those that domains registered (FHIR R4, operations.html).

An operation is declared by its OperationDefinition, which this server serves to everybody: which
type and level it is for, and whether it only reads. Routes and the CapabilityStatement are made
from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json
from hygie.kernel.errors import NotFound
from hygie.kernel.fhir.operation import Operation

DEFINITIONS = "OperationDefinition"
OWN = (
    Operation.read(
        Path(__file__).parent / "definitions/patient-identify.json",
        run="hygie.kernel.api.identify:identify",
    ),
)
"""Operations of the kernel on one type; those on resources of any type are HL7's own."""


def known(registered: Iterable[Operation]) -> tuple[Operation, ...]:
    """Return the operations of the kernel, then those that domains registered."""
    return (*OWN, *registered)


def find(registered: Iterable[Operation], rt: str, code: str, *, level: str) -> Operation | None:
    """Return the operation of a name on a type, None where there is none at this level.

    ``level`` is ``type`` or ``instance``.
    """
    for one in known(registered):
        if (one.rt, one.code) == (rt, code) and one.definition[level]:
            return one
    return None


def methods_of(operation: Operation) -> tuple[str, ...]:
    """Return the methods that call an operation; what changes nothing takes a GET too."""
    return ("POST",) if operation.definition["affectsState"] else ("GET", "POST")


@cache
def load(dotted: str) -> Any:
    """Return what ``module:function`` names."""
    module, _, name = dotted.partition(":")
    return getattr(import_module(module), name)


def address_of(operation: Operation, base: str) -> str:
    """Return the canonical address of a definition, which is where it is served."""
    return f"{base}/{DEFINITIONS}/{operation.id}"


async def read_definition(engine: Engine, request: HttpRequest) -> Response:
    """Return the OperationDefinition of an operation of this server; it needs no token."""
    check_accepts_json(request)
    for one in known(engine.operations):
        if one.id == request.segments[1]:
            head = {"resourceType": DEFINITIONS, "id": one.id, "url": address_of(one, engine.base)}
            return Response(200, msgspec.json.encode({**head, **one.definition}))
    raise NotFound("This operation is not defined here; see the CapabilityStatement.")
