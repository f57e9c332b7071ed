"""Versions that were corrected or deleted: who still reads them, on every face alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.kernel.database import migrate
from hygie.kernel.errors import Gone, HygieError, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.bundles import read_parts
from hygie.kernel.store.history import Scope
from hygie.kernel.store.tests.conftest import (
    encode,
    patient_caller,
    professional_caller,
    put,
    traces,
)
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

Json = dict[str, Any]
Change = Callable[[Repository], Any]
RT, RID = "DocumentReference", "d"
WITHDRAWN = int(Label.WITHDRAWN)
MASK = Label.MASKED_FROM_PROFESSIONALS
BASE = "http://localhost/fhir"


def document(title: str) -> Json:
    return {
        "resourceType": RT,
        "id": RID,
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "author": [{"reference": "Practitioner/writer"}],
        "content": [{"attachment": {"title": title}}],
    }


def provenance(role: str, what: str) -> Json:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{RT}/{RID}"}, {"reference": "Patient/p"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/writer"}}],
        "entity": [{"role": role, "what": {"reference": what}}],
    }


def bundle(*entries: tuple[str, str, Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": verb, "url": url}, "resource": resource}
            for verb, url, resource in entries
        ],
    }


async def replaced(
    repository: Repository,
    title: str,
    *,
    role: str = "removal",
    what: str = f"{RT}/{RID}/_history/2",
) -> None:
    """Correct the document in a transaction with its Provenance."""
    sent = bundle(
        ("PUT", f"{RT}/{RID}", document(title)), ("POST", "Provenance", provenance(role, what))
    )
    await repository.transaction(SYSTEM, read_parts(encode(sent), base=BASE).parts)


async def corrected(repository: Repository) -> None:
    await replaced(repository, "right")


async def deleted(repository: Repository) -> None:
    await repository.delete(SYSTEM, RT, RID)


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give a store with a document of two versions, its author and a member of the team."""
    opened = await open_repository(fresh_database.settings, law=LAW)
    await put(opened, {"resourceType": "Patient", "id": "p"})
    members = [{"member": {"reference": f"Practitioner/{one}"}} for one in ("writer", "reader")]
    about = {"subject": {"reference": "Patient/p"}, "participant": members}
    await put(opened, {"resourceType": "CareTeam", "id": "team", **about})
    await put(opened, document("wrong"))
    await put(opened, document("wrong again"))
    yield opened
    await opened.database.close()


async def versions(repository: Repository, caller: Caller) -> list[int]:
    """Return the versions that each face tells; every face must tell the same."""
    read = []
    for version in range(1, 7):
        try:
            await repository.vread(caller, RT, RID, version=version)
        except Gone:
            read.append(version)
        except NotFound:
            continue
        else:
            read.append(version)
    try:
        page = await repository.history(caller, Scope(RT, RID))
    except NotFound:
        assert not read
        return read
    told = [one.stored.version for one in page.entries]
    assert page.total == len(told)
    of_type = await repository.history(caller, Scope(RT))
    assert told == [one.stored.version for one in of_type.entries]
    assert told == await paged(repository, caller)
    assert sorted(told) == read
    return read


async def paged(repository: Repository, caller: Caller) -> list[int]:
    """Return the versions of the history, read one to a page."""
    told, before = [], None
    while True:
        page = await repository.history(caller, Scope(RT, RID, count=1, before=before))
        told += [one.stored.version for one in page.entries]
        if page.next is None:
            return told
        before = dict(pair.split("=", 1) for pair in page.next.split("&"))["_before"]


async def refusal(repository: Repository, caller: Caller, version: int) -> str:
    with pytest.raises(HygieError) as refused:
        await repository.vread(caller, RT, RID, version=version)
    return f"{type(refused.value).__name__} {refused.value}"


async def who(repository: Repository) -> dict[str, list[int]]:
    return {
        "operator": await versions(repository, SYSTEM),
        "person": await versions(repository, await patient_caller(repository, "p")),
        "author": await versions(repository, await professional_caller(repository, "writer")),
        "team": await versions(repository, await professional_caller(repository, "reader")),
    }


async def test_an_update_withdraws_nothing(repository: Repository) -> None:
    await put(repository, document("other"))
    assert set(map(tuple, (await who(repository)).values())) == {(1, 2, 3)}


async def test_a_correction_leaves_former_versions_to_the_person_and_the_author(
    repository: Repository,
) -> None:
    await corrected(repository)
    everything = [1, 2, 3]
    assert await who(repository) == {
        "operator": everything,
        "person": everything,
        "author": everything,
        "team": [3],
    }


async def test_a_deletion_leaves_the_team_its_own_entry_alone(repository: Repository) -> None:
    await deleted(repository)
    found = await who(repository)
    assert found["team"] == [3]
    assert found["person"] == found["author"] == found["operator"] == [1, 2, 3]
    reader = await professional_caller(repository, "reader")
    with pytest.raises(Gone):
        await repository.read(reader, RT, RID)


@pytest.mark.parametrize("change", [corrected, deleted])
async def test_a_withdrawn_version_answers_as_an_absent_one(
    repository: Repository, change: Change
) -> None:
    await change(repository)
    reader = await professional_caller(repository, "reader")
    assert await refusal(repository, reader, 1) == await refusal(repository, reader, 99)
    before = (await repository.read(SYSTEM, "Patient", "p")).updated
    page = await repository.history(reader, Scope(RT, RID, since=before))
    assert [one.stored.version for one in page.entries] == [3]


async def test_what_is_written_again_under_the_id_brings_nothing_back(
    repository: Repository,
) -> None:
    await deleted(repository)
    await put(repository, document("new"))
    await put(repository, document("newer"))
    assert (await who(repository))["team"] == [3, 4, 5]
    await deleted(repository)
    assert (await who(repository))["team"] == [3, 6]


async def test_labels_that_come_and_go_leave_the_mark(repository: Repository) -> None:
    await corrected(repository)
    await repository.relabel(SYSTEM, RT, RID, add=MASK)
    assert (await who(repository))["team"] == []
    await repository.relabel(SYSTEM, RT, RID, remove=MASK)
    assert (await who(repository))["team"] == [3, 5]
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT ver, label, own_label FROM resource_history WHERE rid = 'd' ORDER BY ver"
        )
    marked = [row["ver"] for row in rows if (row["own_label"] or row["label"]) & WITHDRAWN]
    assert marked == [row["ver"] for row in rows if row["label"] & WITHDRAWN] == [1, 2]


async def test_a_masked_version_stays_masked_from_whom_it_was(repository: Repository) -> None:
    await repository.relabel(SYSTEM, RT, RID, add=MASK)
    await deleted(repository)
    found = await who(repository)
    assert found["team"] == []
    assert found["person"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("role", "what"),
    [
        ("revision", f"{RT}/{RID}/_history/2"),
        ("removal", f"{RT}/other/_history/2"),
        ("removal", f"{RT}/{RID}"),
        ("removal", f"http://elsewhere.example.org/fhir/{RT}/{RID}/_history/2"),
        ("removal", "#contained"),
    ],
)
async def test_another_provenance_withdraws_nothing(
    repository: Repository, role: str, what: str
) -> None:
    await replaced(repository, "other", role=role, what=what)
    assert (await who(repository))["team"] == [1, 2, 3]


async def test_the_full_address_of_a_version_is_understood(repository: Repository) -> None:
    base = repository.site.base
    await replaced(repository, "right", what=f"{base}/{RT}/{RID}/_history/2")
    assert (await who(repository))["team"] == [3]


async def test_a_correction_that_is_refused_withdraws_nothing(repository: Repository) -> None:
    sent = bundle(
        ("PUT", f"{RT}/{RID}", document("right")),
        ("POST", "Provenance", provenance("removal", f"{RT}/{RID}/_history/2")),
        ("PUT", "Observation/none", {"resourceType": "Observation"}),
    )
    with pytest.raises(HygieError):
        await repository.transaction(SYSTEM, read_parts(encode(sent), base=BASE).parts)
    assert (await who(repository))["team"] == [1, 2]


async def test_who_corrects_need_not_see_every_former_version(repository: Repository) -> None:
    """A member of the team corrects what was masked from them for a while."""
    reader = await professional_caller(repository, "reader")
    async with repository.database.transaction(system=True) as connection:
        await connection.execute(
            "UPDATE resource_history SET label = label | 8 WHERE rid = 'd' AND ver = 1"
        )
    assert await versions(repository, reader) == [2]
    sent = bundle(
        ("PUT", f"{RT}/{RID}", document("right")),
        ("POST", "Provenance", provenance("removal", f"{RT}/{RID}/_history/2")),
    )
    await repository.transaction(reader, read_parts(encode(sent), base=BASE).parts)
    assert await versions(repository, reader) == [3]


async def test_the_mark_is_no_label_that_a_client_sees_or_sends(repository: Repository) -> None:
    await corrected(repository)
    patient = await patient_caller(repository, "p")
    body = (await repository.vread(patient, RT, RID, version=1)).body or b""
    assert "security" not in msgspec.json.decode(body)["meta"]
    trace = (await traces(repository))[-1]
    assert trace["label"] & WITHDRAWN
    assert trace["ver"] == 1


async def test_the_belt_alone_hides_a_withdrawn_version_from_the_team(
    repository: Repository,
) -> None:
    await deleted(repository)
    for name, expected in (("reader", [3]), ("writer", [1, 2, 3])):
        caller = await professional_caller(repository, name)
        async with repository.database.transaction(parties=[caller.party]) as connection:
            rows = await connection.fetch(
                "SELECT ver FROM resource_history WHERE rid = 'd' ORDER BY ver"
            )
        assert [row["ver"] for row in rows] == expected


async def test_the_belt_is_closed_again_after_a_withdrawal(repository: Repository) -> None:
    writer = await professional_caller(repository, "writer")
    async with repository.database.transaction(system=True) as connection:
        await connection.execute("UPDATE resource_history SET label = 8 WHERE rid = 'd'")
    await repository.delete(writer, RT, RID)
    stranger = Caller(Kind.PROFESSIONAL, 0, "Practitioner/nobody")
    assert await versions(repository, stranger) == []


async def test_what_was_deleted_before_the_migration_is_withdrawn_by_it(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await deleted(repository)
    await put(repository, document("new"))
    await put(repository, document("newer"))
    text = (Path(migrate.__file__).parent / "migrations/0011_withdrawn.sql").read_text("utf-8")
    async with (
        fresh_database.open(size=1, role="hygie_owner") as opened,
        opened.connection() as connection,
    ):
        await connection.execute("ALTER TABLE resource_history NO FORCE ROW LEVEL SECURITY")
        await connection.execute("UPDATE resource_history SET label = label & 63")
        await connection.execute(text)
    assert (await who(repository))["team"] == [3, 4, 5]
