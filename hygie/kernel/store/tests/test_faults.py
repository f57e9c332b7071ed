"""Many writers, dying connections and injected refusals: nothing told is lost, nothing is half."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.errors import Conflict, HygieError
from hygie.kernel.fhir.tests.written import letters, member, space, strings
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.bundles import read_parts
from hygie.kernel.store.tests.conftest import encode, put
from hygie.kernel.store.writing import instant_text
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW
from hygie.testing.writers import Journal, faults, stored_versions, write_at_random

Json = dict[str, Any]
FAST = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def organizations(draw: st.DrawFn) -> str:
    """Return an Organization written in any way, with marks where the server writes."""
    meta = [
        member(draw, "versionId", '"<version>"'),
        member(draw, "lastUpdated", '"<updated>"'),
        member(draw, "profile", '["http://p.test/A"]'),
    ]
    identifier = [member(draw, "value", draw(strings()))]
    members = [
        member(draw, "resourceType", '"Organization"'),
        member(draw, "id", '"<id>"'),
        member(draw, "meta", "{" + ",".join(draw(st.permutations(meta))) + "}"),
        member(draw, "name", draw(strings(letters.filter(str.strip)))),
        member(draw, "identifier", f"[{draw(space)}{{{','.join(identifier)}}}{draw(space)}]"),
        member(draw, "extension", draw(extensions())),
    ]
    return "{" + f"{draw(space)},".join(draw(st.permutations(members))) + draw(space) + "}"


@st.composite
def extensions(draw: st.DrawFn) -> str:
    number = draw(st.sampled_from(["1.10", "1.00E2", "0.010", "-0.0", "12345678901234567890.12"]))
    inner = [member(draw, "url", '"http://p.test/x"'), member(draw, "valueDecimal", number)]
    return f"[{draw(space)}{{{','.join(draw(st.permutations(inner)))}}}]"


@FAST
@given(written=organizations())
async def test_a_resource_comes_back_byte_for_byte(repository: Repository, written: str) -> None:
    sent = written.replace("<id>", "same").replace("<version>", "7").replace("<updated>", LONG_AGO)
    try:
        made = await repository.update(SYSTEM, "Organization", "same", sent.encode())
    except HygieError as refusal:
        assert refusal.status in (400, 422), refusal  # noqa: PT017 - what FHIR forbids
        return
    stored = await repository.read(SYSTEM, "Organization", "same")
    expected = (
        written.replace("<id>", "same")
        .replace("<version>", str(made.stored.version))
        .replace("<updated>", instant_text(made.stored.updated))
    )
    assert stored.body == expected.encode()
    former = await repository.vread(SYSTEM, "Organization", "same", version=made.stored.version)
    assert former.body == stored.body


LONG_AGO = "2000-01-01T00:00:00Z"


@pytest.fixture
async def own(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give one test a repository of its own."""
    opened = await open_repository(fresh_database.settings, law=LAW)
    yield opened
    await opened.database.close()


async def test_writers_of_two_processes_lose_no_update(
    own: Repository, fresh_database: ScratchDatabase, tmp_path: Path
) -> None:
    journals = [Journal(tmp_path / name) for name in ("here", "there")]
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hygie.testing.writers",
        fresh_database.dsn,
        str(fresh_database.settings.data),
        str(journals[1].path),
        "2",
        "1.5",
    )
    await write_at_random(own, journals[0], seed=1, seconds=3)
    assert await other.wait() == 0
    events = [event for journal in journals for event in journal.events()]
    for journal in journals:
        assert sum(event["event"] == "ok" for event in journal.events()) > 50
        journal.close()
    assert not faults(events, await stored_versions(own))


async def test_killed_connections_lose_no_acknowledged_write(
    own: Repository, fresh_database: ScratchDatabase, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    admin = await asyncpg.connect(fresh_database.admin_dsn)

    async def kill() -> None:
        while True:
            await asyncio.sleep(0.05)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "ORDER BY random() LIMIT 1"
            )

    killer = asyncio.create_task(kill())
    await write_at_random(own, journal, seed=3, seconds=2)
    killer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await killer
    await admin.close()
    events = list(journal.events())
    journal.close()
    kinds = {event["event"] for event in events}
    assert {"ok", "unknown"} <= kinds
    assert not faults(events, await stored_versions(own))


def transaction(*entries: Json) -> bytes:
    return encode({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})


def write(rid: str, name: str = "x") -> Json:
    resource = {"resourceType": "Organization", "id": rid, "name": name}
    return {"resource": resource, "request": {"method": "PUT", "url": f"Organization/{rid}"}}


def delete(rid: str) -> Json:
    return {"request": {"method": "DELETE", "url": f"Organization/{rid}"}}


REFUSED: dict[str, Json] = {
    "unknown id": delete("nobody"),
    "stale version": {**write("kept"), "request": {**write("kept")["request"], "ifMatch": 'W/"9"'}},
    "broken rule": {
        "resource": {"resourceType": "Observation", "status": "final"},
        "request": {"method": "POST", "url": "Observation"},
    },
    "several matches": {
        "resource": {"resourceType": "Organization", "name": "y"},
        "request": {
            "method": "POST", "url": "Organization", "ifNoneExist": "name=many",
        },
    },
    "dangling criteria": {
        "resource": {
            "resourceType": "Organization", "name": "y",
            "partOf": {"reference": "Organization?identifier=nobody"},
        },
        "request": {"method": "POST", "url": "Organization"},
    },
    "criteria of no type": {
        "resource": {"resourceType": "Organization", "partOf": {"reference": "Foo?identifier=1"}},
        "request": {"method": "POST", "url": "Organization"},
    },
    "unknown parameter": {"request": {"method": "GET", "url": "Organization?colour=red"}},
    "same target": write("new"),
}  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("why", REFUSED)
async def test_a_transaction_is_all_or_nothing(
    repository: Repository, why: str, place: int
) -> None:
    for rid, name in (("kept", "kept"), ("many-1", "many"), ("many-2", "many")):
        await put(repository, {"resourceType": "Organization", "id": rid, "name": name})
    posted = {
        "resource": {"resourceType": "Organization", "name": "posted"},
        "request": {"method": "POST", "url": "Organization"},
    }
    entries = [write("new"), posted, delete("many-1")]
    entries.insert(place, REFUSED[why])
    before = await stored_versions(repository)
    with pytest.raises(HygieError) as refused:
        await repository.transaction(
            SYSTEM, read_parts(transaction(*entries), base=repository.site.base).parts
        )
    assert refused.value.status in (400, 404, 412, 422)
    assert await stored_versions(repository) == before


async def test_transactions_in_a_circle_end(repository: Repository) -> None:
    async def run(first: str, second: str) -> str:
        bundle = transaction(delete(first), write(second, name=f"{first} {second}"))
        try:
            await repository.transaction(
                SYSTEM, read_parts(bundle, base=repository.site.base).parts
            )
        except Conflict:
            return "conflict"
        return "done"

    for rid in ("left", "right"):
        await put(repository, {"resourceType": "Organization", "id": rid, "name": rid})
    ends = await asyncio.gather(
        *(run(*pair) for pair in [("left", "right"), ("right", "left")] * 2)
    )
    assert "done" in ends
    versions = await stored_versions(repository)
    for rid in ("left", "right"):
        numbers = sorted(version for one, version in versions if one == rid)
        assert numbers == list(range(1, len(numbers) + 1))


async def test_one_value_beyond_the_store_fails_alone(repository: Repository) -> None:
    huge = json.loads('{"resourceType": "RiskAssessment", "status": "final"}')
    raw = encode({**huge, "subject": {"reference": "Patient/p"}, "prediction": [{"x": 1}]})
    raw = raw.replace(b'{"x":1}', b'{"probabilityDecimal": 1e200000}')
    good = [encode({"resourceType": "Organization", "name": "good"})] * 4
    results = await asyncio.gather(
        *(repository.create(SYSTEM, "Organization", one) for one in good),
        repository.create(SYSTEM, "RiskAssessment", raw),
        return_exceptions=True,
    )
    assert [isinstance(result, BaseException) for result in results] == [False] * 4 + [True]
    assert isinstance(results[-1], HygieError)
    assert results[-1].status in (400, 422)
