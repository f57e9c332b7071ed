"""Simulator of FranceConnect+: levels substantial and high, userinfo signed and encrypted."""

from __future__ import annotations

from hygie.testing.simulators.franceconnect import SCOPES, pivot_claims
from hygie.testing.simulators.provider import Character

FRANCECONNECT_PLUS = Character(
    name="franceconnect-plus",
    title="FranceConnect+",
    levels=("eidas2", "eidas3"),
    userinfo="encrypted",
    scopes=SCOPES,
    people=lambda everybody: everybody.citizens,
    claims=pivot_claims,
)
