"""What is added to the copy: one thing at a time, and who may not see it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hygie.testing.differential.population import (
    ENZO,
    NORA,
    PAUL,
    PEOPLE,
    condition,
    document,
    encounter,
    labelled,
    observation,
    patient,
    record,
)

Json = dict[str, Any]
Step = tuple[Literal["PUT", "DELETE"], Json]
NEW = "Patient/d-new"
EVERYBODY = tuple(PEOPLE)
STRANGERS_TO_PAUL = tuple(name for name in PEOPLE if name not in ("paul", "stranger"))
TEAM = ("team", "nurse", "intern", "biller", "urgent")
"""Professionals who read Nora's record, without the treating doctor."""
SEEN = {"reference": "Observation/d-first"}
"""An observation of Nora's in every population."""
IDS = ("d-hidden", "d-hidden-2")
"""The ids that additions use: requests ask for them too."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A hidden thing.

    Attributes:
        name: what it is.
        unseen_by: who may not notice it.
        make: what the operator does to make it.
        logged: True where its traces are told to these callers all the same, since the log says
            who wrote in one's own record; they are then not asked for the log.
        instead: what the operator does in the copy without it, where the hidden thing is not
            that something is there but what it says.
    """

    name: str
    unseen_by: tuple[str, ...]
    make: Callable[[random.Random], list[Step]]
    logged: bool = False
    instead: Callable[[random.Random], list[Step]] = lambda _: []


def _puts(*resources: Json) -> list[Step]:
    return [("PUT", one) for one in resources]


def _masked(chance: random.Random) -> list[Step]:
    by = {"author": [{"reference": "Practitioner/d-petit"}]}
    return _puts({**document(chance, "d-hidden", NORA), **by, **labelled("N", "MASQUE_PS")})


def _masked_observation(chance: random.Random) -> list[Step]:
    return _puts({**observation(chance, "d-hidden", NORA), **labelled("MASQUE_PS")})


def _very_restricted(chance: random.Random) -> list[Step]:
    by = {"author": [{"reference": "Practitioner/d-petit"}]}
    return _puts({**document(chance, "d-hidden", NORA), **by, **labelled("V")})


def _unannounced(chance: random.Random) -> list[Step]:
    return _puts({**observation(chance, "d-hidden", NORA), **labelled("INVISIBLE_PATIENT")})


def _unannounced_document(chance: random.Random) -> list[Step]:
    return _puts({**document(chance, "d-hidden", NORA), **labelled("N", "INVISIBLE_PATIENT")})


def _secret_visit(chance: random.Random) -> list[Step]:
    label = labelled("INVISIBLE_REPRESENTANTS_LEGAUX")
    visit = {**encounter(chance, "d-hidden", ENZO), **label}
    about = {**observation(chance, "d-hidden-2", ENZO), **label}
    return _puts(visit, {**about, "encounter": {"reference": "Encounter/d-hidden"}})


def _of_another(chance: random.Random) -> list[Step]:
    """A result of somebody else that refers to what the caller may see."""
    result = {**observation(chance, "d-hidden", PAUL), "hasMember": [SEEN]}
    origin = {"resourceType": "Provenance", "id": "d-hidden", "target": [SEEN, {"reference": PAUL}],
              "recorded": "2024-05-06T10:00:00Z",
              "agent": [{"who": {"reference": "Practitioner/d-loin"}}]}  # fmt: skip
    return _puts(result, origin)


def _new_person(chance: random.Random) -> list[Step]:
    about = record(chance, NEW, count=2, prefix="d-hidden")
    return _puts(patient(chance, "d-new"), *about, condition(chance, "d-hidden", NEW))


def _deleted(chance: random.Random) -> list[Step]:
    one = observation(chance, "d-hidden", PAUL)
    return [*_puts(one, {**one, "status": "amended"}), ("DELETE", one)]


def _masked_then_changed(chance: random.Random) -> list[Step]:
    label = labelled("MASQUE_PS")
    one = {**condition(chance, "d-hidden", NORA), **label}
    return _puts(one, {**one, "onsetDateTime": "2022"})


def _directives(chance: random.Random) -> list[Step]:
    """Advance directives: personal, so closed to an emergency."""
    code = {"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "EXPPAT_3"}]}
    return _puts({**document(chance, "d-hidden", NORA), "type": code})


def _for_the_blocked(chance: random.Random) -> list[Step]:
    return _puts(observation(chance, "d-hidden", NORA), document(chance, "d-hidden", NORA))


def _care_team_of_another(chance: random.Random) -> list[Step]:
    del chance
    member = [{"member": {"reference": "Practitioner/d-loin"}}]
    return _puts(
        {
            "resourceType": "CareTeam",
            "id": "d-hidden",
            "status": "active",
            "subject": {"reference": PAUL},
            "participant": member,
        }
    )


def _file_of_another(chance: random.Random) -> list[Step]:
    del chance
    data = {"contentType": "text/plain", "data": "Qm9uam91ci4="}
    binary = {"resourceType": "Binary", "id": "d-hidden", **data}
    return _puts({**binary, "securityContext": {"reference": PAUL}})


def _deleted_content(chance: random.Random) -> list[Step]:
    """Two results, one under the id of the other: the first one was deleted."""
    now = observation(chance, "d-hidden", NORA)
    by = {"performer": [{"reference": "Practitioner/d-loin"}], "category": now["category"]}
    before = {**observation(chance, "d-hidden", NORA), **by}
    return [*_puts(before, {**before, "status": "amended"}), ("DELETE", before), *_puts(now)]


def _other_deleted_content(chance: random.Random) -> list[Step]:
    """The same, but for what the deleted result said."""
    first, second, delete, now = _deleted_content(chance)
    said = {"valueString": "d-other", "effectiveDateTime": "1999", "code": {"text": "d-other"}}
    kept = {k: v for k, v in first[1].items() if k not in ("valueQuantity", "identifier")}
    return [*_puts({**kept, **said}, {**kept, **said, "status": second[1]["status"]}), delete, now]


ADDITIONS = (
    Addition("a masked document", TEAM, _masked),
    Addition("a masked result", TEAM, _masked_observation),
    Addition("a masked problem, changed", TEAM, _masked_then_changed),
    Addition("a very restricted document", TEAM, _very_restricted),
    Addition("a result to be announced", ("nora", "helper of nora"), _unannounced, logged=True),
    Addition(
        "a document to be announced", ("nora", "helper of nora"), _unannounced_document, logged=True
    ),
    Addition("a minor's secret visit", ("father of enzo",), _secret_visit),
    Addition(
        "what a deleted result said",
        ("helper of nora", "treating", *TEAM),
        _deleted_content,
        instead=_other_deleted_content,
    ),
    Addition("a result of somebody else", STRANGERS_TO_PAUL, _of_another),
    Addition("a deleted result of somebody else", STRANGERS_TO_PAUL, _deleted),
    Addition("a care team of somebody else", STRANGERS_TO_PAUL, _care_team_of_another),
    Addition("a file of somebody else", STRANGERS_TO_PAUL, _file_of_another),
    Addition("a new person with a record", EVERYBODY, _new_person),
    Addition("directives, in an emergency", ("urgent", "biller"), _directives),
    Addition(
        "more on the record of who blocked",
        ("blocked", "administrator", "researcher", "stranger", "paul"),
        _for_the_blocked,
    ),
)
