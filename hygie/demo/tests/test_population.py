"""The population as a whole: valid, closed, replayable, peopled as the accounts say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from hygie.demo import accounts, population
from hygie.demo.chance import chance
from hygie.demo.fhir.parts import PARIS
from hygie.demo.households import household
from hygie.demo.places import commune
from hygie.domains.consent import PROJECTIONS
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact

TODAY = date(2026, 6, 30)
Resource = dict[str, Any]
NOT_IN_TEAMS = {"maelle.lebihan", "erwan.jaouen"}
"""Who acts under somebody, or opens records as Centre 15 only."""


def load(seed: int, patients: int) -> list[list[Resource]]:
    return [
        [json.loads(raw) for raw in record] for record in population(seed, patients, today=TODAY)
    ]


@pytest.fixture(scope="module")
def few() -> list[list[Resource]]:
    return load(1, 40)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "reference" in value and isinstance(value["reference"], str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def of_type(records: list[list[Resource]], name: str) -> list[Resource]:
    return [one for record in records for one in record if one["resourceType"] == name]


def test_every_resource_is_valid_fhir() -> None:
    for record in population(1, 19, today=TODAY):
        for raw in record:
            parse(raw)


def test_references_point_to_what_came_before_or_to_the_same_record(
    few: list[list[Resource]],
) -> None:
    known: set[str] = set()
    for record in few:
        known |= {f"{one['resourceType']}/{one['id']}" for one in record}
        for one in record:
            assert set(references(one)) <= known


def test_identifiers_are_unique(few: list[list[Resource]]) -> None:
    counts = Counter((one["resourceType"], one["id"]) for record in few for one in record)
    assert max(counts.values()) == 1


def test_the_same_seed_gives_the_same_bytes() -> None:
    first = list(population(7, 12, today=TODAY))
    assert first == list(population(7, 12, today=TODAY))


def test_another_seed_keeps_the_named_people_and_changes_the_others() -> None:
    one, other = of_type(load(1, 12), "Patient"), of_type(load(2, 12), "Patient")
    assert [p["id"] for p in one[:9]] == [p["id"] for p in other[:9]]
    assert not {p["id"] for p in one[9:]} & {p["id"] for p in other[9:]}


def test_as_many_patients_as_asked_and_never_less_than_the_named(
    few: list[list[Resource]],
) -> None:
    assert len(of_type(few, "Patient")) == 40
    assert len(of_type(load(1, 0), "Patient")) == 9


def test_accounts_name_people_who_are_there(few: list[list[Resource]]) -> None:
    known = {f"{one['resourceType']}/{one['id']}" for record in few for one in record}
    named = [account for account in accounts() if account.reference]
    assert {account.reference for account in named} <= known
    assert {related for account in named for related in account.acts_as} <= known
    assert len(accounts()) == 21


def test_each_professional_account_has_patients_in_a_care_team() -> None:
    start = b'{"resourceType":"CareTeam"'
    people = population(1, 90, today=TODAY)
    teams = [json.loads(raw) for record in people for raw in record if raw.startswith(start)]
    members = Counter(part["member"]["reference"] for team in teams for part in team["participant"])
    for account in accounts():
        if account.kind == "professional" and account.login not in NOT_IN_TEAMS:
            assert members[account.reference or ""] > 0, account.login
    doctor = next(account for account in accounts() if account.login == "yann.kervella")
    assert members[doctor.reference or ""] == 30


def test_the_substitute_is_there_for_the_dates_of_the_replacement(
    few: list[list[Resource]],
) -> None:
    substitute = next(account for account in accounts() if account.login == "awa.ndiaye")
    periods = {
        (part["period"]["start"], part["period"]["end"])
        for team in of_type(few, "CareTeam")
        for part in team["participant"]
        if part["member"]["reference"] == substitute.reference
    }
    assert periods == {("2026-06-16", "2026-07-21")}


def test_the_daughter_helps_with_dated_consents_of_two_scopes(few: list[list[Resource]]) -> None:
    daughter = next(account for account in accounts() if account.login == "nathalie")
    consents = [
        one["provision"]
        for one in of_type(few, "Consent")
        for actor in one.get("provision", {}).get("actor", ())
        if actor["reference"]["reference"] == daughter.reference
    ]
    scopes = {one["actor"][0]["role"]["coding"][0]["code"] for one in consents}
    assert scopes == {"helper", "helper-administrative"}
    for one in consents:
        assert one["period"]["start"] < "2026-06-30" < one["period"]["end"]


def test_what_people_decided_is_what_the_rules_read(few: list[list[Resource]]) -> None:
    stated: Counter[Relation] = Counter()
    for record in population(1, 40, today=TODAY):
        for raw in record:
            parsed = parse(raw)
            kind = type(parsed.resource).__name__
            if kind in PROJECTIONS:
                facts = PROJECTIONS[kind](parsed.resource, PARIS)
                stated.update(one.kind for one in facts if isinstance(one, Fact))
    for relation in Relation:
        if relation not in {Relation.GUARDIAN, Relation.MANAGES, Relation.RESTRICTED}:
            held = stated[relation]
            assert held or relation in {Relation.CENTRE_15, Relation.REFUSES_EMERGENCY}, relation
    agreed = len(of_type(few, "Patient")) - stated[Relation.TEAM_CONSENT]
    assert 2 <= agreed <= 15


def test_a_record_has_a_hundred_resources_on_average() -> None:
    sizes = [len(record) for record in population(5, 80, today=TODAY)][1:]
    assert sum(sizes) / len(sizes) >= 100


def test_ages_are_those_of_france() -> None:
    homes = (
        household(chance("test", number), f"{number}", town=commune("56260"), today=TODAY)
        for number in range(600)
    )
    ages = [person.age(TODAY) for home in homes for person in home]
    assert 0.17 < sum(age < 20 for age in ages) / len(ages) < 0.28
    assert 0.15 < sum(age >= 65 for age in ages) / len(ages) < 0.27
