"""Write rows in bulk: every statement is an ``INSERT ... SELECT unnest(...)`` under the belt."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from hygie.kernel.security.keys.seal import Place
from hygie.kernel.security.keys.shredding import NO_PATIENT
from hygie.kernel.security.relations import OF_THE_RECORD
from hygie.kernel.store.bodies import Whole
from hygie.kernel.store.change import Permit
from hygie.kernel.store.facts import Fact, PartyRef, Practice
from hygie.kernel.store.ids import key_of, part_of
from hygie.kernel.store.locking import array

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

ONE_SECOND = timedelta(seconds=1)

# Column and type of what unnest receives; arrays travel as text, since unnest flattens arrays.
RESOURCE = (
    ("key", "bigint"),
    ("seq", "bigint"),
    ("upd", "timestamptz"),
    ("present", "bigint"),
    ("code", "bigint"),
    ("d", "timestamptz"),
    ("dhi", "timestamptz"),
    ("uid", "uuid"),
    ("ver", "integer"),
    ("pat", "integer"),
    ("author", "integer"),
    ("structure", "integer"),
    ("part", "smallint"),
    ("rt", "smallint"),
    ("class", "smallint"),
    ("label", "smallint"),
    ("flags", "smallint"),
    ("matter", "smallint"),
    ("rid", "text"),
    ("others", "integer[]"),
    ("frequent", "bigint[]"),
    ("toks", "bigint[]"),
    ("body", "bytea"),
)
_LASTING = frozenset({"key", "seq", "upd", "uid", "ver", "pat", "part", "rt", "rid", "body"})
RENEWED = tuple(column for column in RESOURCE if column[0] not in _LASTING)
"""Columns of ``resource`` that follow from the body by what this programme knows."""
KEY = (
    ("key", "bigint"),
    ("uid", "uuid"),
    ("rt", "smallint"),
    ("part", "smallint"),
    ("rid", "text"),
)
_HERE = (("key", "bigint"), ("part", "smallint"), ("param", "smallint"))
SIDES = (
    ("s_string", (*_HERE, ("norm", "text"), ("raw", "text"))),
    ("s_date", (*_HERE, ("lo", "timestamptz"), ("hi", "timestamptz"))),
    ("s_number", (*_HERE, ("val", "numeric"), ("unit", "bigint"))),
)
FACT = (
    ("pat", "integer"),
    ("member", "integer"),
    ("kind", "smallint"),
    ("starts", "timestamptz"),
    ("ends", "timestamptz"),
    ("source", "bigint"),
)
PRACTICE = (
    ("member", "integer"),
    ("structure", "integer"),
    ("role", "text"),
    ("starts", "timestamptz"),
    ("ends", "timestamptz"),
    ("source", "bigint"),
)
BLOB = (("digest", "bytea"), ("key", "bigint"), ("part", "smallint"), ("ver", "integer"))


@dataclass(frozen=True, slots=True)
class Version:
    """A version about to be written.

    ``body`` is its stored form and ``served`` the bytes of a read; both None for a deletion.
    """

    permit: Permit
    key: int
    seq: int
    part: int
    updated: datetime
    body: bytes | None
    blobs: Sequence[bytes] = ()
    served: bytes | None = None

    @property
    def label(self) -> int:
        """Return its own labels; ``spreading`` adds those that reach it."""
        prepared = self.permit.change.prepared
        return prepared.indexed.label if prepared else 0


def whole(version: Version, numbers: Mapping[PartyRef, int]) -> Whole:
    """Return the body of a version with the place it is sealed for."""
    change = version.permit.change
    rt, uid = change.place
    patients = change.prepared.indexed.patients if change.prepared else []
    patient = numbers[patients[0]] if patients else NO_PATIENT
    return Whole(Place(patient, rt, uid, version.permit.version), version.served or b"")


def part_for(permit: Permit) -> int:
    """Return the part of the new version: its patient's, or its own where it has none."""
    prepared = permit.change.prepared
    if prepared is None:
        if permit.current is None:
            raise ValueError("a deletion has a current version")
        return permit.current.part
    patients = prepared.indexed.patients
    return part_of(key_of(patients[0][1] if patients else permit.change.rid)[0])


def key_row(version: Version) -> tuple[int, uuid.UUID, int, int, str | None]:
    """Return the row of table ``resource_key``, in the order of ``KEY``."""
    change = version.permit.change
    rt, uid = change.place
    return version.key, uid, rt, version.part, key_of(change.rid)[1]


def resource_row(version: Version, numbers: Mapping[PartyRef, int]) -> tuple[object, ...]:
    """Return the row of table ``resource``, in the order of ``RESOURCE``."""
    change = version.permit.change
    if change.prepared is None:
        raise ValueError("a deletion has no resource row")
    indexed = change.prepared.indexed
    rt, uid = change.place
    low, high = indexed.date or (None, None)
    patients = [numbers[ref] for ref in indexed.patients]
    return (
        version.key,
        version.seq,
        version.updated,
        indexed.present,
        indexed.code,
        low,
        None if low is None or high == low + ONE_SECOND else high,
        uid,
        version.permit.version,
        patients[0] if patients else None,
        numbers[indexed.author] if indexed.author else None,
        numbers[indexed.structure] if indexed.structure else None,
        version.part,
        rt,
        indexed.document_class,
        version.label,
        indexed.flags,
        indexed.matter,
        key_of(change.rid)[1],
        patients[1:] or None,
        indexed.frequent or None,
        indexed.toks,
        version.body,
    )


def side_rows(version: Version) -> tuple[list[tuple[object, ...]], ...]:
    """Return the rows of ``s_string``, ``s_date`` and ``s_number`` of one version."""
    prepared = version.permit.change.prepared
    if prepared is None:
        return [], [], []
    here = (version.key, version.part)
    indexed = prepared.indexed
    return (
        [(*here, *row) for row in indexed.strings],
        [(*here, *row) for row in indexed.dates],
        [(*here, *row) for row in indexed.numbers],
    )


def fact_rows(version: Version, numbers: Mapping[PartyRef, int]) -> list[tuple[object, ...]]:
    """Return the rows of ``care_relation`` of one version."""
    prepared = version.permit.change.prepared
    return [
        (
            numbers[f.patient],
            numbers[f.member] if f.member else OF_THE_RECORD,
            int(f.kind),
            f.starts,
            f.ends,
            version.key,
        )
        for f in (prepared.facts if prepared else ())
        if isinstance(f, Fact)
    ]


def practice_rows(version: Version, numbers: Mapping[PartyRef, int]) -> list[tuple[object, ...]]:
    """Return the rows of ``practice`` of one version."""
    prepared = version.permit.change.prepared
    return [
        (
            numbers[p.member],
            numbers[p.structure] if p.structure else None,
            p.role,
            p.starts,
            p.ends,
            version.key,
        )
        for p in (prepared.facts if prepared else ())
        if isinstance(p, Practice)
    ]


class Insert(Protocol):
    """Appends rows to a table; nothing happens without rows."""

    async def __call__(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[tuple[str, str]],
        rows: Sequence[tuple[object, ...]],
    ) -> None:
        """Append the rows."""
        ...


async def insert(
    connection: Connection,
    table: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Insert rows in one statement; nothing happens without rows."""
    if rows:
        await connection.execute(_statement(table, tuple(columns)), *_arrays(columns, rows))


async def renew(connection: Connection, found: Sequence[tuple[object, ...]]) -> None:
    """Set the columns ``RENEWED`` of resources; each row begins with key and part."""
    if found:
        columns = (("key", "bigint"), ("part", "smallint"), *RENEWED)
        await connection.execute(_RENEW, *_arrays(columns, found))


def _renewal() -> str:
    columns = (("key", "bigint"), ("part", "smallint"), *RENEWED)
    changes = ", ".join(
        f"{name} = a.{name}::{kind}" if kind.endswith("[]") else f"{name} = a.{name}"
        for name, kind in RENEWED
    )
    inputs = ", ".join(
        f"${place}::{'text' if kind.endswith('[]') else kind}[]"
        for place, (_, kind) in enumerate(columns, 1)
    )
    names = ", ".join(name for name, _ in columns)
    return (
        f"UPDATE resource r SET {changes}, own_label = NULL FROM unnest({inputs}) AS a ({names}) "
        "WHERE r.part = a.part AND r.key = a.key"
    )


_RENEW = _renewal()


def _statement(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    names = ", ".join(name for name, _ in columns)
    casts = ", ".join(
        f"t.{name}::{kind}" if kind.endswith("[]") else f"t.{name}" for name, kind in columns
    )
    inputs = ", ".join(
        f"${place}::{'text' if kind.endswith('[]') else kind}[]"
        for place, (_, kind) in enumerate(columns, 1)
    )
    return f"INSERT INTO {table} ({names}) SELECT {casts} FROM unnest({inputs}) AS t ({names})"


def _arrays(
    columns: Sequence[tuple[str, str]], rows: Sequence[tuple[object, ...]]
) -> list[list[object]]:
    arrays: list[list[object]] = []
    for (_, kind), values in zip(columns, zip(*rows, strict=True), strict=True):
        if kind.endswith("[]"):
            arrays.append([_literal(value) for value in values])
        else:
            arrays.append(list(values))
    return arrays


def _literal(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError("an array column takes a list")
    return array(value) or "{}"
