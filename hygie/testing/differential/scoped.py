"""Applications that ask for people of the population, and what their scopes do not reach.

To an application, whatever is outside its scopes must be as if it were not there, although the
person for whom it asks sees it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hygie.kernel.security.caller import Caller
from hygie.kernel.security.limits import limit_of
from hygie.kernel.security.tokens import issue
from hygie.kernel.store.scoping import constraint
from hygie.testing.differential.comparing import World, opened
from hygie.testing.differential.hidden import Addition, Step
from hygie.testing.differential.population import (
    ENZO,
    NORA,
    PEOPLE,
    appointment,
    condition,
    document,
    encounter,
    observation,
)


@dataclass(frozen=True, slots=True)
class Application:
    """An application of one person: its scopes, and the patient of its launch (empty for none)."""

    person: str
    scope: str
    patient: str = ""


APPLICATIONS = {
    "launched on nora": Application("treating", "patient/*.cruds", NORA),
    "launched on nora, to read": Application("treating", "patient/*.rs", NORA),
    "launched on nora by the team": Application(
        "team", "patient/*.cruds user/Practitioner.rs", NORA
    ),
    "launched on nobody": Application("treating", "patient/*.cruds user/Organization.rs"),
    "results alone": Application("treating", "user/Observation.cruds user/Patient.rs"),
    "results to search alone": Application("team", "user/Observation.s user/Patient.s"),
    "laboratory alone": Application(
        "treating", "user/Observation.cruds?category=laboratory user/Patient.rs"
    ),
    "own laboratory alone": Application(
        "nora", "patient/Observation.cruds?category=laboratory patient/Patient.r", NORA
    ),
    "problems to write": Application("treating", "user/Condition.cud user/Observation.r"),
    "the child of a father": Application("father of enzo", "patient/*.rs", ENZO),
}
OF_NORA = ("launched on nora", "launched on nora, to read", "launched on nora by the team")
OF_RESULTS = ("results alone", "results to search alone", "laboratory alone",
              "own laboratory alone")  # fmt: skip
OF_LABORATORY = ("laboratory alone", "own laboratory alone")


def _record_of_enzo(chance: random.Random) -> list[Step]:
    makers = (observation, document, condition, encounter, appointment)
    return [("PUT", make(chance, "d-hidden", ENZO)) for make in makers]


def _changed_of_enzo(chance: random.Random) -> list[Step]:
    one = condition(chance, "d-hidden", ENZO)
    return [("PUT", one), ("PUT", {**one, "onsetDateTime": "2022"})]


def _deleted_of_enzo(chance: random.Random) -> list[Step]:
    one = observation(chance, "d-hidden", ENZO)
    return [("PUT", one), ("DELETE", one)]


def _other_types(chance: random.Random) -> list[Step]:
    makers = (document, condition, encounter, appointment)
    return [("PUT", make(chance, "d-hidden", NORA)) for make in makers]


def _vital_sign(chance: random.Random) -> list[Step]:
    vital = [{"coding": [{"code": "vital-signs"}]}]
    return [("PUT", {**observation(chance, "d-hidden", NORA), "category": vital})]


def _deleted_vital_sign(chance: random.Random) -> list[Step]:
    (put,) = _vital_sign(chance)
    return [put, ("DELETE", put[1])]


def _results_to_write(chance: random.Random) -> list[Step]:
    """Documents and visits, of which an application that writes problems knows nothing."""
    makers = (document, encounter, appointment)
    return [("PUT", make(chance, "d-hidden", NORA)) for make in makers]


BEYOND = (
    Addition("the record of another patient", (*OF_NORA, "launched on nobody"), _record_of_enzo),
    Addition("a problem of another, changed", (*OF_NORA, "launched on nobody"), _changed_of_enzo),
    Addition("a result of another, deleted", (*OF_NORA, "launched on nobody"), _deleted_of_enzo),
    Addition("other types of the same patient", OF_RESULTS, _other_types),
    Addition("a result of another category", OF_LABORATORY, _vital_sign),
    Addition("a result of another category, deleted", OF_LABORATORY, _deleted_vital_sign),
    Addition("documents and visits", ("problems to write",), _results_to_write),
)
"""What is added to the copy, and the applications whose scopes do not reach it."""


async def with_applications(world: World) -> World:
    """Return the world where every application has a token as well."""
    tokens = dict(world.tokens)
    now = datetime.now(UTC)
    async with opened(world.database.settings, world.law) as repository:
        for name, one in APPLICATIONS.items():
            person = PEOPLE[one.person]
            launched = await repository.party_number(one.patient) if one.patient else None
            words = one.scope.split()
            caller = Caller(
                person.kind,
                await repository.party_number(person.reference),
                person.reference,
                purpose=person.purpose,
                rights=person.rights,
                limit=limit_of(name, words, patient=launched, constraint=constraint),
            )
            async with repository.database.connection() as connection:
                tokens[name] = await issue(connection, caller, at=now, valid=timedelta(days=1))
    return replace(world, tokens=tokens)
