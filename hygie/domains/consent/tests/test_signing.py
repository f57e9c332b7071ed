"""Nobody signs a labelled item of somebody else, to lift its labels as its author."""

from __future__ import annotations

import pytest

from hygie.domains.consent.tests.test_attaching import ANNOUNCE, SECRET, Ward, to, ward
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.labels import Label

__all__ = ["ward"]


@pytest.mark.parametrize("label", [ANNOUNCE, SECRET])
async def test_a_nurse_does_not_sign_what_waits_in_the_place_of_its_author(
    ward: Ward, label: str
) -> None:
    item = await ward.create("petit", "Observation", label)
    signed = ward.resource("Observation", "noir", label)
    unsigned = {name: value for name, value in signed.items() if name != "performer"}
    for body in (signed, unsigned):
        with pytest.raises(Forbidden, match="author"):
            await ward.change("noir", item, body)
    noir = await ward.desk.professional("noir")
    with pytest.raises(Forbidden):
        await ward.desk.repository.relabel(
            noir,
            *item.split("/"),
            remove=Label.HIDDEN_FROM_PATIENT | Label.HIDDEN_FROM_REPRESENTATIVES,
        )


async def test_a_label_from_a_visit_keeps_the_author_too(ward: Ward) -> None:
    visit = await ward.create("petit", "Encounter", ANNOUNCE)
    item = await ward.create("petit", "Observation", encounter=to(visit))
    with pytest.raises(Forbidden, match="author"):
        await ward.change("noir", item, ward.resource("Observation", "noir", encounter=to(visit)))


async def test_who_may_lift_the_labels_may_sign(ward: Ward) -> None:
    item = await ward.create("petit", "Observation", ANNOUNCE)
    await ward.change("roux", item, ward.resource("Observation", "roux", ANNOUNCE))


async def test_what_has_no_label_is_signed_by_who_corrects_it(ward: Ward) -> None:
    item = await ward.create("petit", "Observation")
    await ward.change("noir", item, ward.resource("Observation", "noir"))


async def test_nobody_signs_what_was_deleted_by_writing_it_again(ward: Ward) -> None:
    item = await ward.create("petit", "Observation", SECRET)
    await ward.desk.repository.delete(await ward.desk.professional("noir"), *item.split("/"))
    with pytest.raises(Forbidden, match="author"):
        await ward.change("noir", item, ward.resource("Observation", "noir", SECRET))
    await ward.change("petit", item, ward.resource("Observation", "petit", SECRET))
