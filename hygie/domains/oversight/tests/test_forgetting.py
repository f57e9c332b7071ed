"""What oversight keeps of people goes with their record."""

from __future__ import annotations

from hygie.domains.oversight.service import reporting
from hygie.domains.oversight.service.forgetting import forget_the_erased
from hygie.domains.oversight.tests.conftest import AT, Ward
from hygie.kernel.store.purging import purge

WORDS = "Je ne connais pas cette personne."


async def test_an_erased_person_is_forgotten_and_others_are_not(ward: Ward) -> None:
    await ward.professional("anna", line="4 rue des Lilas")
    numbers = {}
    for rid in ("zoe", "max"):
        numbers[rid] = await ward.patient(rid, line="12 rue des Lilas")
        event = await ward.look("anna", rid)
        await reporting.report_access(
            ward.repository, await ward.person(rid), event, words=WORDS, at=AT
        )
    await ward.score()
    assert await forget_the_erased(ward.repository) == 0
    await purge(ward.repository, numbers["zoe"], ["Patient/zoe"], why="test")
    assert await forget_the_erased(ward.repository) == 1
    assert await forget_the_erased(ward.repository) == 0
    async with ward.repository.database.transaction(system=True) as connection:
        looks = await connection.fetch("SELECT DISTINCT pat FROM oversight_look")
        items = await connection.fetch("SELECT pat, initials, words FROM oversight_item")
    assert {row["pat"] for row in looks} == {numbers["max"]}
    assert {(row["pat"], row["initials"]) for row in items} == {
        (numbers["zoe"], ""),
        (numbers["max"], "M.M."),
    }
    assert {row["pat"] for row in items if row["words"]} == {numbers["max"]}
