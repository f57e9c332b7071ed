"""What a superuser of the database, with or without the stolen keys, can change unseen: nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import note, sequencer
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.export import export
from hygie.kernel.audit.proofs import Proofs
from hygie.kernel.audit.tests.test_sequencer import KEY, reads
from hygie.kernel.audit.timestamps import Authority, open_authority
from hygie.kernel.audit.trace import write
from hygie.kernel.audit.witness.cosigner import Cosigner
from hygie.kernel.audit.witness.folder import heads_name, read_heads
from hygie.kernel.audit.witness.keeper import Witness
from hygie.kernel.database import roles
from hygie.testing.timestamp_authority import LocalAuthority
from hygie_verify.note import VerifierKey
from hygie_verify.trust import Trust
from hygie_verify.walk import Report, verify

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect

THIEF = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
Line = dict[str, Any]


@dataclass(slots=True)
class Log:
    """A log of six events and three heads, cosigned and stamped, and who may change it."""

    app: Connection
    owner: Connection
    placer: Connection
    trust: Trust
    lines: list[Line]
    """Its export as it was before anything was changed."""

    async def export(self, key: Ed25519PrivateKey = KEY) -> list[Line]:
        return [json.loads(line) async for line in export(self.placer, key)]

    def judge(self, lines: list[Line], **less: Any) -> Report:
        encoded = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
        return verify(encoded, trust=replace(self.trust, **less))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def log(
    app: Connection,
    owner: Connection,
    connect: Connect,
    authority: LocalAuthority,
    tmp_path: Path,
) -> AsyncIterator[Log]:
    placer = await connect(roles.SEQUENCER)
    witness = Witness(tmp_path / "witness")
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    witness.trust(Signer(origin, KEY).verifier_key)
    with authority.serving() as url:
        stamper = open_authority(url, authority.certificate)
        assert stamper is not None
        for first in (0, 2, 4):
            await write(app, reads(2, first=first))
            await sequencer.sequence(placer, KEY)
            await vouch(placer, witness, stamper)
    heads = read_heads(tmp_path / "witness" / heads_name(origin))
    trust = Trust(
        key=VerifierKey.parse(Signer(origin, KEY).verifier_key),
        witnesses=(VerifierKey.parse(witness.cosigner.verifier_key),),
        kept=tuple((head.checkpoint, head.cosignature) for head in heads),
        certificate=authority.certificate.read_bytes(),
        required=2,
    )
    made = Log(app, owner, placer, trust, [])
    made.lines = await made.export()
    yield made
    witness.close()


async def vouch(placer: Connection, witness: Witness, authority: Authority) -> None:
    """Have the last head cosigned and stamped."""
    row = await placer.fetchrow(
        "SELECT size, checkpoint FROM trace_head ORDER BY size DESC LIMIT 1"
    )
    assert row is not None
    proof = await Proofs(placer).consistency(row["size"] - 2, row["size"])
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    request = f"old {row['size'] - 2}\n{hashes}\n{row['checkpoint']}"
    answer = witness.add_checkpoint(request.encode())
    assert answer.status == 200, answer
    await placer.execute(
        "INSERT INTO trace_cosignature (size, witness, line) VALUES ($1, $2, $3)",
        row["size"],
        witness.cosigner.name,
        answer.body,
    )
    token = authority.stamp(note.split(row["checkpoint"])[0])
    await placer.execute(
        "INSERT INTO trace_timestamp (size, token) VALUES ($1, $2)", row["size"], token
    )


async def test_the_untouched_log_is_whole_and_vouched_for(log: Log) -> None:
    report = log.judge(log.lines)
    assert report.is_whole, report.faults
    assert sorted(report.vouched.values()) == [6, 6, 6]
    assert not log.judge(log.lines, required=4).is_whole


IN_THE_DATABASE = {
    "edit a body": "UPDATE trace SET pat = 8 WHERE place = 3",
    "edit role and structure": "UPDATE trace SET agent_role = '60' WHERE place = 3",
    "take a label off": "UPDATE trace SET label = 1 WHERE place = 3",
    "take the flag of an emergency off or on": "UPDATE trace SET flags = 1 WHERE place = 3",
    "add a patient": "UPDATE trace SET pats = '{8}' WHERE place = 3",
    "claim the older form": "UPDATE trace SET v = 1 WHERE place = 3",
    "edit a body and its leaf": "UPDATE trace SET pat = 8 WHERE place = 3; "
    "UPDATE trace_leaf SET body_hash = sha256('x') WHERE place = 3",
    "delete from the middle": "DELETE FROM trace WHERE place = 3; "
    "DELETE FROM trace_leaf WHERE place = 3",
    "delete and renumber": "DELETE FROM trace WHERE place = 3; "
    "DELETE FROM trace_leaf WHERE place = 3; UPDATE trace SET place = place - 1 WHERE place > 3; "
    "UPDATE trace_leaf SET place = place - 1 WHERE place = 4;"
    "UPDATE trace_leaf SET place = place - 1 WHERE place = 5",
    "swap two": "UPDATE trace SET place = 7 - place WHERE place IN (3, 4);"
    "UPDATE trace_leaf SET place = -1 WHERE place = 3;"
    "UPDATE trace_leaf SET place = 3 WHERE place = 4;"
    "UPDATE trace_leaf SET place = 4 WHERE place = -1",
    "insert": "INSERT INTO trace SELECT copy.* FROM trace, "
    "jsonb_populate_record(trace, '{\"id\": 999999}') AS copy WHERE trace.place = 3",
    "cut the tail": "DELETE FROM trace WHERE place > 3; DELETE FROM trace_leaf WHERE place > 3",
    "cut the tail and its heads": "DELETE FROM trace WHERE place > 3; "
    "DELETE FROM trace_leaf WHERE place > 3; DELETE FROM trace_head WHERE size > 4",
    "drop all heads": "DELETE FROM trace_head",
    "edit a head": "UPDATE trace_head SET checkpoint = replace(checkpoint, E'\\n6\\n', E'\\n7\\n')",
    "drop cosignatures and timestamps": "DELETE FROM trace_cosignature;DELETE FROM trace_timestamp",
    "forge a cosignature": "UPDATE trace_cosignature SET line = (SELECT line FROM "
    "trace_cosignature WHERE size = 4) WHERE size = 6",
    "change a timestamp": "UPDATE trace_timestamp SET token = set_byte(token, "
    "length(token) - 9, 7) WHERE size = 6",
    "a timestamp of another head": "UPDATE trace_timestamp SET token = (SELECT token FROM "
    "trace_timestamp WHERE size = 4) WHERE size = 6",
    "a key of one's own": "UPDATE trace_key SET key = 'x+00000000+AA' WHERE size = 0",
    "another origin": "UPDATE trace_tree SET origin = 'hygie/trace/other'",
}


@pytest.mark.parametrize("name", IN_THE_DATABASE)
async def test_what_is_changed_in_the_database_is_seen(log: Log, name: str) -> None:
    await log.owner.execute(IN_THE_DATABASE[name])
    assert log.judge(await log.export()).faults


async def rewrite(log: Log, key: Ed25519PrivateKey) -> list[Line]:
    """Write all events again, but one, and sign them with a key."""
    await log.owner.execute(
        "UPDATE trace SET place = NULL; UPDATE trace SET pat = 9 WHERE ver = 2;"
        "TRUNCATE trace_leaf, trace_node, trace_head, trace_key, trace_cosignature;"
        "TRUNCATE trace_timestamp;"
        "UPDATE trace_tree SET size = 0, subtrees = ''"
    )
    await sequencer.sequence(log.placer, key)
    return await log.export(key)


async def test_a_history_rewritten_with_another_key_is_seen(log: Log) -> None:
    assert log.judge(await rewrite(log, THIEF), kept=(), required=0).faults


async def test_a_history_rewritten_with_the_stolen_key_is_seen_by_the_witness(log: Log) -> None:
    lines = await rewrite(log, KEY)
    assert log.judge(lines, kept=(), required=0).is_whole
    assert log.judge(lines, required=0).faults
    assert log.judge(lines, kept=(), required=1).faults


async def test_a_history_rewritten_with_both_stolen_keys_is_seen_by_the_heads_that_were_kept(
    log: Log,
) -> None:
    """The thief has the keys of log and witness, and neither the authority's nor the copies."""
    lines = await rewrite(log, KEY)
    assert log.judge(lines, required=0).faults
    thief = Cosigner(log.trust.witnesses[0].name, THIEF)
    for line in lines:
        if "head" in line:
            line["cosignatures"] = thief.line(note.split(line["head"])[0], at=1)
    own = VerifierKey.parse(thief.verifier_key)
    assert log.judge(lines, kept=(), witnesses=(own,), required=1).is_whole
    assert log.judge(lines, kept=(), witnesses=(own,), required=2).faults


async def test_a_tail_removed_with_its_heads_is_missed_without_a_witness_only(log: Log) -> None:
    await log.owner.execute(IN_THE_DATABASE["cut the tail and its heads"])
    lines = await log.export()
    assert log.judge(lines, kept=(), required=0).is_whole
    assert log.judge(lines, required=0).faults


def replay_an_older_export(lines: list[Line]) -> None:
    at = next(index for index, line in enumerate(lines) if line.get("place") == 4)
    lines[at:] = [{"end": {"leaves": 4, "heads": 2}}]


def cut_the_file(lines: list[Line]) -> None:
    del lines[-3:]


def cut_the_last_line(lines: list[Line]) -> None:
    del lines[-1]


def double_a_row(lines: list[Line]) -> None:
    at = next(index for index, line in enumerate(lines) if line.get("place") == 4)
    lines.insert(at, lines[at])


def append_an_unsigned_row(lines: list[Line]) -> None:
    row = next(line for line in lines if line.get("place") == 5)
    lines.insert(-1, {**row, "place": 6})
    lines[-1] = {"end": {"leaves": 7, "heads": 3}}


def name_another_origin(lines: list[Line]) -> None:
    lines[0]["origin"] = "hygie/trace/other"


def change_a_cosignature(lines: list[Line]) -> None:
    head = [line for line in lines if "head" in line][-1]
    name, blob = head["cosignatures"].rstrip("\n").rsplit(" ", 1)
    changed = bytearray(base64.b64decode(blob))
    changed[-1] ^= 1
    head["cosignatures"] = f"{name} {base64.b64encode(changed).decode()}\n"


def move_the_time_of_a_cosignature(lines: list[Line]) -> None:
    head = [line for line in lines if "head" in line][-1]
    name, blob = head["cosignatures"].rstrip("\n").rsplit(" ", 1)
    changed = bytearray(base64.b64decode(blob))
    changed[11] ^= 1
    head["cosignatures"] = f"{name} {base64.b64encode(changed).decode()}\n"


def change_a_timestamp(lines: list[Line]) -> None:
    head = [line for line in lines if "head" in line][-1]
    token = bytearray(base64.b64decode(head["timestamp"]))
    token[len(token) // 2] ^= 1
    head["timestamp"] = base64.b64encode(token).decode()


def hide_a_removed_trace(lines: list[Line]) -> None:
    row = next(line for line in lines if line.get("place") == 4)
    del row["header"], row["salt"], row["body"]


@pytest.mark.parametrize(
    "tamper",
    [replay_an_older_export, cut_the_file, cut_the_last_line, double_a_row, append_an_unsigned_row,
     name_another_origin, change_a_cosignature, move_the_time_of_a_cosignature, change_a_timestamp,
     hide_a_removed_trace],
)  # fmt: skip
async def test_what_is_changed_in_the_export_is_seen(
    log: Log, tamper: Callable[[list[Line]], None]
) -> None:
    lines = msgspec.json.decode(msgspec.json.encode(log.lines))
    tamper(lines)
    assert log.judge(lines).faults


async def test_a_clock_that_goes_back_is_told(log: Log) -> None:
    """F24: the order is the one of the places; the instant is told to be odd."""
    await write(log.app, reads(1))
    await log.owner.execute("UPDATE trace SET at = at - interval '3 hours' WHERE place IS NULL")
    await sequencer.sequence(log.placer, KEY)
    report = log.judge(await log.export())
    assert report.is_whole
    assert len(report.notices) == 1
    assert "the clock went back" in report.notices[0]


async def test_a_head_dated_before_the_last_one_is_an_alarm(log: Log) -> None:
    """F24."""
    await log.owner.execute("UPDATE trace_head SET at = at + interval '1 hour'")
    await write(log.app, reads(1))
    await sequencer.sequence(log.placer, KEY)
    assert await log.placer.fetchval("SELECT kind FROM trace_alarm") == "clock"
