"""The R4 definitions shipped with Hygie, read from their xz files at first use.

A file is unpacked once and each definition decoded when it is asked for: the whole of them as
Python objects would take some hundred megabytes.
"""

from __future__ import annotations

import lzma
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from hygie.kernel.fhir.structs import struct

Json = dict[str, Any]
_FOLDER = "hygie.kernel.fhir.r4"


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - the JSON name
    id: str
    url: str


def search_parameters() -> list[Json]:
    """Return the 1,378 SearchParameters."""
    return [msgspec.json.decode(raw) for raw in _read("search-parameters").values()]


def operations() -> list[Json]:
    """Return the 46 OperationDefinitions."""
    return [msgspec.json.decode(raw) for raw in _read("operations").values()]


def structure(name: str) -> Json:
    """Return the StructureDefinition of a resource or data type such as ``HumanName``.

    Raises:
        KeyError: R4 has no such type.
    """
    return _decode("structures", f"StructureDefinition/{name}")


def compartment(name: str) -> Json:
    """Return a CompartmentDefinition: Device, Encounter, Patient, Practitioner, RelatedPerson.

    Raises:
        KeyError: R4 has no such compartment.
    """
    return _decode("compartments", f"CompartmentDefinition/{name[:1].lower()}{name[1:]}")


def value_set(url: str) -> Json:
    """Return the ValueSet with a canonical address, with or without ``|version``.

    >>> value_set("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")["name"]
    'AdministrativeGender'

    Raises:
        KeyError: it is not among the definitions.
    """
    return _by_url("ValueSet", url)


def code_system(url: str) -> Json:
    """Return the CodeSystem with a canonical address, with or without ``|version``.

    Raises:
        KeyError: it is not among the definitions.
    """
    return _by_url("CodeSystem", url)


def canonicals(kind: str) -> frozenset[str]:
    """Return the addresses of every ``ValueSet`` or ``CodeSystem`` of the definitions."""
    return frozenset(url for found, url in _urls() if found == kind)


def summary_elements(resource_type: str) -> frozenset[str]:
    """Return the top-level JSON members that ``_summary=true`` keeps."""
    return frozenset(getattr(struct(resource_type), "SUMMARY"))  # noqa: B009 - a generated constant


def mandatory_elements(resource_type: str) -> frozenset[str]:
    """Return the top-level JSON members that every partial answer keeps.

    These are the mandatory elements and the modifier elements (search.html#elements).
    """
    return frozenset(getattr(struct(resource_type), "MANDATORY"))  # noqa: B009 - same


@cache
def _read(name: str) -> dict[str, msgspec.Raw]:
    packed = files(_FOLDER).joinpath("definitions", f"{name}.json.xz").read_bytes()
    definitions = msgspec.json.decode(lzma.decompress(packed), type=list[msgspec.Raw])
    heads = (msgspec.json.decode(raw, type=_Head) for raw in definitions)
    return {
        f"{head.resourceType}/{head.id}": raw for head, raw in zip(heads, definitions, strict=True)
    }


@cache
def _urls() -> dict[tuple[str, str], str]:
    heads = (
        (key, msgspec.json.decode(raw, type=_Head)) for key, raw in _read("terminology").items()
    )
    return {(head.resourceType, head.url): key for key, head in heads}


def _by_url(kind: str, url: str) -> Json:
    return _decode("terminology", _urls()[kind, url.partition("|")[0]])


def _decode(name: str, key: str) -> Json:
    found: Json = msgspec.json.decode(_read(name)[key])
    return found
