"""Nobody shows what another hid by taking apart what led the label there."""

from __future__ import annotations

import msgspec
import pytest

from hygie.domains.consent.tests.test_attaching import (
    ANNOUNCE,
    MASK,
    SECRET,
    Ward,
    team_of,
    to,
    ward,
)
from hygie.kernel.errors import Conflict, Forbidden
from hygie.kernel.security.labels import Label
from hygie.kernel.store.bundles import Part

__all__ = ["ward"]


async def test_a_nurse_does_not_announce_a_result_by_dropping_it_from_the_report(
    ward: Ward,
) -> None:
    person = await ward.desk.person("lea")
    theirs = await ward.create("roux", "Observation")
    report = await ward.create("petit", "DiagnosticReport", ANNOUNCE, result=[to(theirs)])
    bare = ward.resource("DiagnosticReport", "petit", ANNOUNCE)
    with pytest.raises(Forbidden, match="remove INVISIBLE_PATIENT from Observation"):
        await ward.change("noir", report, bare)
    assert not await ward.is_read_by(person, theirs)
    await ward.change("petit", report, bare)
    assert await ward.is_read_by(person, theirs)


async def test_a_result_that_two_reports_name_may_leave_one(ward: Ward) -> None:
    """No label moves: the other report keeps it."""
    person = await ward.desk.person("lea")
    theirs = await ward.create("roux", "Observation")
    reports = [
        await ward.create("petit", "DiagnosticReport", ANNOUNCE, result=[to(theirs)])
        for _ in range(2)
    ]
    bare = ward.resource("DiagnosticReport", "petit", ANNOUNCE)
    await ward.change("noir", reports[0], bare)
    assert not await ward.is_read_by(person, theirs)


async def test_nobody_shows_a_result_by_deleting_the_report_between(ward: Ward) -> None:
    person, noir = await ward.desk.person("lea"), await ward.desk.professional("noir")
    visit = await ward.create("petit", "Encounter", ANNOUNCE)
    theirs = await ward.create("roux", "Observation")
    report = await ward.create(
        "petit", "DiagnosticReport", encounter=to(visit), result=[to(theirs)]
    )
    with pytest.raises(Forbidden, match="remove INVISIBLE_PATIENT from Observation"):
        await ward.desk.repository.delete(noir, *report.split("/"))
    await ward.create("noir", "Observation", encounter=to(visit))
    assert not await ward.is_read_by(person, theirs)
    await ward.desk.repository.delete(await ward.desk.professional("petit"), *report.split("/"))


async def test_a_nurse_takes_no_report_of_her_own_out_of_a_hidden_visit_with_a_result_of_another(
    ward: Ward,
) -> None:
    visit = await ward.create("petit", "Encounter", ANNOUNCE)
    theirs = await ward.create("roux", "Observation")
    report = ward.resource("DiagnosticReport", "noir", encounter=to(visit), result=[to(theirs)])
    await ward.desk.write({**report, "id": "noir-report"})
    bare = ward.resource("DiagnosticReport", "noir", result=[to(theirs)])
    with pytest.raises(Forbidden, match="remove INVISIBLE_PATIENT from Observation"):
        await ward.change("noir", "DiagnosticReport/noir-report", bare)


async def test_two_reports_that_drop_a_result_at_once_show_it_no_more_than_one(ward: Ward) -> None:
    theirs = await ward.create("roux", "Observation")
    reports = [
        await ward.create("petit", "DiagnosticReport", ANNOUNCE, result=[to(theirs)])
        for _ in range(2)
    ]
    parts = []
    for number, report in enumerate(reports):
        rt, rid = report.split("/")
        body = msgspec.json.encode({**ward.resource(rt, "petit", ANNOUNCE), "id": rid})
        parts.append(Part(number, "PUT", rt, rid, (), None, body))
    noir = await ward.desk.professional("noir")
    with pytest.raises(Forbidden, match="remove INVISIBLE_PATIENT from Observation"):
        await ward.desk.repository.transaction(noir, tuple(parts))


async def test_deleting_the_visit_shows_nothing_of_it(ward: Ward) -> None:
    visit = await ward.create("petit", "Encounter", MASK)
    mine = await ward.create("petit", "Observation", encounter=to(visit))
    petit = await ward.desk.professional("petit")
    await ward.desk.repository.delete(petit, *visit.split("/"))
    assert not await ward.by("noir", mine)
    await ward.change("petit", mine, ward.resource("Observation", "petit"))
    assert not await ward.by("noir", mine)


async def test_a_report_written_again_under_its_id_shows_no_result(ward: Ward) -> None:
    noir = await ward.desk.professional("noir")
    theirs = await ward.create("roux", "Observation")
    report = await ward.create("petit", "DiagnosticReport", SECRET, result=[to(theirs)])
    await ward.desk.repository.delete(noir, *report.split("/"))
    bare = ward.resource("DiagnosticReport", "petit", SECRET)
    refusal = "remove INVISIBLE_REPRESENTANTS_LEGAUX from Observation"
    with pytest.raises(Forbidden, match=refusal):
        await ward.change("noir", report, bare)
    await ward.change("noir", report, {**bare, "result": [to(theirs)]})


async def test_what_others_wait_with_is_not_deleted_before_it_is_announced(ward: Ward) -> None:
    """They would wait until a doctor thinks of them: no job finds a label of what is gone."""
    person, petit = await ward.desk.person("lea"), await ward.desk.professional("petit")
    theirs = await ward.create("roux", "Observation")
    report = await ward.create("petit", "DiagnosticReport", ANNOUNCE, result=[to(theirs)])
    for who in ("noir", "petit"):
        caller = await ward.desk.professional(who)
        with pytest.raises(Conflict, match="remove INVISIBLE_PATIENT from it first"):
            await ward.desk.repository.delete(caller, *report.split("/"))
    rt, rid = report.split("/")
    await ward.desk.repository.relabel(petit, rt, rid, remove=Label.HIDDEN_FROM_PATIENT)
    await ward.desk.repository.delete(petit, rt, rid)
    assert await ward.is_read_by(person, theirs)
    alone = await ward.create("petit", "DiagnosticReport", ANNOUNCE)
    await ward.desk.repository.delete(petit, *alone.split("/"))


async def test_a_report_moved_to_another_record_shows_no_result(ward: Ward) -> None:
    await ward.desk.new_person("leo")
    for body in team_of("leo"):
        await ward.desk.write(body)
    visit = await ward.create("petit", "Encounter", ANNOUNCE)
    theirs = await ward.create("roux", "Observation")
    report = ward.resource("DiagnosticReport", "noir", encounter=to(visit), result=[to(theirs)])
    await ward.desk.write({**report, "id": "noir-moves"})
    moved = {**report, "subject": to("Patient/leo")}
    with pytest.raises(Forbidden, match="remove INVISIBLE_PATIENT from Observation"):
        await ward.change("noir", "DiagnosticReport/noir-moves", moved)
