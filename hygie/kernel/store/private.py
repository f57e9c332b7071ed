"""What the directory never holds: the private life of professionals.

Every known caller reads a Practitioner and a PractitionerRole (rule ``directory``): a birth date, a
home address or a home telephone there would be told to all. They are refused at the door, whoever
writes; an element without ``use`` is one of work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from hygie.kernel.errors import Issue, Unprocessable

_PEOPLE = frozenset({"Practitioner", "PractitionerRole"})
_HOME = "home"


def check_nothing_private(rt: str, resource: Any) -> None:
    """Check that a professional of the directory says nothing of private life.

    Raises:
        Unprocessable: it does; the issues name the elements to leave out.
    """
    if rt not in _PEOPLE:
        return
    found = list(_private(rt, resource))
    if found:
        sentence = (
            "Every known caller reads the directory: leave out the birth date, the home address "
            "and the home telephone of professionals."
        )
        raise Unprocessable(
            sentence, issues=[Issue("business-rule", sentence, place) for place in found]
        )


def _private(rt: str, resource: Any) -> Iterator[str]:
    if getattr(resource, "birthDate", UNSET) is not UNSET:
        yield f"{rt}.birthDate"
    for name in ("address", "telecom"):
        held = getattr(resource, name, UNSET)
        for place, one in enumerate(() if held is UNSET else held):
            if one.use == _HOME:
                yield f"{rt}.{name}[{place}]"
