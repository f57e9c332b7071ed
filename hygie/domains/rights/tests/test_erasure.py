"""Erasure: what may go is gone everywhere, what must stay is told with its law and its end."""

from __future__ import annotations

import base64
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.domains.rights.fhir.requests import request_of
from hygie.domains.rights.model.requests import Request, State
from hygie.domains.rights.service.erasure import (
    ask_erasure,
    carry_out_erasures,
    plan_erasure,
)
from hygie.domains.rights.tests.conftest import AT, encode, person, put
from hygie.kernel.database.session import connect
from hygie.kernel.errors import Conflict, Forbidden, Gone, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.keys import Keyring
from hygie.kernel.store import Repository
from hygie.kernel.store.compartments import compartment
from hygie.kernel.store.purging import purge
from hygie.testing.database import ScratchDatabase
from hygie.testing.factories import binary, condition, document, observation, patient
from hygie.testing.stories import LUCIE, NORA

LEFT_BY_PATIENT = {
    "coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "DOCPAT10"}],
    "text": "Document déposé",
}
LARGE = base64.b64encode(os.urandom(90_000)).decode()


@pytest.fixture(scope="module")
def keyring(repository: Repository) -> Keyring:
    return repository.bodies.keyring


def deposit(who: str, title: str, **values: Any) -> dict[str, Any]:
    made = document(f"Patient/{who}", title, day="2026-05-01T10:00:00+02:00")
    made |= {"type": LEFT_BY_PATIENT, "author": [{"reference": f"Patient/{who}"}]}
    made["content"][0]["attachment"]["data"] = LARGE
    return made | values


async def newcomer(repository: Repository, name: str, **values: Any) -> Caller:
    await put(repository, patient("Neuve", name, id=name, **({"ins": ""} | values)))
    return await person(repository, name)


async def answer_of(repository: Repository, task: str) -> Request:
    stored = await repository.read(SYSTEM, "Task", task)
    return request_of(msgspec.json.decode(stored.body or b"{}"), version=stored.version)


async def run(repository: Repository, keyring: Keyring, database: ScratchDatabase) -> None:
    await carry_out_erasures(repository, keyring, database.settings.data, at=AT)


async def test_own_deposits_go_and_the_care_file_stays_until_its_day(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "deposits")
    mine = deposit("deposits", "Ma lettre")
    seen = observation(
        "Patient/deposits", "Poids", "29463-7", value=80, unit="kg", day="2020-02-29"
    )
    for one in (mine, seen):
        await put(repository, one)
    task = await ask_erasure(repository, me, "deposits", wish="Effacez tout", at=AT)
    await run(repository, keyring, database)
    told = await answer_of(repository, task)
    assert told.state == State.COMPLETED
    assert {(one.key, one.erased, str(one.until)) for one in told.verdicts} == {
        ("own-deposit", True, "None"),
        ("care-file", False, "2040-02-29"),
    }
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "DocumentReference", mine["id"])
    await repository.read(SYSTEM, "Observation", seen["id"])


async def test_nothing_of_what_was_erased_is_left_in_a_table_or_a_file(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "traceless")
    mine = deposit("traceless", "Mon secret")
    await put(repository, mine)
    await put(repository, mine | {"description": "Mon secret, corrigé"})
    async with repository.database.transaction(system=True) as connection:
        key = await connection.fetchval("SELECT max(key) FROM resource WHERE pat = $1", me.party)
    await ask_erasure(repository, me, "traceless", wish="", at=AT)
    await run(repository, keyring, database)
    async with repository.database.transaction(system=True) as connection:
        tables = {
            row["table_name"]: row["column_name"]
            for row in await connection.fetch(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = 'hygie' AND column_name IN ('key', 'source') "
                "AND data_type = 'bigint'"
            )
        }
        assert {"resource", "resource_history", "s_string", "blob_use"} <= set(tables)
        for table, column in tables.items():
            left = await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE {column} = $1", key
            )
            assert left == 0, table


async def test_a_file_that_somebody_else_uses_too_stays(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    first, second = "sharer-one", "sharer-two"
    me = await newcomer(repository, first)
    await newcomer(repository, second)
    theirs = deposit(second, "La même photo")
    for one in (deposit(first, "La photo"), theirs):
        await put(repository, one)
    await ask_erasure(repository, me, first, wish="", at=AT)
    await run(repository, keyring, database)
    kept = await repository.read(SYSTEM, "DocumentReference", theirs["id"])
    assert LARGE.encode() in (kept.body or b"")


async def test_a_file_that_nobody_uses_any_more_leaves_the_disk(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "photographer")
    mine = deposit("photographer", "Ma photo")
    mine["content"][0]["attachment"]["data"] = base64.b64encode(os.urandom(90_000)).decode()
    blobs = database.settings.data / "blobs"
    before = _files(blobs)
    await put(repository, mine)
    assert len(_files(blobs) - before) == 1
    await ask_erasure(repository, me, "photographer", wish="", at=AT)
    await run(repository, keyring, database)
    assert _files(blobs) == before


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


async def test_a_binary_of_a_deposit_goes_with_it(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "binaries")
    file = binary() | {"securityContext": {"reference": "Patient/binaries"}}
    mine = deposit("binaries", "Ma photo")
    mine["content"][0]["attachment"] = {
        "contentType": "application/pdf",
        "url": f"Binary/{file['id']}",
    }
    for one in (file, mine):
        await put(repository, one)
    await ask_erasure(repository, me, "binaries", wish="", at=AT)
    await run(repository, keyring, database)
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "Binary", file["id"])


async def test_an_erasure_leaves_one_trace_that_stays(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "traced")
    await put(repository, deposit("traced", "Une lettre"))
    await ask_erasure(repository, me, "traced", wish="", at=AT)
    await run(repository, keyring, database)
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT detail FROM trace WHERE pat = $1 AND rule = 'erasure'", me.party
        )
    assert [row["detail"] for row in rows] == ["GDPR article 17: 1 resources removed"]


async def test_a_file_whose_period_is_over_goes_whole(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "forgotten", birthDate="1930-01-01")
    old = observation(
        "Patient/forgotten", "Poids", "29463-7", value=70, unit="kg", day="1999-01-01"
    )
    await put(repository, old)
    plan = await plan_erasure(repository, me, "forgotten", at=AT)
    assert plan.whole
    await ask_erasure(repository, me, "forgotten", wish="", at=AT)
    await run(repository, keyring, database)
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "Patient", "forgotten")
    async with repository.database.transaction(system=True) as connection:
        left = await connection.fetchval("SELECT count(*) FROM resource WHERE pat = $1", me.party)
    assert left == 0
    assert keyring.ledger.read()[-1].patient == me.party


async def test_after_a_restore_the_ledger_removes_again(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "restored")
    mine = deposit("restored", "Une lettre")
    await put(repository, mine)
    await ask_erasure(repository, me, "restored", wish="", at=AT)
    await run(repository, keyring, database)
    await put(repository, mine)  # what a backup of yesterday brings back
    removed = 0
    for line in keyring.ledger.read():
        done = await purge(repository, line.patient, line.resources, why="ledger repeated")
        removed += done.resources
    assert removed == 1
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "DocumentReference", mine["id"])


async def test_the_prepared_copies_of_the_person_are_destroyed_too(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    from hygie.domains.rights.service.exports import ask, folder_of, prepare

    me = await newcomer(repository, "copied")
    await put(repository, deposit("copied", "Une lettre"))
    made = await ask(repository, me, "copied", language="fr")
    await prepare(repository, database.settings.data, at=AT)
    assert (folder_of(database.settings.data) / str(made)).exists()
    await ask_erasure(repository, me, "copied", wish="", at=AT)
    await run(repository, keyring, database)
    assert not (folder_of(database.settings.data) / str(made)).exists()


async def test_a_helper_who_only_reads_cannot_ask(repository: Repository) -> None:
    with pytest.raises(Forbidden):
        await ask_erasure(repository, await person(repository, LUCIE), NORA, wish="", at=AT)


async def test_one_request_waits_at_a_time(repository: Repository) -> None:
    me = await newcomer(repository, "patient-one")
    await ask_erasure(repository, me, "patient-one", wish="", at=AT)
    with pytest.raises(Conflict):
        await ask_erasure(repository, me, "patient-one", wish="", at=AT + timedelta(days=1))


async def test_what_is_about_somebody_else_too_is_never_purged(repository: Repository) -> None:
    me = await newcomer(repository, "twin-one")
    await newcomer(repository, "twin-two")
    both = {
        "resourceType": "Appointment",
        "id": "twins",
        "status": "booked",
        "participant": [
            {"actor": {"reference": f"Patient/{one}"}, "status": "accepted"}
            for one in ("twin-one", "twin-two")
        ],
    }
    await repository.update(SYSTEM, "Appointment", "twins", encode(both))
    with pytest.raises(Conflict):
        await purge(repository, me.party, ["Appointment/twins"], why="test")
    await repository.read(SYSTEM, "Appointment", "twins")


async def test_what_the_person_may_not_see_is_neither_counted_nor_erased(
    repository: Repository,
) -> None:
    me = await newcomer(repository, "unaware")
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}
    hidden = condition("Patient/unaware", "À annoncer") | {"meta": {"security": [label]}}
    await put(repository, hidden)
    assert (await plan_erasure(repository, me, "unaware", at=AT)).verdicts == ()
    async with repository.visit(me) as visit:
        place = await compartment(repository, visit, "unaware")
        assert [one.reference for one in await place.held()] == ["Patient/unaware"]


async def test_a_resource_that_was_only_deleted_is_purged_with_its_history(
    repository: Repository,
) -> None:
    me = await newcomer(repository, "deleter")
    gone = condition("Patient/deleter", "Erreur")
    await put(repository, gone)
    await repository.delete(SYSTEM, "Condition", gone["id"])
    with pytest.raises(Gone):
        await repository.read(SYSTEM, "Condition", gone["id"])
    await purge(repository, me.party, [f"Condition/{gone['id']}"], why="test")
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "Condition", gone["id"])


async def test_old_traces_name_the_person_no_more_and_new_ones_do(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "old-traces")
    with connect(database.admin_dsn) as admin:
        admin.execute(
            "INSERT INTO hygie.trace (at, place, request, kind, party, outcome, interaction,"
            " purpose, rule, pat, agent) SELECT %s, 900000 + n, gen_random_uuid(), 2, 0, 200,"
            " 'read', 'TREAT', 'care-team', %s, 'Practitioner/x' FROM generate_series(1, 2) AS n",
            (AT - timedelta(days=4 * 366), me.party),
        )
    await ask_erasure(repository, me, "old-traces", wish="", at=AT)
    await run(repository, keyring, database)
    async with repository.database.transaction(system=True) as connection:
        left = await connection.fetchval(
            "SELECT count(*) FROM trace WHERE pat = $1 AND at < $2", me.party, AT - timedelta(365)
        )
        recent = await connection.fetchval("SELECT count(*) FROM trace WHERE pat = $1", me.party)
    assert left == 0
    assert recent > 0


async def test_recent_care_that_waits_for_its_announcement_keeps_the_file(
    repository: Repository, keyring: Keyring, database: ScratchDatabase
) -> None:
    me = await newcomer(repository, "not-forgotten", birthDate="1930-01-01")
    who = "Patient/not-forgotten"
    old = observation(who, "Poids", "29463-7", value=70, unit="kg", day="1999-01-01")
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}
    recent = observation(who, "Marqueur", "29463-7", value=9, unit="kg", day="2026-10-01")
    await put(repository, old)
    await put(repository, recent | {"meta": {"security": [label]}})
    shredded = len(keyring.ledger.read())
    task = await ask_erasure(repository, me, "not-forgotten", wish="", at=AT)
    await run(repository, keyring, database)
    told = await answer_of(repository, task)
    assert told.state == State.REJECTED
    assert [str(one.until) for one in told.verdicts] == ["None"]
    for one in (old, recent):
        await repository.read(SYSTEM, "Observation", one["id"])
    assert len(keyring.ledger.read()) == shredded
