"""The resource types of R4 and the number that stands for each in the store.

A number is written in keys and never changes: the table only grows.
"""

from __future__ import annotations

from importlib.resources import files

from hygie.kernel.errors import Malformed

_TABLE = files("hygie.kernel.fhir").joinpath("resource_numbers.csv").read_text("ascii")
_NUMBERS = {
    name: int(number) for number, name in (line.split(",") for line in _TABLE.splitlines()[1:])
}
_NAMES = {number: name for name, number in _NUMBERS.items()}

RESOURCE_TYPES: frozenset[str] = frozenset(_NUMBERS)
"""The 146 concrete resource types of FHIR R4 4.0.1."""


def type_number(resource_type: str) -> int:
    """Return the stable number of a resource type, which fits in an int2.

    >>> type_number("Patient") == type_number("Patient") > 0
    True

    Raises:
        Malformed: R4 has no such resource type.
    """
    try:
        return _NUMBERS[resource_type]
    except KeyError:
        raise unknown_type() from None


def type_name(number: int) -> str:
    """Return the resource type that a number stands for.

    >>> type_name(type_number("Observation"))
    'Observation'
    """
    return _NAMES[number]


def unknown_type() -> Malformed:
    """Return the refusal of a resource type that R4 does not have."""
    return Malformed(
        "This resource type does not exist in FHIR R4; correct resourceType.",
        expression="Resource",
    )
