"""Reads of the directory inside a visit: bodies by id, and places of practice in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hygie.domains.annuaire.fhir.reading import Place, place
from hygie.kernel.store import Visit

Json = dict[str, Any]
MOST = 1000
_AT_ONCE = 200


async def bodies(visit: Visit, rt: str, query: Sequence[tuple[str, str]]) -> list[Json]:
    """Return the matches of a search as JSON, in the order of the store."""
    found = await visit.search(rt, [*query, ("_total", "none")])
    return [msgspec.json.decode(one.stored.body) for one in found.entries if one.stored.body]


async def by_id(visit: Visit, rt: str, ids: Iterable[str]) -> dict[str, Json]:
    """Return some resources by id; what is not there is left out."""
    wanted = sorted({one for one in ids if one})
    found: dict[str, Json] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        query = [("_id", ",".join(some)), ("_count", str(len(some)))]
        found |= {body["id"]: body for body in await bodies(visit, rt, query)}
    return found


async def places_of(visit: Visit, roles: Sequence[Json]) -> dict[str, Place]:
    """Return where each of some roles is practised, by the id of the role."""
    structures = await by_id(visit, "Organization", map(organization_of, roles))
    doors = await by_id(visit, "Location", map(location_of, roles))
    return {
        role["id"]: place(
            structures.get(organization_of(role), {"name": _said(role)}),
            doors.get(location_of(role)),
        )
        for role in roles
    }


def organization_of(body: Json) -> str:
    """Return the id of the structure of a role, empty where it names none."""
    return _id_of(body.get("organization", {}))


def location_of(body: Json) -> str:
    """Return the id of the first place of a role, empty where it names none."""
    return next((_id_of(one) for one in body.get("location", [])), "")


def practitioner_of(body: Json) -> str:
    """Return the id of the person of a role."""
    return _id_of(body.get("practitioner", {}))


def _said(role: Json) -> str:
    return str(role.get("organization", {}).get("display", ""))


def _id_of(reference: Json) -> str:
    return str(reference.get("reference", "")).partition("/")[2]
