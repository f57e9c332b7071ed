from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import sequencer
from hygie.kernel.audit.checkpoint import Signer, load_or_create_key
from hygie.kernel.audit.export import export
from hygie.kernel.audit.handover import cross_sign, current_key, prepare, promote, rotate
from hygie.kernel.audit.tests.test_sequencer import KEY, reads
from hygie.kernel.audit.trace import write
from hygie.kernel.database import roles
from hygie.kernel.errors import ConfigurationError, InvalidRequest
from hygie_verify.note import VerifierKey
from hygie_verify.trust import Trust
from hygie_verify.walk import Report, verify

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect

SECOND, THIRD, THIEF = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (2, 3, 9))


@pytest.fixture
async def placer(connect: Connect) -> Connection:
    return await connect(roles.SEQUENCER)


async def grow(app: Connection, placer: Connection, key: Ed25519PrivateKey) -> None:
    await write(app, reads(3))
    await sequencer.sequence(placer, key)


async def change(placer: Connection, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> None:
    async with placer.transaction():
        await rotate(placer, old, new)


async def verified(
    placer: Connection, trusted: Ed25519PrivateKey, signing: Ed25519PrivateKey
) -> Report:
    """Return what the verifier says to who trusts one of the keys."""
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    key = VerifierKey.parse(Signer(origin, trusted).verifier_key)
    return verify([line async for line in export(placer, signing)], trust=Trust(key=key))


async def test_who_trusts_any_of_the_keys_follows_every_change(
    app: Connection, placer: Connection
) -> None:
    await grow(app, placer, KEY)
    await change(placer, KEY, SECOND)
    await grow(app, placer, SECOND)
    await grow(app, placer, SECOND)
    await change(placer, SECOND, THIRD)
    await grow(app, placer, THIRD)
    for trusted in (KEY, SECOND, THIRD):
        report = await verified(placer, trusted, THIRD)
        assert report.is_whole, report.faults
    assert (await verified(placer, THIEF, THIRD)).faults


async def test_a_replaced_key_signs_nothing_more(app: Connection, placer: Connection) -> None:
    await grow(app, placer, KEY)
    await change(placer, KEY, SECOND)
    await write(app, reads(1))
    with pytest.raises(ConfigurationError):
        await sequencer.sequence(placer, KEY)
    assert await sequencer.sequence(placer, SECOND) == 1


async def test_a_head_of_the_replaced_key_is_seen(
    app: Connection, owner: Connection, placer: Connection
) -> None:
    await grow(app, placer, KEY)
    await change(placer, KEY, SECOND)
    await grow(app, placer, SECOND)
    row = await placer.fetchrow("SELECT size, root FROM trace_head ORDER BY size DESC LIMIT 1")
    assert row is not None
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    forged = Signer(origin, KEY).sign(row["size"], row["root"])
    await owner.execute(
        "UPDATE trace_head SET checkpoint = $1 WHERE size = $2", forged, row["size"]
    )
    assert (await verified(placer, KEY, SECOND)).faults


async def test_a_change_that_the_old_key_did_not_sign_is_seen(
    app: Connection, owner: Connection, placer: Connection
) -> None:
    await grow(app, placer, KEY)
    await change(placer, KEY, SECOND)
    row = await placer.fetchrow("SELECT size, root FROM trace_head")
    assert row is not None
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    thief = Signer(origin, THIEF)
    forged = cross_sign(thief, thief, size=row["size"], root=row["root"])
    await owner.execute("UPDATE trace_key SET handover = $1 WHERE size > 0", forged)
    assert (await verified(placer, KEY, SECOND)).faults


async def test_the_key_of_a_log_without_new_events_does_not_change_twice(
    app: Connection, placer: Connection
) -> None:
    with pytest.raises(InvalidRequest):
        await change(placer, KEY, SECOND)
    await grow(app, placer, KEY)
    await change(placer, KEY, SECOND)
    with pytest.raises(InvalidRequest):
        await change(placer, SECOND, THIRD)


def test_an_interrupted_change_is_finished_at_the_next_start(tmp_path: Path) -> None:
    origin = "hygie/trace/x"
    old = load_or_create_key(tmp_path)
    new = prepare(tmp_path)
    assert prepare(tmp_path).private_bytes_raw() == new.private_bytes_raw()
    not_yet = current_key(tmp_path, origin=origin, handed_to=Signer(origin, old).verifier_key)
    assert not_yet.private_bytes_raw() == old.private_bytes_raw()
    done = current_key(tmp_path, origin=origin, handed_to=Signer(origin, new).verifier_key)
    assert done.private_bytes_raw() == new.private_bytes_raw()
    assert [path.name for path in tmp_path.iterdir()] == ["log-ed25519"]


def test_the_next_key_replaces_the_present_one(tmp_path: Path) -> None:
    load_or_create_key(tmp_path)
    new = prepare(tmp_path)
    promote(tmp_path)
    assert load_or_create_key(tmp_path).private_bytes_raw() == new.private_bytes_raw()
