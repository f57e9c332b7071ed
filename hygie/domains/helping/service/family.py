"""What a minor decides from the age of own choices: end what one parent reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hygie.domains.helping import fhir
from hygie.domains.helping.model import limits
from hygie.domains.helping.model.measures import MAJORITY
from hygie.domains.helping.service import records
from hygie.domains.helping.service.people import Helping, who_helps
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.store import Repository

LIMITED = "parent-limited"


@dataclass(frozen=True, slots=True)
class Minor:
    """A minor as the own pages show them.

    Attributes:
        parents: who reads as a parent now.
        decides: old enough to choose alone; ``decides_from`` is the day from which.
        of_age: the day of majority, when parents stop reading by themselves.
    """

    parents: tuple[Helping, ...]
    decides: bool
    decides_from: date
    of_age: date


async def minor(repository: Repository, caller: Caller, *, at: datetime) -> Minor | None:
    """Return what a minor may decide about the own record; None for an adult."""
    patient = caller.reference.partition("/")[2]
    person = await records.patient_of(repository, caller, patient)
    birth = records.birth_of(person)
    if birth is None or limits.birthday(birth, MAJORITY) <= at.date():
        return None
    held = await who_helps(repository, caller, patient, at=at)
    age = limits.amount("own-choices-age", "years", at=at.date())
    return Minor(
        tuple(one for one in held if one.quality == "parent"),
        limits.decides_alone(birth, at=at.date()),
        limits.birthday(birth, age),
        limits.birthday(birth, MAJORITY),
    )


async def limit_parent(repository: Repository, caller: Caller, key: str, *, at: datetime) -> None:
    """End what one parent reads, at once; the other keeps what the other reads.

    The platform writes it, since parents are recorded at the desk; the act is traced under the
    minor's own name, and no parent is told of it.

    Raises:
        Forbidden: the person is of age, or too young to decide this alone.
        NotFound: no parent reads by this Consent.
    """
    found = await minor(repository, caller, at=at)
    if found is None or not found.decides:
        raise Forbidden("From the age of own choices to majority one decides which parent reads.")
    chosen = next((one for one in found.parents if one.key == key), None)
    if chosen is None:
        raise NotFound("No parent reads by this choice.")
    patient = caller.reference.partition("/")[2]
    await records.note(repository, caller, patient, LIMITED, secret=True)
    before = await records.stored(repository, SYSTEM, "Consent", key)
    body = fhir.left(records.body_of(before), [chosen.reference], at=at)
    await records.replace(repository, SYSTEM, before, body)
