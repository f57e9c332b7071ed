"""The daily job on the real log and the real store: explanations, flags, the list."""

from __future__ import annotations

from typing import Any

import pytest

from hygie.domains.oversight.service import daily
from hygie.domains.oversight.tests.conftest import AT, DAY, HOSPITAL, Ward, ago
from hygie.kernel.fhir.names import type_number


def _appointment(rid: str, patient: str, day: str, actor: str) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": rid,
        "status": "booked",
        "start": f"{day}T09:00:00+01:00",
        "end": f"{day}T09:30:00+01:00",
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": actor}, "status": "accepted"},
        ],
    }


def _encounter(rid: str, patient: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": rid,
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": f"{day}T08:00:00+01:00", "end": f"{day}T18:00:00+01:00"},
        "serviceProvider": {"reference": f"Organization/{HOSPITAL}"},
    }


async def test_a_neighbour_without_a_reason_is_listed_with_that_reason(ward: Ward) -> None:
    reader = await ward.professional("anna", line="4 rue des Lilas")
    patient = await ward.patient("zoe", line="12 rue des Lilas")
    await ward.look("anna", "zoe")
    found = await ward.score()
    assert found[reader, patient] == (10.0, ["neighbour"])


@pytest.mark.parametrize(
    ("family", "line", "reason"),
    [("Briand", "", "same-name"), ("Morel", "4 rue des Lilas", "household")],
)
async def test_a_relative_is_known_by_name_or_by_address(
    ward: Ward, family: str, line: str, reason: str
) -> None:
    reader = await ward.professional("anna", line="4 rue des Lilas")
    patient = await ward.patient("zoe", family=family, line=line)
    await ward.look("anna", "zoe")
    assert (await ward.score())[reader, patient][1] == [reason]


async def test_the_record_of_a_colleague_is_known_by_the_name(ward: Ward) -> None:
    reader = await ward.professional("anna")
    await ward.professional("luc", family="Tanguy")
    patient = await ward.patient("luc", family="Tanguy")
    await ward.look("anna", "luc")
    assert (await ward.score())[reader, patient][1] == ["colleague"]


@pytest.mark.parametrize("day", ["2026-11-18", "2026-11-25", "2026-11-01"])
async def test_an_appointment_around_the_date_explains(ward: Ward, day: str) -> None:
    await ward.professional("anna", line="4 rue des Lilas")
    await ward.patient("zoe", line="12 rue des Lilas")
    await ward.write(_appointment("a", "zoe", day, "Practitioner/anna"))
    await ward.look("anna", "zoe")
    assert await ward.score() == {}


async def test_an_old_appointment_explains_nothing(ward: Ward) -> None:
    reader = await ward.professional("anna", line="4 rue des Lilas")
    patient = await ward.patient("zoe", line="12 rue des Lilas")
    await ward.write(_appointment("a", "zoe", "2026-09-01", "Practitioner/anna"))
    await ward.look("anna", "zoe")
    assert (reader, patient) in await ward.score()


async def test_a_stay_in_the_structure_explains_in_part(ward: Ward) -> None:
    reader = await ward.professional("anna", line="4 rue des Lilas")
    patient = await ward.patient("zoe", line="4 rue des Lilas", family="Briand")
    await ward.write(_encounter("e", "zoe", "2026-11-17"))
    await ward.look("anna", "zoe")
    score, reasons = (await ward.score())[reader, patient]
    assert score == pytest.approx(0.1 * 25 * 8)
    assert reasons == ["household", "same-name"]


async def test_what_one_writes_explains_what_one_reads(ward: Ward) -> None:
    await ward.professional("anna", line="4 rue des Lilas")
    await ward.patient("zoe", line="12 rue des Lilas")
    await ward.look("anna", "zoe", wrote=True)
    assert await ward.score() == {}


async def test_the_care_team_explains_while_one_belongs_to_it_and_is_a_flag_afterwards(
    ward: Ward,
) -> None:
    reader = await ward.professional("anna")
    patient = await ward.patient("zoe")
    await ward.write(
        {
            "resourceType": "CareTeam",
            "id": "team",
            "status": "active",
            "subject": {"reference": "Patient/zoe"},
            "participant": [
                {
                    "member": {"reference": "Practitioner/anna"},
                    "period": {"start": "2026-10-01", "end": ago(3).isoformat()},
                }
            ],
        }
    )
    await ward.look("anna", "zoe", day=ago(4))
    await ward.look("anna", "zoe")
    assert await ward.score(ago(4)) == {}
    assert (await ward.score())[reader, patient][1] == ["former"]


async def test_who_comes_back_without_writing_is_flagged(ward: Ward) -> None:
    reader = await ward.professional("anna")
    patient = await ward.patient("zoe")
    for back in (4, 2, 0):
        await ward.look("anna", "zoe", day=ago(back))
        found = await ward.score(ago(back))
    assert found[reader, patient] == (16.0, ["repeated"])


async def test_a_day_is_scored_once_and_leaves_one_trace_with_its_patients(ward: Ward) -> None:
    await ward.professional("anna")
    patient = await ward.patient("zoe")
    await ward.look("anna", "zoe")
    first = await daily.score_day(ward.repository, DAY, at=AT)
    second = await daily.score_day(ward.repository, DAY, at=AT)
    assert (first.pairs, second.pairs) == (1, 0)
    async with ward.log.connection() as connection:
        rows = await connection.fetch("SELECT pats FROM trace WHERE agent = 'job/oversight'")
    assert [row["pats"] for row in rows if row["pats"]] == [[patient]]


async def test_the_job_scores_yesterday_then_every_day_it_missed(ward: Ward) -> None:
    done = await daily.run(ward.repository, at=AT)
    again = await daily.run(ward.repository, at=AT.replace(day=22))
    assert [one.day for one in done] == [DAY]
    assert [one.day.day for one in again] == [19, 20, 21]


async def test_the_reading_of_the_log_is_no_access_to_explain(ward: Ward) -> None:
    await ward.professional("anna", line="4 rue des Lilas")
    await ward.patient("zoe", line="12 rue des Lilas")
    await ward.look("anna", "zoe")
    async with ward.log.connection() as connection:
        await connection.execute("UPDATE trace SET rt = $1", type_number("AuditEvent"))
    assert await ward.score() == {}
