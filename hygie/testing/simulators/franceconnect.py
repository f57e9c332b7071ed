"""Simulator of FranceConnect v2: level low, signed userinfo, the six pivot claims."""

from __future__ import annotations

from typing import Any

from hygie.testing.simulators.people import FRANCE, Citizen
from hygie.testing.simulators.provider import Character

_PROFILE = ("family_name", "given_name", "preferred_username", "gender", "birthdate")
_BIRTH = ("birthplace", "birthcountry")
_PIVOT = ("family_name", "given_name", "gender", "birthdate", *_BIRTH)
_BY_SCOPE = {"profile": _PROFILE, "birth": _BIRTH, "identite_pivot": _PIVOT}
SCOPES = ("openid", "profile", "birth", "identite_pivot", "email")


def pivot_claims(person: Citizen, scopes: frozenset[str]) -> dict[str, Any]:
    """Return the claims that the scopes ask for (FranceConnect partner documentation, claims)."""
    abroad = person.birth_country != FRANCE
    known = {
        "family_name": person.family.upper(),
        "given_name": person.given,
        "preferred_username": person.used,
        "gender": person.gender,
        "birthdate": person.birth_date,
        "birthplace": "" if abroad else person.birth_place,
        "birthcountry": person.birth_country,
    }
    wanted = {name for scope in scopes for name in _BY_SCOPE.get(scope, (scope,))}
    found = {name: value for name, value in known.items() if name in wanted}
    if "email" in scopes:
        found["email"] = f"{person.key}@example.org"
    return found


FRANCECONNECT = Character(
    name="franceconnect",
    title="FranceConnect",
    levels=("eidas1",),
    userinfo="signed",
    scopes=SCOPES,
    people=lambda everybody: everybody.citizens,
    claims=pivot_claims,
)
