from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hygie.kernel.audit import sequencer
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.erasure import erase, erase_person
from hygie.kernel.audit.handover import rotate
from hygie.kernel.audit.person import export_person
from hygie.kernel.audit.tests.test_handover import SECOND
from hygie.kernel.audit.tests.test_sequencer import KEY, checked, reads
from hygie.kernel.audit.tests.test_trace import READ, SEARCH
from hygie.kernel.audit.trace import write
from hygie.kernel.database import roles
from hygie.kernel.errors import Unavailable
from hygie_verify.bundle import verify_proofs
from hygie_verify.note import VerifierKey
from hygie_verify.trust import Trust

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect

ANOTHER = msgspec.structs.replace(READ, pat=8)
ACT = msgspec.structs.replace(SEARCH, interaction="operation", detail="erasure of traces")
Line = dict[str, Any]


@pytest.fixture
async def placer(connect: Connect) -> Connection:
    return await connect(roles.SEQUENCER)


@pytest.fixture
async def log(app: Connection, placer: Connection) -> Connection:
    """Return the application's connection to a log of 2,001 events, one in 400 of patient 7."""
    for first in range(0, 2_000, 400):
        await write(app, [*reads(1, first=first), *[ANOTHER] * 399])
        await sequencer.sequence(placer, KEY)
    shared = msgspec.structs.replace(SEARCH, pats=[7, 8])
    await write(app, [shared])
    await sequencer.sequence(placer, KEY)
    return app


async def exported(connection: Connection, pat: int = 7) -> list[Line]:
    return [json.loads(line) async for line in export_person(connection, pat)]


async def trust(placer: Connection) -> Trust:
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    return Trust(key=VerifierKey.parse(Signer(origin, KEY).verifier_key))


def judged(lines: list[Line], trusted: Trust) -> list[str]:
    return verify_proofs([json.dumps(line).encode() for line in lines], trusted).faults


async def test_a_person_exports_traces_that_are_proved(log: Connection, placer: Connection) -> None:
    lines = await exported(log)
    places = [line["place"] for line in lines if "place" in line]
    assert places == [0, 400, 800, 1200, 1600, 2000]
    report = verify_proofs([json.dumps(line).encode() for line in lines], await trust(placer))
    assert (report.leaves, report.faults, report.erased) == (6, [], 1)


async def test_a_trace_of_many_people_is_proved_and_names_nobody_else(log: Connection) -> None:
    shared = next(line for line in await exported(log) if line.get("place") == 2000)
    assert "body" not in shared
    assert shared["proof"]


async def test_one_trace_is_proved_in_ten_kilobytes_and_less_than_a_second(
    log: Connection, placer: Connection
) -> None:
    """G10."""
    begun = time.perf_counter()
    lines = await exported(log)
    one = [line for line in lines if line.get("place") in (None, 800)]
    one[-1] = {"end": {"events": 1}}
    assert not judged(one, await trust(placer))
    assert time.perf_counter() - begun < 1
    assert sum(len(json.dumps(line)) for line in one) < 10_000


async def test_a_person_exports_under_the_belt(log: Connection) -> None:
    await log.execute("SET hygie.system = 'off'; SET hygie.parties = '{7}'")
    assert len([line for line in await exported(log) if "place" in line]) == 6
    assert not [line for line in await exported(log, 8) if line.get("place") == 1]


def of(lines: list[Line], place: int) -> Line:
    return next(line for line in lines if line.get("place") == place)


def edit_a_body(lines: list[Line]) -> None:
    of(lines, 400)["body"] = of(lines, 400)["body"].replace("Practitioner", "Patient")


def edit_a_header(lines: list[Line]) -> None:
    of(lines, 400)["header"] = of(lines, 400)["header"].replace("read", "vread")


def claim_another_place(lines: list[Line]) -> None:
    of(lines, 400)["place"] = 401


def cut_a_proof(lines: list[Line]) -> None:
    del of(lines, 400)["proof"][-1]


def drop_an_event(lines: list[Line]) -> None:
    lines.remove(of(lines, 400))


def another_head(lines: list[Line]) -> None:
    head = next(line for line in lines if "head" in line)
    head["head"] = head["head"].replace("\n2001\n", "\n2002\n")


def no_head(lines: list[Line]) -> None:
    lines[:] = [line for line in lines if "head" not in line]


def no_end(lines: list[Line]) -> None:
    del lines[-1]


def no_start(lines: list[Line]) -> None:
    del lines[0]


@pytest.mark.parametrize(
    "tamper",
    [edit_a_body, edit_a_header, claim_another_place, cut_a_proof, drop_an_event, another_head,
     no_head, no_end, no_start],
)  # fmt: skip
async def test_a_changed_export_of_a_person_is_seen(
    log: Connection, placer: Connection, tamper: Callable[[list[Line]], None]
) -> None:
    lines = await exported(log)
    tamper(lines)
    assert judged(lines, await trust(placer))


async def test_an_export_after_a_change_of_key_tells_the_change(
    log: Connection, placer: Connection
) -> None:
    async with placer.transaction():
        await rotate(placer, KEY, SECOND)
    await write(log, reads(1))
    await sequencer.sequence(placer, SECOND)
    assert not judged(await exported(log), await trust(placer))


async def test_a_log_without_head_exports_nobody(app: Connection) -> None:
    with pytest.raises(Unavailable):
        await exported(app)


async def test_an_erased_trace_keeps_every_proof_and_the_erasure_is_traced(
    log: Connection, placer: Connection
) -> None:
    rows = await placer.fetch("SELECT at, id FROM trace WHERE pat = 7 AND place < 500")
    events = [(row["at"], row["id"]) for row in rows]
    assert await erase(placer, events, by=ACT) == 2
    assert await erase(placer, events, by=ACT) == 0
    await sequencer.sequence(placer, KEY)
    report = await checked(placer)
    assert (report.is_whole, report.erased) == (True, 2)
    assert await placer.fetchval("SELECT count(*) FROM trace WHERE detail = $1", ACT.detail) == 2
    assert await placer.fetchval("SELECT count(*) FROM trace WHERE pat = 7") == 3


async def test_a_person_is_erased_up_to_an_instant(log: Connection, placer: Connection) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    assert await erase_person(placer, 7, before=past, by=ACT) == 0
    assert await erase_person(placer, 7, before=datetime.now(UTC), by=ACT) == 5
    assert not await placer.fetchval("SELECT count(*) FROM trace WHERE pat = 7")


async def test_what_waits_for_its_place_is_not_erased(app: Connection, placer: Connection) -> None:
    await write(app, [READ])
    row = await placer.fetchrow("SELECT at, id FROM trace")
    assert row is not None
    assert await erase(placer, [(row["at"], row["id"])], by=ACT) == 0


async def test_the_application_cannot_erase(app: Connection) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await app.execute("SELECT erase_trace_bodies('{}', '{}')")
