"""Each rule of relabelling, with the labels it lets add and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest

from hygie.app import compose
from hygie.kernel.database.roles import LOADER
from hygie.kernel.errors import HygieError
from hygie.kernel.security.caller import SYSTEM, Caller, Kind, job
from hygie.kernel.security.labels import Label
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase

MASK = Label.MASKED_FROM_PROFESSIONALS
ANNOUNCE = Label.HIDDEN_FROM_PATIENT
SECRET = Label.HIDDEN_FROM_REPRESENTATIVES
VERY = Label.VERY_RESTRICTED
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "category": [{"coding": [{"code": "laboratory"}]}],
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p"},
    "performer": [{"reference": "Practitioner/author"}],
}
_RELATE = """
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
VALUES ($1, $2, $3, '-infinity', 'infinity', 0)
"""
_PRACTISE = """
INSERT INTO practice (member, role, starts, ends, source)
VALUES ($1, $2, '-infinity', 'infinity', 0)
"""


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    law = compose(fresh_database.settings).law
    opened = await open_repository(fresh_database.settings, law=law)
    raw = msgspec.json.encode({"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"})
    await opened.update(SYSTEM, "Patient", "p", raw)
    await opened.update(SYSTEM, "Observation", "o", msgspec.json.encode(OBSERVATION))
    yield opened
    await opened.database.close()


async def caller(
    repository: Repository,
    database: ScratchDatabase,
    *,
    kind: Kind,
    reference: str,
    relations: tuple[Relation, ...],
    profession: str = "10",
) -> Caller:
    """Return somebody with these relations to the patient; of the record itself from 16 on."""
    party = await repository.party_number(reference)
    pat = await repository.party_number("Patient/p")
    async with database.open(role=LOADER, size=1) as loader, loader.connection() as connection:
        for one in relations:
            await connection.execute(_RELATE, pat, 0 if one >= Relation.MINOR else party, int(one))
        if kind == Kind.PROFESSIONAL:
            await connection.execute(_PRACTISE, party, profession)
    purpose = "TREAT" if kind == Kind.PROFESSIONAL else "PATRQT"
    return Caller(kind, party, reference, purpose=purpose)


TEAM = (Relation.CARE_TEAM, Relation.TEAM_CONSENT)


@pytest.mark.parametrize(
    ("reference", "relations", "added"),
    [
        ("Patient/p", (), MASK),
        ("Patient/p", (Relation.MINOR,), MASK | SECRET),
        ("Patient/p", (Relation.MINOR, Relation.UNDER_16), Label(0)),
        ("Patient/parent", (Relation.PARENT, Relation.MINOR), MASK),
        ("Patient/parent", (Relation.PARENT,), Label(0)),
        ("Practitioner/author", TEAM, MASK | ANNOUNCE | SECRET | VERY),
        ("Practitioner/treats", (Relation.TREATING,), MASK | ANNOUNCE | SECRET),
        ("Practitioner/member", TEAM, ANNOUNCE | SECRET),
        ("Practitioner/stranger", (), Label(0)),
    ],
)
async def test_a_rule_lets_add_its_labels_alone(
    repository: Repository,
    fresh_database: ScratchDatabase,
    reference: str,
    relations: tuple[Relation, ...],
    added: Label,
) -> None:
    kind = Kind.PATIENT if reference.startswith("Patient") else Kind.PROFESSIONAL
    who = await caller(
        repository, fresh_database, kind=kind, reference=reference, relations=relations
    )
    taken = Label(0)
    for label in (MASK, ANNOUNCE, SECRET, VERY):
        try:
            await repository.relabel(who, "Observation", "o", add=label)
        except HygieError:
            continue
        taken |= label
        await repository.relabel(SYSTEM, "Observation", "o", remove=label)
    assert taken == added


async def test_a_label_that_waits_is_lifted_by_the_team_and_not_by_the_patient(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await repository.relabel(SYSTEM, "Observation", "o", add=ANNOUNCE)
    own = await caller(
        repository, fresh_database, kind=Kind.PATIENT, reference="Patient/p", relations=()
    )
    with pytest.raises(HygieError):
        await repository.relabel(own, "Observation", "o", remove=ANNOUNCE)
    member = await caller(
        repository,
        fresh_database,
        kind=Kind.PROFESSIONAL,
        reference="Practitioner/member",
        relations=TEAM,
    )
    assert (await repository.relabel(member, "Observation", "o", remove=ANNOUNCE)).changed


async def test_a_job_without_a_line_of_the_matrix_relabels_nothing(repository: Repository) -> None:
    nobody = replace(job("nobody"), party=0)
    with pytest.raises(HygieError):
        await repository.relabel(nobody, "Observation", "o", remove=ANNOUNCE)


@pytest.mark.parametrize(
    ("profession", "added", "lifted"),
    [
        ("10", ANNOUNCE | SECRET, ANNOUNCE),
        ("50", SECRET, ANNOUNCE),
        ("40", Label(0), ANNOUNCE),
        ("60", SECRET, Label(0)),
        ("21", Label(0), Label(0)),
        ("secretary", Label(0), Label(0)),
    ],
)
async def test_each_profession_of_the_team_adds_and_lifts_its_own(
    repository: Repository,
    fresh_database: ScratchDatabase,
    profession: str,
    added: Label,
    lifted: Label,
) -> None:
    member = await caller(
        repository,
        fresh_database,
        kind=Kind.PROFESSIONAL,
        reference="Practitioner/member",
        relations=TEAM,
        profession=profession,
    )
    found = {"add": Label(0), "remove": Label(0)}
    for label in (MASK, ANNOUNCE, SECRET):
        for way in ("add", "remove"):
            if way == "remove":
                await repository.relabel(SYSTEM, "Observation", "o", add=label)
            try:
                await repository.relabel(
                    member,
                    "Observation",
                    "o",
                    add=label if way == "add" else Label(0),
                    remove=label if way == "remove" else Label(0),
                )
            except HygieError:
                pass
            else:
                found[way] |= label
            await repository.relabel(SYSTEM, "Observation", "o", remove=label)
    assert (found["add"], found["remove"]) == (added, lifted)
