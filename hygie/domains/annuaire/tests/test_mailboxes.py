"""A MSSanté mailbox is a ``telecom`` that every reader tells from an ordinary e-mail address."""

from __future__ import annotations

from pathlib import Path

from hygie.domains.annuaire.fhir.building import mailbox
from hygie.domains.annuaire.fhir.reading import mailboxes
from hygie.domains.annuaire.tests.conftest import IRIS, extraction, found, imported, put
from hygie.kernel.store import Repository

ADDRESS = "iris.faure@medecin.mssante.example"


async def test_a_mailbox_is_stored_found_and_told_from_an_e_mail_address(
    repository: Repository,
) -> None:
    plain = {"system": "email", "value": "iris@example.org", "use": "work"}
    telecom = [plain, mailbox(ADDRESS, "PER")]
    await put(repository, {"resourceType": "Practitioner", "id": "iris", "telecom": telecom})
    (one,) = await found(repository, "Practitioner", ("email", ADDRESS))
    assert mailboxes(one) == (ADDRESS,)


async def test_an_import_leaves_mailboxes_where_they_are(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS]))
    (one,) = await found(repository, "Practitioner")
    meta = {"profile": one["meta"]["profile"]}
    await put(repository, {**one, "meta": meta, "telecom": [mailbox(ADDRESS, "PER")]})
    await imported(repository, extraction(tmp_path, [{**IRIS, "given": "Iris Anne"}], "next.txt"))
    (one,) = await found(repository, "Practitioner")
    assert mailboxes(one) == (ADDRESS,)
    assert one["name"][0]["given"] == ["Iris", "Anne"]
