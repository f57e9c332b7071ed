"""``hygie keys``, and the drill of an erasure that survives a restore (fault F14)."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from hygie.app import compose
from hygie.commands.tests.conftest import Hygie
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, NotFound
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys import shred
from hygie.kernel.security.keys.shredding import check_is_repeated
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.purging import purge

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

T = TypeVar("T")
SECRET = base64.b64encode(b"a very private letter").decode()


def with_repository(data: Path, work: Callable[[Repository], Awaitable[T]]) -> T:
    """Do something with the repository of a data folder."""
    settings = Settings(data=data)

    async def run() -> T:
        repository = await open_repository(settings, law=compose(settings).law)
        try:
            return await work(repository)
        finally:
            await repository.database.close()

    with server.running(settings):
        return asyncio.run(run())


async def fill(repository: Repository) -> None:
    for rid in ("ann", "bob"):
        await _put(repository, {"resourceType": "Patient", "id": rid, "name": [{"text": rid}]})
        for kind in ("kept", "removed"):
            await _put(repository, _document(f"{rid}-{kind}", rid))


async def _put(repository: Repository, resource: dict[str, object]) -> None:
    rt, rid = str(resource["resourceType"]), str(resource["id"])
    await repository.update(SYSTEM, rt, rid, json.dumps(resource).encode())


def _document(rid: str, patient: str) -> dict[str, object]:
    return {
        "resourceType": "DocumentReference",
        "id": rid,
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": {"contentType": "text/plain", "data": SECRET}}],
    }


async def erase_ann(repository: Repository) -> None:
    number = await repository.party_number("Patient/ann")
    gone = ["DocumentReference/ann-removed"]

    async def destroy(connection: Connection) -> None:
        await shred(repository.keyring, connection, number, at=datetime.now(UTC), resources=gone)

    await purge(repository, number, gone, why="test", before_commit=destroy)


async def what_is_there(repository: Repository) -> dict[str, bool | None]:
    """Return, for each document, whether its content is told; None where it is not there."""
    found: dict[str, bool | None] = {}
    for rid in ("ann-kept", "ann-removed", "bob-kept", "bob-removed"):
        try:
            stored = await repository.read(SYSTEM, "DocumentReference", rid)
        except NotFound:
            found[rid] = None
        else:
            found[rid] = SECRET.encode() in (stored.body or b"")
    return found


ERASED = {"ann-kept": False, "ann-removed": None, "bob-kept": True, "bob-removed": True}


def test_an_erasure_survives_the_restore_of_an_older_backup(folder: Path, hygie: Hygie) -> None:
    data, new = folder / "data", folder / "new"
    with_repository(data, fill)
    assert hygie("backup", folder / "old", "--data", data)[0] == 0
    with_repository(data, erase_ann)
    assert with_repository(data, what_is_there) == ERASED
    code, out, err = hygie(
        "restore", folder / "old", "--recovery-key", data / "keys" / "recovery",
        "--ledger", data / "ledger" / "erasures.ndjson", "--data", new,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "1 erasures were repeated" in out
    assert with_repository(new, what_is_there) == ERASED


def test_the_second_copy_of_the_ledger_is_found_by_itself(
    folder: Path, hygie: Hygie, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, new, copy = folder / "data", folder / "new", folder / "elsewhere" / "ledger.ndjson"
    with_repository(data, fill)
    assert hygie("backup", folder / "old", "--data", data)[0] == 0
    with_repository(data, erase_ann)
    recovery = folder / "recovery"
    shutil.copy(data / "keys" / "recovery", recovery)
    copy.parent.mkdir()
    shutil.copy(data / "ledger" / "erasures.ndjson", copy)
    shutil.rmtree(data)
    monkeypatch.setenv("HYGIE_LEDGER", str(copy))
    restored = hygie("restore", folder / "old", "--recovery-key", recovery, "--data", new)
    assert restored[0] == 0, restored
    assert with_repository(new, what_is_there) == ERASED


def test_older_keys_beside_newer_data_are_shredded_too(folder: Path, hygie: Hygie) -> None:
    data = folder / "data"
    with_repository(data, fill)
    assert hygie("backup", folder / "old", "--data", data)[0] == 0
    with_repository(data, erase_ann)
    assert hygie("backup", folder / "late", "--data", data)[0] == 0
    code, _, err = hygie(
        "restore", folder / "late", "--keys", folder / "old" / "keys.hygie",
        "--recovery-key", data / "keys" / "recovery", "--data", folder / "new",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert with_repository(folder / "new", what_is_there) == ERASED


def test_a_database_brought_back_by_hand_is_not_served_before_the_ledger(
    folder: Path, hygie: Hygie
) -> None:
    data = folder / "data"
    with_repository(data, fill)
    with_repository(data, erase_ann)
    settings = Settings(data=data)
    with server.running(settings) as ready:
        check_is_repeated(settings, ready.dsn)
        with connect(ready.dsn, role=roles.OWNER) as session:
            session.execute("TRUNCATE hygie_keys.erasure")
        with pytest.raises(ConfigurationError, match="run hygie keys repeat"):
            check_is_repeated(settings, ready.dsn)
    assert hygie("keys", "repeat", "--data", data)[1] == "1 erasures were repeated.\n"
    with server.running(settings) as ready:
        check_is_repeated(settings, ready.dsn)


def test_keys_are_rotated_and_the_old_one_destroyed(folder: Path, hygie: Hygie) -> None:
    data = folder / "data"
    with_repository(data, fill)
    status = hygie("keys", "status", "--data", data)[1]
    assert "Key-encryption keys: 1, in files of the data folder" in status
    assert "Data keys: 2; destroyed: 0" in status
    assert hygie("keys", "rotate", "--data", data)[1].startswith("2 data keys were wrapped anew")
    assert "long enough ago" in hygie("keys", "destroy", "--data", data)[1]
    assert hygie("keys", "destroy", "--now", "--data", data)[1].endswith("keys 1.\n")
    assert "2 wrapped by 2" in hygie("keys", "status", "--data", data)[1]
    assert all(with_repository(data, what_is_there).values())
    assert hygie("keys", "encrypt", "--data", data)[1].startswith("0 versions were encrypted")
    assert hygie("keys", "recovery", "--data", data)[1].startswith("hygie-recovery-1 ")


def test_the_status_ends_with_1_when_a_rotation_is_late(folder: Path, hygie: Hygie) -> None:
    data = folder / "data"
    with_repository(data, fill)
    assert hygie("keys", "status", "--data", data)[0] == 0
    settings = Settings(data=data)
    with server.running(settings) as ready, connect(ready.dsn, role=roles.OWNER) as session:
        session.execute("UPDATE hygie_keys.patient_key SET made = made - interval '38 days'")
    code, out, _ = hygie("keys", "status", "--data", data)
    assert (code, "LATE: rotation: no rotation since" in out) == (1, True)
    assert hygie("keys", "rotate", "--data", data)[0] == 0
    assert hygie("keys", "status", "--data", data)[0] == 0


def test_what_was_shredded_stays_so_for_who_kept_an_old_backup_of_the_data(
    folder: Path, hygie: Hygie
) -> None:
    """An old data archive with the newest archive of keys: only the erased is unreadable."""
    data = folder / "data"
    with_repository(data, fill)
    assert hygie("backup", folder / "old", "--data", data)[0] == 0
    with_repository(data, erase_ann)
    for act in (("rotate",), ("destroy", "--now")):
        assert hygie("keys", *act, "--data", data)[0] == 0
    assert hygie("backup", folder / "late", "--data", data)[0] == 0
    code, _, err = hygie(
        "restore", folder / "old", "--keys", folder / "late" / "keys.hygie",
        "--recovery-key", data / "keys" / "recovery", "--data", folder / "new",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert with_repository(folder / "new", what_is_there) == ERASED


def test_a_folder_without_hygie_has_no_keys(folder: Path, hygie: Hygie) -> None:
    code, _, err = hygie("keys", "status", "--data", folder / "none")
    assert (code, "There is no Hygie" in err) == (1, True)
