from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import alarms, sequencer
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.handover import rotate
from hygie.kernel.audit.tests.test_sequencer import KEY, key_of, reads
from hygie.kernel.audit.trace import write
from hygie.kernel.audit.witness import rounds
from hygie.kernel.audit.witness.client import Remote, parse_remote
from hygie.kernel.audit.witness.keeper import Witness
from hygie.kernel.audit.witness.server import listen, serving
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect

NEXT = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)


@pytest.fixture
async def placer(connect: Connect) -> Connection:
    return await connect(roles.SEQUENCER)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    witness = Witness(tmp_path / "witness", first_use=True)
    path = tmp_path / "a-long-name" / ("x" * 90) / "socket"
    path.parent.mkdir(parents=True)
    with serving(witness, listen(path, None)):
        yield Remote(f"unix:{path}")
    witness.close()


@pytest.fixture
async def log_key(placer: Connection) -> str:
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    return Signer(origin, KEY).verifier_key


async def grow(app: Connection, placer: Connection, count: int = 2) -> None:
    await write(app, reads(count))
    await sequencer.sequence(placer, KEY)


async def kinds(placer: Connection) -> list[str]:
    return [alarm.kind for alarm in await alarms.standing(placer)]


async def test_each_head_is_cosigned(
    app: Connection, placer: Connection, remote: Remote, log_key: str
) -> None:
    for _ in range(3):
        await grow(app, placer)
        assert await rounds.bring(placer, remote, key=log_key)
    rows = await placer.fetch("SELECT size, witness FROM trace_cosignature ORDER BY size")
    assert [row["size"] for row in rows] == [2, 4, 6]
    assert not await kinds(placer)


async def test_a_tail_removed_with_its_heads_is_an_alarm(
    app: Connection, owner: Connection, placer: Connection, remote: Remote, log_key: str
) -> None:
    """F53: a restored or cut database that goes on as if nothing had been."""
    await grow(app, placer)
    subtrees = await placer.fetchval("SELECT subtrees FROM trace_tree")
    await grow(app, placer, 5)
    assert await rounds.bring(placer, remote, key=log_key)
    await owner.execute(
        "DELETE FROM trace WHERE place >= 2; DELETE FROM trace_leaf WHERE place >= 2;"
        "DELETE FROM trace_head WHERE size > 2; DELETE FROM trace_cosignature"
    )
    await owner.execute("UPDATE trace_tree SET size = 2, subtrees = $1", subtrees)
    assert not await rounds.bring(placer, remote, key=log_key)
    assert await kinds(placer) == ["rollback"]
    await grow(app, placer, 9)
    assert not await rounds.bring(placer, remote, key=log_key)
    assert "fork" in await kinds(placer)


async def test_a_fork_is_an_alarm_of_the_very_round(
    app: Connection, owner: Connection, placer: Connection, remote: Remote, log_key: str
) -> None:
    """F54: all rewritten and signed again with the stolen key of the log."""
    await grow(app, placer, 5)
    assert await rounds.bring(placer, remote, key=log_key)
    await owner.execute(
        "UPDATE trace SET place = NULL, pat = 9; TRUNCATE trace_leaf, trace_head, trace_node;"
        "UPDATE trace_tree SET size = 0, subtrees = ''"
    )
    await grow(app, placer, 3)
    assert not await rounds.bring(placer, remote, key=log_key)
    assert await kinds(placer) == ["fork"]


async def test_a_change_of_key_is_followed(
    app: Connection, placer: Connection, remote: Remote, log_key: str
) -> None:
    await grow(app, placer)
    assert await rounds.bring(placer, remote, key=log_key)
    await grow(app, placer)
    async with placer.transaction():
        changed = await rotate(placer, KEY, NEXT)
    await write(app, reads(3))
    await sequencer.sequence(placer, NEXT)
    assert await rounds.bring(placer, remote, key=changed)
    assert not await kinds(placer)


async def test_a_witness_that_does_not_answer_is_an_alarm_until_it_does(
    app: Connection, placer: Connection, remote: Remote, log_key: str, tmp_path: Path
) -> None:
    await grow(app, placer)
    silent = Remote(f"unix:{tmp_path}/nothing")
    assert not await rounds.bring(placer, silent, key=log_key)
    assert await kinds(placer) == ["witness"]
    moved = Path(remote.address.removeprefix("unix:"))
    (tmp_path / "nothing").symlink_to(moved)
    assert await rounds.bring(placer, silent, key=log_key)
    assert not await kinds(placer)


async def test_the_rounds_follow_the_log_by_themselves(
    app: Connection, placer: Connection, remote: Remote, dsn: str
) -> None:
    database = await Database.open(dsn, role=roles.SEQUENCER, size=1)
    stop = asyncio.Event()
    running = asyncio.create_task(rounds.run(database, [remote], stop, key_of=key_of, every=0.05))
    await grow(app, placer)
    async with asyncio.timeout(5):
        while not await placer.fetchval("SELECT count(*) FROM trace_cosignature"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await running
    await database.close()


@pytest.mark.parametrize("text", ["", "unix:/x", "name+00+AA@unix:/x", "a+b+c@ftp://x"])
def test_a_witness_of_the_settings_is_a_key_and_an_address(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_remote(text)
