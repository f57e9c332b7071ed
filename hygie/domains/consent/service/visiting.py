"""Open a record for one page: one visit, one snapshot, one trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from hygie.domains.consent.service.people import bodies
from hygie.kernel.security.caller import Access
from hygie.kernel.store import Person, Repository, Visit
from hygie.kernel.store.people import person_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """A record in an open visit."""

    repository: Repository
    visit: Visit
    patient: str


@dataclass(frozen=True, slots=True)
class Whose:
    """Who a record is about, as the banner of every page of a record shows it."""

    id: str
    name: str
    birth_date: str
    sex: str
    ins: str | None
    deceased: bool


Work = Callable[[Opened], Awaitable[T]]
"""What one page reads."""


async def visiting(
    repository: Repository, access: Access, patient: str, work: Work[T]
) -> tuple[Whose | None, T]:
    """Return who the record is about, None where the caller may not know, and what is read."""
    async with repository.visit(access) as visit:
        read = await work(Opened(repository, visit, patient))
        found = await bodies(visit, "Patient", [("_id", patient)])
    if not found:
        return None, read
    deceased = found[0].get("deceasedBoolean", "deceasedDateTime" in found[0])
    return _whose(person_of(patient, found[0]), deceased=bool(deceased)), read


def _whose(person: Person, *, deceased: bool) -> Whose:
    name = f"{person.given} {person.family.upper()}".strip()
    rid = person.reference.partition("/")[2]
    return Whose(rid, name, person.birth_date, person.sex, person.ins, deceased)
