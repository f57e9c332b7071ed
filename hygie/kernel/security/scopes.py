"""What an application was allowed to ask for: the clinical scopes of SMART App Launch 2.2.

A scope never widens what the access rules permit its user: it is one more condition, that all
must hold. Source: SMART App Launch 2.2.0, "Scopes and Launch Context".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from hygie.kernel.errors import InvalidRequest

Context = Literal["patient", "user", "system"]
PERMISSIONS = "cruds"
"""Create, read (and vread, history of one), update, delete, search (and history of a type)."""
EVERY_TYPE = "*"
_CLINICAL = re.compile(
    r"(?P<context>patient|user|system)/(?P<rt>\*|[A-Z][A-Za-z]+)"
    r"\.(?P<permissions>read|write|\*|[cruds]+)(?:\?(?P<query>[^\s?]+))?"
)
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}


class InvalidScope(InvalidRequest):
    """A scope that is not written as the standard writes it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One clinical scope.

    Attributes:
        context: ``patient`` (the patient of the launch), ``user`` or ``system``.
        rt: a resource type, or ``*``.
        permissions: letters of ``PERMISSIONS``.
        query: the constraints, as pairs of a search parameter and its value; all must hold.
    """

    context: Context
    rt: str
    permissions: frozenset[str]
    query: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        """Return the scope as the standard writes it, the constraints in order."""
        letters = "".join(letter for letter in PERMISSIONS if letter in self.permissions)
        asked = urlencode(sorted(self.query), safe=":/|,") if self.query else ""
        return f"{self.context}/{self.rt}.{letters}{'?' + asked if asked else ''}"

    def covers(self, other: Scope) -> bool:
        """Tell whether whoever holds this scope may do all that the other one says.

        >>> parse("system/Patient.rs").covers(parse("system/Patient.cruds"))
        False
        >>> parse("patient/*.rs").covers(parse("patient/Observation.s?category=vital-signs"))
        True
        """
        return (
            self.context == other.context
            and self.rt in (EVERY_TYPE, other.rt)
            and self.permissions >= other.permissions
            and self.query <= other.query
        )

    def meet(self, other: Scope) -> Scope | None:
        """Return what both allow, None for nothing.

        >>> str(parse("user/*.rs").meet(parse("user/Observation.cr?category=laboratory")))
        'user/Observation.r?category=laboratory'
        """
        types = {self.rt, other.rt} - {EVERY_TYPE} or {EVERY_TYPE}
        permissions = self.permissions & other.permissions
        if self.context != other.context or len(types) > 1 or not permissions:
            return None
        return Scope(self.context, types.pop(), permissions, self.query | other.query)


def parse(text: str) -> Scope:
    """Return a clinical scope; those of version 1 (``.read``, ``.write``, ``.*``) are translated.

    >>> str(parse("patient/Observation.rs?category=vital-signs"))
    'patient/Observation.rs?category=vital-signs'
    >>> str(parse("user/*.read"))
    'user/*.rs'

    Raises:
        InvalidScope: it is not written so, or its letters are not in the order ``cruds``.
    """
    match = _CLINICAL.fullmatch(text)
    if match is None:
        raise InvalidScope(f"{text} is no scope of SMART: write patient/Observation.rs.")
    letters = _VERSION_1.get(match["permissions"], match["permissions"])
    if [letter for letter in PERMISSIONS if letter in letters] != list(letters):
        raise InvalidScope(f"{text}: write the letters in the order {PERMISSIONS}, each once.")
    query = frozenset(parse_qsl(match["query"] or "", keep_blank_values=True))
    if match["query"] and (not query or any(not value for _, value in query)):
        raise InvalidScope(f"{text}: write constraints as parameter=value.")
    if query and match["rt"] == EVERY_TYPE:
        raise InvalidScope(f"{text}: constraints need a resource type, not *.")
    context: Context = match["context"]  # type: ignore[assignment]  # one of the three words
    return Scope(context, match["rt"], frozenset(letters), query)


def is_clinical(text: str) -> bool:
    """Tell whether a word of a ``scope`` names data rather than a launch or an identity.

    >>> is_clinical("patient/*.rs"), is_clinical("launch/patient"), is_clinical("openid")
    (True, False, False)
    """
    return text.startswith(("patient/", "user/", "system/"))


def within(asked: Iterable[Scope], granted: Sequence[Scope]) -> tuple[Scope, ...]:
    """Return the part of what is asked that is granted; nothing is added, twins are merged.

    >>> [str(one) for one in within([parse("user/*.cruds")], [parse("user/Patient.r")])]
    ['user/Patient.r']
    """
    met = {both for one, other in product(asked, granted) if (both := one.meet(other))}
    kept = [one for one in met if not any(each != one and each.covers(one) for each in met)]
    return tuple(sorted(kept, key=str))
