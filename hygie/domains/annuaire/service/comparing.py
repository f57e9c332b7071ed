"""Compare what an extraction says with what stands in the store; give back what must be written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hygie.domains.annuaire.fhir import building, merging
from hygie.domains.annuaire.model.entries import Person, Structure
from hygie.kernel.fhir.verification import verified
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository

Json = dict[str, Any]
Pair = tuple[str, str]
MOST_VALUES = 50
"""Values of one search: the store checks each match against each of them."""


@dataclass(slots=True)
class Comparing:
    """One import's knowledge of the store.

    Attributes:
        repository: the store.
        on: day of the extraction.
        met: ids of the Practitioners that the extraction names.
        unchanged: how many resources stood so already.
    """

    repository: Repository
    on: date
    met: set[str] = field(default_factory=set)
    unchanged: int = 0
    _places: dict[str, Json] = field(default_factory=dict)

    async def people(self, people: Sequence[Person]) -> list[Json]:
        """Return the resources of some people, and of where they practise, that differ."""
        wanted = [one.structure for person in people for one in person.activities if one.structure]
        written = await self.structures(wanted)
        held = await self._by_identifier("Practitioner", map(_number_of, people))
        roles = await self._roles([body["id"] for body in held.values()])
        for person in people:
            written += self._person(person, held.get(_number_of(person)), roles)
        return written

    async def structures(self, structures: Iterable[Structure]) -> list[Json]:
        """Return the Organizations and Locations that differ; each structure is looked at once."""
        fresh = {one.key: one for one in structures if one.key not in self._places}
        named = [pair for one in fresh.values() for pair in building.structure_identifiers(one)]
        held = await self._by_identifier("Organization", named)
        written: list[Json] = []
        organizations: list[tuple[Structure, Json]] = []
        for key, one in fresh.items():
            found = (held.get(pair) for pair in building.structure_identifiers(one))
            stands = next((body for body in found if body), None)
            body = self._keep(written, stands, building.organization(one), merging.structure)
            self._places[key] = {"id": body["id"], "name": body.get("name", one.name)}
            organizations.append((one, self._places[key]))
        known = [building.location_id(at) for _, at in organizations if at["id"] in _ids(held)]
        doors = {body["id"]: body for body in await self._by_id("Location", known)}
        for one, at in organizations:
            wanted = building.location(one, at)
            self._keep(written, doors.get(wanted["id"]), wanted, merging.structure)
        return written

    def _person(
        self, person: Person, held: Json | None, roles: dict[str, list[Json]]
    ) -> list[Json]:
        written: list[Json] = []
        wanted = building.practitioner(person)
        body = self._keep(written, held, wanted, self._merged_person)
        who = str(body["id"])
        self.met.add(who)
        standing = list(roles.get(who, []))
        for activity in person.activities:
            at = self._places.get(activity.place) if activity.structure else None
            fresh = building.role(person, activity, who=f"Practitioner/{who}", at=at)
            match = _matching(standing, fresh)
            if match is not None:
                standing.remove(match)
            self._keep(written, match, fresh, merging.role)
        left = [one for one in standing if merging.practised(one)]
        running = [one for one in left if merging.is_running(one, on=self.on)]
        written += [merging.ended_role(one, on=self.on) for one in running]
        return written

    def _merged_person(self, held: Json, wanted: Json) -> Json:
        return verified(merging.person(held, wanted, on=self.on), "annuaire", on=self.on)

    def _keep(
        self,
        written: list[Json],
        held: Json | None,
        wanted: Json,
        merge: Callable[[Json, Json], Json],
    ) -> Json:
        """Add what must be written, and return the resource as it will stand."""
        if held is None:
            is_person = wanted["resourceType"] == "Practitioner"
            body = verified(wanted, "annuaire", on=self.on) if is_person else wanted
            written.append(body)
            return body
        body = merge(held, wanted)
        if body == held:
            self.unchanged += 1
        else:
            written.append(body)
        return body

    async def each(self, rt: str, query: Sequence[Pair]) -> AsyncIterator[Json]:
        """Yield every match of a search, page after page, as JSON without server fields."""
        asked = list(query)
        while True:
            found = await self.repository.search(SYSTEM, rt, asked)
            for entry in found.entries:
                if entry.stored.body:
                    yield merging.plain(msgspec.json.decode(entry.stored.body))
            if not found.next:
                return
            asked = parse_qsl(found.next)

    async def _roles(self, people: Iterable[str]) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {}
        for values in _some(sorted({f"Practitioner/{one}" for one in people})):
            query = [("practitioner", ",".join(values)), *_ALL]
            async for body in self.each("PractitionerRole", query):
                who = body.get("practitioner", {}).get("reference", "").partition("/")[2]
                found.setdefault(who, []).append(body)
        return found

    async def _by_identifier(self, rt: str, pairs: Iterable[Pair]) -> dict[Pair, Json]:
        found: dict[Pair, Json] = {}
        for values in _some(
            [f"{system}|{_escaped(value)}" for system, value in dict.fromkeys(pairs)]
        ):
            query = [("identifier", ",".join(values)), *_ALL]
            async for body in self.each(rt, query):
                for one in body.get("identifier", []):
                    found.setdefault((one.get("system", ""), one.get("value", "")), body)
        return found

    async def _by_id(self, rt: str, ids: Iterable[str]) -> list[Json]:
        found: list[Json] = []
        for values in _some(list(ids)):
            found += [body async for body in self.each(rt, [("_id", ",".join(values)), *_ALL])]
        return found


def _number_of(person: Person) -> Pair:
    """Return the number by which a person is looked up: the RPPS, which every source writes."""
    *_, number = building.identifiers_of(person)
    return number


_ALL = (("_count", "1000"), ("_total", "none"))


def _matching(standing: Sequence[Json], wanted: Json) -> Json | None:
    """Return the role of the store that an activity continues: the same id, or the same place.

    Several modes of practice in one place are several roles: the id tells them apart first.
    """
    by_id = next((one for one in standing if one["id"] == wanted["id"]), None)
    if by_id is not None:
        return by_id
    place = wanted.get("organization", {}).get("reference")
    for one in standing:
        same = one.get("organization", {}).get("reference") == place
        if same and merging.practised(one) & merging.practised(wanted):
            return one
    return None


def _ids(held: dict[Pair, Json]) -> set[str]:
    return {str(body["id"]) for body in held.values()}


def _some(values: Sequence[str]) -> list[list[str]]:
    return [list(values[at : at + MOST_VALUES]) for at in range(0, len(values), MOST_VALUES)]


def _escaped(value: str) -> str:
    """Return a value in which a search finds no separator (FHIR R4, search.html#escaping)."""
    return "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in value)
