"""Search by name of each kind and modifier; what is refused; pages that stay put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import pytest

from hygie.kernel.errors import InvalidRequest, NotSupported, TooCostly
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.kernel.store.tests.conftest import encode, put

Json = dict[str, Any]
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
GENDER = "http://hl7.org/fhir/administrative-gender"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"

RECORDS: list[Json] = [
    {
        "resourceType": "Patient",
        "id": "nora",
        "active": True,
        "identifier": [
            {
                "type": {"coding": [{"system": TYPES, "code": "MR"}]},
                "system": "urn:hospital",
                "value": "446,053",
            },
            {"value": "none"},
        ],
        "name": [{"family": "Le Gall", "given": ["Élodie", "Nora"]}],
        "gender": "female",
        "birthDate": "1959-05-12",
        "managingOrganization": {"identifier": {"system": "urn:finess", "value": "290000017"}},
    },
    {
        "resourceType": "Patient",
        "id": "paul",
        "name": [{"family": "100%_Gall\\e", "given": ["Paul"]}],
        "gender": "male",
        "birthDate": "1948",
    },
    {"resourceType": "Group", "id": "g", "type": "person", "actual": True},
    {
        "resourceType": "Observation",
        "id": "pressure",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
        "subject": {"reference": "Patient/nora"},
        "effectiveDateTime": "2024-02-29T10:00:00+01:00",
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", 140), ("8462-4", 90))
        ],
    },
    {
        "resourceType": "Observation",
        "id": "creatinine",
        "status": "preliminary",
        "code": {"coding": [{"system": LOINC, "code": "2160-0"}, {"code": "local"}]},
        "subject": {"reference": "Group/g"},
        "performer": [{"reference": "Patient/nora"}],
        "effectivePeriod": {"start": "2024-01-01", "end": "2024-03-31"},
        "valueQuantity": {"value": 88.4, "unit": "micromole/L", "system": UCUM, "code": "umol/L"},
    },
    {
        "resourceType": "Observation",
        "id": "note",
        "meta": {"tag": [{"system": "urn:t", "code": "demo"}], "profile": ["http://p.test/A"]},
        "status": "final",
        "code": {"text": "remark"},
        "subject": {"reference": "https://other.test/fhir/Patient/nora"},
        "valueString": "Saint-Étienne, l'hiver",
    },
    {
        "resourceType": "RiskAssessment",
        "id": "risk",
        "status": "final",
        "subject": {"reference": "Patient/nora"},
        "prediction": [{"probabilityDecimal": 0.125}],
    },
    {"resourceType": "ValueSet", "id": "vs", "status": "draft", "url": "http://p.test/vs"},
]


@pytest.fixture(scope="module")
async def records(repository: Repository) -> Repository:
    for one in RECORDS:
        await put(repository, one)
    return repository


async def ids(repository: Repository, rt: str, pairs: Sequence[tuple[str, str]]) -> set[str]:
    found = await repository.search(SYSTEM, rt, [*pairs])
    return {entry.stored.rid for entry in found.entries}


TABLE = r"""
string                 | Patient        | family=le-gall                               | nora
string, any part       | Patient        | name=nora                                    | nora
string, accents        | Patient        | given=ELODIE                                 | nora
string, wildcards      | Patient        | family=100%25_                               | paul
string, no wildcard    | Patient        | family=1%25                                  |
string, backslash      | Patient        | family=100%25_gall\\e                        | paul
string :exact          | Patient        | family:exact=Le Gall                         | nora
string :exact, case    | Patient        | family:exact=le gall                         |
string :contains       | Patient        | family:contains=gall                         | nora paul
string :missing        | Patient        | address:missing=true                         | nora paul
string, or             | Patient        | given=paul,elodie                            | nora paul
string, and            | Patient        | given=nora&given=elodie                      | nora
string, comma          | Observation    | value-string=saint-etienne\, l               | note
token                  | Patient        | gender=female                                | nora
token, system          | Patient        | gender={gender}!male                         | paul
token, system only     | Patient        | gender={gender}!                             | nora paul
token, boolean         | Patient        | active=true                                  | nora
token, identifier      | Patient        | identifier=urn:hospital!446\,053             | nora
token, any system      | Patient        | identifier=446\,053                          | nora
token, no system       | Patient        | identifier=!none                             | nora
token, no such system  | Patient        | identifier=!446\,053                         |
token, coded           | Observation    | code=http://loinc.org!2160-0                 | creatinine
token, second coding   | Observation    | code=local                                   | creatinine
token :not             | Observation    | status:not=final                             | creatinine
token :not, or         | Observation    | code:not=2160-0,85354-9                      | note
token :missing         | Patient        | active:missing=true                          | paul
token :of-type         | Patient        | identifier:of-type={types}!MR!446\,053       | nora
token :of-type, other  | Patient        | identifier:of-type={types}!SS!446\,053       |
reference              | Observation    | subject=Patient/nora                         | pressure
reference, id          | Observation    | subject=nora                                 | pressure
reference, type        | Observation    | subject:Patient=nora                         | pressure
reference, other type  | Observation    | subject=Group/g                              | creatinine
reference, absolute    | Observation    | subject=https://other.test/fhir/Patient/nora | note
reference, patient     | Observation    | patient=nora                                 | pressure
reference, performer   | Observation    | performer=Patient/nora                       | creatinine
reference :identifier  | Patient        | organization:identifier=urn:finess!290000017 | nora
reference :missing     | Observation    | performer:missing=false                      | creatinine
date                   | Patient        | birthdate=1959-05-12                         | nora
date, year             | Patient        | birthdate=1959                               | nora
date, wider than asked | Patient        | birthdate=1948-03                            |
date, prefixes         | Patient        | birthdate=lt1950                             | paul
date, both ends        | Patient        | birthdate=ge1950&birthdate=lt1960            | nora
date, instant          | Observation    | date=2024-02-29T09:00:00Z                    | pressure
date, period           | Observation    | date=ge2024-03-15                            | creatinine
date, ends before      | Observation    | date=eb2024-03-01                            | pressure
date, starts after     | Observation    | date=sa2024-01-31                            | pressure
date :missing          | Observation    | date:missing=true                            | note
number                 | RiskAssessment | probability=0.125                            | risk
number, precision      | RiskAssessment | probability=0.13                             | risk
number, too precise    | RiskAssessment | probability=0.1250                           | risk
number, prefix         | RiskAssessment | probability=gt0.125                          |
number, about          | RiskAssessment | probability=ap0.13                           | risk
quantity               | Observation    | value-quantity=88.4                          | creatinine
quantity, unit         | Observation    | value-quantity=88.4!{ucum}!umol/L            | creatinine
quantity, converted    | Observation    | value-quantity=0.0884!{ucum}!mmol/L          | creatinine
quantity, read unit    | Observation    | value-quantity=88.4!!micromole/L             | creatinine
quantity, other unit   | Observation    | value-quantity=88.4!{ucum}!mg                |
quantity, prefix       | Observation    | combo-value-quantity=gt100                   | pressure
uri                    | ValueSet       | url=http://p.test/vs                         | vs
uri, part              | ValueSet       | url=http://p.test                            |
composite              | Observation    | component-code-value-quantity=8480-6$gt120   | pressure
composite, crossed     | Observation    | component-code-value-quantity=8462-4$gt120   |
composite, whole       | Observation    | code-value-quantity=2160-0$gt80              | creatinine
composite, combo       | Observation    | combo-code-value-quantity=8480-6$140         | pressure
_id                    | Patient        | _id=nora,nobody                              | nora
_lastUpdated           | Patient        | _lastUpdated=gt2000                          | nora paul
_lastUpdated, past     | Patient        | _lastUpdated=lt2000                          |
_tag                   | Observation    | _tag=urn:t!demo                              | note
_profile               | Observation    | _profile=http://p.test/A                     | note
"""


@pytest.mark.parametrize(
    "line", TABLE.strip().splitlines(), ids=lambda line: line.partition("|")[0].strip()
)
async def test_search_finds(records: Repository, line: str) -> None:
    _, rt, query, expected = (cell.strip() for cell in line.split("|"))
    # In the table "!" stands for the bar between a system and a code.
    query = query.replace("!", "%7C").format(gender=GENDER, types=TYPES, ucum=UCUM)
    assert await ids(records, rt, parse_qsl(query)) == set(expected.split())


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("colour=red", InvalidRequest),
        ("family=", InvalidRequest),
        ("family=a,,b", InvalidRequest),
        ("birthdate=yesterday", InvalidRequest),
        ("birthdate=2024-02-30", InvalidRequest),
        ("birthdate=12/05/1959", InvalidRequest),
        ("identifier=a|b|c", InvalidRequest),
        ("identifier:of-type=a|b", InvalidRequest),
        ("active:missing=maybe", InvalidRequest),
        ("link:Organization=1", InvalidRequest),
        ("family=a\0b", InvalidRequest),
        ("_count=-1", InvalidRequest),
        ("_count=\N{SUPERSCRIPT TWO}", InvalidRequest),
        ("_count=" + "9" * 5000, InvalidRequest),
        ("_total=many", InvalidRequest),
        ("_summary=all", InvalidRequest),
        ("_sort=colour", InvalidRequest),
        ("_include=Observation:subject", InvalidRequest),
        ("_include=Patient:name", InvalidRequest),
        ("_revinclude=Observation:device", InvalidRequest),
        ("_include=Patient:*", InvalidRequest),
        ("_cursor=xyz", InvalidRequest),
        ("_cursor=\N{SNOWMAN}", InvalidRequest),
        ("_cursor=lIDPf_________8-", InvalidRequest),
        ("family:above=a", NotSupported),
        ("gender:in=http://x", NotSupported),
        ("gender:text=x", NotSupported),
        ("birthdate:exact=2024", NotSupported),
        ("general-practitioner.name=x", NotSupported),
        ("general-practitioner:Practitioner.name=x", NotSupported),
        ("_has:Observation:subject:code=x", NotSupported),
        ("_filter=x", NotSupported),
        ("_text=x", NotSupported),
        ("_sort=gender", NotSupported),
        ("_include:iterate=Patient:link", NotSupported),
        ("_id:exact=x", NotSupported),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    records: Repository, query: str, error: type[Exception]
) -> None:
    name, _, value = query.partition("=")
    with pytest.raises(error):
        await records.search(SYSTEM, "Patient", [(name, value)])


@pytest.mark.parametrize("name", ["colour", "_filter", "_text", "link.name", "_has:Group:x:y"])
async def test_lenient_handling_leaves_unknown_parameters_out(
    records: Repository, name: str
) -> None:
    query = [(name, "x"), ("gender", "male")]
    found = await records.search(SYSTEM, "Patient", query, lenient=True)
    assert [entry.stored.rid for entry in found.entries] == ["paul"]
    assert name not in found.self_query


@pytest.mark.parametrize(
    ("name", "value"),
    [("family:above", "x"), ("birthdate", "soon"), ("_count", "x"), ("gender", ""), ("_sort", "x")],
)
async def test_lenient_handling_never_widens_a_search(
    records: Repository, name: str, value: str
) -> None:
    with pytest.raises((InvalidRequest, NotSupported)):
        await records.search(SYSTEM, "Patient", [(name, value)], lenient=True)


async def test_too_many_values_and_parameters_are_too_costly(records: Repository) -> None:
    with pytest.raises(TooCostly):
        await records.search(SYSTEM, "Patient", [("family", ",".join(["a"] * 1001))])
    with pytest.raises(TooCostly):
        await records.search(SYSTEM, "Patient", [("family", "a")] * 61)


HOSTILE = [
    "'; DROP TABLE resource; --",
    "$1",
    "%",
    "_",
    "\\",
    "\\\\",
    "\\%",
    "{}",
    "{0}",
    "\u202e",
    "a" * 100_000,
    "\N{PILE OF POO}" * 500,
    "\x7f",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["family", "family:contains", "family:exact", "identifier", "_id"])
async def test_hostile_values_are_only_values(records: Repository, name: str, value: str) -> None:
    found = await ids(records, "Patient", [(name, value)])
    assert found <= {"nora", "paul"}
    assert not found or value in ("%", "_", "\\", "\\\\", "\\%", "\u202e", "{}")


async def test_a_long_text_is_stored_and_found(repository: Repository) -> None:
    long = "Début " + "".join(f"{number:x} " for number in range(20_000)) + "fin"
    record: Json = {
        "resourceType": "Observation",
        "id": "long",
        "status": "final",
        "code": {"text": "x"},
        "valueString": long,
    }
    await put(repository, record)
    for query in (
        ("value-string", "debut 0 1 2"),
        ("value-string", long[:2000]),
        ("value-string:contains", "4e1f fin"),
        ("value-string:exact", long),
    ):
        assert await ids(repository, "Observation", [query]) == {"long"}
    assert not await ids(repository, "Observation", [("value-string:exact", long[:-1])])
    assert not await ids(repository, "Observation", [("value-string", long[:2000] + "no")])
    page = await repository.search(SYSTEM, "Observation", [("_sort", "value-string")])
    assert page.entries[-1].stored.rid != "long"
    await repository.delete(SYSTEM, "Observation", "long")


@pytest.mark.parametrize("sort", ["", "name", "-name", "-_lastUpdated", "_id"])
async def test_pages_stay_put_while_records_come_change_and_go(
    repository: Repository, sort: str
) -> None:
    mark = sort.replace("_", ".")
    tag = {"tag": [{"code": f"page{sort}"}]}

    async def write(rid: str, name: str) -> None:
        body: Json = {"resourceType": "Organization", "id": rid, "name": name, "meta": tag}
        await repository.update(SYSTEM, "Organization", rid, encode(body))

    for number in range(20):
        await write(f"o{number:02}{mark}", f"name {number % 7}")
    query = [("_tag", f"page{sort}"), ("_count", "3")]
    query += [("_sort", sort)] if sort else []
    seen: list[str] = []
    turn = 0
    while True:
        page = await repository.search(SYSTEM, "Organization", query)
        assert page.total == 20
        seen += [entry.stored.rid for entry in page.entries]
        if page.next is None:
            break
        query = parse_qsl(page.next)
        await write(f"new{turn}{mark}", f"name {turn}")
        await write(f"o{turn:02}{mark}", f"name {6 - turn}")
        await repository.delete(SYSTEM, "Organization", f"o{19 - turn:02}{mark}")
        turn += 1
    untouched = {f"o{number:02}{mark}" for number in range(turn, 20 - turn)}
    assert untouched <= set(seen)
    assert all(seen.count(rid) == 1 for rid in untouched)
    assert not [rid for rid in seen if rid.startswith("new")]
    if sort in ("", "_id"):
        assert len(seen) == len(set(seen))


async def test_a_page_that_grows_too_heavy_ends_early_and_goes_on(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hygie.kernel.store.searching.MOST_BYTES", 500)
    for number in range(5):
        raw = encode({"resourceType": "Library", "status": "draft", "type": {"text": "x" * 300}})
        await repository.create(SYSTEM, "Library", raw.replace(b"xxx", str(number).encode() * 3, 1))
    seen: list[str] = []
    query: list[tuple[str, str]] = [("status", "draft"), ("_sort", "-_lastUpdated")]
    pages = 0
    while query:
        found = await repository.search(SYSTEM, "Library", query)
        seen += [entry.stored.rid for entry in found.entries]
        assert found.total == 5
        query = parse_qsl(found.next) if found.next else []
        pages += 1
    assert (len(seen), len(set(seen)), pages > 1) == (5, 5, True)
