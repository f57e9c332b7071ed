"""The data keys of patients: found, made and unwrapped when they are needed.

No process uses a key from memory alone. Either the table says in this request that the key stands,
and the wrapped bytes there name what is remembered; or the row that is read carries the epoch under
which the key was found. Every destruction changes the epoch before it is acknowledged, so nothing
is read after it, in whatever process.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from hygie.kernel.config import Settings
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import KEYS
from hygie.kernel.errors import Gone, Unavailable
from hygie.kernel.security.keys.ledger import Ledger
from hygie.kernel.security.keys.opening import open_port
from hygie.kernel.security.keys.port import KEY_BYTES, KeyPort, Wrapped
from hygie.kernel.security.keys.seal import HASH_BYTES, Place, Sealer

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection

T = TypeVar("T")
CONNECTIONS = 2
PATIENCE = 5.0
"""Seconds that a request waits for the key service."""
TTL = 300.0
"""Seconds an unwrapped key stays in memory, and documents readable without the key service."""
MOST = 10_000
"""Unwrapped keys in memory."""
ADVISORY = 0x6B657973
"""Class of the advisory locks that hold a patient's keys, with the patient's number."""
EPOCH = "(SELECT last_value FROM hygie.key_epoch)"
"""The number of destructions so far, for the statement that reads what is sealed."""
_ABOUT = struct.Struct(">12siH16s")
_HEADER = struct.Struct(">BH")
_FORMAT = 1

_COLUMNS = "k.patient, k.version, k.id, k.kek, k.wrapped"
_FIND = f"""
SELECT {_COLUMNS} FROM unnest($1::integer[], $2::smallint[]) AS a (patient, version)
JOIN hygie_keys.patient_key k ON k.patient = a.patient AND k.version = a.version
"""
_LATEST = f"""
SELECT DISTINCT ON (k.patient) {_COLUMNS} FROM hygie_keys.patient_key k
WHERE k.patient = ANY ($1::integer[]) ORDER BY k.patient, k.version DESC
"""
# Never under a key-encryption key that was destroyed in the meantime.
_MAKE = """
INSERT INTO hygie_keys.patient_key (patient, version, id, kek, wrapped)
SELECT * FROM unnest($1::integer[], $2::smallint[], $3::bytea[], $4::integer[], $5::bytea[])
  AS a (patient, version, id, kek, wrapped)
WHERE NOT EXISTS (SELECT 1 FROM hygie_keys.kek WHERE version = a.kek AND destroyed IS NOT NULL)
ON CONFLICT DO NOTHING
"""
_HOLD = f"""
SELECT pg_advisory_xact_lock_shared({ADVISORY}, n)
FROM (SELECT n FROM unnest($1::integer[]) AS n ORDER BY n) AS held
"""


class KeyName(NamedTuple):
    """Which data key: the patient's number, 0 for data of no patient, and a version."""

    patient: int
    version: int


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key ready for use."""

    name: KeyName
    sealer: Sealer


class Keyring:
    """The data keys of one process."""

    def __init__(
        self,
        database: Database,
        port: KeyPort,
        *,
        ledger: Ledger,
        ttl: float = TTL,
        patience: float = PATIENCE,
    ) -> None:
        """``database`` connects under the role of keys; times are in seconds."""
        self.database = database
        self.port = port
        self.ledger = ledger
        self._ttl = ttl
        self._patience = patience
        self._open: OrderedDict[bytes, tuple[float, DataKey]] = OrderedDict()
        self._standing: dict[KeyName, tuple[float, DataKey]] = {}
        self._epoch = 0

    async def find(
        self, names: Collection[KeyName], *, epoch: int | None = None
    ) -> Mapping[KeyName, DataKey]:
        """Return the keys that stand; one that was destroyed is absent.

        With the ``EPOCH`` of the statement that read what is sealed, keys found before under the
        same one are not asked for again.

        Raises:
            Unavailable: a key was never known here, or the key service does not answer.
        """
        if epoch is not None and (known := self._known(names, epoch)):
            return known
        found = await self._find(set(names))
        # The epoch was read before the keys: one destroyed in between has another by now.
        if epoch is not None and epoch == self._epoch and len(self._standing) < MOST:
            until = time.monotonic() + self._ttl
            self._standing.update({name: (until, key) for name, key in found.items()})
        return found

    def _known(self, names: Collection[KeyName], epoch: int) -> Mapping[KeyName, DataKey] | None:
        now = time.monotonic()
        if epoch != self._epoch or len(self._standing) >= MOST:
            self._standing.clear()
            # An older epoch, of a statement that was overtaken, is remembered just as well: it
            # differs from every later one.
            self._epoch = epoch
        found: dict[KeyName, DataKey] = {}
        for name in names:
            until, key = self._standing.get(name, (0.0, None))
            if key is None or until <= now:
                return None
            found[name] = key
        return found

    async def _find(self, wanted: Collection[KeyName]) -> Mapping[KeyName, DataKey]:
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                _FIND, [name.patient for name in wanted], [name.version for name in wanted]
            )
        if len(rows) < len(wanted):
            raise Unavailable("The key of an encrypted document is missing: restore the keys.")
        return await self._unwrap_all(row for row in rows if row["wrapped"] is not None)

    async def latest(self, patients: Collection[int]) -> Mapping[int, DataKey]:
        """Return the key that seals what is new of each patient, made where there is none.

        Raises:
            Unavailable: the key service does not answer.
        """
        wanted = sorted(set(patients))
        async with self.database.connection() as connection:
            rows = await connection.fetch(_LATEST, wanted)
            standing = {row["patient"] for row in rows if row["wrapped"] is not None}
            missing = [patient for patient in wanted if patient not in standing]
            if missing:
                former = {row["patient"]: row["version"] for row in rows}
                names = [KeyName(patient, former.get(patient, 0) + 1) for patient in missing]
                await self._make(connection, names)
                rows = await connection.fetch(_LATEST, wanted)
        keys = await self._unwrap_all(row for row in rows if row["wrapped"] is not None)
        if len(keys) < len(wanted):
            raise Unavailable("The keys are being changed; retry.")
        return {name.patient: key for name, key in keys.items()}

    async def seal(self, content: bytes, place: Place) -> bytes:
        """Seal a content that is no resource, a message for instance, with its patient's key.

        Call it inside the transaction that keeps the result, after :func:`hold`.

        Raises:
            Unavailable: the key service does not answer.
        """
        key = (await self.latest([place.patient]))[place.patient]
        digest = key.sealer.hash(content)
        version = key.name.version
        sealed = key.sealer.seal(content, place=place, version=version, content_hash=digest)
        return _HEADER.pack(_FORMAT, version) + digest + sealed

    async def unseal(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed for a place.

        Raises:
            Gone: the patient's keys were destroyed.
            Unavailable: it is damaged, or the key service does not answer.
        """
        try:
            form, version = _HEADER.unpack_from(sealed)
        except struct.error as error:
            raise Unavailable("A sealed content is damaged: restore it.") from error
        if form != _FORMAT:
            raise Unavailable("A sealed content has an unknown form: restore it.")
        name = KeyName(place.patient, version)
        key = (await self.find([name])).get(name)
        if key is None:
            raise Gone("This content was erased.")
        start = _HEADER.size + HASH_BYTES
        return key.sealer.unseal(
            sealed[start:], place=place, version=version,
            content_hash=sealed[_HEADER.size : start],
        )  # fmt: skip

    async def _make(self, connection: Connection, names: Collection[KeyName]) -> None:
        ids = [secrets.token_bytes(16) for _ in names]
        pairs = list(zip(names, ids, strict=True))
        wrapped = await self._ask(lambda: [self._new(name, uid) for name, uid in pairs])
        await connection.execute(
            _MAKE,
            [name.patient for name in names],
            [name.version for name in names],
            ids,
            [one.version for one in wrapped],
            [one.text for one in wrapped],
        )

    def _new(self, name: KeyName, uid: bytes) -> Wrapped:
        return self.port.wrap(secrets.token_bytes(KEY_BYTES), about=about(name, uid))

    async def _unwrap_all(self, rows: Iterable[Record]) -> dict[KeyName, DataKey]:
        found: dict[KeyName, DataKey] = {}
        now = time.monotonic()
        unknown = []
        for row in rows:
            until, key = self._open.get(row["wrapped"], (0.0, None))
            if key is not None and until > now:
                found[key.name] = key
            else:
                unknown.append(row)
        if unknown:
            keys = await self._ask(lambda: [self._unwrap(row) for row in unknown])
            for row, key in zip(unknown, keys, strict=True):
                found[key.name] = key
                self._remember(row["wrapped"], key, now)
        return found

    def _unwrap(self, row: Record) -> DataKey:
        name = KeyName(row["patient"], row["version"])
        wrapped = Wrapped(row["kek"], row["wrapped"])
        return DataKey(name, Sealer(self.port.unwrap(wrapped, about=about(name, row["id"]))))

    def _remember(self, wrapped: bytes, key: DataKey, now: float) -> None:
        self._open.pop(wrapped, None)
        self._open[wrapped] = now + self._ttl, key
        # The oldest stand first, since all live as long.
        while self._open:
            until, _ = next(iter(self._open.values()))
            if until > now and len(self._open) <= MOST:
                break
            self._open.popitem(last=False)

    async def _ask(self, question: Callable[[], T]) -> T:
        """Ask the key service, in a thread where it waits for a device."""
        if not self.port.blocks:
            return question()
        try:
            return await asyncio.wait_for(asyncio.to_thread(question), self._patience)
        except TimeoutError as error:
            raise Unavailable("The key service does not answer; retry in a few seconds.") from error


def open_keyring(database: Database, settings: Settings) -> Keyring:
    """Return the keyring beside a database, closed with it.

    Raises:
        ConfigurationError: the keys cannot be used.
    """
    beside = database.beside(role=KEYS, size=CONNECTIONS)
    return Keyring(beside, open_port(settings), ledger=Ledger.of(settings))


async def hold(connection: Connection, patients: Collection[int]) -> None:
    """Keep the keys of these patients from destruction until the transaction ends.

    What is then written with them is never unreadable at once.
    """
    await connection.fetch(_HOLD, sorted(set(patients)))


def about(name: KeyName, uid: bytes) -> bytes:
    """Return the additional data of a wrapped data key."""
    return _ABOUT.pack(b"hygie-key-1", *name, uid)
