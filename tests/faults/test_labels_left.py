"""Labels over HTTP that a visit left on its results when it was deleted: lifted by rule, each."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from hygie.kernel.api.tests.client import Client
from hygie.testing import stories
from tests.faults.test_rules_over_http import (
    ANNOUNCE,
    LABELS,
    LIFTS,
    MASK,
    PATIENT,
    PROFESSIONS,
    SECRET,
    House,
    house,
    label,
    of_age,
    patient,
    registering,
)

__all__ = ["house", "registering"]

Json = dict[str, Any]
AUTHOR = {"reference": "Practitioner/rules-author"}
_numbers = count(1)


def visit(house: House, *codes: str, whose: str = PATIENT) -> str:
    """Store a visit that the author wrote; return the reference."""
    rid = f"left-visit-{next(_numbers)}"
    security = [{"system": LABELS, "code": code} for code in codes]
    house.put(
        {
            "resourceType": "Encounter", "id": rid, "status": "finished",
            "class": {"code": "AMB"}, "subject": {"reference": f"Patient/{whose}"},
            "participant": [{"individual": AUTHOR}],
            **({"meta": {"security": security}} if security else {}),
        }
    )  # fmt: skip
    return f"Encounter/{rid}"


def result(house: House, encounter: str, *codes: str, whose: str = PATIENT) -> str:
    """Store a result of a visit that the author wrote; return the reference."""
    reference = house.result(*codes, patient=whose)
    body = house.operator()("GET", reference).json
    house.put({**body, "encounter": {"reference": encounter}})
    return reference


def left(house: House, *codes: str, whose: str = PATIENT) -> str:
    """Return a result that is labelled by a visit that was deleted, and by nothing else."""
    encounter = visit(house, *codes, whose=whose)
    reference = result(house, encounter, whose=whose)
    assert house.operator()("DELETE", encounter).status == 204
    return reference


def version(client: Client, reference: str) -> str:
    return str(client("GET", reference).json["meta"]["versionId"])


def test_the_person_lifts_the_mask_that_a_deleted_visit_left(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    encounter = visit(house)
    reference, other = result(house, encounter), result(house, encounter)
    assert label(me, encounter, "add", MASK).status == 200
    assert house.professional("rules-author")("DELETE", encounter).status == 204
    assert nurse("GET", reference).status == 404
    lifted = label(me, reference, "delete", MASK)
    assert lifted.status == 200, lifted.body
    assert version(me, reference) == "3"
    assert nurse("GET", reference).status == nurse("GET", f"{reference}/_history/1").status == 200
    # What else the visit left is lifted for itself.
    assert nurse("GET", other).status == 404


def test_a_change_of_the_item_lifts_nothing(house: House) -> None:
    me, author = house.person(PATIENT), house.professional("rules-author")
    reference, nurse = left(house, MASK), house.professional("rules-nurse")
    body = author("GET", reference).json
    del body["encounter"]
    assert author("PUT", reference, body).status == 200
    assert label(me, reference, "delete", SECRET).status in (200, 403)
    assert nurse("GET", reference).status == 404


@pytest.mark.parametrize("name", [*PROFESSIONS, "author"])
@pytest.mark.parametrize("code", LIFTS)
def test_who_of_the_team_lifts_what_was_left_is_who_lifts_the_label(
    house: House, name: str, code: str
) -> None:
    reference, client = left(house, code), house.professional(f"rules-{name}")
    may = name in LIFTS[code]
    before = version(client, reference)
    reply = label(client, reference, "delete", code)
    assert reply.status == (200 if may else 403), reply.body
    assert (version(client, reference) != before) is may
    if code == ANNOUNCE:
        assert house.person(PATIENT)("GET", reference).status == (200 if may else 404)


def test_who_may_lift_neither_reads_nor_lifts_what_was_left_masked(house: House) -> None:
    reference, doctor = left(house, MASK), house.professional("rules-doctor")
    assert label(doctor, reference, "delete", MASK).status == 404


def test_the_person_lifts_nothing_that_was_left_to_be_announced(house: House) -> None:
    reference, me = left(house, ANNOUNCE, MASK), house.person(PATIENT)
    assert label(me, reference, "delete", ANNOUNCE).status == 404
    assert label(me, reference, "delete", MASK).status == 404


@pytest.mark.parametrize(("years", "status"), [(15, 403), (16, 200)])
def test_a_minor_lifts_the_secret_that_was_left_and_a_parent_does_not(
    house: House, years: int, status: int
) -> None:
    child, mother = f"left-child-{years}", f"left-mother-{years}"
    parent = stories.choice(child, "representative", "permit")
    parent["provision"]["actor"] = [
        {
            "role": {"coding": [{"system": stories.STANDING, "code": "parent"}]},
            "reference": {"reference": f"Patient/{mother}"},
        }
    ]
    house.put(patient(child, of_age(years)), patient(mother, "1980-05-05"), parent)
    shown, reference = house.result(patient=child), left(house, SECRET, whose=child)
    assert house.person(mother)("GET", shown).status == 200
    assert label(house.person(mother), reference, "delete", SECRET).status == 404
    assert label(house.person(child), reference, "delete", SECRET).status == status
    assert house.person(mother)("GET", reference).status == (200 if status == 200 else 404)


def test_lifting_one_label_that_was_left_keeps_the_others(house: House) -> None:
    author, nurse = house.professional("rules-author"), house.professional("rules-nurse")
    reference = left(house, MASK, ANNOUNCE)
    assert label(author, reference, "delete", ANNOUNCE).status == 200
    assert house.person(PATIENT)("GET", reference).status == 200
    assert nurse("GET", reference).status == 404


def test_two_labels_that_two_rules_lift_take_two_requests(house: House) -> None:
    """A doctor announces what was left, and does not lift the secrecy with it."""
    reference, doctor = left(house, SECRET, ANNOUNCE), house.professional("rules-doctor")
    security = [{"system": LABELS, "code": code} for code in (SECRET, ANNOUNCE)]
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": security}}],
    }
    assert doctor("POST", f"{reference}/$meta-delete", body).status == 403
    assert label(doctor, reference, "delete", ANNOUNCE).status == 200


def test_a_visit_that_stands_keeps_its_results_masked(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    reference = result(house, visit(house, MASK))
    before = version(me, reference)
    assert label(me, reference, "delete", MASK).status == 200
    assert version(me, reference) == before
    assert nurse("GET", reference).status == 404


def test_what_a_standing_visit_masks_too_stays_masked(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    reference = left(house, MASK)
    body = house.operator()("GET", reference).json
    stands = visit(house, MASK)
    house.put({**body, "encounter": {"reference": stands}})
    assert label(me, reference, "delete", MASK).status == 200
    assert nurse("GET", reference).status == 404
    assert label(me, stands, "delete", MASK).status == 200
    assert nurse("GET", reference).status == 200


def test_its_own_mask_and_the_one_that_was_left_are_lifted_together(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    encounter = visit(house, MASK)
    reference = result(house, encounter, MASK)
    assert house.operator()("DELETE", encounter).status == 204
    assert label(me, reference, "delete", MASK).status == 200
    assert nurse("GET", reference).status == 200


def test_lifting_names_the_version_it_was_decided_on(house: House) -> None:
    me, reference = house.person(PATIENT), left(house, MASK)
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "meta", "valueMeta": {"security": [{"system": LABELS, "code": MASK}]}}
        ],
    }
    path = f"{reference}/$meta-delete"
    assert me("POST", path, body, {"If-Match": 'W/"1"'}).status == 412
    assert me("POST", path, body, {"If-Match": 'W/"2"'}).status == 200


def test_lifting_what_was_left_is_traced_with_its_rule(house: House) -> None:
    me, reference = house.person(PATIENT), left(house, MASK)
    assert label(me, reference, "delete", MASK).status == 200
    assert label(house.professional("rules-nurse"), reference, "add", MASK).status == 403
    found = house.operator()("GET", f"AuditEvent?entity={reference}&_count=100").json
    assert "own-adult-record" in str(found)


def test_what_a_visit_left_when_it_moved_to_another_record_is_lifted_too(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    author = house.professional("rules-author")
    encounter = visit(house, MASK)
    reference = result(house, encounter)
    house.put(patient("left-other"))
    body = house.operator()("GET", encounter).json
    house.put({**body, "subject": {"reference": "Patient/left-other"}})
    assert nurse("GET", reference).status == 404
    corrected = {**author("GET", reference).json, "code": {"text": "y"}}
    assert author("PUT", reference, corrected).status == 200
    assert nurse("GET", reference).status == 404
    assert label(me, reference, "delete", MASK).status == 200
    assert nurse("GET", reference).status == 200


def test_a_visit_that_is_written_again_masks_again(house: House) -> None:
    me, nurse = house.person(PATIENT), house.professional("rules-nurse")
    encounter = visit(house, MASK)
    body = house.operator()("GET", encounter).json
    reference = result(house, encounter)
    assert house.operator()("DELETE", encounter).status == 204
    assert label(me, reference, "delete", MASK).status == 200
    house.put(body)
    assert nurse("GET", reference).status == 404
