"""Nothing goes around the decision: includes, counts, conditions, the belt, traces, tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from hygie.kernel.errors import Forbidden, Gone, HygieError, NotFound, Unauthenticated
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import SYSTEM, Access, Bearer, Caller, Kind
from hygie.kernel.security.tokens import issue, revoke
from hygie.kernel.store import Repository
from hygie.kernel.store.bundles import read_parts
from hygie.kernel.store.history import Scope
from hygie.kernel.store.tests.conftest import (
    encode,
    patient_caller,
    professional_caller,
    put,
    traces,
)

Json = dict[str, Any]
MINE, HERS = "Patient/mine", "Patient/hers"


def observation(rid: str, subject: str, **more: object) -> Json:
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "code": {"coding": [{"system": "urn:s", "code": "w"}]},
        "identifier": [{"system": "urn:i", "value": rid}],
        "subject": {"reference": subject},
        **more,
    }


def care_team(rid: str, subject: str, *members: str) -> Json:
    return {
        "resourceType": "CareTeam",
        "id": rid,
        "status": "active",
        "subject": {"reference": subject},
        "participant": [{"member": {"reference": member}} for member in members],
    }


@pytest.fixture(scope="module")
async def doctor(repository: Repository) -> Caller:
    """Give a physician of one patient; another patient is a stranger to them."""
    for rid in ("mine", "hers"):
        await put(repository, {"resourceType": "Patient", "id": rid})
    await put(repository, care_team("t", MINE, "Practitioner/me"))
    await put(repository, observation("mine-o", MINE))
    member = {"hasMember": [{"reference": "Observation/hers-o"}]}
    await put(repository, observation("hers-o", HERS))
    await put(repository, observation("mine-panel", MINE, **member))
    member = {"hasMember": [{"reference": "Observation/mine-o"}]}
    await put(repository, observation("hers-panel", HERS, **member))
    return await professional_caller(repository, "me")


async def test_an_include_never_shows_what_is_hidden(
    repository: Repository, doctor: Caller
) -> None:
    query = [("_id", "mine-panel"), ("_include", "Observation:has-member")]
    found = await repository.search(doctor, "Observation", query)
    assert [entry.stored.rid for entry in found.entries] == ["mine-panel"]
    whole = await repository.search(SYSTEM, "Observation", query)
    assert [entry.stored.rid for entry in whole.entries] == ["mine-panel", "hers-o"]


async def test_a_revinclude_never_shows_what_is_hidden(
    repository: Repository, doctor: Caller
) -> None:
    query = [("_id", "mine-o"), ("_revinclude", "Observation:has-member")]
    found = await repository.search(doctor, "Observation", query)
    assert [entry.stored.rid for entry in found.entries] == ["mine-o"]
    query = [("_id", "mine"), ("_revinclude", "Observation:subject")]
    found = await repository.search(doctor, "Patient", query)
    assert {entry.stored.rid for entry in found.entries} == {"mine", "mine-o", "mine-panel"}


@pytest.mark.parametrize("query", [[("_summary", "count")], [("_total", "accurate")], []])
async def test_counts_count_what_is_visible(
    repository: Repository, doctor: Caller, query: list[tuple[str, str]]
) -> None:
    every = await repository.search(SYSTEM, "Observation", query)
    mine = await repository.search(doctor, "Observation", query)
    assert (every.total, mine.total) == (4, 2)
    page = await repository.search(doctor, "Observation", [*query, ("_count", "1")])
    assert page.total == 2


Act = Callable[[Repository, Access, str], Awaitable[object]]
ACTS: dict[str, Act] = {
    "read": lambda r, who, rid: r.read(who, "Observation", rid),
    "vread": lambda r, who, rid: r.vread(who, "Observation", rid, version=1),
    "history": lambda r, who, rid: r.history(who, Scope("Observation", rid)),
    "delete": lambda r, who, rid: r.delete(who, "Observation", rid),
    "delete a version": lambda r, who, rid: r.delete(who, "Observation", rid, if_match=7),
    "update": lambda r, who, rid: r.update(who, "Observation", rid, encode(observation(rid, MINE))),
    "update a version": lambda r, who, rid: r.update(
        who, "Observation", rid, encode(observation(rid, HERS)), if_match=7
    ),
}


@pytest.mark.parametrize("act", ACTS)
async def test_hidden_and_absent_answer_alike(
    repository: Repository, doctor: Caller, act: str
) -> None:
    answers = []
    for rid in ("hers-o", "no-such"):
        with pytest.raises(NotFound) as refused:
            await ACTS[act](repository, doctor, rid)
        answers.append(str(refused.value).replace(rid, "?"))
    assert answers[0] == answers[1]


async def test_a_hidden_deletion_is_hidden(repository: Repository, doctor: Caller) -> None:
    for rid, subject in (("gone-hers", HERS), ("gone-mine", MINE)):
        await put(repository, observation(rid, subject))
        await repository.delete(SYSTEM, "Observation", rid)
    with pytest.raises(NotFound):
        await repository.read(doctor, "Observation", "gone-hers")
    with pytest.raises(Gone):
        await repository.read(doctor, "Observation", "gone-mine")


async def test_a_condition_never_finds_what_is_hidden(
    repository: Repository, doctor: Caller
) -> None:
    body = observation("x", MINE)
    del body["id"], body["identifier"]
    raw = encode(body)
    made = await repository.create(
        doctor, "Observation", raw, if_none_exist="identifier=urn:i|hers-o"
    )
    assert made.created
    gone = await repository.delete_where(
        doctor, "Observation", criteria=[("identifier", "urn:i|hers-o")]
    )
    assert gone is None
    await repository.delete(SYSTEM, "Observation", made.stored.rid)


async def test_one_patient_of_mine_opens_no_record_of_another(
    repository: Repository, doctor: Caller
) -> None:
    """A CareTeam about a stranger, in which my own patient takes part, would let me in."""
    intruder = care_team("intruder", HERS, "Practitioner/me", MINE)
    del intruder["id"]
    with pytest.raises(Forbidden):
        await repository.create(doctor, "CareTeam", encode(intruder))
    planted = observation("planted", HERS, performer=[{"reference": MINE}])
    del planted["id"]
    with pytest.raises(Forbidden):
        await repository.create(doctor, "Observation", encode(planted))
    moved = encode(observation("mine-o", HERS))
    with pytest.raises(Forbidden):
        await repository.update(doctor, "Observation", "mine-o", moved)


async def test_a_patient_of_another_server_is_no_patient_of_ours(
    repository: Repository, doctor: Caller
) -> None:
    await put(repository, observation("abroad", "http://other.test/fhir/Patient/mine"))
    with pytest.raises(NotFound):
        await repository.read(doctor, "Observation", "abroad")
    await repository.delete(SYSTEM, "Observation", "abroad")


def bundle(*requests: Json) -> bytes:
    return encode({"resourceType": "Bundle", "type": "transaction", "entry": list(requests)})


async def test_a_transaction_reads_and_writes_as_its_caller(
    repository: Repository, doctor: Caller
) -> None:
    hidden = bundle({"request": {"method": "GET", "url": "Observation/hers-o"}})
    with pytest.raises(NotFound):
        await repository.transaction(doctor, read_parts(hidden, base="http://x").parts)
    body = observation("new", MINE)
    del body["id"]
    mixed = bundle(
        {"resource": body, "request": {"method": "POST", "url": "Observation"}},
        {"request": {"method": "DELETE", "url": "Observation/hers-o"}},
    )
    before = (await repository.search(doctor, "Observation", [("_summary", "count")])).total
    with pytest.raises(NotFound):
        await repository.transaction(doctor, read_parts(mixed, base="http://x").parts)
    after = (await repository.search(doctor, "Observation", [("_summary", "count")])).total
    assert before == after
    listed = bundle({"request": {"method": "GET", "url": "Observation?_count=100"}})
    answers = await repository.transaction(doctor, read_parts(listed, base="http://x").parts)
    assert answers[0].found is not None
    assert {e.stored.rid for e in answers[0].found.entries} == {"mine-o", "mine-panel"}


@pytest.mark.parametrize("table", ["resource", "resource_history"])
async def test_the_belt_alone_hides_the_rows(
    repository: Repository, doctor: Caller, table: str
) -> None:
    await put(repository, observation("mine-o", MINE))
    await put(repository, observation("hers-o", HERS))
    statement = f"SELECT DISTINCT pat FROM {table} WHERE rt = $1 AND TRUE"
    rt = type_number("Observation")
    mine = await repository.party_number(MINE)
    async with repository.database.transaction(parties=[doctor.party]) as connection:
        assert [row["pat"] for row in await connection.fetch(statement, rt)] == [mine]
    async with repository.database.transaction(parties=[]) as connection:
        assert await connection.fetch(statement, rt) == []


async def test_without_its_settings_the_belt_fails_closed(repository: Repository) -> None:
    async with repository.database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetch("SELECT 1 FROM resource")


async def test_the_belt_refuses_rows_the_caller_may_not_see(
    repository: Repository, doctor: Caller
) -> None:
    hers = await repository.party_number(HERS)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with repository.database.transaction(parties=[doctor.party]) as connection:
            await connection.execute(
                "INSERT INTO resource (key, seq, upd, present, uid, ver, pat, part, rt, label, "
                "flags, toks, body) VALUES (-1, -1, now(), 0, gen_random_uuid(), 1, $1, 0, 1, 1, "
                "0, '{}', '')",
                hers,
            )


async def test_the_application_role_cannot_take_the_belt_off(repository: Repository) -> None:
    async with repository.database.transaction(parties=[]) as connection:
        await connection.execute("SET LOCAL row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT 1 FROM resource")
    for statement in (
        "ALTER TABLE resource DISABLE ROW LEVEL SECURITY",
        "DROP POLICY belt ON resource",
        "UPDATE trace SET rule = 'none'",
        "DELETE FROM trace",
        "DELETE FROM resource_history",
        "TRUNCATE resource",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with repository.database.transaction(system=True) as connection:
                await connection.execute(statement)


@pytest.fixture
async def bearer(repository: Repository) -> Callable[[timedelta], Awaitable[Bearer]]:
    patient = await patient_caller(repository, "mine")

    async def make(valid: timedelta) -> Bearer:
        async with repository.database.connection() as connection:
            token = await issue(connection, patient, at=datetime.now(UTC), valid=valid)
        return Bearer.from_token(token)

    return make


@pytest.mark.usefixtures("doctor")
async def test_a_token_opens_until_it_is_revoked(
    repository: Repository, bearer: Callable[[timedelta], Awaitable[Bearer]]
) -> None:
    good = await bearer(timedelta(hours=1))
    assert (await repository.read(good, "Observation", "mine-o")).rid == "mine-o"
    async with repository.database.connection() as connection:
        await revoke(connection, good)
    for act in ACTS.values():
        with pytest.raises(Unauthenticated):
            await act(repository, good, "mine-o")
    with pytest.raises(Unauthenticated):
        await repository.search(good, "Observation", [])


@pytest.mark.usefixtures("doctor")
async def test_an_expired_token_opens_nothing(
    repository: Repository, bearer: Callable[[timedelta], Awaitable[Bearer]]
) -> None:
    stale = await bearer(timedelta(seconds=-1))
    with pytest.raises(Unauthenticated):
        await repository.read(stale, "Observation", "mine-o")


TRACED: list[tuple[str, str, int, Act]] = [
    ("read", "care-team", 200, lambda r, who, _: r.read(who, "Observation", "mine-o")),
    ("read", "none", 404, lambda r, who, _: r.read(who, "Observation", "hers-o")),
    ("vread", "care-team", 200, ACTS["vread"]),
    ("vread", "none", 404, lambda r, who, _: r.vread(who, "Observation", "mine-o", version=9**12)),
    ("history-instance", "care-team", 200, ACTS["history"]),
    ("history-instance", "none", 404, lambda r, who, _: ACTS["history"](r, who, "hers-o")),
    ("history-type", "care-team", 200, lambda r, who, _: r.history(who, Scope("Observation"))),
    ("search-type", "care-team", 200, lambda r, who, _: r.search(who, "Observation", [])),
    ("search-type", "none", 200, lambda r, who, _: r.search(who, "Condition", [])),
    ("search-type", "care-team", 200, lambda r, who, _: r.find_mine(who, "")),
    ("update", "care-team", 200, ACTS["update"]),
    ("update", "none", 412, ACTS["update a version"]),
    ("update", "none", 404, lambda r, who, _: ACTS["update"](r, who, "hers-o")),
    ("delete", "none", 412, ACTS["delete a version"]),
    ("delete", "none", 404, lambda r, who, _: ACTS["delete"](r, who, "hers-o")),
    (
        "create",
        "care-team",
        200,
        lambda r, who, _: r.create(
            who,
            "Observation",
            encode({k: v for k, v in observation("x", MINE).items() if k != "id"}),
            if_none_exist="identifier=urn:i|mine-o",
        ),
    ),
    (
        "create",
        "none",
        403,
        lambda r, who, _: r.create(
            who,
            "Observation",
            encode({k: v for k, v in observation("x", HERS).items() if k != "id"}),
        ),
    ),
    (
        "delete",
        "none",
        200,
        lambda r, who, _: r.delete_where(who, "Observation", criteria=[("identifier", "nobody")]),
    ),
]


@pytest.mark.parametrize("row", range(len(TRACED)))
async def test_each_interaction_leaves_its_trace_before_the_answer(
    repository: Repository, doctor: Caller, row: int
) -> None:
    interaction, rule, outcome, act = TRACED[row]
    before = len(await traces(repository))
    try:
        await act(repository, doctor, "mine-o")
    except HygieError as refusal:
        assert refusal.status == outcome  # noqa: PT017 - a refusal is one of two good ends
    new = (await traces(repository))[before:]
    assert new
    assert {(t["interaction"], t["rule"], t["outcome"], t["party"]) for t in new} == {
        (interaction, rule, outcome, doctor.party)
    }
    stranger = await repository.party_number(HERS)
    # A refusal names whose it was to that person; nothing that was done names a stranger.
    assert stranger not in {t["pat"] for t in new if t["outcome"] < 400}


@pytest.mark.usefixtures("doctor")
@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.RESEARCHER])
async def test_a_request_that_is_refused_as_a_whole_is_traced(
    repository: Repository, kind: Kind
) -> None:
    nobody = Caller(kind, 0, "account/1")
    acts: list[Awaitable[object]] = [
        repository.search(nobody, "Observation", []),
        repository.history(nobody, Scope("Observation")),
        repository.find_mine(nobody, "a"),
        repository.search(nobody, "Observation", [("_summary", "count")]),
    ]
    for act in acts:
        before = len(await traces(repository))
        with pytest.raises(Forbidden):
            await act
        new = (await traces(repository))[before:]
        assert [(t["outcome"], t["rule"], t["pat"]) for t in new] == [(403, "none", None)]


async def test_no_answer_leaves_when_its_trace_cannot_be_written(
    repository: Repository, doctor: Caller
) -> None:
    acts: list[Awaitable[object]] = [
        repository.read(_unwritable(doctor), "Observation", "mine-o"),
        repository.search(_unwritable(doctor), "Observation", []),
        repository.history(_unwritable(doctor), Scope("Observation", "mine-o")),
        repository.find_mine(_unwritable(doctor), ""),
    ]
    for act in acts:
        with pytest.raises((asyncpg.PostgresError, HygieError)):
            await act


def _unwritable(caller: Caller) -> Caller:
    """Return a caller whose traces PostgreSQL refuses: no text holds a NUL."""
    return Caller(caller.kind, caller.party, "Practitioner/\0")
