"""Destroy a patient's keys, and again after a restore what was destroyed since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.config import Settings
from hygie.kernel.database.roles import OWNER
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, InvalidRequest
from hygie.kernel.security.keys.keyring import ADVISORY, Keyring
from hygie.kernel.security.keys.ledger import (
    FIRST,
    Destroyed,
    Erasure,
    Ledger,
    longest,
    read_lines,
)

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.database.session import Connection as Session

NO_PATIENT = 0
"""The number of those whose data is of no patient; nothing of it is shredded."""
_HOLD_ALONE = f"SELECT pg_advisory_xact_lock({ADVISORY}, $1::integer)"
_TURN = f"SELECT pg_advisory_xact_lock({ADVISORY}, -1)"
_LINES = "SELECT line FROM hygie_keys.erasure ORDER BY number"
_LAST = "SELECT number, line FROM hygie_keys.erasure ORDER BY number DESC LIMIT 1"
_STANDING = """
SELECT version, id FROM hygie_keys.patient_key
WHERE patient = $1 AND wrapped IS NOT NULL ORDER BY version FOR UPDATE
"""
_DESTROY = """
UPDATE hygie_keys.patient_key SET wrapped = NULL, destroyed = $2
WHERE patient = $1 AND wrapped IS NOT NULL
"""
_ADD = "INSERT INTO hygie_keys.erasure (number, line) VALUES ($1, $2)"
# A row that a restored copy lacks is made, destroyed: a document of that key says it was erased.
_DESTROY_AGAIN = """
INSERT INTO hygie_keys.patient_key AS k (patient, version, id, kek, wrapped, destroyed)
VALUES (%(patient)s, %(version)s, %(id)s, 0, NULL, %(at)s)
ON CONFLICT (patient, version) DO UPDATE
SET wrapped = NULL, destroyed = coalesce(k.destroyed, excluded.destroyed) WHERE k.id = excluded.id
"""
# Numbers that were given once are never given to somebody else.
_KEEP_NUMBERS = """
SELECT setval(pg_get_serial_sequence('hygie.party', 'num'), %(most)s)
WHERE %(most)s > (SELECT coalesce(max(num), 0) FROM hygie.party)
"""
_NEXT_EPOCH = "SELECT nextval('hygie.key_epoch')"


async def shred(
    keyring: Keyring,
    connection: Connection,
    patient: int,
    *,
    at: datetime,
    resources: Collection[str] = (),
) -> Erasure:
    """Destroy the keys of a patient: what was sealed with them is unreadable for ever.

    Call it last in a transaction on the data, which ``connection`` is in: writes about the patient
    wait until that transaction ends, and what is written later gets a new key. The destruction is
    not undone by a rollback. When this returns, keys, table and files of the ledger are durable,
    and no process reads anything sealed before.

    Args:
        keyring: where the keys are.
        connection: inside a transaction.
        patient: surrogate number (``Repository.party_number``).
        at: now, with its zone.
        resources: ``Type/id`` of what the caller removed in the same transaction, so that it is
            removed again after a restore.

    Raises:
        InvalidRequest: the number stands for nobody.
    """
    if patient <= NO_PATIENT:
        raise InvalidRequest("Only the keys of a patient can be destroyed.")
    await connection.execute(_HOLD_ALONE, patient)
    erasure = await _record(keyring, patient, at=at, resources=resources, destroy=True)
    # A sequence moves at once, whatever becomes of the transaction.
    await connection.fetchval(_NEXT_EPOCH)
    return erasure


async def record_removal(
    keyring: Keyring, patient: int, *, at: datetime, resources: Collection[str]
) -> Erasure:
    """Record that resources were removed and that the patient's keys stay."""
    return await _record(keyring, patient, at=at, resources=resources, destroy=False)


async def _record(
    keyring: Keyring, patient: int, *, at: datetime, resources: Collection[str], destroy: bool
) -> Erasure:
    async with keyring.database.connection() as keys, keys.transaction():
        await keys.execute(_TURN)
        standing = await keys.fetch(_STANDING, patient) if destroy else []
        last = await keys.fetchrow(_LAST)
        before = msgspec.json.decode(last["line"], type=Erasure).hash if last else FIRST
        erasure = Erasure(
            number=last["number"] + 1 if last else 1,
            at=at,
            patient=patient,
            keys=tuple(Destroyed(row["version"], row["id"].hex()) for row in standing),
            resources=tuple(sorted(resources)),
            previous=before,
        )
        await keys.execute(_ADD, erasure.number, erasure.line)
        if destroy:
            await keys.execute(_DESTROY, patient, at)
        lines = [row["line"] for row in await keys.fetch(_LINES)]
    keyring.ledger.bring_up_to(read_lines(lines, source="table"))
    return erasure


def repeat(
    dsn: str, ledger: Ledger, *, more: Sequence[Erasure] = (), restored: bool = False
) -> Sequence[Erasure]:
    """Carry the ledger out on a database that may be older than it; return what was carried out.

    Done before anything is served: what the database lacks, and after each restore everything,
    since keys may come from another day than the data. What the lines say of resources is for the
    caller to remove, before.

    Args:
        dsn: connects as who may take the owner's role.
        ledger: the files, brought up to date as well.
        more: a copy from elsewhere.
        restored: carry out what the database knows already, too.

    Raises:
        ConfigurationError: two copies contradict each other, or a line was changed.
    """
    with connect(dsn, role=OWNER, autocommit=False) as session:
        standing = _table(session)
        whole = longest([standing, ledger.read(), more])
        wanted = whole if restored else whole[len(standing) :]
        for erasure in wanted:
            _carry_out(session, erasure)
        if wanted:
            session.execute(_NEXT_EPOCH.encode())
            most = max(erasure.patient for erasure in whole)
            session.execute(_KEEP_NUMBERS.encode(), {"most": most})
    ledger.bring_up_to(whole)
    return wanted


def every_erasure(dsn: str, ledger: Ledger, *, more: Sequence[Erasure] = ()) -> Sequence[Erasure]:
    """Return every erasure that the table, the files or another copy know, oldest first.

    Raises:
        ConfigurationError: two copies contradict each other, or a line was changed.
    """
    with connect(dsn, role=OWNER) as session:
        return longest([_table(session), ledger.read(), more])


def check_is_repeated(settings: Settings, dsn: str) -> None:
    """Raise when the database is older than the ledger; bring the ledger's files up to date.

    Raises:
        ConfigurationError: erasures must be repeated first, or the ledger was changed.
    """
    ledger = Ledger.of(settings)
    with connect(dsn, role=OWNER) as session:
        standing = _table(session)
    whole = longest([standing, ledger.read()])
    if len(whole) > len(standing):
        raise ConfigurationError(
            f"The database is older than {len(whole) - len(standing)} erasures of the ledger: run "
            "hygie keys repeat, then start again."
        )
    ledger.bring_up_to(whole)


def _table(session: Session) -> Sequence[Erasure]:
    lines = [row[0] for row in session.execute(_LINES.encode()).fetchall()]
    return read_lines(lines, source="table")


def _carry_out(session: Session, erasure: Erasure) -> None:
    session.execute(
        b"INSERT INTO hygie_keys.erasure (number, line) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (erasure.number, erasure.line),
    )
    for key in erasure.keys:
        session.execute(
            _DESTROY_AGAIN.encode(),
            {"patient": erasure.patient, "version": key.version, "id": bytes.fromhex(key.id),
             "at": erasure.at},
        )  # fmt: skip
