"""The copy of a record holds all that the person may read, and nothing else."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.domains.rights.tests.conftest import copied, lines, person, put
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.sequencer import sequence
from hygie.kernel.database import roles
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.testing.database import ScratchDatabase
from hygie.testing.factories import condition, observation, patient
from hygie.testing.stories import LUCIE, NORA, PAUL
from hygie_verify.bundle import verify_proofs
from hygie_verify.note import VerifierKey
from hygie_verify.trust import Trust


async def test_every_resource_of_the_person_is_in_the_copy(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT rt, count(*) AS n FROM resource WHERE pat = "
            "(SELECT num FROM party WHERE rid = $1) GROUP BY rt",
            NORA,
        )
    expected = {type_name(row["rt"]): row["n"] for row in rows}
    assert {rt: len(lines(archive, f"fhir/{rt}.ndjson")) for rt in expected} == expected
    assert sum(expected.values()) == sum(
        len(lines(archive, name)) for name in archive.namelist() if name.startswith("fhir/")
    )


async def test_nothing_of_another_person_is_in_the_copy(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    for name in archive.namelist():
        assert PAUL.encode() not in archive.read(name), name


async def test_documents_are_in_the_copy_as_files_with_their_names(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    names = [name for name in archive.namelist() if name.startswith("documents/")]
    assert any(name.endswith("Compte rendu de cardiologie.pdf") for name in names)
    assert all(archive.read(name).startswith(b"%PDF-") for name in names)


async def test_what_must_be_announced_first_is_left_out_and_not_counted(
    repository: Repository,
) -> None:
    unannounced = condition(f"Patient/{NORA}", "Tumeur non annoncée") | {
        "meta": {
            "security": [{"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}]
        }
    }
    before = await copied(repository, await person(repository, NORA), NORA)
    await put(repository, unannounced)
    after = await copied(repository, await person(repository, NORA), NORA)
    for name in after.namelist():
        assert "Tumeur non annoncée".encode() not in after.read(name), name
    assert len(lines(after, "fhir/Condition.ndjson")) == len(lines(before, "fhir/Condition.ndjson"))


async def test_a_helper_who_only_reads_gets_no_copy(repository: Repository) -> None:
    with pytest.raises(Forbidden):
        await copied(repository, await person(repository, LUCIE), NORA)


async def test_a_stranger_is_told_that_nothing_is_there(repository: Repository) -> None:
    with pytest.raises(NotFound):
        await copied(repository, await person(repository, PAUL), NORA)


async def test_earlier_versions_stand_apart_and_deletions_are_listed(
    repository: Repository,
) -> None:
    me = "history-person"
    await put(repository, patient(id=me, ins=""))
    first = observation(f"Patient/{me}", "Poids", "29463-7", value=80, unit="kg", day="2026-01-01")
    await put(repository, first)
    await put(repository, first | {"status": "amended"})
    gone = condition(f"Patient/{me}", "Erreur de dossier")
    await put(repository, gone)
    await repository.delete(SYSTEM, "Condition", gone["id"])
    archive = await copied(repository, await person(repository, me), me)
    assert [one["status"] for one in lines(archive, "fhir/Observation.ndjson")] == ["amended"]
    assert [one["status"] for one in lines(archive, "history/Observation.ndjson")] == ["final"]
    assert len(lines(archive, "history/Condition.ndjson")) == 1
    assert gone["id"] in archive.read("history/deleted.csv").decode()


async def test_a_label_set_later_hides_earlier_versions_too(repository: Repository) -> None:
    me = "labelled-person"
    await put(repository, patient(id=me, ins=""))
    result = condition(f"Patient/{me}", "Résultat grave")
    await put(repository, result)
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}
    await put(repository, result | {"meta": {"security": [label]}})
    archive = await copied(repository, await person(repository, me), me)
    for name in archive.namelist():
        assert "Résultat grave".encode() not in archive.read(name), name


async def test_the_accesses_are_in_the_copy_of_the_person(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    events = lines(archive, "traces/AuditEvent.ndjson")
    assert events
    assert {one["resourceType"] for one in events} == {"AuditEvent"}


async def test_the_manifest_tells_the_true_digest_of_every_file(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    manifest = msgspec.json.decode(archive.read("manifest.json"))
    assert {*manifest["files"], "manifest.json"} == set(archive.namelist())
    for name, told in manifest["files"].items():
        content = archive.read(name)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            told["size"],
            told["sha256"],
        )


async def test_the_readable_parts_say_who_and_in_which_language(repository: Repository) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    page = archive.read("index.html").decode()
    assert '<html lang="fr">' in page
    assert "Nora Martin" in page
    assert "<script" not in page
    assert archive.read("dossier.pdf").startswith(b"%PDF-")
    assert "COPIE D'UN DOSSIER" in archive.read("README.txt").decode()


async def test_a_copy_leaves_one_trace_of_the_copying(repository: Repository) -> None:
    caller = await person(repository, NORA)
    async with repository.database.transaction(system=True) as connection:
        before = await connection.fetchval("SELECT coalesce(max(id), 0) FROM trace")
    await copied(repository, caller, NORA)
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT interaction, pat FROM trace WHERE id > $1 AND interaction = 'operation' "
            "AND pat IS NOT NULL",
            before,
        )
    assert [(row["interaction"], row["pat"]) for row in rows] == [("operation", caller.party)]


async def test_the_accesses_are_proved_but_for_what_is_not_announced(
    repository: Repository, database: ScratchDatabase
) -> None:
    me = "proved-person"
    await put(repository, patient(id=me, ins=""))
    caller = await person(repository, me)
    result = condition(f"Patient/{me}", "Résultat", id="proved-result")
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}
    await put(repository, result | {"meta": {"security": [label]}})
    key = Ed25519PrivateKey.generate()
    async with database.open(role=roles.SEQUENCER, size=1) as places, places.connection() as one:
        await sequence(one, key)
        origin = await one.fetchval("SELECT origin FROM trace_tree")
        archive = await copied(repository, caller, me)
        proofs = archive.read("traces/proofs.ndjson")
        trust = Trust(key=VerifierKey.parse(Signer(origin, key).verifier_key))
        report = verify_proofs(proofs.splitlines(), trust)
        assert report.faults == []
        hidden = report.leaves
        assert b"INVISIBLE" not in proofs
        await put(repository, result | {"note": [{"text": "Annoncé"}]})
        await sequence(one, key)
        archive = await copied(repository, caller, me)
        report = verify_proofs(archive.read("traces/proofs.ndjson").splitlines(), trust)
    assert report.faults == []
    assert report.leaves >= hidden + 2
