"""Names of the people and structures that facts name, as the reader may know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hygie.kernel.errors import Forbidden
from hygie.kernel.store import Visit

Json = dict[str, Any]
_MANY = "1000"
_AT_ONCE = 50


async def names_of(visit: Visit, references: Iterable[str], *, patient: str = "") -> dict[str, str]:
    """Return the name of each reference that the reader may know.

    Professionals and structures are in the directory. Whoever acts for the patient is named by
    the patient's own Consents and RelatedPersons.
    """
    wanted = set(references)
    names: dict[str, str] = {}
    for rt in ("Practitioner", "Organization"):
        ids = sorted(one.partition("/")[2] for one in wanted if one.startswith(f"{rt}/"))
        for place in range(0, len(ids), _AT_ONCE):
            query = [("_id", ",".join(ids[place : place + _AT_ONCE])), ("_count", _MANY)]
            for body in await bodies(visit, rt, query):
                names[f"{rt}/{body['id']}"] = name_of(body)
    persons = {one for one in wanted if one.startswith(("Patient/", "RelatedPerson/"))}
    if patient and persons:
        names |= await _persons(visit, patient, persons)
    return names


async def _persons(visit: Visit, patient: str, persons: set[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    own = [("patient", patient), ("_count", _MANY)]
    for body in await bodies(visit, "Consent", own):
        for actor in body.get("provision", {}).get("actor", []):
            told = actor.get("reference", {})
            if told.get("reference") in persons and told.get("display"):
                names[told["reference"]] = told["display"]
    for body in await bodies(visit, "RelatedPerson", own):
        names.setdefault(f"RelatedPerson/{body['id']}", name_of(body))
    for reference in persons - set(names):
        rt, _, rid = reference.partition("/")
        for body in await bodies(visit, rt, [("_id", rid)]):
            names[reference] = name_of(body)
    return names


async def bodies(visit: Visit, rt: str, query: list[tuple[str, str]]) -> list[Json]:
    """Return the matches of a search as JSON; nothing where the reader has no right to the type."""
    try:
        found = await visit.search(rt, query)
    except Forbidden:
        return []
    return [
        msgspec.json.decode(entry.stored.body)
        for entry in found.entries
        if entry.stored.body and entry.mode == "match"
    ]


def name_of(body: Json) -> str:
    """Return the name of a person or structure as it is said.

    >>> name_of({"resourceType": "Organization", "name": "CH de Vannes"})
    'CH de Vannes'
    >>> name_of({"name": [{"family": "Petit", "given": ["Hélène"], "prefix": ["Dr"]}]})
    'Dr Hélène PETIT'
    """
    named = body.get("name", "")
    if isinstance(named, str):
        return named
    used = next((one for one in named if one.get("use") == "usual"), None)
    name: Json = used or (named[0] if named else {})
    if name.get("text"):
        return str(name["text"])
    titles = [one for one in name.get("prefix", []) if one not in ("M", "MME")]
    parts = (*titles, *name.get("given", [])[:1], str(name.get("family", "")).upper())
    return " ".join(part for part in parts if part)
