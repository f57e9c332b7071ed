"""The directory is read by every known caller: it holds no private life of professionals."""

from __future__ import annotations

from typing import Any

import pytest

from hygie.domains.annuaire.tests.conftest import found, put
from hygie.kernel.errors import Unprocessable
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository

Json = dict[str, Any]
PERSON: Json = {"resourceType": "Practitioner", "id": "one", "name": [{"family": "Petit"}]}
ROLE: Json = {
    "resourceType": "PractitionerRole",
    "id": "two",
    "practitioner": {"reference": "Practitioner/one"},
}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({**PERSON, "birthDate": "1970-01-01"}, "Practitioner.birthDate"),
        (
            {**PERSON, "address": [{"use": "home", "city": "Blois"}]},
            "Practitioner.address[0]",
        ),
        (
            {**PERSON, "telecom": [{"value": "1"}, {"use": "home", "value": "2"}]},
            "Practitioner.telecom[1]",
        ),
        (
            {**ROLE, "telecom": [{"use": "home", "value": "2"}]},
            "PractitionerRole.telecom[0]",
        ),
    ],
)
async def test_private_elements_are_refused_by_name(
    repository: Repository, body: Json, place: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        await put(repository, body)
    assert [issue.expression for issue in refused.value.issues] == [place]
    assert await found(repository, body["resourceType"]) == []


async def test_every_known_caller_reads_the_directory(repository: Repository) -> None:
    await put(repository, {**PERSON, "telecom": [{"use": "work", "value": "0254000000"}]})
    for kind in (Kind.PATIENT, Kind.PROFESSIONAL, Kind.RESEARCHER, Kind.ADMINISTRATOR):
        caller = Caller(kind, 0, "account/1")
        answer = await repository.search(caller, "Practitioner", [])
        assert len(answer.entries) == 1, kind
