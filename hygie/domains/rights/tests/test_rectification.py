"""Once something wrong was corrected, who still reads what it was."""

from __future__ import annotations

from typing import Any

import pytest

from hygie.domains.rights.fhir.corrections import Correction
from hygie.domains.rights.service.rectification import accept, ask, to_answer
from hygie.domains.rights.tests.conftest import AT, copied, lines, person, put
from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.store.history import Scope
from hygie.testing import stories
from hygie.testing.factories import condition
from hygie.testing.stories import HELENE, LUCIE, MARC, NORA, ZOE

RT, RID = "Condition", "wrong"
ITEM = f"{RT}/{RID}"
WRONG, RIGHT = "Dépendance à l’alcool", "Stéatose hépatique"


def written(words: str, **more: Any) -> dict[str, Any]:
    by = {"reference": f"Practitioner/{HELENE}"}
    return condition(f"Patient/{NORA}", words, id=RID, asserter=by, **more)


async def professional(repository: Repository, rid: str) -> Caller:
    number = await repository.party_number(f"Practitioner/{rid}")
    return Caller(Kind.PROFESSIONAL, number, f"Practitioner/{rid}", purpose="TREAT")


async def read(repository: Repository, caller: Caller) -> list[int]:
    """Return the versions that a caller reads, by history and one by one."""
    found = []
    for version in range(1, 5):
        try:
            await repository.vread(caller, RT, RID, version=version)
        except NotFound:
            continue
        found.append(version)
    page = await repository.history(caller, Scope(RT, RID))
    assert sorted(one.stored.version for one in page.entries) == found
    assert page.total == len(found)
    return found


@pytest.fixture(scope="module", autouse=True)
async def correction(repository: Repository) -> None:
    """Tell a story: Hélène wrote something wrong, Nora had it corrected by Marc, their nurse."""
    for one in [*stories.choices(), written(WRONG), written(WRONG, onsetDateTime="2020")]:
        await put(repository, one)
    nora, marc = await person(repository, NORA), await professional(repository, MARC)
    assert await read(repository, marc) == [1, 2]
    await ask(repository, nora, NORA, focus=ITEM, wish="Je ne bois pas", at=AT)
    [shown] = [one for one in await to_answer(repository, marc) if one.request.focus == ITEM]
    changed = Correction(RIGHT, "", "", error=False, at=AT.isoformat(), who=marc.reference)
    await accept(repository, marc, shown.request.id, correction=changed)


async def test_the_team_reads_what_is_right_and_nothing_of_before(repository: Repository) -> None:
    assert await read(repository, await professional(repository, MARC)) == [3]


async def test_the_person_the_author_and_the_operator_read_every_version(
    repository: Repository,
) -> None:
    nora, helene = await person(repository, NORA), await professional(repository, HELENE)
    for caller in (nora, helene, SYSTEM):
        assert await read(repository, caller) == [1, 2, 3]


async def test_neither_a_helper_nor_a_stranger_reads_what_was_wrong(repository: Repository) -> None:
    assert await read(repository, await person(repository, LUCIE)) == [3]
    with pytest.raises(NotFound):
        await read(repository, await professional(repository, ZOE))


async def test_the_provenance_says_which_version_was_removed(repository: Repository) -> None:
    found = await repository.search(SYSTEM, "Provenance", [("target", f"Patient/{NORA}")])
    bodies = [one.stored.body or b"" for one in found.entries]
    assert any(b'"removal"' in one and f"{ITEM}/_history/2".encode() in one for one in bodies)


async def test_the_copy_of_the_person_holds_what_was_wrong(
    repository: Repository,
) -> None:
    archive = await copied(repository, await person(repository, NORA), NORA)
    former = [one for one in lines(archive, "history/Condition.ndjson") if one["id"] == RID]
    assert [one["code"]["text"] for one in former] == [WRONG, WRONG]
