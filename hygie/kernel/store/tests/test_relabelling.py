"""Who changes confidentiality labels, and what a change of labels leaves alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from hygie.kernel.errors import Forbidden, NotFound, PreconditionFailed, Unprocessable
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.relabelling import Relabelling
from hygie.kernel.store.tests.conftest import (
    encode,
    patient_caller,
    professional_caller,
    put,
    traces,
)
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

MASK = Label.MASKED_FROM_PROFESSIONALS
SECRET = Label.HIDDEN_FROM_REPRESENTATIVES
RAW = (
    b'{ "resourceType" : "DocumentReference", "id":"d",\n "status": "current", '
    b'"subject": {"reference":"Patient/p"}, "author":[{"reference":"Practitioner/writer"}],'
    b'"securityLabel": [ {"coding":[{"code":"R"}]} ], "content":[{"attachment":{"title":"x  y"}}]}'
)


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=LAW)
    await put(opened, {"resourceType": "Patient", "id": "p"})
    members = [{"member": {"reference": f"Practitioner/{one}"}} for one in ("writer", "reader")]
    await put(
        opened,
        {
            "resourceType": "CareTeam",
            "id": "team",
            "subject": {"reference": "Patient/p"},
            "participant": members,
        },
    )
    await opened.update(SYSTEM, "DocumentReference", "d", RAW)
    yield opened
    await opened.database.close()


async def body(repository: Repository, caller: Caller = SYSTEM) -> bytes:
    return (await repository.read(caller, "DocumentReference", "d")).body or b""


async def test_only_the_labels_and_the_version_change(repository: Repository) -> None:
    before = await body(repository)
    written = await repository.relabel(SYSTEM, "DocumentReference", "d", add=MASK)
    assert written.stored.version == 2
    after = await body(repository)
    decoded = msgspec.json.decode(after)
    assert [one["code"] for one in decoded["meta"]["security"]] == ["MASQUE_PS"]
    codes = [one["coding"][0]["code"] for one in decoded["securityLabel"]]
    assert codes == ["R", "MASQUE_PS"]
    assert after.endswith(b', "content":[{"attachment":{"title":"x  y"}}]}')
    assert after.startswith(before[: before.index(b'"meta"')])


async def test_a_label_that_is_lifted_leaves_both_places(repository: Repository) -> None:
    await repository.relabel(SYSTEM, "DocumentReference", "d", add=MASK)
    await repository.relabel(SYSTEM, "DocumentReference", "d", remove=MASK)
    assert b"MASQUE_PS" not in await body(repository)
    assert b'"securityLabel": [ {"coding"' in await body(repository)


async def test_labels_that_are_already_so_make_no_version(repository: Repository) -> None:
    written = await repository.relabel(SYSTEM, "DocumentReference", "d", remove=MASK)
    assert (written.changed, written.stored.version) == (False, 1)


async def test_a_mask_hides_every_version_from_the_team_at_once(repository: Repository) -> None:
    reader = await professional_caller(repository, "reader")
    patient = await patient_caller(repository, "p")
    await body(repository, reader)
    await repository.relabel(patient, "DocumentReference", "d", add=MASK)
    with pytest.raises(NotFound):
        await body(repository, reader)
    with pytest.raises(NotFound):
        await repository.vread(reader, "DocumentReference", "d", version=1)
    found = await repository.search(reader, "DocumentReference", [])
    assert (found.total, found.entries) == (0, [])


async def test_the_trace_names_the_rule_and_the_labels(repository: Repository) -> None:
    patient = await patient_caller(repository, "p")
    await repository.relabel(patient, "DocumentReference", "d", add=MASK)
    last = (await traces(repository))[-1]
    assert (last["rule"], last["interaction"], last["outcome"]) == ("own-record", "update", 200)
    assert last["label"] == MASK | Label.RESTRICTED


async def test_an_author_changes_labels_and_another_member_does_not(
    repository: Repository,
) -> None:
    writer = await professional_caller(repository, "writer")
    reader = await professional_caller(repository, "reader")
    with pytest.raises(Forbidden, match="may not add INVISIBLE"):
        await repository.relabel(reader, "DocumentReference", "d", add=SECRET)
    written = await repository.relabel(writer, "DocumentReference", "d", add=SECRET)
    assert written.changed


async def test_what_is_hidden_or_absent_cannot_be_relabelled_alike(repository: Repository) -> None:
    stranger = await professional_caller(repository, "stranger")
    said = []
    for rid in ("d", "none"):
        with pytest.raises(NotFound) as refusal:
            await repository.relabel(stranger, "DocumentReference", rid, add=MASK)
        said.append(str(refusal.value).replace(rid, "ID"))
    assert said[0] == said[1]


async def test_if_match_is_honoured(repository: Repository) -> None:
    with pytest.raises(PreconditionFailed, match="version 7"):
        await repository.relabel_as(
            SYSTEM, Relabelling("DocumentReference", "d", MASK, Label(0), if_match=7)
        )


async def test_a_label_is_not_added_and_removed_at_once(repository: Repository) -> None:
    with pytest.raises(Unprocessable, match="MASQUE_PS"):
        await repository.relabel(SYSTEM, "DocumentReference", "d", add=MASK, remove=MASK)


async def test_an_update_that_drops_a_label_needs_the_same_right(repository: Repository) -> None:
    await repository.relabel(SYSTEM, "DocumentReference", "d", add=SECRET)
    reader = await professional_caller(repository, "reader")
    with pytest.raises(Forbidden, match="leave the confidentiality labels it has"):
        await repository.update(reader, "DocumentReference", "d", RAW)
    writer = await professional_caller(repository, "writer")
    await repository.update(writer, "DocumentReference", "d", RAW)


async def test_an_update_that_keeps_the_labels_needs_no_such_right(repository: Repository) -> None:
    await repository.relabel(SYSTEM, "DocumentReference", "d", add=SECRET)
    reader = await professional_caller(repository, "reader")
    kept = msgspec.json.decode(await body(repository))
    kept["content"] = [{"attachment": {"title": "z"}}]
    assert (await repository.update(reader, "DocumentReference", "d", encode(kept))).changed
