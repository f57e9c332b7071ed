"""Look professionals up in the health directory, to name them in a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hygie.domains.consent.model.roles import labels, role_of
from hygie.domains.consent.service.people import bodies, name_of
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.clauses import Language
from hygie.kernel.store import Visit
from hygie.kernel.store.likeness import names_like, words_of

Json = dict[str, Any]
LONGEST = 100
MOST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A professional of the directory, with profession and places of practice in words."""

    reference: str
    name: str
    role: str
    places: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return the logical id."""
        return self.reference.partition("/")[2]


async def search(visit: Visit, text: str, *, language: Language) -> list[Found]:
    """Return the professionals whose names are like the text, the best fit first, twenty at most.

    Raises:
        InvalidRequest: the text is longer than any name.
    """
    if len(text) > LONGEST:
        raise InvalidRequest("The search is too long.")
    if not words_of(text):
        return []
    ids = await names_like(visit, "Practitioner", text, most=MOST)
    query = [("_id", ",".join(ids)), ("_count", str(MOST))]
    people = {one["id"]: one for one in await bodies(visit, "Practitioner", query)} if ids else {}
    return [await _found(visit, people[one], language) for one in ids if one in people]


async def found_as(visit: Visit, reference: str, *, language: Language) -> Found:
    """Return one professional.

    Raises:
        NotFound: the directory names nobody so.
    """
    people = await bodies(visit, "Practitioner", [("_id", reference.partition("/")[2])])
    if not people:
        raise NotFound("The health directory names nobody so.")
    return await _found(visit, people[0], language)


async def _found(visit: Visit, who: Json, language: Language) -> Found:
    reference = f"Practitioner/{who['id']}"
    practice = await bodies(visit, "PractitionerRole", [("practitioner", reference)])
    coded = [one.get("code", {}) for one in who.get("qualification", ())]
    coded += [concept for one in practice for concept in one.get("code", ())]
    codings = [coding for concept in coded for coding in concept.get("coding", ())]
    roles = {role_of(one.get("system", ""), one.get("code", "")) for one in codings}
    places = await _places(visit, practice)
    return Found(reference, name_of(who), labels(roles - {None}, language), places)  # type: ignore[arg-type]


async def _places(visit: Visit, practice: list[Json]) -> tuple[str, ...]:
    named = [one.get("organization", {}) for one in practice]
    shown = {one["display"] for one in named if one.get("display")}
    ids = [
        one["reference"].partition("/")[2]
        for one in named
        if one.get("reference") and not one.get("display")
    ]
    if ids:
        shown |= {
            name_of(one) for one in await bodies(visit, "Organization", [("_id", ",".join(ids))])
        }
    return tuple(sorted(shown))
