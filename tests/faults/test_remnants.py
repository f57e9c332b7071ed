"""What stays of erased people in the raw files of an installation, and what takes it away (G14).

The tests are one story, in order: each begins with what the one before left.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hygie.__main__ import main
from hygie.app import compose
from hygie.kernel.config import Settings
from hygie.kernel.database import launcher, server, tuning
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys import Wrapped, shred
from hygie.kernel.security.keys.keyring import KeyName, about
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.purging import ERASURE, purge
from hygie.kernel.store.remnant_jobs import clear_remnants, is_pending
from hygie.testing.remnants import forms, scan

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

PEOPLE = [f"person-{number:02}" for number in range(40)]
GONE = (PEOPLE[0], PEOPLE[1], PEOPLE[13], PEOPLE[27], PEOPLE[-2], PEOPLE[-1])


@dataclass(slots=True)
class Marks:
    """What is looked for of one person: texts that were planted, and the keys of the documents."""

    sealed: bytes = field(default_factory=lambda: secrets.token_hex(40).encode())
    clear: bytes = field(default_factory=lambda: b"zz" + secrets.token_hex(20).encode())
    key: bytes = b""
    wrapped: bytes = b""
    body: bytes = b""


@dataclass(slots=True)
class Machine:
    """An installation with people, of whom some are erased."""

    folder: Path
    marks: dict[str, Marks] = field(default_factory=lambda: {one: Marks() for one in GONE})

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.folder / "data"

    @property
    def settings(self) -> Settings:
        """Return its settings."""
        return Settings(data=self.data)

    @property
    def admin(self) -> str:
        """Return the connection string of the superuser."""
        return server.admin_dsn(self.settings)

    async def check_is_done(self, repository: Repository) -> None:
        """Check that the job finds nothing more to do."""
        assert not await is_pending(repository)

    def work(self, use: Callable[[Repository], Awaitable[object]]) -> None:
        """Do something with the repository."""

        async def run() -> None:
            repository = await open_repository(self.settings, law=compose(self.settings).law)
            try:
                await use(repository)
            finally:
                await repository.database.close()

        with server.running(self.settings):
            asyncio.run(run())

    def found(self, folder: Path | None = None) -> dict[str, dict[str, int]]:
        """Return where each kind of mark of the erased stands, over all of them."""
        every = self.marks.values()
        needles = {
            "sealed": [form for one in every for form in forms(one.sealed)],
            "key": [form for one in every for form in (one.key, one.key.hex().encode())],
            "wrapped": [one.wrapped for one in every],
            "clear": [one.clear for one in every],
            "body": [one.body for one in every],
        }
        found = scan(folder or self.data, needles)
        return {name: dict(areas) for name, areas in found.items() if areas}

    async def fill(self, repository: Repository) -> None:
        """Write people: those who are erased later stand first, between and last."""
        for person in PEOPLE:
            marks = self.marks.get(person, Marks())
            name = [{"family": marks.clear.decode()}]
            await _put(repository, {"resourceType": "Patient", "id": person, "name": name})
            for size, times in (("short", 3), ("long", 2_000)):
                await _put(repository, _document(person, size, marks.sealed * times))
            await self._learn(repository, person, marks)

    async def _learn(self, repository: Repository, person: str, marks: Marks) -> None:
        number = await repository.party_number(f"Patient/{person}")
        async with repository.keyring.database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT id, kek, wrapped FROM hygie_keys.patient_key WHERE patient = $1", number
            )
        assert row
        marks.wrapped = row["wrapped"]
        marks.key = repository.keyring.port.unwrap(
            Wrapped(row["kek"], row["wrapped"]), about=about(KeyName(number, 1), row["id"])
        )
        async with repository.database.transaction(system=True) as connection:
            body = await connection.fetchval("SELECT body FROM resource WHERE rid = $1", person)
        marks.body = bytes(body)[-60:]

    async def erase(self, repository: Repository) -> None:
        """Erase people as the right to erasure does."""
        for person in GONE:
            number = await repository.party_number(f"Patient/{person}")
            gone = [f"Patient/{person}"]
            gone += [f"DocumentReference/{person}-{size}" for size in ("short", "long")]

            async def destroy(
                connection: Connection, number: int = number, gone: list[str] = gone
            ) -> None:
                at = datetime.now(UTC)
                await shred(repository.keyring, connection, number, at=at, resources=gone)

            await purge(repository, number, gone, why="test", before_commit=destroy)


async def _put(repository: Repository, resource: dict[str, object]) -> None:
    rt, rid = str(resource["resourceType"]), str(resource["id"])
    await repository.update(SYSTEM, rt, rid, json.dumps(resource).encode())


def _document(person: str, size: str, content: bytes) -> dict[str, object]:
    data = base64.b64encode(content).decode()
    return {
        "resourceType": "DocumentReference",
        "id": f"{person}-{size}",
        "status": "current",
        "subject": {"reference": f"Patient/{person}"},
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Give an installation of which a backup was made and some people then erased."""
    folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("HYGIE_DATABASE_URL", raising=False)
        # Compressed images of pages would hide what they hold from the search.
        patched.setattr(
            launcher,
            "parameters",
            lambda *given: [*tuning.parameters(*given), "-c", "wal_compression=off"],
        )
        made = Machine(folder)
        made.work(made.fill)
        assert set(made.found()) == {"wrapped", "clear", "body"}  # the search finds what is there
        assert main(["backup", str(folder / "backup"), "--data", str(made.data)]) == 0
        made.work(made.erase)
        yield made
    shutil.rmtree(folder)


TABLES, JOURNAL = "tables and indexes", "journal"


def test_what_was_encrypted_stands_in_clear_nowhere_before_or_after(machine: Machine) -> None:
    for folder in (machine.data, machine.folder / "backup"):
        found = machine.found(folder)
        assert "sealed" not in found, folder
        assert "key" not in found, folder


def test_a_backup_holds_nothing_in_clear(machine: Machine) -> None:
    assert machine.found(machine.folder / "backup") == {}


def test_searchable_data_and_wrapped_keys_stay_in_tables_and_journal_at_first(
    machine: Machine,
) -> None:
    found = machine.found()
    assert set(found) == {"wrapped", "clear", "body"}
    assert all({TABLES, JOURNAL} == set(areas) for areas in found.values())


def test_what_the_job_does_clears_the_journal_and_most_of_the_tables(machine: Machine) -> None:
    before = machine.found()
    machine.work(partial(clear_remnants, caller=ERASURE, admin_dsn=machine.admin))
    after = machine.found()
    assert all(JOURNAL not in areas for areas in after.values())
    assert after["clear"][TABLES] < before["clear"][TABLES]
    machine.work(machine.check_is_done)


def test_writing_the_tables_anew_leaves_nothing(machine: Machine) -> None:
    code = main(["clear-remnants", "--rewrite", "--data", str(machine.data)])
    assert code == 0
    assert machine.found() == {}
