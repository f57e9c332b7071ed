"""A small repository in memory, for the tests of pages alone.

It answers the few searches that pages make and knows two rules: patients read their own record,
professionals read everybody's. The real one decides much more finely, and traces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store.model import Entry, Found, Person, Stored

Json = dict[str, Any]
DATES = {
    "Encounter": ("date", "period"),
    "DiagnosticReport": ("date", "effectiveDateTime"),
    "Observation": ("date", "effectiveDateTime"),
    "MedicationRequest": ("authoredon", "authoredOn"),
    "Immunization": ("date", "occurrenceDateTime"),
    "Condition": ("onset-date", "onsetDateTime"),
    "AllergyIntolerance": ("date", "recordedDate"),
    "Procedure": ("date", "performedDateTime"),
    "DocumentReference": ("date", "date"),
}
ZONE = ZoneInfo("Europe/Paris")


class MemoryRepository:
    """Holds resources in a dictionary by reference."""

    def __init__(self, resources: Iterable[Json]) -> None:
        self._held = {f"{one['resourceType']}/{one['id']}": one for one in resources}

    async def party_number(self, reference: str) -> int:
        """Return a number for a reference."""
        return list(self._held).index(reference) + 1 if reference in self._held else 1000

    async def read(self, access: Caller, rt: str, rid: str) -> Stored:
        """Return a resource, or NotFound when it is absent or hidden."""
        held = self._held.get(f"{rt}/{rid}")
        if held is None or not _may(access, held):
            raise NotFound("Nothing visible is there.")
        return _stored(held)

    async def search(self, access: Caller, rt: str, query: list[tuple[str, str]]) -> Found:
        """Answer patient, status, code, date limits, _sort and _count."""
        wanted = dict(query)
        found = [
            one
            for one in self._held.values()
            if one["resourceType"] == rt and _may(access, one) and _matches(one, query)
        ]
        element = DATES.get(rt, ("", ""))[1]
        found.sort(key=lambda one: _day(one, element), reverse=True)
        count = int(wanted.get("_count", "50"))
        return Found(
            entries=[Entry(_stored(one)) for one in found[:count]],
            next="more" if len(found) > count else None,
        )

    async def find_mine(self, access: Caller, text: str) -> Sequence[Person]:
        """Return the patients one of whose names begins with the text."""
        people = [_person(one) for one in self._held.values() if one["resourceType"] == "Patient"]
        wanted = text.casefold()
        return [
            one
            for one in people
            if access.kind is Kind.PROFESSIONAL
            and any(
                word.casefold().startswith(wanted)
                for word in (one.family, one.given, one.ins or "")
            )
        ]


def _may(access: Caller, held: Json) -> bool:
    if access.kind is not Kind.PATIENT or held["resourceType"] == "Binary":
        return True
    subject = (held.get("subject") or held.get("patient") or {}).get("reference")
    return access.reference in {subject, f"{held['resourceType']}/{held['id']}"}


def _matches(held: Json, query: list[tuple[str, str]]) -> bool:
    return all(_matches_one(held, name, value) for name, value in query)


def _matches_one(held: Json, name: str, value: str) -> bool:
    if name == "patient":
        subject = held.get("subject") or held.get("patient") or {}
        return bool(subject.get("reference") == f"Patient/{value}")
    if name == "status":
        return held.get("status") in value.split(",")
    if name == "code":
        codings = held.get("code", {}).get("coding", [])
        return any(f"{one.get('system')}|{one.get('code')}" in value.split(",") for one in codings)
    search, element = DATES.get(held["resourceType"], ("", ""))
    if name != search:
        return True
    day = _day(held, element)
    prefix, limit = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    tests = {"ge": day >= limit, "le": day <= limit, "lt": day < limit, "eq": day == limit}
    return bool(day) and tests[prefix]


def _day(held: Json, element: str) -> str:
    value = held.get(element, "")
    text = str(value.get("start", "") if isinstance(value, dict) else value)
    if "T" not in text:
        return text
    return datetime.fromisoformat(text).astimezone(ZONE).date().isoformat()


def _person(held: Json) -> Person:
    name = held["name"][0]
    numbers = [one["value"] for one in held.get("identifier", [])]
    return Person(
        reference=f"Patient/{held['id']}",
        family=name["family"],
        given=name["given"][0],
        birth_date=held.get("birthDate", ""),
        sex=held.get("gender", ""),
        ins=numbers[0] if numbers else None,
    )


def _stored(held: Json) -> Stored:
    body = msgspec.json.encode(held)
    return Stored(held["resourceType"], held["id"], 1, datetime(2026, 1, 1, tzinfo=UTC), body)
