"""Each other right over HTTP, with the same result as through its page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hygie.domains.rights.fhir.choices import RESEARCH, RESTRICTION, consent_of
from hygie.domains.rights.jobs import erase_what_was_asked
from hygie.domains.rights.model.requests import CODES
from hygie.domains.rights.service.choices import objections
from hygie.domains.rights.tests.conftest import Over
from hygie.domains.rights.tests.test_erasure import deposit
from hygie.domains.rights.tests.test_representatives import speaks_for
from hygie.kernel.api.tests.client import Client
from hygie.testing.factories import observation, patient
from hygie.testing.stories import HELENE, LUCIE, MARC, NORA, PAUL

LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
CHOICE = "https://hygie.example.org/fhir/CodeSystem/choice"
TERMS = "http://terminology.hl7.org/CodeSystem"
Json = dict[str, Any]


def request_for(right: str, who: str, **values: Any) -> Json:
    """Return the Task that the how-to page gives."""
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "proposal",
        "code": {"coding": [{"system": CODES, "code": right}]},
        "for": {"reference": f"Patient/{who}"},
        "requester": {"reference": f"Patient/{who}"},
        "authoredOn": "2026-11-22T09:00:00+01:00",
        **values,
    }


def newcomer(over: Over, name: str) -> Client:
    over.tell(patient("Neuve", name, id=name, ins=""))
    return over.person(name)


def answer(over: Over, who: Client, posted: Json) -> Json:
    """Post a request for erasure, let it be carried out; return the Task as its author reads it."""
    made = who("POST", "Task", posted)
    assert made.status == 201, made.body
    over.run(erase_what_was_asked(over.service.platform))
    told: Json = who("GET", f"Task/{made.json['id']}").json
    return told


def test_an_erasure_removes_what_may_go_and_tells_what_is_kept(over: Over) -> None:
    me = newcomer(over, "fhir-erases")
    mine = deposit("fhir-erases", "Ma lettre")
    who = "Patient/fhir-erases"
    seen = observation(who, "Poids", "29463-7", value=80, unit="kg", day="2020-02-29")
    over.tell(mine, seen)
    posted = request_for("erasure", "fhir-erases", identifier=[{"value": "dossier-7"}])
    told = answer(over, me, posted)
    assert told["status"] == "completed"
    assert "Effacé" in told["statusReason"]["text"]
    assert "Conservé jusqu’au" in told["statusReason"]["text"]
    outputs = {one["type"]["coding"][0]["code"]: one for one in told["output"]}
    assert outputs["own-deposit"]["valueInteger"] > 0
    assert outputs["care-file"]["valueString"] == "2040-02-29"
    assert told["identifier"] == [{"value": "dossier-7"}]
    assert me("GET", f"DocumentReference/{mine['id']}").status == 404
    assert me("GET", f"Observation/{seen['id']}").status == 200


def test_an_erasure_that_the_law_forbids_is_refused_with_its_text(over: Over) -> None:
    me = newcomer(over, "fhir-kept")
    who = "Patient/fhir-kept"
    over.tell(observation(who, "Poids", "29463-7", value=80, unit="kg", day="2026-02-01"))
    told = answer(over, me, request_for("erasure", "fhir-kept"))
    assert told["status"] == "rejected"
    assert "R. 1112-7" in told["statusReason"]["text"]


def test_when_nothing_is_kept_the_request_goes_with_the_record(over: Over) -> None:
    me = newcomer(over, "fhir-forgotten")
    who = "Patient/fhir-forgotten"
    over.tell(observation(who, "Poids", "29463-7", value=80, unit="kg", day="1999-02-01"))
    made = me("POST", "Task", request_for("erasure", "fhir-forgotten")).json
    over.run(erase_what_was_asked(over.service.platform))
    assert me("GET", f"Task/{made['id']}").status == 404
    assert over.operator()("GET", who).status == 404


def test_an_erasure_in_the_name_of_somebody_else_is_refused(over: Over) -> None:
    newcomer(over, "fhir-victim")
    mine = deposit("fhir-victim", "Ma lettre")
    over.tell(mine)
    asked = request_for("erasure", "fhir-victim")
    for other in (over.person(PAUL), over.doctor(HELENE)):
        assert other("POST", "Task", asked).status in (403, 404)
    over.run(erase_what_was_asked(over.service.platform))
    assert over.operator()("GET", f"DocumentReference/{mine['id']}").status == 200


def test_a_doctor_who_asks_for_the_erasure_of_a_patient_gets_nothing_erased(over: Over) -> None:
    mine = deposit(NORA, "Ma lettre")
    over.tell(mine)
    forged = over.doctor(HELENE)("POST", "Task", request_for("erasure", NORA))
    assert forged.status in (201, 403)
    over.run(erase_what_was_asked(over.service.platform))
    assert over.person(NORA)("GET", f"DocumentReference/{mine['id']}").status == 200


def test_a_representative_asks_for_an_erasure_and_a_helper_may_not(over: Over) -> None:
    newcomer(over, "fhir-old")
    over.tell(speaks_for(LUCIE, "fhir-old", "mandate"))
    lucie = over.person(LUCIE)
    by_her = {"requester": {"reference": f"Patient/{LUCIE}"}}
    told = answer(over, lucie, request_for("erasure", "fhir-old", **by_her))
    assert told["status"] == "rejected"
    assert "Rien n’est enregistré" in told["statusReason"]["text"]
    refused = lucie("POST", "Task", request_for("erasure", NORA, **by_her))
    assert (refused.status, refused.issue["code"]) == (403, "forbidden")


def test_a_request_that_cannot_be_read_is_refused_with_what_it_needs(over: Over) -> None:
    me = newcomer(over, "fhir-nameless")
    posted = request_for("erasure", "fhir-nameless")
    del posted["requester"]
    told = answer(over, me, posted)
    assert told["status"] == "rejected"
    assert "Task.requester" in told["statusReason"]["text"]


def test_no_professional_reads_a_request_for_erasure(over: Over) -> None:
    made = over.person(NORA)("POST", "Task", request_for("erasure", NORA))
    assert made.status == 201
    assert over.doctor(HELENE)("GET", f"Task/{made.json['id']}").status == 404
    over.run(erase_what_was_asked(over.service.platform))


def about(item: str, **values: Any) -> Json:
    return request_for(
        "rectification",
        NORA,
        focus={"reference": item},
        description="C’est l’amoxicilline",
        **values,
    )


def test_a_correction_is_asked_made_and_told(over: Over) -> None:
    me, doctor = over.person(NORA), over.doctor(HELENE)
    item = "AllergyIntolerance/penicillin"
    task = me("POST", "Task", about(item, identifier=[{"value": "mine"}])).json
    waiting = doctor("GET", f"Task?code={CODES}|rectification&status=requested").json
    assert task["id"] in [one["resource"]["id"] for one in waiting["entry"]]
    found = doctor("GET", item)
    former = found.json["meta"]["versionId"]
    corrected = {**found.json, "code": {"text": "Amoxicilline"}}
    done = {**task, "status": "completed", "statusReason": {"text": "Corrigé avec vous"}}
    provenance = {
        "resourceType": "Provenance",
        "target": [
            {"reference": f"{item}/_history/{int(former) + 1}"},
            {"reference": f"Patient/{NORA}"},
        ],
        "recorded": "2026-11-22T10:00:00Z",
        "activity": {"coding": [{"system": f"{TERMS}/v3-DataOperation", "code": "UPDATE"}]},
        "reason": [{"text": task["description"]}],
        "agent": [{"who": {"reference": f"Practitioner/{HELENE}"}}],
        "entity": [{"role": "revision", "what": {"reference": f"{item}/_history/{former}"}}],
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": corrected,
                "request": {"method": "PUT", "url": item, "ifMatch": f'W/"{former}"'},
            },
            {"resource": provenance, "request": {"method": "POST", "url": "Provenance"}},
            {
                "resource": done,
                "request": {"method": "PUT", "url": f"Task/{task['id']}", "ifMatch": 'W/"1"'},
            },
        ],
    }
    reply = doctor("POST", "", bundle)
    assert reply.status == 200, reply.body
    told = me("GET", f"Task/{task['id']}").json
    assert (told["status"], told["statusReason"]["text"]) == ("completed", "Corrigé avec vous")
    assert told["identifier"] == [{"value": "mine"}]
    assert me("GET", item).json["code"] == {"text": "Amoxicilline"}
    assert me("GET", f"Provenance?target={item}").json["total"] == 1


def test_a_correction_is_refused_with_a_reason(over: Over) -> None:
    me, doctor = over.person(NORA), over.doctor(HELENE)
    task = me("POST", "Task", about("Condition/diabetes")).json
    refused = {**task, "status": "rejected", "statusReason": {"text": "Trois bilans le confirment"}}
    path = f"Task/{task['id']}"
    assert doctor("PUT", path, refused, {"If-Match": 'W/"1"'}).status == 200
    assert me("GET", path).json["statusReason"]["text"] == "Trois bilans le confirment"
    assert doctor("PUT", path, refused, {"If-Match": 'W/"1"'}).status == 412


def test_who_only_reads_and_who_is_a_stranger_ask_no_correction(over: Over) -> None:
    for who in (LUCIE, PAUL):
        asked = about("Condition/diabetes", requester={"reference": f"Patient/{who}"})
        assert over.person(who)("POST", "Task", asked).status in (403, 404)


def choice_of(me: str, choice: str) -> Json:
    now = datetime.now(UTC) - timedelta(seconds=2)
    return consent_of(choice, patient=me, by=f"Patient/{me}", at=now, active=True)


def test_a_restriction_closes_the_record_on_the_next_request(over: Over) -> None:
    me, doctor = over.person(NORA), over.doctor(HELENE)
    assert doctor("GET", f"Patient/{NORA}").status == 200
    made = me("POST", "Consent", choice_of(NORA, RESTRICTION))
    assert made.status == 201, made.body
    assert doctor("GET", f"Patient/{NORA}").status == 404
    assert me("GET", f"Patient/{NORA}").status == 200
    ended = {**made.json, "status": "inactive"}
    assert me("PUT", f"Consent/{made.json['id']}", ended).status == 200
    assert doctor("GET", f"Patient/{NORA}").status == 200


def test_an_objection_leaves_the_person_out_of_the_next_release(over: Over) -> None:
    async def left_out() -> list[str]:
        return [one async for one in objections(over.service.repository)]

    me = over.person(PAUL)
    assert f"Patient/{PAUL}" not in over.run(left_out())
    made = me("POST", "Consent", choice_of(PAUL, RESEARCH))
    assert made.status == 201, made.body
    assert f"Patient/{PAUL}" in over.run(left_out())
    assert (
        me("PUT", f"Consent/{made.json['id']}", {**made.json, "status": "inactive"}).status == 200
    )
    assert f"Patient/{PAUL}" not in over.run(left_out())


@pytest.mark.parametrize("choice", [RESTRICTION, RESEARCH])
def test_nobody_else_states_or_withdraws_a_choice(over: Over, choice: str) -> None:
    made = over.person(PAUL)("POST", "Consent", choice_of(PAUL, choice)).json
    others = (over.doctor(HELENE), over.person(LUCIE), over.person(NORA))
    for other in others:
        assert other("POST", "Consent", choice_of(PAUL, choice)).status in (403, 404)
        changed = {**made, "status": "inactive"}
        assert other("PUT", f"Consent/{made['id']}", changed).status in (403, 404)
        assert other("DELETE", f"Consent/{made['id']}").status in (403, 404)
    done = over.person(PAUL)("PUT", f"Consent/{made['id']}", {**made, "status": "inactive"})
    assert done.status == 200


def test_a_block_closes_the_record_to_one_professional(over: Over) -> None:
    me, nurse, doctor = over.person(NORA), over.doctor(MARC), over.doctor(HELENE)
    assert nurse("GET", f"Patient/{NORA}").status == 200
    block = choice_of(NORA, "block")
    block["provision"]["actor"] = [
        {
            "role": {"coding": [{"system": CHOICE, "code": "block"}]},
            "reference": {"reference": f"Practitioner/{MARC}"},
        }
    ]
    made = me("POST", "Consent", block)
    assert made.status == 201, made.body
    assert nurse("GET", f"Patient/{NORA}").status == 404
    assert doctor("GET", f"Patient/{NORA}").status == 200
    assert (
        me("PUT", f"Consent/{made.json['id']}", {**made.json, "status": "inactive"}).status == 200
    )
    assert nurse("GET", f"Patient/{NORA}").status == 200


def meta(code: str) -> Json:
    value = {"security": [{"system": LABELS, "code": code}]}
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": value}]}


def test_a_mask_hides_a_document_and_is_taken_off(over: Over) -> None:
    me, nurse = over.person(NORA), over.doctor(MARC)
    item = "Immunization?patient=" + NORA
    found = nurse("GET", item).json
    one = f"Immunization/{found['entry'][0]['resource']['id']}"
    assert me("POST", f"{one}/$meta-add", meta("MASQUE_PS")).status == 200
    assert nurse("GET", one).status == 404
    assert nurse("GET", item).json["total"] == found["total"] - 1
    assert nurse("POST", f"{one}/$meta-delete", meta("MASQUE_PS")).status == 404
    assert me("POST", f"{one}/$meta-delete", meta("MASQUE_PS")).status == 200
    assert nurse("GET", one).status == 200


def test_the_person_reads_who_looked_and_others_do_not(over: Over) -> None:
    over.doctor(HELENE)("GET", "Condition/diabetes")
    found = over.person(NORA)("GET", f"AuditEvent?patient=Patient/{NORA}").json
    agents = {
        agent["who"].get("reference")
        for entry in found["entry"]
        for agent in entry["resource"]["agent"]
        if "who" in agent
    }
    assert f"Practitioner/{HELENE}" in agents
    others = over.person(PAUL)("GET", f"AuditEvent?patient=Patient/{NORA}")
    assert others.status in (403, 404) or not others.json.get("entry")
    assert over.person(NORA)("POST", "AuditEvent", {"resourceType": "AuditEvent"}).status == 405
