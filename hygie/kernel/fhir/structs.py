"""The Struct and the decoder of each resource type, imported and built at first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from hygie.kernel.fhir.names import RESOURCE_TYPES, unknown_type

Decoder = msgspec.json.Decoder[msgspec.Struct]


@cache
def struct(resource_type: str) -> type[msgspec.Struct]:
    """Return the generated Struct of a resource type.

    >>> struct("Patient").__struct_fields__[:2]
    ('id', 'meta')

    Raises:
        Malformed: R4 has no such resource type.
    """
    if resource_type not in RESOURCE_TYPES:
        raise unknown_type()
    module = import_module(f"hygie.kernel.fhir.r4.{resource_type.lower()}")
    found: type[msgspec.Struct] = getattr(module, resource_type)
    return found


@cache
def decoder(resource_type: str) -> Decoder:
    """Return the decoder of a resource type; its checks run while it decodes."""
    return msgspec.json.Decoder(struct(resource_type))


def data_type(name: str) -> Any:
    """Return the generated Struct of a data type such as ``HumanName``."""
    return getattr(import_module("hygie.kernel.fhir.r4.datatypes"), name)
