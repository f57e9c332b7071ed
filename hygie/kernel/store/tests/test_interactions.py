"""Read, write, delete, history, conditional writes and transactions of the repository."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from hygie.kernel.errors import (
    Forbidden,
    Gone,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unprocessable,
)
from hygie.kernel.fhir.splice import server_fields
from hygie.kernel.security.caller import SYSTEM, Bearer
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.kernel.store.tests.conftest import encode, patient_caller, professional_caller
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

PATIENT = b'{"resourceType": "Patient",\n  "name": [ {"family":"Dupont" , "given":["Anne"]} ]}'


async def test_what_is_created_can_be_read(repository: Repository) -> None:
    written = await repository.create(SYSTEM, "Patient", PATIENT)
    stored = await repository.read(SYSTEM, "Patient", written.stored.rid)
    assert stored == written.stored
    fields = server_fields(stored.body or b"")
    assert (fields.id, fields.version_id) == (written.stored.rid, "1")


async def test_an_update_makes_a_version_and_keeps_the_former_one(repository: Repository) -> None:
    first = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    changed = (first.body or b"").replace(b"Dupont", b"Durand")
    second = (await repository.update(SYSTEM, "Patient", first.rid, changed)).stored
    assert second.version == 2
    assert b"Durand" in ((await repository.read(SYSTEM, "Patient", first.rid)).body or b"")
    former = await repository.vread(SYSTEM, "Patient", first.rid, version=1)
    assert former.body == first.body


async def test_a_stale_version_is_refused(repository: Repository) -> None:
    first = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    await repository.update(SYSTEM, "Patient", first.rid, first.body or b"", if_match=1)
    with pytest.raises(PreconditionFailed):
        await repository.update(SYSTEM, "Patient", first.rid, first.body or b"", if_match=1)


async def test_a_deleted_resource_is_gone_and_can_come_back(repository: Repository) -> None:
    first = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    await repository.delete(SYSTEM, "Patient", first.rid)
    with pytest.raises(Gone):
        await repository.read(SYSTEM, "Patient", first.rid)
    again = await repository.delete(SYSTEM, "Patient", first.rid)
    assert not again.changed
    back = await repository.update(SYSTEM, "Patient", first.rid, first.body or b"")
    assert (back.stored.version, back.created) == (3, True)
    page = await repository.history(SYSTEM, Scope("Patient", first.rid))
    assert [entry.method for entry in page.entries] == ["PUT", "DELETE", "POST"]
    assert page.total == 3


async def test_an_unknown_id_is_not_found(repository: Repository) -> None:
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "Patient", "nobody")
    with pytest.raises(NotFound):
        await repository.history(SYSTEM, Scope("Patient", "nobody"))


async def test_an_unknown_token_is_refused(repository: Repository) -> None:
    with pytest.raises(Unauthenticated):
        await repository.read(Bearer.from_token("no"), "Patient", "nobody")


async def test_system_chooses_ids_and_the_body_must_carry_them(repository: Repository) -> None:
    raw = b'{"resourceType":"Organization","id":"my.Org-1","name":"Centre"}'
    written = await repository.update(SYSTEM, "Organization", "my.Org-1", raw)
    assert written.created
    with pytest.raises(InvalidRequest):
        await repository.update(SYSTEM, "Organization", "my.Org-2", raw)


async def test_an_invalid_resource_is_refused(repository: Repository) -> None:
    with pytest.raises(Unprocessable):
        await repository.create(SYSTEM, "Observation", b'{"resourceType":"Observation"}')


async def test_a_conditional_create_makes_one_resource(repository: Repository) -> None:
    raw = encode(
        {"resourceType": "Organization", "identifier": [{"system": "urn:x", "value": "once"}]}
    )
    results = await asyncio.gather(
        *(
            repository.create(SYSTEM, "Organization", raw, if_none_exist="identifier=urn:x|once")
            for _ in range(8)
        )
    )
    assert sum(written.created for written in results) == 1
    assert len({written.stored.rid for written in results}) == 1


async def test_a_conditional_update_updates_or_creates(repository: Repository) -> None:
    raw = encode(
        {"resourceType": "Organization", "identifier": [{"system": "urn:x", "value": "upsert"}]}
    )
    criteria = [("identifier", "urn:x|upsert")]
    first = await repository.update_where(SYSTEM, "Organization", raw, criteria=criteria)
    second = await repository.update_where(SYSTEM, "Organization", raw, criteria=criteria)
    assert first.created
    assert (second.created, second.stored.version) == (False, 2)
    deleted = await repository.delete_where(SYSTEM, "Organization", criteria=criteria)
    assert deleted is not None
    assert await repository.delete_where(SYSTEM, "Organization", criteria=criteria) is None


async def test_concurrent_updates_lose_nothing(repository: Repository) -> None:
    first = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    body = first.body or b""
    written = await asyncio.gather(
        *(repository.update(SYSTEM, "Patient", first.rid, body) for _ in range(20))
    )
    assert sorted(one.stored.version for one in written) == list(range(2, 22))


async def test_one_bad_write_of_a_group_fails_alone(repository: Repository) -> None:
    good = [repository.create(SYSTEM, "Patient", PATIENT) for _ in range(5)]
    bad = repository.delete(SYSTEM, "Patient", "nobody")
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert [isinstance(result, NotFound) for result in results] == [False] * 5 + [True]


async def test_large_attachments_come_back_byte_for_byte(repository: Repository) -> None:
    data = msgspec.json.encode(b"\x01\x02" * 60_000).decode()
    raw = f'{{"resourceType":"Binary","contentType":"application/pdf","data": {data}}}'.encode()
    written = await repository.create(SYSTEM, "Binary", raw)
    stored = await repository.read(SYSTEM, "Binary", written.stored.rid)
    assert data.encode() in (stored.body or b"")


async def test_a_binary_belongs_to_the_patient_of_its_security_context(
    repository: Repository,
) -> None:
    patient = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    raw = encode(
        {
            "resourceType": "Binary",
            "contentType": "text/plain",
            "securityContext": {"reference": patient.reference},
            "data": "Ym9uam91cg==",
        }
    )
    binary = (await repository.create(SYSTEM, "Binary", raw)).stored
    me = await patient_caller(repository, patient.rid)
    somebody = await patient_caller(repository, "somebody")
    assert (await repository.read(me, "Binary", binary.rid)).body == binary.body
    with pytest.raises(NotFound):
        await repository.read(somebody, "Binary", binary.rid)


async def test_only_the_operator_writes_what_opens_records(repository: Repository) -> None:
    patient = (await repository.create(SYSTEM, "Patient", PATIENT)).stored
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": patient.reference},
        "participant": [{"member": {"reference": "Practitioner/gp-1"}}],
    }
    await repository.create(SYSTEM, "CareTeam", encode(team))
    doctor = await professional_caller(repository, "gp-1")
    assert (await repository.read(doctor, "Patient", patient.rid)).body == patient.body
    with pytest.raises(Forbidden):
        await repository.create(doctor, "CareTeam", encode(team))


async def test_a_day_is_a_day_in_the_zone_of_the_structure(fresh_database: ScratchDatabase) -> None:
    settings = replace(fresh_database.settings, zone="Indian/Reunion")
    store = await open_repository(settings, law=LAW)
    late = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "pouls"},
        "effectiveDateTime": "2026-01-01T21:00:00Z",
    }
    await store.create(SYSTEM, "Observation", encode(late))
    found = [
        (await store.search(SYSTEM, "Observation", [("date", day)])).total
        for day in ("2026-01-01", "2026-01-02")
    ]
    await store.database.close()
    assert found == [0, 1]
