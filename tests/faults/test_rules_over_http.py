"""What each profession, a child and a relative change over HTTP: labels, identity, choices."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from hygie.kernel.api.tests.client import Client, Reply
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import Kind, Right
from hygie.testing import stories
from hygie.testing.service import Service

Json = dict[str, Any]
LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
ANNOUNCE, SECRET, MASK = "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS"
INS = "urn:oid:1.2.250.1.213.1.4.10"
PROFESSIONS = {
    "doctor": "10", "pharmacist": "21", "dentist": "40", "midwife": "50", "nurse": "60",
}  # fmt: skip
PATIENT = "rules-iris"
_numbers = count(1)


@pytest.fixture(scope="module")
def registering() -> Callable[[Platform], None]:
    """Give the service every domain and the law they make together."""
    return lambda platform: discover(platform, "hygie.domains")


@dataclass(frozen=True)
class House:
    """The service, a patient, and a team with one of each profession; ``author`` wrote all."""

    service: Service

    def operator(self) -> Client:
        return Client(self.service, self.service.token())

    def person(self, rid: str) -> Client:
        caller = replace(self.service.caller(Kind.PATIENT, f"Patient/{rid}"), purpose="PATRQT")
        return Client(self.service, self.service.token(caller))

    def professional(self, rid: str, *rights: Right) -> Client:
        caller = self.service.caller(Kind.PROFESSIONAL, f"Practitioner/{rid}")
        return Client(self.service, self.service.token(replace(caller, rights=frozenset(rights))))

    def put(self, *resources: Json) -> None:
        for one in resources:
            reply = self.operator()("PUT", f"{one['resourceType']}/{one['id']}", one)
            assert reply.status in (200, 201), reply.body

    def result(self, *codes: str, patient: str = PATIENT) -> str:
        """Store a result that the author wrote; return the reference."""
        rid = f"rules-result-{next(_numbers)}"
        security = [{"system": LABELS, "code": code} for code in codes]
        self.put(
            {
                "resourceType": "Observation", "id": rid, "status": "final",
                "category": [{"coding": [{"code": "laboratory"}]}], "code": {"text": "x"},
                "subject": {"reference": f"Patient/{patient}"},
                "performer": [{"reference": "Practitioner/rules-author"}],
                **({"meta": {"security": security}} if security else {}),
            }
        )  # fmt: skip
        return f"Observation/{rid}"


def label(client: Client, reference: str, way: str, code: str) -> Reply:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "meta", "valueMeta": {"security": [{"system": LABELS, "code": code}]}}
        ],
    }
    return client("POST", f"{reference}/$meta-{way}", body)


def of_age(years: int) -> str:
    today = datetime.now(UTC).date()
    return (today - timedelta(days=int(years * 365.25) + 30)).isoformat()


def patient(rid: str, birth: str = "1950-05-05") -> Json:
    return {
        "resourceType": "Patient", "id": rid, "birthDate": birth, "gender": "female",
        "identifier": [{"system": INS, "value": "279035121518989"}],
        "name": [
            {"use": "official", "family": "Leroy", "given": ["Iris"]},
            {"use": "usual", "family": "Roux"},
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def house(service: Service) -> House:
    found = House(service)
    people = [f"rules-{name}" for name in PROFESSIONS]
    for name, code in {**PROFESSIONS, "author": "10"}.items():
        found.put(
            *stories.practitioner(f"rules-{name}", name, "A", profession=code, at="rules-house")
        )
    found.put(
        patient(PATIENT),
        stories.choice(PATIENT, "care-team", "permit"),
        {
            "resourceType": "CareTeam", "id": "rules-team", "status": "active",
            "subject": {"reference": f"Patient/{PATIENT}"},
            "participant": [
                {"member": {"reference": f"Practitioner/{one}"}, "period": {"start": "2024-01-05"}}
                for one in [*people, "rules-author"]
            ],
        },
    )  # fmt: skip
    return found


SETS = {ANNOUNCE: {"doctor", "author"}, SECRET: {"doctor", "midwife", "nurse", "author"},
        MASK: {"author"}}  # fmt: skip
LIFTS = {ANNOUNCE: {"doctor", "dentist", "midwife", "author"}, SECRET: {"author"}}


@pytest.mark.parametrize("name", [*PROFESSIONS, "author"])
@pytest.mark.parametrize("code", SETS)
def test_who_of_the_team_sets_a_label(house: House, name: str, code: str) -> None:
    reply = label(house.professional(f"rules-{name}"), house.result(), "add", code)
    assert reply.status == (200 if name in SETS[code] else 403), reply.body


@pytest.mark.parametrize("name", [*PROFESSIONS, "author"])
@pytest.mark.parametrize("code", LIFTS)
def test_who_of_the_team_lifts_a_label(house: House, name: str, code: str) -> None:
    reply = label(house.professional(f"rules-{name}"), house.result(code), "delete", code)
    assert reply.status == (200 if name in LIFTS[code] else 403), reply.body


@pytest.mark.parametrize("name", PROFESSIONS)
def test_content_moves_no_label_that_meta_would_not(house: House, name: str) -> None:
    """A PUT without labels, or by another author, opens only what ``$meta-delete`` would."""
    for code, lifts in LIFTS.items():
        client, reference = house.professional(f"rules-{name}"), house.result(code)
        body = client("GET", reference).json
        bare = {one: value for one, value in body.items() if one != "meta"}
        signed = {**body, "performer": [{"reference": f"Practitioner/rules-{name}"}]}
        for changed in (signed, bare):
            reply = client("PUT", reference, changed)
            assert reply.status == (200 if name in lifts else 403), reply.body


def test_a_person_neither_sees_nor_lifts_what_waits(house: House) -> None:
    me, reference = house.person(PATIENT), house.result(ANNOUNCE)
    absent = "Observation/rules-none"
    for way in ("add", "delete"):
        one, other = (label(me, what, way, ANNOUNCE) for what in (reference, absent))
        assert one.status == other.status == 404
        assert one.body.replace(reference.encode(), b"") == other.body.replace(absent.encode(), b"")
    assert label(me, house.result(), "add", MASK).status == 200
    assert label(me, house.result(), "add", ANNOUNCE).status == 403


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"gender": "male"}, 403),
        ({"birthDate": "1950-05-06"}, 403),
        ({"identifier": []}, 403),
        ({"active": False}, 403),
        ({"link": [{"other": {"reference": "Patient/rules-other"}, "type": "replaced-by"}]}, 403),
        ({"name": [{"use": "official", "family": "Autre", "given": ["Iris"]}]}, 403),
        ({"name": [{"family": "Sans usage"}]}, 403),
        ({"telecom": [{"value": "0100000000"}]}, 200),
    ],
)
def test_a_team_changes_no_identity(house: House, changed: Json, status: int) -> None:
    for name in ("doctor", "nurse"):
        client = house.professional(f"rules-{name}")
        body = {**client("GET", f"Patient/{PATIENT}").json, **changed}
        body = {name: value for name, value in body.items() if value != []}
        assert client("PUT", f"Patient/{PATIENT}", body).status == status


def test_a_used_name_is_changed_by_the_team_and_the_rest_by_who_identifies(house: House) -> None:
    nurse = house.professional("rules-nurse")
    desk = house.professional("rules-nurse", Right.IDENTIFY)
    body = nurse("GET", f"Patient/{PATIENT}").json
    official = body["name"][0]
    used = {**body, "name": [official, {"use": "usual", "family": "Morel"}]}
    assert nurse("PUT", f"Patient/{PATIENT}", used).status == 200
    assert desk("PUT", f"Patient/{PATIENT}", {**used, "gender": "other"}).status == 200
    house.put(patient(PATIENT))


def test_no_team_deletes_a_patient_by_any_way(house: House) -> None:
    nurse = house.professional("rules-nurse")
    entry = {"request": {"method": "DELETE", "url": f"Patient/{PATIENT}"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    batch = {**bundle, "type": "batch"}
    assert nurse("DELETE", f"Patient/{PATIENT}").status == 403
    assert nurse("DELETE", f"Patient?_id={PATIENT}").status in (403, 405, 412)
    assert nurse("POST", "", bundle).status == 403
    answered = nurse("POST", "", batch)
    assert json.loads(answered.body)["entry"][0]["response"]["status"].startswith("403")
    assert nurse("GET", f"Patient/{PATIENT}").status == 200


@pytest.mark.parametrize(("years", "status"), [(10, 403), (15, 403), (16, 201), (17, 201)])
def test_a_minor_decides_from_sixteen_on(house: House, years: int, status: int) -> None:
    rid = f"rules-child-{years}"
    house.put(patient(rid, of_age(years)))
    me = house.person(rid)
    body = {name: value for name, value in
            stories.choice(rid, "care-team", "permit").items() if name != "id"}  # fmt: skip
    assert me("POST", "Consent", body).status == status
    if status == 201:
        assert me("PUT", f"Patient/{rid}", patient(rid, "1980-01-01")).status == 403
    mine = house.result(patient=rid)
    assert label(me, mine, "add", SECRET).status == (200 if status == 201 else 403)
