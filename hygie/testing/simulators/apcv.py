"""Simulator of the e-carte Vitale (apCV) as identity provider: pivot claims and the INS.

The claim names of the matricule are to confirm: the editor documentation is under contract.
"""

from __future__ import annotations

from typing import Any

from hygie.testing.simulators.franceconnect import pivot_claims
from hygie.testing.simulators.people import Citizen
from hygie.testing.simulators.provider import Character

TEST_NIR = "1.2.250.1.213.1.4.10"


def vitale_claims(person: Citizen, scopes: frozenset[str]) -> dict[str, Any]:
    """Return the pivot claims, and the matricule that the card holds."""
    found = pivot_claims(person, scopes)
    if person.ins:
        found |= {"ins": person.ins, "ins_oid": TEST_NIR}
    return found


APCV = Character(
    name="apcv",
    title="e-carte Vitale",
    levels=("eidas2",),
    userinfo="signed",
    scopes=("openid", "identite_pivot", "ins"),
    people=lambda everybody: [one for one in everybody.citizens if one.ins],
    claims=vitale_claims,
)
