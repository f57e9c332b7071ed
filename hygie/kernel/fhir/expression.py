"""Turn a JSON path such as ``$.valueQuantity.value`` into a FHIRPath expression.

``OperationOutcome.issue.expression`` holds the simple subset of FHIRPath: element names and
indexes. There a choice element has its name without the type, and the sibling that carries a
primitive's extensions (``_birthDate``) is the element itself.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, get_args

import msgspec

from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.structs import struct

_steps = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]").findall
_is_name = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}").fullmatch


def fhirpath(resource_type: str | None, path: str) -> str:
    """Return the FHIRPath of a JSON path that begins with ``$``.

    A name that is not a plausible element ends the expression, so that no odd text is echoed.

    >>> fhirpath("Observation", "$.component[1].valueQuantity._unit.extension[0]")
    'Observation.component[1].value.unit.extension[0]'
    """
    known = resource_type in RESOURCE_TYPES
    owner: Any = struct(resource_type) if known and resource_type else None
    parts = [resource_type if known and resource_type else "Resource"]
    for name, index in _steps(path):
        plain = name.removeprefix("_")
        if index:
            parts.append(f"[{index}]")
        elif _is_name(plain):
            parts.append(f".{getattr(owner, 'CHOICES', {}).get(plain, plain)}")
            owner = _children(owner).get(plain) if owner else None
        else:
            break
    return "".join(parts)


@cache
def _children(owner: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Return the Struct of each complex member, by JSON name."""
    found = {f.encode_name: _struct_in(f.type) for f in msgspec.structs.fields(owner)}
    return {name: kind for name, kind in found.items() if kind is not None}


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    return next(filter(None, map(_struct_in, get_args(annotation))), None)
